/* store/migrate.c: the steps, and taking them. */
#include "store/migrate.h"

#include <stdio.h>

#include "store_schema.h"

/* An alert may have a name, under which it is open once, and be closed. */
static const char alerts_close[] =
    "ALTER TABLE alert ADD COLUMN ref TEXT;"
    "ALTER TABLE alert ADD COLUMN closed_at INTEGER;"
    "ALTER TABLE alert ADD COLUMN closed_by TEXT;"
    "ALTER TABLE alert ADD COLUMN reason TEXT;"
    "CREATE INDEX alert_ref ON alert(community, plugin, ref) "
    "WHERE state = 'open' AND ref IS NOT NULL;";

/* The log of consent: store/log.h. */
static const char log_begins[] =
    "CREATE TABLE log_leaf("
    "  idx INTEGER PRIMARY KEY,"
    "  leaf BLOB NOT NULL" /* domain/leaf.h */
    ") STRICT;"
    "CREATE TABLE log_tile("
    "  level INTEGER NOT NULL,"
    "  n INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL," /* 1 to 256 hashes */
    "  PRIMARY KEY(level, n)"
    ") STRICT;"
    "CREATE TABLE log_head("
    "  log INTEGER PRIMARY KEY," /* 0 */
    "  size INTEGER NOT NULL,"
    "  root BLOB NOT NULL,"
    "  note TEXT" /* the last that was signed: a checkpoint, maybe older */
    ") STRICT;";

/* A key may be kept for a time in which nobody reads by it, with what the law
 * keeps of its subject; and what there is of a subject is found. */
static const char keys_freeze[] =
    "ALTER TABLE subject_key ADD COLUMN until INTEGER;" /* frozen; or null */
    "ALTER TABLE subject_key ADD COLUMN kept TEXT;"
    "CREATE INDEX subject_until ON subject_key(until) "
    "WHERE until IS NOT NULL;"
    "CREATE TABLE frozen(id INTEGER PRIMARY KEY, space INTEGER NOT NULL, "
    "subject TEXT NOT NULL, collection INTEGER NOT NULL, "
    "body BLOB NOT NULL) STRICT;"
    "CREATE INDEX frozen_subject ON frozen(space, subject);"
    "CREATE TABLE statutory(collection INTEGER PRIMARY KEY, "
    "ms INTEGER NOT NULL, law TEXT NOT NULL) STRICT;"
    "CREATE INDEX doc_subject ON doc(subject, collection, id) "
    "WHERE subject IS NOT NULL;";

/* Which leaves are about whom: by tags, and erased with them. */
static const char leaves_of[] =
    "CREATE TABLE leaf_subject("
    "  tag TEXT NOT NULL,"
    "  idx INTEGER NOT NULL,"
    "  PRIMARY KEY(tag, idx)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO leaf_subject(tag, idx) "
    "SELECT json_extract(CAST(leaf AS TEXT), '$.subject'), idx FROM log_leaf "
    "WHERE json_extract(CAST(leaf AS TEXT), '$.subject') IS NOT NULL;";

/* What is sold, and to whom; usage knows for which subscription, and by which
 * version of its plan, it was counted. */
static const char billing_begins[] =
    "CREATE TABLE usage_series_new("
    "  id INTEGER PRIMARY KEY,"
    "  space INTEGER NOT NULL,"
    "  meter TEXT NOT NULL,"
    "  subscription INTEGER NOT NULL," /* 0, 1: billing/subs.h */
    "  version INTEGER NOT NULL,"      /* plan_version.id; 0: none */
    "  UNIQUE(space, meter, subscription, version)"
    ") STRICT;"
    "INSERT INTO usage_series_new(id, space, meter, subscription, version) "
    "SELECT id, space, meter, 0, 0 FROM usage_series;"
    "DROP TABLE usage_series;"
    "ALTER TABLE usage_series_new RENAME TO usage_series;"
    "CREATE INDEX usage_series_of ON usage_series(subscription) "
    "WHERE subscription <> 0;"
    "CREATE TABLE plan_version(" /* never updated, but for `closed` */
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  plugin TEXT NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  closed INTEGER NOT NULL," /* 0, or when */
    "  body BLOB NOT NULL,"      /* JSON, as it was published */
    "  UNIQUE(community, name, version)"
    ") STRICT;"
    "CREATE TABLE subscription("
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  plugin TEXT NOT NULL,"
    "  key TEXT NOT NULL,"
    "  body BLOB NOT NULL," /* JSON: its life; names nobody */
    "  UNIQUE(community, key)"
    ") STRICT;"
    "CREATE TABLE subscription_party(" /* who pays (0), who uses (1) */
    "  subscription INTEGER NOT NULL,"
    "  role INTEGER NOT NULL,"
    "  n INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL," /* enum ll_party_kind */
    "  bp INTEGER NOT NULL,"
    "  who BLOB," /* the runtime's id, sealed about it; or null */
    "  PRIMARY KEY(subscription, role, n)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE subscription_deed(" /* what was done, by whom; for people */
    "  id INTEGER PRIMARY KEY,"
    "  subscription INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  what TEXT NOT NULL,"
    "  body BLOB NOT NULL" /* JSON */
    ") STRICT;"
    "CREATE INDEX subscription_deeds "
    "ON subscription_deed(subscription, id);";

/* The ledger: nothing in it is ever changed or deleted. */
static const char ledger_begins[] =
    "CREATE TABLE ledger_account("
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  name TEXT NOT NULL," /* domain/ledger.h */
    "  UNIQUE(community, name)"
    ") STRICT;"
    "CREATE TABLE ledger_entry("
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  kind TEXT NOT NULL,"
    "  ref TEXT NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  UNIQUE(community, kind, ref)"
    ") STRICT;"
    "CREATE TABLE ledger_posting("
    "  entry INTEGER NOT NULL,"
    "  n INTEGER NOT NULL,"
    "  account INTEGER NOT NULL,"
    "  fen INTEGER NOT NULL," /* debit > 0, credit < 0 */
    "  PRIMARY KEY(entry, n)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX ledger_posted ON ledger_posting(account, entry);";

/* What final invoices cost, what was paid of them, and wallets. All rows are
 * made once and stay as they are. */
static const char money_begins[] =
    "CREATE TABLE bill("
    "  invoice INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  number TEXT NOT NULL,"
    "  plugin TEXT NOT NULL,"
    "  subscription INTEGER NOT NULL,"
    "  total INTEGER NOT NULL,"
    "  tax INTEGER NOT NULL,"
    "  platform_bp INTEGER NOT NULL," /* the terms of its shares */
    "  platform_fixed INTEGER NOT NULL,"
    "  channel_bp INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  UNIQUE(community, number)"
    ") STRICT;"
    "CREATE TABLE bill_move(" /* fen; what is owed is their sum */
    "  id INTEGER PRIMARY KEY,"
    "  invoice INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  kind TEXT NOT NULL," /* settle, payment, refund, credit-note */
    "  ref TEXT NOT NULL,"
    "  credited INTEGER NOT NULL,"
    "  credited_tax INTEGER NOT NULL,"
    "  paid INTEGER NOT NULL,"
    "  base INTEGER NOT NULL,"
    "  platform INTEGER NOT NULL,"
    "  channel INTEGER NOT NULL,"
    "  vendor INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX bill_moves ON bill_move(invoice, id);"
    "CREATE INDEX bill_move_at ON bill_move(at, id);"
    "CREATE TABLE bill_payment("
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  invoice INTEGER NOT NULL,"
    "  channel TEXT NOT NULL,"
    "  ref TEXT NOT NULL,"
    "  fen INTEGER NOT NULL,"
    "  paid_at INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  UNIQUE(community, channel, ref)"
    ") STRICT;"
    "CREATE INDEX bill_payments ON bill_payment(invoice, id);"
    "CREATE TABLE bill_refund("
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  payment INTEGER NOT NULL,"
    "  ref TEXT NOT NULL,"
    "  fen INTEGER NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  UNIQUE(community, ref)"
    ") STRICT;"
    "CREATE INDEX bill_refunds ON bill_refund(payment, id);"
    "CREATE TABLE wallet_grant("
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  subscription INTEGER NOT NULL,"
    "  channel TEXT NOT NULL,"
    "  ref TEXT NOT NULL,"
    "  fen INTEGER NOT NULL,"
    "  priority INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL," /* the greatest int64: never */
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  UNIQUE(community, ref)"
    ") STRICT;"
    "CREATE INDEX wallet_of ON wallet_grant(subscription, id);"
    "CREATE TABLE wallet_use("
    "  id INTEGER PRIMARY KEY,"
    "  top_up INTEGER NOT NULL," /* wallet_grant.id */
    "  fen INTEGER NOT NULL,"
    "  ref TEXT NOT NULL," /* the invoice's number, or lapsed */
    "  at INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX wallet_uses ON wallet_use(top_up, id);";
/* What is owed for it: spec/metering.md, section 11. */
static const char invoices_begin[] =
    "CREATE TABLE invoice("
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  subscription INTEGER NOT NULL,"
    "  k INTEGER NOT NULL," /* made as its period k begins */
    "  last INTEGER NOT NULL,"
    "  state INTEGER NOT NULL," /* enum ll_inv_state */
    "  number INTEGER,"         /* drawn when it becomes final */
    "  made INTEGER NOT NULL,"
    "  grace INTEGER NOT NULL," /* a draft until then */
    "  final INTEGER,"
    "  due INTEGER," /* a local day */
    "  watermark INTEGER,"
    "  net INTEGER NOT NULL DEFAULT 0," /* fen */
    "  tax INTEGER NOT NULL DEFAULT 0,"
    "  total INTEGER NOT NULL DEFAULT 0,"
    "  paid INTEGER NOT NULL DEFAULT 0,"
    "  credited INTEGER NOT NULL DEFAULT 0,"
    "  step INTEGER NOT NULL DEFAULT 0," /* enum ll_dunning */
    "  hash BLOB,"                       /* SHA-256 of the body */
    "  body BLOB,"                       /* JSON; names nobody */
    "  UNIQUE(subscription, k),"
    "  UNIQUE(community, number)"
    ") STRICT;"
    "CREATE INDEX invoice_state ON invoice(state) WHERE state IN (0, 1, 3);"
    "CREATE INDEX invoice_community ON invoice(community, id);"
    "CREATE TABLE invoice_use(" /* of a period, what is billed */
    "  subscription INTEGER NOT NULL,"
    "  day INTEGER NOT NULL,"
    "  meter TEXT NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  quantity INTEGER NOT NULL,"
    "  last INTEGER NOT NULL,"
    "  PRIMARY KEY(subscription, day, meter, version)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE invoice_deed("
    "  id INTEGER PRIMARY KEY,"
    "  invoice INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  what TEXT NOT NULL,"
    "  reason TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX invoice_deeds ON invoice_deed(invoice, id);"
    "CREATE TABLE credit_note(" /* never updated */
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  invoice INTEGER NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  net INTEGER NOT NULL,"
    "  tax INTEGER NOT NULL,"
    "  total INTEGER NOT NULL,"
    "  hash BLOB NOT NULL,"
    "  body BLOB NOT NULL,"
    "  UNIQUE(community, number)"
    ") STRICT;"
    "CREATE INDEX credit_note_of ON credit_note(invoice, id);";

/* What vendors get, period by period: never updated. */
static const char settlements_begin[] =
    "CREATE TABLE settlement("
    "  id INTEGER PRIMARY KEY,"
    "  community TEXT NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  plugin TEXT NOT NULL,"
    "  period TEXT NOT NULL,"
    "  since INTEGER NOT NULL," /* moves in [since, until) are in it */
    "  until INTEGER NOT NULL,"
    "  moves INTEGER NOT NULL,"
    "  paid INTEGER NOT NULL,"
    "  base INTEGER NOT NULL,"
    "  platform INTEGER NOT NULL,"
    "  channel INTEGER NOT NULL,"
    "  vendor INTEGER NOT NULL,"
    "  before INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  hash BLOB NOT NULL," /* of the lines */
    "  UNIQUE(community, number),"
    "  UNIQUE(community, plugin, period)"
    ") STRICT;";

/* Use that was given out of suspense: never updated. */
static const char attributions_begin[] =
    "CREATE TABLE usage_attribution("
    "  lsn INTEGER PRIMARY KEY," /* of the record that was taken back */
    "  community TEXT NOT NULL,"
    "  subscription INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  reason TEXT NOT NULL"
    ") STRICT;";

/* Answers under keys lie in the order of time, as data/known.h reads them;
 * of those that lay under a hash alone it is not known. */
static const char kept_in_time[] =
    "UPDATE doc SET id = 'ffffffffffff' || substr(id, 1, 32) "
    "WHERE length(id) = 64 AND "
    "collection IN (SELECT id FROM collection WHERE name = '~idem');";

static const struct ll_migration migrations[] = {
    {ll_store_schema, NULL},
    {alerts_close, NULL},
    {log_begins, NULL},
    {keys_freeze, NULL},
    {leaves_of, NULL},
    {billing_begins, NULL},
    {ledger_begins, NULL},
    {money_begins, NULL},
    {settlements_begin, NULL},
    {invoices_begin, NULL},
    {attributions_begin, NULL},
    {kept_in_time, NULL},
};

const struct ll_migration *
ll_migrations(uint32_t *count)
{
    *count = LL_COUNT(migrations);
    return migrations;
}

linli_status
ll_migration_version(
    struct ll_db *db, uint32_t count, uint32_t *version, struct ll_err *err)
{
    int64_t found = 0;
    *version = 0;
    linli_status status = ll_db_number(db, "PRAGMA user_version", &found, err);
    if (status != LINLI_OK)
        return status;
    if (found < 0)
        return ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "its version is %lld", (long long)found);
    if (found > count)
        return ll_fail(err, LINLI_E_UNSUPPORTED, "store/newer",
            "its version is %lld, this Linli knows %u", (long long)found,
            count);
    *version = (uint32_t)found;
    return LINLI_OK;
}

static linli_status
take_step(struct ll_db *db, const struct ll_migration *step, uint32_t version,
    struct ll_err *err)
{
    char count[64];
    (void)snprintf(count, sizeof count, "PRAGMA user_version=%u", version);
    linli_status status = ll_db_begin(db, true, err);
    if (status != LINLI_OK)
        return status;
    status = ll_db_exec(db, step->sql, err);
    if (status == LINLI_OK && step->then != NULL)
        status = step->then(db, err);
    if (status == LINLI_OK)
        status = ll_db_exec(db, count, err);
    if (status == LINLI_OK)
        status = ll_db_commit(db, err);
    if (status != LINLI_OK) {
        ll_db_rollback(db);
        ll_err_where(err, "step %u: ", version);
    }
    return status;
}

linli_status
ll_migrate(struct ll_db *db, const struct ll_migration *steps, uint32_t count,
    struct ll_err *err)
{
    uint32_t version;
    linli_status status = ll_migration_version(db, count, &version, err);
    while (status == LINLI_OK && version < count) {
        status = take_step(db, &steps[version], version + 1, err);
        version++;
    }
    return status;
}
