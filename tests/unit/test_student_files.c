/* Hostile model files: each is refused with a sentence that names what is
 * wrong, before anything large is allocated. And good ones come through. */
#include "unit/test.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/net/gemm.h"
#include "model/net/llama.h"
#include "model/net/safetensors.h"

static char dir[200];

static void write_file(const char *name, const void *p, size_t n)
{
    struct err e;
    char *path = path_join(dir, name);
    assert_ok(file_replace(path, p, n, 0600, false, &e), e);
    free(path);
}

/* A safetensors file: the header's length as told, its text, then data. */
static void write_st(uint64_t told, const char *header, const void *data,
                     size_t n)
{
    struct buf b = BUF_INIT(0);
    uint64_t len = told ? told : strlen(header);
    for (int i = 0; i < 8; i++)
        buf_putc(&b, (char)(len >> 8 * i));
    buf_puts(&b, header);
    buf_add(&b, data, n);
    write_file("t.safetensors", b.data, b.len);
    buf_free(&b);
}

static bool opens(struct st_file *f, struct err *e)
{
    char *path = path_join(dir, "t.safetensors");
    bool ok = st_open(f, path, e);
    free(path);
    return ok;
}

static void refused(const char *part)
{
    struct st_file f;
    struct err e = {0};
    assert_false(opens(&f, &e));
    if (!strstr(e.text, part))
        fail_msg("\"%s\" does not say \"%s\"", e.text, part);
}

static const float two[] = {1, 2};

#define T(dtype, shape, from, to)                                             \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" from "," \
    to "]}"

static void bad_headers_are_refused(void **state)
{
    (void)state;
    write_file("t.safetensors", "abc", 3);
    refused("too short");
    write_st(1ull << 63, "{}", "", 0);
    refused("a header of");
    write_st(17 << 20, "{}", "", 0);
    refused("a header of");
    write_st(100, "{}", "", 0);
    refused("a header of");
    write_st(0, "[]", "", 0);
    refused("does not begin with {");
    write_st(0, "{\"a\":1", "", 0);
    refused("t.safetensors");
    write_st(0, "{\"a\":" T("F32", "[1]", "0", "4") ",\"a\":"
             T("F32", "[1]", "4", "8") "}", two, 8);
    refused("t.safetensors");
    write_st(0, "{\"\xff\":1}", "", 0);
    refused("t.safetensors");
    write_st(0, "{\"__metadata__\":{\"a\":1}}", "", 0);
    refused("__metadata__");
    write_st(0, "{\"__metadata__\":[]}", "", 0);
    refused("__metadata__");
}

static void lying_tensors_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header, *why;
    } cases[] = {
        {"{\"a\":" T("F32", "[2]", "0", "4") "}", "a: 4 bytes for a shape"},
        {"{\"a\":" T("F32", "[1]", "0", "4") "}", "end at byte 4 of 8"},
        {"{\"a\":" T("F32", "[3]", "0", "12") "}", "end at byte 12 of 8"},
        {"{\"a\":" T("F32", "[1]", "0", "4") ",\"b\":"
         T("F32", "[2]", "0", "8") "}", "overlaps"},
        {"{\"a\":" T("F32", "[1]", "4", "8") "}", "gap"},
        {"{\"a\":" T("F32", "[1]", "8", "4") "}", "data_offsets"},
        {"{\"a\":" T("F32", "[1]", "-4", "0") "}", "data_offsets"},
        {"{\"a\":" T("F32", "[4294967296,4294967296]", "0", "8") "}",
         "shape"},
        {"{\"a\":" T("F32", "[1,1,1,1,1,1,1,1,2]", "0", "8") "}", "shape"},
        {"{\"a\":" T("F32", "[0.5]", "0", "8") "}", "shape"},
        {"{\"a\":" T("Q4", "[2]", "0", "8") "}", "unknown dtype \"Q4\""},
        {"{\"a\":7}", "unknown dtype"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_st(0, cases[i].header, two, 8);
        refused(cases[i].why);
    }
}

static void not_numbers_are_refused(void **state)
{
    (void)state;
    const float bad[][2] = {{1, NAN}, {INFINITY, 1}};
    for (int i = 0; i < 2; i++) {
        struct st_file f;
        struct err e = {0};
        float out[2];
        write_st(0, "{\"a\":" T("F32", "[2]", "0", "8") "}", bad[i], 8);
        assert_ok(opens(&f, &e), e);
        assert_false(st_read(&f, st_find(&f, "a"), out, &e));
        assert_non_null(strstr(e.text, "not a number"));
        st_close(&f);
    }
}

static void halves_are_widened(void **state)
{
    (void)state;
    const uint16_t h[] = {0x3c00, 0xc000, 0x0001, 0x7bff};  /* F16 */
    const uint16_t b[] = {0x3f80, 0xc000, 0x0001, 0x7f7f};  /* BF16 */
    uint16_t both[8];
    memcpy(both, h, 8);
    memcpy(both + 4, b, 8);
    struct st_file f;
    struct err e = {0};
    float x[4], y[4];
    write_st(0, "{\"h\":" T("F16", "[4]", "0", "8") ",\"b\":"
             T("BF16", "[2,2]", "8", "16") "}", both, 16);
    assert_ok(opens(&f, &e), e);
    assert_ok(st_read(&f, st_find(&f, "h"), x, &e), e);
    assert_ok(st_read(&f, st_find(&f, "b"), y, &e), e);
    assert_true(x[0] == 1 && x[1] == -2 && x[2] == 0x1p-24f && x[3] == 65504);
    assert_true(y[0] == 1 && y[1] == -2 && y[2] == 0x1p-133f);
    st_close(&f);
}

/* ---- Folders ------------------------------------------------------------ */

static const char good[] =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\","
    "\"hidden_size\":8,\"intermediate_size\":12,\"num_hidden_layers\":1,"
    "\"num_attention_heads\":2,\"num_key_value_heads\":1,\"vocab_size\":10,"
    "\"tie_word_embeddings\":true,\"rope_scaling\":null,\"shoe_size\":43}";

static void set_config(const char *from, const char *to)
{
    struct buf b = BUF_INIT(0);
    const char *at = strstr(good, from);
    assert_non_null(at);
    buf_add(&b, good, (size_t)(at - good));
    buf_puts(&b, to);
    buf_puts(&b, at + strlen(from));
    write_file("config.json", b.data, b.len);
    buf_free(&b);
}

static void configs_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *why;
    } cases[] = {
        {"\"llama\"", "\"mamba\"", "mamba"},
        {"LlamaForCausalLM", "GPTQ", "GPTQ"},
        {"\"hidden_size\":8", "\"hidden_size\":8.5", "hidden_size"},
        {"\"hidden_size\":8", "\"hidden_size\":-8", "hidden_size"},
        {"\"vocab_size\":10", "\"vocab_size\":99999999999", "vocab_size"},
        {"\"vocab_size\":10,", "", "vocab_size"},
        {"num_key_value_heads\":1", "num_key_value_heads\":3", "multiple"},
        {"\"hidden_size\":8", "\"hidden_size\":6", "head_dim"},
        {"\"rope_scaling\":null", "\"rope_scaling\":{\"type\":\"yarn\"}",
         "rope_type is \"yarn\""},
        {"\"rope_scaling\":null", "\"final_logit_softcapping\":30",
         "final_logit_softcapping is 30"},
        {"\"rope_scaling\":null", "\"quantization_config\":{}",
         "quantization_config"},
        {"\"rope_scaling\":null", "\"rope_theta\":-1", "rope_theta"},
    };
    struct config c;
    struct err e = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        set_config(cases[i].from, cases[i].to);
        assert_false(config_load(dir, &c, NULL, &e));
        if (!strstr(e.text, cases[i].why) || !strstr(e.text, "config.json"))
            fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].why);
    }
    write_file("config.json", good, sizeof good - 1);
    assert_ok(config_load(dir, &c, NULL, &e), e);
    assert_string_equal(c.unknown, "shoe_size");
    assert_int_equal(c.head_dim, 4);
    assert_true(c.eps == 1e-6 && c.rope.theta == 1e4 && c.tied && c.bos == -1);
}

/* Written in bfloat16: to the nearest, ties to even; config.json says so, and
 * keeps the rest. */
static void bfloat16_is_written(void **state)
{
    (void)state;
    struct err e = {0};
    static const struct {
        float in, out;
    } cases[] = {{1, 1}, {0x1.01p0f, 1}, {0x1.03p0f, 0x1.04p0f},
                 {0x1.010002p0f, 0x1.02p0f}, {-0x1.03p-20f, -0x1.04p-20f},
                 {0x1p-133f, 0x1p-133f}};
    set_config("\"shoe_size\":43", "\"torch_dtype\" : \"float32\",\"note\":7");
    struct config c;
    char *text = NULL;
    assert_ok(config_load(dir, &c, &text, &e), e);
    struct llama *m = llama_new(&c, &e);
    m->text = text;
    for (size_t i = 0; i < COUNT(cases); i++)
        m->w[i] = (real)cases[i].in;
    m->bf16 = true;
    assert_ok(llama_save(m, dir, &e), e);
    llama_free(&m);
    m = llama_load(dir, &e);
    assert_ok(m != NULL, e);
    assert_non_null(strstr(m->text, "\"torch_dtype\" : \"bfloat16\","
                                    "\"note\":7}"));
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(m->w[i] == (real)cases[i].out);
    struct st_file f;
    char *path = path_join(dir, "model.safetensors");
    assert_ok(st_open(&f, path, &e), e);
    assert_true(f.at[0].type == ST_BF16 && f.at[f.n - 1].type == ST_BF16);
    st_close(&f);
    free(path);
   m->bf16 = false;
    assert_ok(llama_save(m, dir, &e), e); /* and back */
    llama_free(&m);
}

static void weights_must_fit(void **state)
{
    (void)state;
    struct err e = {0};
    struct config c;
    write_file("config.json", good, sizeof good - 1);
    assert_ok(config_load(dir, &c, NULL, &e), e);
    struct llama *m = llama_new(&c, &e);
    llama_init(m, 9);
    assert_true(config_parameters(&c) == (double)m->n);
    assert_ok(llama_save(m, dir, &e), e);
    struct llama *again = llama_load(dir, &e);
    assert_ok(again != NULL, e);
    assert_memory_equal(m->w, again->w, m->n * sizeof *m->w);
    llama_free(&again);

    /* one tensor more, one less, one of another shape */
    struct st_piece piece[16];
    for (size_t i = 0; i < m->n_weights; i++)
        piece[i] = (struct st_piece){m->weight[i].name,
                                     m->w + m->weight[i].offset,
                                     m->weight[i].rows, m->weight[i].cols,
                                     false, NULL, NULL};
    piece[0].name = "model.embed_token.weight";
    piece[1] = (struct st_piece){piece[1].name, m->w, 4, 2, false, NULL, NULL};
    char *path = path_join(dir, "model.safetensors");
    assert_ok(st_write(path, piece, m->n_weights, NULL, &e), e);
    assert_null(llama_load(dir, &e));
    assert_non_null(strstr(e.text, "extra model.embed_token.weight"));
    assert_non_null(strstr(e.text, "missing model.embed_tokens.weight"));
    assert_non_null(strstr(e.text, "wrong shape model.layers.0.input_layer"));

    /* a configuration that claims far more than the file holds */
    set_config("\"num_hidden_layers\":1", "\"num_hidden_layers\":1000");
    assert_null(llama_load(dir, &e));
    assert_non_null(strstr(e.text, "too few"));
    free(path);
    llama_free(&m);
}

/* The index says which files belong to the model. */
static void shards_are_those_of_the_index(void **state)
{
    (void)state;
    static const struct {
        const char *index, *why; /* NULL: it is read */
    } rows[] = {
        {"{\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":"
         "\"model-2.safetensors\",\"c\":\"model-1.safetensors\"}}", NULL},
        {"{\"weight_map\":{\"a\":\"model-1.safetensors\"}}",
         "missing model.layers"},
        {"{\"weight_map\":{\"a\":\"model-3.safetensors\"}}",
         "model-3.safetensors, which"},
        {"{\"weight_map\":{\"a\":\"../model-1.safetensors\"}}",
         "no file beside it"},
        {"{\"weight_map\":{\"a\":7}}", "no file beside it"},
        {"{\"weight_map\":{}}", "names no files"},
        {"5", "names no files"},
        {"{", "index.json"},
    };
    struct err e = {0};
    struct config c;
    char *index = path_join(dir, "model.safetensors.index.json");
    char *whole = path_join(dir, "model.safetensors");
    write_file("config.json", good, sizeof good - 1);
    assert_ok(config_load(dir, &c, NULL, &e), e);
    struct llama *m = llama_new(&c, &e), *again;
    llama_init(m, 9);
    size_t half = m->n_weights / 2;
    for (int k = 0; k < 2; k++) {
        struct st_piece piece[16];
        size_t n = 0;
        for (size_t i = k ? half : 0; i < (k ? m->n_weights : half); i++)
            piece[n++] = (struct st_piece){m->weight[i].name,
                                           m->w + m->weight[i].offset,
                                           m->weight[i].rows,
                                           m->weight[i].cols, false, NULL,
                                           NULL};
        char *name = xasprintf("%s/model-%d.safetensors", dir, k + 1);
        assert_ok(st_write(name, piece, n, NULL, &e), e);
        free(name);
    }
    unlink(whole);
    assert_null(llama_load(dir, &e));
    assert_non_null(strstr(e.text, "no model.safetensors"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_file("model.safetensors.index.json", rows[i].index,
                   strlen(rows[i].index));
        again = llama_load(dir, &e);
        if (!rows[i].why) {
            assert_ok(again != NULL, e);
            assert_memory_equal(m->w, again->w, m->n * sizeof *m->w);
        } else if (again || !strstr(e.text, rows[i].why)) {
            fail_msg("%s: %s", rows[i].index, e.text);
        }
        llama_free(&again);
    }
    unlink(index);
    llama_free(&m);
    free(whole);
    free(index);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct err e = {0};
    char *path = path_join(dir, "t.safetensors");
    const struct st_piece piece = {"a", two, 2, 0, false, NULL, NULL};
    assert_ok(st_write(path, &piece, 1, "a note", &e), e);
    struct buf b = BUF_INIT(0);
    assert_ok(file_read(path, 4096, &b, &e), e);
    for (size_t n = 0; n < b.len; n++) {
        struct st_file f;
        write_file("t.safetensors", b.data, n);
        assert_false(opens(&f, &e));
    }
    write_file("t.safetensors", b.data, b.len);
    struct st_file f;
    assert_ok(opens(&f, &e), e);
    assert_string_equal(f.note, "a note");
    st_close(&f);
    buf_free(&b);
    free(path);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/files-XXXXXX", tmp ? tmp : "/tmp");
    struct err e = {0};
    if (!mkdtemp(dir) || !gemm_start(&e))
        return 99;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(lying_tensors_are_refused),
        cmocka_unit_test(not_numbers_are_refused),
        cmocka_unit_test(halves_are_widened),
        cmocka_unit_test(configs_are_read_or_refused),
        cmocka_unit_test(weights_must_fit),
        cmocka_unit_test(bfloat16_is_written),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(shards_are_those_of_the_index),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dir_remove(dir, NULL);
    return failed;
}
