/* Tokenizers: learned, written, read again, hostile files and hostile text,
 * the chat template and its mask. */
#include "unit/test.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "model/token/bpe_train.h"
#include "model/token/split.h"
#include "model/token/template.h"

static char dir[200];

static const char *const texts[] = {
    "Sort from low to high: 41, 20, 33. Sort from high to low: 7, 77, 777.",
    ("Converta 35 quil\303\264metros em metros. "
     "Converta 3,5 quil\303\264metros."),
    "don't you'll we've  'tis   the the the then there\n\n\n  at last\t\t",
    "Spell the word \"bona\" letter by letter: b-o-n-a",
};

static struct tokenizer *learn(size_t vocab)
{
    struct bpe_words *w = bpe_words_new();
    for (size_t i = 0; i < COUNT(texts); i++)
        bpe_words_add(w, texts[i], strlen(texts[i]));
    struct tokenizer *t = tokenizer_new(template_tokens);
    t->eos = 0;
    bpe_train(t, w, vocab);
    bpe_words_free(&w);
    return t;
}

/* The ids of `tokenizers` 0.23.3 on the file that this test writes. */
static const struct {
    const char *text;
    int32_t ids[40];
    int n;
} known[] = {
#include "fixtures/nano_ids.h"
};

static void ids_are_those_of_the_library(void **state)
{
    (void)state;
    struct err e = {0};
    struct tokenizer *made = learn(300);
    assert_int_equal(made->n, 300);
    assert_ok(tokenizer_save(made, dir, 512, &e), e);
    const char *keep = getenv("KEEP_TOKENIZER");
    if (keep)
        assert_ok(tokenizer_save(made, keep, 512, &e), e);
    struct tokenizer *t = tokenizer_load(dir, &e);
    assert_ok(t != NULL, e);
    assert_int_equal(t->n, 300);
    assert_int_equal(t->eos, 0);
    for (size_t i = 0; i < COUNT(known); i++) {
        struct tokens k = {0};
        tokenizer_encode(t, known[i].text, strlen(known[i].text), true, &k);
        assert_int_equal(k.n, known[i].n);
        for (size_t j = 0; j < k.n; j++)
            assert_int_equal(k.at[j].id, known[i].ids[j]);
        VEC_FREE(&k);
    }
    tokenizer_free(&made);
    tokenizer_free(&t);
}

static void digits_stand_alone(void **state)
{
    (void)state;
    struct tokenizer *t = learn(400);
    for (size_t i = 261; i < t->n; i++)
        for (uint32_t j = 0; j < t->at[i].n; j++)
            assert_false(t->at[i].bytes[j] >= '0' && t->at[i].bytes[j] <= '9');
    tokenizer_free(&t);
}

static struct rng rng;

/* Junk of every kind: signs, controls, invalid UTF-8, added tokens. */
static void make_junk(struct buf *b)
{
    static const char *const odd[] = {"<|end|>", "<|end", "|>", "\xff", "\xc3",
                                      "\xe2\x80\xa8", "\xf0\x9f\x98\x80",
                                      "  ", "'ll", "\xc2\x85", "7"};
    buf_clear(b);
    for (uint64_t n = rng_below(&rng, 60); n > 0; n--) {
        uint64_t kind = rng_below(&rng, 3);
        char c[4];
        if (kind == 0)
            buf_puts(b, odd[rng_below(&rng, COUNT(odd))]);
        else if (kind == 1)
            buf_putc(b, (char)(1 + rng_below(&rng, 255)));
        else
            buf_add(b, c, utf8_put(c, 1 + (uint32_t)rng_below(&rng, 0xd7ff)));
    }
}

static void hostile_text_comes_back(void **state)
{
    (void)state;
    struct tokenizer *t = learn(350);
    struct buf b = BUF_INIT(0), back = BUF_INIT(0);
    for (int i = 0; i < 3000; i++) {
        struct tokens k = {0};
        make_junk(&b);
        tokenizer_encode(t, buf_str(&b), b.len, true, &k);
        int32_t *ids = xmalloc((k.n + 1) * sizeof *ids);
        size_t at = 0;
        for (size_t j = 0; j < k.n; j++) {
            ids[j] = k.at[j].id;
            assert_int_equal(k.at[j].from, at); /* covers every byte once */
            at = k.at[j].to;
        }
        assert_int_equal(at, b.len);
        buf_clear(&back);
        tokenizer_decode(t, ids, k.n, true, &back);
        assert_int_equal(back.len, b.len);
        assert_memory_equal(buf_str(&back), buf_str(&b), b.len);
        VEC_FREE(&k);
        free(ids);
    }
    buf_free(&b);
    buf_free(&back);
    tokenizer_free(&t);
}

/* One word of a million letters takes no quadratic time. */
static void long_words_are_quick(void **state)
{
    (void)state;
    struct tokenizer *t = learn(350);
    size_t n = 1 << 20;
    char *text = xmalloc(n);
    for (size_t i = 0; i < n; i++)
        text[i] = "the"[i % 3];
    struct tokens k = {0};
    tokenizer_encode(t, text, n, true, &k);
    assert_true(k.n > 0 && k.n < n);
    VEC_FREE(&k);
    free(text);
    tokenizer_free(&t);
}

/* ---- Hostile files ------------------------------------------------------ */

/* Writes a tokenizer with one place of its file changed. */
static void save_changed(const char *from, const char *to)
{
    struct err e = {0};
    struct buf text = BUF_INIT(0), b = BUF_INIT(0);
    struct tokenizer *t = learn(262);
    assert_ok(tokenizer_save(t, dir, 512, &e), e);
    tokenizer_free(&t);
    char *path = path_join(dir, "tokenizer.json");
    assert_ok(file_read(path, 1 << 20, &text, &e), e);
    char *at = strstr(buf_str(&text), from);
    assert_non_null(at);
    buf_add(&b, text.data, (size_t)(at - text.data));
    buf_puts(&b, to);
    buf_puts(&b, at + strlen(from));
    assert_ok(file_replace(path, b.data, b.len, 0600, false, &e), e);
    free(path);
    buf_free(&text);
    buf_free(&b);
}

static void refused(const char *from, const char *to, const char *why)
{
    struct err e = {0};
    save_changed(from, to);
    assert_null(tokenizer_load(dir, &e));
    if (!strstr(e.text, why) || !strstr(e.text, "tokenizer.json"))
        fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

/* A byte without a token is left out, as `tokenizers` does (SmolLM2's own
 * file has none for some control bytes). */
static void missing_bytes_are_left_out(void **state)
{
    (void)state;
    struct err e = {0};
    save_changed("\"!\":38,", "");
    struct tokenizer *t = tokenizer_load(dir, &e);
    assert_ok(t != NULL, e);
    struct tokens with = {0}, without = {0};
    tokenizer_encode(t, "q!z", 3, true, &with);
    tokenizer_encode(t, "qz", 2, true, &without);
    assert_int_equal(with.n, 2);
    assert_int_equal(without.n, 2);
    assert_true(with.at[0].id == without.at[0].id &&
                with.at[1].id == without.at[1].id);
    assert_true(with.at[1].from == 2 && with.at[1].to == 3);
    VEC_FREE(&with);
    VEC_FREE(&without);
    tokenizer_free(&t);
}

static void hostile_files_are_refused(void **state)
{
    (void)state;
    refused("\"merges\":[[\"", "\"merges\":[[\"\xc2\xa1\xc2\xa1\xc2\xa1",
            "not in the vocabulary");
    refused("\"merges\":[[", "\"merges\":[7,[", "merge 1 is not a pair");
    refused("\"merges\":[[", "\"merges\":[\"a  b\",[", "not a pair");
    refused("\"!\":", "\"!\":1e12,\"x!\":", "whole number");
    refused("\"!\":", "\"!!\":-3,\"!\":", "id");
    refused("\"!\":", "\"!!\":10,\"!\":", "taken");
    refused("\"!\":", "\"!!\":1099511627776,\"!\":", "id");
    refused("\"!\":", "\" \":", "taken");
    refused("\"BPE\"", "\"WordPiece\"", "WordPiece");
    refused("\"normalizer\":null", "\"normalizer\":{\"type\":\"Nmt\"}",
            "normalizer");
#define TENFOLD(from, to) "{\"type\":\"Replace\",\"pattern\":{\"String\":\"" \
    from "\"},\"content\":\"" to to to to to to to to to to "\"}"
    refused("\"normalizer\":null", "\"normalizer\":{\"type\":\"Sequence\","
            "\"normalizers\":[" TENFOLD("a", "b") "," TENFOLD("b", "c") ","
            TENFOLD("c", "d") "," TENFOLD("d", "e") "]}", "times as long");
    refused("\"Digits\"", "\"BertPreTokenizer\"", "pre_tokenizer");
    refused("\"type\":\"Digits\"", "\"type\":\"Split\",\"pattern\":"
            "{\"Regex\":\"(\"}", "cannot be compiled");
    refused("\"Digits\"", "\"Split\"", "without a pattern");
    refused("\"dropout\":null", "\"dropout\":0.1", "dropout");
    refused("\"post_processor\":null", "\"post_processor\":{\"type\":\"x\"}",
            "post_processor");
    refused("\"content\":\"<|end|>\"", "\"content\":\"\"", "empty");
}

/* ---- The template ------------------------------------------------------- */

static void answers_alone_are_trained(void **state)
{
    (void)state;
    struct err e = {0};
    struct tokenizer *t = learn(300);
    struct chat c;
    struct rendered r;
    assert_ok(chat_parse(
        "[{\"role\":\"system\",\"content\":\"Be brief.\"},"
        "{\"role\":\"user\",\"content\":\"a?\"},"
        "{\"role\":\"assistant\",\"content\":\"first\",\"train\":false},"
        "{\"role\":\"user\",\"content\":\"b?\"},"
        "{\"role\":\"assistant\",\"content\":\"so\",\"tool_calls\":"
        "[{\"id\": \"1\"}]}]", &c, &e), e);
    assert_false(template_render(t, &c, false, NULL, &r, &e));
    assert_non_null(strstr(e.text, "no chat template"));
    tokenizer_set_template(t, TEMPLATE_NANO);
    assert_ok(template_render(t, &c, false, NULL, &r, &e), e);
    assert_string_equal(buf_str(&r.text),
                        "<|system|>Be brief.<|user|>a?<|assistant|>first"
                        "<|end|><|user|>b?<|assistant|>so[{\"id\":\"1\"}]"
                        "<|end|>");
    struct buf kept = BUF_INIT(0);
    for (size_t i = 0; i < r.n; i++)
        if (r.trained[i])
            tokenizer_decode(t, &r.ids[i], 1, true, &kept);
    assert_string_equal(buf_str(&kept), "so[{\"id\":\"1\"}]<|end|>");
    size_t n = r.n;
    rendered_free(&r);
    assert_ok(template_render(t, &c, true, NULL, &r, &e), e);
    assert_int_equal(r.n, n + 1);
    assert_int_equal(r.ids[n], 2);
    assert_false(r.trained[n]);
    rendered_free(&r);
    buf_free(&kept);
    chat_free(&c);
    tokenizer_free(&t);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/token-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return 99;
    rng_seed(&rng, 8);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_the_library),
        cmocka_unit_test(digits_stand_alone),
        cmocka_unit_test(hostile_text_comes_back),
        cmocka_unit_test(long_words_are_quick),
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(missing_bytes_are_left_out),
        cmocka_unit_test(answers_alone_are_trained),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dir_remove(dir, NULL);
    return failed;
}
