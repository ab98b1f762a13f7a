/* Planning a job: what is drawn, and what each call asks. */
#include "verbs/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/rng.h"
#include "store/ids.h"
#include "store/query.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/text.h"
#include "teacher/cost.h"
#include "verbs/asked.h"
#include "verbs/call_chain.h"


/* ---- The target --------------------------------------------------------- */

bool target_words_load(struct store *s, int64_t id, struct target_words *out,
                       struct err *e)
{
    struct target t;
    *out = (struct target_words){.near_limit = NAN};
    if (!target_get(s, id, &t, e))
        return false;
    json *j = json_parse(t.doc, strlen(t.doc), e);
    target_free(&t);
    if (!j)
        return false;
    out->doc = j;
    out->system = json_get_string(j, "system", NULL);
    out->description = json_get_string(j, "description", NULL);
    out->near_limit = json_get_number(j, "near_limit", NAN);
    for (const json *p = json_first(json_get(j, "principles")); p;
         p = json_next(p))
        if (json_string(p))
            VEC_PUSH(&out->principles, json_string(p));
    return true;
}

void target_words_free(struct target_words *w)
{
    VEC_FREE(&w->principles);
    json_free(w->doc);
    w->doc = NULL;
}

void target_bind(const struct target_words *w, struct recipe_bindings *b)
{
    b->system = w->system;
    b->description = w->description;
    b->principles = w->principles.at;
    b->n_principles = w->principles.n;
}

/* ---- Drawing ------------------------------------------------------------ */

struct pool {
    ids seeds[SPLIT_COUNT];
    ids samples[SPLIT_COUNT]; /* accepted */
};

static void pool_free(struct pool *p)
{
    for (int i = 0; i < SPLIT_COUNT; i++) {
        VEC_FREE(&p->seeds[i]);
        VEC_FREE(&p->samples[i]);
    }
}

/* A list of ids in ascending order. */
static ids sorted(const ids *list)
{
    ids out = {0};
    for (size_t i = 0; list && i < list->n; i++)
        VEC_PUSH(&out, list->at[i]);
    sort_ids(out.at, out.n);
    return out;
}

/* The seeds of one split, of those that are picked where some are. */
static bool read_split(struct store *s, const struct expand *x,
                       const struct filter *f, const ids *picked,
                       bool with_answers, ids *out, struct err *e)
{
    ids all;
    bool ok = seed_ids(s, x->target, f, &all, e);
    for (size_t k = 0; ok && k < all.n; k++) {
        size_t at = sorted_place(picked->at, picked->n, all.at[k]);
        if (x->picked && (at == picked->n || picked->at[at] != all.at[k]))
            continue;
        if (!with_answers || seed_has_answer(s, all.at[k]))
            VEC_PUSH(out, all.at[k]);
    }
    VEC_FREE(&all);
    return ok;
}

static bool read_seeds(struct store *s, const struct expand *x,
                       bool with_answers, struct pool *p, struct err *e)
{
    ids picked = sorted(x->picked);
    bool ok = true;
    for (int i = 0; ok && i < SPLIT_COUNT; i++) {
        struct filter f;
        char text[40];
        if (x->split >= 0 && x->split != i)
            continue;
        snprintf(text, sizeof text, "split:%s", split_name((enum split)i));
        ok = filter_parse(text, &f, e) &&
             read_split(s, x, &f, &picked, with_answers, &p->seeds[i], e);
        filter_free(&f);
    }
    VEC_FREE(&picked);
    return ok;
}

static bool read_samples(struct store *s, const struct expand *x,
                         const char *filter, struct pool *p, struct err *e)
{
    for (int i = 0; i < SPLIT_COUNT; i++) {
        struct filter f;
        char text[100];
        if (x->split >= 0 && x->split != i)
            continue;
        snprintf(text, sizeof text, "%s split:%s", filter,
                 split_name((enum split)i));
        if (!filter_parse(text, &f, e))
            return false;
        struct query q = {.target = x->target, .filter = &f};
        bool ok = query_ids(s, &q, 0, PLAN_CALLS, &p->samples[i], e);
        filter_free(&f);
        if (!ok)
            return false;
    }
    return true;
}

/* Deals n calls to the splits that have seeds, 90/5/5 (largest remainder), at
 * least one each where there are as many calls as splits. */
static void deal(const struct pool *p, int64_t n, int64_t out[SPLIT_COUNT])
{
    static const int weight[SPLIT_COUNT] = {90, 5, 5};
    double part[SPLIT_COUNT];
    int64_t all = 0, splits = 0, given = 0;
    for (int i = 0; i < SPLIT_COUNT; i++) {
        all += p->seeds[i].n ? weight[i] : 0;
        splits += p->seeds[i].n > 0;
        out[i] = 0;
    }
    int64_t least = n >= splits;
    for (int i = 0; i < SPLIT_COUNT; i++) {
        bool has = p->seeds[i].n > 0;
        part[i] = has ? (double)n * weight[i] / (double)all : -1;
        out[i] = has ? (int64_t)part[i] : 0;
        out[i] = has && out[i] < least ? least : out[i];
        part[i] -= (double)out[i];
        given += out[i];
    }
    for (; given != n && all; given += given < n ? 1 : -1) {
        int best = 0;
        for (int i = 1; i < SPLIT_COUNT; i++)
            if (given < n ? part[i] > part[best] : out[i] > out[best])
                best = i;
        out[best] += given < n ? 1 : -1;
        part[best] = given < n ? -1 : part[best];
    }
}

/* k of v, each at most once, in random order: what is drawn changes places
 * with the last one, and goes back in the end. */
static void draw_some(struct rng *r, const ids *v, size_t k, ids *out)
{
    size_t places[RECIPE_DEMOS], n = v->n, drawn = 0;
    while (drawn < k && drawn < COUNT(places) && n) {
        size_t at = (size_t)rng_below(r, n);
        int64_t id = v->at[at];
        VEC_PUSH(out, id);
        v->at[at] = v->at[--n];
        v->at[n] = id;
        places[drawn++] = at;
    }
    while (drawn) {
        int64_t id = v->at[n];
        v->at[n++] = v->at[places[--drawn]];
        v->at[places[drawn]] = id;
    }
}

/* ---- Demonstrations ----------------------------------------------------- */

struct demos {
    VEC(struct recipe_demo) at;
    VEC(char *) texts;
    ids seeds, samples; /* what was drawn, seeds first */
};

static void demos_free(struct demos *d)
{
    for (size_t i = 0; i < d->texts.n; i++)
        free(d->texts.at[i]);
    VEC_FREE(&d->texts);
    VEC_FREE(&d->at);
    VEC_FREE(&d->seeds);
    VEC_FREE(&d->samples);
}

static void add_demo(struct demos *d, const char *messages, const char *body)
{
    char *prompt = prompt_text(messages);
    char *answer = body ? answer_text(body) : NULL;
    struct recipe_demo demo = {prompt, answer};
    VEC_PUSH(&d->texts, prompt);
    VEC_PUSH(&d->texts, answer);
    VEC_PUSH(&d->at, demo);
}

/* Draws a call's demonstrations from one split; a split with too few seeds
 * gives what it has. */
static void draw_demos(struct store *s, const struct recipe *r,
                       const struct pool *p, int split, struct rng *rng,
                       struct demos *out)
{
    size_t samples = p->samples[split].n < r->from_samples
                         ? p->samples[split].n
                         : r->from_samples;
    draw_some(rng, &p->seeds[split],
              r->from_seeds + r->from_samples - samples, &out->seeds);
    draw_some(rng, &p->samples[split], samples, &out->samples);
    for (size_t i = 0; i < out->seeds.n; i++) {
        struct seed x;
        if (!seed_get(s, out->seeds.at[i], &x, NULL))
            continue;
        add_demo(out, x.prompt, x.answer);
        seed_free(&x);
    }
    for (size_t i = 0; i < out->samples.n; i++) {
        struct sample x;
        if (!sample_get(s, out->samples.at[i], &x, NULL))
            continue;
        int k = sample_choice(&x);
        add_demo(out, x.prompt, k >= 0 ? x.candidates.at[k].body : NULL);
        sample_free(&x);
    }
}

/* ---- Calls -------------------------------------------------------------- */

struct plan {
    struct store *s;
    const struct expand *x;
    struct recipe *r;
    struct target_words words;
    struct pool pool;
    struct rng rng;
    struct act *a;   /* NULL while estimating */
    int64_t job, n;  /* calls made */
    char *first;     /* the first prompt, rendered */
    planned_fn *fn;  /* gets the first call; NULL: nobody */
    void *ctx;
    int64_t tokens, first_tokens; /* of all prompts, of the first */
    bool room;       /* for more calls */
};

/* What the calls of the first step are made of, for one draw or input. */
struct input {
    const struct asked *asked; /* NULL: there is no prompt */
    const ids *candidates;     /* that are shown, or NULL */
    const ids *seeds, *samples; /* that were drawn, or NULL */
    const char *role;           /* demonstration, input */
    int split;
    int64_t sample;             /* that is judged */
};

/* NULL with an error where the store fails; the caller frees. */
static char *params_text(const struct plan *p, const struct input *in,
                         const struct recipe_item *each, uint64_t seed,
                         struct err *e)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "split", in->split);
    jw_kint(&w, "seed", (int64_t)(seed & 0x7fffffff));
    if (!isnan(p->x->temperature))
        jw_knum(&w, "temperature", p->x->temperature);
    if (in->asked)
        asked_write(in->asked, &w);
    bool ok = !p->a || each_write(p->s, each, &w, e);
    if (in->candidates) {
        jw_key(&w, "candidates");
        jw_open(&w, '[');
        for (size_t i = 0; i < in->candidates->n; i++)
            jw_int(&w, in->candidates->at[i]);
        jw_close(&w);
    }
    jw_close(&w);
    if (ok)
        return buf_take(&b);
    buf_free(&b);
    return NULL;
}

char *plan_text(const struct chat *chat)
{
    struct buf plain = BUF_INIT(0);
    for (size_t i = 0; i < chat->n; i++)
        buf_printf(&plain, "%s%s", i ? "\n\n" : "", chat->at[i].content);
    return buf_take(&plain);
}

/* Renders a call; keeps the first one's text; with an act, stores it. */
static int64_t add_call(struct plan *p, const struct recipe_bindings *b,
                        struct call *c, char *params, struct err *e)
{
    struct chat chat = {0};
    struct buf text = BUF_INIT(0);
    int64_t id = 0;
    if (recipe_render(&p->r->steps[0], b, &chat, e)) {
        chat_print(&chat, &text);
        int64_t tokens = cost_prompt(&(struct ask){.chat = &chat});
        p->tokens += tokens;
        p->first_tokens = p->n++ ? p->first_tokens : tokens;
        struct planned planned = {p->r, &p->words, b, &chat, params};
        if (!p->first)
            p->first = plan_text(&chat);
        id = p->n == 1 && p->fn && !p->fn(p->ctx, &planned, e) ? 0 : -1;
        if (p->a) {
            c->job = p->job;
            c->step = 1;
            c->n = p->n;
            c->attempt = 1;
            c->params = params;
            c->prompt_text = text_put(p->s, buf_str(&text), text.len, e);
            id = c->prompt_text ? call_add(p->s, c, e) : 0;
        }
    }
    free(params);
    buf_free(&text);
    chat_free(&chat);
    return id;
}

static bool add_draws(struct plan *p, const struct input *in, int64_t call,
                      struct err *e)
{
    for (size_t i = 0; in->seeds && i < in->seeds->n; i++)
        if (!draw_add(p->a, call, in->role, in->seeds->at[i], 0, e))
            return false;
    for (size_t i = 0; in->samples && i < in->samples->n; i++)
        if (!draw_add(p->a, call, in->role, 0, in->samples->at[i], e))
            return false;
    return true;
}

/* The call for one of the values that the step goes through. */
static bool plan_one(struct plan *p, const struct recipe_bindings *b,
                     const struct input *in, const struct recipe_item *each,
                     struct err *e)
{
    const struct recipe_step *s = &p->r->steps[0];
    struct recipe_bindings own = *b;
    struct recipe_chain link = {s, each, b->chain, "each", 0};
    struct call c = {.sample = in->sample};
    size_t order[RECIPE_CANDIDATES];
    uint64_t seed = rng_next(&p->rng);
    own.chain = s->each_gives ? &link : b->chain;
    target_bind(&p->words, &own);
    if (own.n_candidates) {
        recipe_order(seed & 0x7fffffff, own.n_candidates, order);
        own.order = order;
    }
    char *params = params_text(p, in, each, seed, e);
    int64_t id = params ? add_call(p, &own, &c, params, e) : 0;
    return id && (!p->a || add_draws(p, in, id, e));
}

/* All calls for one draw or input. */
static bool plan_through(struct plan *p, const struct recipe_bindings *b,
                         const struct input *in, struct err *e)
{
    const struct recipe_step *s = &p->r->steps[0];
    size_t times = recipe_times(s, (size_t)p->x->answers);
    struct recipe_each_list each;
    bool ok = true;
    recipe_each(s, s->n_each ? rng_next(&p->rng) : 0, p->words.principles.at,
                p->words.principles.n, &each);
    recipe_each_pass(s, NULL, &each);
    for (size_t i = 0; ok && i < each.n * times; i++)
        ok = plan_one(p, b, in, &each.at[i / times], e);
    recipe_each_free(&each);
    return ok;
}

static bool plan_draw(struct plan *p, int split, struct err *e)
{
    struct demos d = {0};
    struct recipe_bindings b = {.wanted = 0};
    draw_demos(p->s, p->r, &p->pool, split, &p->rng, &d);
    b.demos = d.at.at;
    b.n_demos = d.at.n;
    struct input in = {.seeds = &d.seeds, .samples = &d.samples,
                       .role = "demonstration", .split = split};
    bool ok = plan_through(p, &b, &in, e);
    demos_free(&d);
    return ok;
}

/* The prompt of a seed or of a sample, as it stands; NULL with an error where
 * it cannot be read. The caller frees. */
static char *prompt_of(struct store *s, int64_t seed, int64_t sample,
                       struct err *e)
{
    struct seed x;
    struct sample y;
    char *text = NULL;
    if (seed ? !seed_get(s, seed, &x, e) : !sample_get(s, sample, &y, e))
        return NULL;
    text = xstrdup(seed ? x.prompt : y.prompt);
    if (seed)
        seed_free(&x);
    else
        sample_free(&y);
    return text;
}

/* The calls for a seed, or (0) for a sample. */
static bool plan_input(struct plan *p, int64_t seed, int64_t sample,
                       int split, struct err *e)
{
    char *messages = prompt_of(p->s, seed, sample, e);
    struct chat chat = {0};
    struct recipe_item item = {.index = 0};
    struct recipe_chain chain = {NULL, &item, NULL,
                                 seed ? "seed" : "sample",
                                 seed ? seed : sample};
    bool ok = messages && chat_parse(messages, &chat, e);
    struct asked asked = {.seed = seed};
    asked.text = ok && p->a ? text_puts(p->s, messages, e) : 0;
    if (ok && seed)
        fields_of_seed(p->s, seed, &item);
    else if (ok)
        fields_of_sample(p->s, sample, &item);
    int64_t id = seed ? seed : sample;
    const ids one = {.at = &id, .n = 1};
    struct recipe_bindings b = {.prompt = &chat, .chain = &chain};
    struct input in = {.asked = &asked, .role = "input", .split = split};
    if (seed)
        in.seeds = &one;
    else
        in.samples = &one;
    if (ok && recipe_passes(&p->r->steps[0].where, &chain))
        ok = plan_through(p, &b, &in, e);
    chat_free(&chat);
    fields_free(&item);
    free(messages);
    return ok;
}

/* All answers of a sample, judged in one call, shuffled. */
static bool plan_rank(struct plan *p, int64_t sample, int split,
                      struct err *e)
{
    struct sample x;
    struct chat chat;
    if (!sample_get(p->s, sample, &x, e))
        return false;
    size_t n = x.candidates.n < RECIPE_CANDIDATES ? x.candidates.n
                                                  : RECIPE_CANDIDATES;
    bool ok = true;
    if (n >= 2 && !x.scores.n && chat_parse(x.prompt, &chat, e)) {
        char *texts[RECIPE_CANDIDATES];
        ids list = {0};
        const ids one = {.at = &sample, .n = 1};
        struct recipe_item item = {.index = 0};
        struct recipe_chain chain = {NULL, &item, NULL, "sample", sample};
        struct asked asked = {.text = p->a ? text_puts(p->s, x.prompt, e) : 0};
        field_take(&item, "prompt", prompt_text(x.prompt));
        for (size_t i = 0; i < n; i++) {
            texts[i] = answer_text(x.candidates.at[i].body);
            VEC_PUSH(&list, x.candidates.at[i].id);
        }
        struct recipe_bindings b = {
            .prompt = &chat, .candidates = (const char *const *)texts,
            .n_candidates = n, .chain = &chain};
        struct input in = {.asked = &asked, .candidates = &list,
                           .samples = &one, .role = "input", .split = split,
                           .sample = sample};
        ok = plan_through(p, &b, &in, e);
        fields_free(&item);
        for (size_t i = 0; i < n; i++)
            free(texts[i]);
        VEC_FREE(&list);
        chat_free(&chat);
    }
    sample_free(&x);
    return ok;
}

/* What the first step runs over. */
static const ids *inputs(const struct plan *p, int split)
{
    enum step_over over = p->r->steps[0].over;
    bool samples = over == OVER_SAMPLE || over == OVER_CANDIDATES;
    return samples ? &p->pool.samples[split] : &p->pool.seeds[split];
}

/* Calls for inputs that are drawn as they stand: seeds or samples. */
static bool plan_each(struct plan *p, struct err *e)
{
    enum step_over over = p->r->steps[0].over;
    int64_t most = p->x->prompts > 0 ? p->x->prompts : PLAN_CALLS;
    for (int s = 0; s < SPLIT_COUNT; s++) {
        const ids *v = inputs(p, s);
        for (size_t i = 0; i < v->n && most > 0; i++, most--) {
            int64_t id = v->at[i];
            bool ok = over == OVER_CANDIDATES ? plan_rank(p, id, s, e)
                      : over == OVER_SAMPLE   ? plan_input(p, 0, id, s, e)
                                              : plan_input(p, id, 0, s, e);
            if (!ok)
                return false;
        }
    }
    return true;
}

static bool plan_draws(struct plan *p, int64_t calls, struct err *e)
{
    int64_t each[SPLIT_COUNT];
    deal(&p->pool, calls, each);
    for (int s = 0; s < SPLIT_COUNT; s++)
        for (int64_t i = 0; i < each[s]; i++)
            if (!plan_draw(p, s, e))
                return false;
    return true;
}

/* How many calls of the first step bring that many prompts. */
static int64_t calls_for(const struct recipe *r, int64_t prompts)
{
    int64_t wanted = (int64_t)r->steps[0].wanted;
    wanted = wanted > 0 ? wanted : 1;
    return (prompts + wanted - 1) / wanted;
}

/* Why there is nothing to ask for. */
static const char *nothing(const struct plan *p)
{
    enum step_over over = p->r->steps[0].over;
    return over == OVER_CANDIDATES ? _("nothing here has two answers that no "
                                       "judge has scored")
           : over == OVER_SAMPLE   ? _("there are no accepted samples to ask "
                                       "for")
                                   : _("there are no seeds to draw from");
}

static bool open_plan(struct plan *p, struct store *s,
                      const struct expand *x, struct err *e)
{
    *p = (struct plan){.s = s, .x = x};
    rng_seed(&p->rng, x->seed);
    p->r = plan_within(x, e) ? recipe_find(x->recipe, e) : NULL;
    if (!p->r || !target_words_load(s, x->target, &p->words, e))
        return false;
    bool rank = p->r->steps[0].over == OVER_CANDIDATES;
    if (!read_seeds(s, x, p->r->with_answers, &p->pool, e) ||
        !read_samples(s, x, rank ? "status:pending answers>1 -judge>=0"
                                : "status:accepted", &p->pool, e))
        return false;
    size_t n = 0;
    for (int i = 0; i < SPLIT_COUNT; i++)
        n += inputs(p, i)->n;
    return n || err_set(e, ERR_REFUSED, "%s", nothing(p));
}

static void close_plan(struct plan *p)
{
    recipe_free(&p->r);
    target_words_free(&p->words);
    pool_free(&p->pool);
    free(p->first);
}

static bool plan_calls(struct plan *p, bool only_first, struct err *e)
{
    enum step_over over = p->r->steps[0].over;
    if (over == OVER_DRAW)
        return plan_draws(p, only_first ? 1 : calls_for(p->r, p->x->prompts),
                          e);
    return plan_each(p, e) &&
           (p->n || err_set(e, ERR_REFUSED, "%s", nothing(p)));
}

/* How many calls the first step comes to, by those that `p` made of what it
 * looked at. */
static int64_t first_calls(const struct plan *p, const struct expand *x,
                           size_t looked)
{
    int64_t all = 0;
    if (p->r->steps[0].over == OVER_DRAW)
        return calls_for(p->r, x->prompts);
    for (int i = 0; i < SPLIT_COUNT; i++)
        all += (int64_t)inputs(p, i)->n;
    int64_t seen = all < (int64_t)looked ? all : (int64_t)looked;
    if (x->prompts && x->prompts < all)
        all = x->prompts;
    return seen ? (int64_t)((double)p->n * (double)all / (double)seen + .5)
                : 0;
}

/* The mean length of some seeds' prompts and answers, and of what the second
 * step asks for such a prompt. */
static void look_at_seeds(struct plan *p, struct plan_look *out)
{
    int64_t prompts = 0, answers = 0, asked = 0, n = 0, answered = 0;
    for (int i = 0; i < SPLIT_COUNT; i++) {
        const ids *v = &p->pool.seeds[i];
        for (size_t k = 0; k < v->n && k < 20; k++) {
            struct seed x;
            struct chat chat, second;
            struct recipe_bindings b = {.prompt = &chat};
            target_bind(&p->words, &b);
            if (!seed_get(p->s, v->at[k], &x, NULL))
                continue;
            if (chat_parse(x.prompt, &chat, NULL)) {
                const struct message *m = chat_last(&chat, ROLE_USER);
                prompts += m ? cost_tokens(m->content) : 0;
                if (p->r->n_steps > 1 && !p->r->steps[1].op &&
                    recipe_render(&p->r->steps[1], &b, &second, NULL)) {
                    asked += cost_prompt(&(struct ask){.chat = &second});
                    chat_free(&second);
                }
                chat_free(&chat);
                n++;
            }
            if (x.answer) {
                char *text = answer_text(x.answer);
                answers += cost_tokens(text);
                free(text);
                answered++;
            }
            seed_free(&x);
        }
    }
    out->prompt_tokens = n ? prompts / n : 0;
    out->then_tokens = n ? asked / n : 0;
    out->answer_tokens = answered ? answers / answered : -1;
}

bool plan_look(struct store *s, const struct expand *x, struct plan_look *out,
               struct err *e)
{
    struct plan p;
    struct expand few = *x;
    *out = (struct plan_look){0};
    if (few.prompts > PLAN_LOOKED || !few.prompts)
        few.prompts = PLAN_LOOKED;
    bool ok = open_plan(&p, s, &few, e) && plan_calls(&p, true, e);
    if (ok) {
        out->calls = first_calls(&p, x, (size_t)few.prompts);
        out->first_tokens = p.first_tokens;
        out->principles = p.words.principles.n;
        out->tokens = p.n ? p.tokens / p.n : 0;
        look_at_seeds(&p, out);
        out->first = p.first;
        out->r = p.r;
        p.first = NULL;
        p.r = NULL;
    }
    close_plan(&p);
    return ok;
}

bool plan_first(struct store *s, const struct expand *x, planned_fn *fn,
                void *ctx, struct err *e)
{
    struct plan p;
    struct expand few = *x;
    if (few.prompts > PLAN_LOOKED || !few.prompts)
        few.prompts = PLAN_LOOKED;
    bool ok = open_plan(&p, s, &few, e);
    p.fn = fn;
    p.ctx = ctx;
    ok = ok && plan_calls(&p, true, e);
    close_plan(&p);
    return ok;
}

/* The job's row, with what the form said. */
static int64_t add_job(struct plan *p, const char *who, struct err *e)
{
    const struct expand *x = p->x;
    struct buf args = BUF_INIT(0), picked = BUF_INIT(0);
    struct jw w = jw_start(&args);
    jw_open(&w, '{');
    jw_kint(&w, "split", x->split);
    jw_kint(&w, "prompts", x->prompts);
    jw_kint(&w, "answers", x->answers);
    jw_knum(&w, "temperature", x->temperature);
    jw_kint(&w, "seed", (int64_t)(x->seed & 0x7fffffffffff));
    if (x->picked) {
        ids_print(x->picked, &picked);
        jw_kstr(&w, "picked", buf_str(&picked));
    }
    jw_close(&w);
    struct job j = {.target = x->target, .spend_max = x->spend_max,
                    .kind = p->r->steps[0].over == OVER_CANDIDATES ? "rank"
                                                                   : "expand",
                    .teacher = (char *)(uintptr_t)x->teacher,
                    .who = (char *)(uintptr_t)who,
                    .args = (char *)(uintptr_t)buf_str(&args)};
    j.recipe = recipe_row(p->s, p->r->name, p->r->version, p->r->text, e);
    int64_t id = j.recipe ? job_add(p->s, &j, e) : 0;
    buf_free(&picked);
    buf_free(&args);
    return id;
}

int64_t verb_add_job(struct store *s, const char *who,
                     const struct expand *x, struct err *e)
{
    struct plan p = {.s = s, .x = x};
    int64_t job = 0;
    p.r = recipe_find(x->recipe, e);
    if (p.r && store_begin(s, e)) {
        job = add_job(&p, who, e);
        if (!job || !store_commit(s, e)) {
            store_rollback(s);
            job = 0;
        }
    }
    recipe_free(&p.r);
    return job;
}

/* Opens the plan and writes its calls for a job: the given one, or (0) one
 * that is added now. Returns it, 0 on failure. */
static int64_t write_plan(struct store *s, const char *who,
                          const struct expand *x, int64_t job, struct err *e)
{
    struct plan p;
    struct act a = {0};
    bool ok = open_plan(&p, s, x, e) &&
              act_begin(s, &a, "arrive", who, "plan", 0, e);
    if (ok) {
        p.a = &a;
        p.job = job ? job : (job = add_job(&p, who, e));
        ok = job && plan_calls(&p, false, e);
    }
    if (ok)
        ok = act_saved(act_commit(&a, e));
    else
        act_cancel(&a);
    close_plan(&p);
    return ok ? job : 0;
}

int64_t verb_plan(struct store *s, const char *who, const struct expand *x,
                  struct err *e)
{
    return write_plan(s, who, x, 0, e);
}

bool plan_job(struct store *s, int64_t id, struct err *e)
{
    struct call_counts n;
    struct job j;
    ids picked = {0};
    call_counts(s, id, &n);
    if (n.total)
        return true;
    if (!job_get(s, id, &j, e))
        return false;
    json *args = json_parse(j.args, strlen(j.args), e);
    const char *list = json_get_string(args, "picked", NULL);
    struct expand x = {
        .target = j.target, .recipe = j.recipe_name, .teacher = j.teacher,
        .split = (int)json_get_int(args, "split", -1),
        .prompts = json_get_int(args, "prompts", 0),
        .answers = json_get_int(args, "answers", 1),
        .temperature = json_get_number(args, "temperature", NAN),
        .spend_max = j.spend_max,
        .seed = (uint64_t)json_get_int(args, "seed", 1)};
    if (list && ids_parse(list, 0, &picked))
        x.picked = &picked;
    bool ok = args && write_plan(s, j.who, &x, id, e);
    VEC_FREE(&picked);
    json_free(args);
    job_free(&j);
    return ok;
}
