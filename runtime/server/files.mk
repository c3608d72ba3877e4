server_SRCS = \
  http.c \
  http_conn.c \
  http_parse.c \
  http_refuse.c \
  http_rules.c \
  http_write.c \
  metrics_http.c
