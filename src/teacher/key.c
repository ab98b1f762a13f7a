#include "teacher/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
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

static void put_base64(struct buf *out, const char *s, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)s;
    for (size_t i = 0; i + 2 < n; i += 3) {
        unsigned v = (unsigned)p[i] << 16 | (unsigned)p[i + 1] << 8 | p[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            buf_putc(out, digits[v >> shift & 63]);
    } /* the last one or two bytes depend on what follows: left out */
}

static void put_percent(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                     (c >= 'a' && c <= 'z') || strchr("-._~", c);
        buf_printf(out, plain ? "%c" : "%%%02X", c);
    }
}

static void put_hex(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%02x", (unsigned char)s[i]);
}

static void put_json(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '/')
            buf_putc(out, '\\');
        buf_putc(out, s[i]);
    }
}

/* Copies a form behind the others; one that equals the key is left out. */
static void keep_form(struct key *k, size_t *used, int i, const struct buf *b)
{
    if (i > 0 && b->len == k->len[0] && !memcmp(b->data, k->form[0], b->len))
        return;
    char *at = k->page + *used;
    memcpy(at, buf_str(b), b->len + 1);
    k->form[i] = at;
    k->len[i] = b->len;
    *used += b->len + 1;
}

static bool lock_page(struct key *k, size_t key_len, struct err *e)
{
    k->page_bytes = key_len * 12 + 64;
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
    void (*const put[])(struct buf *, const char *, size_t) = {
        NULL, put_base64, put_percent, put_hex, put_json};
    if (!lock_page(k, raw->len, e))
        return false;
    size_t used = 0;
    keep_form(k, &used, 0, raw);
    for (int i = 1; i < KEY_FORMS && raw->len >= SECRET_BYTES; i++) {
        struct buf form = BUF_INIT(0);
        put[i](&form, buf_str(raw), raw->len);
        keep_form(k, &used, i, &form);
        wipe(&form);
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

bool key_redact(const struct key *k, struct buf *b)
{
    bool found = false;
    for (int i = 0; i < KEY_FORMS && k->len[0] >= SECRET_BYTES; i++)
        if (k->form[i] && redact_form(k->form[i], k->len[i], b))
            found = true;
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
