/* tokenizer.json and tokenizer_config.json, read and written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/token/template.h"
#include "model/token/tokenizer.h"

enum { FILE_MAX = 64 << 20 };

/* ---- Reading ------------------------------------------------------------ */

/* A token's text to its bytes: for byte-level files each letter is a byte
 * (added tokens are plain text). False where a letter stands for none. */
static bool bytes_of(const struct tokenizer *t, const char *s, struct buf *out)
{
    size_t n = strlen(s);
    buf_clear(out);
    if (t->fallback)
        return buf_add(out, s, n);
    for (size_t i = 0, len; i < n; i += len) {
        uint32_t cp;
        len = utf8_get(s + i, n - i, &cp);
        unsigned b = 0;
        while (b < 256 && byte_letter(b) != cp)
            b++;
        if (!len || b == 256)
            return false;
        buf_putc(out, (char)b);
    }
    return true;
}

static bool is_type(const json *j, const char *type)
{
    return !strcmp(json_get_string(j, "type", ""), type);
}

static bool absent(const json *j)
{
    return !j || json_is_null(j);
}

/* Sets an id, or names what is wrong with it. */
static bool set(struct tokenizer *t, const json *id, const char *bytes,
                size_t n, const char *name, struct err *e)
{
    double v = json_number(id, -1);
    if (!(v >= 0 && v < 1 << 20) || v != (double)(int64_t)v)
        return err_set(e, ERR_INPUT, _("token \"%.60s\" has an id that cannot "
                                       "be"), name);
    if (!n)
        return err_set(e, ERR_INPUT, _("token %.0f is empty"), v);
    if (!tokenizer_set(t, (int64_t)v, bytes, n))
        return err_set(e, ERR_INPUT, _("token \"%.60s\": its id %.0f or its "
                                       "text is taken"), name, v);
    return true;
}

static bool check_added(const json *a, const char *text, struct err *e)
{
    static const char *const flags[] = {"lstrip", "rstrip", "single_word"};
    for (size_t i = 0; i < COUNT(flags); i++)
        if (json_get_bool(a, flags[i], false))
            return err_set(e, ERR_REFUSED, _("added token \"%.60s\": %s is "
                                             "not supported"), text, flags[i]);
    return true;
}

static bool read_added(struct tokenizer *t, const json *list, struct err *e)
{
    for (const json *a = json_first(list); a; a = json_next(a)) {
        const char *text = json_get_string(a, "content", "");
        if (!check_added(a, text, e) ||
            !set(t, json_get(a, "id"), text, strlen(text), text, e))
            return false;
        tokenizer_add(t, (int32_t)json_get_int(a, "id", 0));
    }
    return true;
}

static bool read_vocab(struct tokenizer *t, const json *vocab, struct err *e)
{
    struct buf b = BUF_INIT(0);
    bool ok = json_is_object(vocab) ||
              err_set(e, ERR_INPUT, _("no vocabulary"));
    for (const json *v = ok ? json_first(vocab) : NULL; ok && v;
         v = json_next(v)) {
        const char *text = json_key(v);
        size_t n = strlen(text);
        int64_t id = (int64_t)json_number(v, -1);
        if (id >= 0 && (size_t)id < t->n && t->at[id].special &&
            t->at[id].n == n && !memcmp(t->at[id].bytes, text, n))
            continue; /* an added token stands here too */
        if (!bytes_of(t, text, &b))
            ok = err_set(e, ERR_INPUT, _("token \"%.60s\" is not written in "
                                         "byte letters"), text);
        else
            ok = set(t, v, buf_str(&b), b.len, text, e);
    }
    buf_free(&b);
    return ok;
}

/* The two halves of a merge, "a b" or ["a","b"], copied; NULL where it is
 * neither. */
static char *halves(const json *m, char **right)
{
    const char *s = json_string(m), *blank = s ? strchr(s, ' ') : NULL;
    if (blank && blank != s && blank[1] && !strchr(blank + 1, ' ')) {
        *right = xstrdup(blank + 1);
        return xstrndup(s, (size_t)(blank - s));
    }
    const json *a = json_is_array(m) ? json_first(m) : NULL;
    const json *b = a ? json_next(a) : NULL;
    if (!b || json_next(b) || !json_string(a) || !json_string(b))
        return NULL;
    *right = xstrdup(json_string(b));
    return xstrdup(json_string(a));
}

static bool read_merge(struct tokenizer *t, const char *left,
                       const char *right, struct err *e)
{
    struct buf a = BUF_INIT(0), b = BUF_INIT(0);
    int32_t l = -1, r = -1, to = -1;
    if (bytes_of(t, left, &a) && bytes_of(t, right, &b)) {
        l = tokenizer_find(t, buf_str(&a), a.len);
        r = tokenizer_find(t, buf_str(&b), b.len);
        buf_add(&a, buf_str(&b), b.len);
        to = tokenizer_find(t, buf_str(&a), a.len);
    }
    buf_free(&a);
    buf_free(&b);
    if (l < 0 || r < 0 || to < 0)
        return err_set(e, ERR_INPUT, _("merge \"%.40s\" \"%.40s\": not in the "
                                       "vocabulary"), left, right);
    merges_add(&t->merges, l, r, to);
    return true;
}

static bool read_merges(struct tokenizer *t, const json *list, struct err *e)
{
    size_t line = 0;
    for (const json *m = json_first(list); m; m = json_next(m)) {
        char *right = NULL, *left = halves(m, &right);
        line++;
        if (!left)
            return err_set(e, ERR_INPUT, _("merge %zu is not a pair"), line);
        bool ok = read_merge(t, left, right, e);
        free(left);
        free(right);
        if (!ok)
            return err_in(e, _("merge %zu"), line);
    }
    return true;
}

/* Byte-level: ByteLevel alone, or digits single and then ByteLevel. */
static bool read_pre(struct tokenizer *t, const json *pre, struct err *e)
{
    const json *byte = pre;
    if (is_type(pre, "Sequence")) {
        const json *d = json_first(json_get(pre, "pretokenizers"));
        byte = d ? json_next(d) : NULL;
        t->digits = is_type(d, "Digits") &&
                    json_get_bool(d, "individual_digits", false);
        if (!t->digits || !byte || json_next(byte))
            byte = NULL;
    }
    if (!byte || !is_type(byte, "ByteLevel") ||
        json_get_bool(byte, "add_prefix_space", true) ||
        !json_get_bool(byte, "use_regex", true))
        return err_set(e, ERR_REFUSED,
                       _("its pre_tokenizer (%.40s) is not supported; only "
                         "GPT-2's byte level is, with digits single or not"),
                       json_get_string(pre, "type", "none"));
    return true;
}

/* Byte fallback: blanks to U+2581, one more in front. */
static bool check_normalizer(const json *norm, struct err *e)
{
    const json *list = json_get(norm, "normalizers");
    const json *a = json_first(list), *b = a ? json_next(a) : NULL;
    if (!is_type(norm, "Sequence") || !b || json_next(b) ||
        !is_type(a, "Prepend") || !is_type(b, "Replace") ||
        strcmp(json_get_string(a, "prepend", ""), "\xe2\x96\x81") ||
        strcmp(json_get_string(b, "content", ""), "\xe2\x96\x81") ||
        strcmp(json_get_string(json_get(b, "pattern"), "String", ""), " "))
        return err_set(e, ERR_REFUSED, _("its normalizer is not supported"));
    return true;
}

static bool read_kind(struct tokenizer *t, const json *j, struct err *e)
{
    const json *m = json_get(j, "model"), *pre = json_get(j, "pre_tokenizer");
    const json *norm = json_get(j, "normalizer");
    t->fallback = json_get_bool(m, "byte_fallback", false);
    if (!is_type(m, "BPE"))
        return err_set(e, ERR_REFUSED, _("its model is \"%.40s\"; only BPE is "
                                         "supported"),
                       json_get_string(m, "type", ""));
    if (!absent(json_get(m, "dropout")) ||
        json_get_bool(m, "ignore_merges", false) ||
        *json_get_string(m, "continuing_subword_prefix", "") ||
        *json_get_string(m, "end_of_word_suffix", ""))
        return err_set(e, ERR_REFUSED, _("dropout, ignore_merges, prefixes and "
                                         "suffixes are not supported"));
    if (t->fallback && !absent(pre))
        return err_set(e, ERR_REFUSED, _("a pre_tokenizer beside byte "
                                         "fallback is not supported"));
    if (!t->fallback && !absent(norm))
        return err_set(e, ERR_REFUSED, _("a normalizer beside byte level is "
                                         "not supported"));
    return t->fallback ? check_normalizer(norm, e) : read_pre(t, pre, e);
}

static bool find_bytes(struct tokenizer *t, struct err *e)
{
    for (unsigned b = 0; b < 256; b++) {
        char c = (char)b, name[8];
        snprintf(name, sizeof name, "<0x%02X>", b);
        t->byte[b] = t->fallback ? tokenizer_find(t, name, 6)
                                 : tokenizer_find(t, &c, 1);
        if (t->byte[b] < 0)
            return err_set(e, ERR_INPUT, _("byte %s has no token"), name);
    }
    return true;
}

/* True where encoding begins with a token of its own; false in e where the
 * file wants more than that. */
static bool read_post(struct tokenizer *t, const json *post, struct err *e)
{
    if (absent(post) || is_type(post, "ByteLevel"))
        return true;
    const json *a = json_first(json_get(post, "single"));
    const json *special = json_get(a, "SpecialToken");
    const json *b = a ? json_next(a) : NULL;
    if (!is_type(post, "TemplateProcessing") || !special || !b ||
        !json_get(b, "Sequence") || json_next(b))
        return err_set(e, ERR_REFUSED, _("its post_processor is not "
                                         "supported"));
    const char *name = json_get_string(special, "id", "");
    t->bos = tokenizer_find(t, name, strlen(name));
    t->prefix_bos = true;
    if (t->bos < 0)
        return err_set(e, ERR_INPUT, _("its post_processor names a token that "
                                       "is not there"));
    return true;
}

static bool read_file(struct tokenizer *t, const json *j, struct err *e)
{
    const json *m = json_get(j, "model");
    if (!read_kind(t, j, e) || !read_added(t, json_get(j, "added_tokens"), e) ||
        !read_vocab(t, json_get(m, "vocab"), e) ||
        !read_merges(t, json_get(m, "merges"), e) || !find_bytes(t, e) ||
        !read_post(t, json_get(j, "post_processor"), e))
        return false;
    while (t->n && !t->at[t->n - 1].bytes)
        t->n--;
    return true;
}

/* A token named by text, or by an object with content. */
static int32_t named(const struct tokenizer *t, const json *j, const char *key)
{
    const json *v = json_get(j, key);
    const char *s = json_is_object(v) ? json_get_string(v, "content", "")
                                      : json_get_string(j, key, "");
    return *s ? tokenizer_find(t, s, strlen(s)) : -1;
}

/* The second file; without it there is no chat and no end. */
static bool read_config(struct tokenizer *t, const char *dir, struct err *e)
{
    char *path = path_join(dir, "tokenizer_config.json");
    bool there = file_exists(path);
    json *j = there ? json_load(path, FILE_MAX, e) : NULL;
    free(path);
    if (!j)
        return !there;
    int32_t bos = named(t, j, "bos_token");
    t->bos = bos >= 0 ? bos : t->bos;
    t->eos = named(t, j, "eos_token");
    const char *template = json_get_string(j, "chat_template", NULL);
    t->template = template ? xstrdup(template) : NULL;
    json_free(j);
    return true;
}

struct tokenizer *tokenizer_load(const char *dir, struct err *e)
{
    char *path = path_join(dir, "tokenizer.json");
    json *j = json_load(path, FILE_MAX, e);
    struct tokenizer *t = NULL;
    if (j) {
        t = xcalloc(1, sizeof *t);
        t->bos = t->eos = -1;
        if (!read_file(t, j, e)) {
            err_in(e, "%s", path);
            tokenizer_free(&t);
        }
    }
    json_free(j);
    free(path);
    if (t && !read_config(t, dir, e))
        tokenizer_free(&t);
    return t;
}

/* ---- Writing ------------------------------------------------------------ */

/* A token's name in the file, as a borrowed string of b. */
static const char *letters(const struct tokenizer *t, int32_t id,
                           struct buf *b)
{
    const struct token *k = &t->at[id];
    if (k->special)
        return k->bytes;
    buf_clear(b);
    for (uint32_t i = 0; i < k->n; i++) {
        char c[4];
        size_t n = utf8_put(c, byte_letter((unsigned char)k->bytes[i]));
        buf_add(b, c, n);
    }
    return buf_str(b);
}

static void print_added(const struct tokenizer *t, struct jw *w)
{
    jw_key(w, "added_tokens");
    jw_open(w, '[');
    for (size_t i = 0; i < t->n; i++) {
        if (!t->at[i].special)
            continue;
        jw_open(w, '{');
        jw_kint(w, "id", (int64_t)i);
        jw_kstr(w, "content", t->at[i].bytes);
        jw_kbool(w, "single_word", false);
        jw_kbool(w, "lstrip", false);
        jw_kbool(w, "rstrip", false);
        jw_kbool(w, "normalized", false);
        jw_kbool(w, "special", true);
        jw_close(w);
    }
    jw_close(w);
}

static int by_rank(const void *a, const void *b)
{
    return ((const struct merge *)a)->rank - ((const struct merge *)b)->rank;
}

static void print_merges(const struct tokenizer *t, struct jw *w)
{
    struct merge *m = xmalloc((t->merges.n + 1) * sizeof *m);
    size_t n = 0;
    for (size_t i = 0; i < t->merges.cap; i++)
        if (t->merges.at[i].rank >= 0)
            m[n++] = t->merges.at[i];
    qsort(m, n, sizeof *m, by_rank);
    struct buf left = BUF_INIT(0), right = BUF_INIT(0);
    jw_key(w, "merges");
    jw_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        jw_open(w, '[');
        jw_str(w, letters(t, m[i].left, &left));
        jw_str(w, letters(t, m[i].right, &right));
        jw_close(w);
    }
    jw_close(w);
    buf_free(&left);
    buf_free(&right);
    free(m);
}

static void print_model(const struct tokenizer *t, struct jw *w)
{
    struct buf b = BUF_INIT(0);
    jw_key(w, "model");
    jw_open(w, '{');
    jw_kstr(w, "type", "BPE");
    jw_key(w, "dropout");
    jw_null(w);
    jw_key(w, "unk_token");
    jw_null(w);
    jw_kbool(w, "fuse_unk", false);
    jw_kbool(w, "byte_fallback", false);
    jw_kbool(w, "ignore_merges", false);
    jw_key(w, "vocab");
    jw_open(w, '{');
    for (size_t i = 0; i < t->n; i++)
        jw_kint(w, letters(t, (int32_t)i, &b), (int64_t)i);
    jw_close(w);
    print_merges(t, w);
    jw_close(w);
    buf_free(&b);
}

static void print_file(const struct tokenizer *t, struct buf *b)
{
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_kstr(&w, "version", "1.0");
    jw_key(&w, "truncation");
    jw_null(&w);
    jw_key(&w, "padding");
    jw_null(&w);
    print_added(t, &w);
    jw_key(&w, "normalizer");
    jw_null(&w);
    jw_key(&w, "pre_tokenizer");
    jw_raw(&w, "{\"type\":\"Sequence\",\"pretokenizers\":["
               "{\"type\":\"Digits\",\"individual_digits\":true},"
               "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
               "\"trim_offsets\":true,\"use_regex\":true}]}");
    jw_key(&w, "post_processor");
    jw_null(&w);
    jw_key(&w, "decoder");
    jw_raw(&w, "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
               "\"trim_offsets\":true,\"use_regex\":true}");
    print_model(t, &w);
    jw_close(&w);
    buf_putc(b, '\n');
}

static void print_config(const struct tokenizer *t, int context,
                         struct buf *b)
{
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_kstr(&w, "tokenizer_class", "PreTrainedTokenizerFast");
    jw_kstr(&w, "eos_token", t->at[t->eos].bytes);
    jw_kstr(&w, "pad_token", t->at[t->eos].bytes);
    jw_kint(&w, "model_max_length", context);
    jw_kbool(&w, "clean_up_tokenization_spaces", false);
    jw_kstr(&w, "chat_template", TEMPLATE_NANO);
    jw_close(&w);
    buf_putc(b, '\n');
}

static bool replace(const char *dir, const char *name, const struct buf *b,
                    struct err *e)
{
    char *path = path_join(dir, name);
    bool ok = file_replace(path, buf_str(b), b->len, 0644, true, e);
    free(path);
    return ok;
}

bool tokenizer_save(const struct tokenizer *t, const char *dir, int context,
                    struct err *e)
{
    struct buf b = BUF_INIT(0);
    print_file(t, &b);
    bool ok = replace(dir, "tokenizer.json", &b, e);
    buf_clear(&b);
    print_config(t, context, &b);
    ok = ok && replace(dir, "tokenizer_config.json", &b, e);
    buf_free(&b);
    return ok;
}
