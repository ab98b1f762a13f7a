#include "model/token/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "model/token/split.h"

#define META "\xe2\x96\x81" /* U+2581 */

/* ---- The text under way ------------------------------------------------- */

void pieces_start(struct pieces *p, const char *s, size_t n, size_t base)
{
    *p = (struct pieces){.text = BUF_INIT(SIZE_MAX >> 1), .base = base};
    struct match all = {0, n};
    buf_add(&p->text, s, n);
    if (n)
        VEC_PUSH(&p->at, all);
}

void pieces_free(struct pieces *p)
{
    buf_free(&p->text);
    VEC_FREE(&p->from);
    VEC_FREE(&p->to);
    VEC_FREE(&p->at);
}

void pieces_origin(const struct pieces *p, size_t from, size_t to,
                   uint32_t *begin, uint32_t *end)
{
    if (!p->mapped) {
        *begin = (uint32_t)(p->base + from);
        *end = (uint32_t)(p->base + to);
        return;
    }
    *begin = from < p->from.n ? p->from.at[from] : 0;
    *end = to > from ? p->to.at[to - 1] : *begin;
}

/* A new text that grows out of an old one. */
struct growing {
    const struct pieces *old;
    struct pieces now;
};

/* Adds n bytes that stand for [from, to) of the old text. */
static void put(struct growing *g, const char *s, size_t n, size_t from,
                size_t to)
{
    uint32_t begin, end;
    pieces_origin(g->old, from, to, &begin, &end);
    buf_add(&g->now.text, s, n);
    for (size_t i = 0; i < n; i++) {
        VEC_PUSH(&g->now.from, begin);
        VEC_PUSH(&g->now.to, end);
    }
}

/* Adds a stretch of the old text as it is. */
static void keep(struct growing *g, size_t from, size_t to)
{
    const char *s = buf_str(&g->old->text);
    for (size_t i = from; i < to; i++)
        put(g, s + i, 1, i, i + 1);
}

static void end_piece(struct growing *g, size_t from)
{
    struct match m = {from, g->now.text.len};
    if (m.to > m.from)
        VEC_PUSH(&g->now.at, m);
}

static struct growing grow(struct pieces *p)
{
    return (struct growing){
        .old = p, .now = {.text = BUF_INIT(SIZE_MAX >> 1), .mapped = true}};
}

static void settle(struct pieces *p, struct growing *g)
{
    pieces_free(p);
    *p = g->now;
}

/* Does one thing to the text of each piece. */
static void each_piece(struct pieces *p,
                       void (*fn)(struct growing *g, struct match m,
                                  const struct step *s, size_t i),
                       const struct step *s)
{
    struct growing g = grow(p);
    for (size_t i = 0; i < p->at.n; i++) {
        size_t from = g.now.text.len;
        fn(&g, p->at.at[i], s, i);
        end_piece(&g, from);
    }
    settle(p, &g);
}

/* ---- Normalizers -------------------------------------------------------- */

/* A character with what stands behind it up to the next ASCII one is brought
 * into the form together: no ASCII character joins with what is before it. */
static void form(struct growing *g, struct match m, const struct step *s,
                 size_t i)
{
    const char *text = buf_str(&g->old->text);
    (void)i;
    for (size_t at = m.from; at < m.to;) {
        size_t to = at + 1;
        while (to < m.to && (unsigned char)text[to] >= 0x80)
            to++;
        char *done = to - at > 1 || (unsigned char)text[at] >= 0x80
                         ? uni_form(text + at, to - at, s->form)
                         : NULL;
        if (done)
            put(g, done, strlen(done), at, to);
        else
            keep(g, at, to);
        free(done);
        at = to;
    }
}

static bool needs_form(const struct pieces *p, const struct step *s)
{
    const char *t = buf_str(&p->text);
    size_t n = p->text.len, i = 0;
    while (i < n && (unsigned char)t[i] < 0x80)
        i++;
    if (i == n)
        return false;
    char *done = uni_form(t, n, s->form);
    bool same = done && strlen(done) == n && !memcmp(done, t, n);
    free(done);
    return !same;
}

static void find_all(const struct step *s, const char *text, size_t n,
                     matches *out)
{
    if (s->regex) {
        regex_all(s->regex, text, n, out);
        return;
    }
    size_t len = strlen(s->pattern);
    for (size_t at = 0; len && at + len <= n;) {
        const char *p = memmem(text + at, n - at, s->pattern, len);
        if (!p)
            break;
        struct match m = {(size_t)(p - text), (size_t)(p - text) + len};
        VEC_PUSH(out, m);
        at = m.to;
    }
}

static void replace(struct growing *g, struct match m, const struct step *s,
                    size_t i)
{
    matches all = {0};
    size_t at = m.from, n = strlen(s->content);
    (void)i;
    find_all(s, buf_str(&g->old->text) + m.from, m.to - m.from, &all);
    for (size_t k = 0; k < all.n; k++) {
        struct match hit = {m.from + all.at[k].from, m.from + all.at[k].to};
        keep(g, at, hit.from);
        put(g, s->content, n, hit.from, hit.to);
        at = hit.to;
    }
    keep(g, at, m.to);
    VEC_FREE(&all);
}

static void prepend(struct growing *g, struct match m, const struct step *s,
                    size_t i)
{
    (void)i;
    if (m.to > m.from)
        put(g, s->content, strlen(s->content), m.from, m.from);
    keep(g, m.from, m.to);
}

static void lower(struct growing *g, struct match m, const struct step *s,
                  size_t i)
{
    const char *text = buf_str(&g->old->text);
    (void)s;
    (void)i;
    for (size_t at = m.from; at < m.to;) {
        uint32_t cp;
        size_t n = utf8_get(text + at, m.to - at, &cp);
        n = n ? n : 1;
        char *small = uni_case(text + at, n, UNI_LOWER);
        put(g, small, strlen(small), at, at + n);
        free(small);
        at += n;
    }
}

static bool is_space(const char *s, size_t n, size_t *len)
{
    uint32_t cp;
    *len = utf8_get(s, n, &cp);
    bool space = *len && uni_kind(cp) == UNI_SPACE;
    *len = *len ? *len : 1;
    return space;
}

static void strip(struct growing *g, struct match m, const struct step *s,
                  size_t i)
{
    const char *text = buf_str(&g->old->text);
    size_t len;
    (void)i;
    while (s->left && m.from < m.to &&
           is_space(text + m.from, m.to - m.from, &len))
        m.from += len;
    while (s->right && m.to > m.from) {
        size_t at = m.to - 1;
        while (at > m.from && ((unsigned char)text[at] & 0xc0) == 0x80)
            at--;
        if (!is_space(text + at, m.to - at, &len))
            break;
        m.to = at;
    }
    keep(g, m.from, m.to);
}

/* ---- Pre-tokenizers ----------------------------------------------------- */

static void push(matches *out, size_t from, size_t to)
{
    struct match m = {from, to};
    if (to > from)
        VEC_PUSH(out, m);
}

/* Splits m by what was found in it (ranges of m's own), as the library's
 * SplitDelimiterBehavior says. */
static void divide(struct match m, const matches *hits, enum behaviour how,
                   bool invert, matches *out)
{
    matches part = {0}; /* matches and what is between, in turn */
    VEC(bool) hit = {0};
    size_t at = m.from;
    for (size_t i = 0; i <= hits->n; i++) {
        size_t from = i < hits->n ? m.from + hits->at[i].from : m.to;
        size_t to = i < hits->n ? m.from + hits->at[i].to : m.to;
        if (from > at) {
            push(&part, at, from);
            VEC_PUSH(&hit, invert);
        }
        if (to > from) {
            push(&part, from, to);
            VEC_PUSH(&hit, !invert);
        }
        at = to;
    }
    for (size_t i = 0; i < part.n; i++) {
        struct match x = part.at[i];
        bool next = i + 1 < part.n && hit.at[i + 1];
        if (how == REMOVED && hit.at[i])
            continue;
        if (how == CONTIGUOUS)
            while (i + 1 < part.n && hit.at[i + 1] == hit.at[i])
                x.to = part.at[++i].to;
        if (how == MERGED_PREVIOUS && !hit.at[i] && next)
            x.to = part.at[++i].to;
        if (how == MERGED_NEXT && hit.at[i] && i + 1 < part.n &&
            !hit.at[i + 1])
            x.to = part.at[++i].to;
        push(out, x.from, x.to);
    }
    VEC_FREE(&part);
    VEC_FREE(&hit);
}

static void split(struct pieces *p, const struct step *s)
{
    matches out = {0};
    for (size_t i = 0; i < p->at.n; i++) {
        struct match m = p->at.at[i];
        matches hits = {0};
        find_all(s, buf_str(&p->text) + m.from, m.to - m.from, &hits);
        divide(m, &hits, s->behaviour, s->invert, &out);
        VEC_FREE(&hits);
    }
    VEC_FREE(&p->at);
    p->at = out;
}

static void split_gpt2(struct pieces *p)
{
    matches out = {0};
    for (size_t i = 0; i < p->at.n; i++) {
        const char *s = buf_str(&p->text);
        size_t at = p->at.at[i].from, end = p->at.at[i].to;
        while (at < end) {
            size_t n = split_word(s + at, end - at);
            push(&out, at, at + n);
            at += n;
        }
    }
    VEC_FREE(&p->at);
    p->at = out;
}

static void prefix_space(struct growing *g, struct match m,
                         const struct step *s, size_t i)
{
    (void)s;
    (void)i;
    if (buf_str(&g->old->text)[m.from] != ' ')
        put(g, " ", 1, m.from, m.from);
    keep(g, m.from, m.to);
}

static void metaspace(struct pieces *p, const struct step *s, bool first)
{
    struct growing g = grow(p);
    for (size_t i = 0; i < p->at.n; i++) {
        const char *text = buf_str(&p->text);
        struct match m = p->at.at[i];
        size_t from = g.now.text.len, n = strlen(s->content);
        bool has = m.to - m.from >= n &&
                   !memcmp(text + m.from, s->content, n);
        bool want = s->prepend == PREPEND_ALWAYS ||
                    (s->prepend == PREPEND_FIRST && first && i == 0);
        if (want && text[m.from] != ' ' && !has)
            put(&g, s->content, n, m.from, m.from);
        for (size_t at = m.from; at < m.to; at++) {
            if (text[at] == ' ')
                put(&g, s->content, n, at, at + 1);
            else
                keep(&g, at, at + 1);
        }
        end_piece(&g, from);
    }
    settle(p, &g);
    struct step each = {.kind = STEP_SPLIT, .pattern = s->content,
                        .behaviour = MERGED_NEXT};
    if (s->split)
        split(p, &each);
}

/* Splits by a kind of character: each hit alone, or a run of them. */
static void split_kind(struct pieces *p, const struct step *s)
{
    matches out = {0};
    for (size_t i = 0; i < p->at.n; i++) {
        const char *text = buf_str(&p->text);
        struct match m = p->at.at[i];
        matches hits = {0};
        for (size_t at = m.from; at < m.to;) {
            uint32_t cp;
            size_t n = utf8_get(text + at, m.to - at, &cp);
            n = n ? n : 1;
            bool is = s->kind == STEP_DIGITS ? uni_kind(cp) == UNI_NUMBER
                      : s->kind == STEP_WHITESPACE
                          ? uni_kind(cp) == UNI_SPACE
                          : uni_punctuation(cp);
            struct match *last = hits.n ? &hits.at[hits.n - 1] : NULL;
            bool run = is && !s->single && s->kind == STEP_DIGITS && last &&
                       last->to == at - m.from;
            if (run)
                last->to += n;
            else if (is)
                push(&hits, at - m.from, at - m.from + n);
            at += n;
        }
        divide(m, &hits, s->behaviour, false, &out);
        VEC_FREE(&hits);
    }
    VEC_FREE(&p->at);
    p->at = out;
}

void steps_apply(const step_list *all, struct pieces *p, bool first)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct step *s = &all->at[i];
        switch (s->kind) {
        case STEP_FORM:
            if (needs_form(p, s))
                each_piece(p, form, s);
            break;
        case STEP_REPLACE: each_piece(p, replace, s); break;
        case STEP_PREPEND: each_piece(p, prepend, s); break;
        case STEP_STRIP: each_piece(p, strip, s); break;
        case STEP_LOWER: each_piece(p, lower, s); break;
        case STEP_SPLIT: split(p, s); break;
        case STEP_GPT2: split_gpt2(p); break;
        case STEP_PREFIX_SPACE: each_piece(p, prefix_space, s); break;
        case STEP_METASPACE: metaspace(p, s, first); break;
        case STEP_DIGITS:
        case STEP_PUNCTUATION:
        case STEP_WHITESPACE: split_kind(p, s); break;
        }
    }
}

/* ---- Reading ------------------------------------------------------------ */

void steps_free(step_list *all)
{
    for (size_t i = 0; i < all->n; i++) {
        regex_free(&all->at[i].regex);
        free(all->at[i].pattern);
        free(all->at[i].content);
    }
    VEC_FREE(all);
}

static const char *type_of(const json *j)
{
    return json_get_string(j, "type", "");
}

/* {"String": s} or {"Regex": r} into the step. */
static bool read_pattern(const json *j, struct step *s, struct err *e)
{
    const json *p = json_get(j, "pattern");
    const char *text = json_get_string(p, "String", NULL);
    const char *regex = json_get_string(p, "Regex", NULL);
    if (text)
        s->pattern = xstrdup(text);
    else if (regex)
        s->regex = regex_new(regex, e);
    else
        return err_set(e, ERR_INPUT, _("%s without a pattern"), type_of(j));
    return s->pattern || s->regex;
}

static bool read_behaviour(const json *j, struct step *s, struct err *e)
{
    static const char *const names[] = {"Removed", "Isolated",
                                        "MergedWithPrevious",
                                        "MergedWithNext", "Contiguous"};
    const char *name = json_get_string(j, "behavior", "Isolated");
    for (int i = 0; i < (int)COUNT(names); i++)
        if (!strcmp(names[i], name)) {
            s->behaviour = (enum behaviour)i;
            return true;
        }
    return err_set(e, ERR_REFUSED, _("the behaviour \"%.40s\" is not "
                                     "supported"), name);
}

typedef bool read_fn(const json *j, step_list *out, bool *bytes, struct err *e);

static bool each(const json *list, read_fn *fn, step_list *out, bool *bytes,
                 struct err *e)
{
    for (const json *j = json_first(list); j; j = json_next(j))
        if (!fn(j, out, bytes, e))
            return false;
    return true;
}

static bool add(step_list *out, struct step s)
{
    VEC_PUSH(out, s);
    return true;
}

bool normalizer_read(const json *j, step_list *out, bool *bytes, struct err *e)
{
    static const char *const forms[] = {"NFC", "NFD", "NFKC", "NFKD"};
    const char *type = type_of(j);
    struct step s = {.left = json_get_bool(j, "strip_left", true),
                     .right = json_get_bool(j, "strip_right", true)};
    if (!j || json_is_null(j))
        return true;
    if (!strcmp(type, "Sequence"))
        return each(json_get(j, "normalizers"), normalizer_read, out, bytes,
                    e);
    for (int i = 0; i < 4; i++)
        if (!strcmp(type, forms[i]))
            return add(out, (struct step){.kind = STEP_FORM, .form = i});
    if (!strcmp(type, "Lowercase"))
        return add(out, (struct step){.kind = STEP_LOWER});
    if (!strcmp(type, "Strip")) {
        s.kind = STEP_STRIP;
        return add(out, s);
    }
    if (!strcmp(type, "Prepend")) {
        s.kind = STEP_PREPEND;
        s.content = xstrdup(json_get_string(j, "prepend", ""));
        return add(out, s);
    }
    if (!strcmp(type, "ByteLevel")) {
        *bytes = true;
        return true;
    }
    if (strcmp(type, "Replace"))
        return err_set(e, ERR_REFUSED, _("the normalizer \"%.40s\" is not "
                                         "supported"), type);
    s.kind = STEP_REPLACE;
    s.content = xstrdup(json_get_string(j, "content", ""));
    add(out, s);
    return read_pattern(j, &out->at[out->n - 1], e);
}

static bool read_metaspace(const json *j, step_list *out, struct err *e)
{
    struct step s = {.kind = STEP_METASPACE,
                     .split = json_get_bool(j, "split", true)};
    const char *scheme = json_get_string(j, "prepend_scheme", NULL);
    bool old = json_get_bool(j, "add_prefix_space", true);
    s.prepend = scheme ? (!strcmp(scheme, "always")  ? PREPEND_ALWAYS
                          : !strcmp(scheme, "first") ? PREPEND_FIRST
                                                     : PREPEND_NEVER)
                       : old ? PREPEND_ALWAYS : PREPEND_NEVER;
    s.content = xstrdup(json_get_string(j, "replacement", META));
    (void)e;
    return add(out, s);
}

bool pretokenizer_read(const json *j, step_list *out, bool *bytes,
                       struct err *e)
{
    const char *type = type_of(j);
    if (!j || json_is_null(j))
        return true;
    if (!strcmp(type, "Sequence"))
        return each(json_get(j, "pretokenizers"), pretokenizer_read, out,
                    bytes, e);
    if (!strcmp(type, "ByteLevel")) {
        *bytes = true;
        if (json_get_bool(j, "add_prefix_space", true))
            add(out, (struct step){.kind = STEP_PREFIX_SPACE});
        return !json_get_bool(j, "use_regex", true) ||
               add(out, (struct step){.kind = STEP_GPT2});
    }
    if (!strcmp(type, "Metaspace"))
        return read_metaspace(j, out, e);
    if (!strcmp(type, "Digits"))
        return add(out, (struct step){
                            .kind = STEP_DIGITS, .behaviour = ISOLATED,
                            .single = json_get_bool(j, "individual_digits",
                                                    false)});
    if (!strcmp(type, "WhitespaceSplit"))
        return add(out, (struct step){.kind = STEP_WHITESPACE,
                                      .behaviour = REMOVED});
    struct step s = {.kind = STEP_PUNCTUATION,
                     .invert = json_get_bool(j, "invert", false)};
    if (!strcmp(type, "Punctuation"))
        return read_behaviour(j, &s, e) && add(out, s);
    s.kind = STEP_SPLIT;
    if (!strcmp(type, "Split"))
        return read_behaviour(j, &s, e) && add(out, s) &&
               read_pattern(j, &out->at[out->n - 1], e);
    return err_set(e, ERR_REFUSED, _("the pre_tokenizer \"%.40s\" is not "
                                     "supported"), type);
}
