#include "domain/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/uni.h"
#include "base/utf8.h"

#define ECHO_LEAST 16

#define ROW(id, name, label, help) {name, label, help},
static const struct {
    const char *name, *label, *help;
} table[] = {CHECKS(ROW)};

const char *check_name(enum check c) { return table[c].name; }
const char *check_label(enum check c) { return _(table[c].label); }
const char *check_help(enum check c) { return _(table[c].help); }

bool check_parse(const char *name, enum check *out)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        if (!strcmp(table[i].name, name)) {
            *out = (enum check)i;
            return true;
        }
    }
    return false;
}

struct check_result check_near(double figure, double limit,
                               int64_t against_sample, int64_t against_seed)
{
    enum verdict v = figure > limit          ? VERDICT_FAIL
                     : figure >= limit - .10 ? VERDICT_WARN
                                             : VERDICT_PASS;
    return (struct check_result){CHECK_NEAR, figure, limit, v, against_sample,
                                 against_seed};
}

struct check_result check_duplicate(int64_t of)
{
    return (struct check_result){CHECK_DUPLICATE, of != 0, 0,
                                 of ? VERDICT_FAIL : VERDICT_PASS, of, 0};
}

struct check_result check_length(const char *prompt)
{
    size_t n = uni_count_words(prompt);
    bool odd = n < 3 || n > 150;
    return (struct check_result){CHECK_LENGTH, (double)n, n < 3 ? 3 : 150,
                                 odd ? VERDICT_WARN : VERDICT_PASS, 0, 0};
}

struct check_result check_cut_off(const char *finish)
{
    bool cut = finish && (!strcmp(finish, "length") || !strcmp(finish, "cut"));
    return (struct check_result){CHECK_CUT_OFF, cut, 0,
                                 cut ? VERDICT_FAIL : VERDICT_PASS, 0, 0};
}

struct check_result check_echo(const char *prompt, const char *answer)
{
    char *p = uni_fold_space(prompt), *a = uni_fold_space(answer);
    bool echo = utf8_length(p, strlen(p)) > ECHO_LEAST && strstr(a, p);
    free(p);
    free(a);
    return (struct check_result){CHECK_ECHO, echo, 0,
                                 echo ? VERDICT_FAIL : VERDICT_PASS, 0, 0};
}

struct check_result check_refusal(const char *answer)
{
    static const char *const openers[] = {
        "i'm sorry", "i am sorry", "sorry, but", "i cannot", "i can't",
        "i can not", "i'm unable", "i am unable", "i won't", "as an ai",
        "as a language model", "i'm not able", "unfortunately, i",
        "desculpe", "sinto muito", "lamento", "não posso", "não consigo",
        "como uma ia", "como um modelo de linguagem", "infelizmente, não",
        "infelizmente não"};
    char *folded = uni_fold_space(answer), *low = uni_fold_case(folded);
    for (char *q; (q = strstr(low, "\u2019"));) /* the typographic one */
        memmove(q + 1, q + 3, strlen(q + 3) + 1), *q = '\'';
    bool refusal = false;
    for (size_t i = 0; i < COUNT(openers) && !refusal; i++)
        refusal = !strncmp(low, openers[i], strlen(openers[i]));
    free(folded);
    free(low);
    return (struct check_result){CHECK_REFUSAL, refusal, 0,
                                 refusal ? VERDICT_WARN : VERDICT_PASS, 0, 0};
}

struct check_result check_empty(const char *answer)
{
    char *folded = uni_fold_space(answer);
    bool empty = !*folded;
    free(folded);
    return (struct check_result){CHECK_EMPTY, empty, 0,
                                 empty ? VERDICT_FAIL : VERDICT_PASS, 0, 0};
}
