domain_SRCS = \
  address.c \
  url.c \
  usage.c
