/* store/head.c: signing heads, and judging a database by the last one. */
#include "store/head.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <time.h>

#include "base/limits.h"
#include "base/text.h"
#include "domain/leaf.h"
#include "world/file.h"
#include "world/thread.h"

struct ll_head {
    struct ll_mem *mem;
    struct ll_wakeup *wakeup;
    int at;
    unsigned char seed[LL_ED25519_BYTES];
    struct ll_vkey key;
    linli_str asked; /* the origin that was asked for, or empty */
    int64_t now_ms;
    char sealed[160];     /* empty: it is not */
    struct ll_mem sealer; /* of the thread */
    struct ll_buf text;   /* the note that is being made: the thread's */
    pthread_t thread;
    bool runs;
    pthread_mutex_t mutex;
    pthread_cond_t more;
    /* under the mutex */
    struct ll_buf note;   /* the last */
    uint64_t notes;       /* how many there were */
    uint64_t size, noted; /* durable, and that of the note and the file */
    struct ll_hash root;  /* of `size` */
    bool idle;            /* the thread waits for something to sign */
    bool stop;
    bool hurry; /* somebody waits for what is not yet signed */
    bool failed;
    struct ll_err err;
};

/* -- the first leaf -- */

static linli_status
make_origin_leaf(struct ll_head *head, struct ll_buf *out, struct ll_err *err)
{
    struct ll_buf data, vkey;
    struct ll_leaf leaf = {.type = LL_LEAF_ORIGIN, .at_ms = head->now_ms};
    ll_buf_init(&data, head->mem, 1024);
    ll_buf_init(&vkey, head->mem, LL_VKEY_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    ll_vkey_put(&vkey, &head->key);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "key");
    ll_jw_str(&w, ll_buf_view(&vkey));
    ll_jw_close(&w, '}');
    leaf.data_json = ll_buf_view(&data);
    ll_leaf_put(out, &leaf);
    bool failed = data.failed || vkey.failed || out->failed;
    ll_buf_fini(&vkey);
    ll_buf_fini(&data);
    return failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the log")
                  : LINLI_OK;
}

static linli_status
read_origin_leaf(
    struct ll_head *head, struct ll_logtree *tree, struct ll_err *err)
{
    struct ll_vkey found;
    bool row;
    sqlite3_stmt *leaves = ll_db_statement(tree->db, LL_SI_log_leaves, err);
    if (leaves == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(leaves, 1, 0);
    linli_status status = ll_db_step(tree->db, leaves, &row, err);
    if (status != LINLI_OK)
        return status;
    bool ok =
        row && ll_origin_leaf_read(head->mem, ll_db_bytes(leaves, 1), &found);
    if (row)
        (void)sqlite3_reset(leaves);
    if (!ok || memcmp(found.key, head->key.key, sizeof found.key) != 0)
        return ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "the log: its first leaf is no origin of this linli.key");
    if (head->asked.len > 0 && !ll_str_is(head->asked, found.origin)) {
        status = ll_fail(err, LINLI_E_INVALID, "config/invalid",
            "the log began as '%s' and goes on as that", found.origin);
        ll_err_where(err, "log.origin");
        return status;
    }
    head->key = found;
    return LINLI_OK;
}

/* -- signing -- */

/* [the thread, or nobody else is there] */
static void
sign(struct ll_head *head, uint64_t size, const struct ll_hash *root)
{
    ll_buf_clear(&head->text);
    ll_checkpoint_put(&head->text, &head->key, head->seed, size, root);
}

/* Writes the file, and lets others have the note; a file that cannot be
 * written is told, and the note is a good one all the same. */
static void
publish(struct ll_head *head, uint64_t size)
{
    struct ll_err err = {0};
    linli_status status = LINLI_OK;
    if (head->text.failed)
        status = ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "the head");
    else if (head->at >= 0 && size > 0)
        status = ll_file_write(
            head->at, LL_STORE_HEAD_FILE, ll_buf_view(&head->text), 0600, &err);
    (void)pthread_mutex_lock(&head->mutex);
    if (!head->text.failed) {
        struct ll_buf swap = head->note;
        head->note = head->text;
        head->text = swap;
        head->notes++;
    }
    if (status == LINLI_OK) {
        head->noted = size;
    } else {
        head->failed = true;
        head->err = err;
    }
    (void)pthread_mutex_unlock(&head->mutex);
    if (status != LINLI_OK)
        ll_wakeup_send(head->wakeup);
}

/* With the mutex; false when it was told to stop. */
static bool
pause_between(struct ll_head *head)
{
    int64_t began_ns = ll_mono_now().ns;
    int waited = 0;
    while (!head->stop && waited != ETIMEDOUT) {
        int64_t until_ns =
            began_ns +
            (head->hurry ? LL_LOG_HURRY_MS : LL_LOG_HEAD_MS) * INT64_C(1000000);
        struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
        waited = pthread_cond_timedwait(&head->more, &head->mutex, &until);
    }
    return !head->stop;
}

static void *
head_main(void *arg)
{
    struct ll_head *head = arg;
    (void)pthread_mutex_lock(&head->mutex);
    for (;;) {
        head->idle = true;
        while (!head->stop && head->size == head->noted)
            (void)pthread_cond_wait(&head->more, &head->mutex);
        head->idle = false;
        if (head->size == head->noted)
            break;
        uint64_t size = head->size;
        struct ll_hash root = head->root;
        head->hurry = false;
        (void)pthread_mutex_unlock(&head->mutex);
        sign(head, size, &root);
        publish(head, size);
        (void)pthread_mutex_lock(&head->mutex);
        if (head->stop && head->size == size)
            break; /* whatever became of it: nobody waits for another try */
        if (!head->stop)
            (void)pause_between(head);
    }
    (void)pthread_mutex_unlock(&head->mutex);
    return NULL;
}

void
ll_head_grown(struct ll_head *head, uint64_t size, const struct ll_hash *root)
{
    if (head->sealed[0] != '\0')
        return;
    (void)pthread_mutex_lock(&head->mutex);
    head->size = size;
    head->root = *root;
    if (!head->runs)
        head->runs = ll_thread_start(&head->thread, head_main, head);
    if (!head->runs) {
        head->failed = true;
        (void)ll_fail(&head->err, LINLI_E_NOMEM, "runtime/memory",
            "no memory for the thread that signs the log");
        ll_wakeup_send(head->wakeup);
    }
    if (head->idle)
        (void)pthread_cond_signal(&head->more);
    (void)pthread_mutex_unlock(&head->mutex);
}

void
ll_head_hurry(struct ll_head *head)
{
    (void)pthread_mutex_lock(&head->mutex);
    head->hurry = true;
    (void)pthread_cond_signal(&head->more);
    (void)pthread_mutex_unlock(&head->mutex);
}

void
ll_head_stop(struct ll_head *head)
{
    (void)pthread_mutex_lock(&head->mutex);
    head->stop = true;
    (void)pthread_cond_signal(&head->more);
    (void)pthread_mutex_unlock(&head->mutex);
    if (head->runs)
        (void)pthread_join(head->thread, NULL);
    head->runs = false;
}

/* -- judging -- */

static void
seal(struct ll_head *head, const char *why, uint64_t size, uint64_t witnessed)
{
    (void)snprintf(head->sealed, sizeof head->sealed,
        "%s: the database has %llu leaves, " LL_STORE_HEAD_FILE " %llu", why,
        (unsigned long long)size, (unsigned long long)witnessed);
}

static linli_status
judge_note(struct ll_head *head, struct ll_logtree *tree, linli_str text,
    struct ll_err *err)
{
    struct ll_checkpoint note;
    struct ll_hash root;
    uint64_t size = tree->merkle.size;
    if (ll_checkpoint_read(text, &note, NULL) != LINLI_OK ||
        !ll_checkpoint_signed(&note, &head->key)) {
        seal(head, "not signed by this key", size, 0);
        return LINLI_OK;
    }
    if (note.size > size) {
        seal(head, "the log was rolled back", size, note.size);
        return LINLI_OK;
    }
    linli_status status = ll_logtree_root_at(tree, note.size, &root, err);
    if (status == LINLI_OK && !ll_hash_eq(&root, &note.root))
        seal(head, "the log is another one", size, note.size);
    return status;
}

static linli_status
judge_file(struct ll_head *head, struct ll_logtree *tree, struct ll_err *err)
{
    struct ll_buf text;
    ll_buf_init(&text, head->mem, LL_NOTE_BYTES_MAX + 1);
    linli_status status = ll_file_read(
        head->at, LL_STORE_HEAD_FILE, LL_NOTE_BYTES_MAX, &text, err);
    if (status == LINLI_OK) {
        status = judge_note(head, tree, ll_buf_view(&text), err);
    } else if (status == LINLI_E_NOT_FOUND) {
        status = LINLI_OK;
    } else if (status != LINLI_E_NOMEM) {
        (void)snprintf(err->code, sizeof err->code, "store/io");
    }
    ll_buf_fini(&text);
    return status;
}

linli_status
ll_head_judge(struct ll_head *head, struct ll_logtree *tree, struct ll_err *err)
{
    struct ll_hash root;
    uint64_t size = tree->merkle.size;
    linli_status status = size > 0 ? read_origin_leaf(head, tree, err)
                                   : make_origin_leaf(head, &tree->begin, err);
    if (status == LINLI_OK && head->at >= 0)
        status = judge_file(head, tree, err);
    if (status != LINLI_OK || head->sealed[0] != '\0')
        return status;
    ll_merkle_root(&tree->merkle, &root);
    head->size = size;
    head->root = root;
    sign(head, size, &root);
    publish(head, size);
    return LINLI_OK;
}

const char *
ll_head_sealed(const struct ll_head *head)
{
    return head->sealed[0] == '\0' ? NULL : head->sealed;
}

const char *
ll_head_name(const struct ll_head *head)
{
    return head->key.origin;
}

/* -- asking -- */

void
ll_head_note(struct ll_head *head, struct ll_buf *out)
{
    (void)pthread_mutex_lock(&head->mutex);
    ll_buf_str(out, ll_buf_view(&head->note));
    (void)pthread_mutex_unlock(&head->mutex);
}

bool
ll_head_sign(const struct ll_head *head, linli_str text, struct ll_vkey *key,
    unsigned char signature[LL_ED25519_SIGNATURE_BYTES])
{
    if (ll_head_sealed(head) != NULL)
        return false;
    *key = head->key;
    ll_ed25519_sign(head->seed, text, signature);
    return true;
}

bool
ll_head_newer(struct ll_head *head, uint64_t *count, struct ll_buf *out)
{
    (void)pthread_mutex_lock(&head->mutex);
    bool newer = head->notes != *count;
    if (newer) {
        *count = head->notes;
        ll_buf_clear(out);
        ll_buf_str(out, ll_buf_view(&head->note));
    }
    (void)pthread_mutex_unlock(&head->mutex);
    return newer && !out->failed;
}

bool
ll_head_failed(struct ll_head *head, struct ll_err *err)
{
    (void)pthread_mutex_lock(&head->mutex);
    bool failed = head->failed;
    if (failed)
        *err = head->err;
    head->failed = false;
    (void)pthread_mutex_unlock(&head->mutex);
    return failed;
}

/* -- birth -- */

static void
init_sync(struct ll_head *head)
{
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&head->mutex, NULL);
    (void)pthread_cond_init(&head->more, &attr);
    (void)pthread_condattr_destroy(&attr);
}

linli_status
ll_head_new(const struct ll_head_options *options, struct ll_head **out,
    struct ll_err *err)
{
    char made[LL_HEAD_ORIGIN_BYTES];
    *out = NULL;
    if (options->origin.len > 0 && !ll_origin_valid(options->origin))
        return ll_fail(err, LINLI_E_INVALID, "config/invalid",
            "log.origin: 1 to %d printable characters without space and '+'",
            LL_ORIGIN_BYTES_MAX);
    struct ll_head *head = ll_alloc(options->mem, sizeof *head);
    if (head == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the log");
    *head = (struct ll_head){.mem = options->mem,
        .wakeup = options->wakeup,
        .at = options->at,
        .asked = options->origin,
        .now_ms = options->now_ms};
    ll_mem_init(&head->sealer, 0);
    ll_buf_init(&head->text, &head->sealer, LL_NOTE_BYTES_MAX);
    ll_buf_init(&head->note, &head->sealer, LL_NOTE_BYTES_MAX);
    init_sync(head);
    ll_head_seed(options->place->key, head->seed);
    ll_head_origin(options->place->key, made);
    ll_vkey_of(head->seed,
        options->origin.len > 0 ? options->origin : ll_cstr(made), &head->key);
    *out = head;
    return LINLI_OK;
}

void
ll_head_free(struct ll_head **head)
{
    struct ll_head *h = *head;
    if (h == NULL)
        return;
    *head = NULL;
    ll_check(!h->runs);
    ll_buf_fini(&h->text);
    ll_buf_fini(&h->note);
    (void)pthread_cond_destroy(&h->more);
    (void)pthread_mutex_destroy(&h->mutex);
    struct ll_mem *mem = h->mem;
    OPENSSL_cleanse(h, sizeof *h);
    ll_release(mem, h, sizeof *h);
}
