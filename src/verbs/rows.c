#include "verbs/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "domain/order.h"
#include "store/export.h"
#include "store/query.h"

/* ---- Samples ------------------------------------------------------------ */

bool pick_ids(struct store *s, int64_t target, const char *narrow,
              const char *filter, ids *out, struct err *e)
{
    struct filter f;
    bool all = !filter[strspn(filter, " \t\n")];
    /* read by itself first: a bracket of its own may not close ours */
    if (!filter_parse(filter, &f, e))
        return false;
    filter_free(&f);
    char *text = xasprintf("%s %s%s%s", narrow, all ? "" : "(",
                           all ? "" : filter, all ? "" : ")");
    bool ok = filter_parse(text, &f, e);
    free(text);
    if (!ok)
        return false;
    struct query q = {.target = target, .filter = &f};
    ok = query_ids(s, &q, 0, SIZE_MAX >> 2, out, e);
    filter_free(&f);
    return ok;
}

/* The index among the sample's live answers to its prompt, -1. */
static int find_candidate(const struct sample *x, int64_t id)
{
    for (size_t i = 0; i < x->candidates.n; i++)
        if (x->candidates.at[i].id == id)
            return (int)i;
    return -1;
}

bool pick_next(struct pick *p, struct err *e)
{
    sample_free(&p->x);
    p->answer = NULL;
    if (p->next >= p->ids->n)
        return false;
    if (!sample_get(p->s, p->ids->at[p->next++], &p->x, e)) {
        p->failed = true;
        return false;
    }
    int i = p->x.status == STATUS_ACCEPTED
                ? find_candidate(&p->x, p->x.chosen)
                : sample_choice(&p->x);
    p->answer = i < 0 ? NULL : &p->x.candidates.at[i];
    return true;
}

void pick_done(struct pick *p)
{
    sample_free(&p->x);
}

/* ---- The walk ----------------------------------------------------------- */

/* What is known of a candidate of the sample at hand. */
struct answer {
    struct message m;
    bool parsed, rooted;
    struct candidate_origin of;
    id_list edits; /* of's, borrowed */
    char *params;
};

struct row_walk {
    struct store *s;
    const struct row_form *form;
    ids ids;
    struct pick pick;
    /* of the sample at hand */
    struct chat prompt;
    struct decision decided;
    struct answer *answers; /* one a candidate */
    VEC(struct export_row) rows;
    size_t next;
};

static void leave_sample(struct row_walk *w)
{
    for (size_t i = 0; w->answers && i < w->pick.x.candidates.n; i++) {
        struct answer *a = &w->answers[i];
        if (a->parsed)
            message_free(&a->m);
        candidate_origin_free(&a->of);
        free(a->params);
    }
    free(w->answers);
    w->answers = NULL;
    chat_free(&w->prompt);
    w->rows.n = w->next = 0;
}

/* The prompt with the system message that is asked for. */
static void set_system(struct row_walk *w)
{
    struct chat *c = &w->prompt;
    struct chat with = {.tools = c->tools};
    bool has = c->n && c->at[0].role == ROLE_SYSTEM;
    const char *text = w->form->system;
    if (!c->n || !text || (has && w->form->keep_own))
        return;
    if (*text)
        chat_add(&with, ROLE_SYSTEM, text);
    for (size_t i = has; i < c->n; i++)
        chat_add_copy(&with, &c->at[i]);
    c->tools = NULL;
    chat_free(c);
    *c = with;
}

static bool enter_sample(struct row_walk *w)
{
    const struct sample *x = &w->pick.x;
    if (!chat_parse(x->prompt, &w->prompt, NULL))
        w->prompt = (struct chat){0}; /* purged: the check says so */
    set_system(w);
    w->decided = (struct decision){0};
    status_decision(w->s, x->id, &w->decided);
    w->answers = xcalloc(x->candidates.n + 1, sizeof *w->answers);
    for (size_t i = 0; i < x->candidates.n; i++)
        w->answers[i].parsed = answer_parse(x->candidates.at[i].body,
                                            &w->answers[i].m, NULL);
    return true;
}

/* The first rows of a file decide how the Hugging Face loader reads the rest:
 * a key that comes later than 10 MB behind them ends it. So the samples with
 * more than role and content come first. */
static bool put_first(struct store *s, int64_t target, ids *all,
                      struct err *e)
{
    ids more = {0}, order = {0}, rest = {0};
    bool ok = samples_with_more(s, target, &more, e);
    for (size_t i = 0, k = 0; ok && i < all->n; i++) {
        int64_t id = all->at[i];
        while (k < more.n && more.at[k] < id)
            k++;
        if (k < more.n && more.at[k] == id)
            VEC_PUSH(&order, id);
        else
            VEC_PUSH(&rest, id);
    }
    if (ok && order.n) {
        memcpy(all->at, order.at, order.n * sizeof *order.at);
        if (rest.n)
            memcpy(all->at + order.n, rest.at, rest.n * sizeof *rest.at);
    }
    VEC_FREE(&more);
    VEC_FREE(&order);
    VEC_FREE(&rest);
    return ok;
}

static struct row_walk *new_walk(struct store *s, const struct row_form *form)
{
    struct row_walk *w = xcalloc(1, sizeof *w);
    *w = (struct row_walk){.s = s, .form = form};
    w->pick = (struct pick){.s = s, .ids = &w->ids};
    return w;
}

struct row_walk *row_walk_of(struct store *s, const struct row_form *form,
                             int64_t sample)
{
    struct row_walk *w = new_walk(s, form);
    VEC_PUSH(&w->ids, sample);
    return w;
}

struct row_walk *row_walk_open(struct store *s, const struct row_form *form,
                               struct err *e)
{
    struct row_walk *w = new_walk(s, form);
    if (!pick_ids(s, form->target, "status:accepted,rejected", form->filter,
                  &w->ids, e) ||
        !put_first(s, form->target, &w->ids, e))
        row_walk_free(&w);
    return w;
}

void row_walk_free(struct row_walk **w)
{
    struct row_walk *x = *w;
    if (!x)
        return;
    leave_sample(x);
    pick_done(&x->pick);
    VEC_FREE(&x->ids);
    VEC_FREE(&x->rows);
    free(x);
    *w = NULL;
}

/* ---- One row ------------------------------------------------------------ */

/* Of a call's parameters those that shape an answer; NULL where there are
 * none. */
static char *sampling(const char *params)
{
    static const char *const keys[] = {"model", "temperature", "top_p",
                                       "max_tokens", "seed"};
    json *j = params ? json_parse(params, strlen(params), NULL) : NULL;
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    size_t n = 0;
    jw_open(&w, '{');
    for (size_t i = 0; i < COUNT(keys); i++) {
        const json *v = json_get(j, keys[i]);
        if (json_is_string(v))
            jw_kstr(&w, keys[i], json_string(v));
        else if (json_is_number(v))
            jw_knum(&w, keys[i], json_number(v, 0));
        else
            continue;
        n++;
    }
    jw_close(&w);
    json_free(j);
    if (n)
        return buf_take(&b);
    buf_free(&b);
    return NULL;
}

static bool find_root(struct row_walk *w, struct answer *a, int64_t candidate,
                      struct err *e)
{
    if (a->rooted)
        return true;
    a->rooted = true;
    if (!candidate_origin(w->s, candidate, &a->of, e))
        return false;
    a->edits = (id_list){a->of.edits.at, a->of.edits.n, a->of.edits.cap};
    a->params = sampling(a->of.params);
    return true;
}

/* Adds a row of the sample with its provenance, to be filled; i is the
 * candidate's index, -1: there is no answer. NULL on failure. */
static struct export_row *add_row(struct row_walk *w, enum shape shape, int i,
                                  struct err *e)
{
    const struct sample *x = &w->pick.x;
    const struct candidate *c = i < 0 ? NULL : &x->candidates.at[i];
    struct export_row row = {
        .shape = shape, .split = x->split, .sample = x->id,
        .candidate = c ? c->id : 0, .prompt = w->prompt.at,
        .n_prompt = w->prompt.n, .tools = w->prompt.tools, .label = true,
        .thinking = w->form->thinking, .list_tools = w->form->list_tools,
        .weight = 1,
        .approximate = sample_is_approximate(x)};
    row.from = (struct provenance){
        .seed = x->seed, .line = x->line, .origin = x->origin,
        .who = w->decided.who, .reason = w->decided.reason,
        .decision = w->decided.seq};
    if (c) {
        struct answer *a = &w->answers[i];
        if (!find_root(w, a, c->id, e))
            return NULL;
        row.from.call = a->of.call;
        row.from.teacher = a->of.teacher;
        row.from.recipe = a->of.recipe;
        row.from.recipe_version = a->of.recipe_version;
        row.from.params = a->params;
        row.from.edits = &a->edits;
        row.from.source = source_name(c->source);
        row.from.editor = c->source == SOURCE_HUMAN ? c->who : NULL;
    }
    VEC_PUSH(&w->rows, row);
    return &w->rows.at[w->rows.n - 1];
}

static bool add_answer(struct row_walk *w, enum shape shape, int i,
                       bool label, struct err *e)
{
    if (!w->form->shapes[shape])
        return true;
    struct export_row *row = add_row(w, shape, i, e);
    if (!row)
        return false;
    if (i >= 0 && w->answers[i].parsed)
        row->answer = &w->answers[i].m;
    row->label = label;
    return true;
}

/* The earlier assistant turns that are trained: our own loss counts them, and
 * a completion is one turn. */
static bool add_turns(struct row_walk *w, int answer, struct err *e)
{
    if (!w->form->shapes[SHAPE_SFT_PC])
        return true;
    for (size_t i = 1; i < w->prompt.n; i++) {
        const struct message *m = &w->prompt.at[i];
        enum role before = w->prompt.at[i - 1].role;
        if (m->role != ROLE_ASSISTANT || m->masked ||
            (before != ROLE_USER && before != ROLE_TOOL))
            continue;
        struct export_row *row = add_row(w, SHAPE_SFT_PC, answer, e);
        if (!row)
            return false;
        row->n_prompt = i;
        row->answer = m;
    }
    return true;
}

/* ---- Pairs -------------------------------------------------------------- */

struct pair {
    size_t better, worse;
    const char *why;
};
typedef VEC(struct pair) pairs;

/* Whether two answers can stand against each other: an empty side teaches
 * nothing, and equal ones tie. */
static bool can_pair(const struct row_walk *w, size_t better, size_t worse)
{
    const struct answer *a = &w->answers[better], *b = &w->answers[worse];
    return a->parsed && b->parsed && !row_says_nothing(&a->m) &&
           !row_says_nothing(&b->m) && !answers_same(&a->m, &b->m);
}

static bool add_pair(struct row_walk *w, const struct pair *p, double weight,
                     struct err *e)
{
    struct export_row *row = add_row(w, SHAPE_DPO, (int)p->better, e);
    if (!row)
        return false;
    row->answer = &w->answers[p->better].m;
    row->worse = &w->answers[p->worse].m;
    row->rejected = w->pick.x.candidates.at[p->worse].id;
    row->weight = weight;
    row->from.why = p->why;
    return true;
}

/* Letters of an order, 0 where there are more than it may have. */
static size_t count_letters(const char *text)
{
    size_t n = 0;
    for (const char *p = text; *p; p++)
        n += (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
    return n <= ORDER_MAX ? n : 0;
}

/* Leaves the answers that are still there and say something: order->n of
 * them, at[i] the index of the i-th. */
static void keep_live(const struct row_walk *w, const struct order *all,
                      const ids *letters, struct order *out,
                      size_t at[ORDER_MAX])
{
    for (size_t i = 0; i < all->n; i++) {
        int k = find_candidate(&w->pick.x, letters->at[i]);
        if (k < 0 || !w->answers[k].parsed ||
            row_says_nothing(&w->answers[k].m))
            continue;
        at[out->n] = (size_t)k;
        out->place[out->n++] = all->place[i];
    }
    struct order gaps = *out;
    for (size_t i = 0; i < out->n; i++) {
        out->place[i] = 1;
        for (size_t k = 0; k < out->n; k++)
            out->place[i] += gaps.place[k] < gaps.place[i];
    }
}

/* The person's order over them; false where there is none. */
static bool live_order(struct row_walk *w, struct order *order,
                       size_t at[ORDER_MAX])
{
    const struct sample *x = &w->pick.x;
    char *text;
    ids letters;
    struct order all;
    *order = (struct order){0};
    bool has = order_read(w->s, x->id, &text, &letters);
    size_t n = has ? count_letters(text) : 0;
    if (n && n <= letters.n && order_parse(text, n, &all, NULL))
        keep_live(w, &all, &letters, order, at);
    free(text);
    VEC_FREE(&letters);
    return order->n > 0;
}

struct ordered {
    const struct row_walk *w;
    const size_t *at;
    pairs *out;
};

static void add_ordered(void *ctx, size_t better, size_t worse, double weight)
{
    struct ordered *o = ctx;
    struct pair p = {o->at[better], o->at[worse], "order"};
    (void)weight; /* edits may share the prompt: see add_pairs */
    if (can_pair(o->w, p.better, p.worse))
        VEC_PUSH(o->out, p);
}

/* What the order says of two answers: above 0 where a is the better one, 0
 * where it does not know both. */
static int order_says(const struct order *o, const size_t *at, size_t a,
                      size_t b)
{
    int pa = 0, pb = 0;
    for (size_t i = 0; i < o->n; i++) {
        pa = at[i] == a ? o->place[i] : pa;
        pb = at[i] == b ? o->place[i] : pb;
    }
    return !pa || !pb ? 0 : pa < pb ? 1 : -1;
}

static bool has_pair(const pairs *list, size_t better, size_t worse)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i].better == better && list->at[i].worse == worse)
            return true;
    return false;
}

/* The chain of edits from the chosen answer down. */
static void add_edits(const struct row_walk *w, const struct order *o,
                      const size_t *at, pairs *out)
{
    const struct sample *x = &w->pick.x;
    int i = find_candidate(x, x->chosen);
    while (i >= 0) {
        const struct candidate *c = &x->candidates.at[i];
        int parent = c->parent ? find_candidate(x, c->parent) : -1;
        if (parent < 0)
            break;
        struct pair p = {(size_t)i, (size_t)parent, "edit"};
        if (c->source == SOURCE_HUMAN && can_pair(w, p.better, p.worse) &&
            !has_pair(out, p.better, p.worse) &&
            order_says(o, at, p.better, p.worse) >= 0)
            VEC_PUSH(out, p);
        i = parent;
    }
}

static bool add_pairs(struct row_walk *w, struct err *e)
{
    size_t at[ORDER_MAX];
    struct order order;
    pairs list = {0};
    if (!w->form->shapes[SHAPE_DPO])
        return true;
    if (live_order(w, &order, at))
        order_pairs(&order, add_ordered, &(struct ordered){w, at, &list});
    add_edits(w, &order, at, &list);
    bool ok = true;
    for (size_t i = 0; ok && i < list.n; i++)
        ok = add_pair(w, &list.at[i], 1.0 / (double)list.n, e);
    VEC_FREE(&list);
    return ok;
}

/* ---- One sample --------------------------------------------------------- */

static bool add_accepted(struct row_walk *w, struct err *e)
{
    int i = find_candidate(&w->pick.x, w->pick.x.chosen);
    return add_answer(w, SHAPE_SFT, i, true, e) && add_turns(w, i, e) &&
           add_answer(w, SHAPE_SFT_PC, i, true, e) && add_pairs(w, e) &&
           add_answer(w, SHAPE_KTO, i, true, e);
}

/* The answer that was shown when the sample was rejected: what is younger
 * than the decision was not judged. -1 where there is none. */
static int shown_then(const struct row_walk *w)
{
    const struct sample *x = &w->pick.x;
    int i = find_candidate(x, x->chosen);
    while (i >= 0 && x->candidates.at[i].born > w->decided.seq)
        i = find_candidate(x, x->candidates.at[i].parent);
    if (i >= 0)
        return i;
    struct sample then = *x; /* the same list, cut: numbers only grow */
    while (then.candidates.n && then.candidates.at[then.candidates.n - 1]
                                        .born > w->decided.seq)
        then.candidates.n--;
    return sample_opens_with(&then);
}

static bool add_rejected(struct row_walk *w, struct err *e)
{
    const struct sample *x = &w->pick.x;
    if (!strcmp(w->decided.who, "check") ||
        !reason_is_false(w->decided.reason))
        return true;
    bool all = reason_is_of_all(w->decided.reason);
    int shown = all ? -1 : shown_then(w);
    bool ok = true;
    for (int i = 0; ok && i < (int)x->candidates.n; i++) {
        const struct answer *a = &w->answers[i];
        bool meant = i == shown ||
                     (all && x->candidates.at[i].born <= w->decided.seq);
        /* an empty one teaches nothing, also as a false one */
        if (meant && a->parsed && !row_says_nothing(&a->m))
            ok = add_answer(w, SHAPE_KTO, i, false, e);
    }
    return ok;
}

static bool add_sample(struct row_walk *w, struct err *e)
{
    return w->pick.x.status == STATUS_ACCEPTED ? add_accepted(w, e)
           : w->pick.x.status == STATUS_REJECTED ? add_rejected(w, e)
                                                 : true;
}

bool row_walk_next(struct row_walk *w, const struct export_row **row,
                   struct err *e)
{
    *row = NULL;
    while (w->next == w->rows.n) {
        leave_sample(w);
        if (w->form->stop && w->form->stop())
            return err_set(e, ERR_CANCEL, _("stopped: nothing is written"));
        if (!pick_next(&w->pick, e))
            return !w->pick.failed;
        if (!enter_sample(w) || !add_sample(w, e))
            return false;
    }
    *row = &w->rows.at[w->next++];
    return true;
}
