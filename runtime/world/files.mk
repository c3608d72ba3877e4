world_SRCS = tcp_uv.c \
  world_uv.c
