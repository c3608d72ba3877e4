/* cmd/linli_rate.c: `linli rate`: what a plan's cases come to.
 *
 * The engine that bills, over a file: one case, a list, or a document with
 * `cases`. No daemon. Zones are this machine's.
 */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "domain/pricing_case.h"
#include "world/zone.h"

#define CASE_BYTES_MAX ((size_t)256 << 20)
#define ZONES_MAX 64 /* kept; more are read again */

/* Zones that were read, by name: a file may have thousands of cases. */
struct zones {
    struct ll_arena *arena;
    struct {
        linli_str name;
        struct ll_zone zone;
    } known[ZONES_MAX];
    uint32_t count;
};

static linli_status
find_zone(void *user, linli_str name, struct ll_local *out, struct ll_err *err)
{
    struct zones *zones = user;
    struct ll_zone zone;
    for (uint32_t i = 0; i < zones->count; i++) {
        if (ll_str_eq(zones->known[i].name, name)) {
            zone = zones->known[i].zone;
            *out = (struct ll_local){zone.changes, zone.count};
            return LINLI_OK;
        }
    }
    linli_status status = ll_zone_load(zones->arena, name, &zone, err);
    *out = (struct ll_local){zone.changes, zone.count};
    linli_str kept = ll_arena_str(zones->arena, name);
    if (status == LINLI_OK && kept.ptr != NULL && zones->count < ZONES_MAX) {
        zones->known[zones->count].name = kept;
        zones->known[zones->count++].zone = zone;
    }
    return status;
}

struct rates {
    struct ll_cli *cli;
    struct ll_arena arena; /* of one case */
    struct zones zones;
    struct ll_jv root;
    struct ll_jw out;
};

static linli_status
rate_one(struct rates *rates, struct ll_jv one, struct ll_err *err)
{
    struct ll_case_env env = {&rates->arena, find_zone, &rates->zones};
    ll_arena_reset(&rates->arena);
    return ll_case_rate(&env, rates->root, one, &rates->out, err);
}

static linli_status
rate_all(struct rates *rates, struct ll_err *err)
{
    struct ll_jv list = rates->root, cases = ll_jv_get(list, "cases");
    linli_status status = LINLI_OK;
    if (ll_jv_is(cases, LL_JSON_ARRAY))
        list = cases;
    if (!ll_jv_is(list, LL_JSON_ARRAY))
        return rate_one(rates, list, err);
    ll_jw_open(&rates->out, '[');
    LL_JSON_EACH (one, list) {
        status = rate_one(rates, one, err);
        if (status != LINLI_OK)
            break;
    }
    ll_jw_close(&rates->out, ']');
    return status;
}

/* The JSON pointer behind the file's name. */
static void
place(struct ll_err *err, const char *path)
{
    char pointer[sizeof err->where];
    memcpy(pointer, err->where, sizeof pointer);
    err->where[0] = '\0';
    ll_err_where(err, pointer[0] == '\0' ? "%s%s" : "%s: %s",
        strcmp(path, "-") == 0 ? "stdin" : path, pointer);
}

linli_status
ll_cli_rate(struct ll_cli *cli, struct ll_err *err)
{
    const char *path = cli->args->words[0];
    struct rates rates = {.cli = cli, .zones.arena = &cli->arena};
    struct ll_json json;
    struct ll_buf out;
    linli_str text;
    ll_json_init(&json, &cli->mem);
    ll_buf_init(&out, &cli->mem, LL_CLI_ANSWER_BYTES_MAX);
    ll_arena_init(&rates.arena, &cli->mem, CASE_BYTES_MAX);
    rates.out = ll_jw(&out);
    linli_status status =
        ll_cli_read(cli, path, LL_CLI_ANSWER_BYTES_MAX, &text, err);
    bool found = status == LINLI_OK;
    if (status == LINLI_OK)
        status = ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK) {
        rates.root = ll_json_root(&json);
        status = rate_all(&rates, err);
    }
    ll_arena_fini(&rates.arena);
    ll_json_fini(&json);
    if (status == LINLI_OK)
        return ll_cli_print_json(&out, err);
    ll_buf_fini(&out);
    if (found)
        place(err, path);
    return status;
}
