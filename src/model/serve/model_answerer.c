/* A student behind the server: the engine answers all requests together, and
 * here their tokens become text. What a token gives is held back as long as it
 * may still be the beginning of a character or of a stop text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/learn/engine.h"
#include "model/serve/answerer.h"
#include "model/token/template.h"

enum { HELD_MAX = 1 << 20 };

/* One of the models: the student itself, or it with an adapter. */
struct model {
    struct llama *m;
    struct engine *engine;
};

struct student {
    struct tokenizer *t;
    struct model *models; /* [n] */
    char **names;         /* [n + 1] */
    size_t n;
};

struct run {
    struct student *s;
    const struct model *model;
    const struct question *q;
    struct answering *a;
    int32_t *ids; /* the prompt, [n] */
    int n, made;  /* its tokens, and those of the answer */
    bool cut, echoed;
    struct buf raw;      /* bytes that may begin a character */
    struct buf held;     /* whole characters that may begin a stop text */
    struct buf logprobs; /* of the tokens behind both */
};

/* ---- The prompt ---------------------------------------------------------- */

/* A text as it stands; or the plain text of messages, where there is no
 * template, a blank line between two. */
static void plain_ids(const struct tokenizer *t, const struct question *q,
                      struct rendered *out)
{
    const struct chat *c = q->messages;
    struct tokens k = {0};
    *out = (struct rendered){.text = BUF_INIT(0)};
    if (q->text)
        buf_puts(&out->text, q->prompt);
    for (size_t i = 0; !q->text && i < c->n; i++)
        buf_printf(&out->text, "%s%s", i ? "\n\n" : "", c->at[i].content);
    tokenizer_encode(t, buf_str(&out->text), out->text.len, true, &k);
    out->ids = xmalloc((k.n + 1) * sizeof *out->ids);
    for (size_t i = 0; i < k.n; i++)
        out->ids[out->n++] = k.at[i].id;
    VEC_FREE(&k);
}

/* The ids that were given; false where one is none of the student's. */
static bool given_ids(const struct run *r, struct rendered *out,
                      struct err *e)
{
    const struct question *q = r->q;
    *out = (struct rendered){.text = BUF_INIT(0), .n = q->n_ids};
    out->ids = xmalloc((q->n_ids + 1) * sizeof *out->ids);
    memcpy(out->ids, q->ids, q->n_ids * sizeof *out->ids);
    for (size_t i = 0; i < q->n_ids; i++)
        if (q->ids[i] >= r->model->m->config.vocab)
            return err_set(e, ERR_INPUT, _("%d is no token id of this model"),
                           (int)q->ids[i]);
    return true;
}

static bool read_prompt(struct run *r, struct err *e)
{
    const struct student *s = r->s;
    struct rendered p = {0};
    bool ok = true;
    if (r->q->text && !r->q->prompt)
        ok = given_ids(r, &p, e);
    else if (r->q->text || !s->t->template)
        plain_ids(s->t, r->q, &p);
    else
        ok = template_render(s->t, r->q->messages, true,
                             &(struct template_how){
                                 .variables = r->q->variables}, &p, e);
    int context = r->model->m->config.context;
    if (ok && !p.n)
        ok = err_set(e, ERR_INPUT, _("the prompt is empty"));
    if (ok && p.n >= (size_t)context)
        ok = err_set(e, ERR_INPUT, _("the prompt has %zu tokens; this model "
                                     "reads at most %d, one of them of the "
                                     "answer"), p.n, context);
    if (ok) {
        r->ids = p.ids;
        r->n = (int)p.n;
        p.ids = NULL;
    }
    rendered_free(&p);
    return ok;
}

/* ---- Starting and ending ------------------------------------------------- */

static void end(void *run, struct usage *u)
{
    struct run *r = run;
    *u = (struct usage){(size_t)r->n, (size_t)r->made,
                        r->a ? (size_t)engine_cached(r->a) : 0, r->cut};
    engine_finish(&r->a);
    buf_free(&r->raw);
    buf_free(&r->held);
    buf_free(&r->logprobs);
    free(r->ids);
    free(r);
}

static uint64_t seed_of(const struct question *q)
{
    uint64_t seed = (uint64_t)q->seed;
    if (!q->seeded)
        rng_system(&seed, sizeof seed);
    return seed + q->choice * 0x9e3779b97f4a7c15u;
}

/* The model of that name. Where there is only one any name will do. */
static const struct model *find_model(const struct student *s,
                                      const char *name, struct err *e)
{
    for (size_t i = 0; name && i < s->n; i++)
        if (!strcmp(name, s->names[i]))
            return &s->models[i];
    if (!name || s->n == 1)
        return &s->models[0];
    err_set(e, ERR_ABSENT, _("there is no model \"%.80s\" here; /v1/models "
                             "lists them"), name);
    return NULL;
}

static void *start(void *ctx, const struct question *q, struct err *e)
{
    struct student *s = ctx;
    struct run *r = xcalloc(1, sizeof *r);
    *r = (struct run){.s = s, .q = q, .raw = BUF_INIT(HELD_MAX),
                      .held = BUF_INIT(HELD_MAX), .logprobs = BUF_INIT(0)};
    r->model = find_model(s, q->model, e);
    bool ok = r->model && read_prompt(r, e);
    if (ok && q->max_tokens >= 0) {
        int room = r->model->m->config.context - r->n;
        struct ask a = {
            .ids = r->ids, .n = r->n, .seed = seed_of(q), .top = q->logprobs,
            .json = q->json,
            .max = q->max_tokens && q->max_tokens < room ? q->max_tokens
                                                         : room,
            .sampling = q->sampling, .penalties = q->penalties};
        r->a = engine_ask(r->model->engine, &a, e);
        ok = r->a;
    }
    if (ok)
        return r;
    struct usage u;
    end(r, &u);
    return NULL;
}

/* ---- From bytes to text -------------------------------------------------- */

/* True where the n bytes are the beginning of a character, not a whole. */
static bool may_become(const char *s, size_t n)
{
    unsigned char c = (unsigned char)*s;
    size_t need = c >= 0xf0 && c < 0xf5   ? 4
                  : c >= 0xe0 && c < 0xf0 ? 3
                  : c >= 0xc2 && c < 0xe0 ? 2
                                          : 0;
    for (size_t i = 1; i < n; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return false;
    return n < need;
}

/* Appends n bytes as characters, U+FFFD for what is none and for NUL. Unless
 * it is `all` that will come it ends before what may become one. How many
 * bytes it took. */
static size_t put_text(const char *s, size_t n, bool all, struct buf *out)
{
    size_t at = 0;
    while (at < n) {
        uint32_t cp;
        size_t len = utf8_get(s + at, n - at, &cp);
        if (!len && !all && may_become(s + at, n - at))
            break;
        if (len && cp)
            buf_add(out, s + at, len);
        else
            buf_puts(out, "\xef\xbf\xbd");
        at += len ? len : 1;
    }
    return at;
}

/* Drops n bytes from the front. */
static void drop_front(struct buf *b, size_t n)
{
    if (!n)
        return;
    memmove(b->data, b->data + n, b->len - n);
    buf_drop(b, n);
}

/* ---- Log probabilities --------------------------------------------------- */

/* Opens an object of a token; NAN is no probability. */
static void open_token(const struct run *r, int32_t id, double logprob,
                       struct jw *w)
{
    struct buf piece = BUF_INIT(0), text = BUF_INIT(0);
    tokenizer_piece(r->s->t, id, &piece);
    put_text(buf_str(&piece), piece.len, true, &text);
    jw_open(w, '{');
    jw_kstr(w, "token", buf_str(&text));
    jw_key(w, "logprob");
    if (isnan(logprob))
        jw_null(w);
    else
        jw_num(w, logprob);
    jw_key(w, "bytes");
    jw_open(w, '[');
    for (size_t i = 0; i < piece.len; i++)
        jw_int(w, (unsigned char)piece.data[i]);
    jw_close(w);
    buf_free(&piece);
    buf_free(&text);
}

static void put_logprobs(struct run *r, const struct drawn *x)
{
    if (r->q->logprobs < 0)
        return;
    if (r->logprobs.len)
        buf_putc(&r->logprobs, ',');
    struct jw w = jw_start(&r->logprobs);
    open_token(r, x->id, x->logprob, &w);
    jw_key(&w, "top_logprobs");
    jw_open(&w, '[');
    for (int i = 0; i < x->n; i++) {
        open_token(r, x->top[i].id, x->top[i].logprob, &w);
        jw_close(&w);
    }
    jw_close(&w);
    jw_close(&w);
}

/* ---- The answer ---------------------------------------------------------- */

/* The text of a token; added ones are not part of an answer. */
static void add_piece(struct run *r, int32_t id)
{
    const struct tokenizer *t = r->s->t;
    if (!t->at[id].special)
        tokenizer_piece(t, id, &r->raw);
    drop_front(&r->raw, put_text(buf_str(&r->raw), r->raw.len, false,
                                 &r->held));
}

/* How many bytes of held may go out: those before the first stop text (*hit),
 * or before what may become one, unless it was the last. */
static size_t before_stop(const struct run *r, bool last, bool *hit)
{
    const char *s = buf_str(&r->held);
    for (size_t at = 0; at < r->held.len; at++)
        for (size_t i = 0; i < r->q->n_stop; i++) {
            const char *stop = r->q->stop[i];
            size_t n = strlen(stop), left = r->held.len - at;
            if (!n || (last && n > left) ||
                strncmp(s + at, stop, n < left ? n : left))
                continue;
            *hit = n <= left;
            return at;
        }
    return r->held.len;
}

/* Gives n bytes of held; the log probabilities go with them, or at the end. */
static void give_text(struct run *r, size_t n, bool more, struct buf *text,
                      struct buf *logprobs)
{
    if (!n && more)
        return;
    buf_add(text, buf_str(&r->held), n);
    drop_front(&r->held, n);
    if (logprobs->len && r->logprobs.len)
        buf_putc(logprobs, ',');
    buf_add(logprobs, buf_str(&r->logprobs), r->logprobs.len);
    buf_clear(&r->logprobs);
}

/* ---- The echo of a prompt ------------------------------------------------ */

/* What stands behind each token of the prompt. */
struct scores {
    const struct run *r;
    real *logits;       /* [vocab] */
    struct drawn *at;   /* [n]: of token i, from the logits of i - 1 */
};

static void score_row(void *ctx, int row, const real *logits)
{
    struct scores *x = ctx;
    struct drawn *d = &x->at[row + 1];
    int V = x->r->model->m->config.vocab, n = x->r->q->logprobs;
    memcpy(x->logits, logits, (size_t)V * sizeof *logits);
    log_softmax(x->logits, V);
    d->id = x->r->ids[row + 1];
    d->logprob = (double)x->logits[d->id];
    d->top = xcalloc((size_t)n + 1, sizeof *d->top);
    d->n = sample_likeliest(x->logits, V, n, d->top);
}

/* One pass over the prompt, here and in this thread. */
static bool score(struct run *r, struct scores *x, struct err *e)
{
    int32_t *target = xmalloc((size_t)r->n * sizeof *target);
    const int32_t start[] = {0, r->n};
    struct work *k = work_new(r->model->m, &(struct work_shape){r->n, r->n, 1,
                                                            true}, e);
    for (int i = 0; i < r->n; i++)
        target[i] = i + 1 < r->n ? r->ids[i + 1] : -1;
    struct batch b = {r->ids, target, start, 1, 0, NULL, NULL};
    if (k)
        llama_pass(&alone, r->model->m, k, &b, 0, NULL,
                   &(struct told){.each = score_row, .ctx = x});
    bool ok = k != NULL;
    work_free(&k);
    free(target);
    return ok;
}

/* The prompt as text, and where it was asked for what each token scored. */
static bool echo(struct run *r, struct buf *text, struct buf *logprobs,
                 struct err *e)
{
    struct buf raw = BUF_INIT(0);
    r->echoed = true;
    r->cut = !r->a; /* nothing comes behind it */
    for (int i = 0; i < r->n; i++)
        tokenizer_piece(r->s->t, r->ids[i], &raw);
    put_text(buf_str(&raw), raw.len, true, text);
    buf_free(&raw);
    if (r->q->logprobs < 0)
        return true;
    struct scores x = {.r = r};
    x.logits = xmalloc((size_t)r->model->m->config.vocab * sizeof *x.logits);
    x.at = xcalloc((size_t)r->n, sizeof *x.at);
    x.at[0] = (struct drawn){.id = r->ids[0], .logprob = NAN};
    bool ok = score(r, &x, e);
    for (int i = 0; i < r->n; i++) {
        if (ok)
            put_logprobs(r, &x.at[i]);
        free(x.at[i].top);
    }
    buf_add(logprobs, buf_str(&r->logprobs), r->logprobs.len);
    buf_clear(&r->logprobs);
    free(x.logits);
    free(x.at);
    return ok;
}

/* ---- Token by token ------------------------------------------------------ */

static int next(void *run, struct buf *text, struct buf *logprobs,
                struct err *e)
{
    struct run *r = run;
    struct drawn x = {0};
    bool hit = false;
    if (r->q->echo && !r->echoed)
        return echo(r, text, logprobs, e) ? r->a != NULL : -1;
    enum engine_end end = engine_next(r->a, &x);
    bool more = end == ENGINE_GOES_ON;
    if (end == ENGINE_STOPPED || end == ENGINE_BROKEN) {
        if (end == ENGINE_STOPPED)
            err_set(e, ERR_BUSY, _("the server is being stopped"));
        else
            err_set(e, ERR_SYSTEM, "%s", _(engine_broken));
        return -1;
    }
    if (more) {
        put_logprobs(r, &x);
        add_piece(r, x.id);
        free(x.top);
        r->made++;
    }
    r->cut = end == ENGINE_FULL;
    size_t n = before_stop(r, !more, &hit);
    give_text(r, n, more && !hit, text, logprobs);
    r->cut = r->cut && !hit;
    if (buf_ok(&r->held) && buf_ok(&r->logprobs) && buf_ok(text) &&
        buf_ok(logprobs))
        return more && !hit;
    err_set(e, ERR_MEMORY, _("the answer is too large"));
    return -1;
}

/* ---- The face ------------------------------------------------------------ */

static void stop_student(void *ctx)
{
    struct student *s = ctx;
    for (size_t i = 0; i < s->n; i++)
        engine_stop(s->models[i].engine);
}

static void free_student(void *ctx)
{
    struct student *s = ctx;
    for (size_t i = s->n; i-- > 0;) { /* what borrows goes first */
        engine_free(&s->models[i].engine);
        llama_free(&s->models[i].m);
        free(s->names[i]);
    }
    tokenizer_free(&s->t);
    free(s->models);
    free(s->names);
    free(s);
}

struct answerer *model_answerer(const struct named_model *models, size_t n,
                                struct tokenizer *t, struct err *e)
{
    struct student *s = xcalloc(1, sizeof *s);
    s->t = t;
    s->n = n;
    s->models = xcalloc(n, sizeof *s->models);
    s->names = xcalloc(n + 1, sizeof *s->names);
    /* a template that cannot be read is told now, not at the first request */
    bool ok = !t->template || template_check(t, e);
    for (size_t i = 0; i < n; i++) {
        struct model *x = &s->models[i];
        s->names[i] = xstrdup(models[i].name);
        x->m = models[i].m;
        if (ok)
            x->engine = engine_new(x->m, t, pool_default(),
                                   s->models[0].engine, e);
        ok = x->engine != NULL;
    }
    if (!ok) {
        free_student(s);
        return NULL;
    }
    struct answerer *a = xcalloc(1, sizeof *a);
    *a = (struct answerer){
        .models = (const char *const *)s->names, .ctx = s,
        .sampling = {t->usual.temperature, t->usual.top_p, t->usual.top_k,
                     t->usual.min_p},
        .repetition = t->usual.repetition, .start = start, .next = next,
        .end = end, .stop = stop_student, .free = free_student};
    return a;
}
