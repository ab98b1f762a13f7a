/* One step of a trajectory: a thought, then an action with its input or the
 * answer. What a reply says of an observation it has made up. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

enum { THOUGHT, ACTION, INPUT, ANSWER, OBSERVATION, LABELS };
#define STEP 80 /* tokens of one step */

static const char *const keys[LABELS] = {"thought", "action", "input",
                                         "answer", "observation"};

struct settings {
    char *labels[LABELS];
    char *finish; /* the action that answers: "finish" */
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    static const char *const usual[LABELS] = {
        "Thought:", "Action:", "Action Input:", "Final Answer:",
        "Observation:"};
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    for (int i = 0; i < LABELS; i++) {
        if (!read_text(j, keys[i], false, &own->labels[i], e))
            return false;
        text_or(&own->labels[i], usual[i]);
        for (int k = 0; k < i; k++)
            if (!strcmp(own->labels[k], own->labels[i]))
                return err_set(e, ERR_INPUT, _("%s, %s: the same label"),
                               keys[k], keys[i]);
    }
    if (!read_text(j, "finish", false, &own->finish, e))
        return false;
    text_or(&own->finish, "finish");
    return true;
}

static void unload(void *settings)
{
    struct settings *own = settings;
    for (int i = 0; i < LABELS; i++)
        free(own->labels[i]);
    free(own->finish);
    free(own);
}

struct step {
    char *text[LABELS]; /* NULL: not there */
    bool whole;         /* the reply goes on behind it */
};

/* The first step of the reply: up to an observation, or to the next thought
 * behind an action or an answer. */
static void read_step(const struct settings *own, const char *s,
                      struct step *x)
{
    struct parse_sections parts = {0};
    parse_sections(s, own->labels, LABELS, &parts);
    const char *first = parts.n ? parts.at[0].line : s + strlen(s);
    for (size_t i = 0; i < parts.n && !x->whole; i++) {
        const struct parse_section *part = &parts.at[i];
        bool done = x->text[ACTION] || x->text[ANSWER];
        x->whole = (part->label == OBSERVATION && (done || i)) ||
                   (part->label == THOUGHT && done);
        if (!x->whole && !x->text[part->label])
            x->text[part->label] = parse_section_text(part, false);
    }
    if (!x->text[THOUGHT])
        x->text[THOUGHT] = parse_between(s, first);
    VEC_FREE(&parts);
}

/* The text's first line without quotes and bold around it. */
static char *plain_line(const char *s)
{
    static const char marks[] = "*`\"' \t\r";
    s += strspn(s, marks);
    size_t n = (size_t)(parse_line_end(s) - s);
    while (n && strchr(marks, s[n - 1]))
        n--;
    return xstrndup(s, n);
}

/* A text without the quotes around it; takes it. */
static char *unquoted(char *s)
{
    size_t n = strlen(s);
    bool quoted = n > 1 && (*s == '"' || *s == '\'') && s[n - 1] == *s &&
                  strchr(s + 1, *s) == s + n - 1;
    if (!quoted)
        return s;
    char *inner = xstrndup(s + 1, n - 2);
    free(s);
    return inner;
}

/* "search[spiders]" and "search(spiders)" are an action and its input. */
static void part_input(struct step *x)
{
    char *action = x->text[ACTION];
    size_t n = strcspn(action, "[(\n"), size = strlen(action);
    char close = action[n] == '[' ? ']' : ')';
    while (size && strchr("*`\"' \t\r\n.", action[size - 1]))
        size--;
    if (!x->text[INPUT] && n && (action[n] == '[' || action[n] == '(') &&
        size > n + 1 && action[size - 1] == close) {
        x->text[INPUT] = unquoted(parse_trimmed(action + n + 1,
                                                size - n - 2));
        action[n] = '\0';
    }
    x->text[ACTION] = plain_line(action);
    free(action);
}

static void settle(const struct settings *own, struct step *x)
{
    if (x->text[INPUT]) {
        char *inner = parse_unfenced(x->text[INPUT], NULL);
        free(x->text[INPUT]);
        x->text[INPUT] = inner;
    }
    if (x->text[ACTION])
        part_input(x);
    if (!x->text[ACTION] || strcasecmp(x->text[ACTION], own->finish) ||
        x->text[ANSWER])
        return;
    x->text[ANSWER] = x->text[INPUT] ? x->text[INPUT] : xstrdup("");
    free(x->text[ACTION]);
    x->text[ACTION] = x->text[INPUT] = NULL;
}

static char *trouble(const struct step *x, bool cut)
{
    const char *action = x->text[ACTION], *answer = x->text[ANSWER];
    for (int i = 0; i < LABELS; i++)
        if (x->text[i] && strlen(x->text[i]) > RECIPE_ITEM)
            return parse_too_long(1);
    if (cut && !x->whole)
        return xstrdup(_("the step was cut off"));
    if (action && *action && answer && *answer)
        return xstrdup(_("it acts and answers at once"));
    return (action && *action) || (answer && *answer)
               ? NULL
               : xstrdup(_("neither an action nor an answer is there"));
}

static void parse(struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    struct step x = {.whole = false};
    read_step(own, s, &x);
    settle(own, &x);
    char *why = trouble(&x, p->cut);
    struct recipe_item *it = why ? NULL : parse_add(p, 0);
    if (why)
        parse_miss(p, why);
    for (int i = 0; i < LABELS; i++) {
        if (it && i < OBSERVATION && x.text[i] && *x.text[i])
            field_put(it, keys[i], x.text[i]);
        free(x.text[i]);
    }
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    (void)number;
    for (int i = 0; i < OBSERVATION; i++) {
        const char *text = field_get(it, keys[i]);
        if (text)
            buf_printf(out, "%s %s\n", own->labels[i], text);
    }
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)s;
    (void)prompt;
    (void)answer;
    return STEP;
}

const struct parser parser_react = {
    .name = "react", .keys = "thought action input answer observation finish",
    .gives = "thought action input answer", .load = load, .unload = unload,
    .parse = parse, .write = write_item, .tokens = tokens};
