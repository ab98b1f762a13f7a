#include "verbs/import_items.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "domain/order.h"
#include "store/export.h"
#include "store/sample.h"
#include "store/text.h"

#define WHO "import" /* whose orders, marks and scores these are */

static bool add_tags(struct intake *in, enum object kind, int64_t id,
                     const char *tags, struct err *e)
{
    char *copy = tags ? xstrdup(tags) : NULL, *rest = copy, *one;
    bool ok = true;
    while (ok && rest && (one = strsep(&rest, " ")))
        ok = !*one || act_tag(&in->a, kind, id, one, true, e);
    free(copy);
    return ok;
}

/* The file, with the row's own name where it has one; the caller frees. */
static char *origin_of(const struct intake *in, const struct item *x)
{
    return x->id ? xasprintf("%s#%.200s", in->origin, x->id)
                 : xstrdup(in->origin);
}

/* ---- Seeds -------------------------------------------------------------- */

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
    if (!id)
        *e = why;
    return id && add_tags(in, OBJECT_SEED, id, x->tags, e);
}

/* ---- Samples ------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_false(const struct intake *in, int64_t sample)
{
    const ids *f = &in->falses;
    return (f->n && bsearch(&sample, f->at, f->n, sizeof *f->at, by_value)) ||
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

/* The answer where it stands already, under any of the hashes that it has had:
 * numbers of calls rounded, thinking in its text. */
static int64_t standing(struct intake *in, const struct chat *prompt,
                        const struct item_answer *a, const char *text,
                        uint8_t hash[SHA_SIZE], int64_t *sample)
{
    uint8_t old[SHA_SIZE];
    chat_hash(prompt, text, hash);
    int64_t id = candidate_same(in->s, in->target, hash, a->body, sample);
    if (!id && chat_hash_before(prompt, a->body, old))
        id = candidate_same(in->s, in->target, old, NULL, sample);
    if (!id && a->whole) {
        chat_hash(prompt, a->whole, old);
        id = candidate_same(in->s, in->target, old, NULL, sample);
    }
    return id;
}

static bool add_scores(struct intake *in, int64_t candidate,
                       const struct item_answer *a, struct err *e)
{
    const struct {
        const char *aspect;
        double value;
    } figures[] = {{"score", a->score}, {"margin", a->margin}};
    for (size_t i = 0; i < COUNT(figures); i++) {
        struct score_new s = {.candidate = candidate, .who = WHO,
                              .aspect = figures[i].aspect,
                              .value = figures[i].value};
        if (!isnan(s.value) && !score_add(&in->a, &s, e))
            return false;
    }
    return true;
}

/* One answer: *id is that of the candidate, 0 where it stands under another
 * sample. `stood` says whether the sample was there before this item; its
 * words leave the index before the first answer is added. */
static bool add_answer(struct intake *in, const struct item *x, size_t i,
                       int64_t sample, bool stood, bool *opened, int64_t *id,
                       struct err *e)
{
    const struct item_answer *a = &x->answers.at[i];
    uint8_t hash[SHA_SIZE];
    int64_t of = 0;
    char *text = answer_text(a->body);
    *id = 0;
    if (stood || i)
        *id = standing(in, &x->prompt, a, text, hash, &of);
    else
        chat_hash(&x->prompt, text, hash);
    free(text);
    if (*id) {
        *id = of == sample ? *id : 0;
        return !!of;
    }
    if (stood && !*opened && !sample_unindex(&in->a, sample, e))
        return false;
    *opened = true;
    struct candidate_new c = {.sample = sample, .source = SOURCE_SEED,
                              .body = a->body, .hash = hash};
    *id = candidate_add(&in->a, &c, e);
    in->answers += stood && *id;
    return *id && add_scores(in, *id, a, e);
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

static struct written_order *find_order(struct intake *in, int64_t sample,
                                        size_t *at)
{
    size_t low = 0, high = in->orders.n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (in->orders.at[mid].sample < sample)
            low = mid + 1;
        else
            high = mid;
    }
    *at = low;
    return low < in->orders.n && in->orders.at[low].sample == sample
               ? &in->orders.at[low]
               : NULL;
}

/* Keeps it for the end, in the place of the one that the sample had. */
static void keep_order(struct intake *in, int64_t sample, int64_t text)
{
    size_t at;
    struct written_order *old = find_order(in, sample, &at), o = {sample,
                                                                  text};
    if (old) {
        old->text = text;
        return;
    }
    VEC_PUSH(&in->orders, o);
    memmove(in->orders.at + at + 1, in->orders.at + at,
            (in->orders.n - 1 - at) * sizeof o);
    in->orders.at[at] = o;
}

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
    size_t at;
    char *text = NULL;
    ids letters = {0};
    struct written_order *mine = find_order(in, sample, &at);
    if (mine) {
        text = text_get(in->s, mine->text, NULL);
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
        if (!id[i] || k == count || !x->answers.at[i].place || more[k])
            continue;
        more[k] = x->answers.at[i].place;
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
            keep_order(in, sample, written);
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
    bool opened = false, ordered = false, ok = true;
    size_t added = 0;
    int64_t before = in->answers;
    for (size_t i = 0; ok && i < x->answers.n; i++) {
        ok = add_answer(in, x, i, id, stood, &opened, &answers[i], e);
        added += answers[i] != 0;
        ordered = ordered || x->answers.at[i].place;
    }
    struct check_input none = {.same = 0};
    struct check_result r = check_usual(CHECK_DUPLICATE, &none);
    ok = ok && (stood || check_add(&in->a, id, 0, &r, e));
    if (ok && opened)
        ok = stood ? sample_index(&in->a, id, e)
                   : index_new(in, x, id, added, e);
    *new_one = !stood || in->answers > before;
    return ok && (!ordered || x->is_false ||
                  add_order(in, x, id, answers, new_one, e)) &&
           add_tags(in, OBJECT_SAMPLE, id, x->tags, e);
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
    if (!stood && !(id = new_sample(in, x, split, e)))
        return false;
    int64_t *answers = xcalloc(x->answers.n + 1, sizeof *answers);
    bool ok = fill_sample(in, x, id, stood, answers, new_one, e);
    free(answers);
    return ok;
}

static bool write_orders(struct intake *in, struct err *e)
{
    bool ok = !in->orders.n || act_next(&in->a, "order", WHO, "", e);
    for (size_t i = 0; ok && i < in->orders.n; i++)
        ok = act_change(&in->a, OBJECT_SAMPLE, in->orders.at[i].sample,
                        FIELD_ORDER, in->orders.at[i].text, e);
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
    VEC_FREE(&in->orders);
}
