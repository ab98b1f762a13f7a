#include "app/tour.h"

#include <stdio.h>

#include "app/app.h"
#include "base/lang.h"
#include "store/stat.h"

static const char *const steps[] = {
    N_("E, then Start: a teacher makes prompts and answers them"),
    N_("3 opens Review: what came back waits there"),
    N_("read, then a or x: ten by hand; one answer in four is wrong"),
    N_("* takes all in the filter, a shows a dry run, Y accepts them"),
    N_("T trains the student on what you accepted; 5 watches it"),
    N_("6 shows what goes out, X writes it")};

/* How many steps are done, by what the store holds. */
static int steps_done(struct app *a)
{
    struct store_counts n;
    store_count(a->s, &n);
    int64_t samples = 0;
    for (int i = 0; i < STATUS_COUNT; i++)
        samples += n.samples[i];
    if (!samples)
        return 0;
    if (a->view != VIEW_REVIEW && !a->review.today)
        return 1;
    if (a->review.today < 10)
        return 2;
    if (n.samples[STATUS_PENDING] > n.samples[STATUS_ACCEPTED] / 10)
        return 3;
    if (!n.runs)
        return 4;
    return n.exports ? 6 : 5;
}

const char *tour_line(struct app *a, char *out, size_t cap)
{
    if (!a->tour || a->options.value[OPTION_TOUR] != OPTION_ON)
        return NULL;
    int done = steps_done(a);
    if (done >= 6)
        return NULL;
    snprintf(out, cap, _("Tour %d of 6: %s"), done + 1, _(steps[done]));
    return out;
}
