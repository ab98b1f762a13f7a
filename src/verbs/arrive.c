#include "verbs/arrive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "store/query.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/text.h"

/* In the index a prompt that waits for its answers is no sample yet: its key
 * says which item of which call it is. */
#define WAITING ((int64_t)1 << 50)
#define WAITING_KEY(call, item) (WAITING + (call) * 4096 + (item))

/* The sample that a key names by now; 0 for one that still waits. */
static int64_t sample_of_key(struct store *s, int64_t key)
{
    if (key < WAITING)
        return key > 0 ? key : 0;
    return sample_made_by(s, (key - WAITING) / 4096, (key - WAITING) % 4096);
}

/* ---- Opening ------------------------------------------------------------ */

static void index_seeds(struct arrivals *v)
{
    struct filter f;
    ids all;
    if (!filter_parse("", &f, NULL))
        return;
    if (seed_ids(v->s, v->job.target, &f, &all, NULL)) {
        for (size_t i = 0; i < all.n; i++) {
            struct seed x;
            if (!seed_get(v->s, all.at[i], &x, NULL))
                continue;
            char *text = prompt_text(x.prompt);
            near_add(v->near, -x.id, text);
            free(text);
            seed_free(&x);
        }
        VEC_FREE(&all);
    }
    filter_free(&f);
}

static void index_samples(struct arrivals *v)
{
    struct filter f;
    ids all = {0};
    if (!filter_parse("-status:rejected", &f, NULL))
        return;
    struct query q = {v->job.target, &f, 0};
    if (query_ids(v->s, &q, 0, SIZE_MAX >> 2, &all, NULL)) {
        for (size_t i = 0; i < all.n; i++) {
            struct sample x;
            if (!sample_get(v->s, all.at[i], &x, NULL))
                continue;
            char *text = prompt_text(x.prompt);
            near_add(v->near, x.id, text);
            free(text);
            sample_free(&x);
        }
    }
    VEC_FREE(&all);
    filter_free(&f);
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
    v->near = near_new();
    bool makes_prompts = v->r->steps[0].over == OVER_DRAW;
    if (makes_prompts) {
        index_seeds(v);
        index_samples(v);
    }
    return true;
}

void arrivals_close(struct arrivals *v)
{
    job_free(&v->job);
    recipe_free(&v->r);
    if (v->words.doc)
        target_words_free(&v->words);
    near_free(&v->near);
}

/* ---- One reply ---------------------------------------------------------- */

struct arrival {
    struct arrivals *v;
    struct act *a;
    struct call call;
    const struct recipe_step *step;
    enum split split;
    json *params;
    ids *planned;
    VEC(struct failed {
        int64_t sample;
        const char *check;
    }) failed;
};

static const struct recipe_check *limit_of(const struct arrival *x,
                                           const char *name)
{
    return recipe_check(x->step, name);
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

static struct check_result run_near(struct arrival *x, const char *prompt,
                                    double limit, int64_t *key)
{
    struct near_hit hit = near_find(x->v->near, prompt, NEAR_EXACT);
    if (!isnan(x->v->words.near_limit))
        limit = x->v->words.near_limit;
    *key = hit.key;
    return check_near(hit.f, limit, sample_of_key(x->v->s, hit.key),
                      hit.key < 0 ? -hit.key : 0);
}

/* The checks of a new prompt that its step runs; *n of them. */
static bool prompt_checks(struct arrival *x, const char *prompt,
                          struct check_result *out, size_t *n, int64_t *key)
{
    const struct recipe_check *near = limit_of(x, "near");
    bool failed = false;
    *n = 0;
    if (near)
        out[(*n)++] = run_near(x, prompt, near->limit, key);
    if (limit_of(x, "length"))
        out[(*n)++] = check_length(prompt);
    for (size_t i = 0; i < *n; i++)
        failed = failed || out[i].verdict == VERDICT_FAIL;
    return !failed;
}

static bool note_failure(struct arrival *x, int64_t sample,
                         const struct check_result *r)
{
    struct failed f = {sample, check_name(r->check)};
    VEC_PUSH(&x->failed, f);
    x->v->failed_checks[r->check]++;
    return true;
}

/* Adds the sample with its prompt's checks; *id. Failures are noted. */
static bool add_sample(struct arrival *x, const struct chat *prompt,
                       int64_t item, int64_t call, int64_t seed,
                       const struct check_result *checks, size_t n,
                       int64_t *id, struct err *e)
{
    struct sample_new s = {.target = x->v->job.target, .job = x->v->job.id,
                           .call = call, .item = item, .seed = seed,
                           .prompt = prompt, .split = x->split};
    *id = sample_add(x->a, &s, e);
    bool ok = *id != 0, bad = false;
    for (size_t i = 0; ok && i < n; i++) {
        ok = check_add(x->a, *id, 0, &checks[i], e);
        if (checks[i].verdict == VERDICT_FAIL && !bad)
            bad = note_failure(x, *id, &checks[i]);
    }
    return ok;
}

/* A candidate under a sample, with the checks of the step. */
static bool add_candidate(struct arrival *x, int64_t sample, bool first,
                          const struct chat *prompt,
                          const struct recipe_item *it, const char *finish,
                          struct err *e)
{
    struct message m = {.content = it->answer,
                        .reasoning = it->reasoning};
    struct buf body = BUF_INIT(0);
    uint8_t hash[SHA_SIZE];
    answer_print(&m, &body);
    chat_hash(prompt, it->answer, hash);
    int64_t same = sample_same(x->v->s, x->v->job.target, hash, 0);
    struct candidate_new c = {.sample = sample, .call = x->call.id,
                              .source = SOURCE_TEACHER,
                              .body = buf_str(&body), .hash = hash};
    int64_t id = candidate_add(x->a, &c, e);
    const struct message *last = chat_last(prompt, ROLE_USER);
    const char *asked = last ? last->content : "";
    const struct check_result all[] = {
        check_duplicate(same == sample ? 0 : same), check_empty(it->answer),
        check_cut_off(finish), check_echo(asked, it->answer),
        check_refusal(it->answer)};
    bool ok = id != 0, bad = false;
    for (size_t i = 0; ok && i < COUNT(all); i++) {
        ok = check_add(x->a, sample, id, &all[i], e);
        if (all[i].verdict == VERDICT_FAIL && first && !bad)
            bad = note_failure(x, sample, &all[i]);
    }
    x->v->passed += ok && !bad;
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

/* Plans the calls that answer a new prompt. */
static bool plan_answers(struct arrival *x, const struct chat *prompt,
                         int64_t item, int64_t seed, double near,
                         double limit, int64_t against, struct err *e)
{
    struct arrivals *v = x->v;
    struct recipe_bindings b = {.prompt = prompt};
    struct chat asked;
    struct buf text = BUF_INIT(0), mine = BUF_INIT(0);
    target_bind(&v->words, &b);
    if (!recipe_render(&v->r->steps[1], &b, &asked, e))
        return false;
    chat_print(&asked, &text);
    chat_print(prompt, &mine);
    chat_free(&asked);
    int64_t rendered = text_put(v->s, buf_str(&text), text.len, e);
    int64_t own = text_put(v->s, buf_str(&mine), mine.len, e);
    bool ok = rendered && own;
    for (int64_t k = 0; ok && k < v->answers; k++) {
        struct buf params = BUF_INIT(0);
        struct jw w = jw_start(&params);
        jw_open(&w, '{');
        jw_kint(&w, "split", x->split);
        jw_kint(&w, "prompt", own);
        jw_kint(&w, "seed_row", seed);
        jw_kint(&w, "seed", (json_get_int(x->params, "seed", 1) + item * 31 +
                             k * 7 + 1) & 0x7fffffff);
        if (json_get(x->params, "temperature"))
            jw_knum(&w, "temperature",
                    json_get_number(x->params, "temperature", 0));
        if (!isnan(near)) {
            jw_knum(&w, "near", near);
            jw_knum(&w, "limit", limit);
            jw_kint(&w, "against", against);
        }
        jw_close(&w);
        struct call c = {.job = v->job.id, .step = 2, .attempt = 1,
                         .n = call_next_n(v->s, v->job.id, 2),
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

static bool take_prompt(struct arrival *x, const struct recipe_item *it,
                        struct err *e)
{
    struct arrivals *v = x->v;
    struct check_result checks[4];
    size_t n;
    struct chat prompt = chat_of(it->prompt);
    int64_t same = sample_with_prompt(v->s, v->job.target, &prompt), id;
    int64_t seed = nearest_drawn(x, it->prompt), against = 0;
    bool ok = true;
    v->found++;
    if (same) { /* a prompt that stands there: nothing new was made */
        v->failed_checks[CHECK_DUPLICATE]++;
    } else if (!prompt_checks(x, it->prompt, checks, &n, &against)) {
        ok = add_sample(x, &prompt, (int64_t)it->index, x->call.id, seed,
                        checks, n, &id, e) &&
             sample_index(x->a, id, e);
    } else {
        double near = NAN, limit = NAN;
        for (size_t i = 0; i < n; i++) {
            if (checks[i].check != CHECK_NEAR)
                continue;
            near = checks[i].figure;
            limit = checks[i].bound;
        }
        ok = plan_answers(x, &prompt, (int64_t)it->index, seed, near, limit,
                          against, e);
        near_add(v->near, WAITING_KEY(x->call.id, (int64_t)it->index),
                 it->prompt);
    }
    chat_free(&prompt);
    return ok;
}

static bool take_triple(struct arrival *x, const struct recipe_item *it,
                        const char *finish, struct err *e)
{
    struct check_result checks[4];
    size_t n;
    char *text = recipe_triple_prompt(it);
    struct chat prompt = chat_of(text);
    int64_t same = sample_with_prompt(x->v->s, x->v->job.target, &prompt);
    int64_t id = same, seed = nearest_drawn(x, text), key;
    bool ok = true;
    x->v->found++;
    if (!same) {
        prompt_checks(x, text, checks, &n, &key);
        ok = add_sample(x, &prompt, (int64_t)it->index, x->call.id, seed,
                        checks, n, &id, e);
        near_add(x->v->near, id, text);
    } else {
        ok = sample_unindex(x->a, same, e);
    }
    ok = ok && add_candidate(x, id, !same, &prompt, it, finish, e) &&
         sample_index(x->a, id, e);
    chat_free(&prompt);
    free(text);
    return ok;
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
    int64_t same = sample_with_prompt(v->s, v->job.target, &prompt);
    int64_t id = same, against = json_get_int(x->params, "against", 0);
    struct drawn in[1] = {{.seed = 0}};
    draws_of(v->s, x->call.id, in, 1);
    v->found++;
    if (same) {
        ok = sample_unindex(x->a, same, e);
    } else {
        struct check_result near =
            check_near(json_get_number(x->params, "near", 0),
                       json_get_number(x->params, "limit", 1),
                       sample_of_key(v->s, against),
                       against < 0 ? -against : 0);
        bool has = json_get(x->params, "near") != NULL;
        int64_t seed = json_get_int(x->params, "seed_row", in[0].seed);
        ok = add_sample(x, &prompt, x->call.from_item,
                        x->call.from_call ? x->call.from_call : x->call.id,
                        seed, &near, has, &id, e);
    }
    ok = ok && add_candidate(x, id, !same, &prompt, it, finish, e) &&
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
    x->v->passed += it->aspect == 0;
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
    case ITEM_PROMPT:
        return x->v->r->n_steps < 2 || take_prompt(x, it, e);
    case ITEM_TRIPLE: return take_triple(x, it, finish, e);
    case ITEM_ANSWER: return take_answer(x, it, finish, e);
    default: return take_rating(x, it, e);
    }
}

/* What failed arrives rejected: one decision of `check` a kind of check. */
static bool reject_failed(struct arrival *x, struct err *e)
{
    for (int c = 0; c < CHECK_COUNT; c++) {
        const char *name = check_name((enum check)c);
        bool begun = false;
        for (size_t i = 0; i < x->failed.n; i++) {
            if (strcmp(x->failed.at[i].check, name))
                continue;
            if (!begun && !act_next(x->a, "reject", "check", name, e))
                return false;
            begun = true;
            if (!act_change(x->a, OBJECT_SAMPLE, x->failed.at[i].sample,
                            FIELD_STATUS, STATUS_REJECTED, e))
                return false;
        }
    }
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
    return reject_failed(x, e);
}

static bool open_call(struct arrival *x, int64_t call, struct err *e)
{
    if (!call_get(x->v->s, call, &x->call, e))
        return false;
    x->step = &x->v->r->steps[x->call.step - 1];
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
    VEC_FREE(&x.failed);
    json_free(x.params);
    call_free(&x.call);
    return ok;
}

bool arrive(struct arrivals *v, const ids *calls, ids *planned,
            struct err *e)
{
    struct act a = {0};
    size_t before = planned->n;
    bool ok = true;
    for (size_t i = 0; ok && i < calls->n; i++)
        ok = (i ? act_next(&a, "arrive", v->job.who, v->r->name, e)
                : act_begin(v->s, &a, "arrive", v->job.who, v->r->name, 0,
                            e)) &&
             arrive_one(v, &a, calls->at[i], planned, e);
    if (ok && a.open)
        ok = act_commit(&a, e) != ACT_NOT_SAVED;
    else
        act_cancel(&a);
    if (!ok)
        planned->n = before;
    return ok;
}
