/* worker/enter_filter.c: which system calls are left. [worker]
 *
 * Two allow-lists, spec/sandbox.md section 4: stage 1 while shared objects
 * are mapped and their constructors run, stage 2 for the rest of the life.
 * Everything else ends the process. libseccomp compiles them at entry, when
 * it may still ask the kernel what it can do; later they are only installed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "config.h"
#include "worker/enter.h"

#define CALL(name) SCMP_SYS(name)

/* Allowed whatever their arguments. No call here makes a descriptor, a
 * process or executable memory, or reaches another process. */
static const int allowed[] = {CALL(read), CALL(write), CALL(readv),
    CALL(writev), CALL(poll), CALL(ppoll), CALL(clock_gettime),
    CALL(gettimeofday), CALL(clock_nanosleep), CALL(nanosleep), CALL(brk),
    CALL(munmap), CALL(rt_sigreturn), CALL(rt_sigprocmask),
    CALL(restart_syscall), CALL(getpid), CALL(gettid), CALL(getrandom),
    CALL(sched_yield), CALL(exit), CALL(exit_group)};

/* A Lua worker has set its one handler before the last filter. */
static const int allowed_native[] = {CALL(rt_sigaction), CALL(sigaltstack)};

/* What dlopen needs; Landlock or the empty root bounds openat. */
static const int allowed_stage1[] = {CALL(openat), CALL(newfstatat),
    CALL(fstat), CALL(pread64), CALL(lseek), CALL(close),
    CALL(landlock_create_ruleset), CALL(landlock_restrict_self)};

/* libc tries these on its own; an error keeps it going. qsort asks sysinfo
 * how much memory there is. */
static const struct refusal {
    int call, error;
    enum { ALWAYS, STAGE2, SANITIZED } when;
} refusals[] = {{CALL(openat), EACCES, STAGE2},
    {CALL(newfstatat), EACCES, STAGE2}, {CALL(fstat), EACCES, STAGE2},
    {CALL(open), EACCES, ALWAYS}, {CALL(clone3), ENOSYS, ALWAYS},
    {CALL(prlimit64), EPERM, ALWAYS}, {CALL(uname), EPERM, ALWAYS},
    {CALL(sysinfo), EPERM, ALWAYS}, {CALL(ioctl), ENOTTY, ALWAYS},
    {CALL(prctl), EPERM, SANITIZED}, {CALL(readlink), EACCES, SANITIZED}};

/* What a sanitizer's runtime needs besides. */
static const int allowed_sanitized[] = {
    CALL(rt_sigaction), CALL(sigaltstack), CALL(madvise), CALL(mremap)};

static const uint32_t futex_ops[] = {
    FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET};
static const uint32_t advices[] = {MADV_NORMAL, MADV_DONTNEED, MADV_FREE};

/* Flags an allocator or the dynamic loader may add to a private mapping;
 * not among them: locked, huge, growing down. */
#define MAP_HARMLESS                                                          \
    ((uint64_t)(MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_NORESERVE | MAP_STACK | \
                MAP_DENYWRITE))

struct build {
    scmp_filter_ctx ctx;
    uint32_t otherwise; /* the default action */
    int error;          /* first failure, negative errno */
};

static void
rule(struct build *b, uint32_t action, int call, unsigned n,
    const struct scmp_arg_cmp *args)
{
    if (b->error == 0 && action != b->otherwise)
        b->error = seccomp_rule_add_array(b->ctx, action, call, n, args);
}

static void
allow(struct build *b, int call)
{
    rule(b, SCMP_ACT_ALLOW, call, 0, NULL);
}

static void
allow_list(struct build *b, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        allow(b, calls[i]);
}

/* Allowed if (argument & mask) == value. */
static void
allow_if(struct build *b, int call, unsigned arg, uint64_t mask, uint64_t value)
{
    struct scmp_arg_cmp cmp = {.arg = arg,
        .op = SCMP_CMP_MASKED_EQ,
        .datum_a = mask,
        .datum_b = value};
    rule(b, SCMP_ACT_ALLOW, call, 1, &cmp);
}

static void
allow_memory(struct build *b, bool stage1)
{
    /* Anonymous, private, never executable. */
    const struct scmp_arg_cmp data[] = {
        SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
        SCMP_A3_64(
            SCMP_CMP_MASKED_EQ, ~MAP_HARMLESS, MAP_PRIVATE | MAP_ANONYMOUS)};
    /* The segments of an object: never writable and executable at once. */
    const struct scmp_arg_cmp segment[] = {
        SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
        SCMP_A3_64(
            SCMP_CMP_MASKED_EQ, ~(MAP_HARMLESS | MAP_ANONYMOUS), MAP_PRIVATE)};
    const struct scmp_arg_cmp text[] = {
        SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_WRITE, 0),
        SCMP_A3_64(SCMP_CMP_MASKED_EQ, ~MAP_HARMLESS, MAP_PRIVATE)};
    rule(b, SCMP_ACT_ALLOW, CALL(mmap), LL_COUNT(data), data);
    if (stage1) {
        rule(b, SCMP_ACT_ALLOW, CALL(mmap), LL_COUNT(segment), segment);
        rule(b, SCMP_ACT_ALLOW, CALL(mmap), LL_COUNT(text), text);
    }
    allow_if(b, CALL(mprotect), 2, PROT_EXEC, 0);
    if (LL_SANITIZED)
        return; /* allowed whatever the arguments, below */
    allow_if(b, CALL(mremap), 3, ~(uint64_t)MREMAP_MAYMOVE, 0);
    for (size_t i = 0; i < LL_COUNT(advices); i++)
        allow_if(b, CALL(madvise), 2, UINT32_MAX, advices[i]);
}

static void
add_rules(struct build *b, bool native, bool stage1)
{
    allow_list(b, allowed, LL_COUNT(allowed));
    allow_memory(b, stage1);
    for (size_t i = 0; i < LL_COUNT(futex_ops); i++)
        allow_if(b, CALL(futex), 1,
            UINT32_MAX & ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME),
            futex_ops[i]);
    /* raise() and abort(), nobody else's signals */
    allow_if(b, CALL(tgkill), 0, UINT32_MAX, (uint32_t)getpid());
    if (native && !LL_SANITIZED)
        allow_list(b, allowed_native, LL_COUNT(allowed_native));
    if (LL_SANITIZED)
        allow_list(b, allowed_sanitized, LL_COUNT(allowed_sanitized));
    if (stage1) {
        allow_list(b, allowed_stage1, LL_COUNT(allowed_stage1));
        /* the soft limit's timer of a Lua plugin with a typed library */
        allow_if(b, CALL(setitimer), 0, UINT32_MAX, ITIMER_VIRTUAL);
        const struct scmp_arg_cmp filter[] = {
            SCMP_A0_64(SCMP_CMP_EQ, SECCOMP_SET_MODE_FILTER, 0),
            SCMP_A1_64(SCMP_CMP_EQ, 0, 0)};
        rule(b, SCMP_ACT_ALLOW, CALL(seccomp), LL_COUNT(filter), filter);
    }
    for (size_t i = 0; i < LL_COUNT(refusals); i++)
        if (refusals[i].when == ALWAYS ||
            (refusals[i].when == STAGE2 && !stage1) ||
            (refusals[i].when == SANITIZED && LL_SANITIZED))
            rule(b, SCMP_ACT_ERRNO((uint32_t)refusals[i].error),
                refusals[i].call, 0, NULL);
}

/* Takes the compiled program out, through a file in memory. */
static int export(
    struct build *b, struct ll_worker *worker, struct ll_filter *out)
{
    struct sock_filter code[BPF_MAXINSNS];
    int fd = ll_enter_memfd("filter");
    if (fd < 0)
        return -errno;
    int error = seccomp_export_bpf(b->ctx, fd);
    ssize_t n = error == 0 ? pread(fd, code, sizeof code, 0) : 0;
    (void)close(fd);
    if (error != 0 || n <= 0 || (size_t)n % sizeof *code != 0)
        return error != 0 ? error : -EIO;
    out->code = ll_arena_alloc(&worker->arena, (size_t)n);
    if (out->code == NULL)
        return -ENOMEM;
    memcpy(out->code, code, (size_t)n);
    out->count = (uint16_t)((size_t)n / sizeof *code);
    return 0;
}

static linli_status
build(struct ll_worker *worker, bool stage1, struct ll_filter *out,
    struct ll_err *err)
{
    struct build b = {.otherwise = worker->config.filter_errno
                                       ? SCMP_ACT_ERRNO(EPERM)
                                       : SCMP_ACT_KILL_PROCESS};
    b.ctx = seccomp_init(b.otherwise);
    if (b.ctx == NULL)
        return ll_enter_refuse(err, "seccomp");
    /* Another architecture's numbers mean other calls: never an errno. */
    b.error =
        seccomp_attr_set(b.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (b.error == 0)
        b.error = seccomp_attr_set(b.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    add_rules(&b, worker->config.native, stage1);
    if (b.error == 0)
        b.error = export(&b, worker, out);
    seccomp_release(b.ctx);
    errno = -b.error;
    return b.error == 0 ? LINLI_OK : ll_enter_refuse(err, "seccomp filter");
}

linli_status
ll_filter_build(struct ll_worker *worker, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    if (worker->config.native)
        status = build(worker, true, &worker->entry->stage1, err);
    if (status == LINLI_OK)
        status = build(worker, false, &worker->entry->stage2, err);
    return status;
}

linli_status
ll_filter_install(const struct ll_filter *filter, struct ll_err *err)
{
    struct sock_fprog program = {.len = filter->count, .filter = filter->code};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &program) != 0)
        return ll_enter_refuse(err, "seccomp");
    return LINLI_OK;
}
