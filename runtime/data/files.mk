data_SRCS = doc.c \
  docs.c \
  known.c \
  put.c \
  scan.c \
  series.c \
  txn.c \
  wait.c
