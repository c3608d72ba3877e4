base_SRCS = buf.c err.c hash.c json_read.c json_value.c json_write.c \
  mem.c problem.c text.c
