/* host/remember.h: the communities and plugins of earlier processes. [loop]
 *
 * Documents of the host's own space (host/directory.h): a community that a
 * seed has made; and for each plugin and community that somebody enabled,
 * its folder, its configuration, and whether it was disabled since. What the
 * configuration lists is not written: it says so again each time.
 */
#ifndef LL_HOST_REMEMBER_H
#define LL_HOST_REMEMBER_H

#include "host/host.h"

/* A plugin as an earlier process had it. */
struct ll_remembered {
    struct ll_remembered *next;
    linli_str community, plugin;
    linli_str dir;    /* absolute */
    linli_str config; /* JSON */
    bool enabled;     /* false: disabled */
};

struct ll_roster {
    struct ll_arena arena;
    struct ll_remembered *first;
};

/* At the start, when the configuration's communities are there: adds those
 * that seeds have made, and reads host->roster. Where both know a community,
 * the configuration's zone holds, and a line of the log says so. Blocks. */
linli_status ll_remember_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
/* The roster has been used. */
void ll_roster_free(struct ll_host *host);

/* Writes that the plugin with this configuration is enabled; `done` once
 * when that is durable or will never be, maybe at once. One at a time. */
linli_status ll_remember_enabled(struct ll_instance *instance,
    const struct ll_package *package, linli_str config,
    void (*done)(struct ll_instance *instance, linli_status status,
        const struct ll_err *err),
    struct ll_err *err) LL_USE_RESULT;
/* `done` of the above does not come any more. */
void ll_remember_detach(struct ll_instance *instance);
/* Writes that it is disabled, if it was enabled by anybody. */
void ll_remember_disabled(struct ll_instance *instance);
/* Between the store's end and the documents'. */
void ll_remember_close(struct ll_instance *instance);

#endif
