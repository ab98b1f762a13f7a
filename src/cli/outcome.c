#include "cli/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/say.h"
#include "domain/check.h"

#define TOLD 6 /* reasons at most */

/* ---- Why calls came to nothing ------------------------------------------- */

void outcome_reasons(struct store *s, int64_t job, const char *indent)
{
    struct call_reason list[TOLD];
    size_t n = call_reasons(s, job, list, TOLD);
    for (size_t i = 0; i < n; i++) {
        const char *text = *list[i].text ? list[i].text : _("nothing is known");
        say(stdout, "%s%lld %s: %.*s\n", indent, (long long)list[i].n,
            _(call_state_name(list[i].state)), (int)strcspn(text, "\n"), text);
        free(list[i].text);
    }
}

void outcome_json_reasons(struct store *s, int64_t job, struct jw *w)
{
    struct call_reason list[TOLD];
    size_t n = call_reasons(s, job, list, TOLD);
    jw_key(w, "why");
    jw_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        jw_open(w, '{');
        jw_kstr(w, "state", call_state_name(list[i].state));
        jw_kint(w, "calls", list[i].n);
        jw_kstr(w, "reason", list[i].text);
        jw_close(w);
        free(list[i].text);
    }
    jw_close(w);
}

/* ---- A job --------------------------------------------------------------- */

struct ended {
    const char *state, *why; /* why it ended so, or NULL */
    const json *n;           /* the figures of its status */
    struct call_counts calls;
    bool draws;          /* its recipe makes prompts */
    int64_t asked, made; /* prompts: asked for, and samples that stand; or
                            inputs that were there */
};

static int64_t figure(const struct ended *x, const char *key)
{
    return json_get_int(x->n, key, 0);
}

/* How many prompts or inputs a job was asked for (0: all that there are), and
 * how many it has. */
static void look_at_prompts(struct store *s, const struct job *j,
                            struct ended *x)
{
    json *args = json_parse(j->args, strlen(j->args), NULL);
    x->asked = json_get_int(args, "prompts", 0);
    x->draws = job_draws(s, j->id);
    x->made = x->draws ? job_made(s, j->id) : job_inputs(s, j->id);
    json_free(args);
}

/* "12 rejected (near 9, cut off 3)" */
static void add_rejected(const struct ended *x, struct buf *b)
{
    const json *fails = json_get(x->n, "fails");
    const char *sign = " (";
    buf_printf(b, _("%lld rejected"), (long long)figure(x, "rejected"));
    for (int c = 0; c < CHECK_COUNT; c++) {
        int64_t n = json_get_int(fails, check_name((enum check)c), 0);
        if (!n)
            continue;
        buf_printf(b, "%s%s %lld", sign, check_label((enum check)c),
                   (long long)n);
        sign = ", ";
    }
    buf_puts(b, *sign == ',' ? ")" : "");
}

static void print_line(const struct ended *x, int64_t job)
{
    struct buf rejected = BUF_INIT(0);
    char cost[32];
    add_rejected(x, &rejected);
    say(stdout, P_("j%lld %s: %lld of %lld call answered, %lld found, %lld "
                   "passed, %lld warned, %s, %s\n",
                   "j%lld %s: %lld of %lld calls answered, %lld found, %lld "
                   "passed, %lld warned, %s, %s\n",
                   (unsigned long)x->calls.total), (long long)job,
        _(x->state), (long long)x->calls.by_state[CALL_ANSWERED],
        (long long)x->calls.total, (long long)figure(x, "found"),
        (long long)figure(x, "passed"), (long long)figure(x, "warned"),
        buf_str(&rejected),
        lang_money(cost, sizeof cost, x->calls.cost, 2));
    buf_free(&rejected);
}

/* That fewer prompts came than were asked for, and where the others are. */
static void print_short(const struct ended *x)
{
    struct buf b = BUF_INIT(0);
    if (!x->draws) {
        say(stdout, _("it fell short: no more than %lld of %lld were there "
                      "to ask about\n"), (long long)x->made,
            (long long)x->asked);
        return;
    }
    const struct {
        int64_t n;
        const char *what;
    } rows[] = {
        {figure(x, "repeated"), N_("repeat others")},
        {figure(x, "rejected"), N_("were rejected")},
        {x->calls.by_state[CALL_UNPARSED], N_("replies could not be read")},
        {x->calls.by_state[CALL_FAILED] + x->calls.by_state[CALL_LOST],
         N_("calls failed")},
        {x->calls.by_state[CALL_PLANNED] + x->calls.by_state[CALL_CANCELLED],
         N_("calls were not asked")}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].n)
            continue;
        buf_puts(&b, b.len ? ", " : "");
        buf_printf(&b, "%lld %s", (long long)rows[i].n, _(rows[i].what));
    }
    say(stdout, P_("it fell short: %lld of %lld new prompt (%s)\n",
                   "it fell short: %lld of %lld new prompts (%s)\n",
                   (unsigned long)x->asked),
        (long long)x->made, (long long)x->asked,
        b.len ? buf_str(&b) : _("the replies held no more"));
    buf_free(&b);
}

static void print_json(struct store *s, const struct ended *x, int64_t job)
{
    static const char *const keys[] = {"found", "passed", "warned",
                                       "rejected", "repeated"};
    struct buf b = BUF_INIT(0), checks = BUF_INIT(0);
    struct jw w = jw_start(&b);
    char id[24];
    snprintf(id, sizeof id, "j%lld", (long long)job);
    jw_open(&w, '{');
    jw_kstr(&w, "id", id);
    jw_kstr(&w, "state", x->state);
    jw_kstr(&w, "error", x->why);
    jw_kint(&w, "calls", x->calls.total);
    for (int i = 0; i < CALL_STATE_COUNT; i++)
        jw_kint(&w, call_state_name((enum call_state)i),
                x->calls.by_state[i]);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        jw_kint(&w, keys[i], figure(x, keys[i]));
    jw_key(&w, "fails");
    if (json_get(x->n, "fails"))
        json_print(&checks, json_get(x->n, "fails"));
    jw_raw(&w, checks.len ? buf_str(&checks) : "{}");
    if (x->asked) {
        jw_kint(&w, "asked", x->asked);
        jw_kint(&w, "made", x->made);
    }
    jw_kint(&w, "tokens_in", x->calls.tokens_in);
    jw_kint(&w, "tokens_out", x->calls.tokens_out);
    jw_knum(&w, "cost", x->calls.cost);
    outcome_json_reasons(s, job, &w);
    jw_close(&w);
    say(stdout, "%s\n", buf_str(&b));
    buf_free(&checks);
    buf_free(&b);
}

int outcome_print(struct store *s, const struct job *j,
                  const struct job_view *v, bool as_json)
{
    struct ended x = {
        .state = v->state == JOB_ENDED
                     ? json_get_string(v->status, "state", "?")
                     : "interrupted",
        .why = json_get_string(v->status, "error", NULL),
        .n = json_get(v->status, "figures")};
    call_counts(s, j->id, &x.calls);
    look_at_prompts(s, j, &x);
    if (as_json) {
        print_json(s, &x, j->id);
    } else {
        print_line(&x, j->id);
        outcome_reasons(s, j->id, "");
        if (x.made < x.asked)
            print_short(&x);
        if (x.why)
            say(stderr, "%s\n", x.why);
    }
    return strcmp(x.state, "done") || x.calls.by_state[CALL_FAILED] ||
           x.calls.by_state[CALL_LOST];
}
