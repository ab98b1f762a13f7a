/* What most of a group say (self-consistency: Wang 2023, 2203.11171; LMSI:
 * Huang 2022, 2210.11610, section 3). Texts that mean the same final answer are
 * one vote. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/uni.h"
#include "domain/verifier.h"
#include "recipe/op.h"
#include "recipe/read.h"

struct settings {
    char *field;  /* that is voted on */
    double share; /* of the votes that the most must have */
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    own->share = .5;
    return read_text(j, "field", true, &own->field, e) &&
           read_number(j, "share", 0, 1, &own->share, e) &&
           (word_among(own->field, s->from->gives) ||
            err_set(e, ERR_INPUT, _("field: the items have no field "
                                    "\"%.40s\""), own->field));
}

static void unload(void *settings)
{
    struct settings *own = settings;
    free(own->field);
    free(own);
}

/* The same final answer: by value where both are numbers. */
static bool same(const char *a, const char *b)
{
    return verifier_check(VERIFY_FINAL, a, b, NULL);
}

/* The votes of each that speaks, and the one with the most: the first among
 * equals. */
static size_t count_votes(const char *const *said, size_t n, size_t *votes)
{
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        votes[i] = 0;
        for (size_t k = 0; said[i] && k < n; k++)
            votes[i] += said[k] && same(said[i], said[k]);
        if (votes[i] > votes[best])
            best = i;
    }
    return best;
}

static void run(const struct recipe_step *s, const struct recipe_bindings *b,
                struct recipe_items *out)
{
    const struct settings *own = s->own;
    const char *said[RECIPE_GROUP];
    size_t votes[RECIPE_GROUP], n = b->n_candidates, voters = 0;
    for (size_t i = 0; i < n; i++) {
        const char *text = field_get(b->group[i]->item, own->field);
        said[i] = text && !uni_is_blank(text) ? text : NULL;
        voters += said[i] != NULL;
    }
    size_t best = n ? count_votes(said, n, votes) : 0;
    double share = voters ? (double)votes[best] / (double)voters : 0;
    if (!voters || share < own->share) {
        op_miss(out, xasprintf(_("no answer has %.0f%% of the votes"),
                               100 * own->share));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!said[i] || !same(said[best], said[i]))
            continue;
        struct recipe_item *it = op_add(out, b->group[i]->item);
        field_put_number(it, "votes", (double)votes[best]);
        field_put_number(it, "share", share);
    }
}

const struct op op_vote = {
    .name = "vote", .keys = "field share", .gives = "votes share",
    .grouped = true, .load = load, .unload = unload, .run = run};
