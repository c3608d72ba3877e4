wire_SRCS = frame.c ring.c value.c
