host_SRCS = \
  dev_key.c \
  jwks.c \
  jwt.c \
  token_cache.c
