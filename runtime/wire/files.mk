wire_SRCS = frame.c ring.c show.c value.c
