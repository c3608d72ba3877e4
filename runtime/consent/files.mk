# What a plugin may have of a resident, and the word of those who said so.
consent_SRCS = \
  arbiter.c \
  arbiter_access.c \
  arbiter_act.c \
  arbiter_declare.c \
  arbiter_doc.c \
  arbiter_leaf.c \
  arbiter_load.c \
  arbiter_person.c \
  guardians.c \
  notice.c \
  receipt.c \
  subject.c \
  texts.c \
  value_rules.c \
  values.c \
  values_put.c
