#include "domain/verifier.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/uni.h"

enum { MAX_TEXT = 1 << 20, MAX_REGEX = 4096, MAX_ELEMENTS = 10000 };

/* ---- Numbers ------------------------------------------------------------- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number that begins at s: its length, 0 for none. Digits, with single
 * signs (or blanks before three digits) between digits. */
static size_t number_span(const char *s)
{
    size_t n = *s == '-' || *s == '+';
    if (!digit(s[n]))
        return 0;
    for (;; n++) {
        bool group = s[n] == ' ' && digit(s[n + 1]) && digit(s[n + 2]) &&
                     digit(s[n + 3]) && !digit(s[n + 4]);
        bool sign = (s[n] == '.' || s[n] == ',') && digit(s[n + 1]);
        if (!digit(s[n]) && !group && !sign)
            return n;
    }
}

/* Which sign of the number parts its decimals; 0 for none. */
static char decimal_sign(const char *s, size_t n)
{
    size_t points = 0, commas = 0, last = 0;
    for (size_t i = 0; i < n; i++) {
        points += s[i] == '.';
        commas += s[i] == ',';
        if (s[i] == '.' || s[i] == ',')
            last = i;
    }
    if (!points && !commas)
        return 0;
    if (points && commas)
        return s[last];
    if (points + commas > 1)
        return 0;
    size_t start = s[0] == '-' || s[0] == '+';
    bool groups = n - last - 1 == 3 && last - start <= 3 && s[start] != '0';
    return groups ? 0 : s[last];
}

static bool read_number(const char *s, size_t n, double *out)
{
    char clean[64];
    size_t o = 0;
    char sign = decimal_sign(s, n);
    for (size_t i = 0; i < n; i++) {
        if (o + 1 == sizeof clean)
            return false;
        if (digit(s[i]) || s[i] == '-')
            clean[o++] = s[i];
        else if (s[i] == sign)
            clean[o++] = '.';
    }
    clean[o] = '\0';
    *out = strtod(clean, NULL);
    return isfinite(*out);
}

/* The next number of s at or behind *at; its start and length. A digit that a
 * letter stands before ("x2", "H2O") begins none. */
static bool next_number(const char *s, size_t *at, size_t *start, size_t *len)
{
    for (size_t i = *at; s[i]; i++) {
        bool inside = i > 0 && (isalnum((unsigned char)s[i - 1]) ||
                                (s[i] == '-' && s[i - 1] == ')'));
        size_t n = inside ? 0 : number_span(s + i);
        if (!n)
            continue;
        *start = i;
        *len = n;
        *at = i + n;
        return true;
    }
    return false;
}

bool verifier_number(const char *s, double *out)
{
    size_t at = 0, start, n, ignored;
    double v;
    if (strnlen(s, MAX_TEXT) >= MAX_TEXT ||
        !next_number(s, &at, &start, &n) || !read_number(s + start, n, &v))
        return false;
    if (next_number(s, &at, &ignored, &ignored))
        return false;
    *out = v;
    return true;
}

/* ---- Final answers ------------------------------------------------------- */

static char *trimmed(const char *s, size_t n)
{
    while (n && isspace((unsigned char)*s)) {
        s++;
        n--;
    }
    while (n && isspace((unsigned char)s[n - 1]))
        n--;
    return xstrndup(s, n);
}

static const char *last_mark(const char *s)
{
    const char *found = NULL;
    for (const char *at = s; (at = strstr(at, "####")); at += 4)
        found = at + 4;
    return found;
}

static char *last_number(const char *s)
{
    size_t at = 0, start = 0, n = 0;
    while (next_number(s, &at, &start, &n))
        ;
    return n ? xstrndup(s + start, n) : NULL;
}

char *verifier_final(const char *text, bool number)
{
    const char *mark = last_mark(text);
    if (mark) { /* one line: what follows is chatter */
        while (*mark == ' ' || *mark == '\n')
            mark++;
        return trimmed(mark, strcspn(mark, "\n"));
    }
    char *last = number ? last_number(text) : NULL;
    return last ? last : trimmed(text, strlen(text));
}

/* Folded for comparison: NFC, white space, case, no full stop at the end. */
static char *folded(const char *s)
{
    char *space = uni_fold_space(s);
    char *fold = uni_fold_case(space);
    size_t n = strlen(fold);
    if (n > 1 && fold[n - 1] == '.')
        fold[n - 1] = '\0';
    free(space);
    return fold;
}

static bool same_text(const char *a, const char *b)
{
    char *x = folded(a), *y = folded(b);
    bool same = !strcmp(x, y);
    free(x);
    free(y);
    return same;
}

/* A number and nothing else but signs of currency: "R$ 5", "12 %". "3 May" is
 * none. */
static bool is_number(const char *s, double *out)
{
    const char *currency = strchr(s, '$');
    for (const char *c = currency ? currency : s; *c; c++)
        if (isalpha((unsigned char)*c))
            return false;
    return strlen(s) < 40 && verifier_number(s, out);
}

static bool check_final(const char *expected, const char *answer)
{
    double want, got;
    char *e = verifier_final(expected, false);
    bool number = is_number(e, &want);
    char *a = verifier_final(answer, number);
    bool ok = same_text(e, a) ||
              (number && is_number(a, &got) &&
               fabs(want - got) <= 1e-9 * fabs(want));
    free(e);
    free(a);
    return ok;
}

static bool check_number(const char *expected, const char *answer,
                         const struct verifier_params *p)
{
    double want, got;
    char *e = verifier_final(expected, true);
    char *a = verifier_final(answer, true);
    bool ok = verifier_number(e, &want) && verifier_number(a, &got) &&
              fabs(want - got) <= p->absolute + p->relative * fabs(want) +
                                      1e-9 * fabs(want);
    free(e);
    free(a);
    return ok;
}

/* ---- Sets ---------------------------------------------------------------- */

struct elements {
    char **at;
    size_t n, cap;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_elements(struct elements *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->at[i]);
    VEC_FREE(v);
}

static struct elements split(const char *text)
{
    struct elements v = {0};
    char *final = last_mark(text) ? verifier_final(text, false)
                                  : trimmed(text, strlen(text));
    const char *s = final;
    size_t all = strlen(s);
    if (all > 1 && strchr("[{(", *s) && strchr("]})", s[all - 1])) {
        final[all - 1] = '\0'; /* brackets around the whole */
        s++;
    }
    while (v.n < MAX_ELEMENTS) {
        size_t n = strcspn(s, ",;\n");
        char *part = trimmed(s, n), *fold = folded(part);
        if (*fold)
            VEC_PUSH(&v, fold);
        else
            free(fold);
        free(part);
        if (!s[n])
            break;
        s += n + 1;
    }
    free(final);
    if (v.n)
        qsort(v.at, v.n, sizeof *v.at, by_text);
    return v;
}

static bool check_set(const char *expected, const char *answer)
{
    struct elements e = split(expected), a = split(answer);
    bool ok = e.n == a.n;
    for (size_t i = 0; i < e.n && ok; i++)
        ok = !strcmp(e.at[i], a.at[i]);
    free_elements(&e);
    free_elements(&a);
    return ok;
}

/* ---- Regular expressions and JSON ---------------------------------------- */

static bool check_regex(const char *expected, const char *answer,
                        bool anywhere)
{
    regex_t re;
    regmatch_t m;
    if (strlen(expected) > MAX_REGEX ||
        regcomp(&re, expected, REG_EXTENDED))
        return false;
    char *a = verifier_final(answer, false);
    bool ok = regexec(&re, a, 1, &m, 0) == 0 &&
              (anywhere ||
               (m.rm_so == 0 && (size_t)m.rm_eo == strlen(a)));
    free(a);
    regfree(&re);
    return ok;
}

static bool same_object(const json *a, const json *b)
{
    if (json_count(a) != json_count(b))
        return false;
    for (const json *m = json_first(a); m; m = json_next(m)) {
        const json *other = json_get(b, json_key(m));
        if (!other || !json_same(m, other))
            return false;
    }
    return true;
}

static bool same_array(const json *a, const json *b)
{
    const json *x = json_first(a), *y = json_first(b);
    for (; x && y; x = json_next(x), y = json_next(y))
        if (!json_same(x, y))
            return false;
    return !x && !y;
}

static bool same_number(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(a);
}

bool json_same(const json *a, const json *b)
{
    if (json_is_object(a))
        return json_is_object(b) && same_object(a, b);
    if (json_is_array(a))
        return json_is_array(b) && same_array(a, b);
    if (json_is_string(a))
        return json_is_string(b) && !strcmp(json_string(a), json_string(b));
    if (json_is_number(a))
        return json_is_number(b) &&
               same_number(json_number(a, 0), json_number(b, 1));
    struct buf x = BUF_INIT(16), y = BUF_INIT(16);
    json_print(&x, a); /* true, false or null */
    json_print(&y, b);
    bool same = !strcmp(buf_str(&x), buf_str(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}

/* The text inside a fence of Markdown, else the text. */
static json *parse_fenced(const char *s)
{
    s += strspn(s, " \t\r\n");
    size_t n = strlen(s);
    const char *line = strchr(s, '\n');
    if (!strncmp(s, "```", 3) && line) {
        const char *end = strstr(line, "```");
        s = line + 1;
        n = end && end > s ? (size_t)(end - s) : strlen(s);
    }
    return json_parse(s, n, NULL);
}

static bool check_json(const char *expected, const char *answer)
{
    json *e = parse_fenced(expected), *a = parse_fenced(answer);
    bool ok = e && a && json_same(e, a);
    json_free(e);
    json_free(a);
    return ok;
}

/* ---- The table ----------------------------------------------------------- */

static const struct {
    const char *name, *about;
} verifiers[VERIFY_COUNT] = {
    [VERIFY_FINAL] = {"final", N_("the answer behind ####, else the last "
                                  "number or the whole, is the expected one")},
    [VERIFY_NUMBER] = {"number", N_("the final answer is the expected number, "
                                    "within a tolerance")},
    [VERIFY_SET] = {"set", N_("the final answer lists the same things, in any "
                              "order")},
    [VERIFY_REGEX] = {"regex", N_("the final answer matches a regular "
                                  "expression")},
    [VERIFY_JSON] = {"json", N_("the answer is the same JSON value")},
};

const char *verifier_name(enum verifier v)
{
    return verifiers[v].name;
}

const char *verifier_about(enum verifier v)
{
    return verifiers[v].about;
}

bool verifier_parse(const char *name, enum verifier *out)
{
    for (int v = 0; v < VERIFY_COUNT; v++) {
        if (!strcmp(name, verifiers[v].name)) {
            *out = (enum verifier)v;
            return true;
        }
    }
    return false;
}

static bool usable_regex(const char *expected, struct err *e)
{
    regex_t re;
    char why[200];
    int code = strlen(expected) > MAX_REGEX
                   ? REG_ESPACE
                   : regcomp(&re, expected, REG_EXTENDED);
    if (code == 0) {
        regfree(&re);
        return true;
    }
    regerror(code, NULL, why, sizeof why);
    return err_set(e, ERR_INPUT, _("not a regular expression: %s"), why);
}

bool verifier_usable(enum verifier v, const char *expected, struct err *e)
{
    double x;
    if (v == VERIFY_REGEX)
        return usable_regex(expected, e);
    if (v == VERIFY_JSON) {
        json *j = parse_fenced(expected);
        json_free(j);
        return j || err_set(e, ERR_INPUT, _("the expected answer is not "
                                            "JSON"));
    }
    if (v != VERIFY_NUMBER)
        return true;
    char *final = verifier_final(expected, true);
    bool ok = verifier_number(final, &x);
    free(final);
    return ok || err_set(e, ERR_INPUT, _("the expected answer holds no "
                                         "number"));
}

/* At most FEW_WORDS words on one line, which no sign of a sentence ends. */
static bool is_short(const char *s, size_t n)
{
    enum { FEW_WORDS = 4, FEW_BYTES = 60 };
    size_t words = 0;
    bool inside = false;
    if (!n || n > FEW_BYTES)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool blank = isspace((unsigned char)s[i]) != 0;
        words += !blank && !inside;
        inside = !blank;
        if (s[i] == '\n')
            return false;
    }
    return words == 1 || (words <= FEW_WORDS && !strchr(".!?:", s[n - 1]));
}

bool verifier_fits(const char *expected, enum verifier *out)
{
    char *s = trimmed(expected, strnlen(expected, MAX_TEXT));
    size_t n = strlen(s);
    bool is_json = (*s == '{' || *s == '[') && json_scan(s, n, NULL) == n;
    *out = is_json ? VERIFY_JSON : VERIFY_FINAL;
    bool fits = is_json || last_mark(s) || is_short(s, n);
    free(s);
    return fits;
}

bool verifier_check(enum verifier v, const char *expected,
                    const char *answer, const struct verifier_params *p)
{
    static const struct verifier_params exact = {0};
    p = p ? p : &exact;
    if (strnlen(answer, MAX_TEXT) >= MAX_TEXT)
        return false;
    switch (v) {
    case VERIFY_FINAL:
        return check_final(expected, answer);
    case VERIFY_NUMBER:
        return check_number(expected, answer, p);
    case VERIFY_SET:
        return check_set(expected, answer);
    case VERIFY_REGEX:
        return check_regex(expected, answer, p->anywhere);
    case VERIFY_JSON:
        return check_json(expected, answer);
    case VERIFY_COUNT:
        break;
    }
    return false;
}
