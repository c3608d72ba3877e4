world_SRCS = channel.c \
  file.c \
  spawn.c \
  spawn_clone.c \
  spawn_probe.c \
  tcp_uv.c \
  world_uv.c
