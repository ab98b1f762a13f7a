#include "domain/thought.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

#define SPACE " \t\r\n"
#define ROUNDS 32 /* parts of one thought; what follows is the answer */

/* Marks that models set themselves. Tags that only prompts ask for
 * (<analysis>, <reason>) are the answer's own: it may be XML. */
static const struct mark {
    const char *open, *close;
} marks[] = {
    {"<think>", "</think>"}, /* DeepSeek, Qwen and most others */
    {"<thinking>", "</thinking>"},
    {"<thought>", "</thought>"},                   /* EXAONE */
    {"<reasoning>", "</reasoning>"},               /* Reka Flash */
    {"<seed:think>", "</seed:think>"},             /* Seed-OSS */
    {"<mm:think>", "</mm:think>"},                 /* MiniMax */
    {"<longcat_think>", "</longcat_think>"},       /* LongCat */
    {"<think:opensource>", "</think:opensource>"}, /* Hunyuan */
    {"[THINK]", "[/THINK]"},                       /* Mistral */
    {"<|START_THINKING|>", "<|END_THINKING|>"},    /* Cohere */
    {"<|inner_prefix|>", "<|inner_suffix|>"},      /* Apertus */
    {"<|begin_of_thought|>", "<|end_of_thought|>"}, /* OpenThinker */
    {"<|channel>thought", "<channel|>"},           /* Gemma */
    {"<|channel|>analysis<|message|>", /* gpt-oss */
     "<|end|><|start|>assistant<|channel|>final<|message|>"},
    {"◁think▷", "◁/think▷"}, /* Kimi */
};

/* Whether `at` stands in a block of code, between two lines of ```. */
static bool is_fenced(const char *text, const char *at)
{
    bool in = false;
    for (const char *p = text; (p = strstr(p, "```")); p += 3) {
        if (p > text && p[-1] != '\n')
            continue;
        if (p > at)
            return in;
        in = !in;
    }
    return false;
}

/* Whether `at` stands between two backticks of its line. */
static bool is_ticked(const char *text, const char *at)
{
    bool in = false;
    const char *p = at;
    while (p > text && p[-1] != '\n')
        in ^= *--p == '`';
    return in && at[strcspn(at, "`\n")] == '`';
}

/* A mark between quotes, or in code with more behind it, is spoken of, not
 * set. */
static bool is_quoted(const char *text, const char *at, size_t n)
{
    if (at > text && strchr("`'\"", at[-1]) && at[n] == at[-1])
        return true;
    const char *rest = at + n + strspn(at + n, " \t\r");
    return *rest && *rest != '\n' &&
           (is_ticked(text, at) || is_fenced(text, at));
}

/* The mark's closing half where no opening one stands before it. */
static const char *orphan(const struct mark *m, const char *text)
{
    const char *at = text, *open = strcasestr(text, m->open);
    size_t n = strlen(m->close);
    int rounds = 0;
    while ((at = strcasestr(at, m->close)) && is_quoted(text, at, n)) {
        at += n;
        if (++rounds == ROUNDS)
            return NULL;
    }
    return at && (!open || open > at) ? at : NULL;
}

/* Whether a closing mark may still end the thought, whose last part is from
 * `from` to `to`: a mark stood open in it, or nothing stands before `end`. */
static bool goes_on(const struct mark *m, const char *from, const char *to,
                    const char *text, const char *end)
{
    const char *open = strcasestr(from, m->open);
    return (open && open < to) || text + strspn(text, SPACE) == end;
}

/* The next part of a thought at the beginning of *s: where it starts and
 * ends; *s moves behind it. False where the answer begins. *from and *to are
 * those of the last part, which was `opened`, or NULL. */
static bool next_part(const char **s, const char **from, const char **to,
                      bool *was_opened)
{
    const char *text = *s + strspn(*s, SPACE);
    for (size_t i = 0; i < COUNT(marks); i++) {
        const struct mark *m = &marks[i];
        size_t n = strlen(m->open);
        bool opened = !strncasecmp(text, m->open, n);
        const char *end = opened ? strcasestr(text + n, m->close)
                                 : orphan(m, text);
        if (!opened && (!end || (*was_opened &&
                                 !goes_on(m, *from, *to, text, end))))
            continue;
        *was_opened = opened;
        *from = opened ? text + n : text;
        *to = end ? end : text + strlen(text);
        *s = end ? end + strlen(m->close) : *to;
        return true;
    }
    return false;
}

/* Whether any mark can stand in the text: a glance that spares most texts the
 * search for each. */
static bool may_think(const char *text)
{
    char firsts[COUNT(marks) + 1] = "";
    for (size_t i = 0; i < COUNT(marks); i++)
        firsts[i] = marks[i].close[0];
    return text[strcspn(text, firsts)];
}

static void add_part(struct buf *b, const char *from, const char *to)
{
    from += strspn(from, SPACE);
    while (to > from && strchr(SPACE, to[-1]))
        to--;
    if (to <= from)
        return;
    if (b->len)
        buf_puts(b, "\n\n");
    buf_add(b, from, (size_t)(to - from));
}

char *thought_part(const char *text, char **thinking)
{
    struct buf b = BUF_INIT(0);
    const char *s = text, *from = NULL, *to = NULL;
    bool opened = false;
    int rounds = 0;
    bool maybe = may_think(text);
    while (maybe && rounds < ROUNDS && next_part(&s, &from, &to, &opened)) {
        add_part(&b, from, to);
        rounds++;
    }
    *thinking = b.len ? buf_take(&b) : NULL;
    buf_free(&b);
    return xstrdup(rounds ? s + strspn(s, SPACE) : text);
}
