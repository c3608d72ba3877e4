/* worker/native_plugin.c: what a native plugin says it is. [worker]
 *
 * The descriptor is judged before anything else of the plugin is called:
 * size, level and draft first, since they say what the rest means, then what
 * must equal the manifest, then the interfaces it cannot do without.
 */
#include "worker/native.h"

#include <dlfcn.h>

#include "base/text.h"

#define ENTRY "linli_plugin_v1"

/* A descriptor of level 1: later levels add behind it, so this is the least
 * a plugin may give, and what it does not give is zero. */
#define DESCRIPTOR_BYTES_MIN \
    (offsetof(linli_plugin, restore) + sizeof((linli_plugin){0}.restore))

/* The part of the descriptor that never changes its place. */
struct head {
    uint32_t size, level, draft, reserved;
};

static linli_status
abi_error(struct ll_err *err, const struct head *head)
{
    linli_status s = ll_fail(err, LINLI_E_UNSUPPORTED, "manifest/abi",
        "the plugin was built for ABI level %u draft %u (descriptor of %u "
        "bytes); this host speaks level %d draft %d (%zu bytes)",
        head->level, head->draft, head->size, LINLI_ABI_LEVEL, LINLI_ABI_DRAFT,
        sizeof(linli_plugin));
    ll_err_fix(err,
        "Rebuild it against linli/plugin.h of ABI level %d, draft %d",
        LINLI_ABI_LEVEL, LINLI_ABI_DRAFT);
    return s;
}

static linli_status
find_descriptor(void *handle, const linli_plugin **out, struct ll_err *err)
{
    const linli_plugin *(*entry)(void);
    void *symbol = dlsym(handle, ENTRY);
    *out = NULL;
    if (symbol == NULL) {
        linli_status s = ll_fail(
            err, LINLI_E_INVALID, "plugin/load", "it does not export " ENTRY);
        ll_err_fix(err, "Define linli_plugin_v1 with LINLI_EXPORT in front, "
                        "in C or as extern \"C\"");
        return s;
    }
    /* POSIX: an object's address may be a function's. */
    _Static_assert(sizeof(entry) == sizeof(symbol), "code and data pointers");
    memcpy(&entry, &symbol, sizeof(entry));
    *out = entry();
    if (*out != NULL)
        return LINLI_OK;
    linli_status s =
        ll_fail(err, LINLI_E_INVALID, "plugin/load", ENTRY " returned NULL");
    ll_err_fix(err, "Return the address of a static const descriptor");
    return s;
}

static linli_status
check_head(
    const struct ll_native *native, const struct head *head, struct ll_err *err)
{
    int64_t declared = 0;
    (void)ll_jv_int(
        ll_jv_get(ll_json_root(&native->worker->manifest), "abi"), &declared);
    if (head->level < 1 || head->level > LINLI_ABI_LEVEL ||
        head->draft != LINLI_ABI_DRAFT || head->size < DESCRIPTOR_BYTES_MIN)
        return abi_error(err, head);
    if ((int64_t)head->level == declared)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "manifest/abi",
        "the object says ABI level %u, plugin.json says %lld", head->level,
        (long long)declared);
}

/* One of the names that stand in both places. */
static linli_status
check_name(
    const char *what, linli_str own, linli_str declared, struct ll_err *err)
{
    if (own.ptr != NULL && ll_str_eq(own, declared))
        return LINLI_OK;
    linli_status s = ll_fail(err, LINLI_E_INVALID, "plugin/load",
        "the object says %s \"%.*s\", plugin.json says \"%.*s\"", what,
        own.len > 64 ? 64 : LL_FMT(own), LL_FMT(declared));
    ll_err_fix(err, "Build and package the same %s", what);
    return s;
}

static linli_status
check_interfaces(const struct ll_native *native, struct ll_err *err)
{
    const linli_plugin *p = &native->plugin;
    if (p->required_count > LL_PLUGIN_INTERFACES_MAX ||
        p->optional_count > LL_PLUGIN_INTERFACES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "plugin/load",
            "the descriptor names more than %d interfaces",
            LL_PLUGIN_INTERFACES_MAX);
    for (uint32_t i = 0; i < p->required_count; i++) {
        bool draft;
        linli_str id = p->required[i];
        if (ll_native_interface(native, id, &draft) != NULL)
            continue;
        linli_status s = ll_fail(err, LINLI_E_DENIED, "plugin/load",
            "it requires the interface \"%.*s\", which %s",
            id.len > 64 ? 64 : LL_FMT(id),
            draft ? "is a draft, and drafts are off" : "this host has not");
        ll_err_fix(err,
            draft ? "Switch drafts on in linlid's configuration, or name it "
                    "as optional and do without"
                  : "Install a newer linlid, or name it as optional and do "
                    "without");
        return s;
    }
    return LINLI_OK;
}

linli_status
ll_native_descriptor(struct ll_native *native, void *handle, struct ll_err *err)
{
    const struct ll_worker_config *config = &native->worker->config;
    const linli_plugin *theirs;
    struct head head;
    native->plugin = (linli_plugin){.size = 0};
    linli_status s = find_descriptor(handle, &theirs, err);
    if (s != LINLI_OK)
        return s;
    memcpy(&head, theirs, sizeof(head));
    s = check_head(native, &head, err);
    if (s != LINLI_OK)
        return s;
    memcpy(&native->plugin, theirs,
        head.size < sizeof(*theirs) ? head.size : sizeof(*theirs));
    theirs = &native->plugin;
    s = check_name("id", theirs->id, config->plugin_id, err);
    if (s == LINLI_OK)
        s = check_name("version", theirs->version, config->version, err);
    if (s == LINLI_OK && (theirs->create == NULL || theirs->call == NULL)) {
        s = ll_fail(err, LINLI_E_INVALID, "plugin/load",
            "the descriptor has no `create` or no `call`");
        ll_err_fix(err, "Both must be there; drain, destroy, save and "
                        "restore may be NULL");
    }
    if (s == LINLI_OK)
        s = check_interfaces(native, err);
    return s;
}
