server_SRCS = \
  admin.c \
  api.c \
  face.c \
  http.c \
  http_conn.c \
  http_parse.c \
  http_refuse.c \
  http_rules.c \
  http_write.c \
  metrics_http.c
