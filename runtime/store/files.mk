store_SRCS = \
  apply.c \
  audit.c \
  backup.c \
  db.c \
  gone.c \
  head.c \
  head_key.c \
  log.c \
  migrate.c \
  pack.c \
  place.c \
  query.c \
  reader.c \
  reindex.c \
  restore.c \
  seal.c \
  store.c \
  verify.c \
  verify_log.c \
  wal_file.c \
  writer.c

# The schema as text of C.
GENERATED += gen/store_schema.h
gen/store_schema.h: $(srcdir)/runtime/store/schema.sql
	@mkdir -p $(@D)
	$(call say,GEN){ echo 'static const char ll_store_schema[] = {'; \
	  od -An -v -tu1 $< | sed 's/  */,/g; s/^,//; s/$$/,/'; \
	  echo '0};'; } >$@.tmp && mv $@.tmp $@
