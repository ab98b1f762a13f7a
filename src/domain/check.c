#include "domain/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/uni.h"
#include "base/utf8.h"

/* What a check found: a figure, what it was held against, and the verdict;
 * check_run fills in the rest. */
typedef struct check_result check_fn(const struct check_rule *r,
                                     const struct check_input *in);

static struct check_result found(double figure, double bound, enum verdict v)
{
    return (struct check_result){.figure = figure, .bound = bound,
                                 .verdict = v};
}

/* For a check without a figure of its own. */
static struct check_result flag(bool is, enum verdict v)
{
    return found(is, 0, is ? v : VERDICT_PASS);
}

/* The text that a check about what is made looks at. */
static const char *made(const struct check_input *in)
{
    const char *text = in->answer ? in->answer : in->prompt;
    return text ? text : "";
}

const char *figure_mark(bool approximate)
{
    return approximate ? "≈" : "";
}

static struct check_result near(const struct check_rule *r,
                                const struct check_input *in)
{
    struct check_result x =
        found(in->near, r->limit,
              in->near > r->limit          ? VERDICT_FAIL
              : in->near >= r->limit - .10 ? VERDICT_WARN
                                           : VERDICT_PASS);
    x.against_sample = in->near_sample;
    x.against_seed = in->near_seed;
    x.approximate = in->near_approximate;
    return x;
}

static struct check_result duplicate(const struct check_rule *r,
                                     const struct check_input *in)
{
    struct check_result x = flag(in->same != 0, VERDICT_FAIL);
    (void)r;
    x.against_sample = in->same;
    return x;
}

static struct check_result length(const struct check_rule *r,
                                  const struct check_input *in)
{
    double n = (double)uni_count_words(made(in));
    bool odd = n < r->min || n > r->max;
    return found(n, n < r->min ? r->min : r->max,
                 odd ? VERDICT_WARN : VERDICT_PASS);
}

static struct check_result cut_off(const struct check_rule *r,
                                   const struct check_input *in)
{
    const char *f = in->finish;
    (void)r;
    return flag(f && (!strcmp(f, "length") || !strcmp(f, "cut") ||
                      !strcmp(f, "content_filter")), VERDICT_FAIL);
}

static struct check_result echo(const struct check_rule *r,
                                const struct check_input *in)
{
    char *p = uni_fold_space(in->prompt ? in->prompt : "");
    size_t n = utf8_length(p, strlen(p));
    char *a = (double)n > r->limit ? uni_fold_space(in->answer ? in->answer
                                                               : "")
                                   : NULL;
    bool echoes = a && strstr(a, p);
    free(p);
    free(a);
    return found(echoes ? (double)n : 0, r->limit,
                 echoes ? VERDICT_FAIL : VERDICT_PASS);
}

static struct check_result refusal(const struct check_rule *r,
                                   const struct check_input *in)
{
    static const char *const openers[] = {
        "i'm sorry", "i am sorry", "sorry, but", "i cannot", "i can't",
        "i can not", "i'm unable", "i am unable", "i won't", "as an ai",
        "as a language model", "i'm not able", "unfortunately, i",
        "desculpe", "sinto muito", "lamento", "não posso", "não consigo",
        "como uma ia", "como um modelo de linguagem", "infelizmente, não",
        "infelizmente não"};
    char *folded = uni_fold_space(in->answer ? in->answer : "");
    char *low = uni_fold_case(folded);
    (void)r;
    for (char *q; (q = strstr(low, "\u2019"));) /* the typographic one */
        memmove(q + 1, q + 3, strlen(q + 3) + 1), *q = '\'';
    bool is = false;
    for (size_t i = 0; i < COUNT(openers) && !is; i++)
        is = !strncmp(low, openers[i], strlen(openers[i]));
    free(folded);
    free(low);
    return flag(is, VERDICT_WARN);
}

static struct check_result empty(const struct check_rule *r,
                                 const struct check_input *in)
{
    (void)r;
    return flag(check_empty(made(in)), VERDICT_FAIL);
}

static struct check_result special(const struct check_rule *r,
                                   const struct check_input *in)
{
    size_t n = check_special_tokens(made(in));
    (void)r;
    return found((double)n, 0, n ? VERDICT_WARN : VERDICT_PASS);
}

#define ROW(id, name, label, help, about, fn, settings)                       \
    {name, label, help, settings, about, fn},
static const struct {
    const char *name, *label, *help, *settings;
    enum check_about about;
    check_fn *run;
} table[] = {CHECKS(ROW)};

const char *check_name(enum check c) { return table[c].name; }
const char *check_label(enum check c) { return _(table[c].label); }
const char *check_help(enum check c) { return _(table[c].help); }
const char *check_settings(enum check c) { return table[c].settings; }
enum check_about check_about(enum check c) { return table[c].about; }

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a == '_' ? ' ' : *a) != (*b == '_' ? ' ' : *b))
            return false;
    return *a == *b;
}

bool check_parse(const char *name, enum check *out)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        if (same_name(table[i].name, name)) {
            *out = (enum check)i;
            return true;
        }
    }
    return false;
}

struct check_rule check_rule(enum check c)
{
    return (struct check_rule){c, c == CHECK_NEAR ? .70 : 16, 0, 1e6};
}

struct check_result check_run(const struct check_rule *r,
                              const struct check_input *in)
{
    struct check_result x = table[r->check].run(r, in);
    x.check = r->check;
    return x;
}

struct check_result check_usual(enum check c, const struct check_input *in)
{
    struct check_rule r = check_rule(c);
    return check_run(&r, in);
}

bool check_empty(const char *text)
{
    return uni_is_blank(text);
}

/* ---- Special tokens ----------------------------------------------------- */

/* The length of a token "<|name|>" (of DeepSeek's wide bars too) that stands
 * at s, 0 where there is none. */
static size_t barred(const char *s)
{
    static const char *const bars[] = {"|", "\uff5c"};
    for (size_t i = 0; *s == '<' && i < COUNT(bars); i++) {
        size_t bar = strlen(bars[i]);
        if (strncmp(s + 1, bars[i], bar))
            continue;
        const char *name = s + 1 + bar, *end = strstr(name, bars[i]);
        size_t n = end ? (size_t)(end - name) : 0;
        if (n && n <= 60 && !memchr(name, '\n', n) && !memchr(name, ' ', n) &&
            end[bar] == '>')
            return (size_t)(end + bar + 1 - s);
    }
    return 0;
}

size_t check_special_tokens(const char *text)
{
    static const char *const known[] = {
        "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<bos>", "<eos>",
        "<pad>", "<unk>", "<start_of_turn>", "<end_of_turn>",
        "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "<think>",
        "</think>"};
    size_t count = 0;
    for (const char *s = text; (s = strpbrk(s, "<["));) {
        size_t n = barred(s);
        for (size_t i = 0; !n && i < COUNT(known); i++)
            if (!strncmp(s, known[i], strlen(known[i])))
                n = strlen(known[i]);
        count += n > 0;
        s += n ? n : 1;
    }
    return count;
}
