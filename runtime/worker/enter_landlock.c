/* worker/enter_landlock.c: denying what paths, ports and scopes reach.
 * [worker]
 *
 * Kernel headers lag behind kernels, so which rights exist is asked of the
 * running kernel, bit by bit: a right that a later ABI adds is denied too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/enter.h"

/* struct landlock_ruleset_attr as of ABI 6. An older kernel takes the
 * longer form as long as the members it does not know are 0. */
struct ruleset {
    uint64_t fs, net, scoped;
};

static int
create(const struct ruleset *ruleset)
{
    return (int)syscall(
        SYS_landlock_create_ruleset, ruleset, sizeof *ruleset, 0U);
}

int
ll_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
        LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

/* All rights of one kind: their bits are contiguous from 0 on. */
static uint64_t
known_rights(struct ruleset *ruleset, uint64_t *member)
{
    uint64_t known = 0;
    for (uint64_t bit = 1; bit != 0; bit <<= 1) {
        *member = bit;
        int fd = create(ruleset);
        if (fd < 0)
            break;
        (void)close(fd);
        known |= bit;
    }
    *member = 0;
    return known;
}

static bool
allow_reading(int ruleset_fd, const char *dir)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
        .parent_fd = open(dir, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return false;
    bool ok = syscall(SYS_landlock_add_rule, ruleset_fd,
                  LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) == 0;
    (void)close(rule.parent_fd);
    return ok;
}

linli_status
ll_landlock_enter(const char *readable, struct ll_err *err)
{
    struct ruleset ask = {0}, all;
    all.fs = known_rights(&ask, &ask.fs);
    all.net = known_rights(&ask, &ask.net);
    all.scoped = known_rights(&ask, &ask.scoped);
    int fd = create(&all);
    if (fd < 0)
        return ll_enter_refuse(err, "Landlock rule set");
    linli_status status = LINLI_OK;
    if (readable != NULL && !allow_reading(fd, readable))
        status = ll_enter_refuse(err, "Landlock rule");
    else if (syscall(SYS_landlock_restrict_self, fd, 0U) != 0)
        status = ll_enter_refuse(err, "Landlock");
    (void)close(fd);
    return status;
}
