#include "model/learn/engine.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/token/json_prefix.h"

enum {
    AHEAD = 1024,        /* tokens that an answer may be ahead of its reader */
    PREFIXES = 16,       /* prompts whose keys are kept */
    PREFIX_MB = 256      /* and how much of them */
};

const char engine_broken[] = N_("the model gives no numbers: its weights, or "
                                "sums of them, are out of range");

struct answering {
    struct engine *g;
    struct answering *next; /* in the engine's list */
    struct ask ask;
    int32_t *ids;           /* [n] prompt, then [max] answer */
    int32_t *bias_id;       /* of the penalties */
    double *bias;
    struct drawn *drawn;    /* [max] */
    struct decoder *d;
    struct rng rng;
    int fed, cached;        /* tokens of the prompt that were read, and those
                               of them that stood in a cache */
    int made, taken;        /* tokens of the answer, and those told */
    struct json_prefix json;
    enum engine_end end;
    bool left;              /* nobody waits for it any more */
};

/* A prompt that was read before. */
struct prefix {
    struct decoder *d;
    int32_t *ids;
    int n;
    uint64_t used;
};

struct engine {
    const struct llama *m;
    const struct tokenizer *t;
    int vocab; /* ids from here on are never drawn */
    struct pool *pool;
    struct engine *with;   /* whose pool that is; NULL: its own */
    pthread_mutex_t works; /* held by who uses the pool */
    struct desk *desk;
    uint8_t *seen;     /* [workers][vocab] of penalties */
    real *logits;      /* [workers][vocab] */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work; /* for the thread: there is something to do */
    pthread_cond_t told; /* for readers: there are more tokens */
    struct answering *first;
    struct answering *turn; /* whose prompt is read next */
    bool stopped, quit;
    struct prefix prefix[PREFIXES]; /* the thread's own */
    uint64_t clock;
};

/* ---- Prompts that were read before -------------------------------------- */

/* How many of the first ids are the same, in whole stretches; the last id has
 * to be read in any case, for its logits. */
static int common(const int32_t *a, int n, const int32_t *b, int m)
{
    int i = 0;
    m = m < n - 1 ? m : n - 1;
    while (i < m && a[i] == b[i])
        i++;
    return i / DECODE_CHUNK * DECODE_CHUNK;
}

/* A stream whose first n tokens are those of a prompt. */
struct source {
    const struct decoder *d;
    int n; /* 0: there is none */
};

/* The longest beginning of its prompt that stands in a cache, or in another
 * answer's stream. With the lock, for others add to the list. */
static struct source find_prefix(struct engine *g, const struct answering *a)
{
    struct source best = {0};
    for (int i = 0; i < PREFIXES; i++) {
        struct prefix *p = &g->prefix[i];
        int n = p->d ? common(a->ids, a->ask.n, p->ids, p->n) : 0;
        if (n > best.n) {
            best = (struct source){p->d, n};
            p->used = ++g->clock;
        }
    }
    for (struct answering *o = g->first; o; o = o->next) {
        int n = o != a ? common(a->ids, a->ask.n, o->ids, o->fed) : 0;
        if (n > best.n)
            best = (struct source){o->d, n};
    }
    return best;
}

static void drop_prefix(struct prefix *p)
{
    decoder_free(&p->d);
    free(p->ids);
    *p = (struct prefix){0};
}

/* Room for one more of n tokens: those that were not used for longest go. */
static struct prefix *free_prefix(struct engine *g, int n)
{
    const struct config *c = &g->m->config;
    int64_t a_token = (int64_t)c->layers * config_kv(c) * 2 *
                      (int64_t)sizeof(real);
    int64_t limit = ((int64_t)PREFIX_MB << 20) / a_token, all;
    for (;;) {
        struct prefix *oldest = NULL, *empty = NULL;
        all = n;
        for (int i = 0; i < PREFIXES; i++) {
            struct prefix *p = &g->prefix[i];
            all += p->n;
            if (!p->d)
                empty = p;
            else if (!oldest || p->used < oldest->used)
                oldest = p;
        }
        if (n > limit || (empty && all <= limit))
            return n > limit ? NULL : empty;
        drop_prefix(oldest);
    }
}

/* Keeps the prompt of an answer that goes. */
static void keep_prefix(struct engine *g, const struct answering *a)
{
    struct err e;
    int n = (a->fed < a->ask.n ? a->fed : a->ask.n) / DECODE_CHUNK *
            DECODE_CHUNK;
    for (int i = 0; i < PREFIXES; i++) /* is there already */
        if (g->prefix[i].d &&
            common(a->ids, n + 1, g->prefix[i].ids, g->prefix[i].n) == n)
            return;
    struct prefix *p = n ? free_prefix(g, n) : NULL;
    if (!p || !(p->d = decoder_at(g->desk, n, &e)))
        return;
    decoder_take(p->d, a->d, n);
    p->ids = xmalloc((size_t)n * sizeof *p->ids);
    memcpy(p->ids, a->ids, (size_t)n * sizeof *p->ids);
    p->n = n;
    p->used = ++g->clock;
}

/* ---- Drawing ------------------------------------------------------------ */

static void tell_probabilities(const struct answering *a, struct drawn *out)
{
    real *p = decoder_logits(a->d);
    int V = a->g->vocab;
    out->top = xcalloc((size_t)a->ask.top + 1, sizeof *out->top);
    log_softmax(p, V);
    out->logprob = (double)p[out->id];
    out->n = sample_likeliest(p, V, a->ask.top, out->top);
}

static bool penalised(const struct penalties *p)
{
    return p->n_bias || p->frequency < 0 || p->frequency > 0 ||
           p->presence < 0 || p->presence > 0 ||
           (p->repetition > 0 && (p->repetition < 1 || p->repetition > 1));
}

/* The logits that a token is drawn from, changed where that was asked for;
 * each worker has a place for them. */
static const real *changed(const struct answering *a, int worker)
{
    struct engine *g = a->g;
    size_t V = (size_t)g->vocab, at = (size_t)worker * V;
    const real *logits = decoder_logits(a->d);
    if (!penalised(&a->ask.penalties))
        return logits;
    memcpy(g->logits + at, logits, V * sizeof *logits);
    penalise(g->logits + at, g->vocab, &a->ask.penalties, a->ids,
             (size_t)a->ask.n, a->ids + a->ask.n, (size_t)a->made,
             g->seen + at);
    return g->logits + at;
}

/* Tokens for n answers, drawn by all workers without the lock: what readers
 * may look at is set later. */
struct drawing {
    struct engine *g;
    struct answering *a[DECODE_STREAMS + 1];
    struct drawn drawn[DECODE_STREAMS + 1];
    int n;
};

/* Whether a token can follow in a JSON object; the state with it is in *out. */
static bool json_fits(const struct answering *a, int32_t id,
                      struct json_prefix *out)
{
    struct buf piece = BUF_INIT(0);
    *out = a->json;
    bool ok = !tokenizer_stops(a->g->t, id) && !a->g->t->at[id].special;
    tokenizer_piece(a->g->t, id, &piece);
    ok = ok && piece.len && json_prefix_feed(out, buf_str(&piece), piece.len);
    buf_free(&piece);
    return ok;
}

enum { ENDS = -1, BROKEN = -2 }; /* instead of a token */

enum { TRIES = 40 }; /* tokens that are drawn before all are looked at */

/* Leaves out of the logits what does not fit; false where nothing is left. */
static bool leave_fitting(const struct answering *a, real *logits)
{
    struct json_prefix next;
    bool any = false;
    for (int32_t id = 0; id < a->g->vocab; id++) {
        bool fits = logits[id] > -INFINITY && json_fits(a, id, &next);
        any = any || fits;
        if (!fits)
            logits[id] = -INFINITY;
    }
    return any;
}

/* A token that fits a JSON object, what does not being left out of the
 * logits; ENDS where none does. */
static int32_t draw_json(struct answering *a, real *logits)
{
    struct json_prefix next;
    for (int i = 0; i <= TRIES; i++) {
        if (i == TRIES && !leave_fitting(a, logits))
            break;
        int32_t id = sample_token(logits, a->g->vocab, &a->ask.sampling,
                                  &a->rng);
        if (json_fits(a, id, &next)) {
            a->json = next;
            return id;
        }
        logits[id] = -INFINITY;
    }
    return ENDS;
}

static bool are_numbers(const real *logits, int vocab)
{
    return isfinite((double)logits[0]) && isfinite((double)logits[vocab - 1]);
}

/* The next token, or ENDS or BROKEN. */
static int32_t draw_token(struct answering *a, int worker)
{
    struct engine *g = a->g;
    if (!are_numbers(decoder_logits(a->d), g->vocab))
        return BROKEN;
    const real *logits = changed(a, worker);
    if (!a->ask.json)
        return sample_token(logits, g->vocab, &a->ask.sampling, &a->rng);
    if (json_prefix_done(&a->json))
        return ENDS;
    real *own = g->logits + (size_t)worker * (size_t)g->vocab;
    if (own != logits)
        memcpy(own, logits, (size_t)g->vocab * sizeof *own);
    return draw_json(a, own);
}

static void draw(void *ctx, const struct team *t)
{
    struct drawing *x = ctx;
    for (int i = t->me; i < x->n; i += t->of) {
        struct answering *a = x->a[i];
        struct drawn *out = &x->drawn[i];
        *out = (struct drawn){.id = draw_token(a, t->me)};
        if (a->ask.top >= 0 && out->id >= 0 &&
            !tokenizer_stops(x->g->t, out->id))
            tell_probabilities(a, out);
    }
}

static void keep_drawn(struct answering *a, const struct drawn *x)
{
    if (x->id < 0 || tokenizer_stops(a->g->t, x->id)) {
        a->end = x->id == BROKEN ? ENGINE_BROKEN : ENGINE_DONE;
        return;
    }
    a->ids[a->ask.n + a->made] = x->id;
    a->drawn[a->made++] = *x;
    if (a->made == a->ask.max)
        a->end = ENGINE_FULL;
}

/* ---- The thread --------------------------------------------------------- */

/* Removes those that nobody waits for. */
static void sweep(struct engine *g)
{
    for (struct answering **at = &g->first; *at;) {
        struct answering *a = *at;
        if (!a->left) {
            at = &a->next;
            continue;
        }
        *at = a->next;
        if (g->turn == a)
            g->turn = a->next;
        keep_prefix(g, a);
        decoder_free(&a->d);
        for (int i = a->taken; i < a->made; i++)
            free(a->drawn[i].top);
        free(a->drawn);
        free(a->bias_id);
        free(a->bias);
        free(a->ids);
        free(a);
    }
}

/* Whether another prompt that begins like this one is being read just now:
 * then its keys are soon there for both. */
static bool waits(const struct engine *g, const struct answering *a)
{
    for (const struct answering *o = g->first; o && !a->fed; o = o->next)
        if (o != a && !o->left && o->fed && o->fed < o->ask.n &&
            common(a->ids, a->ask.n, o->ids, o->ask.n))
            return true;
    return false;
}

/* An answer whose prompt is not read yet; they take turns. */
static struct answering *unread(struct engine *g)
{
    struct answering *from = g->turn ? g->turn : g->first, *a = from;
    while (a) {
        if (a->fed < a->ask.n && !a->left && !waits(g, a))
            return a;
        a = a->next ? a->next : g->first;
        if (a == from)
            break;
    }
    return NULL;
}

/* Those that get their next token now, at most a full pass of them. */
static int ready(struct engine *g, struct answering **out)
{
    int n = 0;
    for (struct answering *a = g->first; a && n < DECODE_STREAMS; a = a->next)
        if (a->fed == a->ask.n && a->end == ENGINE_GOES_ON && !a->left &&
            a->made > 0 && a->made - a->taken < AHEAD)
            out[n++] = a;
    return n;
}

static void read_stretch(struct answering *a, struct source from)
{
    if (from.n)
        decoder_take(a->d, from.d, from.n);
    int at = decoder_length(a->d), n = a->ask.n - at;
    n = n < DECODE_CHUNK ? n : DECODE_CHUNK;
    decoder_feed(a->d, a->ids + at, n);
}

static void next_tokens(struct answering **a, int n)
{
    struct decoder *d[DECODE_STREAMS];
    int32_t ids[DECODE_STREAMS];
    for (int i = 0; i < n; i++) {
        d[i] = a[i]->d;
        ids[i] = a[i]->ids[a[i]->ask.n + a[i]->made - 1];
    }
    decoders_feed(d, ids, n);
}

/* Where more answers are there than fit one pass they take turns. */
static void rotate(struct engine *g)
{
    struct answering *first = g->first, *last = first;
    while (last->next)
        last = last->next;
    if (last == first)
        return;
    last->next = first;
    g->first = first->next;
    first->next = NULL;
}

/* Reads on in one prompt and gives n answers a token; the lock is let go
 * while the model works. */
static void round_of(struct engine *g, struct answering *prompt,
                     struct drawing *x)
{
    int n = x->n;
    struct source from = {0};
    if (prompt && !prompt->fed)
        from = find_prefix(g, prompt);
    pthread_mutex_t *works = g->with ? &g->with->works : &g->works;
    pthread_mutex_unlock(&g->lock);
    pthread_mutex_lock(works);
    if (prompt)
        read_stretch(prompt, from);
    if (n)
        next_tokens(x->a, n);
    if (prompt && decoder_length(prompt->d) == prompt->ask.n)
        x->a[x->n++] = prompt;
    pool_run(g->pool, draw, x);
    pthread_mutex_unlock(works);
    pthread_mutex_lock(&g->lock);
    if (prompt) {
        prompt->cached += from.n;
        prompt->fed = decoder_length(prompt->d);
        g->turn = prompt->next;
    }
    for (int i = 0; i < x->n; i++)
        keep_drawn(x->a[i], &x->drawn[i]);
    if (n == DECODE_STREAMS)
        rotate(g);
    pthread_cond_broadcast(&g->told);
}

/* False where there is nothing to do. */
static bool one_round(struct engine *g)
{
    struct drawing x = {.g = g};
    sweep(g);
    struct answering *prompt = unread(g);
    x.n = ready(g, x.a);
    if (prompt || x.n)
        round_of(g, prompt, &x);
    return prompt || x.n;
}

static void *work(void *ctx)
{
    struct engine *g = ctx;
    pthread_mutex_lock(&g->lock);
    while (!g->quit)
        if (g->stopped || !one_round(g))
            pthread_cond_wait(&g->work, &g->lock);
    for (struct answering *a = g->first; a; a = a->next)
        a->left = true;
    sweep(g);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

/* ---- Who asks ----------------------------------------------------------- */

/* Whoever asks may be gone before the last token is drawn. */
static void copy_biases(struct answering *a)
{
    struct penalties *p = &a->ask.penalties;
    a->bias_id = xcalloc(p->n_bias + 1, sizeof *a->bias_id);
    a->bias = xcalloc(p->n_bias + 1, sizeof *a->bias);
    for (size_t i = 0; i < p->n_bias; i++) {
        a->bias_id[i] = p->bias_id[i];
        a->bias[i] = p->bias[i];
    }
    p->bias_id = a->bias_id;
    p->bias = a->bias;
}

struct answering *engine_ask(struct engine *g, const struct ask *ask,
                             struct err *e)
{
    struct answering *a = xcalloc(1, sizeof *a);
    size_t n = (size_t)ask->n, max = (size_t)ask->max;
    a->g = g;
    a->ask = *ask;
    a->d = decoder_at(g->desk, ask->n + ask->max, e);
    if (!a->d) {
        free(a);
        return NULL;
    }
    a->ids = xmalloc((n + max) * sizeof *a->ids);
    memcpy(a->ids, ask->ids, n * sizeof *a->ids);
    a->drawn = xcalloc(max + 1, sizeof *a->drawn);
    copy_biases(a);
    rng_seed(&a->rng, ask->seed);
    pthread_mutex_lock(&g->lock);
    struct answering **at = &g->first;
    while (*at)
        at = &(*at)->next;
    *at = a;
    pthread_cond_signal(&g->work);
    pthread_mutex_unlock(&g->lock);
    return a;
}

enum engine_end engine_next(struct answering *a, struct drawn *out)
{
    struct engine *g = a->g;
    enum engine_end end = ENGINE_GOES_ON;
    pthread_mutex_lock(&g->lock);
    while (a->taken == a->made && a->end == ENGINE_GOES_ON && !g->stopped)
        pthread_cond_wait(&g->told, &g->lock);
    if (g->stopped)
        end = ENGINE_STOPPED;
    else if (a->taken == a->made)
        end = a->end;
    else
        *out = a->drawn[a->taken++];
    if (a->made - a->taken == AHEAD - 1)
        pthread_cond_signal(&g->work);
    pthread_mutex_unlock(&g->lock);
    return end;
}

void engine_finish(struct answering **a)
{
    if (!*a)
        return;
    struct engine *g = (*a)->g;
    pthread_mutex_lock(&g->lock);
    (*a)->left = true;
    pthread_cond_signal(&g->work);
    pthread_mutex_unlock(&g->lock);
    *a = NULL;
}

int engine_cached(const struct answering *a)
{
    pthread_mutex_lock(&a->g->lock);
    int n = a->cached;
    pthread_mutex_unlock(&a->g->lock);
    return n;
}

/* ---- Beginning and end -------------------------------------------------- */

struct engine *engine_new(const struct llama *m, const struct tokenizer *t,
                          int workers, struct engine *with, struct err *e)
{
    struct engine *g = xcalloc(1, sizeof *g);
    g->m = m;
    g->t = t;
    g->vocab = m->config.vocab;
    if ((size_t)g->vocab > t->n)
        g->vocab = (int)t->n;
    g->with = with;
    g->pool = with ? with->pool : pool_new(workers);
    workers = pool_workers(g->pool);
    g->desk = desk_new(m, m->config.context, g->pool, e);
    if (!g->desk) {
        if (!with)
            pool_free(&g->pool);
        free(g);
        return NULL;
    }
    g->seen = xcalloc((size_t)(workers * g->vocab), 1);
    g->logits = xcalloc((size_t)(workers * g->vocab), sizeof *g->logits);
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->works, NULL);
    pthread_cond_init(&g->work, NULL);
    pthread_cond_init(&g->told, NULL);
    if (pthread_create(&g->thread, NULL, work, g))
        die("cannot start a thread");
    return g;
}

void engine_stop(struct engine *g)
{
    pthread_mutex_lock(&g->lock);
    g->stopped = true;
    pthread_cond_broadcast(&g->told);
    pthread_mutex_unlock(&g->lock);
}

void engine_free(struct engine **gp)
{
    struct engine *g = *gp;
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    g->quit = true;
    pthread_cond_signal(&g->work);
    pthread_mutex_unlock(&g->lock);
    pthread_join(g->thread, NULL);
    for (int i = 0; i < PREFIXES; i++)
        drop_prefix(&g->prefix[i]);
    desk_free(&g->desk);
    if (!g->with)
        pool_free(&g->pool);
    pthread_mutex_destroy(&g->lock);
    pthread_mutex_destroy(&g->works);
    pthread_cond_destroy(&g->work);
    pthread_cond_destroy(&g->told);
    free(g->seen);
    free(g->logits);
    free(g);
    *gp = NULL;
}
