#include "app/rank.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "base/rng.h"
#include "verbs/order.h"

static void keep_touched(struct rank_state *r);

/* What is on the screen is read anew: others may have changed it. */
void rank_open(struct app *a)
{
    struct rank_state *r = &a->rank;
    struct err e = {0};
    keep_touched(r);
    sample_free(&r->now);
    r->touched = false;
    VEC_FREE(&r->queue);
    r->at = 0;
    if (!sample_ids_to_rank(a->s, a->target, &r->queue, &e))
        app_say_err(a, &e);
}

/* The queue anew, at this sample where it is still to be ranked. */
static void open_at(struct app *a, int64_t sample)
{
    struct rank_state *r = &a->rank;
    size_t was = r->at;
    rank_open(a);
    r->at = was < r->queue.n ? was : 0;
    for (size_t i = 0; i < r->queue.n; i++)
        if (r->queue.at[i] == sample)
            r->at = i;
    app_load(a);
}

/* Letters are a shuffle seeded by the sample, the same for everybody. */
static void shuffle(struct rank_state *r, size_t n)
{
    struct rng rng;
    rng_seed(&rng, (uint64_t)r->now.id * 2654435761u + 7);
    for (size_t i = 0; i < n; i++)
        r->shown[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)rng_below(&rng, i), was = r->shown[i - 1];
        r->shown[i - 1] = r->shown[k];
        r->shown[k] = was;
    }
}

static struct given *given_to(struct rank_state *r, int64_t sample)
{
    for (size_t i = 0; i < r->given.n; i++)
        if (r->given.at[i].sample == sample)
            return &r->given.at[i];
    return NULL;
}

static int64_t sum_of_answers(const struct rank_state *r)
{
    int64_t sum = 0;
    for (size_t i = 0; i < r->now.candidates.n; i++)
        sum += r->now.candidates.at[i].id;
    return sum;
}

/* An order that was given and not written waits for its sample to come
 * back. */
static void keep_touched(struct rank_state *r)
{
    struct given g = {r->now.id, sum_of_answers(r), r->order};
    struct given *old = given_to(r, r->now.id);
    if (!r->touched || !r->now.id)
        return;
    if (old)
        *old = g;
    else
        VEC_PUSH(&r->given, g);
}

static void take_touched(struct rank_state *r)
{
    const struct given *g = given_to(r, r->now.id);
    if (!g || g->order.n != r->order.n || g->answers != sum_of_answers(r))
        return;
    r->order = g->order;
    r->touched = true;
}

void rank_load(struct app *a)
{
    struct rank_state *r = &a->rank;
    struct err e = {0};
    ids letters = {0};
    int64_t id = r->at < r->queue.n ? r->queue.at[r->at] : 0;
    if (id == r->now.id && id) {
        if (!r->beside && r->scroll_of != r->list.cursor)
            r->scroll = 0;
        r->scroll_of = r->list.cursor;
        return;
    }
    keep_touched(r);
    sample_free(&r->now);
    list_free(&r->list);
    memset(r->read, 0, sizeof r->read);
    r->scroll = 0;
    r->scroll_of = 0;
    r->touched = r->diff = false;
    r->blind = true;
    r->seen = store_seq(a->s);
    if (!id)
        return;
    if (!sample_get(a->s, id, &r->now, &e)) {
        app_say_err(a, &e);
        return;
    }
    size_t n = r->now.candidates.n < ORDER_MAX ? r->now.candidates.n
                                               : ORDER_MAX;
    shuffle(r, n);
    r->order = order_plain(n);
    take_touched(r);
    for (size_t i = 0; i < n; i++)
        VEC_PUSH(&letters, (int64_t)i + 1);
    list_take(&r->list, &letters);
    r->list.cursor = 0;
}

char *rank_text(struct app *a)
{
    const struct rank_state *r = &a->rank;
    size_t i = r->list.cursor;
    return i < r->order.n && r->now.id
               ? answer_text(r->now.candidates.at[r->shown[i]].body)
               : NULL;
}

void rank_done(struct app *a)
{
    sample_free(&a->rank.now);
    list_free(&a->rank.list);
    VEC_FREE(&a->rank.queue);
    VEC_FREE(&a->rank.given);
}

struct judged rank_judged(const struct app *a, size_t letter)
{
    const struct rank_state *r = &a->rank;
    const struct candidate *c =
        &r->now.candidates.at[r->shown[letter]];
    struct judged j = {.mean = c->judge, .place = 1};
    for (size_t i = 0; i < r->now.scores.n && j.n < COUNT(j.scores); i++)
        if (r->now.scores.at[i].candidate == c->id)
            j.scores[j.n++] = &r->now.scores.at[i];
    for (size_t i = 0; i < r->now.candidates.n; i++)
        j.place += r->now.candidates.at[i].judge > c->judge;
    return j;
}

/* ---- Acts --------------------------------------------------------------- */

static void next_sample(struct app *a, int by)
{
    struct rank_state *r = &a->rank;
    if (!r->queue.n)
        return;
    r->at = (r->at + r->queue.n + (size_t)by) % r->queue.n;
    app_load(a);
}

static void drop_decided(struct app *a)
{
    struct rank_state *r = &a->rank;
    struct given *g = given_to(r, r->now.id);
    if (g)
        *g = r->given.at[--r->given.n];
    r->touched = false;
    for (size_t i = r->at; i + 1 < r->queue.n; i++)
        r->queue.at[i] = r->queue.at[i + 1];
    r->queue.n--;
    if (r->at >= r->queue.n)
        r->at = 0;
    sample_free(&r->now);
    a->counts.to_rank--;
    a->review.today++;
    app_load(a);
}

static void write_order(struct app *a)
{
    struct rank_state *r = &a->rank;
    struct order by_candidate = {.n = r->order.n};
    struct other o = {0};
    struct err e = {0};
    size_t list[ORDER_MAX];
    int64_t id = r->now.id;
    if (!id)
        return;
    for (size_t i = 0; i < r->order.n; i++)
        by_candidate.place[r->shown[i]] = r->order.place[i];
    order_list(&r->order, list);
    int64_t first = r->now.candidates.at[r->shown[list[0]]].id;
    char text[ORDER_MAX * 3];
    order_print(&r->order, text);
    switch (verb_order(a->s, a->who, id, &by_candidate, first, r->seen, &o,
                       &e)) {
    case DECIDED_CONFLICT:
        open_at(a, id);
        app_say(a, _("%lld: %s decided first (%s); nothing was written"),
                (long long)id, other_name(&o, a->who), deed_label(o.kind));
        return;
    case DECIDED_NOT:
        app_say(a, _("not saved: %s"), e.text);
        return;
    case DECIDED_UNKNOWN:
        app_say_err(a, &e);
        return;
    case DECIDED:
    case DECIDED_FOUND:
        break;
    }
    a->counts.pending--;
    a->counts.accepted++;
    drop_decided(a);
    app_did(a, _("✓ %lld ordered %s and accepted"), (long long)id, text);
}

void rank_painted(struct app *a)
{
    for (size_t i = 0; i < a->rank.order.n; i++)
        a->rank.read[i] = a->rank.read[i] || a->rank.ends[i];
}

/* The first answer whose end was not on the screen; how many there are where
 * all were, or nobody asks. */
static size_t first_unread(const struct app *a)
{
    const struct rank_state *r = &a->rank;
    size_t i = 0;
    if (a->options.value[OPTION_UNREAD] != UNREAD_ASK)
        return r->order.n;
    while (i < r->order.n && r->read[i])
        i++;
    return i;
}

/* The letters stand in a shuffled order: what nobody has touched is asked, and
 * what was not read. */
static void keep_order(struct app *a, const char *args)
{
    char text[ORDER_MAX * 3];
    size_t unread = first_unread(a);
    (void)args;
    order_print(&a->rank.order, text);
    if (unread < a->rank.order.n) {
        snprintf(a->ask.text, sizeof a->ask.text,
                 _("%c is not read to its end. Y keeps %s as your order."),
                 'A' + (int)unread, text);
    } else if (!a->rank.touched) {
        snprintf(a->ask.text, sizeof a->ask.text,
                 _("You have not ordered them. Y keeps %s as your order."),
                 text);
    } else {
        write_order(a);
        return;
    }
    a->ask.kind = ASK_ORDER;
    a->sight = SIGHT_NONE;
}

bool rank_order_key(struct app *a, const char *key)
{
    bool yes = !strcmp(key, "Y");
    if (!yes && strcmp(key, "n") && strcmp(key, "Esc"))
        return false;
    a->ask.kind = ASK_NOTHING;
    if (yes)
        write_order(a);
    return true;
}

static void all_bad(struct app *a, const char *args)
{
    (void)args;
    struct rank_state *r = &a->rank;
    struct decide d = {a->who, STATUS_REJECTED, REASON_ALL_BAD, r->seen, 0,
                       0};
    struct other o = {0};
    struct err e = {0};
    int64_t id = r->now.id, seq;
    if (!id)
        return;
    enum decided how = verb_decide(a->s, &d, id, &o, &seq, &e);
    if (how == DECIDED_CONFLICT) {
        open_at(a, id);
        app_say(a, _("%lld: %s decided first (%s); nothing was written"),
                (long long)id, other_name(&o, a->who), deed_label(o.kind));
        return;
    }
    if (how > DECIDED_FOUND) {
        app_say(a, _("not saved: %s"), e.text);
        return;
    }
    a->counts.pending--;
    a->counts.rejected++;
    drop_decided(a);
    app_did(a, _("✗ %lld rejected: all bad"), (long long)id);
}

/* Adds "; C and D tie" for each place that several letters share. */
static void put_ties(const struct order *o, struct buf *b)
{
    for (size_t i = 0; i < o->n; i++) {
        size_t first = i, last = i, more = 0;
        for (size_t k = 0; k < o->n; k++) {
            if (o->place[k] != o->place[i])
                continue;
            first = k < first ? k : first;
            last = k;
            more++;
        }
        if (first != i || more < 2)
            continue;
        buf_printf(b, "; %c", 'A' + (int)i);
        for (size_t k = i + 1; k < last; k++)
            if (o->place[k] == o->place[i])
                buf_printf(b, ", %c", 'A' + (int)k);
        buf_printf(b, _(" and %c tie"), 'A' + (int)last);
    }
}

/* Where the person's order differs most from the judge's, and what ties. */
static void say_compared(struct app *a)
{
    const struct rank_state *r = &a->rank;
    struct buf b = BUF_INIT(0);
    size_t at = 0;
    int by = 0;
    for (size_t i = 0; i < r->order.n; i++) {
        struct judged j = rank_judged(a, i);
        int above = isnan(j.mean) ? 0 : j.place - r->order.place[i];
        if (abs(above) > abs(by)) {
            by = above;
            at = i;
        }
    }
    unsigned long places = (unsigned long)abs(by);
    if (by > 0)
        buf_printf(&b, P_("%c is %d place above the judge's",
                          "%c is %d places above the judge's", places),
                   'A' + (int)at, by);
    else if (by < 0)
        buf_printf(&b, P_("%c is %d place below the judge's",
                          "%c is %d places below the judge's", places),
                   'A' + (int)at, -by);
    else
        buf_puts(&b, _("in the judge's order"));
    put_ties(&r->order, &b);
    app_say(a, "%s", buf_str(&b));
    buf_free(&b);
}

static void say_order(struct app *a)
{
    char text[ORDER_MAX * 3];
    a->rank.touched = true;
    if (a->rank.blind)
        app_say(a, _("order: %s"), order_print(&a->rank.order, text));
    else
        say_compared(a);
}

static void type_order(struct app *a, const char *args)
{
    struct rank_state *r = &a->rank;
    struct order o;
    struct err e = {0};
    if (!order_parse(args, r->order.n, &o, &e)) {
        app_say_err(a, &e);
        return;
    }
    r->order = o;
    say_order(a);
}

static void move_answer(struct app *a, int by)
{
    struct rank_state *r = &a->rank;
    if (order_move(&r->order, r->list.cursor, by))
        say_order(a);
}

static void rise(struct app *a, const char *args)
{
    (void)args;
    move_answer(a, -1);
}

static void sink(struct app *a, const char *args)
{
    (void)args;
    move_answer(a, 1);
}

static void tie(struct app *a, const char *args)
{
    (void)args;
    if (order_tie(&a->rank.order, a->rank.list.cursor))
        say_order(a);
}

static void turn_blind(struct app *a, const char *args)
{
    (void)args;
    a->rank.blind = !a->rank.blind;
    if (a->rank.blind)
        a->said[0] = '\0';
    else
        say_compared(a);
}

static void go_before(struct app *a, const char *args)
{
    (void)args;
    next_sample(a, -1);
}

static void go_on(struct app *a, const char *args)
{
    (void)args;
    next_sample(a, 1);
}

static void alone(struct app *a, const char *args)
{
    (void)args;
    a->zoom = !a->zoom;
}

size_t rank_other(const struct app *a)
{
    const struct rank_state *r = &a->rank;
    size_t best = r->list.cursor ? 0 : 1;
    for (size_t i = best + 1; i < r->order.n; i++)
        if (i != r->list.cursor && r->order.place[i] < r->order.place[best])
            best = i;
    return best;
}

static void turn_diff(struct app *a, const char *args)
{
    (void)args;
    a->rank.diff = !a->rank.diff;
    a->rank.scroll = 0;
}

/* Why nothing can be done with the sample: there is none. */
static const char *no_sample(const struct app *a)
{
    return a->rank.now.id ? NULL : _("there is nothing to rank");
}

/* An edited prompt leaves one answer of those that were scored. */
static const char *no_other(const struct app *a)
{
    if (no_sample(a) || a->rank.order.n > 1)
        return no_sample(a);
    return _("there is nothing to compare it with");
}

const struct deed rank_deeds[] = {
    {.act = ACT_ACCEPT,
     .fn = keep_order,
     .why_not = no_sample,
     .decides = true},
    {.act = ACT_ALL_BAD,
     .fn = all_bad,
     .why_not = no_sample,
     .decides = true},
    {.act = ACT_RISE, .fn = rise, .why_not = no_sample},
    {.act = ACT_SINK, .fn = sink, .why_not = no_sample},
    {.act = ACT_TIE, .fn = tie, .why_not = no_sample},
    {.act = ACT_ORDER,
     .fn = type_order,
     .why_not = no_sample,
     .prompt = LINE_ORDER},
    {.act = ACT_BLIND, .fn = turn_blind, .why_not = no_sample},
    {.act = ACT_ZOOM, .fn = alone, .why_not = no_sample},
    {.act = ACT_DIFF_OF_TWO, .fn = turn_diff, .why_not = no_other},
    {.act = ACT_PREV_PART, .fn = go_before, .why_not = no_sample},
    {.act = ACT_NEXT_PART, .fn = go_on, .why_not = no_sample},
    {0}};

void rank_undone(struct app *a, int64_t sample)
{
    open_at(a, sample);
}

int64_t rank_count(const struct app *a)
{
    return a->counts.to_rank;
}
