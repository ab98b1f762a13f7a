#include "model/learn/nearest.h"

#include <math.h>
#include <stdlib.h>

#include "domain/rouge.h"
#include "domain/verifier.h"

#define LOOK 2000 /* rows among which the nearest is the exact one */

struct lookup {
    struct near_index *prompts; /* under 1 + the index of its answer */
    VEC(char *) answers;
    const struct items *held;
    size_t next;                /* of held, in the file's order */
    size_t right, marked;
};

static const char *asked(const struct row *r)
{
    const struct message *m = chat_last(&r->prompt, ROLE_USER);
    return m ? m->content : NULL;
}

static bool learn(void *ctx, struct row *r, struct err *e)
{
    struct lookup *x = ctx;
    (void)e;
    if (x->answers.n == NEAREST_ROWS)
        return false;
    if (!r->text && asked(r)) {
        VEC_PUSH(&x->answers, xstrdup(r->answer.content));
        near_add(x->prompts, (int64_t)x->answers.n, asked(r));
    }
    return true;
}

/* The held-out row that was kept of this one; NULL where it was not. */
static const struct item *kept(struct lookup *x, int64_t id)
{
    for (size_t i = x->next; i < x->held->n; i++)
        if (x->held->at[i].id == id) {
            x->next = i + 1;
            return &x->held->at[i];
        }
    return NULL;
}

static bool guess(void *ctx, struct row *r, struct err *e)
{
    struct lookup *x = ctx;
    const struct item *m = kept(x, r->id);
    (void)e;
    if (!m || !m->asked || m->verifier < 0 || !asked(r))
        return true;
    struct near_hit hit = near_find(x->prompts, asked(r), LOOK);
    x->marked++;
    x->right += hit.key &&
                verifier_check((enum verifier)m->verifier, m->answer,
                               x->answers.at[hit.key - 1], NULL);
    return true;
}

double nearest_exact(char *const *rows, size_t n_rows, const char *valid,
                     const struct items *held)
{
    struct lookup x = {.prompts = near_new(NULL), .held = held};
    bool ok = valid != NULL;
    for (size_t i = 0; ok && i < n_rows; i++)
        ok = rows_each(rows[i], learn, &x, NULL);
    ok = ok && rows_each(valid, guess, &x, NULL);
    for (size_t i = 0; i < x.answers.n; i++)
        free(x.answers.at[i]);
    VEC_FREE(&x.answers);
    near_free(&x.prompts);
    return ok && x.marked >= FIGURE_LEAST ? (double)x.right / (double)x.marked
                                          : NAN;
}
