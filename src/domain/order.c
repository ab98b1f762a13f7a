#include "domain/order.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"

struct order order_plain(size_t n)
{
    struct order o = {.n = n < ORDER_MAX ? n : ORDER_MAX};
    for (size_t i = 0; i < o.n; i++)
        o.place[i] = (int)i + 1;
    return o;
}

/* Places become 1, 2, 2, 4 ...: one more than the number that stand before. */
static void renumber(struct order *o)
{
    int was[ORDER_MAX];
    memcpy(was, o->place, sizeof was);
    for (size_t i = 0; i < o->n; i++) {
        o->place[i] = 1;
        for (size_t k = 0; k < o->n; k++)
            o->place[i] += was[k] < was[i];
    }
}

bool order_parse(const char *text, size_t n, struct order *out, struct err *e)
{
    *out = (struct order){.n = n};
    size_t seen = 0, missing = 0;
    int place = 0;
    bool tie = false, any_tie = false;
    for (const char *p = text; *p; p++) {
        if (*p == ' ' || *p == ',' || *p == '>')
            continue;
        if (*p == '=') {
            if (!seen || tie)
                return err_set(e, ERR_USAGE,
                               _("= stands between two letters"));
            tie = any_tie = true;
            continue;
        }
        int i = toupper((unsigned char)*p) - 'A';
        if (i < 0 || (size_t)i >= n)
            return err_set(e, ERR_USAGE, _("letters go from A to %c"),
                           (char)('A' + (int)n - 1));
        if (out->place[i])
            return err_set(e, ERR_USAGE, _("%c stands twice"), 'A' + i);
        place = tie ? place : (int)seen + 1;
        out->place[i] = place;
        tie = false;
        seen++;
    }
    for (size_t i = 0; i < n; i++)
        if (!out->place[i])
            missing = i;
    if (tie)
        return err_set(e, ERR_USAGE, _("= stands between two letters"));
    if (seen + 1 == n && !any_tie)
        out->place[missing] = (int)n;
    else if (seen < n)
        return err_set(e, ERR_USAGE, _("%c has no place"),
                       (char)('A' + (int)missing));
    return true;
}

void order_list(const struct order *o, size_t *out)
{
    struct order plain = *o;
    size_t at = 0;
    renumber(&plain); /* places then lie within 1 .. n */
    for (int p = 1; p <= (int)o->n; p++)
        for (size_t i = 0; i < o->n; i++)
            if (plain.place[i] == p)
                out[at++] = i;
}

char *order_print(const struct order *o, char *out)
{
    size_t list[ORDER_MAX];
    char *p = out;
    order_list(o, list);
    for (size_t i = 0; i < o->n; i++) {
        if (i)
            *p++ = o->place[list[i]] == o->place[list[i - 1]] ? '=' : ' ';
        *p++ = (char)('A' + (int)list[i]);
    }
    *p = '\0';
    return out;
}

struct order order_of_scores(const double *scores, size_t n)
{
    struct order o = {.n = n < ORDER_MAX ? n : ORDER_MAX};
    for (size_t i = 0; i < o.n; i++) {
        o.place[i] = 1;
        for (size_t k = 0; k < o.n; k++)
            o.place[i] += scores[k] > scores[i];
    }
    return o;
}

/* ---- Two orders --------------------------------------------------------- */

static bool agree(const int *place, const int *more, size_t n)
{
    bool shared = false, any = false;
    for (size_t i = 0; i < n; i++) {
        any = any || place[i];
        if (!place[i] || !more[i])
            continue;
        shared = true;
        for (size_t k = 0; k < n; k++)
            if (place[k] && more[k] && more[i] < more[k] &&
                place[i] >= place[k])
                return false;
    }
    return shared || !any;
}

/* The answer with a place whose standing in `more` is nearest to that of i. */
static size_t neighbour(const int *place, const int *more, size_t n, size_t i)
{
    size_t best = n;
    for (size_t k = 0; k < n; k++) {
        if (!place[k] || !more[k])
            continue;
        int d = abs(more[k] - more[i]);
        if (best == n || d < abs(more[best] - more[i]))
            best = k;
    }
    return best;
}

/* Gives i the level `at`; with `own` a new one that pushes the others down. */
static void settle(int *level, size_t n, size_t i, int at, bool own)
{
    for (size_t k = 0; own && k < n; k++)
        level[k] += level[k] >= at;
    level[i] = at;
}

static void put_beside(int *level, size_t n, size_t i, size_t by, int side)
{
    int here = level[by], last = 0;
    for (size_t k = 0; k < n; k++)
        last = level[k] > last ? level[k] : last;
    if (side < 0)
        settle(level, n, i, here > 1 ? here - 1 : 1, here == 1);
    else
        settle(level, n, i, side ? here + 1 : here, side && here == last);
}

/* Levels without gaps (1, 2, 3) from places, and back. */
static void to_levels(const int *place, size_t n, int *level)
{
    for (size_t i = 0; i < n; i++) {
        level[i] = place[i] > 0;
        for (size_t k = 0; place[i] && k < n; k++) {
            bool first = place[k] && place[k] < place[i];
            for (size_t j = 0; first && j < k; j++)
                first = place[j] != place[k];
            level[i] += first;
        }
    }
}

static void to_places(const int *level, size_t n, int *place)
{
    for (size_t i = 0; i < n; i++) {
        place[i] = level[i] > 0;
        for (size_t k = 0; level[i] && k < n; k++)
            place[i] += level[k] && level[k] < level[i];
    }
}

bool order_merge(int *place, const int *more, size_t n)
{
    int level[ORDER_MAX];
    if (n > ORDER_MAX || !agree(place, more, n))
        return false;
    to_levels(place, n, level);
    for (;;) {
        size_t best = n, by = n;
        for (size_t i = 0; i < n; i++) {
            size_t k = !level[i] && more[i] ? neighbour(level, more, n, i)
                                            : n;
            if (!level[i] && more[i] &&
                (best == n || (k < n && abs(more[k] - more[i]) <
                                            abs(more[by] - more[best])))) {
                best = i;
                by = k;
            }
        }
        if (best == n)
            break;
        if (by == n)
            level[best] = 1;
        else
            put_beside(level, n, best, by, more[best] < more[by]   ? -1
                                           : more[best] > more[by] ? 1
                                                                   : 0);
    }
    to_places(level, n, place);
    return true;
}

static size_t standing_at(const struct order *o, size_t but, int place)
{
    size_t count = 0;
    for (size_t i = 0; i < o->n; i++)
        count += i != but && o->place[i] == place;
    return count;
}

bool order_move(struct order *o, size_t i, int by)
{
    /* doubled places leave room between two groups */
    for (size_t k = 0; k < o->n; k++)
        o->place[k] *= 4;
    int mine = o->place[i], goal = 0;
    bool tied = standing_at(o, i, mine) > 0, found = tied;
    for (size_t k = 0; k < o->n; k++) {
        int p = o->place[k];
        bool beyond = by < 0 ? p < mine : p > mine;
        if (beyond && (!goal || (by < 0 ? p > goal : p < goal)))
            goal = p;
    }
    found = tied || goal;
    if (tied)
        o->place[i] = mine + (by < 0 ? -1 : 1);
    else if (goal)
        o->place[i] = goal + (by < 0 ? -1 : 1);
    renumber(o);
    return found;
}

bool order_tie(struct order *o, size_t i)
{
    int mine = o->place[i], above = 0;
    if (standing_at(o, i, mine) > 0)
        return order_move(o, i, 1);
    for (size_t k = 0; k < o->n; k++)
        if (o->place[k] < mine && o->place[k] > above)
            above = o->place[k];
    if (!above)
        return false;
    o->place[i] = above;
    renumber(o);
    return true;
}

void order_pairs(const struct order *o, order_pair_fn *fn, void *ctx)
{
    size_t list[ORDER_MAX], worse = 0;
    order_list(o, list);
    for (size_t i = 1; i < o->n; i++)
        worse += o->place[list[i]] > o->place[list[0]];
    for (size_t i = 1; i < o->n; i++)
        if (o->place[list[i]] > o->place[list[0]])
            fn(ctx, list[0], list[i], 1.0 / (double)worse);
}
