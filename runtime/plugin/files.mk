plugin_SRCS = breaker.c \
  pool.c \
  proc.c \
  supervisor.c
