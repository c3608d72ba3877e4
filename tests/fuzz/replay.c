/* fuzz/replay.c: a fuzz target's corpus without a fuzzer.
 *
 *     replay_NAME FOLDER
 *
 * Gives each file of FOLDER to LLVMFuzzerTestOneInput: whole, empty, and cut
 * short at every tenth of its length, as a peer that dies would cut it. A
 * crash or a failed check ends the program, and the last comment names the
 * input. Prints TAP, one case a file; a folder without files fails.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUTS 10
#define INPUT_BYTES_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* An exact copy on the heap, so that a sanitizer sees the first byte read
 * past the end. */
static void
give(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int
replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    uint8_t *data = malloc(INPUT_BYTES_MAX);
    if (data == NULL)
        abort();
    size_t size = fread(data, 1, INPUT_BYTES_MAX, file);
    (void)fclose(file);
    for (size_t tenth = 0; tenth <= CUTS; tenth++)
        give(data, size * tenth / CUTS);
    free(data);
    return 0;
}

int
main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int failed = 0;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    int count = scandir(argv[1], &entries, visible, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        printf("# %s\n", path);
        (void)fflush(stdout);
        int status = replay(path);
        failed += status != 0;
        printf("%s %d - %s\n", status == 0 ? "ok" : "not ok", i + 1,
            entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (count <= 0) {
        printf("not ok 1 - no input in %s\n", argv[1]);
        count = failed = 1;
    }
    printf("1..%d\n", count);
    return failed > 0;
}
