domain_SRCS = \
  address.c \
  payment.c \
  url.c \
  usage.c
