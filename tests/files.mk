unit_SRCS = \
  test_world.c
