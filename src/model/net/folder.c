/* A model's parameters: their layout, initial values, and files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/net/gemm_few.h"
#include "model/net/llama.h"
#include "model/net/lora.h"
#include "model/net/ops.h"
#include "model/net/safetensors.h"

/* More than any family has. */
static size_t weights_most(const struct config *c)
{
    return (size_t)c->layers * 18 + 5;
}

/* Adds a matrix (cols 0: a vector) to the layout; returns its offset. */
static size_t add(struct llama *m, int layer, enum tensor t, const char *end,
                  size_t rows, size_t cols)
{
    must(m->n_own < weights_most(&m->config));
    struct weight *w = &m->weight[m->n_own++];
    const char *name = config_tensor(&m->config, t), *number;
    *w = (struct weight){.offset = m->n, .rows = rows, .cols = cols};
    w->transposed = m->config.transposed && cols && layer >= 0;
    number = strstr(name, "%d");
    if (number)
        snprintf(w->name, sizeof w->name, "%.*s%d%s.%s",
                 (int)(number - name), name, layer, number + 2, end);
    else
        snprintf(w->name, sizeof w->name, "%s.%s", name, end);
    m->n += rows * (cols ? cols : 1);
    return w->offset;
}

static size_t add_norm(struct llama *m, int layer, enum tensor t, size_t n,
                       size_t *bias)
{
    size_t at = add(m, layer, t, "weight", n, 0);
    if (bias && m->config.layer_norm)
        *bias = add(m, layer, t, "bias", n, 0);
    return at;
}

/* q, k, v one behind another, so that they are one matrix; their biases too. */
static void add_qkv(struct llama *m, int l)
{
    const struct config *c = &m->config;
    size_t h = (size_t)c->hidden, q = (size_t)config_q(c);
    size_t kv = (size_t)config_kv(c);
    struct layer_at *at = &m->layer[l];
    const char *const end[] = {"weight", "bias"};
    for (int i = 0; i < 1 + c->qkv_bias; i++) {
        size_t cols = i ? 0 : h, first;
        if (config_tensor(c, TENSOR_QKV)) {
            first = add(m, l, TENSOR_QKV, end[i], q + 2 * kv, cols);
        } else {
            first = add(m, l, TENSOR_Q, end[i], q, cols);
            add(m, l, TENSOR_K, end[i], kv, cols);
            add(m, l, TENSOR_V, end[i], kv, cols);
        }
        *(i ? &at->qkv_b : &at->qkv) = first;
    }
    if (c->qk_norm) {
        at->q_norm = add(m, l, TENSOR_Q_NORM, "weight", (size_t)c->head_dim,
                         0);
        at->k_norm = add(m, l, TENSOR_K_NORM, "weight", (size_t)c->head_dim,
                         0);
    }
}

static void add_mlp(struct llama *m, int l)
{
    const struct config *c = &m->config;
    size_t h = (size_t)c->hidden, f = (size_t)c->ffn;
    struct layer_at *at = &m->layer[l];
    const char *const end[] = {"weight", "bias"};
    for (int i = 0; i < 1 + c->mlp_bias; i++) {
        size_t cols = i ? 0 : h, first = m->n;
        if (c->gated)
            add(m, l, TENSOR_GATE, end[i], f, cols);
        add(m, l, TENSOR_UP, end[i], f, cols);
        *(i ? &at->gate_up_b : &at->gate_up) = first;
    }
    at->down = add(m, l, TENSOR_DOWN, "weight", h, f);
    if (c->mlp_bias)
        at->down_b = add(m, l, TENSOR_DOWN, "bias", h, 0);
}

static void lay_out_layer(struct llama *m, int l)
{
    const struct config *c = &m->config;
    struct layer_at *at = &m->layer[l];
    size_t h = (size_t)c->hidden;
    at->norm1 = add_norm(m, l, TENSOR_NORM1, h, &at->norm1_b);
    add_qkv(m, l);
    at->o = add(m, l, TENSOR_O, "weight", h, (size_t)config_q(c));
    if (c->o_bias)
        at->o_b = add(m, l, TENSOR_O, "bias", h, 0);
    if (c->sandwich)
        at->post1 = add_norm(m, l, TENSOR_POST1, h, NULL);
    at->norm2 = add_norm(m, l, TENSOR_NORM2, h, &at->norm2_b);
    add_mlp(m, l);
    if (c->sandwich)
        at->post2 = add_norm(m, l, TENSOR_POST2, h, NULL);
}

static void lay_out(struct llama *m)
{
    const struct config *c = &m->config;
    size_t h = (size_t)c->hidden, v = (size_t)c->vocab;
    m->embed = add(m, -1, TENSOR_EMBED, "weight", v, h);
    if (c->positions)
        m->position = add(m, -1, TENSOR_POSITIONS, "weight",
                          (size_t)c->context, h);
    for (int l = 0; l < c->layers; l++)
        lay_out_layer(m, l);
    m->norm = add_norm(m, -1, TENSOR_NORM, h, &m->norm_b);
    m->head = c->tied ? m->embed : add(m, -1, TENSOR_HEAD, "weight", v, h);
}

/* The angles of one rotary embedding; false where memory is short. */
static bool make_angles(const struct config *c, bool local, real **cosine,
                        real **sine)
{
    size_t n = (size_t)c->context * (size_t)(c->head_dim / 2);
    float inverse[512];
    *cosine = malloc(n * sizeof(real));
    *sine = malloc(n * sizeof(real));
    if (!*cosine || !*sine)
        return false;
    config_rope(c, local, inverse);
    rope_tables(*cosine, *sine, c->context, c->head_dim, inverse);
    return true;
}

struct llama *llama_new(const struct config *c, struct err *e)
{
    struct llama *m = xcalloc(1, sizeof *m);
    size_t layers = (size_t)c->layers;
    m->config = *c;
    m->weight = xcalloc(weights_most(c), sizeof *m->weight);
    m->layer = xcalloc(layers, sizeof *m->layer);
    lay_out(m);
    m->n_weights = m->n_own;
    m->w = calloc(m->n, sizeof *m->w);
    bool ok = m->w && (c->positions ||
                       make_angles(c, false, &m->cosine, &m->sine));
    if (ok && c->window && !c->positions)
        ok = make_angles(c, true, &m->cosine_local, &m->sine_local);
    if (!ok) {
        err_set(e, ERR_MEMORY, _("not enough memory for %zu parameters"),
                m->n);
        llama_free(&m);
    }
    return m;
}

void llama_free(struct llama **mp)
{
    struct llama *m = *mp;
    if (!m)
        return;
    free(m->weight);
    free(m->layer);
    free(m->adapter);
    if (!m->base) {
        free(m->w16);
        free(m->w);
        free(m->cosine);
        free(m->sine);
        free(m->cosine_local);
        free(m->sine_local);
        free(m->text);
    }
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
    if (strstr(w->name, "o_proj") || strstr(w->name, "down_proj") ||
        strstr(w->name, "c_proj"))
        return .06 / sqrt(2.0 * m->config.layers);
    return .06;
}

void llama_init(struct llama *m, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    for (size_t i = 0; i < m->n_own; i++) {
        const struct weight *w = &m->weight[i];
        double d = deviation(m, w);
        for (size_t j = 0; j < count_of(w); j++)
            m->w[w->offset + j] = w->cols ? (real)(float)(rng_normal(&r) * d)
                                  : strstr(w->name, ".bias") ? 0
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
    size_t rows = w->transposed ? w->cols : w->rows;
    size_t cols = w->transposed ? w->rows : w->cols;
    return t->shape[0] == rows &&
           (w->cols ? t->rank == 2 && t->shape[1] == cols : t->rank == 1);
}

/* Where element i of a weight stands in the file's order. */
static size_t in_file(const struct weight *w, size_t i)
{
    return w->transposed ? i % w->cols * w->rows + i / w->cols : i;
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
        m->w[w->offset + i] = (real)part[in_file(w, i)];
    free(part);
    return ok;
}

/* Tensors that may be there and are not ours: an old model's angles or masks,
 * and a head that is said to be the embedding. */
static bool is_spare(const struct llama *m, const char *name)
{
    size_t n = strlen(name);
    bool mask = m->config.positions && n > 10 &&
                (!strcmp(name + n - 10, ".attn.bias") ||
                 strstr(name, ".attn.masked_bias"));
    return mask || strstr(name, "rotary_emb.inv_freq") ||
           (m->config.tied && !strcmp(name, "lm_head.weight"));
}

/* The weight of that name; old GPT-2 files leave "transformer." out. */
static size_t find_weight(const struct llama *m, const char *name)
{
    size_t j = 0;
    for (; j < m->n_own; j++) {
        const char *own = m->weight[j].name;
        if (!strcmp(own, name) || (!strncmp(own, "transformer.", 12) &&
                                   !strcmp(own + 12, name)))
            break;
    }
    return j;
}

/* Reads what one file holds; notes what does not fit in `bad`. */
static bool read_file(struct llama *m, const struct st_file *f, uint8_t *seen,
                      struct buf *bad, size_t *n_bad, struct err *e)
{
    for (size_t i = 0; i < f->n; i++) {
        m->bf16 = m->bf16 && f->at[i].type == ST_BF16;
        size_t j = find_weight(m, f->at[i].name);
        if (j == m->n_own && !is_spare(m, f->at[i].name))
            list(bad, n_bad, _("extra"), f->at[i].name);
        if (j == m->n_own)
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
    uint8_t *seen = xcalloc(m->n_own, 1);
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
    for (size_t j = 0; j < m->n_own; j++)
        if (!seen[j])
            list(&bad, &n_bad, _("missing"), m->weight[j].name);
    if (ok && n_bad)
        ok = err_set(e, ERR_INPUT,
                     P_("the weights do not fit the configuration, %zu "
                        "tensor: %s",
                        "the weights do not fit the configuration, %zu "
                        "tensors: %s", n_bad), n_bad, buf_str(&bad));
    buf_free(&bad);
    free(seen);
    return ok;
}

#define WHOLE "model.safetensors"
#define INDEX "model.safetensors.index.json"

typedef VEC(char *) path_list;

static void free_paths(path_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i]);
    VEC_FREE(l);
}

static bool stands_in(const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    bool is = file_exists(path);
    free(path);
    return is;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds a file that the index names, once. */
static bool add_shard(const char *dir, const char *name, path_list *l,
                      struct err *e)
{
    size_t n = name ? strlen(name) : 0;
    if (n < 13 || strchr(name, '/') || strcmp(name + n - 12, ".safetensors"))
        return err_set(e, ERR_INPUT, _("%s: \"%.80s\" is no file beside it"),
                       INDEX, name ? name : "");
    char *path = path_join(dir, name);
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->at[i], path)) {
            free(path);
            return true;
        }
    VEC_PUSH(l, path);
    return file_exists(path) ||
           err_set(e, ERR_ABSENT, _("%s, which %s names, is missing"), name,
                   INDEX);
}

static bool read_index(const char *dir, path_list *l, struct err *e)
{
    char *path = path_join(dir, INDEX);
    json *j = json_load(path, (size_t)16 << 20, e);
    const json *map = json_get(j, "weight_map");
    bool ok = j != NULL;
    if (ok && !json_first(map))
        ok = err_set(e, ERR_INPUT, _("%s: it names no files"), INDEX);
    for (const json *v = json_first(map); ok && v; v = json_next(v))
        ok = add_shard(dir, json_string(v), l, e);
    if (ok)
        qsort(l->at, l->n, sizeof *l->at, by_name);
    json_free(j);
    free(path);
    return ok;
}

/* What other files that stand there instead mean. */
static bool say_absent(const char *dir, struct err *e)
{
    static const struct {
        const char *name, *what;
    } others[] = {
        {"adapter_config.json",
         N_("it is a LoRA adapter: give the student's folder, and this one as "
            "--adapter")},
        {"pytorch_model.bin",
         N_("its weights are a pickle of PyTorch's; transformers saves them as "
            "safetensors")},
        {"consolidated.safetensors",
         N_("its weights are in Mistral's own layout; take the files in "
            "Hugging Face's")},
    };
    for (size_t i = 0; i < COUNT(others); i++)
        if (stands_in(dir, others[i].name))
            return err_set(e, ERR_REFUSED, "%s: %s", dir, _(others[i].what));
    return err_set(e, ERR_ABSENT, _("%s: no model.safetensors in it"), dir);
}

/* The folder's weight files: one, or those of an index. Fewer bytes than the
 * parameters take are refused here, before anything is allocated for them. */
static bool find_weights(const char *dir, const struct config *c,
                         path_list *l, struct err *e)
{
    bool whole = stands_in(dir, WHOLE);
    if (!whole && !stands_in(dir, INDEX))
        return say_absent(dir, e);
    if (whole)
        VEC_PUSH(l, path_join(dir, WHOLE));
    else if (!read_index(dir, l, e))
        return err_in(e, "%s", dir);
    double bytes = 0;
    for (size_t i = 0; i < l->n; i++) {
        struct stat st;
        bytes += stat(l->at[i], &st) == 0 ? (double)st.st_size : 0;
    }
    return bytes >= 2 * config_parameters(c) ||
           err_set(e, ERR_INPUT, _("%s: its weights have %.0f bytes, too few "
                                   "for %.0f parameters"), dir, bytes,
                   config_parameters(c));
}

struct llama *llama_load(const char *dir, struct err *e)
{
    struct config c;
    char *text = NULL;
    path_list l = {0};
    if (!stands_in(dir, "config.json") &&
        stands_in(dir, "adapter_config.json")) {
        say_absent(dir, e);
        return NULL;
    }
    if (!config_load(dir, &c, &text, e))
        return NULL;
    struct llama *m = find_weights(dir, &c, &l, e) ? llama_new(&c, e) : NULL;
    if (m)
        m->text = text;
    else
        free(text);
    if (m)
        m->bf16 = true; /* until a tensor is not */
    if (m && !read_files(m, l.at, l.n, e))
        llama_free(&m);
    free_paths(&l);
    return m;
}

void llama_copy(const struct llama *m, size_t offset, size_t n, real *to)
{
    if (m->w16)
        few_widen(to, m->w16 + offset, n);
    else
        memcpy(to, m->w + offset, n * sizeof *to);
}

/* The pages that lie in n elements from `at` on, back to the system. */
static void give_back(real *at, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)at + page - 1) / page * page;
    uintptr_t to = (uintptr_t)(at + n) / page * page;
    if (from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

static uint32_t bits_of(real x)
{
    union {
        float f;
        uint32_t bits;
    } v = {(float)x};
    return v.bits;
}

/* Room for the own weights in bfloat16, where all of them are exact in it. */
static uint16_t *room_for_w16(const struct llama *m)
{
    size_t n = m->first ? m->first : m->n;
    for (size_t i = 0; i < n; i++)
        if (bits_of(m->w[i]) & 0xffff)
            return NULL;
    return malloc(n * sizeof(uint16_t));
}

static void narrow(const struct llama *m, uint16_t *w16,
                  const struct weight *w)
{
    for (size_t i = w->offset; i < w->offset + count_of(w); i++)
        w16[i] = (uint16_t)(bits_of(m->w[i]) >> 16);
}

bool llama_lean(struct llama *m)
{
    if (m->w16)
        return true;
    uint16_t *w16 = room_for_w16(m);
    for (size_t i = 0; w16 && i < m->n_own; i++) {
        const struct weight *w = &m->weight[i];
        narrow(m, w16, w);
        if (w->cols && !(m->position && w->offset == m->position))
            give_back(m->w + w->offset, count_of(w));
    }
    m->w16 = w16;
    return w16 != NULL;
}

/* A weight on its way into a file. */
struct leaving {
    const struct llama *m;
    size_t i;
};

/* As the file has it, the pair beside it added. */
static bool fill_weight(const struct st_piece *p, float *out)
{
    const struct leaving *l = p->ctx;
    const struct weight *w = &l->m->weight[l->i];
    size_t n = count_of(w);
    real *own = malloc(n * sizeof *own);
    if (!own)
        return false;
    llama_copy(l->m, w->offset, n, own);
    lora_onto(l->m, l->i, own);
    for (size_t i = 0; i < n; i++)
        out[in_file(w, i)] = (float)own[i];
    free(own);
    return true;
}

bool llama_save(const struct llama *m, const char *dir, struct err *e)
{
    struct st_piece *piece = xcalloc(m->n_own, sizeof *piece);
    struct leaving *from = xcalloc(m->n_own, sizeof *from);
    for (size_t i = 0; i < m->n_own; i++) {
        const struct weight *w = &m->weight[i];
        from[i] = (struct leaving){m, i};
        piece[i] = (struct st_piece){
            .name = w->name, .rows = w->transposed ? w->cols : w->rows,
            .cols = w->transposed ? w->rows : w->cols, .bf16 = m->bf16,
            .fill = fill_weight, .ctx = &from[i]};
    }
    char *path = path_join(dir, "model.safetensors");
    bool ok = st_write(path, piece, m->n_own, NULL, e) &&
              config_save(dir, &m->config, m->text, m->bf16, e);
    free(path);
    free(from);
    free(piece);
    return ok;
}
