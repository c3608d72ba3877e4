/* domain/ledger.c: is it an account, does it balance? */
#include "domain/ledger.h"

#include "base/limits.h"
#include "base/text.h"
#include "domain/pricing_number.h"

static const struct {
    const char *word;
    bool of_whom;
} kinds[] = {
#define X(NAME, word, of_whom) {word, of_whom},
    LL_ACCOUNTS(X)
#undef X
};

/* One to two parts of a name: "sub_16", "vendor:parking". */
static bool
is_whose(linli_str rest)
{
    linli_str part;
    uint32_t parts = 0;
    for (; ll_str_split(&rest, ':', &part); parts++) {
        if (part.len == 0 || parts == 2)
            return false;
        for (size_t i = 0; i < part.len; i++) {
            char c = part.ptr[i];
            if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
                memchr("._-/", c, 4) == NULL)
                return false;
        }
    }
    return parts > 0;
}

enum ll_account_kind
ll_account_kind(linli_str account)
{
    linli_str rest = account, word;
    if (account.len > LL_ACCOUNT_BYTES_MAX || !ll_str_split(&rest, ':', &word))
        return LL_ACCOUNT_NONE;
    for (size_t i = 0; i < LL_COUNT(kinds); i++)
        if (ll_str_is(word, kinds[i].word) &&
            (kinds[i].of_whom ? is_whose(rest) : word.len == account.len))
            return (enum ll_account_kind)i;
    return LL_ACCOUNT_NONE;
}

static linli_status
unbalanced(const struct ll_entry *entry, ll_wide sum, struct ll_err *err)
{
    int64_t fen = 0;
    if (!ll_wide_divide(sum, 1, LL_ROUND_HALF_AWAY, &fen))
        return ll_fail(err, LINLI_E_INVALID, "ledger/unbalanced",
            "%.*s %.*s: the difference is past int64", LL_FMT(entry->kind),
            LL_FMT(entry->ref));
    return ll_fail(err, LINLI_E_INVALID, "ledger/unbalanced",
        "%.*s %.*s: debits less credits are %lld fen", LL_FMT(entry->kind),
        LL_FMT(entry->ref), (long long)fen);
}

linli_status
ll_entry_check(const struct ll_entry *entry, struct ll_err *err)
{
    ll_wide sum = 0;
    if (entry->count == 0 || entry->count > LL_LEDGER_POSTINGS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "ledger/unbalanced",
            "it has %u postings, of 1 to %d", entry->count,
            LL_LEDGER_POSTINGS_MAX);
    for (uint32_t i = 0; i < entry->count; i++) {
        const struct ll_posting *posting = &entry->postings[i];
        if (ll_account_kind(posting->account) == LL_ACCOUNT_NONE)
            return ll_fail(err, LINLI_E_INVALID, "ledger/account",
                "`%.*s` is no account", LL_FMT(posting->account));
        if (posting->fen == INT64_MIN)
            return ll_fail(err, LINLI_E_LIMIT, "ledger/overflow",
                "a posting to `%.*s`", LL_FMT(posting->account));
        sum += posting->fen;
    }
    if (sum != 0)
        return unbalanced(entry, sum, err);
    return LINLI_OK;
}
