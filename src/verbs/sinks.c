/* Sinks: what becomes of an item. One table, a function for each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/text.h"
#include "verbs/arrival.h"

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

struct check_list prompt_rules(const struct arrivals *v,
                               const struct recipe_step *s)
{
    struct check_list l = checks_of_prompt(s);
    for (size_t i = 0; i < l.n; i++)
        if (l.at[i].check == CHECK_NEAR && !isnan(v->words.near_limit))
            l.at[i].limit = v->words.near_limit;
    return l;
}

struct near_found look_near(struct arrivals *v, const struct check_list *l,
                            const char *prompt)
{
    struct near_found f = {.looked = false};
    for (size_t i = 0; i < l->n; i++) {
        if (l->at[i].check != CHECK_NEAR)
            continue;
        struct near_hit hit = near_prompts_find(v->near, prompt);
        f = (struct near_found){true, hit.approximate, hit.f, l->at[i].limit,
                                hit.key};
    }
    return f;
}

size_t check_prompt(struct check_list *l, const char *prompt,
                    const struct near_found *w, struct check_result *out)
{
    struct check_input in = {
        .prompt = prompt, .near = w->figure,
        .near_sample = near_key_sample(w->against),
        .near_seed = near_key_seed(w->against),
        .near_approximate = w->approximate};
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].check == CHECK_NEAR)
            l->at[i].limit = w->limit;
    return checks_run(l, &in, out);
}

/* Adds the sample with the checks of its prompt; *id. */
static bool add_sample(struct arrival *x, const struct chat *prompt,
                       const struct asked *k,
                       const struct check_result *checks, size_t n,
                       int64_t *id, struct err *e)
{
    struct sample_new s = {.target = x->v->job.target, .job = x->v->job.id,
                           .call = k->call ? k->call : x->call.id,
                           .item = k->item, .seed = k->seed,
                           .prompt = prompt, .split = x->split};
    *id = sample_add(x->a, &s, e);
    bool ok = *id != 0;
    for (size_t i = 0; ok && i < n; i++)
        ok = check_add(x->a, *id, 0, &checks[i], e);
    if (checks_failed(checks, n))
        unsettle(x, *id);
    return ok;
}

struct message said_by(const struct made *m)
{
    const char *text = made_get(m, "answer");
    const char *reasoning = made_get(m, "reasoning");
    return (struct message){.content = (char *)(uintptr_t)(text ? text : ""),
                            .reasoning = (char *)(uintptr_t)reasoning};
}

size_t check_answer(struct arrivals *v, const struct answer_made *m,
                    struct check_result *out)
{
    uint8_t hash[SHA_SIZE];
    int64_t same;
    chat_hash(m->prompt, m->said, hash);
    struct same_query q = {.target = v->job.target, .hash = hash,
                           .answer = m->said, .same = answers_same,
                           .but = m->sample};
    candidate_same(v->s, &q, &same);
    const struct message *last = chat_last(m->prompt, ROLE_USER);
    struct check_input in = {.prompt = last ? last->content : "",
                             .answer = m->said->content,
                             .finish = m->finish, .same = same};
    struct check_list rules = checks_of_answer(m->step);
    size_t n = checks_run(&rules, &in, out);
    arrived_add(&v->n, out, n);
    return n;
}

/* A candidate under a sample, with the checks that its steps list. */
static bool add_candidate(struct arrival *x, int64_t sample,
                          const struct chat *prompt,
                          const struct made *m, struct err *e)
{
    struct message said = said_by(m);
    struct answer_made made = {x->step, prompt, &said, x->call.finish, sample};
    struct check_result found[CHECK_COUNT];
    size_t n = check_answer(x->v, &made, found);
    struct buf body = BUF_INIT(0);
    uint8_t hash[SHA_SIZE];
    answer_print(&said, &body);
    chat_hash(prompt, &said, hash);
    struct candidate_new c = {.sample = sample, .call = x->call.id,
                              .source = SOURCE_TEACHER,
                              .body = buf_str(&body), .hash = hash};
    int64_t id = candidate_add(x->a, &c, e);
    bool ok = id != 0;
    for (size_t i = 0; ok && i < n; i++)
        ok = check_add(x->a, sample, id, &found[i], e);
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

/* ---- Samples ------------------------------------------------------------- */

/* What the item is as a prompt, for those that live on it. */
static bool become(struct arrival *x, struct arriving *it,
                   const struct chat *prompt, struct err *e)
{
    struct buf text = BUF_INIT(0);
    const struct message *last = chat_last(prompt, ROLE_USER);
    int64_t nearest = nearest_drawn(x, last ? last->content : "");
    chat_print(prompt, &text);
    it->asked = (struct asked){
        .text = text_put(x->v->s, buf_str(&text), text.len, e),
        .seed = nearest ? nearest : x->asked.seed,
        .call = x->call.id, .item = (int64_t)it->item->index};
    buf_free(&text);
    return it->asked.text != 0;
}

/* A prompt that is new: held against the others, then answered by the steps
 * behind, or kept with the check that it fails. */
static bool new_prompt(struct arrival *x, struct arriving *it,
                       const struct chat *prompt, const char *text,
                       struct err *e)
{
    struct arrivals *v = x->v;
    struct check_list rules = prompt_rules(v, x->step);
    struct check_result found[CHECK_COUNT];
    struct asked *k = &it->asked;
    int64_t id;
    k->near = look_near(v, &rules, text);
    size_t n = check_prompt(&rules, text, &k->near, found);
    arrived_add(&v->n, found, n);
    it->fell = checks_failed(found, n) != NULL;
    if (it->fell)
        return add_sample(x, prompt, k, found, n, &id, e) &&
               sample_index(x->a, id, e);
    near_prompts_wait(v->near, prompt, k->call, k->item, &k->near);
    return true;
}

/* One that stands already, or waits for its answers, is never held against
 * itself: it is answered once more, and the answers join it. */
static bool take_prompt(struct arrival *x, struct arriving *it,
                        const struct chat *prompt, const char *text,
                        struct err *e)
{
    struct arrivals *v = x->v;
    const struct near_found *twin = near_prompts_twin(v->near, prompt);
    if (!sample_with_prompt(v->s, v->job.target, prompt) && !twin)
        return new_prompt(x, it, prompt, text, e);
    if (twin)
        it->asked.near = *twin;
    v->n.repeated++;
    return true;
}

/* A prompt that came with its answer. */
static bool take_pair(struct arrival *x, struct arriving *it,
                      const struct chat *prompt, const char *text,
                      const struct made *m, struct err *e)
{
    struct arrivals *v = x->v;
    int64_t id = sample_with_prompt(v->s, v->job.target, prompt);
    bool ok;
    if (id) {
        v->n.repeated++;
        ok = take_up(x, id, e);
    } else {
        struct check_list rules = prompt_rules(v, x->step);
        struct check_result found[CHECK_COUNT];
        struct near_found w = look_near(v, &rules, text);
        size_t n = check_prompt(&rules, text, &w, found);
        arrived_add(&v->n, found, n);
        it->fell = checks_failed(found, n) != NULL;
        ok = add_sample(x, prompt, &it->asked, found, n, &id, e);
        if (!it->fell) /* the index holds what is kept */
            near_prompts_add(v->near, id, text);
    }
    return ok && add_candidate(x, id, prompt, m, e) &&
           sample_index(x->a, id, e);
}

static bool sink_sample(struct arrival *x, struct arriving *it,
                        const struct made *m, struct err *e)
{
    const char *text = made_get(m, "prompt");
    struct chat prompt = chat_of(text ? text : "");
    bool ok = become(x, it, &prompt, e) &&
              (recipe_asks(x->step)
                   ? take_prompt(x, it, &prompt, text ? text : "", e)
                   : take_pair(x, it, &prompt, text ? text : "", m, e));
    chat_free(&prompt);
    return ok;
}

/* ---- Candidates ---------------------------------------------------------- */

/* The sample of a prompt that was drawn, or that an earlier step made; its
 * prompt was checked when it came, and what near found then is in the call. */
static bool make_sample(struct arrival *x, const struct chat *prompt,
                        int64_t *id, struct err *e)
{
    const struct recipe_step *maker = recipe_maker(x->step);
    struct check_list rules = {.n = 0};
    struct check_result found[CHECK_COUNT];
    struct drawn in[1] = {{.seed = 0}};
    const struct message *last = chat_last(prompt, ROLE_USER);
    struct asked k = x->asked;
    size_t n = 0;
    if (maker) {
        rules = prompt_rules(x->v, maker);
        n = check_prompt(&rules, last ? last->content : "", &k.near,
                         found);
    } else {
        k.call = x->call.id;
        k.item = 0;
    }
    draws_of(x->v->s, x->call.id, in, 1);
    k.seed = k.seed ? k.seed : in[0].seed;
    return add_sample(x, prompt, &k, found, n, id, e);
}

/* An answer to a prompt that was drawn, or that an earlier step made. */
static bool sink_candidate(struct arrival *x, struct arriving *it,
                           const struct made *m, struct err *e)
{
    struct arrivals *v = x->v;
    struct chat prompt;
    char *messages = text_get(v->s, x->asked.text, NULL);
    if (!messages) { /* purged since it was asked */
        free(x->call.trouble);
        x->call.trouble = xstrdup(_("its prompt was purged"));
        it->fell = true;
        return true;
    }
    bool ok = chat_parse(messages, &prompt, e);
    free(messages);
    if (!ok)
        return err_set(e, ERR_STORE, _("call c%lld: its prompt is not there"),
                       (long long)x->call.id);
    int64_t id = sample_with_prompt(v->s, v->job.target, &prompt);
    ok = (id ? take_up(x, id, e) : make_sample(x, &prompt, &id, e)) &&
         add_candidate(x, id, &prompt, m, e) && sample_index(x->a, id, e);
    chat_free(&prompt);
    return ok;
}

/* ---- Scores -------------------------------------------------------------- */

/* A judge's, of one of the answers that the call showed. */
static bool sink_score(struct arrival *x, struct arriving *it,
                       const struct made *m, struct err *e)
{
    const char *place = made_get(m, "candidate"), *text;
    const json *c = json_first(json_get(x->params, "candidates"));
    for (long i = place ? strtol(place, NULL, 10) : 0; c && i > 0; i--)
        c = json_next(c);
    int64_t id = (int64_t)json_number(c, 0);
    const char *aspect = made_get(m, "aspect");
    struct score_new s = {.candidate = id, .call = x->call.id,
                          .aspect = aspect ? aspect : "",
                          .value = (text = made_get(m, "value"))
                                       ? strtod(text, NULL) : NAN,
                          .reason = made_get(m, "reason")};
    const struct recipe_make *how = recipe_makes(x->step, SINK_SCORE);
    bool nobody = how->at[sink_place(SINK_SCORE, "candidate")] && !place;
    (void)it;
    if (isnan(s.value) || nobody) /* as where two answers tie */
        return true;
    if (!s.reason)
        s.reason = "";
    if (x->step->n_aspects && !strcmp(s.aspect, x->step->aspects[0].name))
        arrived_add(&x->v->n, NULL, 0);
    return !id || score_add(x->a, &s, e);
}

/* ---- All of them --------------------------------------------------------- */

static bool (*const sinks[])(struct arrival *x, struct arriving *it,
                             const struct made *m, struct err *e) = {
    [SINK_SAMPLE] = sink_sample,
    [SINK_CANDIDATE] = sink_candidate,
    [SINK_SCORE] = sink_score,
};

/* Whether the prompt or answer that is made was purged; the call then says
 * when. */
static bool was_purged(struct arrival *x, const struct made *m)
{
    struct buf prompt = BUF_INIT(0), answer = BUF_INIT(0);
    struct err why = {0};
    if (m->sink == SINK_SAMPLE) {
        const char *text = made_get(m, "prompt");
        struct chat c = chat_of(text ? text : "");
        chat_print(&c, &prompt);
        chat_free(&c);
    }
    if (m->sink != SINK_SCORE) {
        struct message said = said_by(m);
        answer_print(&said, &answer);
    }
    bool gone = text_refused(x->v->s, buf_str(&prompt), prompt.len, &why) ||
                text_refused(x->v->s, buf_str(&answer), answer.len, &why);
    if (gone) {
        free(x->call.trouble);
        x->call.trouble = xstrdup(why.text);
    }
    buf_free(&prompt);
    buf_free(&answer);
    return gone;
}

bool sink_item(struct arrival *x, struct arriving *it, struct err *e)
{
    struct recipe_bindings b = x->chain.b;
    target_bind(&x->v->words, &b);
    b.chain = &it->chain;
    for (size_t i = 0; i < x->step->n_makes; i++) {
        struct made m;
        if (!recipe_passes(&x->step->makes[i].where, &it->chain))
            continue;
        recipe_fill(&x->step->makes[i], &b, &m);
        bool gone = was_purged(x, &m);
        bool ok = gone || sinks[m.sink](x, it, &m, e);
        it->fell = it->fell || gone;
        made_free(&m);
        if (!ok)
            return false;
    }
    return true;
}
