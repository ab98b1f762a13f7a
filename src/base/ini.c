#include "base/ini.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"

#define LINE_MAX_BYTES 4000

struct state {
    ini_fn *fn;
    void *ctx;
    struct lines lines;
    const char *path;
    struct err *e;
    bool failed;
};

static bool refuse(struct state *s)
{
    s->failed = true;
    return err_in(s->e, _("%s line %llu"), s->path,
                  (unsigned long long)s->lines.number);
}

static bool line_is_clean(struct state *s)
{
    const struct buf *l = &s->lines.line;
    if (s->lines.too_long) {
        err_set(s->e, ERR_INPUT, _("longer than %d bytes"), LINE_MAX_BYTES);
        return refuse(s);
    }
    for (size_t i = 0; i < l->len; i++) {
        unsigned char c = (unsigned char)l->data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            err_set(s->e, ERR_INPUT, _("a control character (%02X)"), c);
            return refuse(s);
        }
    }
    return true;
}

/* inih's reader: one line of ours, cut to its buffer by its own contract.
 * Blanks before it are left out: inih would take an indented key for more of
 * the value before. */
static char *next_line(char *out, int cap, void *stream)
{
    struct state *s = stream;
    if (s->failed || !lines_next(&s->lines, s->e)) {
        s->failed = s->failed || s->lines.failed;
        return NULL;
    }
    if (!line_is_clean(s))
        return NULL;
    const char *line = buf_str(&s->lines.line);
    line += strspn(line, " \t");
    size_t n = strlen(line);
    if (n + 2 > (size_t)cap) {
        err_set(s->e, ERR_INPUT, _("longer than %d bytes"), cap - 2);
        refuse(s);
        return NULL;
    }
    memcpy(out, line, n);
    memcpy(out + n, "\n", 2);
    return out;
}

static int on_pair(void *user, const char *section, const char *name,
                   const char *value)
{
    struct state *s = user;
    if (s->failed)
        return 0;
    if (s->fn(s->ctx, section, name ? name : "", value ? value : "", s->e))
        return 1;
    refuse(s);
    return 0;
}

bool ini_read(const char *path, ini_fn *fn, void *ctx, struct err *e)
{
    struct state s = {.fn = fn, .ctx = ctx, .path = path, .e = e};
    if (!file_exists(path))
        return true;
    if (!lines_open(&s.lines, path, LINE_MAX_BYTES, e))
        return false;
    int wrong = ini_parse_stream(next_line, &s, on_pair, &s);
    lines_close(&s.lines);
    if (s.failed)
        return false;
    if (wrong)
        return err_set(e, ERR_INPUT, _("%s line %d: neither [section] nor "
                       "name = value"), path, wrong);
    return true;
}
