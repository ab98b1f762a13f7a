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

#define THINKING_ROW(id, name) name,
static const char *const thinkings[] = {THINKINGS(THINKING_ROW)};
#undef THINKING_ROW

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

const char *thinking_name(enum thinking t)
{
    return thinkings[t];
}

bool thinking_parse(const char *name, enum thinking *out)
{
    for (int i = 0; i < THINKING_COUNT; i++)
        if (!strcmp(thinkings[i], name)) {
            *out = (enum thinking)i;
            return true;
        }
    return false;
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

/* The thinking that stands in a message's text. */
static const char *shown_thinking(const struct message *m,
                                  enum thinking thinking)
{
    return thinking == THINKING_KEEP ? m->reasoning : NULL;
}

static void put_content(struct jw *w, const char *key,
                        const struct message *m, const char *content,
                        enum thinking thinking)
{
    const char *thought = shown_thinking(m, thinking);
    char *both = thought ? xasprintf("<think>\n%s\n</think>\n\n%s", thought,
                                     content)
                         : NULL;
    jw_kstr(w, key, both ? both : content);
    free(both);
}

/* A list of calls. A call's arguments are an object, as chat templates want
 * them; some write them as text that holds one. `bare` leaves the wrapping
 * {"type":"function","function":...} away. */
static void put_calls(struct jw *w, const char *calls, bool bare)
{
    json *list = json_parse(calls, strlen(calls), NULL);
    struct buf b = BUF_INIT(0);
    jw_open(w, '[');
    for (const json *c = json_first(list); c; c = json_next(c)) {
        const json *f = json_get(c, "function");
        json_unfold(json_get(f ? f : c, "arguments"));
        buf_clear(&b);
        json_print(&b, bare && f ? f : c);
        jw_raw(w, buf_str(&b));
    }
    jw_close(w);
    buf_free(&b);
    json_free(list);
}

static void put_message(struct jw *w, const struct export_row *r,
                        const struct message *m)
{
    jw_open(w, '{');
    jw_kstr(w, "role", role_name(m->role));
    put_content(w, "content", m, m->content, r->thinking);
    if (m->reasoning && r->thinking == THINKING_FIELD)
        jw_kstr(w, "reasoning_content", m->reasoning);
    if (m->tool_calls) {
        jw_key(w, "tool_calls");
        put_calls(w, m->tool_calls, false);
    }
    if (m->tool_call_id)
        jw_kstr(w, "tool_call_id", m->tool_call_id);
    if (m->name)
        jw_kstr(w, "name", m->name);
    if (m->masked && r->shape == SHAPE_SFT)
        jw_kbool(w, "train", false);
    jw_close(w);
}

/* key: one assistant message in a list */
static void put_answer(struct jw *w, const char *key,
                       const struct export_row *r, const struct message *m)
{
    jw_key(w, key);
    jw_open(w, '[');
    put_message(w, r, m);
    jw_close(w);
}

static void put_tools(struct jw *w, const struct export_row *r)
{
    if (!r->list_tools) {
        jw_kstr(w, "tools", r->tools);
        return;
    }
    json *list = json_parse(r->tools, strlen(r->tools), NULL);
    struct buf b = BUF_INIT(0);
    json_print(&b, list);
    jw_key(w, "tools");
    jw_raw(w, buf_str(&b));
    buf_free(&b);
    json_free(list);
}

void row_write(const struct export_row *r, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_key(&w, r->shape == SHAPE_SFT ? "messages" : "prompt");
    jw_open(&w, '[');
    for (size_t i = 0; i < r->n_prompt; i++)
        put_message(&w, r, &r->prompt[i]);
    if (r->shape == SHAPE_SFT)
        put_message(&w, r, r->answer);
    jw_close(&w);
    if (r->shape == SHAPE_SFT_PC || r->shape == SHAPE_KTO)
        put_answer(&w, "completion", r, r->answer);
    if (r->shape == SHAPE_KTO)
        jw_kbool(&w, "label", r->label);
    if (r->shape == SHAPE_DPO) {
        put_answer(&w, "chosen", r, r->answer);
        put_answer(&w, "rejected", r, r->worse);
    }
    if (r->tools)
        put_tools(&w, r);
    jw_close(&w);
}

/* ---- For LLaMA-Factory -------------------------------------------------- */

/* A turn: its calls alone, where it has some. There is no field for thinking,
 * so it stands in the text. */
static void put_turn(struct jw *w, const struct export_row *r,
                     const struct message *m)
{
    struct buf b = BUF_INIT(0);
    struct jw calls = jw_start(&b);
    enum thinking thinking =
        r->thinking == THINKING_DROP ? THINKING_DROP : THINKING_KEEP;
    if (m->tool_calls)
        put_calls(&calls, m->tool_calls, true);
    jw_open(w, '{');
    jw_kstr(w, "from", m->role != ROLE_ASSISTANT ? "human"
                       : m->tool_calls           ? "function_call"
                                                 : "gpt");
    put_content(w, "value", m, m->tool_calls ? buf_str(&b) : m->content,
                thinking);
    jw_close(w);
    buf_free(&b);
}

/* What tools answered to one turn is one turn; how many messages it took. */
static size_t put_observation(struct jw *w, const struct export_row *r,
                              size_t from)
{
    struct buf b = BUF_INIT(0);
    size_t i = from;
    for (; i < r->n_prompt && r->prompt[i].role == ROLE_TOOL; i++)
        buf_printf(&b, "%s%s", i > from ? "\n</tool_response>\n"
                                          "<tool_response>\n" : "",
                   r->prompt[i].content);
    jw_open(w, '{');
    jw_kstr(w, "from", "observation");
    jw_kstr(w, "value", buf_str(&b));
    jw_close(w);
    buf_free(&b);
    return i - from;
}

void row_write_turns(const struct export_row *r, struct buf *out)
{
    struct jw w = jw_start(out);
    size_t i = r->n_prompt && r->prompt[0].role == ROLE_SYSTEM;
    const char *system = i ? r->prompt[0].content : "";
    jw_open(&w, '{');
    jw_key(&w, "conversations");
    jw_open(&w, '[');
    while (i < r->n_prompt) {
        if (r->prompt[i].role == ROLE_TOOL)
            i += put_observation(&w, r, i);
        else
            put_turn(&w, r, &r->prompt[i++]);
    }
    if (r->shape != SHAPE_DPO)
        put_turn(&w, r, r->answer);
    jw_close(&w);
    if (r->shape == SHAPE_DPO) {
        jw_key(&w, "chosen");
        put_turn(&w, r, r->answer);
        jw_key(&w, "rejected");
        put_turn(&w, r, r->worse);
    }
    if (r->shape == SHAPE_KTO)
        jw_kbool(&w, "kto_tag", r->label);
    jw_kstr(&w, "system", system);
    jw_kstr(&w, "tools", r->tools ? r->tools : "");
    jw_close(&w);
}

/* ---- Provenance --------------------------------------------------------- */

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

bool row_says_nothing(const struct message *m)
{
    return !m->tool_calls && check_empty(m->content);
}

/* What the strings hold that should not be there. */
static unsigned check_text(const char *s)
{
    size_t n = s ? strlen(s) : 0;
    return n ? (utf8_check(s, n) < n ? 1u << ROW_TEXT : 0) |
                   (utf8_hidden(s, n) ? 1u << ROW_HIDDEN : 0)
             : 0;
}

/* Reader and assistant in turn, the reader first, a system message before;
 * tools' turns stand for the reader's, and several are one. */
static bool alternates(const struct export_row *r)
{
    size_t i = r->n_prompt && r->prompt[0].role == ROLE_SYSTEM;
    bool assistant = false;
    for (; i < r->n_prompt; i++) {
        enum role role = r->prompt[i].role;
        bool more = role == ROLE_TOOL && i &&
                    r->prompt[i - 1].role == ROLE_TOOL;
        if (role == ROLE_SYSTEM || (role == ROLE_ASSISTANT) != assistant)
            if (!more)
                return false;
        assistant = more ? assistant : !assistant;
    }
    return true;
}

static unsigned check_message(const struct export_row *r,
                              const struct message *m)
{
    bool dropped = m->reasoning && r->thinking == THINKING_DROP;
    bool masked = m->masked && r->shape == SHAPE_SFT;
    unsigned bits = check_text(m->content) | check_text(m->tool_calls);
    if (r->thinking != THINKING_DROP)
        bits |= check_text(m->reasoning);
    return bits | (dropped ? 1u << ROW_REASONING : 0) |
           (masked ? 1u << ROW_MASKED : 0);
}

static unsigned check_prompt(const struct export_row *r)
{
    unsigned bits = 0;
    for (size_t i = 0; i < r->n_prompt; i++)
        bits |= check_message(r, &r->prompt[i]);
    enum role last = r->n_prompt ? r->prompt[r->n_prompt - 1].role
                                 : ROLE_ASSISTANT;
    if (last != ROLE_USER && last != ROLE_TOOL)
        bits |= 1u << ROW_PROMPT;
    else if (!alternates(r))
        bits |= 1u << ROW_TURNS;
    return bits;
}

static size_t count_message(const struct export_row *r,
                            const struct message *m)
{
    return uni_count_words(m->content) +
           (m->tool_calls ? uni_count_words(m->tool_calls) : 0) +
           (m->reasoning && r->thinking != THINKING_DROP
                ? uni_count_words(m->reasoning)
                : 0);
}

static size_t count_words(const struct export_row *r)
{
    size_t n = count_message(r, r->answer);
    size_t worse = r->worse ? count_message(r, r->worse) : 0;
    n = worse > n ? worse : n;
    for (size_t i = 0; i < r->n_prompt; i++)
        n += count_message(r, &r->prompt[i]);
    return n;
}

unsigned row_check_all(const struct export_row *r, int64_t max_words)
{
    unsigned bits = check_prompt(r);
    if (r->approximate)
        bits |= 1u << ROW_APPROXIMATE;
    if (!r->answer)
        return bits | 1u << ROW_EMPTY;
    bits |= check_message(r, r->answer);
    if (r->worse)
        bits |= check_message(r, r->worse);
    if (row_says_nothing(r->answer) ||
        (r->worse && row_says_nothing(r->worse)))
        bits |= 1u << ROW_EMPTY;
    else if (r->worse && answers_same(r->answer, r->worse))
        bits |= 1u << ROW_SAME;
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
