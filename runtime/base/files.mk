base_SRCS = \
  buf.c \
  diff.c \
  digest.c \
  err.c \
  hash.c \
  index.c \
  instant.c \
  json_patch.c \
  json_read.c \
  json_value.c \
  json_write.c \
  mem.c \
  near.c \
  params.c \
  problem.c \
  report.c \
  schema.c \
  schema_check.c \
  schema_format.c \
  schema_number.c \
  schema_object.c \
  schema_ref.c \
  schema_regex.c \
  schema_text.c \
  schema_uri.c \
  text.c \
  tuple.c
