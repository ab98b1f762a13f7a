/* Every family of models, held against transformers: small models with
 * weights by a formula (that of peers/make_families.py, which made
 * fixtures/families.jsonl), written as files, read, and run. Logits, loss and
 * gradients within 1e-3; the settings come back as they were read. Then with
 * an adapter as peft writes it.
 */
#include "unit/test.h"

#include <unistd.h>

#include <math.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/net/adapter.h"
#include "model/net/decode.h"
#include "model/net/gemm.h"
#include "model/net/llama.h"
#include "model/net/safetensors.h"

static char *dir;

static size_t count_of(const struct weight *w)
{
    return w->rows * (w->cols ? w->cols : 1);
}

static float formula(const char *name, size_t i, bool vector)
{
    int key = 0;
    size_t n = strlen(name);
    for (size_t j = 0; j < n; j++)
        key += (unsigned char)name[j];
    key %= 97;
    bool gain = vector && n > 7 && !strcmp(name + n - 7, ".weight");
    return (float)(.25 * sin((double)i * (.7 + .01 * key) + key) + gain);
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcmp(s + n - m, end);
}

/* The same with what breaks careless arithmetic; make_families.py's. */
static float adverse(const char *name, size_t i, size_t rows, size_t cols)
{
    double x = (double)formula(name, i, !cols), sign = i % 2 ? -200 : 200;
    if (!cols && ends_with(name, ".weight") &&
        !ends_with(name, "q_norm.weight") && !ends_with(name, "k_norm.weight"))
        x *= i % 2 ? 50 : .01;
    if (ends_with(name, "embed_tokens.weight") || ends_with(name, "wte.weight"))
        x = i % cols == 2 ? 300 : x;
    if (ends_with(name, "k_proj.bias"))
        x += sign;
    if (ends_with(name, "v_proj.bias"))
        x += 30;
    if (ends_with(name, "c_attn.bias"))
        x += i < rows / 3 ? 0 : i >= 2 * (rows / 3) ? 30 : sign;
    return (float)x;
}

/* Writes the file that transformers would have of those names and shapes. */
static void write_weights(const struct llama *m, bool hard)
{
    struct err e = {0};
    struct st_piece *piece = xcalloc(m->n_weights, sizeof *piece);
    float *all = xcalloc(m->n, sizeof *all);
    for (size_t k = 0; k < m->n_weights; k++) {
        const struct weight *w = &m->weight[k];
        for (size_t i = 0; i < count_of(w); i++)
            all[w->offset + i] = hard ? adverse(w->name, i, w->rows, w->cols)
                                      : formula(w->name, i, !w->cols);
        piece[k] = (struct st_piece){w->name, all + w->offset,
                                     w->transposed ? w->cols : w->rows,
                                     w->transposed ? w->rows : w->cols,
                                     false, NULL, NULL};
    }
    char *path = path_join(dir, "model.safetensors");
    assert_ok(st_write(path, piece, m->n_weights, NULL, &e), e);
    free(path);
    free(piece);
    free(all);
}

static struct llama *make(const json *config, bool hard)
{
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    struct config c;
    char *path = path_join(dir, "config.json");
    json_print(&b, config);
    assert_ok(file_replace(path, buf_str(&b), b.len, 0644, false, &e), e);
    assert_ok(config_load(dir, &c, NULL, &e), e);
    assert_string_equal(c.unknown, "");
    struct llama *m = llama_new(&c, &e);
    assert_ok(m != NULL, e);
    write_weights(m, hard);
    llama_free(&m);
    m = llama_load(dir, &e);
    assert_ok(m != NULL, e);
    assert_string_equal(m->text, buf_str(&b));
    buf_free(&b);
    free(path);
    return m;
}

static void near(const char *what, double got, double want, double scale)
{
    if (!(fabs(got - want) <= 1e-3 * fmax(scale, fabs(want))))
        fail_msg("%s: %.6f instead of %.6f", what, got, want);
}

/* The figures of a gradient, in the order of the file. */
static void check_gradient(const struct weight *w, const real *g,
                           const json *want, double least)
{
    double sum = 0, dot = 0;
    for (size_t i = 0; i < count_of(w); i++) {
        size_t at = w->transposed ? i % w->rows * w->cols + i / w->rows : i;
        sum += (double)(g[at] * g[at]);
        dot += (double)g[at] * cos((double)i);
    }
    double norm = json_number(json_first(want), NAN);
    const json *second = json_next(json_first(want));
    const json *off = json_next(second); /* torch's own, in float */
    double slack = off ? fmax(json_number(off, 0),
                              json_number(json_next(off), 0)) : 0;
    least = fmax(fmax(least, norm), 5e3 * slack);
    near(w->name, sqrt(sum), norm, least);
    near(w->name, dot, json_number(second, NAN), least);
}

static int read_ids(const json *line, int32_t *ids, int32_t *target)
{
    int n = 0;
    for (const json *v = json_first(json_get(line, "ids")); v;
         v = json_next(v))
        ids[n++] = (int32_t)json_number(v, -1);
    for (int t = 0; t < n; t++)
        target[t] = t + 1 < n ? ids[t + 1] : -1;
    return n;
}

static void check_logits(const struct llama *m, const int32_t *ids, int n,
                         const json *want)
{
    struct err e = {0};
    assert_non_null(want);
    struct decoder *d = decoder_new(m, n, &e);
    assert_true(decoder_feed(d, ids, n - 7));
    assert_true(decoder_feed(d, ids + n - 7, 7));
    const real *logits = decoder_logits(d);
    double scale = 1; /* of large logits a fiftieth */
    for (const json *v = json_first(want); v; v = json_next(v))
        scale = fmax(scale, fabs(json_number(v, NAN)) / 50);
    for (const json *v = json_first(want); v; v = json_next(v))
        near("a logit", (double)*logits++, json_number(v, NAN), scale);
    decoder_free(&d);
}

/* Writes the adapter that a line tells of into the folder, with a tensor more
 * where `more` names one. */
static void write_adapter(const json *line, const char *more)
{
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    const json *shapes = json_get(line, "shapes");
    struct st_piece piece[64];
    size_t n = 0;
    char *path = path_join(dir, "adapter_config.json");
    json_print(&b, json_get(line, "adapter"));
    assert_ok(file_replace(path, buf_str(&b), b.len, 0644, false, &e), e);
    free(path);
    for (const json *v = json_first(shapes); v; v = json_next(v), n++) {
        size_t rows = (size_t)json_number(json_first(v), 0);
        size_t cols = (size_t)json_number(json_next(json_first(v)), 0);
        float *x = xcalloc(rows * cols, sizeof *x);
        assert_true(n < COUNT(piece));
        for (size_t i = 0; i < rows * cols; i++)
            x[i] = formula(json_key(v), i, false);
        piece[n] = (struct st_piece){json_key(v), x, rows, cols, false, NULL,
                                      NULL};
    }
    if (more) {
        piece[n] = piece[0];
        piece[n].data = memcpy(xcalloc(piece[0].rows * piece[0].cols, 4),
                               piece[0].data,
                               piece[0].rows * piece[0].cols * 4);
        piece[n++].name = more;
    }
    path = path_join(dir, "adapter_model.safetensors");
    assert_ok(st_write(path, piece, n, NULL, &e), e);
    while (n)
        free((void *)(uintptr_t)piece[--n].data);
    free(path);
    buf_free(&b);
}

/* What cannot be honoured, or does not fit, leaves the model as it was. */
static void refuse_adapter(struct llama *m, const json *line, const char *from,
                           const char *to, const char *why)
{
    struct err e = {0};
    struct buf b = BUF_INIT(0), wrong = BUF_INIT(0);
    json_print(&b, json_get(line, "adapter"));
    const char *at = strstr(buf_str(&b), from);
    assert_non_null(at);
    buf_add(&wrong, b.data, (size_t)(at - b.data));
    buf_puts(&wrong, to);
    buf_puts(&wrong, at + strlen(from));
    char *path = path_join(dir, "adapter_config.json");
    assert_ok(file_replace(path, wrong.data, wrong.len, 0644, false, &e), e);
    real was = m->w[m->layer[0].o];
    assert_false(adapter_merge(m, dir, &e));
    if (!strstr(e.text, why))
        fail_msg("%s", e.text);
    assert_true(m->w[m->layer[0].o] == was);
    free(path);
    buf_free(&b);
    buf_free(&wrong);
}

/* Writes the configuration with one module's alpha set apart. */
static void set_pattern(const json *line, const char *pattern)
{
    struct err e = {0};
    struct buf b = BUF_INIT(0), with = BUF_INIT(0);
    json_print(&b, json_get(line, "adapter"));
    static const char none[] = "\"alpha_pattern\":{}";
    const char *at = strstr(buf_str(&b), none);
    assert_non_null(at);
    buf_add(&with, b.data, (size_t)(at - b.data));
    buf_printf(&with, "\"alpha_pattern\":%s%s", pattern,
               at + sizeof none - 1);
    char *path = path_join(dir, "adapter_config.json");
    assert_ok(file_replace(path, with.data, with.len, 0644, false, &e), e);
    free(path);
    buf_free(&with);
    buf_free(&b);
}

/* Pairs beside the weights and in them come to the same with a pattern, and to
 * something else than without it. */
static void check_pattern(struct llama *m, const json *line,
                          const int32_t *ids, int n)
{
    static real beside[64], in[64], plain[64];
    struct err e = {0};
    size_t bytes = (size_t)m->config.vocab * sizeof *in;
    char module[80], *dot;
    snprintf(module, sizeof module, "%s", json_key(json_first(
                                              json_get(line, "shapes"))));
    *strstr(module, ".lora_") = '\0';
    dot = strrchr(module, '.');
    char *pattern = xasprintf("{\"%s\":77}", dot + 1);
    struct work *k = work_new(m, &(struct work_shape){n, n, 1, false}, &e);
    real *was = xcalloc(m->first ? m->first : m->n, sizeof *was);
    memcpy(was, m->w, m->n * sizeof *was);
    struct llama *view = adapter_view(m, dir, &e);
    llama_logits(view, k, ids, n, plain);
    llama_free(&view);
    set_pattern(line, pattern);
    view = adapter_view(m, dir, &e);
    assert_ok(view != NULL, e);
    work_free(&k);
    k = work_new(view, &(struct work_shape){n, n, 1, false}, &e);
    llama_logits(view, k, ids, n, beside);
    assert_ok(adapter_merge(m, dir, &e), e);
    llama_logits(m, k, ids, n, in);
    assert_memory_not_equal(beside, plain, bytes);
    for (int i = 0; i < m->config.vocab; i++)
        near("with a pattern", (double)beside[i], (double)in[i], 1);
    set_pattern(line, "[1]");
    assert_false(adapter_merge(m, dir, &e));
    memcpy(m->w, was, m->n * sizeof *was);
    llama_free(&view);
    work_free(&k);
    write_adapter(line, NULL);
    free(was);
    free(pattern);
}

static void check_adapter(struct llama *m, const json *line,
                          const int32_t *ids, int n)
{
    struct err e = {0};
    write_adapter(line, NULL);
    if (!json_first(json_get(json_get(line, "adapter"), "rank_pattern")))
        refuse_adapter(m, line, "\"r\":", "\"r\":1", "says r = 1");
    refuse_adapter(m, line, "\"use_dora\":false", "\"use_dora\":true",
                   "use_dora is true");
    refuse_adapter(m, line, "\"bias\":\"none\"", "\"bias\":\"all\"", "bias");
    write_adapter(line, "base_model.model.model.layers.9.x.lora_A.weight");
    assert_false(adapter_merge(m, dir, &e));
    assert_non_null(strstr(e.text, "layers.9.x"));
    write_adapter(line, NULL);
    char *mark = path_join(dir, "stillroom.json");
    assert_false(adapter_is_signed(dir));
    assert_ok(adapter_sign(m, dir, &e), e);
    real was = m->w[1];
    m->w[1] += 1; /* other weights */
    assert_false(adapter_merge(m, dir, &e));
    assert_non_null(strstr(e.text, "other weights"));
    m->w[1] = was;
    assert_true(adapter_is_signed(dir));
    check_pattern(m, line, ids, n);
    struct llama *view = adapter_view(m, dir, &e); /* unmerged, beside m */
    assert_ok(view != NULL, e);
    check_logits(view, ids, n, json_get(line, "adapted"));
    llama_free(&view);
    assert_ok(adapter_merge(m, dir, &e), e);
    check_logits(m, ids, n, json_get(line, "adapted"));
    unlink(mark);
    free(mark);
}

static void check_family(const json *line)
{
    struct err e = {0};
    bool hard = json_get_bool(line, "adverse", false);
    struct llama *m = make(json_get(line, "config"), hard);
    int32_t ids[64], target[64], start[2] = {0};
    int n = start[1] = read_ids(line, ids, target);
    struct work *k = work_new(m, &(struct work_shape){n, n, 1, false}, &e);
    real *g = xcalloc(m->n, sizeof *g);
    struct batch b = {ids, target, start, 1, 0, NULL, NULL};
    near("loss", llama_pass(&alone, m, k, &b, 1, g, NULL),
         json_get_number(line, "loss", NAN), 0);
    check_logits(m, ids, n, json_get(line, "logits"));
    const json *grad = json_get(line, "grad");
    assert_int_equal(json_count(grad), m->n_weights);
    double most = 0; /* of hard ones a thousandth of the largest gradient, or
                        five times what torch is off in float */
    for (const json *v = json_first(grad); hard && v; v = json_next(v))
        most = fmax(most, json_number(json_first(v), 0));
    for (size_t i = 0; i < m->n_weights; i++)
        check_gradient(&m->weight[i], g + m->weight[i].offset,
                       json_get(grad, m->weight[i].name), 1e-3 * most);
    if (!hard)
        check_adapter(m, line, ids, n);
    free(g);
    work_free(&k);
    llama_free(&m);
}

static void families_agree(void)
{
    struct err e = {0};
    struct buf b = BUF_INIT((size_t)1 << 22);
    char *path = path_join(getenv("srcdir"), "fixtures/families.jsonl");
    assert_ok(file_read(path, (size_t)1 << 22, &b, &e), e);
    char *at = strchr(buf_str(&b), '\n');
    int n = 0;
    for (char *end; at && at[1]; at = end) {
        end = strchr(++at, '\n');
        json *line = json_parse(at, (size_t)(end - at), &e);
        assert_ok(line != NULL, e);
        printf("%s\n", json_get_string(json_get(line, "config"),
                                       "model_type", ""));
        check_family(line);
        json_free(line);
        n++;
    }
    assert_int_equal(n, 12 + 8);
    free(path);
    buf_free(&b);
}

/* With every back end for products that this processor can run. */
static void families_agree_on_each(void **state)
{
    (void)state;
    static const char *const names[] = {"openblas", "avx2", "avx512", "amx",
                                        "emulated"};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (!gemm_use(names[i])) {
            printf("skipped: this processor has no %s\n", names[i]);
            continue;
        }
        for (int p = GEMM_HIGHEST; p <= GEMM_HIGH; p++) {
            const char *before = gemm_backend();
            assert_true(gemm_precision((enum gemm_precision)p));
            if (p && !strcmp(before, gemm_backend()))
                continue; /* the same products again */
            printf("%s\n", gemm_backend());
            families_agree();
        }
    }
}

int main(void)
{
    struct err e = {0};
    if (!gemm_start(&e))
        return 1;
    const char *tmp = getenv("TMPDIR");
    dir = xasprintf("%s/family-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return 99;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_agree_on_each),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dir_remove(dir, NULL);
    free(dir);
    return failed;
}
