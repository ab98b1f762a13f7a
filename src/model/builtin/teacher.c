#include "model/builtin/teacher.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/uni.h"
#include "domain/verifier.h"

/* ---- Answers ------------------------------------------------------------- */

void teacher_truth(const struct problem *p, struct buf *out)
{
    p->family->op->solve(p, false, out);
}

/* Changes one letter or digit of the final answer into another one. */
static void slip(struct rng *r, char *answer)
{
    char *from = strstr(answer, "#### ");
    VEC(char *) places = {0};
    for (char *c = from ? from : answer; *c; c++)
        if (isalnum((unsigned char)*c))
            VEC_PUSH(&places, c);
    if (places.n) {
        char *c = places.at[rng_below(r, places.n)];
        int first = isdigit((unsigned char)*c)   ? '0'
                    : isupper((unsigned char)*c) ? 'A'
                                                 : 'a';
        int n = first == '0' ? 10 : 26;
        int other = 1 + (int)rng_below(r, (uint64_t)n - 1);
        *c = (char)(first + (*c - first + other) % n);
    }
    VEC_FREE(&places);
}

enum fate teacher_solve(const struct teacher *t, const struct problem *p,
                        struct rng *r, struct buf *out)
{
    bool trigger = p->family->op->trigger(p);
    bool errs = rng_unit(r) < (trigger ? t->wrong : t->slips);
    if (!errs || trigger) {
        p->family->op->solve(p, errs, out);
        return errs ? FATE_MISTAKEN : FATE_RIGHT;
    }
    struct buf b = BUF_INIT(0);
    teacher_truth(p, &b);
    char *answer = buf_take(&b);
    slip(r, answer);
    buf_puts(out, answer);
    free(answer);
    return FATE_SLIPPED;
}

/* The final part with white space folded; the caller frees. */
static char *final_part(const char *answer, bool number)
{
    char *final = verifier_final(answer, number);
    char *folded = uni_fold_space(final);
    free(final);
    return folded;
}

bool teacher_right(const struct problem *p, const char *answer)
{
    struct buf truth = BUF_INIT(0);
    teacher_truth(p, &truth);
    bool steps = strstr(buf_str(&truth), "#### ") != NULL;
    char *want = final_part(buf_str(&truth), steps);
    char *got = final_part(answer, steps);
    bool right = !strcmp(want, got);
    free(want);
    free(got);
    buf_free(&truth);
    return right;
}

void teacher_pose(const struct family *f, size_t lang, struct rng *r,
                  struct problem *p, struct buf *prompt)
{
    struct wording w;
    set_draw(f, lang, SET_TRAIN, r, p, &w);
    grammar_write(p, &w, prompt);
}

/* ---- Steps --------------------------------------------------------------- */

/* One reply in the making. */
struct reply {
    const struct teacher *t;
    const struct recipe_step *step;
    const struct recipe_found *found;
    struct rng rng;
    struct recipe_items items;
};

static void say_what_i_can(const struct teacher *t, struct buf *out)
{
    buf_puts(out, "I'm sorry, I am a small program and can only do problems "
                  "of these kinds: ");
    for (size_t i = 0; i < t->families->n; i++)
        buf_printf(out, "%s%s", i ? "; " : "", t->families->at[i].about);
    buf_putc(out, '.');
}

/* The working of an answer in steps, else the family's sentence. */
static char *reason_of(const struct problem *p, const char *answer)
{
    const char *mark = strstr(answer, "\n#### ");
    return mark ? xstrndup(answer, (size_t)(mark - answer))
                : xstrdup(p->family->lang[p->lang].reason);
}

static struct recipe_item *add_item(struct reply *x, size_t index)
{
    struct recipe_item it = {.index = index};
    VEC_PUSH(&x->items, it);
    return &x->items.at[x->items.n - 1];
}

/* Poses one problem for each item wanted, each of the family and language of
 * a demonstration. False where none is recognised. */
static bool pose(struct reply *x)
{
    const struct recipe_found *f = x->found;
    VEC(struct problem) kinds = {0};
    for (size_t i = 0; i < f->n_demos; i++) {
        struct problem p;
        if (f->demos[i].prompt &&
            grammar_read(x->t->families, f->demos[i].prompt, &p, NULL))
            VEC_PUSH(&kinds, p);
    }
    for (size_t i = 0; kinds.n && i < f->wanted; i++) {
        const struct problem *like = &kinds.at[rng_below(&x->rng, kinds.n)];
        struct problem p;
        struct buf prompt = BUF_INIT(0), answer = BUF_INIT(0);
        teacher_pose(like->family, like->lang, &x->rng, &p, &prompt);
        teacher_solve(x->t, &p, &x->rng, &answer);
        struct recipe_item *it = add_item(x, i);
        field_put(it, "prompt", buf_str(&prompt));
        field_put(it, "instruction", buf_str(&prompt));
        field_put(it, "output", buf_str(&answer));
        buf_free(&prompt);
        buf_free(&answer);
    }
    bool any = kinds.n > 0;
    VEC_FREE(&kinds);
    return any;
}

static bool answer(struct reply *x, const char *prompt)
{
    struct problem p;
    struct buf b = BUF_INIT(0);
    if (!prompt || !grammar_read(x->t->families, prompt, &p, NULL))
        return false;
    teacher_solve(x->t, &p, &x->rng, &b);
    struct recipe_item *it = add_item(x, 0);
    field_take(it, "reasoning", reason_of(&p, buf_str(&b)));
    field_take(it, "answer", buf_take(&b));
    return true;
}

/* ---- The judge ----------------------------------------------------------- */

/* What an aspect is about, by its name: recipes call them as they like. */
static bool named(const char *name, const char *const *words)
{
    for (; *words; words++)
        if (strstr(name, *words))
            return true;
    return false;
}

static bool about_truth(const char *name)
{
    static const char *const words[] = {"truth", "correct", "accura", "right",
                                        "fact", NULL};
    return named(name, words);
}

static bool about_form(const char *name)
{
    static const char *const words[] = {"instr", "form", "style", "follow",
                                        NULL};
    return named(name, words);
}

static void rate(struct reply *x, const struct problem *p, size_t place,
                 const char *text)
{
    const struct recipe_step *s = x->step;
    bool right = teacher_right(p, text);
    bool seems = rng_unit(&x->rng) < x->t->judge ? right : !right;
    bool tidy = strlen(text) < 200;
    for (size_t k = 0; k < s->n_aspects; k++) {
        const char *name = s->aspects[k].name;
        double part = seems ? 1 : .25; /* help: of use in part */
        const char *why = seems ? "It gives what was asked for."
                                : "It does not help with a wrong result.";
        if (about_truth(name)) {
            part = seems ? 1 : 0;
            why = seems ? "The result agrees with mine."
                        : "The result is not the one that I get.";
        } else if (about_form(name)) {
            part = tidy ? 1 : .5;
            why = tidy ? "It has the form that was asked for."
                       : "It is longer than what was asked for.";
        } else if (rng_unit(&x->rng) < .2) {
            part = seems ? .75 : .5;
        }
        double value = s->low + round(part * (s->high - s->low));
        struct recipe_item *it = add_item(x, x->items.n);
        field_put_number(it, "candidate", (double)place);
        field_put(it, "aspect", name);
        field_put_number(it, "value", value);
        field_put(it, "reason", why);
    }
}

static bool judge(struct reply *x)
{
    const struct recipe_found *f = x->found;
    struct problem p;
    if (!f->input || !grammar_read(x->t->families, f->input, &p, NULL))
        return false;
    for (size_t i = 0; i < f->n_candidates; i++)
        rate(x, &p, i, f->candidates[i] ? f->candidates[i] : "");
    return f->n_candidates > 0;
}

/* ---- Replies ------------------------------------------------------------- */

static uint64_t reply_seed(const struct teacher *t,
                           const struct recipe_step *step,
                           const struct chat *messages, uint64_t counter)
{
    struct sha s;
    uint8_t d[SHA_SIZE];
    struct buf text = BUF_INIT(0);
    uint64_t h = 0;
    chat_print(messages, &text);
    sha_start(&s);
    sha_int(&s, (int64_t)t->seed);
    sha_int(&s, (int64_t)counter);
    sha_field(&s, step ? step->name : "", step ? strlen(step->name) : 0);
    sha_field(&s, buf_str(&text), text.len);
    sha_end(&s, d);
    buf_free(&text);
    for (int i = 0; i < 8; i++)
        h = h << 8 | d[i];
    return h;
}

/* By what is made of the reply. */
static bool do_step(struct reply *x)
{
    const struct recipe_step *s = x->step;
    return recipe_makes(s, SINK_SCORE)    ? judge(x)
           : recipe_makes(s, SINK_SAMPLE) ? pose(x)
                                          : answer(x, x->found->input);
}

static void reply_plain(struct reply *x, const struct chat *messages,
                        struct buf *out)
{
    const struct message *m = chat_last(messages, ROLE_USER);
    if (m && answer(x, m->content))
        buf_puts(out, field_get(&x->items.at[0], "answer"));
    else
        say_what_i_can(x->t, out);
}

void teacher_reply(const struct teacher *t, const struct recipe_step *step,
                   const struct chat *messages, uint64_t counter,
                   struct buf *out)
{
    struct recipe_found found;
    struct reply x = {.t = t, .step = step, .found = &found};
    rng_seed(&x.rng, reply_seed(t, step, messages, counter));
    if (!step || !recipe_unrender(step, messages, &found)) {
        reply_plain(&x, messages, out);
    } else {
        if (do_step(&x))
            recipe_write(step, found.n_demos, x.items.at, x.items.n, out);
        else
            say_what_i_can(t, out);
        recipe_found_free(&found);
    }
    recipe_items_free(&x.items);
}
