# What a plugin may have of a resident, and the word of those who said so.
consent_SRCS = \
  subject.c \
  value_rules.c \
  values.c \
  values_put.c
