/* tests/unit/test_values.c: values of fields: what they may be; kept sealed,
 * read one at a time, absent or gone for good. */
#include "consent/values.h"
#include "docs_fixture.h"

static const struct ll_field_def phone = {
    .id = LINLI_STR("phone"), .type = LINLI_STR("string"), .class = LL_C2};
static const struct ll_field_def heart = {.id = LINLI_STR("heart_rate"),
    .type = LINLI_STR("integer"),
    .class = LL_C3};
static const struct ll_field_def plate = {.id = LINLI_STR("plate"),
    .type = LINLI_STR("array"),
    .class = LL_C2,
    .household = true};

/* -- formats -- */

static const struct {
    const char *field, *type, *value;
    bool good;
} formats[] = {
    {"phone", "string", "\"13800001111\"", true},
    {"phone", "string", "\"+8613800001111\"", true},
    {"phone", "string", "\"021-12345678\"", true},
    {"phone", "string", "\"110\"", true},
    {"phone", "string", "\"11\"", false},
    {"phone", "string", "\"1380000 1111\"", false},
    {"phone", "string", "\"-021\"", false},
    {"phone", "string", "\"138+1\"", false},
    {"phone", "string", "\"1234567890123456\"", false},
    {"phone", "string", "13800001111", false},
    {"phone", "string", "null", false},
    {"birth_date", "string", "\"2020-02-29\"", true},
    {"birth_date", "string", "\"2019-02-29\"", false},
    {"birth_date", "string", "\"2000-02-29\"", true},
    {"birth_date", "string", "\"2100-02-29\"", false},
    {"birth_date", "string", "\"1899-12-31\"", false},
    {"birth_date", "string", "\"1990-13-01\"", false},
    {"birth_date", "string", "\"1990-04-31\"", false},
    {"birth_date", "string", "\"1990-4-30\"", false},
    {"id_card", "string", "\"11010519491231002X\"", true},
    {"id_card", "string", "\"110105194912310021\"", false},
    {"id_card", "string", "\"11010519491331002X\"", false},
    {"id_card", "string", "\"11010519491231002x\"", false},
    {"plate", "array", "[\"沪A12345\"]", true},
    {"plate", "array", "[\"沪A12345\",\"京B1\"]", true},
    {"plate", "array", "\"沪A12345\"", false},
    {"plate", "array", "[]", true},
    {"plate", "array", "[\"沪A12345\",\"沪A12345\"]", false},
    {"plate", "array", "[\"沪a12345\"]", false},
    {"plate", "array", "[\"沪A 12345\"]", false},
    {"plate", "array", "[1]", false},
    {"heart_rate", "integer", "20", true},
    {"heart_rate", "integer", "300", true},
    {"heart_rate", "integer", "19", false},
    {"heart_rate", "integer", "301", false},
    {"heart_rate", "integer", "72.5", false},
    {"heart_rate", "integer", "\"72\"", false},
    {"body_temp", "number", "36.6", true},
    {"body_temp", "number", "37", true},
    {"body_temp", "number", "366", false},
    {"blood_pressure", "object", "{\"systolic\":120,\"diastolic\":80}", true},
    {"blood_pressure", "object", "{\"systolic\":120}", false},
    {"blood_pressure", "object",
        "{\"systolic\":120,\"diastolic\":80,\"note\":\"\"}", false},
    {"location", "object", "{\"lat\":31.2,\"lon\":121.5}", true},
    {"location", "object", "{\"lat\":91,\"lon\":121.5}", false},
    {"emergency_contacts", "array",
        "[{\"name\":\"小王\",\"phone\":\"110\",\"relation\":\"女儿\"}]", true},
    {"emergency_contacts", "array", "[]", false},
    {"emergency_contacts", "array", "[{\"name\":\"小王\"}]", false},
    {"display_name", "string", "\"王阿姨\"", true},
    {"display_name", "string", "\"\"", false},
    {"display_name", "string", "\"a\\u001bb\"", false},
    {"door_code", "string", "\"1234#\"", true},
    {"door_code", "string", "\"12 34\"", false},
    {"care_notes", "string", "\"a\\nb\"", true},
    {"leader_identity", "string", "\"L1\"", true},
    {"leader_identity", "string", "1", false},
};

T_CASE(judges_formats)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_buf text;
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    ll_buf_init(&text, &mem, 8192);
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct ll_field_def field = {
            .id = ll_cstr(formats[i].field), .type = ll_cstr(formats[i].type)};
        struct ll_err err;
        T_INT(
            ll_json_parse(&json, ll_cstr(formats[i].value), 8, &err), LINLI_OK);
        linli_status status =
            ll_value_take(&field, ll_json_root(&json), &text, &err);
        if ((status == LINLI_OK) != formats[i].good)
            t_fail(formats[i].field, __LINE__, formats[i].value);
        if (status == LINLI_OK) {
            T_STR(ll_buf_view(&text), formats[i].value);
            continue;
        }
        T_STR(ll_cstr(err.code), "field/invalid");
        T_OK(strstr(err.msg, formats[i].field) != NULL);
        T_OK(strstr(err.fix, "应为") != NULL);
    }
    ll_buf_fini(&text);
    ll_json_fini(&json);
}

T_CASE(bounds)
{
    static char long_one[LL_FIELD_VALUE_BYTES_MAX + 3];
    struct ll_field_def notes = {
        .id = LINLI_STR("care_notes"), .type = LINLI_STR("string")};
    struct ll_field_def relay = {.id = LINLI_STR("phone_relay"),
        .type = LINLI_STR("string"),
        .brokered = true};
    struct ll_field_def band = {.id = LINLI_STR("age_band"),
        .type = LINLI_STR("string"),
        .view = LL_VIEW_AGE_BAND};
    struct ll_mem mem;
    struct ll_json json;
    struct ll_buf text;
    struct ll_err err;
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    ll_buf_init(&text, &mem, 8192);
    memset(long_one, 'a', sizeof long_one);
    long_one[0] = '"';
    for (size_t n = LL_FIELD_VALUE_BYTES_MAX; n < sizeof long_one - 1; n++) {
        long_one[n - 1] = '"';
        T_INT(
            ll_json_parse(&json, (linli_str){long_one, n}, 8, &err), LINLI_OK);
        linli_status status =
            ll_value_take(&notes, ll_json_root(&json), &text, &err);
        T_OK((status == LINLI_OK) == (n <= LL_FIELD_VALUE_BYTES_MAX));
        long_one[n - 1] = 'a';
    }
    T_STR(ll_cstr(err.code), "field/invalid");
    T_INT(ll_json_parse(&json, LINLI_STR("\"x\""), 8, &err), LINLI_OK);
    T_OK(ll_value_check(&relay, ll_json_root(&json), &err) != LINLI_OK);
    T_STR(ll_cstr(err.code), "field/derived");
    T_OK(ll_value_check(&band, ll_json_root(&json), &err) != LINLI_OK);
    T_STR(ll_cstr(err.code), "field/derived");
    ll_buf_fini(&text);
    ll_json_fini(&json);
}

T_CASE(dates)
{
    char text[LL_DATE_BYTES];
    int32_t day;
    T_OK(ll_date_read(LINLI_STR("1970-01-01"), &day));
    T_INT(day, 0);
    T_OK(ll_date_read(LINLI_STR("2026-03-02"), &day));
    T_INT(day, 20514);
    T_OK(ll_date_read(LINLI_STR("1900-01-01"), &day));
    /* Every day of these years is the one after the day before. */
    for (int32_t at = day; at < 80000; at++) {
        int32_t again;
        ll_date_text(at, text);
        T_OK(ll_date_read(ll_cstr(text), &again));
        if (again != at)
            t_fail("a day", __LINE__, text);
    }
}

/* -- kept -- */

static struct ll_owner
wang(void)
{
    return (struct ll_owner){
        LINLI_STR("garden"), LL_OF_RESIDENT, LINLI_STR("wang")};
}

static void
held_open(struct engine *e, struct ll_held *held, const struct ll_owner *owner,
    const struct ll_field_def *field)
{
    struct waited w = {.wait = {.ready = waited_ready}};
    T_INT(ll_held_begin(held, &e->docs, owner, field, &e->f.err), LINLI_OK);
    while (!ll_held_ready(held, &w.wait)) {
        fixture_wait(&e->f, &w.told);
        w.told = false;
    }
}

static void
on_done(struct ll_commit *commit, bool durable)
{
    int *ended = commit->user;
    T_INT(commit->leaf_count, 1); /* of what was changed, the log has a line */
    *ended += durable ? 1 : 100;
}

/* Writes a value (NULL: takes it away); its problem code. */
static const char *
put(struct engine *e, const struct ll_owner *owner,
    const struct ll_field_def *field, const char *json, bool *changed)
{
    struct ll_held held;
    struct ll_txn txn;
    struct ll_commit *commit = ll_docs_commit_new(&e->docs);
    struct ll_value_change change = {
        .json = json == NULL ? (linli_str){NULL, 0} : ll_cstr(json),
        .actor = LINLI_STR("operator:o"),
        .tag = LINLI_STR("000102030405060708090a0b0c0d0e0f"),
        .world = e->f.world,
        .now_ms = NOW_MS};
    int ended = 0;
    e->f.err.code[0] = '\0';
    held_open(e, &held, owner, field);
    ll_txn_init(&txn, &e->docs);
    commit->done = on_done;
    commit->user = &ended;
    linli_status status =
        ll_value_put(&held, &change, &txn, commit, changed, &e->f.err);
    if (status == LINLI_OK && *changed) {
        T_OK(ll_txn_commit(&txn, commit) != 0);
        while (ended == 0)
            ll_world_turn(e->f.world, true);
        T_INT(ended, 1);
    }
    ll_docs_commit_free(&e->docs, commit);
    ll_txn_fini(&txn);
    ll_held_end(&held);
    ll_held_end(&held); /* again is nothing */
    return e->f.err.code;
}

static void
keeps(bool memory)
{
    struct engine e;
    struct ll_held held;
    struct ll_owner who = wang();
    bool changed;
    engine_init(&e, memory);
    held_open(&e, &held, &who, &phone);
    T_INT(held.state, LL_HELD_ABSENT);
    ll_held_end(&held);
    T_STR(ll_cstr(put(&e, &who, &phone, "\"13800001111\"", &changed)), "");
    T_OK(changed);
    T_STR(ll_cstr(put(&e, &who, &phone, "\"13800001111\"", &changed)), "");
    T_OK(!changed); /* it is so already */
    if (!memory)
        engine_again(&e);
    held_open(&e, &held, &who, &phone);
    T_INT(held.state, LL_HELD_THERE);
    T_STR(held.value, "\"13800001111\"");
    T_INT(held.at_ms, NOW_MS);
    ll_held_end(&held);
    engine_settle(&e);
    T_INT(e.docs.doc_count, 0); /* nobody remembers it */
    who.id = (linli_str)LINLI_STR("li");
    held_open(&e, &held, &who, &phone);
    T_INT(held.state, LL_HELD_ABSENT); /* another's is not this one's */
    ll_held_end(&held);
    who = wang();
    T_STR(ll_cstr(put(&e, &who, &phone, NULL, &changed)), "");
    T_OK(changed);
    T_STR(ll_cstr(put(&e, &who, &phone, NULL, &changed)), "");
    T_OK(!changed);
    held_open(&e, &held, &who, &phone);
    T_INT(held.state, LL_HELD_ABSENT);
    ll_held_end(&held);
    engine_fini(&e);
}

T_CASE(keeps_on_disk)
{
    keeps(false);
}

T_CASE(keeps_in_memory)
{
    keeps(true);
}

/* What a reader holds is what it was in the turn in which it asked. */
T_CASE(looks_again)
{
    struct engine e;
    struct ll_held held;
    struct ll_owner who = wang();
    struct waited w = {.wait = {.ready = waited_ready}};
    bool changed;
    engine_init(&e, false);
    held_open(&e, &held, &who, &heart);
    T_STR(ll_cstr(put(&e, &who, &heart, "72", &changed)), "");
    T_INT(held.state, LL_HELD_ABSENT);
    T_OK(ll_held_ready(&held, &w.wait));
    T_STR(held.value, "72");
    T_STR(ll_cstr(put(&e, &who, &heart, "73", &changed)), "");
    T_OK(ll_held_ready(&held, &w.wait));
    T_STR(held.value, "73");
    ll_held_end(&held);
    engine_fini(&e);
}

static void
shred(struct engine *e, const struct ll_owner *who, enum ll_class class)
{
    char subject[LL_PID_BYTES];
    struct ll_coll *coll = ll_values_coll(&e->docs, who->community);
    struct ll_commit *commit = ll_docs_commit_new(&e->docs);
    ll_values_subject(e->f.store, who, class, subject);
    ll_commit_op(commit, LL_ST_subject_shred);
    ll_put_int(&commit->ops, coll->space->id);
    ll_put_bytes(&commit->ops, ll_cstr(subject));
    T_OK(ll_docs_commit_send(&e->docs, commit) != 0);
    engine_settle(e);
}

/* Whoever is asked for while their key is taken away is gone for good: nothing
 * is written for them. Another class stays. Who comes back is somebody new
 * (consent/subject.h), of whom nothing is known. */
T_CASE(shredded)
{
    struct engine e;
    struct ll_held held;
    struct ll_txn txn;
    struct ll_owner who = wang();
    struct waited w = {.wait = {.ready = waited_ready}};
    bool changed;
    engine_init(&e, false);
    T_STR(ll_cstr(put(&e, &who, &phone, "\"110\"", &changed)), "");
    T_INT(ll_held_begin(&held, &e.docs, &who, &heart, &e.f.err), LINLI_OK);
    shred(&e, &who, LL_C3);
    while (!ll_held_ready(&held, &w.wait)) {
        fixture_wait(&e.f, &w.told);
        w.told = false;
    }
    T_INT(held.state, LL_HELD_SHREDDED);
    struct ll_value_change change = {.json = LINLI_STR("72"),
        .actor = LINLI_STR("operator:o"),
        .world = e.f.world,
        .now_ms = NOW_MS};
    struct ll_commit *commit = ll_docs_commit_new(&e.docs);
    ll_txn_init(&txn, &e.docs);
    T_INT(ll_value_put(&held, &change, &txn, commit, &changed, &e.f.err),
        LINLI_E_DENIED);
    T_STR(ll_cstr(e.f.err.code), "field/shredded");
    T_OK(!changed);
    ll_docs_commit_free(&e.docs, commit);
    ll_txn_fini(&txn);
    ll_held_end(&held);
    held_open(&e, &held, &who, &phone);
    T_INT(held.state, LL_HELD_THERE);
    ll_held_end(&held);
    shred(&e, &who, LL_C2);
    engine_again(&e);
    held_open(&e, &held, &who, &phone);
    T_INT(held.state, LL_HELD_ABSENT);
    ll_held_end(&held);
    T_STR(ll_cstr(put(&e, &who, &phone, "\"120\"", &changed)), "");
    T_OK(changed);
    engine_fini(&e);
}

/* One that is ended while it asks is told nothing. */
T_CASE(ends_early)
{
    struct engine e;
    struct ll_held held;
    struct ll_owner who = wang();
    struct waited w = {.wait = {.ready = waited_ready}};
    engine_init(&e, false);
    T_INT(ll_held_begin(&held, &e.docs, &who, &phone, &e.f.err), LINLI_OK);
    if (!ll_held_ready(&held, &w.wait)) {
        while (!held.asking)
            if (ll_world_turn(e.f.world, true), w.told) {
                w.told = false;
                (void)ll_held_ready(&held, &w.wait);
            }
    }
    ll_wait_cancel(&w.wait);
    ll_held_end(&held);
    engine_settle(&e);
    T_OK(!w.told);
    engine_fini(&e);
}

/* Values of a household, a resident and another community do not meet. */
T_CASE(subjects)
{
    struct engine e;
    char a[LL_PID_BYTES], b[LL_PID_BYTES];
    engine_init(&e, true);
    struct ll_owner who = wang(), home = who, far = who;
    home.coll = LL_OF_HOUSEHOLD;
    far.community = (linli_str)LINLI_STR("lake");
    ll_values_subject(e.f.store, &who, LL_C2, a);
    T_INT(strlen(a), 32);
    ll_values_subject(e.f.store, &who, LL_C3, b);
    T_OK(strcmp(a, b) != 0);
    ll_values_subject(e.f.store, &home, LL_C2, b);
    T_OK(strcmp(a, b) != 0);
    ll_values_subject(e.f.store, &far, LL_C2, b);
    T_OK(strcmp(a, b) != 0);
    ll_subject(e.f.store, who.community, who.coll, who.id, b);
    T_OK(strcmp(a, b) != 0);
    bool changed;
    T_STR(ll_cstr(put(&e, &home, &plate, "[\"沪A12345\"]", &changed)), "");
    engine_fini(&e);
}

T_MAIN(T_RUN(judges_formats) T_RUN(bounds) T_RUN(dates) T_RUN(keeps_on_disk)
        T_RUN(keeps_in_memory) T_RUN(looks_again) T_RUN(shredded)
            T_RUN(ends_early) T_RUN(subjects))
