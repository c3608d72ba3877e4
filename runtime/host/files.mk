host_SRCS =
