unit_SRCS =
