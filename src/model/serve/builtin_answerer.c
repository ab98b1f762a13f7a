/* The built-in teacher behind the server. Its replies are made whole and
 * handed out in pieces. They depend on the teacher's seed, the messages, the
 * step, the request's `seed` and the place among its `n` answers, and on
 * nothing else: a caller that asks the same twice gives each its own `seed`.
 * Temperature and top_p change nothing: it is no sampler. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/builtin/teacher.h"
#include "model/serve/answerer.h"

enum { PIECE = 24, BYTES_PER_TOKEN = 4 };

struct builtin {
    struct teacher teacher;
    struct families *families;
    char *recipes; /* NULL: where recipe_find looks */
};

struct run {
    char *text;
    size_t at, len;
    struct usage usage;
};

/* It has no tokenizer: a token is counted for every four bytes begun. */
static size_t tokens_of(size_t bytes)
{
    return (bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
}

static void cut_at(char *text, size_t n)
{
    while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    text[n] = '\0';
}

/* Ends the text at the first stop string, then at the token limit. */
static void limit(struct run *r, const struct question *q)
{
    for (size_t i = 0; i < q->n_stop; i++) {
        char *hit = *q->stop[i] ? strstr(r->text, q->stop[i]) : NULL;
        if (hit)
            *hit = '\0';
    }
    size_t max = (size_t)q->max_tokens * BYTES_PER_TOKEN;
    r->usage.cut = max && strlen(r->text) > max;
    if (r->usage.cut)
        cut_at(r->text, max);
    r->len = strlen(r->text);
    r->usage.tokens_out = tokens_of(r->len);
    for (size_t i = 0; i < q->messages->n; i++)
        r->usage.tokens_in += tokens_of(strlen(q->messages->at[i].content));
}

/* "RECIPE/STEP" to its step; *recipe keeps it alive. */
static const struct recipe_step *find_step(const struct builtin *b,
                                           const char *header,
                                           struct recipe **recipe,
                                           struct err *e)
{
    const char *slash = strchr(header, '/');
    const struct recipe_step *step = NULL;
    if (!slash) {
        err_set(e, ERR_INPUT, _("Stillroom-Step: expected RECIPE/STEP"));
        return NULL;
    }
    char *name = xstrndup(header, (size_t)(slash - header));
    *recipe = b->recipes ? recipe_find_in(b->recipes, name, e)
                         : recipe_find(name, e);
    free(name);
    if (*recipe && !(step = recipe_step(*recipe, slash + 1)))
        err_set(e, ERR_INPUT, _("the recipe %s has no step \"%.40s\""),
                (*recipe)->name, slash + 1);
    if (!step && e->code != ERR_INPUT)
        e->code = ERR_INPUT;
    return step;
}

static void *start(void *ctx, const struct question *q, struct err *e)
{
    const struct builtin *b = ctx;
    struct recipe *recipe = NULL;
    if (q->json) {
        err_set(e, ERR_INPUT, _("the built-in teacher answers in plain "
                                "text"));
        return NULL;
    }
    if (q->text) {
        err_set(e, ERR_INPUT, _("the built-in teacher answers messages; it "
                                "does not go on with texts"));
        return NULL;
    }
    const struct recipe_step *step =
        q->step ? find_step(b, q->step, &recipe, e) : NULL;
    struct run *r = NULL;
    if (step || !q->step) {
        struct buf text = BUF_INIT(4 << 20);
        uint64_t counter = (uint64_t)q->seed;
        counter += q->choice * 0x9e3779b97f4a7c15u;
        teacher_reply(&b->teacher, step, q->messages, counter, &text);
        r = xcalloc(1, sizeof *r);
        r->text = buf_take(&text);
        limit(r, q);
    }
    recipe_free(&recipe);
    return r;
}

static int next(void *run, struct buf *text, struct buf *logprobs,
                struct err *e)
{
    struct run *r = run;
    (void)logprobs;
    (void)e;
    size_t n = r->len - r->at;
    if (n > PIECE)
        for (n = PIECE; ((unsigned char)r->text[r->at + n] & 0xc0) == 0x80;)
            n--;
    buf_add(text, r->text + r->at, n);
    r->at += n;
    return r->at < r->len;
}

static void end(void *run, struct usage *u)
{
    struct run *r = run;
    *u = r->usage;
    free(r->text);
    free(r);
}

static void free_builtin(void *ctx)
{
    struct builtin *b = ctx;
    families_free(&b->families);
    free(b->recipes);
    free(b);
}

struct answerer *builtin_answerer(const char *dir, uint64_t seed,
                                  double wrong, double slips, double judge,
                                  struct err *e)
{
    struct families *families = families_load(NULL, e);
    if (!families)
        return NULL;
    struct builtin *b = xcalloc(1, sizeof *b);
    *b = (struct builtin){{families, seed, wrong, slips, judge}, families,
                          dir ? xstrdup(dir) : NULL};
    static const char *const names[] = {"builtin", NULL};
    struct answerer *a = xcalloc(1, sizeof *a);
    *a = (struct answerer){.models = names, .ctx = b,
                           .sampling = {.temperature = 1, .top_p = 1},
                           .repetition = 1, .start = start, .next = next,
                           .end = end, .free = free_builtin};
    return a;
}

void answerer_free(struct answerer **a)
{
    if (!*a)
        return;
    (*a)->free((*a)->ctx);
    free(*a);
    *a = NULL;
}
