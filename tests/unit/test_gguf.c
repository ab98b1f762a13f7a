/* GGUF files: the blocks against what the gguf package makes of them, small
 * files converted to folders and read again (two of them llama.cpp's, against
 * sentencepiece and transformers), and damaged ones refused.
 */
#include "unit/test.h"

#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "fixtures/gguf_blocks.h"
#include "model/learn/convert.h"
#include "model/net/decode.h"
#include "model/net/gemm.h"
#include "model/net/llama.h"
#include "model/net/sample.h"
#include "model/token/tokenizer.h"

static char *dir, *file;

/* ---- Writing one -------------------------------------------------------- */

static void put(struct buf *b, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(b, (char)(v >> 8 * i));
}

static void put_text(struct buf *b, const char *s)
{
    put(b, strlen(s), 8);
    buf_puts(b, s);
}

static void put_number(struct buf *b, const char *key, uint32_t v)
{
    put_text(b, key);
    put(b, 4, 4);
    put(b, v, 4);
}

static void put_name(struct buf *b, const char *key, const char *s)
{
    put_text(b, key);
    put(b, 8, 4);
    put_text(b, s);
}

static void put_texts(struct buf *b, const char *key, const char *const *s,
                      size_t n)
{
    put_text(b, key);
    put(b, 9, 4);
    put(b, 8, 4);
    put(b, n, 8);
    for (size_t i = 0; i < n; i++)
        put_text(b, s[i]);
}

struct shape {
    const char *name;
    int cols, rows, type; /* rows 0: a vector */
};

static const struct shape shapes[] = {
    {"token_embd.weight", 32, 5, 8},      {"output_norm.weight", 32, 0, 0},
    {"blk.0.attn_norm.weight", 32, 0, 0}, {"blk.0.attn_q.weight", 32, 32, 3},
    {"blk.0.attn_k.weight", 32, 16, 6},   {"blk.0.attn_v.weight", 32, 16, 7},
    {"blk.0.attn_output.weight", 32, 32, 2},
    {"blk.0.ffn_norm.weight", 32, 0, 0},  {"blk.0.ffn_gate.weight", 32, 64, 1},
    {"blk.0.ffn_up.weight", 32, 64, 30},  {"blk.0.ffn_down.weight", 64, 32, 0},
};

static size_t block_of(int type)
{
    for (size_t i = 0; i < COUNT(blocks); i++)
        if (blocks[i].type == type)
            return i;
    fail();
    return 0;
}

/* Every 32 elements are the block of the type, over and over. */
static uint64_t bytes_of(const struct shape *s)
{
    uint64_t n = (uint64_t)s->cols * (uint64_t)(s->rows ? s->rows : 1) / 32;
    return n * (uint64_t)blocks[block_of(s->type)].bytes;
}

/* `shift`: added to the last tensor's place. `arch`, `type`: of the model,
 * and of the last tensor. */
static void write_gguf(struct buf *b, const char *arch, int64_t shift,
                       int type)
{
    static const char *const tokens[] = {"<|end|>", "a", "b", "ab", "\304\240"};
    static const char *const merges[] = {"a b"};
    uint64_t at = 0;
    buf_clear(b);
    buf_puts(b, "GGUF");
    put(b, 3, 4);
    put(b, COUNT(shapes), 8);
    put(b, 14, 8);
    put_name(b, "general.architecture", arch);
    put_number(b, "llama.block_count", 1);
    put_number(b, "llama.context_length", 64);
    put_number(b, "llama.embedding_length", 32);
    put_number(b, "llama.feed_forward_length", 64);
    put_number(b, "llama.attention.head_count", 4);
    put_number(b, "llama.attention.head_count_kv", 2);
    put_text(b, "llama.rope.freq_base");
    put(b, 6, 4);
    put(b, 0x47c35000, 4); /* 100000 */
    put_name(b, "tokenizer.ggml.model", "gpt2");
    put_name(b, "tokenizer.ggml.pre", "smollm");
    put_texts(b, "tokenizer.ggml.tokens", tokens, COUNT(tokens));
    put_texts(b, "tokenizer.ggml.merges", merges, COUNT(merges));
    put_number(b, "tokenizer.ggml.eos_token_id", 0);
    put_text(b, "tokenizer.ggml.token_type");
    put(b, 9, 4);
    put(b, 5, 4);
    put(b, COUNT(tokens), 8);
    for (size_t i = 0; i < COUNT(tokens); i++)
        put(b, i ? 1 : 3, 4);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const struct shape *s = &shapes[i];
        bool last = i == COUNT(shapes) - 1;
        put_text(b, s->name);
        put(b, s->rows ? 2 : 1, 4);
        put(b, (uint64_t)s->cols, 8);
        if (s->rows)
            put(b, (uint64_t)s->rows, 8);
        put(b, (uint64_t)(last ? type : s->type), 4);
        put(b, at + (uint64_t)(last ? shift : 0), 8);
        at += (bytes_of(s) + 31) / 32 * 32;
    }
    while (b->len % 32)
        buf_putc(b, 0);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        size_t k = block_of(shapes[i].type);
        for (uint64_t n = bytes_of(&shapes[i]); n; )
            for (int j = 0; j < blocks[k].bytes; j++, n--)
                buf_putc(b, (char)blocks[k].block[j]);
        while (b->len % 32)
            buf_putc(b, 0);
    }
}

static void save(const struct buf *b, size_t n)
{
    struct err e = {0};
    assert_ok(file_replace(file, b->data, n, 0600, false, &e), e);
}

/* ---- Tests -------------------------------------------------------------- */

static void blocks_are_widened(void **state)
{
    (void)state;
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    write_gguf(&b, "llama", 0, 0);
    save(&b, b.len);
    struct gguf g;
    assert_ok(gguf_open(&g, file, &e), e);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const struct gguf_tensor *t = gguf_tensor(&g, shapes[i].name);
        float *x = xcalloc((size_t)t->count, sizeof *x);
        size_t k = block_of(shapes[i].type);
        assert_ok(gguf_read(t, x, &e), e);
        for (size_t j = 0; j < t->count; j++)
            assert_true(fabsf(x[j] - blocks[k].want[j % 32]) <=
                        1e-6f * fabsf(x[j]));
        free(x);
    }
    gguf_close(&g);
    buf_free(&b);
}

static const real *weight(const struct llama *m, const char *name)
{
    for (size_t i = 0; i < m->n_own; i++)
        if (!strcmp(m->weight[i].name, name))
            return m->w + m->weight[i].offset;
    fail();
    return NULL;
}

/* Gives row i of the first eight of a matrix in Q4_1 the minimum i. */
static void number_rows(struct buf *b, const char *name)
{
    static const uint16_t half[] = {0,      0x3c00, 0x4000, 0x4200,
                                    0x4400, 0x4500, 0x4600, 0x4700};
    struct err e = {0};
    struct gguf g;
    assert_ok(gguf_open(&g, file, &e), e);
    const struct gguf_tensor *t = gguf_tensor(&g, name);
    for (size_t i = 0; i < COUNT(half); i++)
        memcpy(b->data + t->from + i * 20 + 2, &half[i], 2);
    gguf_close(&g);
}

static void a_file_becomes_a_folder(void **state)
{
    (void)state;
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    size_t n;
    write_gguf(&b, "llama", 0, 0);
    save(&b, b.len);
    number_rows(&b, "blk.0.attn_q.weight");
    save(&b, b.len);
    char *to = path_join(dir, "student");
    assert_ok(convert_gguf(file, to, &n, &e), e);
    struct llama *m = llama_load(to, &e);
    assert_ok(m != NULL, e);
    assert_int_equal(m->n, n);
    assert_true(m->config.rope.theta == 1e5 && m->config.tied);
    assert_int_equal(m->config.head_dim, 8);
    const real *q = weight(m, "model.layers.0.self_attn.q_proj.weight");
    for (int i = 0; i < 8; i++) /* the file interleaves a head's halves */
        assert_true(fabs((double)(q[32 * i] - q[0]) -
                         (i < 4 ? 2 * i : 2 * (i - 4) + 1)) < 1e-5);
    struct tokenizer *t = tokenizer_load(to, &e);
    assert_ok(t != NULL, e);
    struct tokens k = {0};
    tokenizer_encode(t, "ab b<|end|>", 11, true, &k);
    assert_int_equal(k.n, 4);
    assert_true(k.at[0].id == 3 && k.at[1].id == 4 && k.at[2].id == 2 &&
                k.at[3].id == 0);
    VEC_FREE(&k);
    assert_false(convert_gguf(file, to, &n, &e));
    assert_non_null(strstr(e.text, "already"));
    tokenizer_free(&t);
    llama_free(&m);
    free(to);
    buf_free(&b);
}

/* ---- Of llama.cpp's converter ------------------------------------------- */

static void check_ids(const struct tokenizer *t, const json *line)
{
    const json *ids = json_first(json_get(line, "ids"));
    for (const json *s = json_first(json_get(line, "texts")); s;
         s = json_next(s), ids = json_next(ids)) {
        const char *text = json_string(s);
        struct tokens k = {0};
        struct buf back = BUF_INIT(0);
        int32_t own[64];
        tokenizer_encode(t, text, strlen(text), true, &k);
        assert_int_equal(k.at[0].id, json_get_int(line, "bos", -1));
        assert_int_equal(k.n, json_count(ids) + 1);
        size_t i = 1;
        for (const json *v = json_first(ids); v; v = json_next(v), i++)
            if ((own[i - 1] = k.at[i].id) != (int32_t)json_number(v, -1))
                fail_msg("\"%s\": id %zu is %d", text, i, k.at[i].id);
        tokenizer_decode(t, own, k.n - 1, false, &back);
        if (!strstr(text, "\xe2\x96\x81")) /* which comes back as a blank */
            assert_string_equal(buf_str(&back), text);
        VEC_FREE(&k);
        buf_free(&back);
    }
}

static void check_scores(const struct llama *m, const json *line)
{
    struct err e = {0};
    struct decoder *d = decoder_new(m, 64, &e);
    assert_ok(d != NULL, e);
    const json *id = json_first(json_get(line, "scored"));
    const json *want = json_first(json_get(line, "logprobs"));
    for (; want; id = json_next(id), want = json_next(want)) {
        int32_t now = (int32_t)json_number(id, -1);
        int32_t next = (int32_t)json_number(json_next(id), -1);
        assert_true(decoder_feed(d, &now, 1));
        real *logits = decoder_logits(d);
        log_softmax(logits, m->config.vocab);
        if (fabs((double)logits[next] - json_number(want, NAN)) > 1e-4)
            fail_msg("%g instead of %g", (double)logits[next],
                     json_number(want, NAN));
    }
    decoder_free(&d);
}

static void converted_models_agree(void **state)
{
    (void)state;
    const char *top = getenv("srcdir");
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    char *path = xasprintf("%s/fixtures/gguf_models.jsonl", top ? top : ".");
    assert_ok(file_read(path, 1 << 20, &b, &e), e);
    free(path);
    int n = 0;
    for (char *at = b.data, *end; (end = strchr(at, '\n')); at = end + 1, n++) {
        json *line = json_parse(at, (size_t)(end - at), &e);
        assert_ok(line != NULL, e);
        const char *name = json_get_string(line, "file", "");
        char *from = xasprintf("%s/fixtures/%s", top ? top : ".", name);
        char *to = path_join(dir, name);
        assert_ok(convert_gguf(from, to, NULL, &e), e);
        struct llama *m = llama_load(to, &e);
        assert_ok(m != NULL, e);
        struct tokenizer *t = tokenizer_load(to, &e);
        assert_ok(t != NULL, e);
        check_ids(t, line);
        check_scores(m, line);
        tokenizer_free(&t);
        llama_free(&m);
        json_free(line);
        free(from);
        free(to);
    }
    assert_int_equal(n, 2);
    buf_free(&b);
}

static void refuses(const char *arch, int64_t shift, int type,
                    const char *why)
{
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    char *to = path_join(dir, "refused"), *temp = path_join(dir, "refused.tmp");
    write_gguf(&b, arch, shift, type);
    save(&b, b.len);
    assert_false(convert_gguf(file, to, NULL, &e));
    if (!strstr(e.text, why))
        fail_msg("\"%s\" does not say \"%s\"", e.text, why);
    assert_false(file_exists(to));
    assert_false(file_exists(temp));
    free(temp);
    free(to);
    buf_free(&b);
}

/* A value that makes another model of it, or a list that is not there. */
static void refuses_value(const char *from, const char *to, const char *why)
{
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    char *out = path_join(dir, "refused");
    write_gguf(&b, "llama", 0, 0);
    char *at = memmem(b.data, b.len, from, strlen(from));
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    save(&b, b.len);
    assert_false(convert_gguf(file, out, NULL, &e));
    if (!strstr(e.text, why))
        fail_msg("\"%s\" does not say \"%s\"", e.text, why);
    assert_int_equal(rmdir(out), -1);
    free(out);
    buf_free(&b);
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    refuses_value("tokenizer.ggml.merges", "tokenizer.ggml.mergos", "merges");
    refuses_value("llama.context_length", "llama.rope.dimension", "max_pos");
    refuses_value("smollm", "nollms", "nollms");
    refuses_value("<|end|>\001", "<|end|>\002", "damaged");
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    struct err e = {0};
    refuses("mamba", 0, 0, "mamba");
    refuses("llama", -32, 0, "damaged"); /* over another */
    refuses("llama", 64, 0, "damaged");  /* behind the end */
    refuses("llama", 1, 0, "damaged");   /* not aligned */
    refuses("llama", 0, 12, "Q4_K is not read");
    refuses("llama", 0, 39, "MXFP4 is not read");
    refuses("llama", 0, 999, "type 999");
    struct buf b = BUF_INIT(0);
    write_gguf(&b, "llama", 0, 0);
    for (size_t n = 0; n < b.len; n += n < 1200 ? 1 : 509) {
        struct gguf g;
        save(&b, n);
        assert_false(gguf_open(&g, file, &e));
    }
    for (size_t i = 4; i < 1200; i++) { /* lies are refused or harmless */
        struct gguf g;
        char was = b.data[i];
        b.data[i] = (char)0xff;
        save(&b, b.len);
        if (gguf_open(&g, file, &e))
            gguf_close(&g);
        b.data[i] = was;
    }
    buf_free(&b);
}

int main(void)
{
    struct err e = {0};
    const char *tmp = getenv("TMPDIR");
    dir = xasprintf("%s/gguf-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir) || !gemm_start(&e))
        return 99;
    file = path_join(dir, "m.gguf");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_widened),
        cmocka_unit_test(a_file_becomes_a_folder),
        cmocka_unit_test(converted_models_agree),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(wrong_values_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dir_remove(dir, NULL);
    free(file);
    free(dir);
    return failed;
}
