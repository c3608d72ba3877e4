worker_SRCS = hello.c \
  loop.c \
  worker.c
