/* tests/unit/test_store.c: the store through its header: batches, order,
 * snapshots, what comes back and when. */
#include "store_fixture.h"

T_CASE(commits_and_answers)
{
    for (int memory = 0; memory < 2; memory++) {
        struct fixture f;
        struct change c;
        fixture_init(&f, memory == 1);
        T_INT(fixture_open(&f), LINLI_OK);
        T_INT(ll_store_last(f.store), 0);
        change_init(&c, &f);
        put_doc(&c.commit, "a", 1, "", "{\"id\":\"a\"}");
        put_doc(&c.commit, "b", 1, "0123", "{\"id\":\"b\"}");
        T_OK(change_make(&c, &f));
        T_INT(c.commit.number, 1);
        T_INT(ll_store_durable(f.store), 1);
        T_DOC(&f, "a", "{\"id\":\"a\"}");
        T_DOC(&f, "b", "{\"id\":\"b\"}");
        T_DOC(&f, "c", "-");
        put_doc(&c.commit, "a", 2, "", "{}");
        T_OK(change_make(&c, &f));
        T_DOC(&f, "a", "{}");
        ll_commit_fini(&c.commit);
        fixture_fini(&f);
    }
}

T_CASE(what_is_durable_is_there_again)
{
    struct fixture f;
    struct change c;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    put_doc(&c.commit, "a", 1, "0123", "{\"n\":1}");
    T_OK(change_make(&c, &f));
    ll_store_close(&f.store);
    T_OK(!ll_file_there(f.dir_fd, "linli.db-wal"));
    T_INT(fixture_open(&f), LINLI_OK);
    T_INT(ll_store_durable(f.store), 1);
    T_DOC(&f, "a", "{\"n\":1}");
    put_doc(&c.commit, "b", 2, "0123", "{\"n\":2}");
    T_OK(change_make(&c, &f));
    T_INT(c.commit.number, 2);
    T_DOC(&f, "b", "{\"n\":2}");
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

T_MAIN(T_RUN(commits_and_answers) T_RUN(what_is_durable_is_there_again))
