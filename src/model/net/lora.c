#include "model/net/lora.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/net/gemm.h"
#include "model/net/ops.h"
#include "model/net/safetensors.h"

enum { ROWS = 64 }; /* rows whose products with A are at hand at once */

/* ---- Which matrices ----------------------------------------------------- */

static const struct {
    const char *name;
    int targets;
} modules[] = {
    {"q_proj", 1 << MODULE_Q},       {"k_proj", 1 << MODULE_K},
    {"v_proj", 1 << MODULE_V},       {"o_proj", 1 << MODULE_O},
    {"gate_proj", 1 << MODULE_GATE}, {"up_proj", 1 << MODULE_UP},
    {"down_proj", 1 << MODULE_DOWN}, {"c_attn", 1 << MODULE_Q},
    {"c_fc", 1 << MODULE_UP},
    {"c_proj", 1 << MODULE_O | 1 << MODULE_DOWN},
    {"all-linear", (1 << MODULES) - 1},
};

bool lora_targets(const char *names, int *targets, struct err *e)
{
    *targets = 0;
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, ","), i = 0;
        while (i < COUNT(modules) && (strncmp(modules[i].name, p, n) ||
                                      modules[i].name[n]))
            i++;
        if (i == COUNT(modules))
            return err_set(e, ERR_USAGE, _("\"%.*s\" is no module that can "
                                           "have a LoRA pair"), (int)n, p);
        *targets |= modules[i].targets;
        p += n + (p[n] == ',');
    }
    return *targets || err_set(e, ERR_USAGE, _("no module is named"));
}

/* The tensor that a pair stands beside, its columns in the fused product and
 * its sizes; false where the family has none. */
static bool shape_of(const struct config *c, enum module part, enum tensor *t,
                     struct module_at *p)
{
    static const enum tensor tensors[MODULES] = {
        TENSOR_Q, TENSOR_K, TENSOR_V, TENSOR_O, TENSOR_GATE, TENSOR_UP,
        TENSOR_DOWN};
    int q = config_q(c), kv = config_kv(c), f = c->ffn, h = c->hidden;
    const int from[MODULES] = {0, q, q + kv, 0, 0, c->gated ? f : 0, 0};
    const int in[MODULES] = {h, h, h, q, h, h, f};
    const int out[MODULES] = {q, kv, kv, h, f, f, h};
    bool fused = config_tensor(c, TENSOR_QKV) != NULL;
    *p = (struct module_at){.from = from[part], .in = in[part],
                          .out = out[part]};
    *t = tensors[part];
    if (fused && part == MODULE_Q) {
        *t = TENSOR_QKV;
        p->out = q + 2 * kv;
    }
    return config_tensor(c, *t) != NULL;
}

/* ---- Adding ------------------------------------------------------------- */

static size_t add(struct llama *m, int l, enum tensor t, const char *side,
                  int rows, int cols)
{
    struct weight *w = &m->weight[m->n_weights++];
    const char *name = config_tensor(&m->config, t);
    const char *number = strstr(name, "%d");
    *w = (struct weight){.offset = m->n, .rows = (size_t)rows,
                         .cols = (size_t)cols};
    snprintf(w->name, sizeof w->name, "base_model.model.%.*s%d%s.%s.weight",
             (int)(number - name), name, l, number + 2, side);
    must(rows > 0 && cols > 0);
    m->n += w->rows * w->cols;
    return w->offset;
}

static void lay_out(struct llama *m, const struct lora *lora)
{
    for (int l = 0; l < m->config.layers; l++)
        for (int i = 0; i < MODULES; i++) {
            struct module_at p;
            enum tensor t;
            if (!(lora->targets & 1 << i) ||
                !shape_of(&m->config, (enum module)i, &t, &p))
                continue;
            p.a = add(m, l, t, "lora_A", lora->rank, p.in);
            p.b = add(m, l, t, "lora_B", p.out, lora->rank);
            m->layer[l].module[i] = p;
        }
}

static void begin(struct llama *m, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    for (int l = 0; l < m->config.layers; l++)
        for (int i = 0; i < MODULES; i++) {
            const struct module_at *p = &m->layer[l].module[i];
            size_t n = p->a ? (size_t)m->rank * (size_t)p->in : 0;
            double most = p->a ? 1 / sqrt((double)p->in) : 0;
            for (size_t k = 0; k < n; k++)
                llama_at(m, p->a)[k] =
                    (real)(float)((2 * rng_unit(&r) - 1) * most);
        }
}

bool lora_add(struct llama *m, const struct lora *lora, uint64_t seed,
              struct err *e)
{
    size_t own = m->n, most = (size_t)m->config.layers * MODULES * 2;
    if (lora->rank < 1 || lora->rank > LORA_RANK)
        return err_set(e, ERR_USAGE, _("a LoRA rank is from 1 to %d"),
                       LORA_RANK);
    m->n_own = m->n_weights;
    m->weight = xrealloc(m->weight,
                         (m->n_weights + most) * sizeof *m->weight);
    lay_out(m, lora);
    must(m->n_weights <= m->n_own + most);
    if (m->n == own)
        return err_set(e, ERR_USAGE, _("this student has none of the modules "
                                       "named for LoRA"));
    m->adapter = calloc(m->n - own, sizeof *m->adapter);
    if (!m->adapter)
        return err_set(e, ERR_MEMORY, _("not enough memory for %zu "
                                        "parameters"), m->n - own);
    m->first = own;
    m->rank = lora->rank;
    m->alpha = lora->alpha;
    m->root = lora->root;
    begin(m, seed);
    return true;
}

/* ---- Passes ------------------------------------------------------------- */

static real scale_of(const struct llama *m)
{
    double r = m->rank;
    return (real)(m->alpha / (m->root ? sqrt(r) : r));
}

void lora_forward(const struct team *t, const struct llama *m,
                  const struct module_at *p, int n, real *y, int ld,
                  const real *x, int T)
{
    real low[ROWS * LORA_RANK];
    int r = m->rank, lo, hi;
    team_rows(t, T, &lo, &hi);
    for (int i = 0; i < n; i++, p++)
        for (int row = lo; p->a && row < hi; row += ROWS) {
            int k = hi - row < ROWS ? hi - row : ROWS;
            gemm_exact(false, true, k, r, p->in, 1,
                       x + (size_t)row * (size_t)p->in, p->in,
                       llama_at(m, p->a), p->in, 0, low, r);
            gemm_exact(false, true, k, p->out, r, scale_of(m), low, r,
                       llama_at(m, p->b), r, 1,
                       y + (size_t)row * (size_t)ld + p->from, ld);
        }
}

/* Rows lo..hi-1 through the dropout, in place. */
static void drop_rows(const struct lora_drop *d, real *x, int lo, int hi,
                      int width)
{
    drop(x + (size_t)lo * (size_t)width, hi - lo, width, d->p, d->key,
         d->first + (d->row ? 0 : lo), d->row ? d->row + lo : NULL);
}

void lora_dropped(const struct team *t, const struct lora_drop *d, real *to,
                  const real *x, int T, int width)
{
    int lo, hi;
    team_rows(t, T, &lo, &hi);
    size_t at = (size_t)lo * (size_t)width;
    memcpy(to + at, x + at, (size_t)(hi - lo) * (size_t)width * sizeof *to);
    drop_rows(d, to, lo, hi, width);
}

/* dx += dlow A for this worker's rows, through the dropout. */
static void input_back(const struct team *t, const struct module_at *p,
                       const struct lora_back *b, real *dx, const real *dlow,
                       int r, const real *a, int T)
{
    int lo, hi, in = p->in;
    team_rows(t, T, &lo, &hi);
    size_t row = (size_t)lo, at = row * (size_t)in;
    bool drops = b->drop.p > 0;
    gemm(false, false, hi - lo, in, r, 1, dlow + row * (size_t)r, r, a, in,
         drops ? 0 : 1, (drops ? b->dx : dx) + at, in);
    if (!drops)
        return;
    drop_rows(&b->drop, b->dx, lo, hi, in);
    add_to(dx + at, b->dx + at, (size_t)(hi - lo) * (size_t)in);
}

static void pair_backward(const struct team *t, const struct llama *m,
                          const struct module_at *p, const struct lora_back *g,
                          real *dx, const real *dy, int ld, const real *x,
                          int T)
{
    int r = m->rank, in = p->in, out = p->out, lo, hi;
    const real *a = llama_at(m, p->a), *b = llama_at(m, p->b);
    real *low = g->low, *dlow = low + (size_t)T * (size_t)r;
    team_rows(t, T, &lo, &hi);
    size_t row = (size_t)lo;
    gemm(false, true, hi - lo, r, in, 1, x + row * (size_t)in, in, a, in, 0,
         low + row * (size_t)r, r);
    gemm(false, false, hi - lo, r, out, scale_of(m), dy + row * (size_t)ld, ld,
         b, r, 0, dlow + row * (size_t)r, r);
    input_back(t, p, g, dx, dlow, r, a, T);
    gemm_share(t, true, false, out, r, T, scale_of(m), dy, ld, low, r, 1,
               g->grad + (p->b - m->first), r);
    gemm_share(t, true, false, r, in, T, 1, dlow, r, x, in, 1,
               g->grad + (p->a - m->first), in);
}

void lora_backward(const struct team *t, const struct llama *m,
                   const struct module_at *p, int n, real *dx,
                   const struct lora_back *b, const real *dy, int ld,
                   const real *x, int T)
{
    for (int i = 0; i < n; i++)
        if (p[i].a)
            pair_backward(t, m, &p[i], b, dx, dy + p[i].from, ld, x, T);
}

/* Where the fused matrix of a pair stands. */
static size_t matrix_of(const struct layer_at *at, enum module part)
{
    return part <= MODULE_V ? at->qkv : part == MODULE_O ? at->o
           : part == MODULE_DOWN ? at->down : at->gate_up;
}

const struct module_at *lora_beside(const struct llama *m, size_t i)
{
    const struct weight *w = &m->weight[i];
    for (int l = 0; l < m->config.layers; l++)
        for (int k = 0; k < MODULES; k++) {
            const struct module_at *p = &m->layer[l].module[k];
            if (p->a && w->offset == matrix_of(&m->layer[l], (enum module)k) +
                                         (size_t)p->from * (size_t)p->in)
                return p;
        }
    return NULL;
}

void lora_onto(const struct llama *m, size_t i, real *w)
{
    const struct module_at *p = m->rank ? lora_beside(m, i) : NULL;
    const struct weight *own = &m->weight[i];
    int rows = (int)own->rows;
    if (p)
        gemm_exact(false, false, rows, p->in, m->rank, scale_of(m),
                   llama_at(m, p->b), m->rank, llama_at(m, p->a), p->in, 1, w,
                   p->in);
}

/* ---- The files ---------------------------------------------------------- */

/* The modules that have a pair, each once. */
static void print_modules(const struct llama *m, struct jw *w)
{
    int has = 0;
    for (int i = 0; i < MODULES; i++)
        has |= m->layer[0].module[i].a ? 1 << i : 0;
    jw_key(w, "target_modules");
    jw_open(w, '[');
    for (size_t i = 0; i < COUNT(modules) - 1; i++) {
        bool gpt2 = !strncmp(modules[i].name, "c_", 2);
        if (has & modules[i].targets && gpt2 == m->config.transposed)
            jw_str(w, modules[i].name);
    }
    jw_close(w);
}

static bool save_config(const struct llama *m, const char *dir,
                        const char *base, double dropout, struct err *e)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kstr(&w, "peft_type", "LORA");
    jw_kstr(&w, "task_type", "CAUSAL_LM");
    jw_kstr(&w, "base_model_name_or_path", base);
    jw_kint(&w, "r", m->rank);
    jw_knum(&w, "lora_alpha", m->alpha);
    jw_knum(&w, "lora_dropout", dropout);
    jw_kbool(&w, "use_rslora", m->root);
    jw_kbool(&w, "fan_in_fan_out", m->config.transposed);
    jw_kstr(&w, "bias", "none");
    print_modules(m, &w);
    jw_kbool(&w, "inference_mode", true);
    jw_close(&w);
    buf_putc(&b, '\n');
    char *path = path_join(dir, "adapter_config.json");
    bool ok = file_replace(path, buf_str(&b), b.len, 0644, true, e);
    free(path);
    buf_free(&b);
    return ok;
}

bool lora_save(const struct llama *m, const char *dir, const char *base,
               double dropout, struct err *e)
{
    size_t n = m->n_weights - m->n_own;
    float *copy = malloc((m->n - m->first) * sizeof *copy);
    struct st_piece *piece = xcalloc(n, sizeof *piece);
    if (!copy)
        err_set(e, ERR_MEMORY, _("not enough memory to write"));
    for (size_t i = 0; copy && i < m->n - m->first; i++)
        copy[i] = (float)m->adapter[i];
    for (size_t i = 0; copy && i < n; i++) {
        const struct weight *w = &m->weight[m->n_own + i];
        piece[i] = (struct st_piece){w->name, copy + (w->offset - m->first),
                                     w->rows, w->cols, false, NULL, NULL};
    }
    char *path = path_join(dir, "adapter_model.safetensors");
    bool ok = copy && dir_make(dir, 0755, e) &&
              save_config(m, dir, base, dropout, e) &&
              st_write(path, piece, n, NULL, e);
    free(path);
    free(piece);
    free(copy);
    return ok;
}
