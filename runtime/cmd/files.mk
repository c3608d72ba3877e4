cmd_SRCS =
