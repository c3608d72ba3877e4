# What is sold, to whom, and what they owe.
billing_SRCS = \
  act.c \
  attribute.c \
  billing.c \
  books.c \
  checkup.c \
  checkup_bills.c \
  checkup_invoices.c \
  credit.c \
  gather.c \
  invoice_act.c \
  invoice_body.c \
  invoice_csv.c \
  invoice_final.c \
  invoice_html.c \
  invoice_run.c \
  invoice_words.c \
  invoices.c \
  money.c \
  pay.c \
  plans.c \
  plans_read.c \
  quota.c \
  quota_price.c \
  rating.c \
  settlement.c \
  subs.c \
  subs_act.c \
  subs_index.c \
  subs_load.c \
  subs_start.c \
  sums.c \
  till.c \
  turn.c \
  wallet.c \
  whatif.c
