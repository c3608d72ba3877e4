/* tests/unit/test_merkle.c: roots and proofs against the known answers of
 * Certificate Transparency's tests and against the definition of RFC 6962,
 * section 2.1, written down as it stands there. */
#include "t.h"

#include "base/text.h"
#include "domain/merkle.h"

#define LEAVES_MAX 300

static struct ll_hash leaves[LEAVES_MAX];

static void
fill_leaves(void)
{
    for (unsigned i = 0; i < LEAVES_MAX; i++)
        ll_merkle_leaf((linli_str){(const char *)&i, sizeof i}, &leaves[i]);
}

/* -- the definition -- */

static uint64_t
below(uint64_t n)
{
    uint64_t k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

/* MTH(D[n]) */
static struct ll_hash
naive_root(const struct ll_hash *d, uint64_t n)
{
    struct ll_hash left, right, out;
    if (n == 0) {
        ll_sha256("", 0, out.bytes);
        return out;
    }
    if (n == 1)
        return d[0];
    uint64_t k = below(n);
    left = naive_root(d, k);
    right = naive_root(d + k, n - k);
    ll_merkle_node(&left, &right, &out);
    return out;
}

/* PATH(m, D[n]) */
static void
naive_path(
    const struct ll_hash *d, uint64_t m, uint64_t n, struct ll_proof *out)
{
    if (n == 1)
        return;
    uint64_t k = below(n);
    if (m < k) {
        naive_path(d, m, k, out);
        out->hashes[out->count++] = naive_root(d + k, n - k);
    } else {
        naive_path(d + k, m - k, n - k, out);
        out->hashes[out->count++] = naive_root(d, k);
    }
}

/* SUBPROOF(m, D[n], b) */
static void
naive_grown(const struct ll_hash *d, uint64_t m, uint64_t n, bool b,
    struct ll_proof *out)
{
    if (m == n) {
        if (!b)
            out->hashes[out->count++] = naive_root(d, m);
        return;
    }
    uint64_t k = below(n);
    if (m <= k) {
        naive_grown(d, m, k, b, out);
        out->hashes[out->count++] = naive_root(d + k, n - k);
    } else {
        naive_grown(d + k, m - k, n - k, false, out);
        out->hashes[out->count++] = naive_root(d, k);
    }
}

/* -- known answers -- */

static size_t
unhex(const char *text, unsigned char *out)
{
    size_t n = 0;
    for (; text[2 * n] != '\0'; n++) {
        unsigned byte;
        sscanf(text + 2 * n, "%2x", &byte);
        out[n] = (unsigned char)byte;
    }
    return n;
}

static const char *const ct_leaves[] = {"", "00", "10", "2021", "3031",
    "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const ct_roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static void
hash_is(const struct ll_hash *hash, const char *want)
{
    char text[2 * LL_SHA256_BYTES + 1];
    ll_hex(hash->bytes, LL_SHA256_BYTES, text);
    T_STR(ll_cstr(text), want);
}

struct naive_nodes {
    const struct ll_hash *leaves;
    uint64_t size;
    uint64_t asked, refuse; /* node of which it says that it is not there */
};

static bool
naive_get(void *user, unsigned level, uint64_t index, struct ll_hash *out)
{
    struct naive_nodes *n = user;
    uint64_t count = UINT64_C(1) << level;
    T_OK((index + 1) * count <= n->size);
    *out = naive_root(n->leaves + index * count, count);
    return ++n->asked != n->refuse;
}

T_CASE(known_roots_and_proofs)
{
    struct ll_merkle tree = {0};
    struct ll_hash hashes[8], root;
    for (int i = 0; i <= 8; i++) {
        unsigned char bytes[16];
        ll_merkle_root(&tree, &root);
        hash_is(&root, ct_roots[i]);
        if (i == 8)
            break;
        size_t n = unhex(ct_leaves[i], bytes);
        ll_merkle_leaf((linli_str){(const char *)bytes, n}, &hashes[i]);
        ll_merkle_add(&tree, &hashes[i]);
    }
    struct naive_nodes naive = {.leaves = hashes, .size = 8};
    struct ll_merkle_nodes nodes = {naive_get, &naive};
    struct ll_proof proof;
    T_OK(ll_merkle_prove(&nodes, 0, 8, &proof));
    T_INT(proof.count, 3);
    hash_is(&proof.hashes[0],
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
    hash_is(&proof.hashes[1],
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e");
    hash_is(&proof.hashes[2],
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
    T_OK(ll_merkle_prove_grown(&nodes, 6, 8, &proof));
    T_INT(proof.count, 3);
    hash_is(&proof.hashes[0],
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a");
    hash_is(&proof.hashes[1],
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
    hash_is(&proof.hashes[2],
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
}

/* -- against the definition -- */

T_CASE(a_tree_grows_to_every_root)
{
    struct ll_merkle tree = {0};
    struct ll_hash root, want;
    for (uint64_t n = 0; n < LEAVES_MAX; n++) {
        struct naive_nodes naive = {.leaves = leaves, .size = n};
        struct ll_merkle_nodes nodes = {naive_get, &naive};
        want = naive_root(leaves, n);
        ll_merkle_root(&tree, &root);
        T_OK(ll_hash_eq(&root, &want));
        T_OK(ll_merkle_root_at(&nodes, n, &root));
        T_OK(ll_hash_eq(&root, &want));
        ll_merkle_add(&tree, &leaves[n]);
    }
}

static bool
same(const struct ll_proof *a, const struct ll_proof *b)
{
    return a->count == b->count &&
           memcmp(a->hashes, b->hashes, a->count * sizeof a->hashes[0]) == 0;
}

/* Nothing but the proof itself is accepted: not one hash less or more, not a
 * flipped bit, not of another place, size or root. */
static void
only_this_proves(const struct ll_proof *proof, uint64_t index, uint64_t size)
{
    struct ll_hash root = naive_root(leaves, size);
    struct ll_proof other = *proof;
    const struct ll_hash *leaf = &leaves[index];
    T_OK(ll_merkle_proves(proof, leaf, index, size, &root));
    T_OK(!ll_merkle_proves(proof, &leaves[index + 1], index, size, &root));
    T_OK(!ll_merkle_proves(proof, leaf, size, size, &root));
    T_OK(!ll_merkle_proves(proof, leaf, index, size, &leaves[0]) || size == 1);
    for (uint64_t at = 0; at < size; at++)
        T_OK(at == index || !ll_merkle_proves(proof, leaf, at, size, &root));
    for (uint32_t i = 0; i < proof->count; i++) {
        other.hashes[i].bytes[i % 32] ^= 1;
        T_OK(!ll_merkle_proves(&other, leaf, index, size, &root));
        other.hashes[i].bytes[i % 32] ^= 1;
    }
    other.count++;
    T_OK(!ll_merkle_proves(&other, leaf, index, size, &root));
    other.count = proof->count - 1;
    T_OK(!ll_merkle_proves(&other, leaf, index, size, &root));
}

T_CASE(every_leaf_of_every_size_is_proved)
{
    for (uint64_t size = 1; size <= 70; size++) {
        struct naive_nodes naive = {.leaves = leaves, .size = size};
        struct ll_merkle_nodes nodes = {naive_get, &naive};
        struct ll_proof proof, want;
        for (uint64_t index = 0; index < size; index++) {
            T_OK(ll_merkle_prove(&nodes, index, size, &proof));
            want.count = 0;
            naive_path(leaves, index, size, &want);
            T_OK(same(&proof, &want));
            if (size % 8 < 3)
                only_this_proves(&proof, index, size);
        }
        T_OK(!ll_merkle_prove(&nodes, size, size, &proof));
    }
}

T_CASE(every_growth_is_proved)
{
    for (uint64_t to = 0; to <= 70; to++) {
        struct naive_nodes naive = {.leaves = leaves, .size = to};
        struct ll_merkle_nodes nodes = {naive_get, &naive};
        struct ll_hash to_root = naive_root(leaves, to);
        struct ll_proof proof, want;
        for (uint64_t from = 0; from <= to; from++) {
            struct ll_hash from_root = naive_root(leaves, from);
            T_OK(ll_merkle_prove_grown(&nodes, from, to, &proof));
            want.count = 0;
            if (from > 0)
                naive_grown(leaves, from, to, true, &want);
            T_OK(same(&proof, &want));
            T_OK(
                ll_merkle_proves_grown(&proof, from, &from_root, to, &to_root));
            from_root.bytes[3] ^= 4;
            T_OK(!ll_merkle_proves_grown(
                &proof, from, &from_root, to, &to_root));
            from_root.bytes[3] ^= 4;
            for (uint32_t i = 0; i < proof.count; i++) {
                proof.hashes[i].bytes[31] ^= 0x80;
                T_OK(!ll_merkle_proves_grown(
                    &proof, from, &from_root, to, &to_root));
                proof.hashes[i].bytes[31] ^= 0x80;
            }
            proof.count++;
            T_OK(!ll_merkle_proves_grown(
                &proof, from, &from_root, to, &to_root));
        }
        T_OK(!ll_merkle_prove_grown(&nodes, to + 1, to, &proof));
    }
}

/* One that is not there makes it say so, after all others were asked for. */
T_CASE(all_nodes_are_asked_for)
{
    struct naive_nodes naive = {.leaves = leaves, .size = 299};
    struct ll_merkle_nodes nodes = {naive_get, &naive};
    struct ll_proof proof;
    struct ll_hash root;
    for (int what = 0; what < 3; what++) {
        naive.asked = naive.refuse = 0;
        uint64_t all = 0;
        for (uint64_t refuse = 0; refuse <= all; refuse++) {
            naive.asked = 0;
            naive.refuse = refuse;
            bool ok = what == 0 ? ll_merkle_root_at(&nodes, 299, &root)
                      : what == 1
                          ? ll_merkle_prove(&nodes, 77, 299, &proof)
                          : ll_merkle_prove_grown(&nodes, 77, 299, &proof);
            T_INT(ok, refuse == 0);
            if (refuse == 0)
                all = naive.asked;
            T_INT(naive.asked, all);
        }
        T_OK(all >= 3);
    }
}

T_CASE(nodes_are_in_tiles)
{
    for (unsigned level = 0; level <= 8; level++)
        for (uint64_t index = 0; (index + 1) << level <= LEAVES_MAX; index++) {
            struct ll_tile_place at = ll_tile_of(level, index);
            struct ll_hash want = naive_root(
                               leaves + (index << level), UINT64_C(1) << level),
                           got;
            T_INT(at.level, level / 8);
            T_INT(at.tile, level == 8 ? 0 : (index << level) / 256);
            if (level == 8)
                continue;
            T_OK(at.first + at.count <= 256);
            ll_tile_fold(leaves + at.tile * 256 + at.first, at.count, &got);
            T_OK(ll_hash_eq(&got, &want));
        }
}

T_MAIN(fill_leaves();
       T_RUN(known_roots_and_proofs) T_RUN(a_tree_grows_to_every_root) T_RUN(
           every_leaf_of_every_size_is_proved) T_RUN(every_growth_is_proved)
           T_RUN(all_nodes_are_asked_for) T_RUN(nodes_are_in_tiles))
