/* plugin/manifest_notify.c: what a plugin may tell residents. [any]
 *
 * Both languages of a text have the same places, so that whoever fills them
 * need not know which one is read.
 */
#include "base/text.h"
#include "plugin/manifest_int.h"

static linli_status
read_text(struct ll_manifest *m, struct ll_jv at, struct ll_template *out,
    struct ll_err *err)
{
    struct ll_err own;
    linli_status status = ll_template_read(ll_jv_str(at), out, &own);
    if (status == LINLI_OK)
        return LINLI_OK;
    status = ll_manifest_refuse(m, at, err, "%s", own.msg);
    ll_err_fix(err, "Write \"{name}\" where a value goes, and {{ or }} for a "
                    "brace; see spec/notify.md");
    return status;
}

/* What one language has, the other must have. */
static linli_status
check_places(struct ll_manifest *m, struct ll_jv text,
    const struct ll_notification_decl *decl, struct ll_err *err)
{
    const struct {
        const struct ll_template *has, *lacks;
        const char *language;
    } pairs[] = {{&decl->zh, &decl->en, "en"}, {&decl->en, &decl->zh, "zh-CN"}};
    for (size_t i = 0; i < LL_COUNT(pairs); i++)
        for (uint32_t k = 0; k < pairs[i].has->name_count; k++) {
            linli_str name = pairs[i].has->names[k];
            if (ll_template_has(pairs[i].lacks, name))
                continue;
            linli_status status =
                ll_manifest_refuse(m, ll_jv_get(text, pairs[i].language), err,
                    "the place \"{%.*s}\" of the other language is missing",
                    LL_FMT(name));
            ll_err_fix(err, "Name the same places in zh-CN and en");
            return status;
        }
    return LINLI_OK;
}

static linli_status
read_notification(struct ll_manifest *m, struct ll_jv declared,
    struct ll_notification_decl *decl, struct ll_err *err)
{
    struct ll_jv text = ll_jv_get(declared, "text");
    LL_JSON_EACH (item, ll_jv_get(declared, "channels")) {
        ll_check(decl->channel_count < LL_WAY_COUNT);
        bool known = ll_way_read(
            ll_jv_str(item), &decl->channels[decl->channel_count++]);
        ll_check(known); /* the schema names them */
    }
    linli_status status =
        read_text(m, ll_jv_get(text, "zh-CN"), &decl->zh, err);
    if (status == LINLI_OK)
        status = read_text(m, ll_jv_get(text, "en"), &decl->en, err);
    if (status == LINLI_OK)
        status = check_places(m, text, decl, err);
    return status;
}

linli_status
ll_manifest_fill_notifications(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv declared = ll_jv_get(ll_json_root(&m->json), "notifications");
    uint32_t count = ll_jv_count(declared);
    ll_check(count <= LL_NOTIFICATIONS_MAX);
    if (count == 0)
        return LINLI_OK;
    m->notifications =
        ll_arena_alloc(&m->arena, count * sizeof *m->notifications);
    if (m->notifications == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_MEMBERS (key, value, declared) {
        struct ll_notification_decl *decl =
            &m->notifications[m->notification_count++];
        decl->name = ll_jv_str(key);
        linli_status status = read_notification(m, value, decl, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

const struct ll_notification_decl *
ll_manifest_notification(const struct ll_manifest *manifest, linli_str name)
{
    for (uint32_t i = 0; i < manifest->notification_count; i++)
        if (ll_str_eq(manifest->notifications[i].name, name))
            return &manifest->notifications[i];
    return NULL;
}
