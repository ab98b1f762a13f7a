#include "model/learn/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "domain/verifier.h"
#include "model/token/template.h"

enum { LINE_MAX_BYTES = 8 << 20 };

void row_done(struct row *r)
{
    free(r->text);
    chat_free(&r->prompt);
    message_free(&r->answer);
    *r = (struct row){0};
}

/* The answer member: an object, as canonical text through the one reader. */
static bool read_answer(const json *j, struct message *m, struct err *e)
{
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("no answer"));
    struct buf b = BUF_INIT(0);
    json_print(&b, j);
    bool ok = answer_parse(buf_str(&b), m, e);
    buf_free(&b);
    return ok;
}

/* A conversation, whose last message is the answer. */
static bool read_conversation(const json *j, struct row *r, struct err *e)
{
    if (!chat_from_json(j, &r->prompt, e))
        return false;
    size_t n = r->prompt.n;
    if (!n || r->prompt.at[n - 1].role != ROLE_ASSISTANT)
        return err_set(e, ERR_INPUT, _("messages do not end with an answer"));
    r->answer = r->prompt.at[--r->prompt.n];
    return chat_check_prompt(&r->prompt, e);
}

/* A member that is not null: some writers have them all in every row. */
static const json *given(const json *j, const char *key)
{
    const json *v = json_get(j, key);
    return v && !json_is_null(v) ? v : NULL;
}

static bool read_row(const json *j, struct row *r, struct err *e)
{
    *r = (struct row){.id = json_get_int(j, "id", 0)};
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("not an object"));
    r->weight = json_get_number(j, "weight", 1);
    if (!(r->weight > 0 && r->weight <= 1000))
        return err_set(e, ERR_INPUT, _("weight is not above 0 and at most "
                                       "1000"));
    const json *messages = given(j, "messages"), *weight = given(j, "weight");
    const char *text = json_get_string(j, "text", NULL);
    if ((text != NULL) + (messages != NULL) + (given(j, "prompt") != NULL) > 1)
        return err_set(e, ERR_INPUT, _("only one of prompt, messages and text "
                                       "can be in a row"));
    if (weight && !json_is_number(weight))
        return err_set(e, ERR_INPUT, _("%s is not %s"), "weight",
                       _("a number"));
    if (messages)
        return read_conversation(messages, r, e);
    if (text) {
        r->text = xstrdup(text);
        return true;
    }
    return chat_from_json(json_get(j, "prompt"), &r->prompt, e) &&
           chat_check_prompt(&r->prompt, e) &&
           read_answer(json_get(j, "answer"), &r->answer, e);
}

static bool take_line(const struct lines *l, row_fn *fn, void *ctx,
                      struct err *e)
{
    if (l->too_long)
        return err_set(e, ERR_INPUT, _("a line over %d bytes"),
                       LINE_MAX_BYTES);
    if (!l->line.len)
        return true;
    json *j = json_parse(l->line.data, l->line.len, e);
    struct row r = {0};
    bool ok = j && read_row(j, &r, e) && fn(ctx, &r, e);
    json_free(j);
    row_done(&r);
    return ok;
}

bool rows_each(const char *path, row_fn *fn, void *ctx, struct err *e)
{
    struct lines l;
    if (!lines_open(&l, path, LINE_MAX_BYTES, e))
        return false;
    bool ok = true;
    while (ok && lines_next(&l, e)) {
        ok = take_line(&l, fn, ctx, e);
        if (!ok)
            err_in(e, _("%s, line %llu"), path, (unsigned long long)l.number);
    }
    ok = ok && !l.failed;
    lines_close(&l);
    return ok;
}

/* ---- As the student reads them ------------------------------------------ */

struct loading {
    struct items *d;
    const struct tokenizer *t;
    const struct reading *how;
};

void item_done(struct item *m)
{
    free(m->ids);
    free(m->trained);
    free(m->answer);
    *m = (struct item){0};
}

static int count_targets(const struct item *m)
{
    int n = 0;
    for (int i = 1; i < m->n; i++)
        n += m->trained[i];
    return n;
}

/* Cuts what is too long; false where that is refused. */
static bool fit(struct loading *g, struct item *m, struct err *e)
{
    int most = g->how->context + 1, over = m->n - most;
    if (over <= 0)
        return true;
    if (g->how->truncate == TRUNCATE_REFUSE)
        return err_set(e, ERR_REFUSED, _("the row has %d tokens, %d fit; "
                                         "--truncate left or right cuts it"),
                       m->n, most);
    if (g->how->truncate == TRUNCATE_LEFT) {
        memmove(m->ids, m->ids + over, (size_t)most * sizeof *m->ids);
        memmove(m->trained, m->trained + over, (size_t)most);
        m->prompt = m->prompt > over ? m->prompt - over : 1;
    }
    m->n = most;
    g->d->cut++;
    return true;
}

/* Counts and keeps, or counts and drops. */
static void keep(struct loading *g, struct item *m)
{
    struct items *d = g->d;
    m->targets = count_targets(m);
    if (m->targets == 0) {
        d->left++;
        item_done(m);
        return;
    }
    d->tokens += m->n;
    d->targets += m->targets;
    d->longest = (size_t)m->n > d->longest ? (size_t)m->n : d->longest;
    VEC_PUSH(d, *m);
}

/* A plain text: every token of it is learned. */
static void read_text(const struct loading *g, const struct row *r,
                      struct item *m)
{
    struct tokens k = {0};
    tokenizer_encode(g->t, r->text, strlen(r->text), true, &k);
    m->ids = xmalloc((k.n + 1) * sizeof *m->ids);
    m->trained = xmalloc(k.n + 1);
    memset(m->trained, 1, k.n + 1);
    for (size_t i = 0; i < k.n; i++)
        m->ids[i] = k.at[i].id;
    m->n = (int)k.n;
    m->plain = true;
    m->verifier = -1;
    m->prompt = 1;
    m->answer = xstrdup("");
    VEC_FREE(&k);
}

static bool read_messages(const struct loading *g, struct row *r,
                          struct item *m, struct err *e)
{
    struct rendered all;
    chat_add_copy(&r->prompt, &r->answer);
    struct template_how how = {.mask_thinking = g->how->mask_thinking};
    if (!template_render(g->t, &r->prompt, false, &how, &all,
                         e)) {
        rendered_free(&all);
        return false;
    }
    m->ids = all.ids;
    m->trained = all.trained;
    m->n = (int)all.n;
    m->prompt = (int)all.first;
    m->answer = xstrndup(buf_str(&all.text) + all.from, all.to - all.from);
    enum verifier v;
    m->asked = true;
    m->verifier = verifier_fits(m->answer, &v) ? (int)v : -1;
    all.ids = NULL;
    all.trained = NULL;
    rendered_free(&all);
    return true;
}

static bool add_row(void *ctx, struct row *r, struct err *e)
{
    struct loading *g = ctx;
    struct item m = {.id = r->id, .weight = (float)r->weight};
    if (r->text)
        read_text(g, r, &m);
    else if (!read_messages(g, r, &m, e))
        return false;
    if (fit(g, &m, e)) {
        keep(g, &m);
        return true;
    }
    item_done(&m);
    return false;
}

bool items_load(struct items *d, const struct tokenizer *t, char *const *path,
                size_t n, const struct reading *how, struct err *e)
{
    struct loading g = {d, t, how};
    if (!template_check(t, e))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!rows_each(path[i], add_row, &g, e))
            return false;
    return true;
}

bool items_none(const struct items *d, struct err *e)
{
    if (!d->left)
        return err_set(e, ERR_INPUT, _("there are no rows"));
    return err_set(e, ERR_INPUT, _("there are no rows: of %zu nothing is left "
                                   "to learn (too long for the context, or "
                                   "without an answer)"), d->left);
}

void items_free(struct items *d)
{
    for (size_t i = 0; i < d->n; i++)
        item_done(&d->at[i]);
    free(d->at);
    *d = (struct items){0};
}
