domain_SRCS = \
  address.c \
  age.c \
  checkpoint.c \
  consent.c \
  consent_explain.c \
  consent_grant.c \
  consent_keys.c \
  consent_no.c \
  consent_people.c \
  consent_state.c \
  consent_table.c \
  dictionary.c \
  dunning.c \
  entitlement.c \
  leaf.c \
  ledger.c \
  merkle.c \
  notify.c \
  owed.c \
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
  subscription.c \
  unusual.c \
  url.c \
  usage.c \
  usage_export.c \
  view.c

# The registry of residents' data as bytes of C, so that liblinli needs no file.
GENERATED += gen/data_dictionary.h
gen/data_dictionary.h: $(srcdir)/spec/data-dictionary.json
	@mkdir -p $(@D)
	@{ echo 'static const unsigned char ll_data_dictionary[] = {'; \
	  od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
	  echo '};'; } >$@.tmp && mv $@.tmp $@
