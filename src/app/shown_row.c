#include "app/shown_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/query.h"
#include "verbs/rows.h"

#define CHUNK 64 /* samples that are asked for at once */

void shown_row_free(struct shown_row *r)
{
    free(r->asked);
    free(r->answer);
    free(r->worse);
    free(r->messages);
    *r = (struct shown_row){0};
}

static char *said(const struct message *m)
{
    return xstrdup(m ? answer_words(m) : "");
}

/* The row's messages; of sft_pc only the answer is trained. */
static void put_messages(const struct export_row *row, bool with_answer,
                         struct buf *out)
{
    struct chat c = {0};
    c.tools = row->tools ? xstrdup(row->tools) : NULL;
    for (size_t i = 0; i < row->n_prompt; i++) {
        chat_add_copy(&c, &row->prompt[i]);
        if (row->shape == SHAPE_SFT_PC && with_answer)
            c.at[i].masked = true;
    }
    if (with_answer && row->answer)
        chat_add_copy(&c, row->answer);
    bool bare = with_answer && !c.tools;
    buf_puts(out, bare ? "{\"messages\":" : "");
    chat_print(&c, out);
    buf_puts(out, bare ? "}\n" : with_answer ? "\n" : "");
    chat_free(&c);
}

static void take(const struct export_row *row, struct shown_row *r)
{
    struct buf asked = BUF_INIT(0), plain = BUF_INIT(0), all = BUF_INIT(0);
    shown_row_free(r);
    r->sample = row->sample;
    r->shape = row->shape;
    r->split = row->split;
    r->label = row->label;
    r->from_order = row->from.why && !strcmp(row->from.why, "order");
    put_messages(row, false, &asked);
    chat_to_people(buf_str(&asked), &plain);
    r->asked = buf_take(&plain);
    r->answer = said(row->answer);
    r->worse = row->worse ? said(row->worse) : NULL;
    if (row->shape == SHAPE_SFT || row->shape == SHAPE_SFT_PC) {
        put_messages(row, true, &all);
        r->messages = buf_take(&all);
    }
    buf_free(&asked);
    buf_free(&plain);
    buf_free(&all);
}

void shown_row_read(struct store *s, enum shape shape, int64_t sample, int n,
                    struct shown_row *r)
{
    struct row_form form = {.filter = ""};
    const struct export_row *row;
    int of = 0;
    form.shapes[shape] = true;
    shown_row_free(r);
    struct row_walk *w = row_walk_of(s, &form, sample);
    while (row_walk_next(w, &row, NULL) && row) {
        if (n < 0 || of == n) {
            take(row, r);
            r->n = of;
        }
        of++;
    }
    r->of = of;
    row_walk_free(&w);
}

/* Reads the first or the last row of the samples in turn. */
static bool look_through(struct store *s, const ids *list, enum shape shape,
                         int by, struct shown_row *r)
{
    struct shown_row next = {0};
    for (size_t i = 0; i < list->n; i++) {
        shown_row_read(s, shape, list->at[i], by > 0 ? 0 : -1, &next);
        if (next.sample) {
            shown_row_free(r);
            *r = next;
            return true;
        }
    }
    return false;
}

static bool step_samples(struct store *s, const struct query *q,
                         enum shape shape, int by, size_t most,
                         struct shown_row *r)
{
    int64_t at = r->sample ? r->sample : by > 0 ? 0 : INT64_MAX;
    bool found = false;
    for (size_t seen = 0, rounds = 0; !found && seen < most;) {
        ids list = {0};
        bool ok = by > 0 ? query_ids(s, q, at, CHUNK, &list, NULL)
                         : query_ids_back(s, q, at, CHUNK, &list, NULL);
        found = ok && look_through(s, &list, shape, by, r);
        seen += list.n;
        at = list.n ? list.at[list.n - 1] : by > 0 ? 0 : INT64_MAX;
        bool end = list.n < CHUNK;
        VEC_FREE(&list);
        if (!ok || (end && rounds++))
            break;
        if (end)
            at = by > 0 ? 0 : INT64_MAX;
    }
    return found;
}

bool shown_row_step(struct store *s, int64_t target, const char *filter,
                    enum shape shape, int by, size_t most,
                    struct shown_row *r)
{
    int n = r->n + by;
    if (r->sample && r->shape == shape && n >= 0 && n < r->of) {
        shown_row_read(s, shape, r->sample, n, r);
        return r->sample != 0;
    }
    struct filter f;
    char *text = xasprintf("status:%s%s%s%s",
                           shape == SHAPE_KTO ? "accepted,rejected"
                                              : "accepted",
                           *filter ? " (" : "", filter, *filter ? ")" : "");
    bool ok = filter_parse(text, &f, NULL);
    free(text);
    if (!ok)
        return false;
    struct query q = {.target = target, .filter = &f};
    ok = step_samples(s, &q, shape, by, most, r);
    filter_free(&f);
    return ok;
}
