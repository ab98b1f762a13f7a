#include "app/tour.h"

#include "app/app.h"
#include "base/lang.h"
#include "store/stat.h"

static const char *const steps[] = {
    ROW_("Tour 1 of 6: E, then ^S: a teacher makes prompts and answers them"),
    ROW_("Tour 2 of 6: 3 opens Review: what came back waits there"),
    ROW_("Tour 3 of 6: read, then a or x: ten by hand; one in four is wrong"),
    ROW_("Tour 4 of 6: * takes all in the filter, a a dry run, Y accepts them"),
    ROW_("Tour 5 of 6: T trains the student on what you accepted; 5 watches"),
    ROW_("Tour 6 of 6: 6 shows what goes out, X writes it")};
enum { STEPS = sizeof steps / sizeof *steps };

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
    return n.exports ? STEPS : 5;
}

void tour_look(struct app *a)
{
    bool on = a->tour && a->options.value[OPTION_TOUR] == OPTION_ON;
    a->tour_at = on ? steps_done(a) : STEPS;
}

const char *tour_line(const struct app *a)
{
    return a->tour_at < STEPS ? _(steps[a->tour_at]) : NULL;
}
