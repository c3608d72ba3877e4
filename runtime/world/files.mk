world_SRCS = channel.c \
  datadir.c \
  fetch.c \
  file.c \
  logfile.c \
  spawn.c \
  spawn_clone.c \
  spawn_probe.c \
  tcp_uv.c \
  thread.c \
  world_uv.c \
  zone.c
