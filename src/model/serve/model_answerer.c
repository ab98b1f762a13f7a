/* A student behind the server. Requests take turns: whoever waits longest has
 * the model for one turn (a stretch of its prompt, or one token), so that a
 * long answer holds nobody up. What a turn gives is held back as long as it
 * may still be the beginning of a character or of a stop text. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/net/decode.h"
#include "model/serve/answerer.h"
#include "model/token/template.h"

enum { STRETCH = 64, HELD_MAX = 1 << 20 };

struct student {
    char *name;
    struct llama *m;
    struct tokenizer *t;
    int vocab; /* ids from here on are never drawn */
    atomic_bool stopped;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t drawn, called; /* numbers as at a counter */
};

struct run {
    struct student *s;
    const struct question *q;
    struct decoder *d;
    struct rng rng;
    struct sampling sampling;
    int32_t *ids; /* the prompt, [n] */
    int n, fed;
    int max, made; /* tokens of the answer */
    bool cut;
    struct buf raw;      /* bytes that may begin a character */
    struct buf held;     /* whole characters that may begin a stop text */
    struct buf logprobs; /* of the tokens behind both */
};

/* ---- Turns --------------------------------------------------------------- */

static void take_turn(struct student *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t mine = s->drawn++;
    while (s->called != mine)
        pthread_cond_wait(&s->moved, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static void give_turn(struct student *s)
{
    pthread_mutex_lock(&s->lock);
    s->called++;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

/* ---- The prompt ---------------------------------------------------------- */

/* Without a template the model goes on with the plain text of the messages,
 * a blank line between two. */
static void plain_ids(const struct tokenizer *t, const struct chat *c,
                      struct rendered *out)
{
    struct tokens k = {0};
    *out = (struct rendered){.text = BUF_INIT(0)};
    for (size_t i = 0; i < c->n; i++)
        buf_printf(&out->text, "%s%s", i ? "\n\n" : "", c->at[i].content);
    tokenizer_encode(t, buf_str(&out->text), out->text.len, true, &k);
    out->ids = xmalloc((k.n + 1) * sizeof *out->ids);
    for (size_t i = 0; i < k.n; i++)
        out->ids[out->n++] = k.at[i].id;
    VEC_FREE(&k);
}

static bool read_prompt(struct run *r, struct err *e)
{
    const struct student *s = r->s;
    struct rendered p;
    bool ok = true;
    if (s->t->template)
        ok = template_render(s->t, r->q->messages, true, &p, e);
    else
        plain_ids(s->t, r->q->messages, &p);
    int context = s->m->config.context;
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
    *u = (struct usage){(size_t)r->n, (size_t)r->made, r->cut};
    decoder_free(&r->d);
    buf_free(&r->raw);
    buf_free(&r->held);
    buf_free(&r->logprobs);
    free(r->ids);
    free(r);
}

static void seed_rng(struct run *r)
{
    uint64_t seed = (uint64_t)r->q->seed;
    if (!r->q->seeded)
        rng_system(&seed, sizeof seed);
    rng_seed(&r->rng, seed + r->q->choice * 0x9e3779b97f4a7c15u);
}

static void *start(void *ctx, const struct question *q, struct err *e)
{
    struct student *s = ctx;
    struct run *r = xcalloc(1, sizeof *r);
    *r = (struct run){.s = s, .q = q, .raw = BUF_INIT(HELD_MAX),
                      .held = BUF_INIT(HELD_MAX), .logprobs = BUF_INIT(0)};
    r->sampling.temperature = isnan(q->temperature) ? 1 : q->temperature;
    r->sampling.top_p = isnan(q->top_p) ? 1 : q->top_p;
    seed_rng(r);
    if (read_prompt(r, e)) {
        r->max = s->m->config.context - r->n;
        if (q->max_tokens && q->max_tokens < r->max)
            r->max = q->max_tokens;
        r->d = decoder_new(s->m, r->n + r->max, e);
    }
    if (r->d)
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

static void open_token(const struct run *r, int32_t id, double logprob,
                       struct jw *w)
{
    struct buf piece = BUF_INIT(0), text = BUF_INIT(0);
    tokenizer_piece(r->s->t, id, &piece);
    put_text(buf_str(&piece), piece.len, true, &text);
    jw_open(w, '{');
    jw_kstr(w, "token", buf_str(&text));
    jw_knum(w, "logprob", logprob);
    jw_key(w, "bytes");
    jw_open(w, '[');
    for (size_t i = 0; i < piece.len; i++)
        jw_int(w, (unsigned char)piece.data[i]);
    jw_close(w);
    buf_free(&piece);
    buf_free(&text);
}

/* The likeliest ids of p[V], the first of equal ones first. */
static int best(const real *p, int V, int n, int32_t *ids)
{
    int kept = 0;
    for (int32_t id = 0; id < V; id++) {
        if (kept == n && (!n || !(p[id] > p[ids[n - 1]])))
            continue;
        int i = kept < n ? kept++ : n - 1;
        for (; i > 0 && p[id] > p[ids[i - 1]]; i--)
            ids[i] = ids[i - 1];
        ids[i] = id;
    }
    return kept;
}

/* Those of the model itself, before temperature and top_p. */
static void put_logprobs(struct run *r, int32_t id)
{
    enum { TOP = 20 };
    int32_t top[TOP];
    if (r->q->logprobs < 0)
        return;
    real *p = decoder_logits(r->d);
    log_softmax(p, r->s->vocab);
    int n = best(p, r->s->vocab, r->q->logprobs < TOP ? r->q->logprobs : TOP,
                 top);
    if (r->logprobs.len)
        buf_putc(&r->logprobs, ',');
    struct jw w = jw_start(&r->logprobs);
    open_token(r, id, (double)p[id], &w);
    jw_key(&w, "top_logprobs");
    jw_open(&w, '[');
    for (int i = 0; i < n; i++) {
        open_token(r, top[i], (double)p[top[i]], &w);
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

/* ---- Turn by turn -------------------------------------------------------- */

/* One token; false where the answer ends. */
static bool draw(struct run *r)
{
    const struct student *s = r->s;
    int32_t id = sample_token(decoder_logits(r->d), s->vocab, &r->sampling,
                              &r->rng);
    if (tokenizer_stops(s->t, id))
        return false;
    put_logprobs(r, id);
    add_piece(r, id);
    r->cut = ++r->made == r->max;
    return !r->cut && decoder_feed(r->d, &id, 1);
}

static bool read_on(struct run *r)
{
    int n = r->n - r->fed < STRETCH ? r->n - r->fed : STRETCH;
    bool ok = decoder_feed(r->d, r->ids + r->fed, n);
    r->fed += n;
    return ok;
}

static int next(void *run, struct buf *text, struct buf *logprobs,
                struct err *e)
{
    struct run *r = run;
    bool stopped, hit = false;
    take_turn(r->s);
    stopped = atomic_load(&r->s->stopped);
    bool more = !stopped && (r->fed < r->n ? read_on(r) : draw(r));
    give_turn(r->s);
    if (stopped) {
        err_set(e, ERR_BUSY, _("the server is being stopped"));
        return -1;
    }
    size_t n = before_stop(r, !more, &hit);
    give_text(r, n, more && !hit, text, logprobs);
    if (hit)
        r->cut = false;
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
    atomic_store(&s->stopped, true);
}

static void free_student(void *ctx)
{
    struct student *s = ctx;
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->moved);
    tokenizer_free(&s->t);
    llama_free(&s->m);
    free(s->name);
    free(s);
}

struct answerer *model_answerer(const char *name, struct llama *m,
                                struct tokenizer *t, struct err *e)
{
    struct student *s = xcalloc(1, sizeof *s);
    s->name = xstrdup(name);
    s->m = m;
    s->t = t;
    s->vocab = m->config.vocab;
    if ((size_t)s->vocab > t->n)
        s->vocab = (int)t->n;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->moved, NULL);
    /* a template that cannot be read is told now, not at the first request */
    if (t->template && !template_check(t, e)) {
        free_student(s);
        return NULL;
    }
    struct answerer *a = xcalloc(1, sizeof *a);
    *a = (struct answerer){s->name, s, start, next, end, stop_student,
                           free_student};
    return a;
}
