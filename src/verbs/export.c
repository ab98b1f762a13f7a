#include "verbs/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "domain/check.h"
#include "domain/order.h"
#include "store/export.h"
#include "store/query.h"
#include "store/sample.h"

#define CHUNK 256
#define NEAR_DEFAULT .70

/* Where the candidate of the rows at hand came from. */
struct root {
    int64_t candidate;
    struct candidate_origin of;
    id_list edits; /* of's, borrowed */
    char *params;
};

/* The walk over the samples, with the one that it has reached. */
struct walk {
    struct store *s;
    const struct export_form *form;
    export_emit *emit;
    void *to;
    struct sample x;
    struct chat prompt;
    struct decision decided;
    struct root root;
};

struct pair {
    size_t better, worse;
    const char *why;
};
typedef VEC(struct pair) pairs;

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

static void root_free(struct root *r)
{
    candidate_origin_free(&r->of);
    free(r->params);
    *r = (struct root){0};
}

static bool find_root(struct walk *w, int64_t candidate, struct err *e)
{
    struct root *r = &w->root;
    if (r->candidate == candidate)
        return true;
    root_free(r);
    if (!candidate_origin(w->s, candidate, &r->of, e))
        return false;
    r->candidate = candidate;
    r->edits = (id_list){r->of.edits.at, r->of.edits.n, r->of.edits.cap};
    r->params = sampling(r->of.params);
    return true;
}

/* A row of the sample with its provenance; c NULL: there is no answer. */
static bool start_row(struct walk *w, enum shape shape,
                      const struct candidate *c, struct export_row *row,
                      struct err *e)
{
    const struct sample *x = &w->x;
    *row = (struct export_row){
        .shape = shape, .split = x->split, .sample = x->id,
        .candidate = c ? c->id : 0, .prompt = w->prompt.at,
        .n_prompt = w->prompt.n, .answer = "", .label = true, .weight = 1};
    row->from = (struct provenance){
        .seed = x->seed, .line = x->line, .origin = x->origin,
        .who = w->decided.who, .reason = w->decided.reason,
        .decision = w->decided.seq};
    if (!c)
        return true;
    if (!find_root(w, c->id, e))
        return false;
    const struct root *r = &w->root;
    row->from.call = r->of.call;
    row->from.teacher = r->of.teacher;
    row->from.recipe = r->of.recipe;
    row->from.recipe_version = r->of.recipe_version;
    row->from.params = r->params;
    row->from.edits = &r->edits;
    row->from.source = source_name(c->source);
    row->from.editor = c->source == SOURCE_HUMAN ? c->who : NULL;
    return true;
}

static void set_answer(struct export_row *row, const struct message *m)
{
    row->answer = m->content;
    row->reasoning |= m->reasoning != NULL;
    row->tools |= m->tool_calls != NULL;
}

static bool send_answer(struct walk *w, enum shape shape,
                        const struct candidate *c, bool label, struct err *e)
{
    struct export_row row;
    struct message m = {0};
    if (!w->form->shapes[shape])
        return true;
    if (!start_row(w, shape, c, &row, e))
        return false;
    bool has = c && answer_parse(c->body, &m, NULL);
    if (has)
        set_answer(&row, &m);
    row.label = label;
    bool ok = w->emit(w->to, &row, e);
    if (has)
        message_free(&m);
    return ok;
}

/* The earlier assistant turns that are trained: our own loss counts them, and
 * a completion is one turn. */
static bool send_turns(struct walk *w, const struct candidate *c,
                       struct err *e)
{
    struct export_row row;
    bool ok = true;
    for (size_t i = 1; ok && i < w->prompt.n; i++) {
        const struct message *m = &w->prompt.at[i];
        if (m->role != ROLE_ASSISTANT || m->masked ||
            w->prompt.at[i - 1].role != ROLE_USER)
            continue;
        ok = start_row(w, SHAPE_SFT_PC, c, &row, e);
        if (!ok)
            break;
        row.n_prompt = i;
        set_answer(&row, m);
        ok = w->emit(w->to, &row, e);
    }
    return ok;
}

static bool send_pair(struct walk *w, const struct pair *p, double weight,
                      struct err *e)
{
    const struct candidate *better = &w->x.candidates.at[p->better];
    const struct candidate *worse = &w->x.candidates.at[p->worse];
    struct export_row row;
    struct message a, b;
    if (!start_row(w, SHAPE_DPO, better, &row, e) ||
        !answer_parse(better->body, &a, e))
        return false;
    bool ok = answer_parse(worse->body, &b, e);
    if (ok) {
        set_answer(&row, &b);
        row.worse = row.answer;
        set_answer(&row, &a);
        row.rejected = worse->id;
        row.weight = weight;
        row.from.why = p->why;
        ok = w->emit(w->to, &row, e);
        message_free(&b);
    }
    message_free(&a);
    return ok;
}

/* ---- Pairs -------------------------------------------------------------- */

/* The index among the sample's live answers to its prompt, -1. */
static int find_candidate(const struct sample *x, int64_t id)
{
    for (size_t i = 0; i < x->candidates.n; i++)
        if (x->candidates.at[i].id == id)
            return (int)i;
    return -1;
}

/* Letters of an order, 0 where there are more than it may have. */
static size_t count_letters(const char *text)
{
    size_t n = 0;
    for (const char *p = text; *p; p++)
        n += (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
    return n <= ORDER_MAX ? n : 0;
}

/* Leaves the answers that are still there: order->n of them, at[i] the index
 * of the i-th. */
static void keep_live(const struct sample *x, const struct order *all,
                      const ids *letters, struct order *out,
                      size_t at[ORDER_MAX])
{
    for (size_t i = 0; i < all->n; i++) {
        int k = find_candidate(x, letters->at[i]);
        if (k < 0)
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
static bool live_order(struct walk *w, struct order *order,
                       size_t at[ORDER_MAX])
{
    char *text;
    ids letters;
    struct order all;
    *order = (struct order){0};
    bool has = order_read(w->s, w->x.id, &text, &letters);
    size_t n = has ? count_letters(text) : 0;
    if (n && n <= letters.n && order_parse(text, n, &all, NULL))
        keep_live(&w->x, &all, &letters, order, at);
    free(text);
    VEC_FREE(&letters);
    return order->n > 0;
}

struct ordered {
    const size_t *at;
    pairs *out;
};

static void add_ordered(void *ctx, size_t better, size_t worse, double weight)
{
    struct ordered *o = ctx;
    struct pair p = {o->at[better], o->at[worse], "order"};
    (void)weight; /* edits may share the prompt: see send_pairs */
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
static void add_edits(const struct sample *x, const struct order *o,
                      const size_t *at, pairs *out)
{
    int i = find_candidate(x, x->chosen);
    while (i >= 0) {
        const struct candidate *c = &x->candidates.at[i];
        int parent = c->parent ? find_candidate(x, c->parent) : -1;
        if (parent < 0)
            break;
        struct pair p = {(size_t)i, (size_t)parent, "edit"};
        if (c->source == SOURCE_HUMAN && !has_pair(out, p.better, p.worse) &&
            order_says(o, at, p.better, p.worse) >= 0)
            VEC_PUSH(out, p);
        i = parent;
    }
}

static bool send_pairs(struct walk *w, struct err *e)
{
    size_t at[ORDER_MAX];
    struct order order;
    pairs list = {0};
    if (!w->form->shapes[SHAPE_DPO])
        return true;
    if (live_order(w, &order, at))
        order_pairs(&order, add_ordered, &(struct ordered){at, &list});
    add_edits(&w->x, &order, at, &list);
    bool ok = true;
    for (size_t i = 0; ok && i < list.n; i++)
        ok = send_pair(w, &list.at[i], 1.0 / (double)list.n, e);
    VEC_FREE(&list);
    return ok;
}

/* ---- One sample --------------------------------------------------------- */

static bool send_accepted(struct walk *w, struct err *e)
{
    int i = find_candidate(&w->x, w->x.chosen);
    const struct candidate *c = i < 0 ? NULL : &w->x.candidates.at[i];
    bool pc = w->form->shapes[SHAPE_SFT_PC];
    return send_answer(w, SHAPE_SFT, c, true, e) &&
           (!pc || send_turns(w, c, e)) &&
           send_answer(w, SHAPE_SFT_PC, c, true, e) && send_pairs(w, e) &&
           send_answer(w, SHAPE_KTO, c, true, e);
}

/* The answer that was shown when the sample was rejected: what is younger
 * than the decision was not judged. -1 where there is none. */
static int shown_then(const struct walk *w)
{
    const struct sample *x = &w->x;
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

/* An empty answer teaches nothing, also as a false one. */
static bool says_something(const struct candidate *c)
{
    char *text = answer_text(c->body);
    bool something = check_empty(text).verdict == VERDICT_PASS;
    free(text);
    return something;
}

static bool send_rejected(struct walk *w, struct err *e)
{
    if (!strcmp(w->decided.who, "check") ||
        !reason_is_false(w->decided.reason))
        return true;
    bool all = !strcmp(w->decided.reason, REASON_ALL_BAD);
    int shown = all ? -1 : shown_then(w);
    bool ok = true;
    for (int i = 0; ok && i < (int)w->x.candidates.n; i++) {
        const struct candidate *c = &w->x.candidates.at[i];
        if ((i == shown || (all && c->born <= w->decided.seq)) &&
            says_something(c))
            ok = send_answer(w, SHAPE_KTO, c, false, e);
    }
    return ok;
}

static bool send_sample(struct walk *w, int64_t id, struct err *e)
{
    if (w->form->stop && w->form->stop())
        return err_set(e, ERR_CANCEL, _("stopped: nothing is written"));
    if (!sample_get(w->s, id, &w->x, e))
        return false;
    if (!chat_parse(w->x.prompt, &w->prompt, NULL))
        w->prompt = (struct chat){0}; /* purged: the check says so */
    w->decided = (struct decision){0};
    status_decision(w->s, id, &w->decided);
    bool ok = true;
    if (w->x.status == STATUS_ACCEPTED)
        ok = send_accepted(w, e);
    else if (w->x.status == STATUS_REJECTED)
        ok = send_rejected(w, e);
    root_free(&w->root);
    chat_free(&w->prompt);
    sample_free(&w->x);
    return ok;
}

/* ---- All of them -------------------------------------------------------- */

/* The filter, narrowed to the samples that can give rows. */
static bool read_filter(const struct export_form *f, struct filter *out,
                        struct err *e)
{
    if (!filter_parse(f->filter, out, e))
        return false;
    if (!f->filter[strspn(f->filter, " \t\n")]) {
        filter_free(out);
        return filter_parse("status:accepted,rejected", out, e);
    }
    filter_free(out);
    char *text = xasprintf("status:accepted,rejected (%s)", f->filter);
    bool ok = filter_parse(text, out, e);
    free(text);
    return ok;
}

static bool walk_samples(void *ctx, export_emit *emit, void *to,
                         struct err *e)
{
    struct walk *w = ctx;
    struct filter filter;
    if (!read_filter(w->form, &filter, e))
        return false;
    w->emit = emit;
    w->to = to;
    struct query q = {w->form->target, &filter, 0};
    int64_t after = 0;
    bool ok = true, more = true;
    while (ok && more) {
        ids some = {0};
        ok = query_ids(w->s, &q, after, CHUNK, &some, e);
        for (size_t i = 0; ok && i < some.n; i++)
            ok = send_sample(w, after = some.at[i], e);
        more = some.n == CHUNK;
        VEC_FREE(&some);
    }
    filter_free(&filter);
    export_read_end(w->s); /* what is left to do waits for nobody */
    return ok;
}

/* ---- Since the last one ------------------------------------------------- */

struct old_rows {
    const struct export_form *form;
    VEC(struct export_member) at;
};

static void keep_old(void *ctx, const struct member *m)
{
    struct old_rows *old = ctx;
    struct export_member x = {.split = (enum split)m->split, .row = m->row,
                              .sample = m->sample,
                              .candidate = m->candidate};
    if (!shape_parse(m->shape, &x.shape) || !old->form->shapes[x.shape])
        return;
    memcpy(x.hash, m->hash, sizeof x.hash);
    VEC_PUSH(&old->at, x);
}

/* By shape and sample. */
static int compare_place(const struct export_member *a,
                         const struct export_member *b)
{
    if (a->shape != b->shape)
        return a->shape < b->shape ? -1 : 1;
    return a->sample < b->sample ? -1 : a->sample > b->sample;
}

static int compare_members(const void *x, const void *y)
{
    const struct export_member *a = x, *b = y;
    int by_place = compare_place(a, b);
    return by_place ? by_place : memcmp(a->hash, b->hash, sizeof a->hash);
}

/* Both lists sorted. Rows of one shape and sample that have no equal on the
 * other side count as changed as far as they go in pairs. */
static void compare_rows(const struct export_member *a, size_t n,
                         const struct export_member *b, size_t m,
                         struct export_since *out)
{
    size_t i = 0, k = 0;
    while (i < n || k < m) {
        const struct export_member *at =
            k == m || (i < n && compare_place(&a[i], &b[k]) < 0) ? &a[i]
                                                                 : &b[k];
        int64_t gone = 0, fresh = 0;
        while ((i < n && !compare_place(&a[i], at)) ||
               (k < m && !compare_place(&b[k], at))) {
            bool left = i < n && !compare_place(&a[i], at);
            bool right = k < m && !compare_place(&b[k], at);
            int c = !left ? 1 : !right ? -1 : compare_members(&a[i], &b[k]);
            gone += c < 0;
            fresh += c > 0;
            i += c <= 0;
            k += c >= 0;
        }
        int64_t both = gone < fresh ? gone : fresh;
        out->changed += both;
        out->gone += gone - both;
        out->fresh += fresh - both;
    }
}

/* The export that is compared with: the one asked for, else the newest. */
static bool find_since(struct store *s, const struct export_form *f,
                       struct export *last, struct err *e)
{
    int64_t id = f->since ? f->since : export_last(s, f->target, 0);
    *last = (struct export){0};
    if (!id)
        return true;
    if (!export_get(s, id, last, e))
        return false;
    return last->target == f->target ||
           err_set(e, ERR_INPUT, _("x%lld is an export of another target"),
                   (long long)id);
}

static bool look_since(struct store *s, const struct export_form *f,
                       const struct export_report *r,
                       struct export_since *out, struct err *e)
{
    struct export last;
    struct old_rows old = {.form = f};
    bool ok = find_since(s, f, &last, e);
    *out = (struct export_since){.id = last.id, .as_of = last.as_of,
                                 .at = last.at};
    export_free(&last);
    if (!ok || !out->id)
        return ok;
    out->before = export_last(s, f->target, out->id);
    ok = export_members(s, out->id, keep_old, &old, e);
    size_t n = r->members.n;
    struct export_member *now = xcalloc(n + 1, sizeof *now);
    if (n)
        memcpy(now, r->members.at, n * sizeof *now);
    qsort(now, n, sizeof *now, compare_members);
    if (old.at.n)
        qsort(old.at.at, old.at.n, sizeof *old.at.at, compare_members);
    compare_rows(old.at.at, old.at.n, now, n, out);
    free(now);
    VEC_FREE(&old.at);
    return ok;
}

/* ---- Writing ------------------------------------------------------------ */

/* The target's part of the options; `languages` is the caller's to free. */
static void read_target(const struct target *t, const json *doc,
                        struct export_options *o, char **languages)
{
    o->target = t->name;
    o->description = json_get_string(doc, "description", "");
    o->near = json_get_number(doc, "near_limit", NEAR_DEFAULT);
    const json *l = json_get(doc, "languages");
    if (!json_is_array(l) || !json_count(l))
        return;
    struct buf b = BUF_INIT(4096);
    json_print(&b, l);
    *languages = buf_take(&b);
    o->languages = *languages;
}

/* The bundle at the store's present position; *out NULL where f->dir is. */
static bool make(struct store *s, const struct export_form *f,
                 const char *dir, struct export_report *report,
                 struct export_options *o, struct bundle **out, struct err *e)
{
    struct target t;
    char *languages = NULL;
    *report = (struct export_report){0};
    *out = NULL;
    if (!export_read_begin(s, e))
        return false;
    bool ok = target_get(s, f->target, &t, e);
    if (ok) {
        json *doc = json_parse(t.doc, strlen(t.doc), NULL);
        struct walk w = {.s = s, .form = f};
        *o = (struct export_options){
            .dir = dir, .overwrite = f->overwrite, .filter = f->filter,
            .leave_wrong = f->leave_wrong, .leave = f->leave,
            .max_words = f->max_words, .store_id = store_id(s),
            .as_of = store_seq(s), .seed = f->seed};
        read_target(&t, doc, o, &languages);
        ok = bundle_make(o, walk_samples, &w, report, out, e);
        json_free(doc);
        free(languages);
        target_free(&t);
    }
    export_read_end(s);
    return ok;
}

bool verb_export_preview(struct store *s, const struct export_form *f,
                         struct export_report *report,
                         struct export_since *since, struct err *e)
{
    struct export_options o;
    struct bundle *none;
    return make(s, f, NULL, report, &o, &none, e) &&
           look_since(s, f, report, since, e);
}

static bool note(struct store *s, const struct export_form *f, int64_t as_of,
                 const struct export_report *r, int64_t *id, struct err *e)
{
    struct export x = {.target = f->target, .as_of = as_of, .seed = f->seed,
                       .version = EXPORT_VERSION,
                       .filter = (char *)(uintptr_t)f->filter,
                       .path = (char *)(uintptr_t)f->dir, .lock = r->lock};
    *id = export_add(s, &x, e);
    bool ok = *id != 0;
    for (size_t i = 0; ok && i < r->members.n; i++) {
        const struct export_member *m = &r->members.at[i];
        struct member one = {"export", shape_name(m->shape), *id, m->row,
                             m->sample, m->candidate, (int)m->split,
                             m->hash};
        ok = member_add(s, &one, e);
    }
    return ok;
}

/* Published before the commit: a note without its bundle would be a lie, a
 * bundle without its note only lacks a line of history. */
static bool publish(struct store *s, const struct export_form *f,
                    int64_t as_of, const struct export_report *r,
                    struct bundle *b, int64_t *id, struct err *e)
{
    if (store_read_only(s))
        return bundle_publish(b, e);
    if (!store_begin(s, e))
        return false;
    if (!note(s, f, as_of, r, id, e) || !bundle_publish(b, e)) {
        store_rollback(s);
        return false;
    }
    return store_commit(s, e) ||
           err_in(e, _("%s is written, but the store could not note it"),
                  f->dir);
}

bool verb_export(struct store *s, const struct export_form *f,
                 struct export_report *report, struct export_since *since,
                 int64_t *id, struct err *e)
{
    struct export_options o;
    struct bundle *b;
    *id = 0;
    bool ok = make(s, f, f->dir, report, &o, &b, e) &&
              look_since(s, f, report, since, e) &&
              publish(s, f, o.as_of, report, b, id, e);
    bundle_free(&b);
    return ok;
}
