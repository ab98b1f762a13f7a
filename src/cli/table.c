#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/lang.h"
#include "base/say.h"
#include "base/utf8.h"

static int cells(const char *s, size_t n)
{
    int wide = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        size_t len = utf8_get(s + i, n - i, &cp);
        wide += len ? cp_width(cp) : 1;
        i += len ? len : 1;
    }
    return wide;
}

static void put_cell(struct buf *line, const char *s, size_t n, int width)
{
    int pad = (width < 0 ? -width : width) - cells(s, n);
    for (int i = 0; width < 0 && i < pad; i++)
        buf_putc(line, ' ');
    buf_add(line, s, n);
    for (int i = 0; width > 0 && i < pad; i++)
        buf_putc(line, ' ');
}

static void end_line(FILE *to, struct buf *line)
{
    while (line->len && line->data[line->len - 1] == ' ')
        buf_drop(line, 1);
    say(to, "%s\n", buf_str(line));
    buf_free(line);
}

void table_head(const struct cli *c, const struct column *columns)
{
    struct buf line = BUF_INIT(0);
    if (c->json)
        return;
    for (const struct column *k = columns;; k++) {
        const char *head = *k->head ? _(k->head) : "";
        put_cell(&line, head, strlen(head), k->width);
        if (!k->width)
            break;
        buf_puts(&line, "  ");
    }
    end_line(stderr, &line);
}

void table_row(const struct column *columns, const char *fmt, ...)
{
    struct buf text = BUF_INIT(0), line = BUF_INIT(0);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    const char *at = buf_str(&text);
    for (const struct column *k = columns; k->width; k++) {
        size_t n = strcspn(at, "\t");
        put_cell(&line, at, n, k->width);
        buf_puts(&line, "  ");
        at += n + (at[n] == '\t');
    }
    buf_puts(&line, at);
    end_line(stdout, &line);
    buf_free(&text);
}
