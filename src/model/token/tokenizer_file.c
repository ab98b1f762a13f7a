/* tokenizer.json, tokenizer_config.json and what stands beside them, read and
 * written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/token/stream.h"
#include "model/token/template.h"
#include "model/token/tokenizer.h"

enum { FILE_MAX = 64 << 20, CONFIG_MAX = 16 << 20 };

#define META "\xe2\x96\x81" /* U+2581 */

/* ---- Bytes and letters -------------------------------------------------- */

/* The byte of each letter, 256 for none. */
static unsigned letter_byte(uint32_t cp)
{
    static uint16_t table[0x200];
    static bool made;
    if (!made) {
        for (size_t i = 0; i < COUNT(table); i++)
            table[i] = 256;
        for (unsigned b = 0; b < 256; b++)
            table[byte_letter(b)] = (uint16_t)b;
        made = true;
    }
    return cp < COUNT(table) ? table[cp] : 256;
}

/* A token's text to its bytes: for byte-level files each letter is a byte.
 * False where a letter stands for none. */
static bool bytes_of(const struct tokenizer *t, const struct buf *text,
                     struct buf *out)
{
    buf_clear(out);
    if (!t->bytes)
        return buf_add(out, buf_str(text), text->len);
    for (size_t i = 0, len; i < text->len; i += len) {
        uint32_t cp;
        len = utf8_get(text->data + i, text->len - i, &cp);
        unsigned b = len ? letter_byte(cp) : 256;
        if (b == 256)
            return false;
        buf_putc(out, (char)b);
    }
    return true;
}

/* ---- The parts of the file ---------------------------------------------- */

/* Where each part stands in the text; the model's largest ones are read from
 * there without a tree. */
struct parts {
    const char *vocab, *merges;
    size_t vocab_n, merges_n;
    json *model;  /* the rest of it */
    json *added, *normalizer, *pre, *post, *decoder;
};

static void parts_free(struct parts *p)
{
    json_free(p->model);
    json_free(p->added);
    json_free(p->normalizer);
    json_free(p->pre);
    json_free(p->post);
    json_free(p->decoder);
}

/* Steps over a value of any size, and remembers its text. */
static bool step_over(struct stream *s, const char **text, size_t *n)
{
    struct buf b = BUF_INIT((size_t)1 << 20);
    char c = stream_peek(s);
    int64_t i;
    *text = s->p;
    bool ok = true;
    if (c == '{') {
        ok = stream_enter(s, '{');
        while (ok && stream_key(s, &b))
            ok = stream_peek(s) == '"' ? stream_string(s, &b)
                                       : stream_int(s, &i);
    } else if (c == '[') {
        const char *inner;
        size_t len;
        ok = stream_enter(s, '[');
        while (ok && stream_more(s))
            ok = stream_peek(s) == '"' ? stream_string(s, &b)
                                       : stream_skip(s, &inner, &len);
    }
    buf_free(&b);
    *n = (size_t)(s->p - *text);
    return ok && !s->failed;
}

/* The model without vocab and merges, as a tree. */
static bool find_model(struct stream *s, struct parts *p, struct err *e)
{
    struct buf key = BUF_INIT(1000), rest = BUF_INIT((size_t)1 << 20);
    bool ok = stream_enter(s, '{');
    buf_putc(&rest, '{');
    while (ok && stream_key(s, &key)) {
        const char *text;
        size_t n;
        if (!strcmp(buf_str(&key), "vocab")) {
            ok = stream_peek(s) == '{'
                     ? step_over(s, &p->vocab, &p->vocab_n)
                     : stream_skip(s, &text, &n);
        } else if (!strcmp(buf_str(&key), "merges")) {
            ok = step_over(s, &p->merges, &p->merges_n);
        } else if ((ok = stream_skip(s, &text, &n))) {
            buf_puts(&rest, rest.len > 1 ? "," : "");
            json_quote(&rest, buf_str(&key), key.len);
            buf_putc(&rest, ':');
            buf_add(&rest, text, n);
        }
    }
    buf_putc(&rest, '}');
    p->model = ok && !s->failed ? json_parse(buf_str(&rest), rest.len, e)
                                : NULL;
    buf_free(&key);
    buf_free(&rest);
    return p->model != NULL;
}

static bool find_parts(const struct buf *text, struct parts *p, struct err *e)
{
    struct stream s;
    struct buf key = BUF_INIT(1000);
    static const char *const names[] = {"added_tokens", "normalizer",
                                        "pre_tokenizer", "post_processor",
                                        "decoder"};
    json **const to[] = {&p->added, &p->normalizer, &p->pre, &p->post,
                         &p->decoder};
    *p = (struct parts){0};
    stream_start(&s, buf_str(text), text->len, e);
    bool ok = stream_enter(&s, '{');
    while (ok && stream_key(&s, &key)) {
        const char *value;
        size_t n;
        size_t i = 0;
        while (i < COUNT(names) && strcmp(names[i], buf_str(&key)))
            i++;
        if (!strcmp(buf_str(&key), "model") && !p->model)
            ok = find_model(&s, p, e);
        else if ((ok = stream_skip(&s, &value, &n)) && i < COUNT(names) &&
                 !*to[i])
            ok = (*to[i] = json_parse(value, n, e)) != NULL;
    }
    buf_free(&key);
    ok = ok && !s.failed;
    if (ok && !p->model)
        ok = err_set(e, ERR_INPUT, _("no model"));
    return ok;
}

static bool is_type(const json *j, const char *type)
{
    return !strcmp(json_get_string(j, "type", ""), type);
}

static bool absent(const json *j)
{
    return !j || json_is_null(j);
}

/* ---- Tokens ------------------------------------------------------------- */

/* Sets an id, or names what is wrong with it. */
static bool set(struct tokenizer *t, int64_t id, const char *bytes, size_t n,
                const char *name, struct err *e)
{
    if (id < 0 || (size_t)id >= TOKENS_MOST)
        return err_set(e, ERR_INPUT, _("token \"%.60s\" has an id that cannot "
                                       "be"), name);
    if (!n)
        return err_set(e, ERR_INPUT, _("token %lld is empty"), (long long)id);
    if (!tokenizer_set(t, id, bytes, n))
        return err_set(e, ERR_INPUT, _("token \"%.60s\": its id %lld or its "
                                       "text is taken"), name, (long long)id);
    return true;
}

static bool read_added(struct tokenizer *t, const json *list, struct err *e)
{
    for (const json *a = json_first(list); a; a = json_next(a)) {
        const char *text = json_get_string(a, "content", "");
        int64_t id = json_get_int(a, "id", -1);
        if (!set(t, id, text, strlen(text), text, e))
            return false;
        struct token *k = &t->at[id];
        k->special = json_get_bool(a, "special", false);
        k->normalized = json_get_bool(a, "normalized", !k->special);
        k->lstrip = json_get_bool(a, "lstrip", false);
        k->rstrip = json_get_bool(a, "rstrip", false);
        k->single_word = json_get_bool(a, "single_word", false);
        if (!tokenizer_add(t, (int32_t)id))
            return err_set(e, ERR_INPUT, _("added token \"%.60s\": the "
                                           "normalizers leave nothing of it"),
                           text);
    }
    return true;
}

/* An added token may stand in the vocabulary too, under the same id. */
static bool is_added(const struct tokenizer *t, int64_t id,
                     const struct buf *text)
{
    return id >= 0 && (size_t)id < t->n && t->at[id].added &&
           t->at[id].n == text->len &&
           !memcmp(t->at[id].bytes, text->data, text->len);
}

static bool read_vocab(struct tokenizer *t, const struct parts *p,
                       struct err *e)
{
    struct stream s;
    struct buf text = BUF_INIT((size_t)1 << 20), b = BUF_INIT((size_t)1 << 20);
    int64_t id;
    if (!p->vocab)
        return err_set(e, ERR_INPUT, _("no vocabulary"));
    stream_start(&s, p->vocab, p->vocab_n, e);
    bool ok = stream_enter(&s, '{');
    while (ok && stream_key(&s, &text)) {
        ok = stream_int(&s, &id);
        if (!ok || is_added(t, id, &text))
            continue;
        /* what is not in letters is a text that no piece can be */
        bool plain = bytes_of(t, &text, &b);
        const struct buf *as = plain ? &b : &text;
        ok = set(t, id, buf_str(as), as->len, buf_str(&text), e);
    }
    ok = ok && !s.failed;
    buf_free(&text);
    buf_free(&b);
    return ok;
}

/* The two halves of a merge, "a b" or ["a","b"]. */
static bool read_halves(struct stream *s, struct buf *left, struct buf *right)
{
    if (stream_peek(s) == '[')
        return stream_enter(s, '[') && stream_more(s) &&
               stream_string(s, left) && stream_more(s) &&
               stream_string(s, right) && !stream_more(s) && !s->failed;
    if (!stream_string(s, left))
        return false;
    char *blank = memchr(left->data, ' ', left->len);
    size_t n = blank ? (size_t)(blank - left->data) : 0;
    if (!n || n + 1 == left->len || strchr(blank + 1, ' '))
        return false;
    buf_clear(right);
    buf_add(right, blank + 1, left->len - n - 1);
    buf_drop(left, left->len - n);
    return true;
}

static bool add_merge(struct tokenizer *t, const struct buf *left,
                      const struct buf *right, struct buf *a, struct buf *b,
                      struct err *e)
{
    int32_t l = -1, r = -1, to = -1;
    if (bytes_of(t, left, a) && bytes_of(t, right, b)) {
        l = tokenizer_find(t, buf_str(a), a->len);
        r = tokenizer_find(t, buf_str(b), b->len);
        buf_add(a, buf_str(b), b->len);
        to = tokenizer_find(t, buf_str(a), a->len);
    }
    if (l < 0 || r < 0 || to < 0)
        return err_set(e, ERR_INPUT, _("merge \"%.40s\" \"%.40s\": not in the "
                                       "vocabulary"), buf_str(left),
                       buf_str(right));
    merges_add(&t->merges, l, r, to);
    return true;
}

static bool read_merges(struct tokenizer *t, const struct parts *p,
                        struct err *e)
{
    struct stream s;
    struct buf left = BUF_INIT((size_t)1 << 20), right = left, a = left,
               b = left;
    size_t line = 0;
    if (!p->merges)
        return true;
    stream_start(&s, p->merges, p->merges_n, e);
    bool ok = stream_enter(&s, '[');
    while (ok && stream_more(&s)) {
        line++;
        if (!read_halves(&s, &left, &right))
            ok = err_set(e, ERR_INPUT, _("merge %zu is not a pair"), line);
        else if (!(ok = add_merge(t, &left, &right, &a, &b, e)))
            err_in(e, _("merge %zu"), line);
    }
    ok = ok && !s.failed;
    buf_free(&left);
    buf_free(&right);
    buf_free(&a);
    buf_free(&b);
    return ok;
}

/* ---- Model, post-processor, decoder ------------------------------------- */

static bool read_model(struct tokenizer *t, const json *m, struct err *e)
{
    const char *type = json_get_string(m, "type", "BPE");
    if (strcmp(type, "BPE"))
        return err_set(e, ERR_REFUSED, _("its model is \"%.40s\"; only BPE is "
                                         "supported"), type);
    if (!absent(json_get(m, "dropout")) ||
        *json_get_string(m, "continuing_subword_prefix", "") ||
        *json_get_string(m, "end_of_word_suffix", ""))
        return err_set(e, ERR_REFUSED, _("dropout, prefixes and suffixes of a "
                                         "BPE are not supported"));
    t->fallback = json_get_bool(m, "byte_fallback", false);
    t->whole = json_get_bool(m, "ignore_merges", false);
    t->fuse_unknown = json_get_bool(m, "fuse_unk", false);
    return true;
}

/* What is known only once there are tokens. */
static void finish_model(struct tokenizer *t, const json *m)
{
    const char *unknown = json_get_string(m, "unk_token", NULL);
    t->unknown = unknown ? tokenizer_find(t, unknown, strlen(unknown)) : -1;
    if (t->bytes || t->fallback)
        for (unsigned b = 0; b < 256; b++) {
            char c = (char)b, name[8];
            snprintf(name, sizeof name, "<0x%02X>", b);
            t->byte[b] = t->bytes ? tokenizer_find(t, &c, 1)
                                  : tokenizer_find(t, name, 6);
        }
    while (t->n && !t->at[t->n - 1].bytes)
        t->n--;
}

static bool frame_token(struct tokenizer *t, const json *special, bool before,
                        struct err *e)
{
    const char *name = json_get_string(special, "id", "");
    int32_t id = tokenizer_find(t, name, strlen(name));
    size_t *n = before ? &t->n_before : &t->n_after;
    if (id < 0 || *n >= FRAME_MOST)
        return err_set(e, ERR_INPUT, _("its post_processor names a token that "
                                       "is not there"));
    (before ? t->before : t->after)[(*n)++] = id;
    return true;
}

static bool read_post(struct tokenizer *t, const json *post, struct err *e)
{
    bool before = true, ok = true;
    if (absent(post) || is_type(post, "ByteLevel"))
        return true;
    if (is_type(post, "Sequence")) {
        for (const json *p = json_first(json_get(post, "processors"));
             ok && p; p = json_next(p))
            ok = read_post(t, p, e);
        return ok;
    }
    if (!is_type(post, "TemplateProcessing"))
        return err_set(e, ERR_REFUSED, _("its post_processor is not "
                                         "supported"));
    for (const json *p = json_first(json_get(post, "single")); ok && p;
         p = json_next(p)) {
        const json *special = json_get(p, "SpecialToken");
        if (special)
            ok = frame_token(t, special, before, e);
        else
            before = false;
    }
    return ok;
}

static bool read_decoder(struct tokenizer *t, const json *d, struct err *e)
{
    bool ok = true;
    struct undo u = {.start = (size_t)json_get_int(d, "start", 0),
                     .stop = (size_t)json_get_int(d, "stop", 0)};
    if (absent(d) || is_type(d, "ByteLevel"))
        return true;
    if (is_type(d, "Sequence")) {
        for (const json *x = json_first(json_get(d, "decoders")); ok && x;
             x = json_next(x))
            ok = read_decoder(t, x, e);
        return ok;
    }
    const char *scheme = json_get_string(d, "prepend_scheme", NULL);
    const json *pattern = json_get(d, "pattern");
    u.kind = is_type(d, "Replace")        ? UNDO_REPLACE
             : is_type(d, "ByteFallback") ? UNDO_BYTES
             : is_type(d, "Fuse")         ? UNDO_FUSE
             : is_type(d, "Strip")        ? UNDO_STRIP
                                          : UNDO_METASPACE;
    if (u.kind == UNDO_METASPACE && !is_type(d, "Metaspace"))
        return err_set(e, ERR_REFUSED, _("its decoder (%.40s) is not "
                                         "supported"),
                       json_get_string(d, "type", ""));
    if (u.kind == UNDO_REPLACE && !json_get_string(pattern, "String", NULL))
        return err_set(e, ERR_REFUSED, _("a decoder that replaces a pattern "
                                         "is not supported"));
    u.prefixed = scheme ? strcmp(scheme, "never") != 0
                        : json_get_bool(d, "add_prefix_space", true);
    u.pattern = xstrdup(u.kind == UNDO_METASPACE
                            ? json_get_string(d, "replacement", META)
                            : json_get_string(pattern, "String", ""));
    u.content = xstrdup(u.kind == UNDO_METASPACE
                            ? " " : json_get_string(d, "content", ""));
    VEC_PUSH(&t->undo, u);
    return true;
}

/* Replacements after each other can make an endless text of a short one. */
static bool check_growth(const step_list *all, struct err *e)
{
    enum { MOST = 1000 }; /* times as long */
    double times = 1;
    for (size_t i = 0; i < all->n; i++) {
        const struct step *s = &all->at[i];
        if (s->kind != STEP_REPLACE)
            continue;
        size_t to = strlen(s->content);
        size_t from = s->regex || !*s->pattern ? 1 : strlen(s->pattern);
        times *= to > from ? (double)to / (double)from : 1;
    }
    return times <= MOST ||
           err_set(e, ERR_REFUSED, _("its normalizers can make a text more "
                                     "than %d times as long"), MOST);
}

/* Byte letters may be read by the decoder alone (a Split before). */
static bool read_steps(struct tokenizer *t, const struct parts *p,
                       struct err *e)
{
    return normalizer_read(p->normalizer, &t->normal, &t->bytes, e) &&
           check_growth(&t->normal, e) &&
           pretokenizer_read(p->pre, &t->pre, &t->bytes, e);
}

static bool read_file(struct tokenizer *t, const struct buf *text,
                      struct err *e)
{
    struct parts p;
    bool ok = find_parts(text, &p, e) && read_model(t, p.model, e) &&
              read_steps(t, &p, e) && read_added(t, p.added, e) &&
              read_vocab(t, &p, e) && read_merges(t, &p, e);
    if (ok)
        finish_model(t, p.model);
    ok = ok && read_post(t, p.post, e) && read_decoder(t, p.decoder, e);
    parts_free(&p);
    return ok;
}

/* ---- The files beside it ------------------------------------------------ */

/* The text of a named token: a string, or an object with content. */
static const char *named(const json *j, const char *key)
{
    const json *v = json_get(j, key);
    return json_is_object(v) ? json_get_string(v, "content", NULL)
                             : json_get_string(j, key, NULL);
}

/* The template of a list of {name, template}: the default one. */
static const char *template_of(const json *j)
{
    const json *v = json_get(j, "chat_template");
    if (!json_is_array(v))
        return json_get_string(j, "chat_template", NULL);
    for (const json *x = json_first(v); x; x = json_next(x))
        if (!strcmp(json_get_string(x, "name", ""), "default"))
            return json_get_string(x, "template", NULL);
    return NULL;
}

static json *load_beside(const char *dir, const char *name, bool *there,
                         struct err *e)
{
    char *path = path_join(dir, name);
    *there = file_exists(path);
    json *j = *there ? json_load(path, CONFIG_MAX, e) : NULL;
    free(path);
    return j;
}

static int32_t find_name(const struct tokenizer *t, size_t i)
{
    return t->named[i] ? tokenizer_find(t, t->named[i], strlen(t->named[i]))
                       : -1;
}

static bool read_config(struct tokenizer *t, const char *dir, struct err *e)
{
    bool there;
    json *j = load_beside(dir, "tokenizer_config.json", &there, e);
    if (!j)
        return !there;
    for (size_t i = 0; i < TOKEN_NAMES; i++) {
        const char *text = named(j, token_names[i]);
        t->named[i] = text ? xstrdup(text) : NULL;
    }
    t->bos = find_name(t, 0);
    t->eos = find_name(t, 1);
    tokenizer_add_stop(t, t->eos);
    tokenizer_set_template(t, template_of(j));
    json_free(j);
    return true;
}

/* chat_template.jinja wins over what the config holds. */
static bool read_template(struct tokenizer *t, const char *dir, struct err *e)
{
    char *path = path_join(dir, "chat_template.jinja");
    struct buf b = BUF_INIT(CONFIG_MAX);
    bool ok = !file_exists(path) || file_read(path, CONFIG_MAX, &b, e);
    if (ok && b.len)
        tokenizer_set_template(t, buf_str(&b));
    buf_free(&b);
    free(path);
    return ok;
}

/* A number within bounds; `otherwise` where it is none. */
static double bounded(const json *j, const char *key, double lo, double hi,
                      double otherwise)
{
    double v = json_get_number(j, key, otherwise);
    return v >= lo && v <= hi ? v : otherwise;
}

/* generation_config.json: how its makers draw, and what ends an answer:
 * eos_token_id, one or a list. */
static bool read_generation(struct tokenizer *t, const char *dir,
                            struct err *e)
{
    bool there;
    json *j = load_beside(dir, "generation_config.json", &there, e);
    t->usual.temperature = json_get_bool(j, "do_sample", true)
                               ? bounded(j, "temperature", 0, 2, 1) : 0;
    t->usual.top_p = bounded(j, "top_p", 0, 1, 1);
    t->usual.min_p = bounded(j, "min_p", 0, 1, 0);
    t->usual.repetition = bounded(j, "repetition_penalty", .1, 10, 1);
    t->usual.top_k = (int)bounded(j, "top_k", 0, 1e6, 0);
    const json *v = json_get(j, "eos_token_id");
    if (json_is_array(v))
        for (const json *x = json_first(v); x; x = json_next(x))
            tokenizer_add_stop(t, (int32_t)json_number(x, -1));
    else
        tokenizer_add_stop(t, (int32_t)json_number(v, -1));
    if (t->eos < 0 && t->n_stop)
        t->eos = t->stop[0];
    json_free(j);
    return j || !there;
}

struct tokenizer *tokenizer_load(const char *dir, struct err *e)
{
    char *path = path_join(dir, "tokenizer.json");
    struct buf text = BUF_INIT(FILE_MAX);
    struct tokenizer *t = NULL;
    char *spm = path_join(dir, "tokenizer.model");
    if (!file_exists(path) && file_exists(spm)) {
        err_set(e, ERR_REFUSED, _("%s: only tokenizer.model is there; "
                                  "transformers' save_pretrained of its "
                                  "tokenizer writes tokenizer.json"), dir);
    } else if (file_read(path, FILE_MAX, &text, e)) {
        t = xcalloc(1, sizeof *t);
        t->bos = t->eos = t->unknown = -1;
        if (!read_file(t, &text, e)) {
            err_in(e, "%s", path);
            tokenizer_free(&t);
        }
    }
    buf_free(&text);
    free(path);
    free(spm);
    if (t && (!read_config(t, dir, e) || !read_template(t, dir, e) ||
              !read_generation(t, dir, e)))
        tokenizer_free(&t);
    return t;
}

/* ---- Writing ------------------------------------------------------------ */

/* A token's name in the file, as a borrowed string of b. */
static const char *letters(const struct tokenizer *t, int32_t id,
                           struct buf *b)
{
    const struct token *k = &t->at[id];
    if (k->added)
        return k->bytes;
    buf_clear(b);
    for (uint32_t i = 0; i < k->n; i++) {
        char c[4];
        size_t n = utf8_put(c, byte_letter((unsigned char)k->bytes[i]));
        buf_add(b, c, n);
    }
    return buf_str(b);
}

void tokenizer_print_added(struct jw *w, int64_t id, const char *text,
                           bool special)
{
    jw_open(w, '{');
    jw_kint(w, "id", id);
    jw_kstr(w, "content", text);
    jw_kbool(w, "single_word", false);
    jw_kbool(w, "lstrip", false);
    jw_kbool(w, "rstrip", false);
    jw_kbool(w, "normalized", false);
    jw_kbool(w, "special", special);
    jw_close(w);
}

static void print_added(const struct tokenizer *t, struct jw *w)
{
    jw_key(w, "added_tokens");
    jw_open(w, '[');
    for (size_t i = 0; i < t->n; i++) {
        if (t->at[i].added)
            tokenizer_print_added(w, (int64_t)i, t->at[i].bytes, true);
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

void tokenizer_open_model(struct jw *w, bool ignore_merges,
                          const char *unknown)
{
    jw_key(w, "model");
    jw_open(w, '{');
    jw_kstr(w, "type", "BPE");
    jw_key(w, "dropout");
    jw_null(w);
    jw_key(w, "unk_token");
    if (unknown)
        jw_str(w, unknown);
    else
        jw_null(w);
    jw_kbool(w, "fuse_unk", unknown != NULL);
    jw_kbool(w, "byte_fallback", unknown != NULL);
    jw_kbool(w, "ignore_merges", ignore_merges);
}

static void print_model(const struct tokenizer *t, struct jw *w)
{
    struct buf b = BUF_INIT(0);
    tokenizer_open_model(w, false, NULL);
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
