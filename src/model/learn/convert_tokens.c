/* The tokenizer of a GGUF file: its lists of tokens, types and merges, and the
 * splitting of texts that the name under tokenizer.ggml.pre stands for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/learn/convert.h"
#include "model/token/tokenizer.h"

enum { TYPE_CONTROL = 3, TYPE_USER = 4 }; /* tokenizer.ggml.token_type */

#define BYTES(prefix, regex) "{\"type\":\"ByteLevel\",\"add_prefix_space\":" \
    prefix ",\"trim_offsets\":true,\"use_regex\":" regex "}"
#define SPLIT(digits) "{\"type\":\"Split\",\"pattern\":{\"Regex\":" \
    "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|" \
    digits "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|" \
    "\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\",\"invert\":false}"
#define PAIR(a, b) "{\"type\":\"Sequence\",\"pretokenizers\":[" a "," b "]}"

/* As the models' own tokenizer.json have them. */
static const struct splitting {
    const char *pre, *normalizer, *pieces;
    bool ignore_merges; /* Llama 3, whose texts begin with a token, too */
} splittings[] = {
    {"gpt-2", "null", BYTES("false", "true"), false},
    {"smollm", "null",
     PAIR("{\"type\":\"Digits\",\"individual_digits\":true}",
          BYTES("false", "true")), false},
    {"llama-bpe", "null",
     PAIR(SPLIT("\\\\p{N}{1,3}"), BYTES("false", "false")), true},
    {"qwen2", "{\"type\":\"NFC\"}",
     PAIR(SPLIT("\\\\p{N}"), BYTES("false", "false")), false},
};

static const struct splitting *find_splitting(const struct gguf *g,
                                              struct err *e)
{
    char *model = gguf_text(g, "tokenizer.ggml.model");
    char *pre = gguf_text(g, "tokenizer.ggml.pre");
    const struct splitting *found = NULL;
    if (!model || strcmp(model, "gpt2"))
        err_set(e, ERR_REFUSED, _("its tokenizer is of kind \"%.40s\"; only "
                                  "gpt2 is converted"), model ? model : "");
    else
        for (size_t i = 0; i < COUNT(splittings); i++)
            if (pre && !strcmp(splittings[i].pre, pre))
                found = &splittings[i];
    if (!found && model && !strcmp(model, "gpt2"))
        err_set(e, ERR_REFUSED, _("its texts are split the way of \"%.40s\"; "
                                  "gpt-2, smollm, llama-bpe and qwen2 are "
                                  "known"), pre ? pre : "");
    free(model);
    free(pre);
    return found;
}

/* ---- tokenizer.json ----------------------------------------------------- */

static void print_added(const struct gguf *g, char *const *token, size_t n,
                        struct jw *w)
{
    const struct gguf_value *type = gguf_find(g, "tokenizer.ggml.token_type");
    jw_key(w, "added_tokens");
    jw_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        int64_t t = gguf_int_at(type, i, 1);
        if (t == TYPE_CONTROL || t == TYPE_USER)
            tokenizer_print_added(w, (int64_t)i, token[i], t == TYPE_CONTROL);
    }
    jw_close(w);
}

static void print_model(const struct gguf *g, const struct splitting *s,
                        char *const *token, size_t n, struct jw *w)
{
    const struct gguf_value *merges = gguf_find(g, "tokenizer.ggml.merges");
    uint64_t at = 0;
    size_t len;
    const char *text;
    tokenizer_open_model(w, s->ignore_merges);
    jw_key(w, "vocab");
    jw_open(w, '{');
    for (size_t i = 0; i < n; i++)
        jw_kint(w, token[i], (int64_t)i);
    jw_close(w);
    jw_key(w, "merges");
    jw_open(w, '[');
    while ((text = gguf_next(merges, &at, &len))) {
        char *copy = xstrndup(text, len);
        jw_str(w, copy);
        free(copy);
    }
    jw_close(w);
    jw_close(w);
}

/* Texts begin with this token. */
static void print_begin(const char *bos, int64_t id, struct jw *w)
{
    jw_open(w, '{');
    jw_kstr(w, "type", "TemplateProcessing");
    for (int pair = 0; pair < 2; pair++) {
        jw_key(w, pair ? "pair" : "single");
        jw_open(w, '[');
        for (int k = 0; k <= pair; k++) {
            if (!k) {
                jw_open(w, '{');
                jw_key(w, "SpecialToken");
                jw_open(w, '{');
                jw_kstr(w, "id", bos);
                jw_kint(w, "type_id", 0);
                jw_close(w);
                jw_close(w);
            }
            jw_raw(w, k ? "{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}"
                        : "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}");
        }
        jw_close(w);
    }
    jw_key(w, "special_tokens");
    jw_open(w, '{');
    jw_key(w, bos);
    jw_open(w, '{');
    jw_kstr(w, "id", bos);
    jw_key(w, "ids");
    jw_open(w, '[');
    jw_int(w, id);
    jw_close(w);
    jw_key(w, "tokens");
    jw_open(w, '[');
    jw_str(w, bos);
    jw_close(w);
    jw_close(w);
    jw_close(w);
    jw_close(w);
}

/* The id under a key, -1 where it names no token. */
static int64_t id_of(const struct gguf *g, const char *key, size_t n)
{
    double id = gguf_number(g, key, -1);
    return id >= 0 && id < (double)n ? (int64_t)id : -1;
}

static void print_tokenizer(const struct gguf *g, const struct splitting *s,
                            char *const *token, size_t n, struct buf *b)
{
    struct jw w = jw_start(b);
    int64_t bos = id_of(g, "tokenizer.ggml.bos_token_id", n);
    jw_open(&w, '{');
    jw_kstr(&w, "version", "1.0");
    jw_key(&w, "truncation");
    jw_null(&w);
    jw_key(&w, "padding");
    jw_null(&w);
    print_added(g, token, n, &w);
    jw_key(&w, "normalizer");
    jw_raw(&w, s->normalizer);
    jw_key(&w, "pre_tokenizer");
    jw_raw(&w, s->pieces);
    jw_key(&w, "post_processor");
    if (bos >= 0 && gguf_number(g, "tokenizer.ggml.add_bos_token",
                                s->ignore_merges) > 0)
        print_begin(token[bos], bos, &w);
    else
        jw_null(&w);
    jw_key(&w, "decoder");
    jw_raw(&w, BYTES("false", "true"));
    print_model(g, s, token, n, &w);
    jw_close(&w);
    buf_putc(b, '\n');
}

/* ---- The other two ------------------------------------------------------ */

static const struct {
    const char *key, *name;
} specials[] = {
    {"tokenizer.ggml.bos_token_id", "bos"},
    {"tokenizer.ggml.eos_token_id", "eos"},
    {"tokenizer.ggml.unknown_token_id", "unk"},
    {"tokenizer.ggml.padding_token_id", "pad"},
};

static void print_settings(const struct gguf *g, char *const *token, size_t n,
                           struct buf *b)
{
    struct jw w = jw_start(b);
    char *chat = gguf_text(g, "tokenizer.chat_template");
    jw_open(&w, '{');
    jw_kstr(&w, "tokenizer_class", "PreTrainedTokenizerFast");
    for (size_t i = 0; i < COUNT(specials); i++) {
        int64_t id = id_of(g, specials[i].key, n);
        char name[16];
        snprintf(name, sizeof name, "%s_token", specials[i].name);
        if (id >= 0)
            jw_kstr(&w, name, token[id]);
    }
    jw_kbool(&w, "clean_up_tokenization_spaces", false);
    if (chat)
        jw_kstr(&w, "chat_template", chat);
    jw_close(&w);
    buf_putc(b, '\n');
    free(chat);
}

static void print_generation(const struct gguf *g, size_t n, struct buf *b)
{
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    for (size_t i = 0; i < COUNT(specials); i++) {
        int64_t id = id_of(g, specials[i].key, n);
        char name[16];
        snprintf(name, sizeof name, "%s_token_id", specials[i].name);
        if (id >= 0 && strcmp(specials[i].name, "unk"))
            jw_kint(&w, name, id);
    }
    jw_close(&w);
    buf_putc(b, '\n');
}

/* ---- All three ---------------------------------------------------------- */

static bool put(const char *dir, const char *name, struct buf *b,
                struct err *e)
{
    char *path = path_join(dir, name);
    bool ok = file_replace(path, buf_str(b), b->len, 0644, true, e);
    free(path);
    buf_clear(b);
    return ok;
}

/* The texts of all tokens; NULL where one is no text. */
static char **read_tokens(const struct gguf *g, size_t *n, struct err *e)
{
    const struct gguf_value *v = gguf_find(g, "tokenizer.ggml.tokens");
    char **token = xcalloc(v ? (size_t)v->n + 1 : 1, sizeof *token);
    uint64_t at = 0;
    size_t len;
    const char *text;
    bool ok = true;
    *n = 0;
    while (ok && (text = gguf_next(v, &at, &len))) {
        ok = utf8_check(text, len) == len && !memchr(text, 0, len);
        token[(*n)++] = xstrndup(text, len);
    }
    if (ok && *n)
        return token;
    err_set(e, ERR_INPUT, ok ? _("it holds no tokens")
                             : _("a token is no text in UTF-8"));
    for (size_t i = 0; i < *n; i++)
        free(token[i]);
    free(token);
    return NULL;
}

bool convert_tokens(const struct gguf *g, const char *dir, struct err *e)
{
    const struct splitting *s = find_splitting(g, e);
    size_t n = 0;
    char **token = s ? read_tokens(g, &n, e) : NULL;
    if (!token)
        return false;
    struct buf b = BUF_INIT(0);
    const struct gguf_value *merges = gguf_find(g, "tokenizer.ggml.merges");
    uint64_t at = 0;
    size_t len;
    bool ok = gguf_next(merges, &at, &len) ||
              err_set(e, ERR_INPUT, _("it holds no merges"));
    ok = ok && (!(gguf_number(g, "tokenizer.ggml.add_eos_token", 0) > 0) ||
                err_set(e, ERR_REFUSED, _("%s is %.80s, which is not "
                                          "supported"),
                        "tokenizer.ggml.add_eos_token", "true"));
    print_tokenizer(g, s, token, n, &b);
    ok = ok && put(dir, "tokenizer.json", &b, e);
    buf_clear(&b);
    print_settings(g, token, n, &b);
    ok = ok && put(dir, "tokenizer_config.json", &b, e);
    print_generation(g, n, &b);
    ok = ok && put(dir, "generation_config.json", &b, e);
    buf_free(&b);
    for (size_t i = 0; i < n; i++)
        free(token[i]);
    free(token);
    return ok;
}
