/* tests/unit/fake_dns.h: what libcurl's resolver is told of names. */
#ifndef FAKE_DNS_H
#define FAKE_DNS_H

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static atomic_bool dns_hangs; /* "hangs.test" has no answer yet */
static atomic_int dns_asked;  /* of names that end in ".test" */

static const char *const dns_names[][2] = {
    {"private.test", "10.0.0.5"},
    {"metadata.test", "169.254.169.254"},
    {"mapped.test", "::ffff:10.0.0.5"},
    {"near.test", "127.0.0.1"},
};

/* Stands before libc's, which libcurl would call. Other names that end in
 * ".test" do not exist. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **out)
{
    int (*libc)(const char *, const char *, const struct addrinfo *,
        struct addrinfo **);
    *(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo");
    size_t n = name == NULL ? 0 : strlen(name);
    if (n < 5 || strcmp(name + n - 5, ".test") != 0)
        return libc(name, service, hints, out);
    dns_asked++;
    while (dns_hangs && strcmp(name, "hangs.test") == 0)
        usleep(1000);
    for (size_t i = 0; i < sizeof dns_names / sizeof dns_names[0]; i++)
        if (strcmp(name, dns_names[i][0]) == 0) {
            struct addrinfo numeric = *hints;
            numeric.ai_family = AF_UNSPEC;
            return libc(dns_names[i][1], service, &numeric, out);
        }
    return EAI_NONAME;
}

#endif
