host_SRCS = \
  dev_key.c \
  jwks.c \
  jwt.c \
  locale.c \
  metrics.c \
  problem_json.c \
  request.c \
  token_cache.c \
  trace.c
