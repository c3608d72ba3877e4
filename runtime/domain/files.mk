domain_SRCS = \
  address.c \
  leaf.c \
  merkle.c \
  notify.c \
  payment.c \
  url.c \
  usage.c
