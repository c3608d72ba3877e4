server_SRCS =
