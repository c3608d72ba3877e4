domain_SRCS = \
  address.c \
  notify.c \
  url.c \
  usage.c
