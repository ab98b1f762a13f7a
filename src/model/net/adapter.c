#include "model/net/adapter.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <math.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "model/net/gemm.h"
#include "model/net/lora.h"
#include "model/net/safetensors.h"

#define CONFIG_MAX ((size_t)4 << 20)
#define SIGNED "stillroom.json" /* our file beside PEFT's two */

struct scaling {
    double alpha;
    bool root;    /* rsLoRA */
    int64_t rank; /* of a pair without a pattern; 0: it says so itself */
    json *config;
};

static const struct fixed_key fixed[] = {
    {"peft_type", "\"LORA\""},       {"task_type", "\"CAUSAL_LM\""},
    {"bias", "\"none\""},            {"use_dora", NULL},
    {"modules_to_save", NULL},       {"layer_replication", NULL},
    {"trainable_token_indices", NULL},
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

/* A key of rank_pattern and alpha_pattern is a regular expression over the last
 * parts of a module's name (PEFT's get_pattern_key). NULL where it is none;
 * freed with pcre2_code_free. */
static pcre2_code *compile(const char *key, struct err *e)
{
    struct buf text = BUF_INIT(CONFIG_MAX);
    PCRE2_UCHAR why[120];
    PCRE2_SIZE at;
    int code;
    buf_printf(&text, "\\A(?:.*\\.)?(?:%s)\\z", key);
    pcre2_code *c = pcre2_compile((PCRE2_SPTR)buf_str(&text), text.len,
                                  PCRE2_UTF, &code, &at, NULL);
    buf_free(&text);
    if (c)
        return c;
    pcre2_get_error_message(code, why, sizeof why);
    err_set(e, ERR_INPUT, _("\"%.80s\" is no regular expression: %s"), key,
            (const char *)why);
    return NULL;
}

static bool matches(const pcre2_code *c, const char *name, size_t n)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(limits, 1000000); /* a bad one ends, unmatched */
    bool ok = pcre2_match(c, (PCRE2_SPTR)name, n, 0, 0, data, limits) >= 0;
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    return ok;
}

static bool check_pattern(const json *j, const char *key, struct err *e)
{
    const json *all = json_get(j, key);
    if (all && !json_is_null(all) && !json_is_object(all))
        return err_set(e, ERR_INPUT, _("%s is not %s"), key, _("an object"));
    for (const json *v = json_first(all); v; v = json_next(v)) {
        pcre2_code *c = compile(json_key(v), e);
        if (!c)
            return err_in(e, "%s", key);
        pcre2_code_free(c);
        if (!(json_number(v, NAN) > 0))
            return err_set(e, ERR_REFUSED, _("%s: \"%.80s\" has no number "
                                             "above 0"), key, json_key(v));
    }
    return true;
}

static bool check_scaling(const struct scaling *s, struct err *e)
{
    const json *r = json_get(s->config, "r");
    if (r && !s->rank)
        return err_set(e, ERR_INPUT, _("%s is not %s"), "r",
                       _("a whole number from 1 on"));
    if (!(s->alpha > 0 && s->alpha < 1e9))
        return err_set(e, ERR_INPUT, _("lora_alpha is not a number above 0"));
    return check_pattern(s->config, "rank_pattern", e) &&
           check_pattern(s->config, "alpha_pattern", e);
}

static bool read_scaling(const char *path, struct scaling *s, struct err *e)
{
    json *j = s->config = json_load(path, CONFIG_MAX, e);
    if (!j)
        return false;
    const json *alpha = json_get(j, "lora_alpha");
    double r = json_get_number(j, "r", 0);
    s->alpha = alpha ? json_number(alpha, NAN) : 8;
    s->root = json_get_bool(j, "use_rslora", false);
    s->rank = r >= 1 && r <= 1 << 20 && r <= floor(r) ? (int64_t)r : 0;
    bool ok = json_is_object(j) ||
              err_set(e, ERR_INPUT, _("%s is not %s"), "adapter_config.json",
                      _("an object"));
    ok = ok && config_fixed(j, fixed, COUNT(fixed), true, e) &&
         check_beginning(j, e) && check_scaling(s, e);
    return ok || err_in(e, "%s", path);
}

/* What the first pattern that matches says of the pair beside a weight, or
 * `otherwise`. */
static double pattern_of(const struct scaling *s, const char *key,
                         const struct weight *w, double otherwise)
{
    size_t n = strlen(w->name) - strlen(".weight");
    for (const json *v = json_first(json_get(s->config, key)); v;
         v = json_next(v)) {
        pcre2_code *c = compile(json_key(v), NULL);
        bool is = c && matches(c, w->name, n);
        pcre2_code_free(c);
        if (is)
            return json_number(v, otherwise);
    }
    return otherwise;
}

static double alpha_of(const struct scaling *s, const struct weight *w)
{
    return pattern_of(s, "alpha_pattern", w, s->alpha);
}

static double rank_of(const struct scaling *s, const struct weight *w)
{
    return pattern_of(s, "rank_pattern", w, (double)s->rank);
}

/* ---- Pairs -------------------------------------------------------------- */

struct change {
    const struct weight *w; /* until pairs are added to the model */
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
        err_set(e, ERR_INPUT, P_("the adapter does not fit the model, %zu "
                                 "place: %s",
                                 "the adapter does not fit the model, %zu "
                                 "places: %s", n), n, buf_str(&bad));
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
    double scale = alpha_of(s, p->w) / (s->root ? sqrt(r) : r);
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

/* ---- An adapter's files ------------------------------------------------- */

struct adapter {
    struct scaling scale;
    struct st_file f;
    struct change *pair; /* by own weight */
    char *path;
};

static void close_adapter(struct adapter *a)
{
    if (a->f.fd >= 0)
        st_close(&a->f);
    json_free(a->scale.config);
    free(a->pair);
    free(a->path);
}

/* Whether the pairs have the rank that the configuration gives them. */
static bool check_rank(const struct adapter *a, const struct llama *m,
                       struct err *e)
{
    for (size_t i = 0; i < m->n_own; i++) {
        const struct change *p = &a->pair[i];
        double r = p->w ? rank_of(&a->scale, p->w) : 0;
        if (r > 0 && fabs((double)p->a->shape[0] - r) > .5)
            return err_set(e, ERR_INPUT,
                           _("the configuration says r = %lld, %s has %llu"),
                           (long long)r, p->a->name,
                           (unsigned long long)p->a->shape[0]);
    }
    return true;
}

/* What tells weights from others: some 65,000 of them, from all over. */
static void fingerprint(const struct llama *m, char out[2 * SHA_SIZE + 1])
{
    enum { SOME = 65536 };
    size_t n = m->first ? m->first : m->n, step = n / SOME + 1;
    uint8_t digest[SHA_SIZE];
    struct sha s;
    sha_start(&s);
    for (size_t i = 0; i < n; i += step) {
        real x;
        llama_copy(m, i, 1, &x);
        float f = (float)x;
        sha_add(&s, &f, sizeof f);
    }
    sha_end(&s, digest);
    sha_hex(digest, SHA_SIZE, out);
}

bool adapter_sign(const struct llama *m, const char *dir, struct err *e)
{
    char hex[2 * SHA_SIZE + 1];
    fingerprint(m, hex);
    char *text = xasprintf("{\"base\":\"%s\"}\n", hex);
    char *path = path_join(dir, SIGNED);
    bool ok = file_replace(path, text, strlen(text), 0644, true, e);
    free(path);
    free(text);
    return ok;
}

bool adapter_is_signed(const char *dir)
{
    char *path = path_join(dir, SIGNED);
    bool is = file_exists(path);
    free(path);
    return is;
}

/* Whether it is of these weights, where it says of which. */
static bool check_base(const struct llama *m, const char *dir, struct err *e)
{
    char hex[2 * SHA_SIZE + 1], *path = path_join(dir, SIGNED);
    json *j = file_exists(path) ? json_load(path, 4096, e) : NULL;
    bool ok = j || !file_exists(path);
    if (j)
        fingerprint(m, hex);
    if (j && strcmp(json_get_string(j, "base", ""), hex))
        ok = err_set(e, ERR_REFUSED, _("the adapter was made beside other "
                                       "weights than these (%s)"), path);
    json_free(j);
    free(path);
    return ok;
}

/* Reads what it is and which pairs it has; close_adapter in either case. */
static bool open_adapter(struct adapter *a, const struct llama *m,
                         const char *dir, struct err *e)
{
    char *config = path_join(dir, "adapter_config.json");
    *a = (struct adapter){.f = {.fd = -1}};
    a->path = path_join(dir, "adapter_model.safetensors");
    a->pair = xcalloc(m->n_own, sizeof *a->pair);
    bool ok = read_scaling(config, &a->scale, e);
    free(config);
    if (!ok || !check_base(m, dir, e))
        return false;
    if (!st_open(&a->f, a->path, e)) {
        a->f.fd = -1;
        return false;
    }
    return (find_pairs(m, &a->f, a->pair, e) && check_rank(a, m, e)) ||
           err_in(e, "%s", a->path);
}

bool adapter_merge(struct llama *m, const char *dir, struct err *e)
{
    struct adapter a;
    bool ok = open_adapter(&a, m, dir, e);
    for (size_t i = 0; ok && i < m->n_own; i++)
        ok = !a.pair[i].w || add_pair(m, &a.f, &a.pair[i], &a.scale, e);
    close_adapter(&a);
    return ok;
}

/* ---- Unmerged ----------------------------------------------------------- */

/* The modules that it has pairs for, and the largest rank. */
static bool find_shape(const struct adapter *a, struct llama *m,
                       struct lora *out, struct err *e)
{
    struct lora all = {.rank = 1, .alpha = 1, .targets = (1 << MODULES) - 1};
    struct llama probe = *m; /* where every module's pair would stand */
    probe.layer = xcalloc((size_t)m->config.layers, sizeof *probe.layer);
    memcpy(probe.layer, m->layer,
           (size_t)m->config.layers * sizeof *probe.layer);
    probe.weight = xcalloc(m->n_weights, sizeof *probe.weight);
    memcpy(probe.weight, m->weight, m->n_weights * sizeof *probe.weight);
    probe.adapter = NULL;
    bool ok = lora_add(&probe, &all, 1, e);
    *out = (struct lora){.alpha = a->scale.alpha, .root = a->scale.root};
    for (size_t i = 0; ok && i < m->n_own; i++) {
        if (!a->pair[i].w)
            continue;
        const struct module_at *p = lora_beside(&probe, i);
        int r = (int)a->pair[i].a->shape[0];
        if (!p)
            ok = err_set(e, ERR_REFUSED, _("%s is no linear layer; such an "
                                           "adapter can only be merged"),
                         m->weight[i].name);
        for (int k = 0; p && k < MODULES; k++)
            for (int l = 0; l < m->config.layers; l++)
                if (p == &probe.layer[l].module[k])
                    out->targets |= 1 << k;
        out->rank = r > out->rank ? r : out->rank;
    }
    free(probe.layer);
    free(probe.weight);
    free(probe.adapter);
    return ok;
}

/* One pair into its place: A's rows and B's columns from the first on. B takes
 * what its own rank would have scaled it by. */
static bool fill_pair(struct llama *m, const struct adapter *a, size_t i,
                      struct err *e)
{
    const struct change *c = &a->pair[i];
    const struct module_at *p = lora_beside(m, i);
    size_t r = c->a->shape[0], rank = (size_t)m->rank;
    double ratio = (double)rank / (double)r;
    real by = (real)((a->scale.root ? sqrt(ratio) : ratio) *
                     alpha_of(&a->scale, &m->weight[i]) / a->scale.alpha);
    real *x = read_part(&a->f, c->a, e), *y = x ? read_part(&a->f, c->b, e)
                                               : NULL;
    if (y) {
        memcpy(llama_at(m, p->a), x, r * (size_t)p->in * sizeof *x);
        for (size_t o = 0; o < (size_t)p->out; o++)
            for (size_t k = 0; k < r; k++)
                llama_at(m, p->b)[o * rank + k] = by * y[o * r + k];
    }
    bool ok = y != NULL;
    free(x);
    free(y);
    return ok;
}

bool adapter_add(struct llama *m, const char *dir, struct err *e)
{
    struct adapter a;
    struct lora l;
    bool ok = open_adapter(&a, m, dir, e);
    ok = ok && (find_shape(&a, m, &l, e) || err_in(e, "%s", a.path)) &&
         lora_add(m, &l, 1, e);
    if (ok)
        memset(m->adapter, 0, llama_trained(m) * sizeof *m->adapter);
    for (size_t i = 0; ok && i < m->n_own; i++)
        ok = !a.pair[i].w || fill_pair(m, &a, i, e);
    close_adapter(&a);
    return ok;
}

struct llama *adapter_view(const struct llama *base, const char *dir,
                           struct err *e)
{
    struct llama *m = xcalloc(1, sizeof *m);
    size_t layers = (size_t)base->config.layers;
    *m = *base;
    m->base = base;
    m->layer = xcalloc(layers, sizeof *m->layer);
    memcpy(m->layer, base->layer, layers * sizeof *m->layer);
    m->weight = xcalloc(base->n_weights, sizeof *m->weight);
    memcpy(m->weight, base->weight, base->n_weights * sizeof *m->weight);
    if (!adapter_add(m, dir, e))
        llama_free(&m);
    return m;
}
