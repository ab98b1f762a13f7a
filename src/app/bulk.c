/* Deciding about all that is selected: a dry run, a question, and one step. */
#include <stdio.h>
#include <stdlib.h>

#include "app/app.h"
#include "base/lang.h"
#include "base/rng.h"

static void forget_five(struct review_state *r)
{
    for (size_t i = 0; i < r->five.n; i++)
        free(r->five.at[i].first_line);
    r->five.n = 0;
}

/* Five of those that would be decided on, each of them once. */
static void draw_five(struct app *a)
{
    struct review_state *r = &a->review;
    size_t n = r->bulk_ids.n, drawn[5];
    struct rng rng;
    rng_seed(&rng, r->bulk_seed);
    forget_five(r);
    for (size_t i = 0; i < 5 && i < n; i++) {
        struct sample_row x;
        bool again = true;
        while (again) {
            drawn[i] = (size_t)rng_below(&rng, n);
            again = false;
            for (size_t k = 0; k < i; k++)
                again = again || drawn[k] == drawn[i];
        }
        if (sample_row_get(a->s, r->bulk_ids.at[drawn[i]], &x))
            VEC_PUSH(&r->five, x);
    }
}

void bulk_start(struct app *a, enum status to, const char *reason)
{
    struct review_state *r = &a->review;
    struct err e = {0};
    r->bulk_ids.n = 0;
    if (!list_selected_ids(&r->list, &r->bulk_ids))
        return;
    snprintf(r->bulk_reason, sizeof r->bulk_reason, "%s", reason);
    r->bulk_do = (struct decide){a->who, to, r->bulk_reason, r->seen, 0,
                                0};
    r->bulk_seed = 7;
    if (!verb_dry_run(a->s, &r->bulk_ids, &r->dry, &e)) {
        app_say_err(a, &e);
        return;
    }
    size_t n = r->bulk_ids.n;
    char count[32];
    draw_five(a);
    r->bulk = true;
    a->ask.kind = ASK_BULK;
    a->sight = SIGHT_NONE;
    snprintf(a->ask.text, sizeof a->ask.text,
             to == STATUS_ACCEPTED
                 ? P_("Accept %s sample as one step that u undoes?",
                      "Accept %s samples as one step that u undoes?", n)
             : to == STATUS_REJECTED
                 ? P_("Reject %s sample as one step that u undoes?",
                      "Reject %s samples as one step that u undoes?", n)
                 : P_("Defer %s sample as one step that u undoes?",
                      "Defer %s samples as one step that u undoes?", n),
             lang_number(count, sizeof count, (double)n, 0));
    a->stale = STALE_PAINT;
}

static void do_bulk(struct app *a)
{
    struct review_state *r = &a->review;
    r->bulk = false;
    list_mark_none(&r->list);
    work_bulk(a, &r->bulk_do, &r->bulk_ids);
}

bool bulk_key(struct app *a, const char *key)
{
    if (!strcmp(key, "Y")) {
        a->ask.kind = ASK_NOTHING;
        do_bulk(a);
    } else if (!strcmp(key, "n") || !strcmp(key, "Esc")) {
        a->ask.kind = ASK_NOTHING;
        a->review.bulk = false;
        app_say(a, _("nothing was changed"));
    } else if (!strcmp(key, "r")) {
        a->review.bulk_seed++;
        draw_five(a);
    } else {
        return false;
    }
    return true;
}

void bulk_done(struct app *a)
{
    forget_five(&a->review);
    VEC_FREE(&a->review.five);
    VEC_FREE(&a->review.bulk_ids);
}
