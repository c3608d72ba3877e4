# The three programs; a file that two of them share stands in both lists.
linlid_SRCS =
linli_SRCS =
linli-worker_SRCS =
