#include "teacher/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/proc.h"
#include "config.h"

#define SECRET_BYTES 8 /* shorter keys are placeholders */
#define MARK "[key]"

/* ---- Sources ------------------------------------------------------------- */

/* The temporaries that a key passes through are wiped before they are
 * freed. */
static void wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    buf_free(b);
}

static bool from_env(const char *name, struct buf *out, struct err *e)
{
    char *value = getenv(name);
    if (!value || !*value)
        return err_set(e, ERR_ABSENT, _("the variable %s, which should hold "
                                        "the key, is not set"), name);
    buf_puts(out, value);
    explicit_bzero(value, strlen(value)); /* out of /proc/PID/environ too */
    unsetenv(name);
    return true;
}

static bool from_command(const char *line, struct buf *out, struct err *e)
{
    char **argv = proc_split(line);
    if (!argv)
        return err_set(e, ERR_INPUT, _("key_command cannot be read: a quote "
                                       "is open"));
    int status = proc_capture((const char *const *)argv, NULL, NULL, out, e);
    bool ok = status == 0;
    if (status > 0)
        err_set(e, ERR_ABSENT, _("key_command (%s) ended with %d"), argv[0],
                status);
    proc_free_argv(argv);
    return ok;
}

static bool from_file(const char *path, struct buf *out, struct err *e)
{
    return file_is_secret(path, e) && file_read(path, KEY_BYTES, out, e);
}

/* ---- Forms --------------------------------------------------------------- */

/* Encodings of so many bits a digit. Text in front of the key, such as the
 * user's name of Basic authorization, moves its bits against the digits: each
 * place that the key can begin at is a form. */
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
static const struct {
    size_t bits, places;
    const char *alphabet;
} encodings[] = {
    {6, 3, UPPER LOWER DIGITS "+/"}, {6, 3, UPPER LOWER DIGITS "-_"},
    {5, 5, UPPER "234567"},          {5, 5, LOWER "234567"},
    {4, 1, DIGITS "abcdef"},         {4, 1, DIGITS "ABCDEF"},
};

/* The digits that depend on the key alone, `before` bytes standing in front
 * of it. */
static void put_digits(struct buf *out, const char *key, size_t n, int which,
                       size_t before)
{
    size_t bits = encodings[which].bits, from = 8 * before, end = from + 8 * n;
    for (size_t at = (from + bits - 1) / bits * bits; at + bits <= end;
         at += bits) {
        unsigned v = 0;
        for (size_t bit = at; bit < at + bits; bit++) {
            unsigned char c = (unsigned char)key[bit / 8 - before];
            v = v << 1 | (c >> (7 - bit % 8) & 1);
        }
        buf_putc(out, encodings[which].alphabet[v]);
    }
}

/* Copies a form behind the others. */
static void keep_form(struct key *k, size_t *used, const struct buf *b)
{
    char *at = k->page + *used;
    memcpy(at, buf_str(b), b->len + 1);
    k->form[k->n] = at;
    k->len[k->n++] = b->len;
    *used += b->len + 1;
}

static bool lock_page(struct key *k, size_t key_len, struct err *e)
{
    k->page_bytes = KEY_FORMS * (2 * key_len + 2);
    k->page = mmap(NULL, k->page_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (k->page == MAP_FAILED) {
        k->page = NULL;
        return err_sys(e, _("no memory for the key"));
    }
    mlock(k->page, k->page_bytes); /* a limit of 0 leaves it unlocked */
    madvise(k->page, k->page_bytes, MADV_DONTDUMP);
    return true;
}

static bool keep(struct key *k, const struct buf *raw, struct err *e)
{
    if (!lock_page(k, raw->len, e))
        return false;
    size_t used = 0;
    keep_form(k, &used, raw);
    for (int i = 0; i < (int)COUNT(encodings); i++) {
        size_t places = raw->len < SECRET_BYTES ? 0 : encodings[i].places;
        for (size_t before = 0; before < places; before++) {
            struct buf form = BUF_INIT(0);
            put_digits(&form, buf_str(raw), raw->len, i, before);
            keep_form(k, &used, &form);
            wipe(&form);
        }
    }
    return true;
}

/* Trims line ends and blanks; what remains must fit in a header. */
static bool clean(struct buf *b, struct err *e)
{
    while (b->len && strchr(" \t\r\n", b->data[b->len - 1]))
        buf_drop(b, 1);
    if (!b->len)
        return err_set(e, ERR_INPUT, _("the key is empty"));
    for (size_t i = 0; i < b->len; i++)
        if ((unsigned char)b->data[i] <= 0x20 || b->data[i] == 0x7f)
            return err_set(e, ERR_INPUT, _("the key holds a blank or a "
                                           "control character"));
    return true;
}

static void no_core(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
#ifndef WITH_SANITIZERS /* the leak checker traces its own process */
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

bool key_load(struct key *k, const struct profile *p, struct err *e)
{
    *k = (struct key){0};
    if (!p->key_env && !p->key_command && !p->key_file)
        return true;
    no_core();
    struct buf raw = BUF_INIT(KEY_BYTES);
    bool ok = p->key_env       ? from_env(p->key_env, &raw, e)
              : p->key_command ? from_command(p->key_command, &raw, e)
                               : from_file(p->key_file, &raw, e);
    if (ok && raw.failed)
        ok = err_set(e, ERR_INPUT, _("the key is longer than %d bytes"),
                     KEY_BYTES);
    ok = ok && clean(&raw, e) && keep(k, &raw, e);
    wipe(&raw);
    return ok || err_in(e, _("teacher %s"), p->name);
}

void key_free(struct key *k)
{
    if (k->page) {
        explicit_bzero(k->page, k->page_bytes);
        munmap(k->page, k->page_bytes);
    }
    *k = (struct key){0};
}

/* ---- Redaction ----------------------------------------------------------- */

static bool redact_form(const char *form, size_t n, struct buf *b)
{
    char *hit = b->len >= n ? memmem(b->data, b->len, form, n) : NULL;
    if (!hit)
        return false;
    struct buf out = BUF_INIT(b->max);
    size_t at = 0;
    while (hit) {
        buf_add(&out, b->data + at, (size_t)(hit - b->data) - at);
        buf_puts(&out, MARK);
        at = (size_t)(hit - b->data) + n;
        hit = memmem(b->data + at, b->len - at, form, n);
    }
    buf_add(&out, b->data + at, b->len - at);
    wipe(b);
    *b = out;
    return true;
}

static int hex_value(char c)
{
    const char *digits = DIGITS "abcdefABCDEF", *at = strchr(digits, c);
    return !c || !at ? -1 : (int)(at - digits) - (at - digits > 15 ? 6 : 0);
}

/* Whether n characters from s are the number c in hex. */
static bool is_hex(const char *s, size_t n, unsigned c)
{
    unsigned v = 0;
    for (size_t i = 0; i < n; i++) {
        int digit = hex_value(s[i]);
        if (digit < 0)
            return false;
        v = v << 4 | (unsigned)digit;
    }
    return v == c;
}

/* &#115; or &#x73; */
static size_t entity(const char *s, size_t n, unsigned c)
{
    char want[2][16];
    snprintf(want[0], sizeof want[0], "&#%u;", c);
    snprintf(want[1], sizeof want[1], "&#x%x;", c);
    for (int i = 0; i < 2; i++)
        if (strlen(want[i]) <= n && !strncasecmp(s, want[i], strlen(want[i])))
            return strlen(want[i]);
    return 0;
}

/* How long the character c is at s: as it is, %73, \u0073, \x73, \/ or an
 * entity; 0 where another stands there. */
static size_t spelled(const char *s, size_t n, char c)
{
    unsigned char u = (unsigned char)c;
    if (n && *s == c)
        return 1;
    if (n >= 3 && *s == '%' && is_hex(s + 1, 2, u))
        return 3;
    if (n >= 6 && !strncmp(s, "\\u", 2) && is_hex(s + 2, 4, u))
        return 6;
    if (n >= 4 && !strncmp(s, "\\x", 2) && is_hex(s + 2, 2, u))
        return 4;
    if (n >= 2 && *s == '\\' && s[1] == c)
        return 2;
    return n >= 4 && *s == '&' ? entity(s, n, u) : 0;
}

/* How long the key is at s, in any spelling of its characters; 0: it does not
 * stand there. */
static size_t key_at(const struct key *k, const char *s, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < k->len[0]; i++) {
        size_t m = spelled(s + at, n - at, k->form[0][i]);
        if (!m)
            return 0;
        at += m;
    }
    return at;
}

static bool redact_spelled(const struct key *k, struct buf *b)
{
    bool found = false;
    struct buf out = BUF_INIT(b->max);
    size_t from = 0;
    for (size_t i = 0; i < b->len;) {
        size_t n = key_at(k, b->data + i, b->len - i);
        if (n) {
            buf_add(&out, b->data + from, i - from);
            buf_puts(&out, MARK);
            from = i + n;
            found = true;
        }
        i += n ? n : 1;
    }
    if (!found)
        return false;
    buf_add(&out, b->data + from, b->len - from);
    wipe(b);
    *b = out;
    return true;
}

bool key_redact(const struct key *k, struct buf *b)
{
    if (k->len[0] < SECRET_BYTES)
        return false;
    bool found = redact_spelled(k, b);
    for (int i = 1; i < k->n; i++)
        found = redact_form(k->form[i], k->len[i], b) || found;
    return found;
}

bool key_redact_text(const struct key *k, char **text)
{
    if (!*text)
        return false;
    struct buf b = BUF_INIT(0);
    buf_puts(&b, *text);
    bool found = key_redact(k, &b);
    if (found) {
        explicit_bzero(*text, strlen(*text));
        free(*text);
        *text = buf_take(&b);
    }
    wipe(&b);
    return found;
}

/* The length of the longest piece of the key that stands at s. */
static size_t piece_at(const struct key *k, const char *s, size_t n)
{
    size_t best = 0;
    for (size_t i = 0; i + SECRET_BYTES <= k->len[0]; i++) {
        size_t m = 0;
        while (m < n && i + m < k->len[0] && s[m] == k->form[0][i + m])
            m++;
        best = m > best ? m : best;
    }
    return best;
}

void key_redact_pieces(const struct key *k, struct buf *b)
{
    key_redact(k, b);
    if (k->len[0] < SECRET_BYTES)
        return;
    struct buf out = BUF_INIT(b->max);
    for (size_t i = 0; i < b->len;) {
        size_t n = piece_at(k, b->data + i, b->len - i);
        if (n >= SECRET_BYTES)
            buf_puts(&out, MARK);
        else
            buf_putc(&out, b->data[i]);
        i += n >= SECRET_BYTES ? n : 1;
    }
    wipe(b);
    *b = out;
}
