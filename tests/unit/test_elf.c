/* tests/unit/test_elf.c: reading and judging ELF files.
 *
 * Starts from real objects (tests/abi/abi.mk) and breaks them byte by byte.
 */
#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "t.h"
#include "worker/elf.h"

static const struct ll_elf_glibc plenty = {9, 99};

/* A private copy of a fixture; freed by the caller. */
static char *
read_fixture(const char *name, size_t *size)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "abi/fixtures/%s", name);
    FILE *f = fopen(path, "rb");
    T_OK(f != NULL);
    if (f == NULL)
        exit(1);
    (void)fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*size);
    T_INT(fread(bytes, 1, *size, f), *size);
    (void)fclose(f);
    return bytes;
}

/* The first program header of a type. */
static size_t
header_at(const char *bytes, uint32_t type)
{
    Elf64_Ehdr eh;
    memcpy(&eh, bytes, sizeof(eh));
    for (uint32_t i = 0; i < eh.e_phnum; i++) {
        Elf64_Phdr ph;
        size_t at = eh.e_phoff + i * sizeof(ph);
        memcpy(&ph, bytes + at, sizeof(ph));
        if (ph.p_type == type)
            return at;
    }
    t_fail(__FILE__, __LINE__, "the fixture has no such header");
    exit(1);
}

/* The first .dynamic entry of a tag. */
static size_t
dynamic_at(const char *bytes, int64_t tag)
{
    Elf64_Phdr ph;
    memcpy(&ph, bytes + header_at(bytes, PT_DYNAMIC), sizeof(ph));
    for (size_t at = ph.p_offset; at < ph.p_offset + ph.p_filesz;
         at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn dyn;
        memcpy(&dyn, bytes + at, sizeof(dyn));
        if (dyn.d_tag == tag)
            return at;
    }
    t_fail(__FILE__, __LINE__, "the fixture has no such entry");
    exit(1);
}

static void
poke32(char *bytes, size_t at, uint32_t value)
{
    memcpy(bytes + at, &value, sizeof(value));
}

static void
poke64(char *bytes, size_t at, uint64_t value)
{
    memcpy(bytes + at, &value, sizeof(value));
}

T_CASE(takes_a_good_object_apart)
{
    static struct ll_elf elf;
    struct ll_err err;
    size_t size;
    char *bytes = read_fixture("good.so", &size);
    T_INT(ll_elf_read((linli_str){bytes, size}, &elf, &err), LINLI_OK);
    T_INT(ll_elf_check(&elf, plenty, &err), LINLI_OK);
    T_INT(elf.needed_count, 1);
    T_STR(elf.needed[0], "libc.so.6");
    T_INT(elf.soname.len, 0);
    T_OK(elf.version_count >= 1);
    T_STR(elf.versions[0].library, "libc.so.6");
    T_OK(ll_elf_defines(&elf, LINLI_STR("linli_plugin_v1")));
    T_OK(!ll_elf_defines(&elf, LINLI_STR("calloc")));
    T_OK(!ll_elf_defines(&elf, LINLI_STR("linli_plugin_v")));
    bool calloc_seen = false;
    for (uint32_t i = 0; i < ll_elf_relocation_count(&elf); i++) {
        linli_str name = ll_elf_import(&elf, i);
        calloc_seen |= ll_str_is(name, "calloc");
        T_OK(name.len == 0 || ll_elf_import_allowed(name));
    }
    T_OK(calloc_seen);
    free(bytes);
}

T_CASE(reads_the_soname)
{
    static struct ll_elf elf;
    struct ll_err err;
    size_t size;
    char *bytes = read_fixture("libdep.so", &size);
    T_INT(ll_elf_read((linli_str){bytes, size}, &elf, &err), LINLI_OK);
    T_STR(elf.soname, "libdep.so");
    T_OK(ll_elf_defines(&elf, LINLI_STR("dep_answer")));
    free(bytes);
}

/* Writes `value` at `at` of the fixture; what reading or judging says. */
static void
broken(size_t at, uint64_t value, size_t bytes_to_write, const char *message)
{
    static struct ll_elf elf;
    struct ll_err err = {.status = LINLI_OK};
    size_t size;
    char *bytes = read_fixture("good.so", &size);
    memcpy(bytes + at, &value, bytes_to_write);
    linli_status s = ll_elf_read((linli_str){bytes, size}, &elf, &err);
    if (s == LINLI_OK)
        s = ll_elf_check(&elf, plenty, &err);
    T_OK(s != LINLI_OK);
    T_STR(ll_cstr(err.code), "plugin/load");
    if (strstr(err.msg, message) == NULL)
        T_STR(ll_cstr(err.msg), message);
    T_OK(err.fix[0] != '\0');
    free(bytes);
}

#define HEADER(member) offsetof(Elf64_Ehdr, member)

T_CASE(refuses_files_of_another_kind)
{
    broken(0, 0, 4, "does not begin as an ELF file");
    broken(EI_CLASS, ELFCLASS32, 1, "not 64-bit");
    broken(EI_DATA, ELFDATA2MSB, 1, "not 64-bit little-endian");
    broken(HEADER(e_type), ET_EXEC, 2, "a program");
    broken(HEADER(e_type), ET_REL, 2, "object file");
    broken(HEADER(e_machine), EM_RISCV, 2, "another machine");
    broken(HEADER(e_phentsize), 32, 2, "program headers");
    broken(HEADER(e_phnum), 0, 2, "program headers");
    broken(HEADER(e_phnum), LL_ELF_SEGMENTS_MAX + 1, 2, "program headers");
    broken(HEADER(e_phoff), UINT64_MAX - 8, 8, "cut off");
}

T_CASE(refuses_segments_that_are_wrong)
{
    size_t size;
    char *good = read_fixture("good.so", &size);
    size_t load = header_at(good, PT_LOAD);
    size_t stack = header_at(good, PT_GNU_STACK);
    size_t dynamic = header_at(good, PT_DYNAMIC);
    free(good);
    const size_t flags = offsetof(Elf64_Phdr, p_flags);
    broken(load + flags, PF_R | PF_W | PF_X, 4, "writable and executable");
    broken(stack + flags, PF_R | PF_W | PF_X, 4, "an executable stack");
    broken(stack, PT_NOTE, 4, "does not say that its stack");
    broken(dynamic, PT_NOTE, 4, "no dynamic section");
    broken(dynamic + offsetof(Elf64_Phdr, p_offset), UINT64_MAX, 8, "cut off");
    broken(load + offsetof(Elf64_Phdr, p_filesz), size + 1, 8, "past the end");
    broken(
        load + offsetof(Elf64_Phdr, p_offset), UINT64_MAX, 8, "past the end");
    broken(load + offsetof(Elf64_Phdr, p_memsz), 1, 8, "impossible");
    broken(load + offsetof(Elf64_Phdr, p_memsz), UINT64_MAX / 2, 8, "overlap");
}

T_CASE(refuses_tables_that_are_not_there)
{
    static const struct {
        int64_t tag;
        uint64_t value;
        const char *message;
    } rows[] = {
        {DT_STRTAB, 1ull << 60, "string table"},
        {DT_STRSZ, 1ull << 60, "string table"},
        {DT_SYMTAB, 1ull << 60, "symbol table"},
        {DT_SYMENT, 1, "symbol table"},
        {DT_GNU_HASH, 1ull << 60, "hash table"},
        {DT_RELA, 1ull << 60, "relocations are not"},
        {DT_RELASZ, 1ull << 60, "relocations are not"},
        {DT_RELAENT, 8, "another machine"},
        {DT_PLTREL, DT_REL, "another machine"},
        {DT_JMPREL, 1ull << 60, "relocations are not"},
        {DT_NEEDED, 1ull << 60, "no name"},
        {DT_VERNEED, 1ull << 60, "versions are cut off"},
        {DT_VERNEEDNUM, 1000, "too many libraries"},
    };
    size_t size;
    char *good = read_fixture("good.so", &size);
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        broken(dynamic_at(good, rows[i].tag) + 8, rows[i].value, 8,
            rows[i].message);
    /* An entry that nobody needs becomes one that loads other objects. */
    broken(dynamic_at(good, DT_FINI), DT_AUXILIARY, 8, "filters or auditors");
    broken(dynamic_at(good, DT_FINI), DT_TEXTREL, 8, "text relocations");
    free(good);
}

T_CASE(refuses_a_program_that_calls_itself_shared)
{
    static struct ll_elf elf;
    struct ll_err err;
    size_t size;
    char *bytes = read_fixture("good.so", &size);
    size_t at = dynamic_at(bytes, DT_FINI);
    poke64(bytes, at, DT_FLAGS_1);
    poke64(bytes, at + 8, DF_1_PIE);
    T_INT(ll_elf_read((linli_str){bytes, size}, &elf, &err), LINLI_OK);
    T_INT(ll_elf_check(&elf, plenty, &err), LINLI_E_DENIED);
    T_OK(strstr(err.msg, "not a shared object") != NULL);
    /* Marked as needing relocations in its code, in the newer way. */
    poke64(bytes, at, DT_FLAGS);
    poke64(bytes, at + 8, DF_TEXTREL);
    T_INT(ll_elf_read((linli_str){bytes, size}, &elf, &err), LINLI_OK);
    T_INT(ll_elf_check(&elf, plenty, &err), LINLI_E_DENIED);
    T_OK(strstr(err.msg, "text relocations") != NULL);
    free(bytes);
}

T_CASE(compares_libc_versions_as_numbers)
{
    static struct ll_elf elf;
    struct ll_err err;
    size_t size;
    char *bytes = read_fixture("good.so", &size);
    T_INT(ll_elf_read((linli_str){bytes, size}, &elf, &err), LINLI_OK);
    T_INT(ll_elf_check(&elf, (struct ll_elf_glibc){2, 1}, &err),
        LINLI_E_UNSUPPORTED);
    T_OK(strstr(err.msg, "this machine has glibc 2.1") != NULL);
    T_OK(strstr(err.fix, "glibc 2.1 or older") != NULL);
    static const struct {
        const char *name;
        uint32_t minor;
        bool there;
    } rows[] = {
        {"GLIBC_2.9", 10, true},
        {"GLIBC_2.10", 9, false},
        {"GLIBC_2.36", 36, true},
        {"GLIBC_2.37", 36, false},
        {"GLIBC_2.2.5", 36, true},
        {"GLIBC_3.0", 36, false},
        {"GLIBC_PRIVATE", 36, false},
        {"GLIBC_ABI_DT_RELR", 36, true},
        {"GLIBC_ABI_DT_RELR", 35, false},
        {"GLIBC_", 36, false},
        {"OTHER_2.1", 36, false},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        elf.version_count = 1;
        elf.versions[0].name = ll_cstr(rows[i].name);
        T_INT(ll_elf_check(&elf, (struct ll_elf_glibc){2, rows[i].minor},
                  &err) == LINLI_OK,
            rows[i].there);
    }
    /* Versions of bundled libraries are the author's own affair. */
    elf.versions[0].library = LINLI_STR("libdep.so");
    T_INT(ll_elf_check(&elf, plenty, &err), LINLI_OK);
    free(bytes);
}

T_CASE(no_prefix_of_a_file_is_read_past_its_end)
{
    static struct ll_elf elf;
    struct ll_err err;
    size_t size;
    char *bytes = read_fixture("good.so", &size);
    for (size_t n = 0; n < size; n += n < 4096 ? 1 : 61) {
        char *part = malloc(n + 1); /* its own, so that ASan sees the end */
        memcpy(part, bytes, n);
        T_OK(ll_elf_read((linli_str){part, n}, &elf, &err) != LINLI_OK ||
             n > 4096);
        free(part);
    }
    free(bytes);
}

/* Looks at all there is to look at. */
static void
walk(linli_str bytes)
{
    static struct ll_elf elf;
    if (ll_elf_read(bytes, &elf, NULL) != LINLI_OK)
        return;
    (void)(ll_elf_check(&elf, plenty, NULL) == LINLI_OK);
    for (uint32_t i = 0; i < ll_elf_relocation_count(&elf); i++)
        (void)ll_elf_import(&elf, i);
    (void)ll_elf_defines(&elf, LINLI_STR("no such symbol"));
}

T_CASE(any_byte_may_be_anything)
{
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
    size_t size;
    char *bytes = read_fixture("good.so", &size);
    for (size_t at = 0; at < size; at++) {
        char kept = bytes[at];
        for (size_t v = 0; v < LL_COUNT(values); v++) {
            bytes[at] = (char)values[v];
            walk((linli_str){bytes, size});
        }
        bytes[at] = kept;
    }
    /* And what was put back is good again. */
    static struct ll_elf elf;
    T_INT(ll_elf_read((linli_str){bytes, size}, &elf, NULL), LINLI_OK);
    poke32(bytes, 0, 0);
    T_INT(ll_elf_read((linli_str){bytes, size}, &elf, NULL), LINLI_E_INVALID);
    T_INT(elf.segment_count, 0);
    free(bytes);
}

T_CASE(imports_are_allowed_by_name)
{
    static const char *const yes[] = {"memcpy", "malloc", "snprintf", "sinf",
        "_ITM_deregisterTMCloneTable", "__cxa_finalize", "__stack_chk_fail",
        "__tls_get_addr", "__isoc23_strtol"};
    static const char *const no[] = {"open", "socket", "fork", "system",
        "dlopen", "mprotect", "printf", "time", "getrandom", "lua_newstate",
        "linli_plugin_v1", "", "memcp", "memcpyy", "zzz", "!"};
    for (size_t i = 0; i < LL_COUNT(yes); i++)
        T_OK(ll_elf_import_allowed(ll_cstr(yes[i])));
    for (size_t i = 0; i < LL_COUNT(no); i++)
        T_OK(!ll_elf_import_allowed(ll_cstr(no[i])));
    T_OK(ll_elf_import_advice(LINLI_STR("fopen")) != NULL);
    T_OK(ll_elf_import_advice(LINLI_STR("lua_newstate")) == NULL);
}

T_CASE(the_list_of_imports_is_sorted)
{
    static const char *const names[] = {
#define A(key, text)
#define I(name) #name,
#define N(name, key)
#include "worker/elf_imports.def"
#undef A
#undef I
#undef N
    };
    for (size_t i = 1; i < LL_COUNT(names); i++)
        T_OK(strcmp(names[i - 1], names[i]) < 0);
    for (size_t i = 0; i < LL_COUNT(names); i++) {
        T_OK(ll_elf_import_allowed(ll_cstr(names[i])));
        T_OK(ll_elf_import_advice(ll_cstr(names[i])) == NULL);
    }
}

// clang-format off
T_MAIN(
    T_RUN(takes_a_good_object_apart)
    T_RUN(reads_the_soname)
    T_RUN(refuses_files_of_another_kind)
    T_RUN(refuses_segments_that_are_wrong)
    T_RUN(refuses_tables_that_are_not_there)
    T_RUN(refuses_a_program_that_calls_itself_shared)
    T_RUN(compares_libc_versions_as_numbers)
    T_RUN(no_prefix_of_a_file_is_read_past_its_end)
    T_RUN(any_byte_may_be_anything)
    T_RUN(imports_are_allowed_by_name)
    T_RUN(the_list_of_imports_is_sorted))
