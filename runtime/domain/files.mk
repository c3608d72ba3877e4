domain_SRCS = \
  address.c \
  notify.c \
  payment.c \
  url.c \
  usage.c
