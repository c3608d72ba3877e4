# What is sold, to whom, and what they owe.
billing_SRCS = \
  act.c \
  billing.c \
  books.c \
  money.c \
  pay.c \
  plans.c \
  plans_read.c \
  quota.c \
  quota_price.c \
  settlement.c \
  subs.c \
  subs_act.c \
  subs_index.c \
  subs_load.c \
  subs_start.c \
  sums.c \
  till.c \
  wallet.c
