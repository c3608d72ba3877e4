# What is sold, to whom, and what they owe.
billing_SRCS = \
  act.c \
  billing.c \
  books.c \
  money.c \
  pay.c \
  sums.c \
  till.c \
  wallet.c
