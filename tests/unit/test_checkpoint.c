/* tests/unit/test_checkpoint.c: signed notes against answers that another
 * implementation of Ed25519 gave, and every way in which one is not right. */
#include "t.h"

#include "base/text.h"
#include "domain/checkpoint.h"

#define ORIGIN "linli.example/log"
/* Of the seed 00 01 .. 1f; made with Python's cryptography package. */
#define VKEY ORIGIN "+52683896+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define ROOT "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="
#define BODY ORIGIN "\n8\n" ROOT "\n"
#define SIGNED                                                              \
    "\xe2\x80\x94 " ORIGIN                                                  \
    " Umg4ljDLmkniTeMJq7+F70drsuDrr8RM/8SxzJFfaRvkTBUs1L8/G9MS6i9VvEA+gXcm" \
    "WbcOu2GHUUTqoiL4Q9EIfQY=\n"
#define NOTE BODY "\n" SIGNED

static const unsigned char root_bytes[] = {0x5d, 0xc9, 0xda, 0x79, 0xa7, 0x06,
    0x59, 0xa9, 0xad, 0x55, 0x9c, 0xb7, 0x01, 0xde, 0xd9, 0xa2, 0xab, 0x9d,
    0x82, 0x3a, 0xad, 0x2f, 0x49, 0x60, 0xcf, 0xe3, 0x70, 0xef, 0xf4, 0x60,
    0x43, 0x28};

static struct ll_mem mem;
static unsigned char seed[LL_ED25519_BYTES];
static struct ll_vkey key;

static void
make_key(void)
{
    ll_mem_init(&mem, 0);
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (unsigned char)i;
    ll_vkey_of(seed, LINLI_STR(ORIGIN), &key);
}

T_CASE(a_key_has_its_text)
{
    struct ll_buf out;
    struct ll_vkey read;
    ll_buf_init(&out, &mem, 1024);
    ll_vkey_put(&out, &key);
    T_STR(ll_buf_view(&out), VKEY);
    T_OK(ll_vkey_read(ll_buf_view(&out), &read));
    T_OK(ll_vkey_eq(&key, &read));
    for (size_t i = 0; i < out.len; i++) {
        char before = out.ptr[i];
        for (int bit = 0; bit < 8; bit++) {
            out.ptr[i] = (char)(before ^ (1 << bit));
            T_OK(!ll_vkey_read(ll_buf_view(&out), &read));
        }
        out.ptr[i] = before;
    }
    for (size_t n = 0; n < out.len; n++)
        T_OK(!ll_vkey_read((linli_str){out.ptr, n}, &read));
    ll_buf_fini(&out);
}

T_CASE(origins_are_plain)
{
    char longest[LL_ORIGIN_BYTES_MAX + 1];
    memset(longest, 'x', sizeof longest);
    T_OK(ll_origin_valid(LINLI_STR("linli.example/log")));
    T_OK(ll_origin_valid((linli_str){longest, LL_ORIGIN_BYTES_MAX}));
    T_OK(!ll_origin_valid((linli_str){longest, sizeof longest}));
    T_OK(!ll_origin_valid(LINLI_STR("")));
    T_OK(!ll_origin_valid(LINLI_STR("a b")));
    T_OK(!ll_origin_valid(LINLI_STR("a+b")));
    T_OK(!ll_origin_valid(LINLI_STR("a\nb")));
    T_OK(!ll_origin_valid(LINLI_STR("\xe6\x9d\x8e")));
}

T_CASE(a_note_is_the_known_one)
{
    struct ll_buf out;
    struct ll_hash root;
    struct ll_checkpoint read;
    memcpy(&root, root_bytes, sizeof root);
    ll_buf_init(&out, &mem, LL_NOTE_BYTES_MAX);
    ll_checkpoint_put(&out, &key, seed, 8, &root);
    T_STR(ll_buf_view(&out), NOTE);
    T_INT(ll_checkpoint_read(ll_buf_view(&out), &read, NULL), LINLI_OK);
    T_STR(read.origin, ORIGIN);
    T_INT(read.size, 8);
    T_OK(ll_hash_eq(&read.root, &root));
    T_STR(read.signed_text, BODY);
    T_STR(read.signatures, SIGNED);
    T_OK(ll_checkpoint_signed(&read, &key));
    ll_buf_fini(&out);
}

static bool
accepted(linli_str note)
{
    struct ll_checkpoint read;
    return ll_checkpoint_read(note, &read, NULL) == LINLI_OK &&
           ll_checkpoint_signed(&read, &key);
}

/* The signature of Ed25519 is over every byte before the empty line, and a
 * signature has one text. */
T_CASE(every_flipped_bit_is_seen)
{
    char note[] = NOTE;
    T_OK(accepted(LINLI_STR(NOTE)));
    for (size_t i = 0; i < sizeof note - 1; i++)
        for (int bit = 0; bit < 8; bit++) {
            note[i] = (char)(note[i] ^ (1 << bit));
            T_OK(!accepted((linli_str){note, sizeof note - 1}));
            note[i] = (char)(note[i] ^ (1 << bit));
        }
    for (size_t n = 0; n < sizeof note - 1; n++)
        T_OK(!accepted((linli_str){note, n}));
}

T_CASE(others_may_sign_too)
{
    T_OK(accepted(LINLI_STR(BODY "\n\xe2\x80\x94 witness AAAA\n" SIGNED)));
    T_OK(accepted(LINLI_STR(NOTE "\xe2\x80\x94 witness.example/w AAAA\n")));
    /* One of another key by the same name does not stand in its place. */
    T_OK(!accepted(LINLI_STR(BODY "\n\xe2\x80\x94 " ORIGIN " AAAA\n")));
    T_OK(!accepted(LINLI_STR(BODY "\n")));
    T_OK(!accepted(LINLI_STR(NOTE "more\n")));
    T_OK(!accepted(LINLI_STR(NOTE "\n")));
}

T_CASE(other_texts_are_refused)
{
    static const char *const notes[] = {"", "\n", ORIGIN "\n",
        ORIGIN "\n8\n\n" SIGNED, ORIGIN "\n08\n" ROOT "\n\n" SIGNED,
        ORIGIN "\n-8\n" ROOT "\n\n" SIGNED, ORIGIN "\n+8\n" ROOT "\n\n" SIGNED,
        ORIGIN "\n8 \n" ROOT "\n\n" SIGNED,
        ORIGIN "\n281474976710656\n" ROOT "\n\n" SIGNED,
        ORIGIN "\n8\n" ROOT "=\n\n" SIGNED,
        ORIGIN "\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz-Nw7_RgQyg=\n\n" SIGNED,
        "a b\n8\n" ROOT "\n\n" SIGNED, "\n8\n" ROOT "\n\n" SIGNED};
    struct ll_checkpoint read;
    struct ll_err err;
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        T_INT(ll_checkpoint_read(ll_cstr(notes[i]), &read, &err),
            LINLI_E_INVALID);
        T_STR(ll_cstr(err.code), "log/checkpoint");
    }
    /* Lines that are not ours are signed with the rest. */
    T_INT(ll_checkpoint_read(
              LINLI_STR(BODY "more\nand more\n\n" SIGNED), &read, NULL),
        LINLI_OK);
    T_STR(read.signed_text, BODY "more\nand more\n");
    T_OK(!ll_checkpoint_signed(&read, &key));
}

T_CASE(of_another_origin_or_key)
{
    unsigned char other_seed[LL_ED25519_BYTES] = {7};
    struct ll_vkey other;
    struct ll_checkpoint read;
    T_INT(ll_checkpoint_read(LINLI_STR(NOTE), &read, NULL), LINLI_OK);
    ll_vkey_of(seed, LINLI_STR("other.example"), &other);
    T_OK(!ll_checkpoint_signed(&read, &other));
    ll_vkey_of(other_seed, LINLI_STR(ORIGIN), &other);
    T_OK(!ll_checkpoint_signed(&read, &other));
    T_OK(!ll_vkey_eq(&key, &other));
}

T_MAIN(make_key(); T_RUN(a_key_has_its_text) T_RUN(origins_are_plain)
           T_RUN(a_note_is_the_known_one) T_RUN(every_flipped_bit_is_seen)
               T_RUN(others_may_sign_too) T_RUN(other_texts_are_refused)
                   T_RUN(of_another_origin_or_key))
