worker_SRCS = elf.c \
  elf_rules.c \
  enter.c \
  enter_filter.c \
  enter_landlock.c \
  enter_root.c \
  ffi.c \
  hello.c \
  loop.c \
  lua_native.c \
  native.c \
  native_core.c \
  native_plugin.c \
  native_value.c \
  objects.c \
  worker.c
