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

/* tokenizer.ggml.token_type */
enum { TYPE_NORMAL = 1, TYPE_UNKNOWN, TYPE_CONTROL, TYPE_USER };

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

/* What a file's tokenizer is made of. */
struct source {
    const struct gguf *g;
    const struct splitting *splits; /* NULL: SentencePiece's kind */
    const struct gguf_value *type, *merges, *scores;
    char **token;
    size_t n;
};

static bool find_kind(struct source *x, struct err *e)
{
    char *model = gguf_text(x->g, "tokenizer.ggml.model");
    char *pre = gguf_text(x->g, "tokenizer.ggml.pre");
    bool bytes = model && !strcmp(model, "gpt2");
    bool ok = bytes || (model && !strcmp(model, "llama"));
    if (!ok)
        err_set(e, ERR_REFUSED, _("its tokenizer is of kind \"%.40s\"; gpt2 "
                                  "and llama are converted"),
                model ? model : "");
    for (size_t i = 0; bytes && i < COUNT(splittings); i++)
        if (pre && !strcmp(splittings[i].pre, pre))
            x->splits = &splittings[i];
    if (bytes && !x->splits)
        ok = err_set(e, ERR_REFUSED, _("its texts are split the way of "
                                       "\"%.40s\"; gpt-2, smollm, llama-bpe "
                                       "and qwen2 are known"),
                     pre ? pre : "");
    free(model);
    free(pre);
    return ok;
}

/* ---- Merges by scores --------------------------------------------------- */

/* A SentencePiece model joins the two neighbours whose token has the highest
 * score; the same as merges, as transformers makes them
 * (convert_slow_tokenizer.py): every way to cut a token in two, tokens by
 * score, longer left parts first. */
struct cut {
    double score;
    int32_t left, right;
    int left_length, right_length; /* in characters */
};

static int order(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_score(const void *a, const void *b)
{
    const struct cut *x = a, *y = b;
    int by[] = {order(y->score, x->score), y->left_length - x->left_length,
                y->right_length - x->right_length, x->left - y->left,
                x->right - y->right};
    for (size_t i = 0; i < COUNT(by); i++)
        if (by[i])
            return by[i];
    return 0;
}

typedef VEC(struct cut) cut_list;

/* All ways to cut token id in two that are tokens. */
static void cut_token(const struct source *x, const struct tokenizer *all,
                      size_t id, cut_list *cuts)
{
    const char *s = x->token[id];
    size_t n = strlen(s);
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s[i] & 0xc0) == 0x80)
            continue;
        int32_t left = tokenizer_find(all, s, i);
        int32_t right = left < 0 ? -1 : tokenizer_find(all, s + i, n - i);
        if (right < 0)
            continue;
        struct cut c = {gguf_number_at(x->scores, id, 0), left, right,
                        (int)utf8_length(s, i), (int)utf8_length(s + i, n - i)};
        VEC_PUSH(cuts, c);
    }
}

static void print_cuts(const struct source *x, struct jw *w)
{
    struct tokenizer *all = xcalloc(1, sizeof *all);
    cut_list cuts = {0};
    for (size_t i = 0; i < x->n; i++)
        if (gguf_int_at(x->type, i, TYPE_NORMAL) == TYPE_NORMAL)
            tokenizer_set(all, (int64_t)i, x->token[i], strlen(x->token[i]));
    for (size_t i = 0; i < x->n; i++)
        if (gguf_int_at(x->type, i, TYPE_NORMAL) == TYPE_NORMAL)
            cut_token(x, all, i, &cuts);
    if (cuts.n)
        qsort(cuts.at, cuts.n, sizeof *cuts.at, by_score);
    for (size_t i = 0; i < cuts.n; i++) {
        jw_open(w, '[');
        jw_str(w, x->token[cuts.at[i].left]);
        jw_str(w, x->token[cuts.at[i].right]);
        jw_close(w);
    }
    VEC_FREE(&cuts);
    tokenizer_free(&all);
}

/* ---- tokenizer.json ----------------------------------------------------- */

static void print_added(const struct source *x, struct jw *w)
{
    jw_key(w, "added_tokens");
    jw_open(w, '[');
    for (size_t i = 0; i < x->n; i++) {
        int64_t t = gguf_int_at(x->type, i, TYPE_NORMAL);
        bool unknown = t == TYPE_UNKNOWN && !x->splits;
        if (t == TYPE_CONTROL || t == TYPE_USER || unknown)
            tokenizer_print_added(w, (int64_t)i, x->token[i], t != TYPE_USER);
    }
    jw_close(w);
}

static void print_merges(const struct source *x, struct jw *w)
{
    uint64_t at = 0;
    size_t len;
    const char *text;
    while ((text = gguf_next(x->merges, &at, &len))) {
        char *copy = xstrndup(text, len);
        jw_str(w, copy);
        free(copy);
    }
}

static void print_model(const struct source *x, struct jw *w)
{
    double unknown = gguf_number(x->g, "tokenizer.ggml.unknown_token_id", 0);
    tokenizer_open_model(w, x->splits && x->splits->ignore_merges,
                         x->splits || unknown >= (double)x->n || unknown < 0
                             ? NULL : x->token[(size_t)unknown]);
    jw_key(w, "vocab");
    jw_open(w, '{');
    for (size_t i = 0; i < x->n; i++)
        jw_kint(w, x->token[i], (int64_t)i);
    jw_close(w);
    jw_key(w, "merges");
    jw_open(w, '[');
    if (x->splits)
        print_merges(x, w);
    else
        print_cuts(x, w);
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

/* SentencePiece writes a blank as a mark, and puts one in front. */
#define MARK "\xe2\x96\x81"
#define MARKED "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"}," \
    "\"content\":\"" MARK "\"}"
#define UNMARKED "{\"type\":\"Replace\",\"pattern\":{\"String\":\"" MARK \
    "\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}"

static const struct {
    const char *normalizer, *decoder;
} pieces[] = {
    {"{\"type\":\"Sequence\",\"normalizers\":[" MARKED "]}",
     "{\"type\":\"Sequence\",\"decoders\":[" UNMARKED "]}"},
    {"{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\","
     "\"prepend\":\"" MARK "\"}," MARKED "]}",
     "{\"type\":\"Sequence\",\"decoders\":[" UNMARKED ",{\"type\":"
     "\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}"},
};

static void print_tokenizer(const struct source *x, struct buf *b)
{
    struct jw w = jw_start(b);
    const struct splitting *s = x->splits;
    int64_t bos = id_of(x->g, "tokenizer.ggml.bos_token_id", x->n);
    bool begins = gguf_number(x->g, "tokenizer.ggml.add_bos_token",
                              !s || s->ignore_merges) > 0;
    bool blank = gguf_number(x->g, "tokenizer.ggml.add_space_prefix", 1) > 0;
    jw_open(&w, '{');
    jw_kstr(&w, "version", "1.0");
    jw_key(&w, "truncation");
    jw_null(&w);
    jw_key(&w, "padding");
    jw_null(&w);
    print_added(x, &w);
    jw_key(&w, "normalizer");
    jw_raw(&w, s ? s->normalizer : pieces[blank].normalizer);
    jw_key(&w, "pre_tokenizer");
    jw_raw(&w, s ? s->pieces : "null");
    jw_key(&w, "post_processor");
    if (bos >= 0 && begins)
        print_begin(x->token[bos], bos, &w);
    else
        jw_null(&w);
    jw_key(&w, "decoder");
    jw_raw(&w, s ? BYTES("false", "true") : pieces[blank].decoder);
    print_model(x, &w);
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

static void print_settings(const struct source *x, struct buf *b)
{
    struct jw w = jw_start(b);
    char *chat = gguf_text(x->g, "tokenizer.chat_template");
    jw_open(&w, '{');
    jw_kstr(&w, "tokenizer_class", "PreTrainedTokenizerFast");
    for (size_t i = 0; i < COUNT(specials); i++) {
        int64_t id = id_of(x->g, specials[i].key, x->n);
        char name[16];
        snprintf(name, sizeof name, "%s_token", specials[i].name);
        if (id >= 0)
            jw_kstr(&w, name, x->token[id]);
    }
    jw_kbool(&w, "clean_up_tokenization_spaces", false);
    if (chat)
        jw_kstr(&w, "chat_template", chat);
    jw_close(&w);
    buf_putc(b, '\n');
    free(chat);
}

/* What ends an answer: the end of a text, and that of a turn. */
static void print_ends(const struct source *x, int64_t end, struct jw *w)
{
    int64_t turn = id_of(x->g, "tokenizer.ggml.eot_token_id", x->n);
    jw_key(w, "eos_token_id");
    if (turn < 0 || turn == end) {
        jw_int(w, end);
        return;
    }
    jw_open(w, '[');
    jw_int(w, end);
    jw_int(w, turn);
    jw_close(w);
}

static void print_generation(const struct source *x, struct buf *b)
{
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    for (size_t i = 0; i < COUNT(specials); i++) {
        int64_t id = id_of(x->g, specials[i].key, x->n);
        char name[16];
        snprintf(name, sizeof name, "%s_token_id", specials[i].name);
        if (id >= 0 && !strcmp(specials[i].name, "eos"))
            print_ends(x, id, &w);
        else if (id >= 0 && strcmp(specials[i].name, "unk"))
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

static bool check_source(const struct source *x, struct err *e)
{
    uint64_t at = 0;
    size_t len;
    if (x->splits && !gguf_next(x->merges, &at, &len))
        return err_set(e, ERR_INPUT, _("it holds no merges"));
    if (!x->splits && (!x->scores || x->scores->n != x->n))
        return err_set(e, ERR_INPUT, _("it does not hold a score for each "
                                       "token"));
    return !(gguf_number(x->g, "tokenizer.ggml.add_eos_token", 0) > 0) ||
           err_set(e, ERR_REFUSED, _("%s is %.80s, which is not supported"),
                   "tokenizer.ggml.add_eos_token", "true");
}

static bool write_files(const struct source *x, const char *dir,
                        struct err *e)
{
    static const struct {
        const char *name;
        void (*print)(const struct source *x, struct buf *b);
    } files[] = {{"tokenizer.json", print_tokenizer},
                 {"tokenizer_config.json", print_settings},
                 {"generation_config.json", print_generation}};
    struct buf b = BUF_INIT(0);
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT(files); i++) {
        files[i].print(x, &b);
        ok = put(dir, files[i].name, &b, e);
    }
    buf_free(&b);
    return ok;
}

bool convert_tokens(const struct gguf *g, const char *dir, struct err *e)
{
    struct source x = {.g = g,
                       .type = gguf_find(g, "tokenizer.ggml.token_type"),
                       .merges = gguf_find(g, "tokenizer.ggml.merges"),
                       .scores = gguf_find(g, "tokenizer.ggml.scores")};
    if (!find_kind(&x, e) || !(x.token = read_tokens(g, &x.n, e)))
        return false;
    bool ok = check_source(&x, e) && write_files(&x, dir, e);
    for (size_t i = 0; i < x.n; i++)
        free(x.token[i]);
    free(x.token);
    return ok;
}
