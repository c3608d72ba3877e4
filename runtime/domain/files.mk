domain_SRCS = \
  usage.c
