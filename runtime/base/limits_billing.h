/* base/limits_billing.h: the bounds of plans, of what is rated by them, and
 * of what they admit.
 *
 * Part of limits.h.
 */
#ifndef LL_BASE_LIMITS_BILLING_H
#define LL_BASE_LIMITS_BILLING_H

/* -- plans: spec/pricing.md -- */
#define LL_PLAN_CHARGES_MAX 64   /* of one plan */
#define LL_PLAN_TIERS_MAX 64     /* of one charge */
#define LL_PLAN_DISCOUNTS_MAX 16 /* of one plan */
#define LL_PLAN_LIMITS_MAX 64    /* of one plan */
#define LL_PLAN_ALERTS_MAX 16    /* thresholds of one limit */
#define LL_PLAN_ID_BYTES_MAX 64  /* of a charge, a discount, a meter */
#define LL_PLAN_TRIAL_DAYS_MAX 3660
#define LL_PLAN_FACTOR_BP_MAX 1000000 /* of an overage: a hundredfold */
#define LL_PLAN_VERSIONS_MAX 65536    /* of all plans of a host: in memory */
#define LL_PLAN_BODY_BYTES_MAX 262144 /* of one, as it is published */
#define LL_PLAN_TITLE_BYTES_MAX 200   /* in one language */

/* -- subscriptions: spec/pricing.md -- */
#define LL_BILLING_ZONES_BYTES_MAX (8 << 20) /* time zones of all plans */
#define LL_SUB_VERSIONS_MAX 64 /* plan versions in a subscription's life */
#define LL_SUB_PAUSES_MAX 64   /* the same of pauses */
#define LL_SUBS_MAX 1000000    /* of a host, ended ones too: in memory */
#define LL_SUB_PARTIES_MAX 32  /* who pay for one; the same of who use it */
#define LL_SUB_AHEAD_MS_MAX 31622400000 /* of a start: a leap year */
#define LL_SUB_SEATS_MAX 1000000        /* of one: prices times seats fit */

/* Windows that one subscription has open: this period, the last for what is
 * late, and as much for a plan that was left. */
#define LL_QUOTA_WINDOWS_MAX 4

/* -- rating: spec/pricing.md -- */
#define LL_RATE_LINES_MAX 65536       /* of one invoice */
#define LL_RATE_EVENTS_MAX 1000000    /* of one meter, and of one case */
#define LL_RATE_ATTEMPTS_MAX 1000000  /* calls that one case tries */
#define LL_RATE_RESERVATIONS_MAX 4096 /* steps of one case */
#define LL_RATE_PERIODS_MAX 1200      /* that one case lists: a century */
#define LL_RATE_GRANTS_MAX 1024       /* of one wallet */

/* -- exports: spec/metering.md, section 14 -- */
#define LL_EXPORT_RECORDS_DEFAULT 1000  /* of one document */
#define LL_EXPORT_RECORDS_MAX 10000     /* the same, as asked for */
#define LL_EXPORT_LAGO_MAX 100          /* what Lago takes at once */
#define LL_EXPORT_BYTES_MAX (3u << 20)  /* then a document takes no more */
#define LL_EXPORT_SOURCE_BYTES_MAX 2048 /* origin and community, encoded */
#define LL_SINKS_MAX 8                  /* of a community */
#define LL_SINK_RECORDS_MAX 500         /* of one request */
#define LL_SINK_MS 30000                /* an answer takes at most */
#define LL_SINK_ANSWER_BYTES_MAX (256u << 10) /* of which Lago's is read */
#define LL_SINK_TICK_MS 500   /* from a record to its request, at most */
#define LL_SINK_ALERT_AFTER 5 /* attempts in a row: 15 s */

/* -- the ledger: spec/metering.md, section 12 -- */
#define LL_LEDGER_POSTINGS_MAX 512     /* of one entry: every payer's part */
#define LL_LEDGER_ACCOUNTS_MAX 4000000 /* three for each of a million subs */
#define LL_LEDGER_PAGE_ROWS 4096       /* of balances, read at the start */
#define LL_TILL_JOBS_MAX 1024          /* about money, that wait in line */
#define LL_SETTLEMENT_PAGE_ROWS 1000   /* of a statement, asked for at once */
#define LL_SETTLEMENT_LINES_MAX 10000  /* of a statement as CSV or HTML */
#define LL_CHECKUP_BREAKS_MAX 20       /* that are named; more say no more */
#define LL_CHECKUP_PAGE_ROWS 1000      /* of bills, asked for at once */
#define LL_WALLET_LAPSE_MAX 256        /* top-ups that lapse in one commit */
#define LL_ACCOUNT_BYTES_MAX 128       /* "due:vendor:PLUGIN" */

/* -- sums and invoices: spec/metering.md, section 11 -- */
#define LL_SUMS_PAGE_SEGMENTS 64       /* decoded in one turn */
#define LL_SUMS_PAGE_BYTES (8 << 20)   /* the same, of their content */
#define LL_GATHER_BYTES_MAX (64 << 20) /* of one invoice, while it is made */
#define LL_INVOICE_BYTES_MAX (2 << 20) /* of a frozen body: one answer */
#define LL_INVOICE_LATE_PERIODS 12     /* late use of so many counts */
#define LL_INVOICE_TURN_MAX 64         /* made in one turn of the loop */
#define LL_INVOICE_FLIGHTS_MAX 16      /* that wait for the store at once */
#define LL_INVOICE_CREDITED_MAX 256    /* lines that one credit note names */
#define LL_INVOICE_RECORD_PAGES_MAX 64 /* of segments, for one answer */
#define LL_INVOICE_CREDITS_MAX 1000    /* credit notes of one invoice */
#define LL_INVOICE_GRACE_HOURS 72      /* after a period: late use is in */
#define LL_INVOICE_GRACE_HOURS_MAX 744 /* a month */
#define LL_INVOICE_LAST_GRACE_MS ((72 * 60 + 1) * 60000) /* of the last one */
#define LL_INVOICE_AGAIN_MS (6 * 3600000) /* until it is tried again */
#define LL_DUNNING_DAYS_MAX 366           /* a step after that is none */
#define LL_DUNNING_DUE_DAYS 15            /* to pay in, unless configured */
#define LL_DUNNING_NOTIFY_DAYS 1          /* after the due day, the same */
#define LL_DUNNING_RESTRICT_DAYS 8
#define LL_DUNNING_SUSPEND_DAYS 15

/* -- what people see: spec/metering.md, section 16 -- */
#define LL_UNUSUAL_DAYS 28          /* four weeks a day is held against */
#define LL_UNUSUAL_DAYS_MIN 7       /* fewer say nothing */
#define LL_UNUSUAL_WEEKS 3          /* the same of one weekday */
#define LL_UNUSUAL_SPREADS 8        /* from the median that are usual; */
#define LL_UNUSUAL_SHARE_PERCENT 50 /* or so much of it, if that is more; */
#define LL_UNUSUAL_UNITS_MIN 10     /* or so much, where little is counted */
#define LL_UNUSUAL_LATE_DAYS 3      /* a record comes so late: 72 hours */
#define LL_BILL_DAYS_MAX 366        /* of a meter, shown to who pays: a year */
#define LL_WHATIF_PERIODS_MAX 36    /* of one preview: three years of months */
#define LL_UNUSUAL_JUDGED_MAX 8     /* days in one look, after a long absence */

#endif
