#include "base/say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/sig.h"
#include "base/utf8.h"

static void mark(struct buf *out, uint32_t value, bool ascii)
{
    buf_printf(out, ascii ? "<%02X>" : "\u2039%02X\u203a", (unsigned)value);
}

void say_clean(struct buf *out, const char *s, size_t n, bool ascii,
               bool one_line)
{
    size_t emoji = 0; /* the end of one */
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        size_t len = utf8_get(s + i, n - i, &cp);
        if (!len) {
            mark(out, (unsigned char)s[i++], ascii);
            continue;
        }
        if (i >= emoji)
            emoji = i + utf8_emoji(s + i, n - i);
        enum cp_class k = cp_class(cp);
        bool layout = k == CP_NEWLINE || k == CP_TAB;
        bool hidden = k >= CP_CONTROL && k != CP_MARK;
        if (layout && one_line)
            buf_putc(out, ' ');
        else if (hidden && i >= emoji)
            mark(out, cp, ascii);
        else if (ascii && cp >= 0x80)
            buf_puts(out, k == CP_MARK || hidden ? "" : "?");
        else if (!hidden)
            buf_add(out, s + i, len);
        i += len;
    }
}

bool say_ascii(FILE *f)
{
    return !lang_utf8() && isatty(fileno(f));
}

void say(FILE *f, const char *fmt, ...)
{
    struct buf raw = BUF_INIT(0), clean = BUF_INIT(0);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&raw, fmt, ap);
    va_end(ap);
    say_clean(&clean, buf_str(&raw), raw.len, say_ascii(f), false);
    fwrite(buf_str(&clean), 1, clean.len, f);
    buf_free(&raw);
    buf_free(&clean);
}

static void escape(struct buf *out, uint32_t cp)
{
    if (cp >= 0x10000) {
        buf_printf(out, "\\u%04x", (unsigned)(0xd7c0 + (cp >> 10)));
        cp = 0xdc00 + (cp & 0x3ff);
    }
    buf_printf(out, "\\u%04x", (unsigned)cp);
}

void say_json(FILE *f, const char *json, size_t n)
{
    struct buf out = BUF_INIT(0);
    size_t from = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        size_t len = utf8_get(json + i, n - i, &cp);
        enum cp_class k = cp < 0x7f ? CP_PLAIN : cp_class(cp);
        if (len && k >= CP_CONTROL && k != CP_MARK) {
            buf_add(&out, json + from, i - from);
            escape(&out, cp);
            from = i + len;
        }
        i += len ? len : 1;
    }
    buf_add(&out, json + from, n - from);
    buf_putc(&out, '\n');
    fwrite(buf_str(&out), 1, out.len, f);
    buf_free(&out);
}

int say_err(const char *program, const struct err *e)
{
    struct buf clean = BUF_INIT(0);
    say_clean(&clean, e->text, strlen(e->text), !lang_utf8(), false);
    fprintf(stderr, "%s: %s\n", program, buf_str(&clean));
    buf_free(&clean);
    return err_exit(e);
}

void say_start(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            abort();
}

/* Whether the reader of standard output has gone. */
static bool unread(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO};
    return poll(&p, 1, 0) == 1 && p.revents & POLLERR;
}

int say_end(const char *program, int code)
{
    struct err e;
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout))
        return code;
    if (errno != EPIPE && !unread()) {
        const char *what = _("standard output cannot be written");
        if (errno)
            err_sys(&e, "%s", what);
        else /* an earlier write failed, and why is not known any more */
            err_set(&e, ERR_SYSTEM, "%s", what);
        return say_err(program, &e);
    }
    sig_release(SIGPIPE);
    raise(SIGPIPE);
    return 128 + SIGPIPE;
}
