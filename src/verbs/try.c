#include "verbs/try.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/proc.h"
#include "teacher/cost.h"
#include "verbs/arrival.h"
#include "verbs/send.h"
#include "verbs/step_ask.h"

/* The call between its planning and its reply. */
struct trial {
    const struct expand *x;
    const struct planned *call;
    const struct profile *profile;
    const struct recipe_step *step;
    struct ask ask;
    struct arrivals v; /* of no job */
    const char *finish;
    struct tried *out;
};

/* ---- What the reply brings ----------------------------------------------- */

/* A prompt that is made, with its answer where it came with one. */
static void check_sample(struct trial *t, const struct made *m)
{
    const char *text = made_get(m, "prompt");
    struct chat prompt = {0};
    struct message said = said_by(m);
    struct check_result found[CHECK_COUNT];
    chat_add(&prompt, ROLE_USER, text ? text : "");
    int64_t id = sample_with_prompt(t->v.s, t->x->target, &prompt);
    if (id) {
        t->v.n.repeated++;
    } else {
        struct check_list rules = prompt_rules(&t->v, t->step);
        struct near_found near = look_near(&t->v, &rules, text ? text : "");
        size_t n = check_prompt(&rules, text ? text : "", &near, found);
        arrived_add(&t->v.n, found, n);
    }
    struct answer_made a = {t->step, &prompt, &said, t->finish, id};
    if (!recipe_asks(t->step))
        check_answer(&t->v, &a, found);
    chat_free(&prompt);
}

static void check_made(struct trial *t, const struct made *m)
{
    struct check_result found[CHECK_COUNT];
    struct message said = said_by(m);
    struct answer_made a = {t->step, t->call->b->prompt, &said, t->finish, 0};
    if (m->sink == SINK_SAMPLE)
        check_sample(t, m);
    else if (m->sink == SINK_CANDIDATE && a.prompt)
        check_answer(&t->v, &a, found);
    else
        arrived_add(&t->v.n, NULL, 0);
}

static void check_item(struct trial *t, const struct recipe_item *item)
{
    struct recipe_bindings b = *t->call->b;
    struct recipe_chain chain = {t->step, item, b.chain, NULL, 0};
    b.chain = &chain;
    for (size_t i = 0; i < t->step->n_makes; i++) {
        struct made m;
        if (!recipe_passes(&t->step->makes[i].where, &chain))
            continue;
        recipe_fill(&t->step->makes[i], &b, &m);
        check_made(t, &m);
        made_free(&m);
    }
}

static void read_reply(struct trial *t, const struct choice *c)
{
    struct recipe_items items = {0};
    struct recipe_bindings b = *t->call->b;
    t->finish = c->finish;
    b.thinking = c->answer.reasoning;
    recipe_parse(t->step, &b, t->out->reply, c->finish, &items);
    for (size_t i = 0; i < items.n; i++)
        check_item(t, &items.at[i]);
    if (!items.n)
        t->out->why = xstrdup(items.n_missing ? items.missing[0]
                                              : _("nothing was found"));
    t->out->n = t->v.n;
    recipe_items_free(&items);
}

/* ---- The call ------------------------------------------------------------ */

static void on_answer(void *ctx, const struct result *r)
{
    struct trial *t = ctx;
    struct tried *out = t->out;
    const struct choice *c = reply_answer(&r->reply);
    bool estimated;
    out->http = r->http;
    out->ms = r->ms;
    out->tokens_in = r->reply.tokens_in;
    out->tokens_out = r->reply.tokens_out;
    out->cost = cost_of_reply(t->profile, &t->ask, &r->reply, &estimated);
    if (c)
        out->reply = xstrdup(c->answer.content ? c->answer.content : "");
    if (r->state == ASK_ANSWERED && c)
        read_reply(t, c);
    else
        out->why = xstrdup(r->error ? r->error : _("no answer"));
}

/* The prompts that new ones are held against, where the step makes some. */
static bool open_checks(struct trial *t, struct err *e)
{
    t->v.words = *t->call->words;
    if (!recipe_makes(t->step, SINK_SAMPLE))
        return true;
    t->v.near = near_prompts_new(t->v.s, t->x->target, 0);
    return near_prompts_refresh(t->v.near, e);
}

static bool ask_it(void *ctx, const struct planned *c, struct err *e)
{
    struct trial *t = ctx;
    t->call = c;
    t->step = &c->r->steps[0];
    if (t->step->op)
        return err_set(e, ERR_REFUSED, _("the first step of this recipe asks "
                                         "nobody"));
    json *params = json_parse(c->params, strlen(c->params), e);
    if (!params)
        return false;
    step_ask(t->step, params, c->chat, &t->ask);
    char **stops = step_stops(t->step, c->b);
    t->ask.stop = (const char *const *)stops;
    t->ask.has |= t->step->decode.n_stop ? HAS(PARAM_STOP) : 0;
    t->out->prompt = plan_text(c->chat);
    t->out->step = xasprintf("%s/%s", c->r->name, t->step->name);
    t->ask.step = t->out->step;
    bool ok = open_checks(t, e) &&
              verb_send(t->profile, &t->ask, on_answer, t, e);
    near_prompts_free(&t->v.near);
    proc_free_argv(stops);
    json_free(params);
    return ok;
}

bool verb_try(struct store *s, const struct expand *x, struct tried *out,
              struct err *e)
{
    struct profiles ps;
    struct trial t = {.x = x, .out = out};
    *out = (struct tried){.tokens_in = -1, .tokens_out = -1};
    t.v.s = s;
    t.v.job.target = x->target;
    if (!profiles_load(NULL, &ps, e))
        return false;
    t.profile = profile_find(&ps, x->teacher);
    bool ok = t.profile || err_set(e, ERR_ABSENT, _("there is no teacher %s "
                                   "in the config"), x->teacher);
    ok = ok && plan_first(s, x, ask_it, &t, e);
    profiles_free(&ps);
    return ok;
}

void tried_free(struct tried *t)
{
    free(t->prompt);
    free(t->reply);
    free(t->why);
    free(t->step);
    *t = (struct tried){0};
}
