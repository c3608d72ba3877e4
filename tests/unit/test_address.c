/* tests/unit/test_address.c: every range of the judge, at both its ends. */
#include "domain/address.h"

#include "base/text.h"
#include "t.h"

#define PUBLIC "public"

/* What is said of an address: its range, or PUBLIC. */
static linli_str
judged(const char *text)
{
    struct ll_address address;
    if (!ll_address_read(ll_cstr(text), &address))
        return LINLI_STR("no address");
    struct ll_address_verdict verdict = ll_address_judge(&address);
    if ((verdict.kind == LL_ADDRESS_PUBLIC) != (verdict.range == NULL))
        return LINLI_STR("a verdict that contradicts itself");
    return ll_cstr(verdict.range == NULL ? PUBLIC : verdict.range);
}

static enum ll_address_kind
kind_of(const char *text)
{
    struct ll_address address;
    T_OK(ll_address_read(ll_cstr(text), &address));
    return ll_address_judge(&address).kind;
}

/* An address before the range, its first and last, and the one after. */
struct row {
    const char *before, *first, *last, *next, *range;
};

static void
check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        T_STR(judged(rows[i].first), rows[i].range);
        T_STR(judged(rows[i].last), rows[i].range);
        if (rows[i].before != NULL)
            T_STR(judged(rows[i].before), PUBLIC);
        if (rows[i].next != NULL)
            T_STR(judged(rows[i].next), PUBLIC);
    }
}

T_CASE(ranges_of_ipv4_end_where_they_should)
{
    static const struct row rows[] = {
        {NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0", "this network, RFC 1122"},
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0",
            "private, RFC 1918"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0",
            "shared by carriers, RFC 6598"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0",
            "loopback, RFC 1122"},
        {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17",
            "the host of an Azure machine"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0",
            "link-local, RFC 3927"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0",
            "private, RFC 1918"},
        {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0",
            "IETF protocols, RFC 6890"},
        {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0",
            "documentation, RFC 5737"},
        {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0",
            "6to4 relays, RFC 7526"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0",
            "private, RFC 1918"},
        {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0",
            "benchmarks, RFC 2544"},
        {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0",
            "documentation, RFC 5737"},
        {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0",
            "documentation, RFC 5737"},
        {"223.255.255.255", "224.0.0.0", "239.255.255.255", NULL,
            "multicast, RFC 5771"},
        {NULL, "240.0.0.0", "255.255.255.254", NULL, "reserved, RFC 1112"},
        {NULL, "255.255.255.255", "255.255.255.255", NULL,
            "broadcast, RFC 919"},
    };
    check_rows(rows, LL_COUNT(rows));
    T_STR(judged("8.8.8.8"), PUBLIC);
    T_STR(judged("114.114.114.114"), PUBLIC);
}

T_CASE(ranges_of_ipv6_end_where_they_should)
{
    static const struct row rows[] = {
        {NULL, "::", "::", NULL, "unspecified, RFC 4291"},
        {NULL, "::1", "::1", NULL, "loopback, RFC 4291"},
        {NULL, "::2", "::ffff:ffff", NULL, "IPv4-compatible, RFC 4291"},
        {NULL, "::ffff:0:0", "::ffff:255.255.255.255", NULL,
            "IPv4-mapped, RFC 4291"},
        {NULL, "::ffff:0:0:0", "::ffff:0:ffff:ffff", NULL,
            "IPv4-translated, RFC 2765"},
        {NULL, "64:ff9b::", "64:ff9b::ffff:ffff", NULL, "NAT64, RFC 6052"},
        {NULL, "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", NULL,
            "NAT64, RFC 8215"},
        {NULL, "100::", "100::ffff:ffff:ffff:ffff", NULL,
            "discard-only, RFC 6666"},
        {NULL, "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
            "Teredo, RFC 4380"},
        {NULL, "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", NULL,
            "benchmarks, RFC 5180"},
        {NULL, "2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:200::", "IETF protocols, RFC 2928"},
        {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db9::", "documentation, RFC 3849"},
        {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2003::", "6to4, RFC 3056"},
        {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
            "3fff:1000::", "documentation, RFC 9637"},
        {NULL, "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
            "segment routing, RFC 9602"},
        {NULL, "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
            "unique local, RFC 4193"},
        {NULL, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
            "link-local, RFC 4291"},
        {NULL, "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
            "site-local, RFC 3879"},
        {NULL, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
            "multicast, RFC 4291"},
        /* What is in no row, and outside of 2000::/3. */
        {NULL, "64:ff9a::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2000::", "not global unicast, RFC 4291"},
        {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
            "not global unicast, RFC 4291"},
    };
    check_rows(rows, LL_COUNT(rows));
    T_STR(judged("2400:3200::1"), PUBLIC);
    T_STR(judged("2606:4700:4700::1111"), PUBLIC);
}

/* A public IPv4 address inside of an IPv6 one changes nothing. */
T_CASE(what_carries_ipv4_is_refused)
{
    static const char *const texts[] = {"::ffff:8.8.8.8", "::ffff:127.0.0.1",
        "::ffff:0:8.8.8.8", "::8.8.8.8", "::127.0.0.1", "64:ff9b::8.8.8.8",
        "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
        "2002:7f00:1::", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7"};
    for (size_t i = 0; i < LL_COUNT(texts); i++)
        T_INT(kind_of(texts[i]), LL_ADDRESS_NEVER);
}

/* What an operator may allow, and what nobody may. */
T_CASE(some_may_be_allowed)
{
    static const char *const some[] = {"10.0.0.5", "172.16.0.1", "192.168.1.1",
        "100.64.0.1", "127.0.0.1", "::1", "fd00::1"};
    static const char *const never[] = {"0.0.0.0", "169.254.169.254",
        "168.63.129.16", "224.0.0.1", "255.255.255.255", "::", "fe80::1",
        "ff02::1", "::ffff:10.0.0.5"};
    for (size_t i = 0; i < LL_COUNT(some); i++)
        T_INT(kind_of(some[i]), LL_ADDRESS_PRIVATE);
    for (size_t i = 0; i < LL_COUNT(never); i++)
        T_INT(kind_of(never[i]), LL_ADDRESS_NEVER);
}

static void
check_text(const char *text, const char *want, unsigned port)
{
    struct ll_address address;
    char again[LL_ADDRESS_TEXT_BYTES];
    T_OK(ll_address_read(ll_cstr(text), &address));
    T_INT(address.port, port);
    ll_address_text(&address, again);
    T_STR(ll_cstr(again), want);
}

T_CASE(addresses_are_read_and_written)
{
    check_text("1.2.3.4", "1.2.3.4", 0);
    check_text("255.255.255.255:65535", "255.255.255.255:65535", 65535);
    check_text("127.0.0.1:80", "127.0.0.1:80", 80);
    check_text("2001:DB8:0:0::1", "2001:db8::1", 0);
    check_text("[::1]:8080", "[::1]:8080", 8080);
    check_text("::ffff:1.2.3.4", "::ffff:1.2.3.4", 0);
    check_text("64:ff9b::1.2.3.4", "64:ff9b::102:304", 0);
}

T_CASE(what_is_no_address_is_refused)
{
    static const char *const texts[] = {"", "1", "1.2.3", "1.2.3.4.5",
        "1.2.3.256", "01.2.3.4", "1.2.3.04", "0x7f.0.0.1", "127.1",
        "2130706433", "1.2.3.-4", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536",
        "1.2.3.4:080", " 1.2.3.4", "1.2.3.4 ", "[1.2.3.4]:80", "[::1]",
        "[::1]:", "[::1", "::1%lo", "fe80::1%eth0", ":::", "1::2::3",
        "localhost", "1..2.3", "::ffff:1.2.3", "12345::"};
    struct ll_address address;
    for (size_t i = 0; i < LL_COUNT(texts); i++)
        T_OK(!ll_address_read(ll_cstr(texts[i]), &address));
    T_OK(!ll_address_read((linli_str){"::1\0", 4}, &address));
}

T_CASE(equal_means_the_port_too)
{
    struct ll_address a, b, c, d;
    T_OK(ll_address_read(LINLI_STR("127.0.0.1:80"), &a));
    T_OK(ll_address_read(LINLI_STR("127.0.0.1:81"), &b));
    T_OK(ll_address_read(LINLI_STR("127.0.0.2:80"), &c));
    T_OK(ll_address_read(LINLI_STR("[::1]:80"), &d));
    T_OK(ll_address_equal(&a, &a));
    T_OK(!ll_address_equal(&a, &b));
    T_OK(!ll_address_equal(&a, &c));
    T_OK(!ll_address_equal(&a, &d));
}

T_MAIN(T_RUN(ranges_of_ipv4_end_where_they_should) T_RUN(
    ranges_of_ipv6_end_where_they_should) T_RUN(what_carries_ipv4_is_refused)
        T_RUN(some_may_be_allowed) T_RUN(addresses_are_read_and_written) T_RUN(
            what_is_no_address_is_refused) T_RUN(equal_means_the_port_too))
