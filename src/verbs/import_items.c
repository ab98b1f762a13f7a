#include "verbs/import_items.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "domain/order.h"
#include "store/export.h"
#include "store/sample.h"
#include "store/tags.h"
#include "store/text.h"
#include "verbs/checks.h"

#define WHO "import" /* whose orders, marks and scores these are */

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
            return true;
    return false;
}

/* *new_one where the object did not have one of them. */
static bool add_tags(struct intake *in, enum object kind, int64_t id,
                     const char *tags, bool *new_one, struct err *e)
{
    char *copy = tags ? xstrdup(tags) : NULL, *rest = copy, *one;
    char *has = tags ? tags_of(in->s, kind, id) : NULL;
    bool ok = true;
    while (ok && rest && (one = strsep(&rest, " "))) {
        if (!*one || (has && has_word(has, one)))
            continue;
        ok = act_tag(&in->a, kind, id, one, true, e);
        *new_one = true;
    }
    free(copy);
    free(has);
    return ok;
}

/* The file, with the row's own name where it has one; the caller frees. */
static char *origin_of(const struct intake *in, const struct item *x)
{
    return x->id ? xasprintf("%s#%.200s", in->origin, x->id)
                 : xstrdup(in->origin);
}

/* What a row says of a thing that stands, and that is said otherwise there,
 * the store has no place for: it is marked as unread. */
static void unread_stood(struct intake *in, const struct item *x, int split,
                         int its_split, const char *its_origin,
                         const char *its_prompt)
{
    struct chat c;
    char *origin = origin_of(in, x);
    if (split >= 0 && split != its_split && x->split_at)
        json_untake(x->split_at);
    if (x->id_at && strcmp(origin, its_origin ? its_origin : ""))
        json_untake(x->id_at);
    free(origin);
    if (its_prompt && chat_parse(its_prompt, &c, NULL)) {
        item_unread(x, prompt_parts(&x->prompt, &c));
        chat_free(&c);
    }
}

/* ---- Seeds -------------------------------------------------------------- */

/* A row whose seed stands: its tags join those that there are. */
static bool join_seed(struct intake *in, const struct item *x, int split,
                      int64_t id, bool *new_one, struct err *e)
{
    struct seed stood;
    if (!seed_get(in->s, id, &stood, e))
        return false;
    unread_stood(in, x, split, stood.split, stood.origin, stood.prompt);
    seed_free(&stood);
    return add_tags(in, OBJECT_SEED, id, x->tags, new_one, e);
}

bool intake_seed(struct intake *in, const struct item *x, int split,
                 bool *new_one, struct err *e)
{
    struct err why = {0};
    char *origin = origin_of(in, x);
    struct seed_new n = {
        .target = in->target, .kind = "example", .prompt = &x->prompt,
        .answer = x->answers.n ? x->answers.at[0].body : NULL,
        .raw = in->raw, .raw_size = in->raw_size, .origin = origin,
        .line = in->line, .job = in->job, .split = split};
    int64_t id = seed_put(&in->a, &n, &in->deal, &why);
    free(origin);
    *new_one = id != 0;
    in->items += id != 0;
    if (!id && in->deal.same && why.code == ERR_REFUSED &&
        !join_seed(in, x, split, in->deal.same, new_one, e))
        return false;
    if (!id)
        *e = why;
    return id && add_tags(in, OBJECT_SEED, id, x->tags, new_one, e);
}

/* ---- Samples ------------------------------------------------------------ */

static bool is_false(const struct intake *in, int64_t sample)
{
    const ids *f = &in->falses;
    size_t at = sorted_place(f->at, f->n, sample);
    return (at < f->n && f->at[at] == sample) ||
           sample_is_false(in->s, sample);
}

/* The sample that the item's answers belong to: the one with its prompt and
 * its mark; 0 where there is none. */
static bool find_sample(struct intake *in, const struct item *x, int64_t *id,
                        struct err *e)
{
    ids all = {0};
    bool ok = sample_ids_with_prompt(in->s, in->target, &x->prompt, &all, e);
    *id = 0;
    for (size_t i = 0; ok && !*id && i < all.n; i++)
        if (is_false(in, all.at[i]) == x->is_false)
            *id = all.at[i];
    VEC_FREE(&all);
    return ok;
}

static enum split sample_split(struct intake *in, const struct item *x,
                               int split)
{
    size_t n;
    const void *salt = store_salt(in->s, &n);
    struct buf b = BUF_INIT(0);
    if (split >= 0)
        return (enum split)split;
    chat_print(&x->prompt, &b);
    enum split s = split_of(salt, n, buf_str(&b));
    buf_free(&b);
    return s;
}

/* Whether one of the answers was purged: nothing of the item is taken then. */
static bool was_purged(struct intake *in, const struct item *x, struct err *e)
{
    for (size_t i = 0; i < x->answers.n; i++) {
        const char *body = x->answers.at[i].body;
        if (text_refused(in->s, body, strlen(body), e))
            return true;
    }
    return false;
}

/* Adds the sample alone. */
static int64_t new_sample(struct intake *in, const struct item *x, int split,
                          struct err *e)
{
    char *origin = origin_of(in, x);
    struct sample_new n = {.target = in->target, .prompt = &x->prompt,
                           .origin = origin, .line = in->line,
                           .job = in->job,
                           .split = sample_split(in, x, split)};
    int64_t id = sample_add(&in->a, &n, e);
    free(origin);
    in->items += id != 0;
    if (id && x->is_false)
        VEC_PUSH(&in->falses, id);
    return id;
}

/* The answer where it stands already with the item's mark, under any of the
 * hashes that it has had: calls as they stood in hashes before, thinking in
 * its text. */
static int64_t standing(struct intake *in, const struct item *x,
                        const struct item_answer *a, const struct message *m,
                        struct same_query *q, int64_t *sample)
{
    uint8_t old[SHA_SIZE];
    const uint8_t *hash = q->hash;
    struct message whole = {.content = a->whole};
    int64_t id = candidate_same(in->s, q, sample);
    q->hash = old;
    for (int form = CALLS_WRITTEN; !id && form < CALLS_FORMS; form++) {
        q->answer = form == CALLS_ROUNDED ? NULL : m;
        if (chat_hash_before(&x->prompt, m, (enum calls_form)form, old))
            id = candidate_same(in->s, q, sample);
    }
    q->answer = NULL;
    if (!id && a->whole) {
        chat_hash(&x->prompt, &whole, old);
        id = candidate_same(in->s, q, sample);
    }
    q->hash = hash;
    if (id && *sample != q->first && is_false(in, *sample) != x->is_false)
        id = *sample = 0;
    return id;
}

/* An answer's figures, each with its place in the row. */
struct figure {
    const char *aspect;
    double value;
    const json *at;
};

static void figures_of(const struct item_answer *a, struct figure out[2])
{
    out[0] = (struct figure){"score", a->score, a->score_at};
    out[1] = (struct figure){"margin", a->margin, a->margin_at};
}

static bool add_scores(struct intake *in, int64_t candidate,
                       const struct item_answer *a, struct err *e)
{
    struct figure f[2];
    figures_of(a, f);
    for (size_t i = 0; i < COUNT(f); i++) {
        struct score_new s = {.candidate = candidate, .who = WHO,
                              .aspect = f[i].aspect, .value = f[i].value};
        if (!isnan(s.value) && !score_add(&in->a, &s, e))
            return false;
    }
    return true;
}

/* Figures of an answer that stands, where it has others or none. */
static void unread_scores(struct intake *in, int64_t candidate,
                          const struct item_answer *a)
{
    struct figure f[2];
    double was;
    figures_of(a, f);
    for (size_t i = 0; i < COUNT(f); i++)
        if (!isnan(f[i].value) && f[i].at &&
            (!score_value(in->s, candidate, f[i].aspect, WHO, &was) ||
             was != f[i].value))
            json_untake(f[i].at);
}

/* What the usual checks find wrong with an answer; that it passes the others
 * is not written, as no recipe asked for them. What a person brought is marked
 * and never falls. */
static bool add_checks(struct intake *in, const struct item *x,
                       const struct message *m, int64_t sample, int64_t id,
                       struct err *e)
{
    const struct message *last = chat_last(&x->prompt, ROLE_USER);
    struct check_input input = {.prompt = last ? last->content : "",
                                .answer = answer_words(m)};
    struct check_list rules = checks_usual();
    struct check_result found[CHECK_COUNT];
    size_t n = checks_run(&rules, &input, found);
    for (size_t i = 0; i < n; i++)
        if (found[i].verdict != VERDICT_PASS &&
            !check_add(&in->a, sample, id, &found[i], e))
            return false;
    return true;
}

/* Where an item's answers go. */
struct filling {
    int64_t sample;
    bool stood;   /* the sample was there before this item */
    bool opened;  /* its words are out of the index */
    size_t added;
};

static bool new_answer(struct intake *in, const struct item *x,
                       const struct item_answer *a, const struct message *m,
                       const uint8_t *hash, struct filling *f, int64_t *id,
                       struct err *e)
{
    if (f->stood && !f->opened && !sample_unindex(&in->a, f->sample, e))
        return false;
    f->opened = true;
    struct candidate_new c = {.sample = f->sample, .source = SOURCE_SEED,
                              .body = a->body, .hash = hash};
    *id = candidate_add(&in->a, &c, e);
    f->added += *id != 0;
    in->answers += f->stood && *id;
    return *id && add_scores(in, *id, a, e) &&
           add_checks(in, x, m, f->sample, *id, e);
}

/* One answer: *id is that of the candidate, 0 where it stands under another
 * sample. */
static bool add_answer(struct intake *in, const struct item *x, size_t i,
                       struct filling *f, int64_t *id, struct err *e)
{
    const struct item_answer *a = &x->answers.at[i];
    uint8_t hash[SHA_SIZE];
    struct message m;
    int64_t of = f->sample, same = 0;
    if (!answer_parse(a->body, &m, e))
        return false;
    chat_hash(&x->prompt, &m, hash);
    struct same_query q = {.target = in->target, .hash = hash, .answer = &m,
                           .same = answer_holds, .first = f->sample};
    if (f->stood || i)
        same = standing(in, x, a, &m, &q, &of);
    if (same)
        unread_scores(in, same, a);
    *id = same && of == f->sample ? same : 0;
    bool ok = same || new_answer(in, x, a, &m, hash, f, id, e);
    message_free(&m);
    return ok;
}

static bool index_new(struct intake *in, const struct item *x, int64_t id,
                      size_t added, struct err *e)
{
    if (added != 1)
        return sample_index(&in->a, id, e);
    char *text = answer_text(x->answers.at[0].body);
    const struct message *last = chat_last(&x->prompt, ROLE_USER);
    bool ok = sample_index_words(&in->a, id, last ? last->content : "", text,
                                 e);
    free(text);
    return ok;
}

/* ---- Orders ------------------------------------------------------------- */

/* Places of the candidates as a text of an order has them, its letters being
 * `letters`. */
static void places_of(const char *text, const ids *letters, const ids *all,
                      int *place)
{
    int seen = 0, at = 0;
    bool tie = false;
    for (const char *p = text; *p; p++) {
        size_t k = (size_t)(*p - 'A');
        tie = tie || *p == '=';
        if (*p < 'A' || k >= letters->n)
            continue;
        at = tie ? at : seen + 1;
        tie = false;
        seen++;
        for (size_t i = 0; i < all->n && i < ORDER_MAX; i++)
            if (all->at[i] == letters->at[k])
                place[i] = at;
    }
}

/* The ids behind the bar of an order's text; all of them where it has none. */
static ids letters_of(char *text, const ids *all)
{
    ids out = {0};
    char *bar = strchr(text, '|'), *end = bar;
    if (bar)
        *bar++ = '\0';
    for (long long v; bar && (v = strtoll(bar, &end, 10)) > 0;
         bar = *end ? end + 1 : end)
        VEC_PUSH(&out, (int64_t)v);
    for (size_t i = 0; !end && i < all->n; i++)
        VEC_PUSH(&out, all->at[i]);
    return out;
}

/* The order that the sample has by now. */
static void standing_order(struct intake *in, int64_t sample, const ids *all,
                           int *place)
{
    char *text = NULL;
    ids letters = {0};
    const int64_t *mine = idmap_find(&in->orders, sample);
    if (mine) {
        text = text_get(in->s, *mine, NULL);
        letters = letters_of(text, all);
    } else if (!order_read(in->s, sample, &text, &letters)) {
        free(text);
        return;
    }
    places_of(text, &letters, all, place);
    free(text);
    VEC_FREE(&letters);
}

/* The written form; where not all answers are in it, with their ids. The
 * caller frees. */
static char *write_order(const int *place, const ids *all)
{
    struct order o = {0};
    struct buf b = BUF_INIT(0);
    ids in = {0};
    char text[3 * ORDER_MAX + 1];
    for (size_t i = 0; i < all->n && i < ORDER_MAX; i++) {
        if (!place[i])
            continue;
        o.place[o.n++] = place[i];
        VEC_PUSH(&in, all->at[i]);
    }
    buf_puts(&b, order_print(&o, text));
    for (size_t i = 0; in.n < all->n && i < in.n; i++)
        buf_printf(&b, "%c%lld", i ? ',' : '|', (long long)in.at[i]);
    VEC_FREE(&in);
    return buf_take(&b);
}

/* A rank that says nothing of an answer: a figure that is no score. */
static void unread_rank(const struct item_answer *a)
{
    if (isnan(a->score) && a->score_at)
        json_untake(a->score_at);
}

static void unread_ranks(const struct item *x)
{
    for (size_t i = 0; i < x->answers.n; i++)
        unread_rank(&x->answers.at[i]);
}

/* What the item says of its answers joins what stands. `id` of each. */
static bool add_order(struct intake *in, const struct item *x, int64_t sample,
                      const int64_t *id, bool *new_one, struct err *e)
{
    int place[ORDER_MAX] = {0}, more[ORDER_MAX] = {0}, was[ORDER_MAX];
    size_t n = 0;
    ids all = {0};
    if (!sample_candidates(in->s, sample, &all, e))
        return false;
    size_t count = all.n < ORDER_MAX ? all.n : ORDER_MAX;
    for (size_t i = 0; i < x->answers.n; i++) {
        size_t k = 0;
        while (k < count && all.at[k] != id[i])
            k++;
        int at = x->answers.at[i].place;
        if (k < count && more[k] && at != more[k])
            unread_rank(&x->answers.at[i]);
        if (!id[i] || k == count || !at || more[k])
            continue;
        more[k] = at;
        n++;
    }
    standing_order(in, sample, &all, place);
    memcpy(was, place, sizeof was);
    bool ok = true;
    if (n > 1 && !order_merge(place, more, count)) {
        in->misfit = true;
    } else if (n > 1 && memcmp(was, place, sizeof was)) {
        char *text = write_order(place, &all);
        int64_t written = text_puts(in->s, text, e);
        ok = written != 0;
        if (ok)
            idmap_put(&in->orders, sample, written);
        *new_one = true;
        free(text);
    }
    VEC_FREE(&all);
    return ok;
}

/* ---- All of it ---------------------------------------------------------- */

static bool fill_sample(struct intake *in, const struct item *x, int64_t id,
                        bool stood, int64_t *answers, bool *new_one,
                        struct err *e)
{
    struct filling f = {.sample = id, .stood = stood};
    bool ordered = false, ok = true;
    int64_t before = in->answers;
    for (size_t i = 0; ok && i < x->answers.n; i++) {
        ok = add_answer(in, x, i, &f, &answers[i], e);
        ordered = ordered || x->answers.at[i].place;
    }
    struct check_input none = {.same = 0};
    struct check_result r = check_usual(CHECK_DUPLICATE, &none);
    ok = ok && (stood || check_add(&in->a, id, 0, &r, e));
    if (ok && f.opened)
        ok = stood ? sample_index(&in->a, id, e)
                   : index_new(in, x, id, f.added, e);
    *new_one = !stood || in->answers > before;
    if (ordered && x->is_false)
        unread_ranks(x);
    else if (ok && ordered)
        ok = add_order(in, x, id, answers, new_one, e);
    return ok && add_tags(in, OBJECT_SAMPLE, id, x->tags, new_one, e);
}

/* What the row says otherwise than the sample that stands. */
static bool unread_sample(struct intake *in, const struct item *x, int split,
                          int64_t id, struct err *e)
{
    struct sample_told t;
    if (!sample_told(in->s, id, &t, e))
        return false;
    unread_stood(in, x, split, (int)t.split, t.origin, t.prompt);
    free(t.origin);
    free(t.prompt);
    return true;
}

bool intake_sample(struct intake *in, const struct item *x, int split,
                   bool *new_one, struct err *e)
{
    int64_t id;
    in->misfit = false;
    *new_one = false;
    if (was_purged(in, x, e) || !find_sample(in, x, &id, e))
        return false;
    bool stood = id != 0;
    if (stood ? !unread_sample(in, x, split, id, e)
              : !(id = new_sample(in, x, split, e)))
        return false;
    int64_t *answers = xcalloc(x->answers.n + 1, sizeof *answers);
    bool ok = fill_sample(in, x, id, stood, answers, new_one, e);
    free(answers);
    return ok;
}

static bool write_orders(struct intake *in, struct err *e)
{
    bool ok = !in->orders.n || act_next(&in->a, "order", WHO, "", e);
    idmap_sort(&in->orders);
    for (size_t i = 0; ok && i < in->orders.n; i++)
        ok = act_change(&in->a, OBJECT_SAMPLE, in->orders.at[i].id,
                        FIELD_ORDER, in->orders.at[i].value, e);
    return ok;
}

static bool write_marks(struct intake *in, struct err *e)
{
    bool ok = !in->falses.n ||
              act_next(&in->a, "reject", WHO, REASON_LABEL, e);
    for (size_t i = 0; ok && i < in->falses.n; i++)
        ok = act_change(&in->a, OBJECT_SAMPLE, in->falses.at[i], FIELD_STATUS,
                        STATUS_REJECTED, e);
    return ok;
}

bool intake_end(struct intake *in, struct err *e)
{
    bool ok = seed_deal_end(&in->a, in->target, &in->deal, e) &&
              write_orders(in, e) && write_marks(in, e);
    return ok;
}

void intake_free(struct intake *in)
{
    VEC_FREE(&in->deal.at);
    VEC_FREE(&in->falses);
    idmap_free(&in->orders);
}
