/* worker/elf.h: reading and judging a shared object before it is mapped.
 * [worker]
 *
 * ll_elf_read takes an ELF file apart into slices of its bytes, every offset
 * checked once against the file, so that what follows can only look at what
 * is there. ll_elf_check holds it against the rules of spec/abi.md section 5
 * and says which object breaks which rule and what to do. Both see hostile
 * bytes; they are no wall (the sandbox is), but the first place where a
 * wrong build is named in words instead of by a crash. Owns nothing.
 */
#ifndef LL_WORKER_ELF_H
#define LL_WORKER_ELF_H

#include "base/err.h"
#include "base/limits.h"

/* A part of the file that the loader maps. */
struct ll_elf_segment {
    uint64_t address;
    uint64_t file_offset, file_bytes;
    uint64_t memory_bytes;
    uint32_t flags; /* PF_R, PF_W, PF_X */
};

/* A version of a library that the object asks for: "libc.so.6" and
 * "GLIBC_2.34". */
struct ll_elf_version {
    linli_str library, name;
};

/* An object taken apart; every slice borrowed from `bytes`. */
struct ll_elf {
    linli_str bytes;
    uint16_t machine;                                    /* EM_... */
    struct ll_elf_segment segments[LL_ELF_SEGMENTS_MAX]; /* PT_LOAD */
    uint32_t segment_count;
    bool has_stack_header; /* PT_GNU_STACK */
    bool stack_executable;
    linli_str soname; /* empty: none */
    linli_str needed[LL_ELF_NEEDED_MAX];
    uint32_t needed_count;
    uint64_t flags, flags_1;  /* DT_FLAGS, DT_FLAGS_1 */
    bool text_relocations;    /* DT_TEXTREL */
    bool loads_others;        /* DT_AUXILIARY, DT_FILTER, DT_AUDIT ... */
    linli_str strings;        /* .dynstr */
    linli_str symbols;        /* .dynsym; whole entries */
    uint32_t symbol_count;    /* as the hash table says */
    linli_str relocations[2]; /* .rela.dyn and .rela.plt */
    struct ll_elf_version versions[LL_ELF_VERSIONS_MAX];
    uint32_t version_count;
};

/* Takes `bytes` apart. LINLI_E_INVALID with code "plugin/load" and a message
 * that names what is malformed. */
linli_status ll_elf_read(
    linli_str bytes, struct ll_elf *out, struct ll_err *err) LL_USE_RESULT;

/* The relocations that bind a symbol: 0 .. count - 1. */
uint32_t ll_elf_relocation_count(const struct ll_elf *elf);

/* The symbol that relocation `i` asks of another object; empty if it asks
 * for none. */
linli_str ll_elf_import(const struct ll_elf *elf, uint32_t i);

/* True if the object exports this symbol. */
bool ll_elf_defines(const struct ll_elf *elf, linli_str name);

/* The rules that need no other object: kind of file, segments, stack, text
 * relocations, libc version. `glibc` is the version at hand, {2, 36}. */
struct ll_elf_glibc {
    uint32_t major, minor;
};
linli_status ll_elf_check(const struct ll_elf *elf, struct ll_elf_glibc glibc,
    struct ll_err *err) LL_USE_RESULT;

/* "2.36" as numbers; {0, 0} if it is no such text. */
struct ll_elf_glibc ll_elf_glibc(linli_str text);

/* True for a library that is there without being bundled: libc, libm and the
 * dynamic loader. */
bool ll_elf_is_system(linli_str needed);

/* True if any object may import this symbol from the system's libraries
 * (elf_imports.def). */
bool ll_elf_import_allowed(linli_str name);

/* What to do instead of a symbol that is not allowed; NULL: no advice. */
const char *ll_elf_import_advice(linli_str name);

#endif
