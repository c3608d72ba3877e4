worker_SRCS =
