/* worker/elf_rules.c: what a shared object may be and ask for. [worker]
 *
 * The rules of spec/abi.md section 5, each with a message that names what
 * was found and a fix that says what to build differently.
 */
#include "worker/elf.h"

#include <elf.h>

#include "base/text.h"

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#define OUR_MACHINE_NAME "x86-64"
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#define OUR_MACHINE_NAME "aarch64"
#else
#error "elf_rules.c: name this machine"
#endif

/* Names that the worker itself has loaded before it confines itself. */
static const char *const system_libraries[] = {
    "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};

/* The tables of elf_imports.def, taken apart. */
#define A(key, text) ADVICE_##key,
#define I(name)
#define N(name, key)
enum advice_key {
#include "worker/elf_imports.def"
};
#undef A
#define A(key, text) [ADVICE_##key] = text,
static const char *const advice_texts[] = {
#include "worker/elf_imports.def"
};
#undef A
#undef I
#define A(key, text)
#define I(name) #name,
static const char *const allowed[] = {
/* sorted bytewise */
#include "worker/elf_imports.def"
};
#undef I
#undef N
#define I(name)
#define N(name, key) {#name, ADVICE_##key},
static const struct {
    const char *name;
    enum advice_key key;
} refused[] = {
#include "worker/elf_imports.def"
};
#undef A
#undef I
#undef N

static linli_status
refuse(struct ll_err *err, const char *what, const char *fix)
{
    linli_status s = ll_fail(err, LINLI_E_DENIED, "plugin/load", "%s", what);
    ll_err_fix(err, "%s", fix);
    return s;
}

static linli_status
check_segments(const struct ll_elf *elf, struct ll_err *err)
{
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        uint32_t flags = elf->segments[i].flags;
        if ((flags & PF_W) != 0 && (flags & PF_X) != 0)
            return refuse(err, "a segment is writable and executable",
                "Link without -N and -z rwx; keep code out of writable "
                "sections");
    }
    if (!elf->has_stack_header || elf->stack_executable)
        return refuse(err,
            elf->has_stack_header ? "it asks for an executable stack"
                                  : "it does not say that its stack is not "
                                    "executable",
            "Link with -Wl,-z,noexecstack; give assembly files a "
            ".note.GNU-stack section; avoid nested functions");
    if (elf->text_relocations || (elf->flags & DF_TEXTREL) != 0)
        return refuse(err,
            "it has text relocations: its code is not "
            "position-independent",
            "Compile every object with -fPIC and link with -Wl,-z,text");
    return LINLI_OK;
}

struct ll_elf_glibc
ll_elf_glibc(linli_str text)
{
    struct ll_elf_glibc v = {0, 0};
    linli_str part;
    int64_t major, minor;
    if (!ll_str_split(&text, '.', &part) ||
        !ll_str_int(part, 1, 1000, &major) ||
        !ll_str_split(&text, '.', &part) || !ll_str_int(part, 0, 1000, &minor))
        return v;
    v.major = (uint32_t)major;
    v.minor = (uint32_t)minor;
    return v;
}

/* GLIBC_2.34 is there from 2.34 on. Names without a number are private to
 * glibc, but for the mark of packed relocations, which 2.36 understands. */
static bool
version_there(linli_str name, struct ll_elf_glibc have)
{
    static const char prefix[] = "GLIBC_";
    if (ll_str_is(name, "GLIBC_ABI_DT_RELR"))
        return have.major > 2 || (have.major == 2 && have.minor >= 36);
    if (!ll_str_starts(name, prefix))
        return false;
    linli_str number = {
        name.ptr + sizeof(prefix) - 1, name.len - (sizeof(prefix) - 1)};
    struct ll_elf_glibc want = ll_elf_glibc(number);
    if (want.major == 0)
        return false;
    return want.major < have.major ||
           (want.major == have.major && want.minor <= have.minor);
}

static linli_status
check_versions(
    const struct ll_elf *elf, struct ll_elf_glibc glibc, struct ll_err *err)
{
    for (uint32_t i = 0; i < elf->version_count; i++) {
        const struct ll_elf_version *v = &elf->versions[i];
        if (!ll_elf_is_system(v->library) || version_there(v->name, glibc))
            continue;
        linli_status s = ll_fail(err, LINLI_E_UNSUPPORTED, "plugin/load",
            "it needs %.*s of %.*s, and this machine has glibc %u.%u",
            LL_FMT(v->name), LL_FMT(v->library), glibc.major, glibc.minor);
        ll_err_fix(err,
            "Build it on a system with glibc %u.%u or older, such as the "
            "oldest one it is to run on",
            glibc.major, glibc.minor);
        return s;
    }
    return LINLI_OK;
}

linli_status
ll_elf_check(
    const struct ll_elf *elf, struct ll_elf_glibc glibc, struct ll_err *err)
{
    if (elf->machine != OUR_MACHINE)
        return refuse(err,
            "it is built for another machine than " //
            OUR_MACHINE_NAME,
            "Build it for " OUR_MACHINE_NAME);
    if ((elf->flags_1 & DF_1_PIE) != 0)
        return refuse(err, "it is a program, not a shared object",
            "Link with cc -shared -fPIC");
    if (elf->loads_others)
        return refuse(err,
            "it loads filters or auditors (DT_FILTER, "
            "DT_AUXILIARY, DT_AUDIT)",
            "Link without -f, -F and --audit");
    linli_status s = check_segments(elf, err);
    if (s != LINLI_OK)
        return s;
    return check_versions(elf, glibc, err);
}

bool
ll_elf_is_system(linli_str needed)
{
    for (size_t i = 0; i < LL_COUNT(system_libraries); i++) {
        if (ll_str_is(needed, system_libraries[i]))
            return true;
    }
    return false;
}

bool
ll_elf_import_allowed(linli_str name)
{
    size_t low = 0, high = LL_COUNT(allowed);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ll_str_cmp(name, ll_cstr(allowed[middle]));
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

const char *
ll_elf_import_advice(linli_str name)
{
    for (size_t i = 0; i < LL_COUNT(refused); i++) {
        if (ll_str_is(name, refused[i].name))
            return advice_texts[refused[i].key];
    }
    return NULL;
}
