domain_SRCS =
