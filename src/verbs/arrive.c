#include "verbs/arrive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "store/export.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/text.h"
#include "verbs/checks.h"

/* ---- Opening ------------------------------------------------------------ */

static bool makes_prompts(const struct recipe *r)
{
    return recipe_makes(&r->steps[0]) != ITEM_ANSWER &&
           recipe_makes(&r->steps[0]) != ITEM_RATING;
}

bool arrivals_open(struct arrivals *v, struct store *s, int64_t job,
                   struct err *e)
{
    *v = (struct arrivals){.s = s};
    if (!job_get(s, job, &v->job, e))
        return false;
    char *file = recipe_file(s, v->job.recipe);
    json *args = json_parse(v->job.args, strlen(v->job.args), NULL);
    v->answers = json_get_int(args, "answers", 1);
    json_free(args);
    v->r = file ? recipe_load(file, strlen(file), e) : NULL;
    free(file);
    if (!v->r || !target_words_load(s, v->job.target, &v->words, e))
        return false;
    job_arrived(s, job, makes_prompts(v->r), &v->n);
    if (makes_prompts(v->r))
        v->near = near_prompts_new(s, v->job.target, job);
    return true;
}

void arrivals_close(struct arrivals *v)
{
    job_free(&v->job);
    recipe_free(&v->r);
    if (v->words.doc)
        target_words_free(&v->words);
    near_prompts_free(&v->near);
}

/* ---- One reply ---------------------------------------------------------- */

struct arrival {
    struct arrivals *v;
    struct act *a;
    struct call call;
    const struct recipe_step *step, *maker; /* maker: of its prompt, or NULL */
    enum split split;
    json *params;
    ids *planned;
    ids unsettled; /* samples whose status its checks may change */
    VEC(struct fate {
        int64_t sample;
        enum check by; /* CHECK_COUNT: it stands up again */
    }) fates;
};

static void unsettle(struct arrival *x, int64_t sample)
{
    if (!x->unsettled.n || x->unsettled.at[x->unsettled.n - 1] != sample)
        VEC_PUSH(&x->unsettled, sample);
}

/* The drawn seed that a prompt is nearest to, 0 where none was drawn. */
static int64_t nearest_drawn(struct arrival *x, const char *prompt)
{
    struct drawn list[RECIPE_DEMOS];
    size_t n = draws_of(x->v->s, x->call.id, list, RECIPE_DEMOS);
    int64_t best = 0;
    double most = -1;
    for (size_t i = 0; i < n; i++) {
        struct seed s;
        if (!list[i].seed || !seed_get(x->v->s, list[i].seed, &s, NULL))
            continue;
        char *text = prompt_text(s.prompt);
        double f = rouge_l_text(prompt, text);
        if (f > most) {
            most = f;
            best = s.id;
        }
        free(text);
        seed_free(&s);
    }
    return best;
}

/* The rules for a prompt that a step makes; the target's own limit of near
 * comes first. */
static struct check_list prompt_rules(const struct arrivals *v,
                                      const struct recipe_step *s)
{
    struct check_list l = checks_of_prompt(s);
    for (size_t i = 0; i < l.n; i++)
        if (l.at[i].check == CHECK_NEAR && !isnan(v->words.near_limit))
            l.at[i].limit = v->words.near_limit;
    return l;
}

/* Looks a new prompt up in the index, where its step asks for that. */
static struct near_found look_near(struct arrival *x,
                                   const struct check_list *l,
                                   const char *prompt)
{
    struct near_found f = {.looked = false};
    for (size_t i = 0; i < l->n; i++) {
        if (l->at[i].check != CHECK_NEAR)
            continue;
        struct near_hit hit = near_prompts_find(x->v->near, prompt);
        f = (struct near_found){true, hit.approximate, hit.f, l->at[i].limit,
                                hit.key};
    }
    return f;
}

/* Runs the rules of a prompt with what near found of it. */
static size_t check_prompt(struct arrival *x, struct check_list *l,
                           const char *prompt, const struct near_found *w,
                           struct check_result *out)
{
    struct check_input in = {
        .prompt = prompt, .near = w->figure,
        .near_sample = near_key_sample(x->v->s, w->against),
        .near_seed = near_key_seed(w->against),
        .near_approximate = w->approximate};
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].check == CHECK_NEAR)
            l->at[i].limit = w->limit;
    return checks_run(l, &in, out);
}

/* Adds the sample with the checks of its prompt; *id. */
static bool add_sample(struct arrival *x, const struct chat *prompt,
                       int64_t item, int64_t call, int64_t seed,
                       const struct check_result *checks, size_t n,
                       int64_t *id, struct err *e)
{
    struct sample_new s = {.target = x->v->job.target, .job = x->v->job.id,
                           .call = call, .item = item, .seed = seed,
                           .prompt = prompt, .split = x->split};
    *id = sample_add(x->a, &s, e);
    bool ok = *id != 0;
    for (size_t i = 0; ok && i < n; i++)
        ok = check_add(x->a, *id, 0, &checks[i], e);
    if (checks_failed(checks, n))
        unsettle(x, *id);
    return ok;
}

/* A candidate under a sample, with the checks that its steps list. */
static bool add_candidate(struct arrival *x, int64_t sample,
                          const struct chat *prompt,
                          const struct recipe_item *it, const char *finish,
                          struct err *e)
{
    struct message m = {.content = it->answer,
                        .reasoning = it->reasoning};
    struct buf body = BUF_INIT(0);
    uint8_t hash[SHA_SIZE];
    answer_print(&m, &body);
    chat_hash(prompt, &m, hash);
    struct same_query q = {.target = x->v->job.target, .hash = hash,
                           .answer = &m, .same = answers_same,
                           .but = sample};
    int64_t same;
    candidate_same(x->v->s, &q, &same);
    struct candidate_new c = {.sample = sample, .call = x->call.id,
                              .source = SOURCE_TEACHER,
                              .body = buf_str(&body), .hash = hash};
    int64_t id = candidate_add(x->a, &c, e);
    const struct message *last = chat_last(prompt, ROLE_USER);
    struct check_input in = {.prompt = last ? last->content : "",
                             .answer = it->answer, .finish = finish,
                             .same = same};
    struct check_list rules = checks_of_answer(x->step, x->maker);
    struct check_result found[CHECK_COUNT];
    size_t n = checks_run(&rules, &in, found);
    bool ok = id != 0;
    for (size_t i = 0; ok && i < n; i++)
        ok = check_add(x->a, sample, id, &found[i], e);
    arrived_add(&x->v->n, found, n);
    if (checks_failed(found, n))
        unsettle(x, sample);
    buf_free(&body);
    return ok;
}

/* The chat of a prompt that a recipe made. */
static struct chat chat_of(const char *text)
{
    struct chat c = {0};
    chat_add(&c, ROLE_USER, text);
    return c;
}

/* ---- By what the step makes --------------------------------------------- */

/* The parameters of the k-th call that answers a prompt (text `own`). */
static void answer_params(const struct arrival *x, int64_t item, int64_t k,
                          int64_t own, int64_t seed,
                          const struct near_found *near,
                          struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kint(&w, "split", x->split);
    jw_kint(&w, "prompt", own);
    jw_kint(&w, "seed_row", seed);
    jw_kint(&w, "seed", (json_get_int(x->params, "seed", 1) + item * 31 +
                         k * 7 + 1) & 0x7fffffff);
    if (json_get(x->params, "temperature"))
        jw_knum(&w, "temperature",
                json_get_number(x->params, "temperature", 0));
    near_found_write(near, &w);
    jw_close(&w);
}

/* Plans the calls of the next step, which answers the prompt. */
static bool plan_answers(struct arrival *x, const struct chat *prompt,
                         int64_t item, int64_t seed,
                         const struct near_found *near, struct err *e)
{
    struct arrivals *v = x->v;
    struct recipe_bindings b = {.prompt = prompt};
    struct chat asked;
    struct buf text = BUF_INIT(0), mine = BUF_INIT(0);
    int64_t step = x->call.step + 1;
    target_bind(&v->words, &b);
    if (!recipe_render(&v->r->steps[step - 1], &b, &asked, e))
        return false;
    chat_print(&asked, &text);
    chat_print(prompt, &mine);
    chat_free(&asked);
    int64_t rendered = text_put(v->s, buf_str(&text), text.len, e);
    int64_t own = text_put(v->s, buf_str(&mine), mine.len, e);
    bool ok = rendered && own;
    for (int64_t k = 0; ok && k < v->answers; k++) {
        struct buf params = BUF_INIT(0);
        answer_params(x, item, k, own, seed, near, &params);
        struct call c = {.job = v->job.id, .step = step, .attempt = 1,
                         .n = call_next_n(v->s, v->job.id, step),
                         .from_call = x->call.id, .from_item = item,
                         .prompt_text = rendered,
                         .params = (char *)(uintptr_t)buf_str(&params)};
        int64_t id = call_add(v->s, &c, e);
        ok = id != 0;
        if (ok)
            VEC_PUSH(x->planned, id);
        buf_free(&params);
    }
    buf_free(&text);
    buf_free(&mine);
    return ok;
}

/* A prompt that is new: held against the others, then answered, or kept with
 * the check that it fails. */
static bool take_new_prompt(struct arrival *x, const struct recipe_item *it,
                            const struct chat *prompt, struct err *e)
{
    struct arrivals *v = x->v;
    struct check_list rules = prompt_rules(v, x->step);
    struct check_result found[CHECK_COUNT];
    struct near_found w = look_near(x, &rules, it->prompt);
    size_t n = check_prompt(x, &rules, it->prompt, &w, found);
    int64_t seed = nearest_drawn(x, it->prompt), id;
    arrived_add(&v->n, found, n);
    if (checks_failed(found, n))
        return add_sample(x, prompt, (int64_t)it->index, x->call.id, seed,
                          found, n, &id, e) &&
               sample_index(x->a, id, e);
    near_prompts_wait(v->near, prompt, x->call.id, (int64_t)it->index, &w);
    return plan_answers(x, prompt, (int64_t)it->index, seed, &w, e);
}

/* One that stands already, or waits for its answers, is never held against
 * itself: it is answered once more, and the answers join it. */
static bool take_prompt(struct arrival *x, const struct recipe_item *it,
                        struct err *e)
{
    struct arrivals *v = x->v;
    struct chat prompt = chat_of(it->prompt);
    const struct near_found *twin = near_prompts_twin(v->near, &prompt);
    static const struct near_found none;
    bool stands = sample_with_prompt(v->s, v->job.target, &prompt) != 0;
    bool ok;
    if (stands || twin) {
        struct near_found w = twin ? *twin : none;
        v->n.repeated++;
        ok = plan_answers(x, &prompt, (int64_t)it->index,
                          nearest_drawn(x, it->prompt), &w, e);
    } else {
        ok = take_new_prompt(x, it, &prompt, e);
    }
    chat_free(&prompt);
    return ok;
}

/* A sample that stands gets another answer: out of the word index until it is
 * there, and up again where it fell for want of one. */
static bool take_up(struct arrival *x, int64_t sample, struct err *e)
{
    enum status status;
    enum split split;
    if (!sample_state(x->v->s, sample, &status, &split, e))
        return false;
    if (status == STATUS_REJECTED)
        unsettle(x, sample);
    return sample_unindex(x->a, sample, e);
}

static bool take_triple(struct arrival *x, const struct recipe_item *it,
                        const char *finish, struct err *e)
{
    struct arrivals *v = x->v;
    char *text = recipe_triple_prompt(it);
    struct chat prompt = chat_of(text);
    int64_t same = sample_with_prompt(v->s, v->job.target, &prompt);
    int64_t id = same, seed = nearest_drawn(x, text);
    bool ok;
    if (same) {
        v->n.repeated++;
        ok = take_up(x, same, e);
    } else {
        struct check_list rules = prompt_rules(v, x->step);
        struct check_result found[CHECK_COUNT];
        struct near_found w = look_near(x, &rules, text);
        size_t n = check_prompt(x, &rules, text, &w, found);
        arrived_add(&v->n, found, n);
        ok = add_sample(x, &prompt, (int64_t)it->index, x->call.id, seed,
                        found, n, &id, e);
        if (!checks_failed(found, n)) /* the index holds what is kept */
            near_prompts_add(v->near, id, text);
    }
    ok = ok && add_candidate(x, id, &prompt, it, finish, e) &&
         sample_index(x->a, id, e);
    chat_free(&prompt);
    free(text);
    return ok;
}

/* The sample of a prompt that was drawn, or that an earlier step made; its
 * prompt was checked when it came, and what near found then is in the call. */
static bool make_sample(struct arrival *x, const struct chat *prompt,
                        int64_t *id, struct err *e)
{
    struct check_list rules = {.n = 0};
    struct check_result found[CHECK_COUNT];
    struct drawn in[1] = {{.seed = 0}};
    const struct message *last = chat_last(prompt, ROLE_USER);
    struct near_found w = near_found_read(x->params);
    size_t n = 0;
    if (x->maker) {
        rules = prompt_rules(x->v, x->maker);
        n = check_prompt(x, &rules, last ? last->content : "", &w, found);
    }
    draws_of(x->v->s, x->call.id, in, 1);
    return add_sample(x, prompt, x->call.from_item,
                      x->call.from_call ? x->call.from_call : x->call.id,
                      json_get_int(x->params, "seed_row", in[0].seed), found,
                      n, id, e);
}

/* An answer to a prompt that was drawn, or that an earlier step made. */
static bool take_answer(struct arrival *x, const struct recipe_item *it,
                        const char *finish, struct err *e)
{
    struct arrivals *v = x->v;
    struct chat prompt;
    char *messages = text_get(v->s, json_get_int(x->params, "prompt", 0),
                              NULL);
    if (!messages) { /* purged since it was asked */
        free(x->call.trouble);
        x->call.trouble = xstrdup(_("its prompt was purged"));
        return true;
    }
    bool ok = chat_parse(messages, &prompt, e);
    free(messages);
    if (!ok)
        return err_set(e, ERR_STORE, _("call c%lld: its prompt is not there"),
                       (long long)x->call.id);
    int64_t id = sample_with_prompt(v->s, v->job.target, &prompt);
    ok = (id ? take_up(x, id, e) : make_sample(x, &prompt, &id, e)) &&
         add_candidate(x, id, &prompt, it, finish, e) &&
         sample_index(x->a, id, e);
    chat_free(&prompt);
    return ok;
}

static bool take_rating(struct arrival *x, const struct recipe_item *it,
                        struct err *e)
{
    const json *c = json_first(json_get(x->params, "candidates"));
    for (size_t i = 0; c && i < it->candidate; i++)
        c = json_next(c);
    int64_t id = (int64_t)json_number(c, 0);
    struct score_new s = {.candidate = id, .call = x->call.id,
                          .aspect = x->step->aspects[it->aspect].name,
                          .value = it->value, .reason = it->reason};
    if (it->aspect == 0)
        arrived_add(&x->v->n, NULL, 0);
    return !id || score_add(x->a, &s, e);
}

/* Whether the item's prompt or answer was purged; the call then says when. */
static bool was_purged(struct arrival *x, const struct recipe_item *it)
{
    struct buf prompt = BUF_INIT(0), answer = BUF_INIT(0);
    struct err why = {0};
    char *text = it->kind == ITEM_TRIPLE ? recipe_triple_prompt(it)
                 : it->kind == ITEM_PROMPT ? xstrdup(it->prompt) : NULL;
    if (text) {
        struct chat c = chat_of(text);
        chat_print(&c, &prompt);
        chat_free(&c);
    }
    if (it->answer) {
        struct message m = {.content = it->answer, .reasoning = it->reasoning};
        answer_print(&m, &answer);
    }
    bool gone = text_refused(x->v->s, buf_str(&prompt), prompt.len, &why) ||
                text_refused(x->v->s, buf_str(&answer), answer.len, &why);
    if (gone) {
        free(x->call.trouble);
        x->call.trouble = xstrdup(why.text);
    }
    free(text);
    buf_free(&prompt);
    buf_free(&answer);
    return gone;
}

static bool take_item(struct arrival *x, const struct recipe_item *it,
                      const char *finish, struct err *e)
{
    if (was_purged(x, it))
        return true;
    switch (it->kind) {
    case ITEM_PROMPT: /* a copy of old may have nobody to answer it */
        return (size_t)x->call.step >= x->v->r->n_steps ||
               take_prompt(x, it, e);
    case ITEM_TRIPLE: return take_triple(x, it, finish, e);
    case ITEM_ANSWER: return take_answer(x, it, finish, e);
    case ITEM_RATING: return take_rating(x, it, e);
    }
    return false;
}

/* ---- What the checks leave ---------------------------------------------- */

/* What becomes of a sample by its checks, all of its answers counted. What a
 * person decided stands. */
static bool settle(struct arrival *x, int64_t id, struct err *e)
{
    struct sample s;
    struct decision d;
    struct fate f = {id, CHECK_COUNT};
    bool decided = status_decision(x->v->s, id, &d);
    if (decided && strcmp(d.who, "check"))
        return true;
    if (!sample_get(x->v->s, id, &s, e))
        return false;
    bool falls = sample_falls(&s, &f.by);
    bool fell = s.status == STATUS_REJECTED;
    if (falls != fell && (fell || s.status == STATUS_PENDING))
        VEC_PUSH(&x->fates, f);
    sample_free(&s);
    return true;
}

/* One decision of `check` for all whose fate is `by`. */
static bool decide_fates(struct arrival *x, enum check by, struct err *e)
{
    bool rises = by == CHECK_COUNT, begun = false;
    for (size_t i = 0; i < x->fates.n; i++) {
        if (x->fates.at[i].by != by)
            continue;
        if (!begun && !act_next(x->a, rises ? "reopen" : "reject", "check",
                                rises ? "" : check_name(by), e))
            return false;
        begun = true;
        if (!act_change(x->a, OBJECT_SAMPLE, x->fates.at[i].sample,
                        FIELD_STATUS,
                        rises ? STATUS_PENDING : STATUS_REJECTED, e))
            return false;
    }
    return true;
}

static bool settle_all(struct arrival *x, struct err *e)
{
    for (size_t i = 0; i < x->unsettled.n; i++)
        if (!settle(x, x->unsettled.at[i], e))
            return false;
    for (int c = 0; c <= CHECK_COUNT; c++)
        if (!decide_fates(x, (enum check)c, e))
            return false;
    return true;
}

/* The bindings that parsing needs: counts and the shown order. */
static void parse_bindings(struct arrival *x, struct recipe_bindings *b,
                           size_t *order)
{
    struct drawn list[RECIPE_DEMOS];
    const json *c = json_get(x->params, "candidates");
    *b = (struct recipe_bindings){0};
    b->n_demos = x->step->over == OVER_DRAW
                     ? draws_of(x->v->s, x->call.id, list, RECIPE_DEMOS)
                     : 0;
    b->n_candidates = json_count(c);
    if (b->n_candidates > RECIPE_CANDIDATES)
        b->n_candidates = RECIPE_CANDIDATES;
    if (b->n_candidates) {
        recipe_order((uint64_t)json_get_int(x->params, "seed", 0),
                     b->n_candidates, order);
        b->order = order;
    }
}

static bool take_items(struct arrival *x, struct recipe_items *items,
                       struct err *e)
{
    for (size_t i = 0; i < items->n; i++)
        if (!take_item(x, &items->at[i], x->call.finish, e))
            return false;
    return settle_all(x, e);
}

static bool open_call(struct arrival *x, int64_t call, struct err *e)
{
    if (!call_get(x->v->s, call, &x->call, e))
        return false;
    const struct recipe *r = x->v->r;
    if (x->call.step < 1 || x->call.step > (int64_t)r->n_steps)
        return err_set(e, ERR_STORE, _("call c%lld is of no step of its "
                                       "recipe"), (long long)call);
    x->step = &r->steps[x->call.step - 1];
    x->maker = x->call.from_call && x->call.step > 1 ? x->step - 1 : NULL;
    x->params = json_parse(x->call.params, strlen(x->call.params), e);
    x->split = (enum split)json_get_int(x->params, "split", SPLIT_TRAIN);
    return x->params != NULL;
}

/* One reply inside the open act. */
static bool arrive_one(struct arrivals *v, struct act *a, int64_t call,
                       ids *planned, struct err *e)
{
    struct arrival x = {.v = v, .a = a, .planned = planned};
    struct recipe_items items = {0};
    struct recipe_bindings b;
    size_t order[RECIPE_CANDIDATES];
    bool ok = open_call(&x, call, e);
    if (ok) {
        char *answer = text_get(v->s, x.call.answer_text, NULL);
        char *thinking = text_get(v->s, x.call.thinking_text, NULL);
        parse_bindings(&x, &b, order);
        b.thinking = thinking;
        recipe_parse(x.step, &b, answer ? answer : "", x.call.finish, &items);
        free(answer);
        free(thinking);
        x.call.state = items.n ? CALL_ANSWERED : CALL_UNPARSED;
        if (!items.n) {
            v->unparsed++;
            free(x.call.trouble);
            x.call.trouble = xstrdup(items.n_missing
                                         ? items.missing[0]
                                         : _("nothing was found"));
        }
        ok = take_items(&x, &items, e) && call_finish(v->s, &x.call, e);
    }
    recipe_items_free(&items);
    VEC_FREE(&x.unsettled);
    VEC_FREE(&x.fates);
    json_free(x.params);
    call_free(&x.call);
    return ok;
}

/* All of them in one transaction. */
static bool arrive_all(struct arrivals *v, const ids *calls, ids *planned,
                       struct err *e)
{
    struct act a = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < calls->n; i++)
        ok = (i ? act_next(&a, "arrive", v->job.who, v->r->name, e)
                : act_begin(v->s, &a, "arrive", v->job.who, v->r->name, 0,
                            e)) &&
             arrive_one(v, &a, calls->at[i], planned, e) &&
             !(v->near && near_prompts_failed(v->near));
    if (ok && a.open)
        return act_saved(act_commit(&a, e));
    act_cancel(&a);
    return ok;
}

bool arrive(struct arrivals *v, const ids *calls, ids *planned,
            struct err *e)
{
    struct arrivals was = *v;
    size_t before = planned->n;
    do {
        if ((!v->near || near_prompts_refresh(v->near, e)) &&
            arrive_all(v, calls, planned, e))
            return true;
        v->n = was.n;
        v->unparsed = was.unparsed;
        planned->n = before;
    } while (v->near && near_prompts_failed(v->near));
    return false;
}
