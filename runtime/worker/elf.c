/* worker/elf.c: taking an ELF file apart, every offset checked. [worker]
 *
 * 64-bit little-endian files only. Tables are copied out entry by entry with
 * memcpy, since nothing promises alignment. What is read here is what the
 * dynamic loader uses: program headers and .dynamic, never the section
 * headers, which a file need not have and may lie in.
 */
#include "worker/elf.h"

#include <elf.h>
#include <string.h>

/* The values of .dynamic that are looked at, by tag. */
struct dynamic {
    uint64_t strings, strings_bytes;
    uint64_t symbols, symbol_bytes;
    uint64_t relocs, relocs_bytes, reloc_bytes;
    uint64_t plt, plt_bytes, plt_kind;
    uint64_t hash, gnu_hash;
    uint64_t versions, version_files;
    uint64_t soname, needed[LL_ELF_NEEDED_MAX];
    bool has_soname, has_rel;
};

static linli_status
malformed(struct ll_err *err, const char *what)
{
    linli_status s = ll_fail(err, LINLI_E_INVALID, "plugin/load",
        "not a shared object that can be read: %s", what);
    ll_err_fix(err, "Build it again with cc -shared, and do not edit the file");
    return s;
}

/* Copies `n` bytes from `at`; false if they are not all there. */
static bool
take(linli_str from, uint64_t at, void *out, size_t n)
{
    if (at > from.len || from.len - at < n)
        return false;
    memcpy(out, from.ptr + at, n);
    return true;
}

/* The file's bytes from an address to the end of its segment; empty if no
 * segment has that address in the file. */
static linli_str
tail_at(const struct ll_elf *elf, uint64_t address)
{
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct ll_elf_segment *s = &elf->segments[i];
        if (address < s->address || address - s->address >= s->file_bytes)
            continue;
        uint64_t skip = address - s->address;
        return (linli_str){elf->bytes.ptr + s->file_offset + skip,
            (size_t)(s->file_bytes - skip)};
    }
    return (linli_str){NULL, 0};
}

/* Exactly `n` bytes at an address; false if they are not all there. */
static bool
slice_at(const struct ll_elf *elf, uint64_t address, uint64_t n, linli_str *out)
{
    linli_str tail = tail_at(elf, address);
    if (tail.len < n)
        return false;
    *out = (linli_str){tail.ptr, (size_t)n};
    return true;
}

/* The NUL-terminated string at `at` of the string table. */
static bool
string_at(const struct ll_elf *elf, uint64_t at, linli_str *out)
{
    if (at >= elf->strings.len)
        return false;
    const char *p = elf->strings.ptr + at;
    const char *end = memchr(p, 0, elf->strings.len - at);
    if (end == NULL || end - p > LL_ELF_NAME_BYTES_MAX)
        return false;
    *out = (linli_str){p, (size_t)(end - p)};
    return true;
}

static linli_status
read_header(linli_str bytes, Elf64_Ehdr *header, struct ll_err *err)
{
    if (!take(bytes, 0, header, sizeof(*header)) ||
        memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return malformed(err, "it does not begin as an ELF file");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_ident[EI_DATA] != ELFDATA2LSB)
        return malformed(err, "it is not 64-bit little-endian");
    if (header->e_type != ET_DYN)
        return malformed(err, "it is a program or an object file (.o)");
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
        header->e_phnum > LL_ELF_SEGMENTS_MAX)
        return malformed(err, "its program headers are not usual");
    return LINLI_OK;
}

static linli_status
add_segment(struct ll_elf *elf, const Elf64_Phdr *ph, struct ll_err *err)
{
    if (ph->p_offset > elf->bytes.len ||
        elf->bytes.len - ph->p_offset < ph->p_filesz)
        return malformed(err, "a segment reaches past the end of the file");
    if (ph->p_memsz < ph->p_filesz || ph->p_vaddr > UINT64_MAX - ph->p_memsz)
        return malformed(err, "a segment's size is impossible");
    if (elf->segment_count > 0) {
        /* The loader wants them so, and two views of one address would let
         * it map something else than what was read here. */
        const struct ll_elf_segment *last =
            &elf->segments[elf->segment_count - 1];
        if (ph->p_vaddr < last->address + last->memory_bytes)
            return malformed(err, "segments overlap or are out of order");
    }
    elf->segments[elf->segment_count++] =
        (struct ll_elf_segment){.address = ph->p_vaddr,
            .file_offset = ph->p_offset,
            .file_bytes = ph->p_filesz,
            .memory_bytes = ph->p_memsz,
            .flags = ph->p_flags};
    return LINLI_OK;
}

static linli_status
read_segments(struct ll_elf *elf, const Elf64_Ehdr *header, linli_str *dynamic,
    struct ll_err *err)
{
    uint32_t dynamics = 0;
    for (uint32_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr ph;
        if (header->e_phoff > elf->bytes.len ||
            !take(
                elf->bytes, header->e_phoff + i * sizeof(ph), &ph, sizeof(ph)))
            return malformed(err, "its program headers are cut off");
        linli_status s = LINLI_OK;
        if (ph.p_type == PT_LOAD)
            s = add_segment(elf, &ph, err);
        if (s != LINLI_OK)
            return s;
        if (ph.p_type == PT_GNU_STACK) {
            elf->has_stack_header = true;
            elf->stack_executable |= (ph.p_flags & PF_X) != 0;
        }
        if (ph.p_type == PT_DYNAMIC) {
            dynamics++;
            if (ph.p_offset > elf->bytes.len ||
                elf->bytes.len - ph.p_offset < ph.p_filesz)
                return malformed(err, "its dynamic section is cut off");
            *dynamic =
                (linli_str){elf->bytes.ptr + ph.p_offset, (size_t)ph.p_filesz};
        }
    }
    if (dynamics != 1)
        return malformed(err, "it has no dynamic section, or several");
    return LINLI_OK;
}

/* Stores one entry; false if there are too many of its kind. */
static bool
note_entry(struct ll_elf *elf, struct dynamic *d, const Elf64_Dyn *e)
{
    uint64_t v = e->d_un.d_val;
    switch (e->d_tag) {
    case DT_NEEDED:
        if (elf->needed_count == LL_ELF_NEEDED_MAX)
            return false;
        d->needed[elf->needed_count++] = v;
        break;
    case DT_SONAME:
        d->soname = v;
        d->has_soname = true;
        break;
    case DT_REL:
        d->has_rel = true;
        break;
    case DT_TEXTREL:
        elf->text_relocations = true;
        break;
    case DT_AUXILIARY:
    case DT_FILTER:
    case DT_AUDIT:
    case DT_DEPAUDIT:
        elf->loads_others = true;
        break;
    default:
        break;
    }
    const struct {
        int64_t tag;
        uint64_t *value;
    } plain[] = {
        {DT_STRTAB, &d->strings},
        {DT_STRSZ, &d->strings_bytes},
        {DT_SYMTAB, &d->symbols},
        {DT_SYMENT, &d->symbol_bytes},
        {DT_RELA, &d->relocs},
        {DT_RELASZ, &d->relocs_bytes},
        {DT_RELAENT, &d->reloc_bytes},
        {DT_JMPREL, &d->plt},
        {DT_PLTRELSZ, &d->plt_bytes},
        {DT_PLTREL, &d->plt_kind},
        {DT_HASH, &d->hash},
        {DT_GNU_HASH, &d->gnu_hash},
        {DT_VERNEED, &d->versions},
        {DT_VERNEEDNUM, &d->version_files},
        {DT_FLAGS, &elf->flags},
        {DT_FLAGS_1, &elf->flags_1},
    };
    for (size_t i = 0; i < LL_COUNT(plain); i++) {
        if (e->d_tag == plain[i].tag)
            *plain[i].value = v;
    }
    return true;
}

static linli_status
read_dynamic(
    struct ll_elf *elf, linli_str bytes, struct dynamic *d, struct ll_err *err)
{
    for (uint32_t i = 0; i < LL_ELF_DYNAMIC_MAX; i++) {
        Elf64_Dyn e;
        if (!take(bytes, i * sizeof(e), &e, sizeof(e)) || e.d_tag == DT_NULL)
            return LINLI_OK;
        if (!note_entry(elf, d, &e))
            return malformed(err, "it needs too many libraries");
    }
    return malformed(err, "its dynamic section is too long");
}

static linli_status
read_names(struct ll_elf *elf, const struct dynamic *d, struct ll_err *err)
{
    if (!slice_at(elf, d->strings, d->strings_bytes, &elf->strings))
        return malformed(err, "its string table is not in the file");
    if (d->has_soname && !string_at(elf, d->soname, &elf->soname))
        return malformed(err, "its SONAME is not in the string table");
    for (uint32_t i = 0; i < elf->needed_count; i++) {
        if (!string_at(elf, d->needed[i], &elf->needed[i]))
            return malformed(err, "a needed library has no name");
    }
    return LINLI_OK;
}

/* The number of symbols by a GNU hash table: one more than the last of the
 * chain that begins last. 0 if the table is malformed. */
static uint32_t
gnu_hash_count(linli_str table)
{
    uint32_t head[4]; /* buckets, first symbol, bloom words, bloom shift */
    if (!take(table, 0, head, sizeof(head)))
        return 0;
    uint64_t buckets_at = sizeof(head) + (uint64_t)head[2] * 8;
    uint64_t chains_at = buckets_at + (uint64_t)head[0] * 4;
    if (chains_at > table.len)
        return 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < head[0]; i++) {
        uint32_t bucket;
        if (!take(table, buckets_at + (uint64_t)i * 4, &bucket, 4))
            return 0;
        last = bucket > last ? bucket : last;
    }
    if (last == 0)
        return head[1]; /* exports nothing */
    if (last < head[1])
        return 0;
    for (uint32_t i = last; i < LL_ELF_SYMBOLS_MAX; i++) {
        uint32_t link;
        if (!take(table, chains_at + (uint64_t)(i - head[1]) * 4, &link, 4))
            return 0;
        if (link & 1)
            return i + 1;
    }
    return 0;
}

static linli_status
read_symbols(struct ll_elf *elf, const struct dynamic *d, struct ll_err *err)
{
    uint32_t words[2] = {0, 0}; /* DT_HASH: buckets, symbols */
    if (d->gnu_hash != 0)
        elf->symbol_count = gnu_hash_count(tail_at(elf, d->gnu_hash));
    else if (d->hash != 0 &&
             take(tail_at(elf, d->hash), 0, words, sizeof(words)))
        elf->symbol_count = words[1];
    if (elf->symbol_count == 0 || elf->symbol_count > LL_ELF_SYMBOLS_MAX)
        return malformed(err, "its symbol hash table is missing or broken");
    /* Imports may stand behind the exports that the hash counts, so the
     * table is taken up to its segment's end. */
    elf->symbols = tail_at(elf, d->symbols);
    if (d->symbol_bytes != sizeof(Elf64_Sym) ||
        elf->symbols.len / sizeof(Elf64_Sym) < elf->symbol_count)
        return malformed(err, "its symbol table is not in the file");
    return LINLI_OK;
}

static bool
symbol_at(const struct ll_elf *elf, uint64_t i, Elf64_Sym *out)
{
    return i < LL_ELF_SYMBOLS_MAX &&
           take(elf->symbols, i * sizeof(*out), out, sizeof(*out));
}

/* Relocation i of both tables; i is in range. */
static Elf64_Rela
relocation_at(const struct ll_elf *elf, uint32_t i)
{
    size_t first = elf->relocations[0].len / sizeof(Elf64_Rela);
    Elf64_Rela r;
    bool there =
        i < first
            ? take(elf->relocations[0], i * sizeof(r), &r, sizeof(r))
            : take(elf->relocations[1], (i - first) * sizeof(r), &r, sizeof(r));
    ll_check(there);
    return r;
}

static linli_status
read_relocations(
    struct ll_elf *elf, const struct dynamic *d, struct ll_err *err)
{
    if (d->has_rel || (d->plt_bytes > 0 && d->plt_kind != DT_RELA) ||
        (d->relocs_bytes > 0 && d->reloc_bytes != sizeof(Elf64_Rela)))
        return malformed(err, "its relocations are of another machine's kind");
    if ((d->relocs_bytes > 0 &&
            !slice_at(elf, d->relocs, d->relocs_bytes, &elf->relocations[0])) ||
        (d->plt_bytes > 0 &&
            !slice_at(elf, d->plt, d->plt_bytes, &elf->relocations[1])))
        return malformed(err, "its relocations are not in the file");
    if (ll_elf_relocation_count(elf) > LL_ELF_RELOCS_MAX)
        return malformed(err, "it has too many relocations");
    for (uint32_t i = 0; i < ll_elf_relocation_count(elf); i++) {
        Elf64_Sym sym;
        linli_str name;
        uint64_t index = ELF64_R_SYM(relocation_at(elf, i).r_info);
        if (index != 0 && (!symbol_at(elf, index, &sym) ||
                              !string_at(elf, sym.st_name, &name)))
            return malformed(err, "a relocation names no symbol");
    }
    return LINLI_OK;
}

/* The versions asked of one library; `at` is the library's entry. */
static linli_status
read_library_versions(struct ll_elf *elf, linli_str table, uint64_t at,
    const Elf64_Verneed *need, struct ll_err *err)
{
    linli_str library;
    if (!string_at(elf, need->vn_file, &library))
        return malformed(err, "a library version has no library");
    at += need->vn_aux;
    for (uint32_t i = 0; i < need->vn_cnt; i++) {
        Elf64_Vernaux aux;
        linli_str name;
        if (!take(table, at, &aux, sizeof(aux)) ||
            !string_at(elf, aux.vna_name, &name))
            return malformed(err, "its library versions are cut off");
        if (elf->version_count == LL_ELF_VERSIONS_MAX)
            return malformed(err, "it asks for too many library versions");
        elf->versions[elf->version_count++] =
            (struct ll_elf_version){library, name};
        at += aux.vna_next;
    }
    return LINLI_OK;
}

static linli_status
read_versions(struct ll_elf *elf, const struct dynamic *d, struct ll_err *err)
{
    if (d->version_files > LL_ELF_NEEDED_MAX)
        return malformed(err, "it asks for versions of too many libraries");
    linli_str table = tail_at(elf, d->versions);
    uint64_t at = 0;
    for (uint64_t i = 0; i < d->version_files; i++) {
        Elf64_Verneed need;
        if (!take(table, at, &need, sizeof(need)))
            return malformed(err, "its library versions are cut off");
        linli_status s = read_library_versions(elf, table, at, &need, err);
        if (s != LINLI_OK)
            return s;
        at += need.vn_next;
    }
    return LINLI_OK;
}

linli_status
ll_elf_read(linli_str bytes, struct ll_elf *out, struct ll_err *err)
{
    *out = (struct ll_elf){.bytes = bytes};
    Elf64_Ehdr header;
    linli_str dynamic_bytes = {NULL, 0};
    struct dynamic d = {0};
    linli_status s = read_header(bytes, &header, err);
    if (s == LINLI_OK)
        s = read_segments(out, &header, &dynamic_bytes, err);
    if (s == LINLI_OK)
        s = read_dynamic(out, dynamic_bytes, &d, err);
    if (s == LINLI_OK)
        s = read_names(out, &d, err);
    if (s == LINLI_OK)
        s = read_symbols(out, &d, err);
    if (s == LINLI_OK)
        s = read_relocations(out, &d, err);
    if (s == LINLI_OK)
        s = read_versions(out, &d, err);
    if (s != LINLI_OK) {
        *out = (struct ll_elf){.bytes = {NULL, 0}};
        return s;
    }
    out->machine = header.e_machine;
    return LINLI_OK;
}

uint32_t
ll_elf_relocation_count(const struct ll_elf *elf)
{
    return (uint32_t)(elf->relocations[0].len / sizeof(Elf64_Rela) +
                      elf->relocations[1].len / sizeof(Elf64_Rela));
}

linli_str
ll_elf_import(const struct ll_elf *elf, uint32_t i)
{
    linli_str name = {NULL, 0};
    Elf64_Sym sym;
    uint64_t index = ELF64_R_SYM(relocation_at(elf, i).r_info);
    if (index == 0 || !symbol_at(elf, index, &sym) ||
        sym.st_shndx != SHN_UNDEF || !string_at(elf, sym.st_name, &name))
        return (linli_str){NULL, 0};
    return name;
}

bool
ll_elf_defines(const struct ll_elf *elf, linli_str wanted)
{
    for (uint32_t i = 0; i < elf->symbol_count; i++) {
        Elf64_Sym sym;
        linli_str name;
        if (!symbol_at(elf, i, &sym) || sym.st_shndx == SHN_UNDEF ||
            !string_at(elf, sym.st_name, &name))
            continue;
        if (name.len == wanted.len &&
            memcmp(name.ptr, wanted.ptr, name.len) == 0)
            return true;
    }
    return false;
}
