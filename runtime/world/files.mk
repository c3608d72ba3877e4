world_SRCS =
