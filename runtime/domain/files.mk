domain_SRCS = \
  notify.c \
  usage.c
