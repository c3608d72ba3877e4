plugin_SRCS =
