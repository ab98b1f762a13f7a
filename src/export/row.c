#include "export/row.h"

#include <string.h>

#include "base/lang.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "domain/check.h"

#define SHAPE_ROW(id, name, made, whom) {name, made, whom},
static const struct {
    const char *name, *made_from, *whom;
} shapes[] = {SHAPES(SHAPE_ROW)};
#undef SHAPE_ROW

#define CHECK_ROW(id, name, verdict, text) {name, VERDICT_##verdict, text},
static const struct {
    const char *name;
    enum verdict verdict;
    const char *text;
} checks[] = {ROW_CHECKS(CHECK_ROW)};
#undef CHECK_ROW

const char *shape_name(enum shape s)
{
    return shapes[s].name;
}

const char *shape_made_from(enum shape s)
{
    return _(shapes[s].made_from);
}

const char *shape_for(enum shape s)
{
    return shapes[s].whom;
}

bool shape_parse(const char *name, enum shape *out)
{
    for (int i = 0; i < SHAPE_COUNT; i++)
        if (!strcmp(shapes[i].name, name)) {
            *out = (enum shape)i;
            return true;
        }
    return false;
}

const char *row_check_name(enum row_check c)
{
    return checks[c].name;
}

const char *row_check_text(enum row_check c)
{
    return _(checks[c].text);
}

const char *row_check_english(enum row_check c)
{
    return checks[c].text;
}

enum verdict row_check_verdict(enum row_check c)
{
    return checks[c].verdict;
}

/* ---- Writing ------------------------------------------------------------ */

static void put_message(struct jw *w, enum role role, const char *content)
{
    jw_open(w, '{');
    jw_kstr(w, "role", role_name(role));
    jw_kstr(w, "content", content);
    jw_close(w);
}

static void put_prompt(struct jw *w, const struct export_row *r)
{
    for (size_t i = 0; i < r->n_prompt; i++)
        put_message(w, r->prompt[i].role, r->prompt[i].content);
}

/* key: one assistant message in a list */
static void put_answer(struct jw *w, const char *key, const char *content)
{
    jw_key(w, key);
    jw_open(w, '[');
    put_message(w, ROLE_ASSISTANT, content);
    jw_close(w);
}

void row_write(const struct export_row *r, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_key(&w, r->shape == SHAPE_SFT ? "messages" : "prompt");
    jw_open(&w, '[');
    put_prompt(&w, r);
    if (r->shape == SHAPE_SFT)
        put_message(&w, ROLE_ASSISTANT, r->answer);
    jw_close(&w);
    if (r->shape == SHAPE_SFT_PC || r->shape == SHAPE_KTO)
        put_answer(&w, "completion", r->answer);
    if (r->shape == SHAPE_KTO)
        jw_kbool(&w, "label", r->label);
    if (r->shape == SHAPE_DPO) {
        put_answer(&w, "chosen", r->answer);
        put_answer(&w, "rejected", r->worse);
    }
    jw_close(&w);
}

static void put_text(struct jw *w, const char *key, const char *value)
{
    if (value && *value)
        jw_kstr(w, key, value);
}

static void put_int(struct jw *w, const char *key, int64_t value)
{
    if (value)
        jw_kint(w, key, value);
}

static void put_origin(struct jw *w, const struct provenance *p)
{
    put_int(w, "seed", p->seed);
    put_text(w, "recipe", p->recipe);
    put_int(w, "recipe_version", p->recipe_version);
    put_text(w, "teacher", p->teacher);
    put_int(w, "call", p->call);
    if (p->params) {
        jw_key(w, "params");
        jw_raw(w, p->params);
    }
    put_text(w, "origin", p->origin);
    put_int(w, "line", p->line);
    put_text(w, "source", p->source);
    put_text(w, "editor", p->editor);
    if (p->edits && p->edits->n) {
        jw_key(w, "edited_from");
        jw_open(w, '[');
        for (size_t i = 0; i < p->edits->n; i++)
            jw_int(w, p->edits->at[i]);
        jw_close(w);
    }
}

void row_provenance(const struct export_row *r, int64_t n, struct buf *out)
{
    const struct provenance *p = &r->from;
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kstr(&w, "shape", shape_name(r->shape));
    jw_kstr(&w, "split", split_name(r->split));
    jw_kint(&w, "row", n);
    jw_kint(&w, "sample", r->sample);
    jw_kint(&w, "candidate", r->candidate);
    put_int(&w, "rejected", r->rejected);
    if (r->shape == SHAPE_DPO) {
        jw_knum(&w, "weight", r->weight);
        put_text(&w, "pair", p->why);
    }
    put_origin(&w, p);
    put_text(&w, "who", p->who);
    put_text(&w, "reason", p->reason);
    put_int(&w, "decision", p->decision);
    jw_close(&w);
}

/* ---- Checks ------------------------------------------------------------- */

static bool is_empty(const char *answer)
{
    return check_empty(answer);
}

static bool same_text(const char *a, const char *b)
{
    char *x = uni_fold_space(a), *y = uni_fold_space(b);
    bool same = !strcmp(x, y);
    free(x);
    free(y);
    return same;
}

/* What the strings hold that should not be there. */
static unsigned check_text(const char *s)
{
    size_t n = strlen(s);
    return (utf8_check(s, n) < n ? 1u << ROW_TEXT : 0) |
           (utf8_hidden(s, n) ? 1u << ROW_HIDDEN : 0);
}

/* user and assistant in turn, the user first, a system message before. */
static bool alternates(const struct export_row *r)
{
    size_t i = r->n_prompt && r->prompt[0].role == ROLE_SYSTEM;
    enum role want = ROLE_USER;
    for (; i < r->n_prompt; i++) {
        if (r->prompt[i].role != want)
            return false;
        want = want == ROLE_USER ? ROLE_ASSISTANT : ROLE_USER;
    }
    return true;
}

static unsigned check_prompt(const struct export_row *r)
{
    unsigned bits = 0;
    for (size_t i = 0; i < r->n_prompt; i++) {
        const struct message *m = &r->prompt[i];
        bits |= check_text(m->content);
        if (m->role == ROLE_TOOL || m->tool_calls)
            bits |= 1u << ROW_TOOLS;
        if (m->masked && r->shape == SHAPE_SFT)
            bits |= 1u << ROW_MASKED;
        if (m->reasoning)
            bits |= 1u << ROW_REASONING;
    }
    if (!r->n_prompt || (r->prompt[r->n_prompt - 1].role != ROLE_USER &&
                         !(bits & 1u << ROW_TOOLS)))
        bits |= 1u << ROW_PROMPT;
    else if (!(bits & 1u << ROW_TOOLS) && !alternates(r))
        bits |= 1u << ROW_TURNS;
    return bits;
}

static size_t count_words(const struct export_row *r)
{
    size_t n = uni_count_words(r->answer);
    size_t worse = r->worse ? uni_count_words(r->worse) : 0;
    n = worse > n ? worse : n;
    for (size_t i = 0; i < r->n_prompt; i++)
        n += uni_count_words(r->prompt[i].content);
    return n;
}

unsigned row_check_all(const struct export_row *r, int64_t max_words)
{
    unsigned bits = check_prompt(r) | check_text(r->answer);
    if (r->tools)
        bits |= 1u << ROW_TOOLS;
    else if (is_empty(r->answer) || (r->worse && is_empty(r->worse)))
        bits |= 1u << ROW_EMPTY;
    else if (r->worse && same_text(r->answer, r->worse))
        bits |= 1u << ROW_SAME;
    if (r->worse)
        bits |= check_text(r->worse);
    if (r->reasoning)
        bits |= 1u << ROW_REASONING;
    if (max_words > 0 && count_words(r) > (size_t)max_words)
        bits |= 1u << ROW_LONG;
    return bits;
}

bool row_is_wrong(unsigned bits)
{
    for (int i = 0; i < ROW_CHECK_COUNT; i++)
        if (bits & 1u << i && checks[i].verdict == VERDICT_FAIL)
            return true;
    return false;
}

const char *row_asked(const struct export_row *r)
{
    for (size_t i = r->n_prompt; i > 0; i--)
        if (r->prompt[i - 1].role == ROLE_USER)
            return r->prompt[i - 1].content;
    return "";
}
