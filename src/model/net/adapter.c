#include "model/net/adapter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/net/gemm.h"
#include "model/net/safetensors.h"

#define CONFIG_MAX ((size_t)4 << 20)

struct scaling {
    double alpha;
    bool root; /* rsLoRA */
};

static const struct fixed_key fixed[] = {
    {"peft_type", "\"LORA\""},       {"task_type", "\"CAUSAL_LM\""},
    {"bias", "\"none\""},            {"use_dora", NULL},
    {"modules_to_save", NULL},       {"alpha_pattern", NULL},
    {"layer_replication", NULL},     {"trainable_token_indices", NULL},
    {"lora_bias", NULL},             {"use_qalora", NULL},
    {"alora_invocation_tokens", NULL}, {"target_parameters", NULL},
    {"use_bdlora", NULL},            {"kasa_config", NULL},
    {"arrow_config", NULL},          {"monteclora_config", NULL},
    {"velora_config", NULL},
};

/* Beginnings that take a part out of the weights themselves: such a pair is
 * no change of the student that it was made from. */
static bool check_beginning(const json *j, struct err *e)
{
    static const char *const plain[] = {"gaussian", "eva", "orthogonal"};
    const char *how = json_get_string(j, "init_lora_weights", plain[0]);
    for (size_t i = 0; i < COUNT(plain); i++)
        if (!strcmp(how, plain[i]))
            return true;
    return err_set(e, ERR_REFUSED, _("%s is %.80s, which is not supported"),
                   "init_lora_weights", how);
}

static bool read_scaling(const char *path, struct scaling *s, struct err *e)
{
    json *j = json_load(path, CONFIG_MAX, e);
    bool ok = j && config_fixed(j, fixed, COUNT(fixed), true, e) &&
              check_beginning(j, e);
    if (ok) {
        s->alpha = json_get_number(j, "lora_alpha", 8);
        s->root = json_get_bool(j, "use_rslora", false);
        ok = isfinite(s->alpha) ||
             err_set(e, ERR_INPUT, _("lora_alpha is not a number"));
    }
    if (j && !ok)
        err_in(e, "%s", path);
    json_free(j);
    return ok;
}

/* ---- Pairs -------------------------------------------------------------- */

struct change {
    const struct weight *w;
    const struct st_tensor *a, *b;
};

/* The matrix that a tensor's name means, by what stands before ".lora_A" or
 * ".lora_B"; *second for the latter. NULL: none of this model. */
static size_t find_matrix(const struct llama *m, const char *name,
                          bool *second)
{
    static const char prefix[] = "base_model.model.";
    const char *dot = strstr(name, ".lora_");
    if (strncmp(name, prefix, sizeof prefix - 1) || !dot)
        return m->n_own;
    name += sizeof prefix - 1;
    *second = !strcmp(dot, ".lora_B.weight");
    if (!*second && strcmp(dot, ".lora_A.weight"))
        return m->n_own;
    size_t n = (size_t)(dot - name);
    for (size_t i = 0; i < m->n_own; i++) {
        const struct weight *w = &m->weight[i];
        if (w->cols && !strncmp(w->name, name, n) &&
            !strcmp(w->name + n, ".weight"))
            return i;
    }
    return m->n_own;
}

static bool pair_fits(const struct change *p)
{
    return p->a && p->b && p->a->rank == 2 && p->b->rank == 2 &&
           p->a->shape[0] >= 1 && p->a->shape[0] == p->b->shape[1] &&
           p->a->shape[1] == p->w->cols && p->b->shape[0] == p->w->rows;
}

/* Adds one name to a list that is cut after a few. */
static void list(struct buf *b, size_t *n, const char *name)
{
    if (++*n <= 6)
        buf_printf(b, "%s%.100s", *n > 1 ? ", " : "", name);
}

/* pair[i] for weight i; false with what does not fit. */
static bool find_pairs(const struct llama *m, const struct st_file *f,
                       struct change *pair, struct err *e)
{
    struct buf bad = BUF_INIT(4096);
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        bool second = false;
        size_t k = find_matrix(m, f->at[i].name, &second);
        if (k == m->n_own) {
            list(&bad, &n, f->at[i].name);
            continue;
        }
        pair[k].w = &m->weight[k];
        *(second ? &pair[k].b : &pair[k].a) = &f->at[i];
    }
    for (size_t k = 0; k < m->n_own; k++)
        if (pair[k].w && !pair_fits(&pair[k]))
            list(&bad, &n, pair[k].w->name);
    if (n)
        err_set(e, ERR_INPUT, _("the adapter does not fit the model, %zu "
                                "places: %s"), n, buf_str(&bad));
    else if (!f->n)
        err_set(e, ERR_INPUT, _("the adapter is empty"));
    buf_free(&bad);
    return !n && f->n;
}

static real *read_part(const struct st_file *f, const struct st_tensor *t,
                       struct err *e)
{
    float *x = malloc(t->count * sizeof *x);
    real *y = malloc(t->count * sizeof *y);
    bool ok = x && y;
    if (!ok)
        err_set(e, ERR_MEMORY, _("not enough memory to read %s"), t->name);
    ok = ok && st_read(f, t, x, e);
    for (size_t i = 0; ok && i < t->count; i++)
        y[i] = (real)x[i];
    free(x);
    if (ok)
        return y;
    free(y);
    return NULL;
}

/* W += scale B A. */
static bool add_pair(struct llama *m, const struct st_file *f,
                     const struct change *p, const struct scaling *s,
                     struct err *e)
{
    int r = (int)p->a->shape[0];
    int rows = (int)p->w->rows, cols = (int)p->w->cols;
    double scale = s->alpha / (s->root ? sqrt(r) : r);
    real *a = read_part(f, p->a, e);
    real *b = a ? read_part(f, p->b, e) : NULL;
    if (b)
        gemm(false, false, rows, cols, r, (real)scale, b, r, a, cols, 1,
             m->w + p->w->offset, cols);
    bool ok = b != NULL;
    free(a);
    free(b);
    return ok;
}

bool adapter_merge(struct llama *m, const char *dir, struct err *e)
{
    char *config = path_join(dir, "adapter_config.json");
    char *path = path_join(dir, "adapter_model.safetensors");
    struct scaling s;
    struct st_file f = {.fd = -1};
    struct change *pair = xcalloc(m->n_own, sizeof *pair);
    bool ok = read_scaling(config, &s, e);
    if (ok) {
        ok = st_open(&f, path, e);
        if (ok && !find_pairs(m, &f, pair, e))
            ok = err_in(e, "%s", path);
        for (size_t i = 0; ok && i < m->n_own; i++)
            ok = !pair[i].w || add_pair(m, &f, &pair[i], &s, e);
        st_close(&f);
    }
    free(pair);
    free(config);
    free(path);
    return ok;
}
