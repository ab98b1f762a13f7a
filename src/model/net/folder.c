/* A model's parameters: their layout, initial values, and files. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/net/llama.h"
#include "model/net/ops.h"
#include "model/net/safetensors.h"

/* Adds a matrix (cols 0: a vector) to the layout; returns its offset. */
static size_t add(struct llama *m, size_t rows, size_t cols, const char *name)
{
    struct weight *w = &m->weight[m->n_weights++];
    *w = (struct weight){.offset = m->n, .rows = rows, .cols = cols};
    snprintf(w->name, sizeof w->name, "%s", name);
    m->n += rows * (cols ? cols : 1);
    return w->offset;
}

static size_t add_in(struct llama *m, int layer, size_t rows, size_t cols,
                     const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "model.layers.%d.%s.weight", layer, name);
    return add(m, rows, cols, full);
}

static void lay_out_layer(struct llama *m, int l)
{
    const struct config *c = &m->config;
    struct layer_at *at = &m->layer[l];
    size_t h = (size_t)c->hidden, f = (size_t)c->ffn;
    size_t q = (size_t)config_q(c), kv = (size_t)config_kv(c);
    at->norm1 = add_in(m, l, h, 0, "input_layernorm");
    at->qkv = add_in(m, l, q, h, "self_attn.q_proj");
    add_in(m, l, kv, h, "self_attn.k_proj");
    add_in(m, l, kv, h, "self_attn.v_proj");
    at->o = add_in(m, l, h, q, "self_attn.o_proj");
    at->norm2 = add_in(m, l, h, 0, "post_attention_layernorm");
    at->gate_up = add_in(m, l, f, h, "mlp.gate_proj");
    add_in(m, l, f, h, "mlp.up_proj");
    at->down = add_in(m, l, h, f, "mlp.down_proj");
}

static void lay_out(struct llama *m)
{
    size_t h = (size_t)m->config.hidden, v = (size_t)m->config.vocab;
    m->embed = add(m, v, h, "model.embed_tokens.weight");
    for (int l = 0; l < m->config.layers; l++)
        lay_out_layer(m, l);
    m->norm = add(m, h, 0, "model.norm.weight");
    m->head = m->config.tied ? m->embed : add(m, v, h, "lm_head.weight");
}

struct llama *llama_new(const struct config *c, struct err *e)
{
    struct llama *m = xcalloc(1, sizeof *m);
    size_t layers = (size_t)c->layers;
    size_t angles = (size_t)c->context * (size_t)(c->head_dim / 2);
    m->config = *c;
    m->weight = xcalloc(layers * 9 + 3, sizeof *m->weight);
    m->layer = xcalloc(layers, sizeof *m->layer);
    lay_out(m);
    m->w = calloc(m->n, sizeof *m->w);
    m->cosine = malloc(angles * sizeof(real));
    m->sine = malloc(angles * sizeof(real));
    if (!m->w || !m->cosine || !m->sine) {
        err_set(e, ERR_MEMORY, _("not enough memory for %zu parameters"),
                m->n);
        llama_free(&m);
        return NULL;
    }
    rope_tables(m->cosine, m->sine, c->context, c->head_dim, c->theta);
    return m;
}

void llama_free(struct llama **mp)
{
    struct llama *m = *mp;
    if (!m)
        return;
    free(m->weight);
    free(m->layer);
    free(m->w);
    free(m->cosine);
    free(m->sine);
    free(m);
    *mp = NULL;
}

static size_t count_of(const struct weight *w)
{
    return w->rows * (w->cols ? w->cols : 1);
}

static double deviation(const struct llama *m, const struct weight *w)
{
    if (w->offset == m->embed || w->offset == m->head)
        return .03;
    if (strstr(w->name, "o_proj") || strstr(w->name, "down_proj"))
        return .06 / sqrt(2.0 * m->config.layers);
    return .06;
}

void llama_init(struct llama *m, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    for (size_t i = 0; i < m->n_weights; i++) {
        const struct weight *w = &m->weight[i];
        double d = deviation(m, w);
        for (size_t j = 0; j < count_of(w); j++)
            m->w[w->offset + j] = w->cols ? (real)(float)(rng_normal(&r) * d)
                                          : 1;
    }
}

/* ---- Files -------------------------------------------------------------- */

/* Adds one name to a list that is cut after a few. */
static void list(struct buf *b, size_t *n, const char *what, const char *name)
{
    if (++*n <= 8)
        buf_printf(b, "%s%s %.100s", *n > 1 ? ", " : "", what, name);
}

static bool shape_fits(const struct weight *w, const struct st_tensor *t)
{
    return t->shape[0] == w->rows &&
           (w->cols ? t->rank == 2 && t->shape[1] == w->cols : t->rank == 1);
}

static bool read_weight(struct llama *m, const struct weight *w,
                        const struct st_file *f, const struct st_tensor *t,
                        struct err *e)
{
    float *part = malloc(count_of(w) * sizeof *part);
    if (!part)
        return err_set(e, ERR_MEMORY, _("not enough memory to read %s"),
                       w->name);
    bool ok = st_read(f, t, part, e);
    for (size_t i = 0; ok && i < count_of(w); i++)
        m->w[w->offset + i] = (real)part[i];
    free(part);
    return ok;
}

/* Tensors that may be there and are not ours: an old model's angles, and a
 * head that is said to be the embedding. */
static bool is_spare(const struct llama *m, const char *name)
{
    return strstr(name, "rotary_emb.inv_freq") ||
           (m->config.tied && !strcmp(name, "lm_head.weight"));
}

/* Reads what one file holds; notes what does not fit in `bad`. */
static bool read_file(struct llama *m, const struct st_file *f, uint8_t *seen,
                      struct buf *bad, size_t *n_bad, struct err *e)
{
    for (size_t i = 0; i < f->n; i++) {
        size_t j = 0;
        while (j < m->n_weights && strcmp(m->weight[j].name, f->at[i].name))
            j++;
        if (j == m->n_weights && !is_spare(m, f->at[i].name))
            list(bad, n_bad, _("extra"), f->at[i].name);
        if (j == m->n_weights)
            continue;
        if (!shape_fits(&m->weight[j], &f->at[i]))
            list(bad, n_bad, _("wrong shape"), f->at[i].name);
        else if (!read_weight(m, &m->weight[j], f, &f->at[i], e))
            return false;
        seen[j] = 1;
    }
    return true;
}

static bool read_files(struct llama *m, char *const *path, size_t n,
                       struct err *e)
{
    uint8_t *seen = xcalloc(m->n_weights, 1);
    struct buf bad = BUF_INIT(4096);
    size_t n_bad = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        struct st_file f;
        ok = st_open(&f, path[i], e);
        if (ok)
            ok = read_file(m, &f, seen, &bad, &n_bad, e);
        st_close(&f);
    }
    for (size_t j = 0; j < m->n_weights; j++)
        if (!seen[j])
            list(&bad, &n_bad, _("missing"), m->weight[j].name);
    if (ok && n_bad)
        ok = err_set(e, ERR_INPUT,
                     _("the weights do not fit the configuration, %zu "
                       "tensors: %s"), n_bad, buf_str(&bad));
    buf_free(&bad);
    free(seen);
    return ok;
}

bool llama_read(struct llama *m, const char *path, struct err *e)
{
    char *copy = xstrdup(path);
    bool ok = read_files(m, &copy, 1, e);
    free(copy);
    return ok;
}

static int is_weights(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 12 && !strncmp(d->d_name, "model", 5) &&
           !strcmp(d->d_name + n - 12, ".safetensors");
}

/* The folder's weight files, sorted, in *path (the caller frees each and the
 * list); fewer bytes than the parameters take are refused here, before
 * anything is allocated for them. */
static size_t find_weights(const char *dir, const struct config *c,
                           char ***path, struct err *e)
{
    struct dirent **entry = NULL;
    int n = scandir(dir, &entry, is_weights, alphasort);
    double bytes = 0;
    *path = xcalloc(n > 0 ? (size_t)n : 1, sizeof **path);
    for (int i = 0; i < n; i++) {
        struct stat st;
        (*path)[i] = path_join(dir, entry[i]->d_name);
        bytes += stat((*path)[i], &st) == 0 ? (double)st.st_size : 0;
        free(entry[i]);
    }
    free(entry);
    if (n < 1)
        err_set(e, ERR_ABSENT, _("%s: no model.safetensors in it"), dir);
    else if (bytes < 2 * config_parameters(c))
        err_set(e, ERR_INPUT, _("%s: its weights have %.0f bytes, too few for "
                                "%.0f parameters"), dir, bytes,
                config_parameters(c));
    else
        return (size_t)n;
    for (int i = 0; i < n; i++)
        free((*path)[i]);
    return 0;
}

struct llama *llama_load(const char *dir, struct err *e)
{
    struct config c;
    if (!config_load(dir, &c, e))
        return NULL;
    char **path;
    size_t n = find_weights(dir, &c, &path, e);
    struct llama *m = n ? llama_new(&c, e) : NULL;
    if (m && !read_files(m, path, n, e))
        llama_free(&m);
    for (size_t i = 0; i < n; i++)
        free(path[i]);
    free(path);
    return m;
}

bool llama_save(const struct llama *m, const char *dir, struct err *e)
{
    float *copy = malloc(m->n * sizeof *copy);
    if (!copy)
        return err_set(e, ERR_MEMORY, _("not enough memory to write"));
    for (size_t i = 0; i < m->n; i++)
        copy[i] = (float)m->w[i];
    struct st_piece *piece = xcalloc(m->n_weights, sizeof *piece);
    for (size_t i = 0; i < m->n_weights; i++) {
        const struct weight *w = &m->weight[i];
        piece[i] = (struct st_piece){w->name, copy + w->offset, w->rows,
                                     w->cols};
    }
    char *path = path_join(dir, "model.safetensors");
    bool ok = st_write(path, piece, m->n_weights, NULL, e) &&
              config_save(dir, &m->config, e);
    free(path);
    free(piece);
    free(copy);
    return ok;
}
