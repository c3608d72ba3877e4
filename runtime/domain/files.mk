domain_SRCS = \
  address.c \
  entitlement.c \
  notify.c \
  payment.c \
  pricing_calendar.c \
  pricing_case.c \
  pricing_case_admit.c \
  pricing_case_print.c \
  pricing_case_steps.c \
  pricing_case_use.c \
  pricing_charge.c \
  pricing_invoice.c \
  pricing_number.c \
  pricing_plan.c \
  pricing_read.c \
  pricing_share.c \
  url.c \
  usage.c
