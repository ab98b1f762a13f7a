#include "model/serve/guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"

/* ---- How long the request is --------------------------------------------- */

/* What the headers say of it: a proxy in front of us must not read another end
 * of the body than we do (RFC 9112, sections 3.2, 5.1, 6.1 and 6.3). */
struct framing {
    unsigned lengths, encodings, hosts;
    bool odd; /* a name that is no token, or a value that is not plain */
};

static bool is_token(const char *s)
{
    size_t n = strspn(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return n && !s[n];
}

static enum MHD_Result look_at(void *ctx, enum MHD_ValueKind kind,
                               const char *name, const char *value)
{
    struct framing *f = ctx;
    const char *v = value ? value : "";
    (void)kind;
    f->odd = f->odd || !is_token(name);
    if (!strcasecmp(name, "Content-Length")) {
        f->lengths++;
        f->odd = f->odd || !*v || v[strspn(v, "0123456789")];
    } else if (!strcasecmp(name, "Transfer-Encoding")) {
        f->encodings++;
        f->odd = f->odd || strcasecmp(v, "chunked") != 0;
    } else if (!strcasecmp(name, "Host")) {
        f->hosts++;
    }
    return MHD_YES;
}

/* NULL where the length and the host are said once. */
static const char *unclear(struct MHD_Connection *c, const char *version)
{
    struct framing f = {0};
    bool newer = strcmp(version, "HTTP/1.0") != 0;
    MHD_get_connection_values(c, MHD_HEADER_KIND, look_at, &f);
    if (f.lengths + f.encodings > 1)
        return _("the length of the body is said more than once");
    if (f.odd || (f.encodings && !newer))
        return _("a header is not as HTTP has it");
    return f.hosts == 1 || (!f.hosts && !newer)
               ? NULL
               : _("HTTP/1.1 wants one Host header");
}

/* ---- Who asks ------------------------------------------------------------ */

/* The n characters of a host (with [] where it is IPv6) are this machine's. */
static bool is_loopback(const char *host, size_t n)
{
    static const char *const names[] = {"localhost", "[::1]"};
    char text[INET_ADDRSTRLEN];
    struct in_addr four;
    for (size_t i = 0; i < COUNT(names); i++)
        if (n == strlen(names[i]) && !strncasecmp(host, names[i], n))
            return true;
    if (n >= sizeof text)
        return false;
    memcpy(text, host, n);
    text[n] = '\0';
    return inet_pton(AF_INET, text, &four) == 1 &&
           ntohl(four.s_addr) >> 24 == 127;
}

/* "HOST" or "HOST:PORT" of this machine. */
static bool is_own(const char *host)
{
    const char *port = *host == '[' ? strchr(host, ']') : host;
    port = port ? strchr(port, ':') : NULL;
    return is_loopback(host, port ? (size_t)(port - host) : strlen(host));
}

/* A page in a browser that is not this machine's own, or that reaches us by a
 * name of its own: what a person visits must not use the student. */
static bool is_foreign(const struct guard *g, struct MHD_Connection *c)
{
    const char *origin = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
                                                     "Origin");
    const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    const char *of = origin ? strstr(origin, "://") : NULL;
    bool web = of && (!strncasecmp(origin, "http://", 7) ||
                      !strncasecmp(origin, "https://", 8));
    if (g->key) /* which no page of others has */
        return false;
    if (origin && !(web && is_own(of + 3)))
        return true;
    return host && strncmp(g->address, "unix:", 5) && !is_own(host);
}

/* Whether the request has the key; how long it takes tells nothing of where
 * they differ. */
static bool has_key(const struct guard *g, struct MHD_Connection *c)
{
    static const char scheme[] = "Bearer ";
    const char *given = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
                                                    "Authorization");
    size_t skip = sizeof scheme - 1, n = g->key ? strlen(g->key) : 0;
    if (!g->key)
        return true;
    if (!given || strncasecmp(given, scheme, skip) ||
        strlen(given + skip) != n)
        return false;
    unsigned differs = 0;
    for (size_t i = 0; i < n; i++)
        differs |= (unsigned)(given[skip + i] ^ g->key[i]);
    return !differs;
}

unsigned guard_check(const struct guard *g, struct MHD_Connection *c,
                     const char *version, bool open, const char **why)
{
    *why = unclear(c, version);
    if (*why)
        return MHD_HTTP_BAD_REQUEST;
    if (!open && !has_key(g, c)) {
        *why = _("this server answers who has its key: Authorization: Bearer "
                 "KEY");
        return MHD_HTTP_UNAUTHORIZED;
    }
    if (is_foreign(g, c)) {
        *why = _("pages of other sites are not answered, nor hosts of other "
                 "names");
        return MHD_HTTP_FORBIDDEN;
    }
    return 0;
}
