#include "cli/facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/say.h"
#include "cli/table.h"
#include "domain/chat.h"
#include "store/ids.h"

static bool for_people(const struct facts *f)
{
    return !f->c->json && !f->raw;
}

void facts_start(struct facts *f, struct cli *c, const char *raw,
                 const char *name, const char *title)
{
    *f = (struct facts){.c = c, .raw = raw, .out = BUF_INIT(0),
                        .keys = BUF_INIT(0)};
    snprintf(f->name, sizeof f->name, "%s", name);
    f->w = jw_start(&f->out);
    jw_open(&f->w, '{');
    if (for_people(f))
        say(stdout, "%s  %s\n", name, title);
}

bool facts_end(struct facts *f)
{
    bool ok = !f->raw || f->given;
    jw_close(&f->w);
    if (!f->raw && f->c->json)
        cli_print(&f->out);
    if (!ok && f->known)
        err_set(&f->c->e, ERR_ABSENT, _("%s has no %s"), f->name, f->raw);
    else if (!ok)
        err_set(&f->c->e, ERR_USAGE, _("%s has no text %s: there is %s"),
                f->name, f->raw, f->keys.len ? buf_str(&f->keys) : "-");
    buf_free(&f->out);
    buf_free(&f->keys);
    return ok;
}

static const struct column columns[] = {{"", 12}, {"", 0}};

/* One line for people. */
static void line(const struct facts *f, const char *label, const char *value)
{
    if (for_people(f) && label)
        table_row(columns, "  %s\t%s", _(label), value);
}

void fact_int(struct facts *f, const char *key, const char *label, int64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)v);
    jw_kint(&f->w, key, v);
    line(f, label, text);
}

void fact_money(struct facts *f, const char *key, const char *label, double v)
{
    char text[40];
    jw_knum(&f->w, key, v);
    if (!isnan(v))
        line(f, label, lang_money(text, sizeof text, v, v < 1 ? 6 : 2));
}

void fact_id(struct facts *f, const char *key, const char *label, char letter,
             int64_t id)
{
    char text[24], *at = text;
    if (letter)
        *at++ = letter;
    snprintf(at, sizeof text - 1, "%lld", (long long)id);
    jw_kint(&f->w, key, id);
    if (id)
        line(f, label, text);
}

void fact_ids(struct facts *f, const char *key, const char *label,
              char letter, const ids *list)
{
    struct buf text = BUF_INIT(0);
    if (letter)
        buf_putc(&text, letter);
    ids_print(list, &text);
    jw_key(&f->w, key);
    jw_open(&f->w, '[');
    for (size_t i = 0; i < list->n; i++)
        jw_int(&f->w, list->at[i]);
    jw_close(&f->w);
    if (list->n)
        line(f, label, buf_str(&text));
    buf_free(&text);
}

void fact_time(struct facts *f, const char *key, const char *label,
               int64_t at)
{
    char text[40];
    jw_kint(&f->w, key, at);
    if (at)
        line(f, label, clock_format(text, sizeof text, at, 0));
}

void fact_str(struct facts *f, const char *key, const char *label,
              const char *s)
{
    jw_kstr(&f->w, key, s);
    if (s && *s)
        line(f, label, s);
}

void fact_json(struct facts *f, const char *key, const char *label,
               const char *text)
{
    jw_key(&f->w, key);
    if (text)
        jw_raw(&f->w, text);
    else
        jw_null(&f->w);
    if (text && *text)
        line(f, label, text);
}

/* Whether --raw wants this one; then it is given, byte for byte. */
static void give(struct facts *f, const char *key, const char *s, size_t n)
{
    buf_printf(&f->keys, f->keys.len ? ", %s" : "%s", key);
    if (!f->raw || strcmp(f->raw, key))
        return;
    f->known = true;
    f->given = s != NULL;
    if (s)
        fwrite(s, 1, n, stdout);
}

/* A heading and the text below it. */
static void block(const struct facts *f, const char *label, const char *s,
                  size_t n)
{
    struct buf clean = BUF_INIT(0);
    if (!for_people(f) || !label || !s)
        return;
    say_clean(&clean, s, n, say_ascii(stdout), false);
    say(stdout, "--- %s\n", _(label));
    fwrite(buf_str(&clean), 1, clean.len, stdout);
    fputc('\n', stdout);
    buf_free(&clean);
}

void fact_text(struct facts *f, const char *key, const char *label,
               const char *s, size_t n)
{
    struct buf quoted = BUF_INIT(0);
    give(f, key, s, n);
    json_quote(&quoted, s ? s : "", n);
    jw_key(&f->w, key);
    jw_raw(&f->w, s ? buf_str(&quoted) : "null");
    buf_free(&quoted);
    block(f, label, s, n);
}

void fact_chat(struct facts *f, const char *key, const char *label,
               const char *messages)
{
    struct buf text = BUF_INIT(0);
    char *last = messages ? prompt_text(messages) : NULL;
    give(f, key, last, last ? strlen(last) : 0);
    jw_key(&f->w, key);
    if (messages)
        jw_raw(&f->w, messages);
    else
        jw_null(&f->w);
    chat_to_people(messages, &text);
    block(f, label, messages ? buf_str(&text) : NULL, text.len);
    buf_free(&text);
    free(last);
}
