/* tests/fuzz/fuzz_elf.c: any bytes as a shared object. */
#include <stdlib.h>

#include "worker/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ll_elf elf;
    struct ll_err err;
    if (ll_elf_read((linli_str){(const char *)data, size}, &elf, &err) !=
        LINLI_OK)
        return 0;
    if (ll_elf_check(&elf, (struct ll_elf_glibc){2, 36}, &err) != LINLI_OK &&
        (err.code[0] == '\0' || err.fix[0] == '\0'))
        abort(); /* a refusal always says why, and what to do */
    for (uint32_t i = 0; i < ll_elf_relocation_count(&elf); i++) {
        linli_str name = ll_elf_import(&elf, i);
        /* What is returned lies within the input. */
        if (name.len > 0 &&
            (name.ptr < (const char *)data ||
                name.ptr + name.len > (const char *)data + size))
            abort();
    }
    for (uint32_t i = 0; i < elf.needed_count; i++)
        (void)ll_elf_is_system(elf.needed[i]);
    (void)ll_elf_defines(&elf, LINLI_STR("linli_plugin_v1"));
    return 0;
}
