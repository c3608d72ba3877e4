/* tests/unit/test_dictionary.c: the registry of residents' data. */
#include "t.h"

#include "base/text.h"
#include "domain/dictionary.h"

static struct ll_dictionary dictionary;

static const struct ll_field_def *
field(const char *id)
{
    int n = ll_dictionary_field(&dictionary, ll_cstr(id));
    if (n < 0)
        printf("# no field %s\n", id);
    T_OK(n >= 0);
    return &dictionary.fields[n < 0 ? 0 : n];
}

static uint64_t
bit(const char *id)
{
    return (uint64_t)1 << ll_dictionary_field(&dictionary, ll_cstr(id));
}

/* What consent.md, section 1, asks of it. */
T_CASE(has_what_the_model_names)
{
    static const char *const fields[] = {"display_name", "phone", "phone_relay",
        "id_card", "address", "door_code", "plate", "heart_rate", "spo2",
        "blood_pressure", "body_temp", "steps", "location", "care_notes",
        "emergency_contacts", "leader_identity"};
    static const char *const purposes[] = {"delivery", "service", "billing",
        "safety_monitoring", "family_notice", "marketing"};
    for (size_t i = 0; i < LL_COUNT(fields); i++)
        T_STR(field(fields[i])->id, fields[i]);
    for (size_t i = 0; i < LL_COUNT(purposes); i++)
        T_OK(ll_dictionary_purpose(&dictionary, ll_cstr(purposes[i])) >= 0);
    T_INT(ll_dictionary_field(&dictionary, LINLI_STR("shoe_size")), -1);
    T_INT(ll_dictionary_field(&dictionary, LINLI_STR("")), -1);
    T_INT(ll_dictionary_purpose(&dictionary, LINLI_STR("Delivery")), -1);
    T_INT(ll_dictionary_purpose(&dictionary, LINLI_STR("phone")), -1);
}

T_CASE(sensitive_kinds_are_c3)
{
    for (uint32_t i = 0; i < dictionary.field_count; i++) {
        const struct ll_field_def *def = &dictionary.fields[i];
        if (def->kind != LL_KIND_NONE)
            T_INT(def->class, LL_C3);
        T_OK(def->retention_days >= 1 && def->retention_days <= 365);
        T_OK((def->statutory_days > 0) == (def->statutory_law.len > 0));
    }
    T_INT(field("parking_trail")->kind, LL_KIND_TRACK);
    T_INT(field("heart_rate")->kind, LL_KIND_HEALTH);
    T_INT(field("phone")->class, LL_C2);
    T_OK(field("phone")->direct_identifier);
    T_OK(!field("phone_relay")->direct_identifier);
    T_OK(field("phone_relay")->brokered);
    T_OK(field("address")->household);
    T_OK(field("care_notes")->deny_opaque);
}

T_CASE(a_view_says_less_than_its_source)
{
    uint32_t views = 0;
    for (uint32_t i = 0; i < dictionary.field_count; i++) {
        const struct ll_field_def *def = &dictionary.fields[i];
        const struct ll_field_def *source = &dictionary.fields[def->source];
        if (def->view == LL_VIEW_NONE) {
            T_INT(def->source, i);
            continue;
        }
        views++;
        T_OK(source->view == LL_VIEW_NONE);
        T_OK(def->class < source->class);
        T_OK(!def->direct_identifier);
    }
    T_INT(views, 5);
    T_STR(dictionary.fields[field("age_band")->source].id, "birth_date");
}

T_CASE(a_set_takes_its_highest_class)
{
    T_INT(ll_dictionary_class(&dictionary, 0), LL_C1);
    T_INT(ll_dictionary_class(&dictionary, bit("display_name")), LL_C1);
    T_INT(ll_dictionary_class(&dictionary, bit("display_name") | bit("phone")),
        LL_C2);
    T_INT(ll_dictionary_class(
              &dictionary, bit("display_name") | bit("phone") | bit("spo2")),
        LL_C3);
}

/* Every text that a resident reads is there, in its own language. */
T_CASE(texts_are_in_both_languages)
{
    for (uint32_t i = 0; i < dictionary.field_count; i++) {
        const struct ll_field_def *def = &dictionary.fields[i];
        T_OK((unsigned char)def->name_zh.ptr[0] >= 0xe4);
        T_INT(ll_printable_run(def->name_en.ptr, def->name_en.len),
            (int64_t)(def->name_en.len & ~(size_t)7));
    }
    for (uint32_t i = 0; i < dictionary.purpose_count; i++) {
        const struct ll_purpose_def *def = &dictionary.purposes[i];
        T_OK((unsigned char)def->text_zh.ptr[0] >= 0xe4);
        T_OK(def->text_en.ptr[0] == 'T');
    }
}

T_CASE(words)
{
    T_STR(ll_cstr(ll_class_name(LL_C3)), "C3");
    T_STR(ll_cstr(ll_field_kind_name(LL_KIND_TRACK)), "track");
    T_STR(ll_cstr(ll_purpose_category_name(LL_PURPOSE_SAFETY)), "safety");
}

/* Without memory it says so, wherever it ends, and keeps nothing. */
T_CASE(ends_without_memory)
{
    uint64_t n = 1;
    linli_status status;
    do {
        struct ll_dictionary out;
        struct ll_mem mem;
        struct ll_err err = {.code = ""};
        ll_mem_init(&mem, 0);
        mem.fail_in = n++;
        status = ll_dictionary_init(&out, &mem, &err);
        if (status == LINLI_OK)
            ll_dictionary_fini(&out);
        else
            T_STR(ll_cstr(err.code), "runtime/memory");
        T_INT(mem.used_bytes, 0);
    } while (status != LINLI_OK && n < 1000);
    T_OK(n > 3);
    T_INT(status, LINLI_OK);
}

int
main(void)
{
    struct ll_mem mem;
    ll_mem_init(&mem, 0);
    if (ll_dictionary_init(&dictionary, &mem, NULL) != LINLI_OK)
        return 1;
    T_RUN(has_what_the_model_names)
    T_RUN(sensitive_kinds_are_c3)
    T_RUN(a_view_says_less_than_its_source)
    T_RUN(a_set_takes_its_highest_class)
    T_RUN(texts_are_in_both_languages)
    T_RUN(words)
    T_RUN(ends_without_memory)
    ll_dictionary_fini(&dictionary);
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
