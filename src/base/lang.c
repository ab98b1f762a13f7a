#include "base/lang.h"

#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#define MO_MAX ((size_t)8 << 20)

static struct {
    struct buf mo;
    uint32_t count, ids, texts;
    bool swapped;
    const char *plural; /* the expression behind "plural=", in the header */
    unsigned nplurals;
    char name[32];
} cat;

static uint32_t word_at(size_t at)
{
    uint32_t v;
    memcpy(&v, cat.mo.data + at, 4);
    return cat.swapped ? __builtin_bswap32(v) : v;
}

/* The i-th string of a table, NULL where the file lies about it. */
static const char *entry(uint32_t table, uint32_t i, uint32_t *len)
{
    size_t at = (size_t)table + (size_t)i * 8;
    if (at + 8 > cat.mo.len)
        return NULL;
    uint32_t n = word_at(at), off = word_at(at + 4);
    if ((size_t)off + n >= cat.mo.len || cat.mo.data[off + n] != '\0')
        return NULL;
    *len = n;
    return cat.mo.data + off;
}

static const char *find(const char *id, uint32_t *len)
{
    uint32_t low = 0, high = cat.count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2, n;
        const char *s = entry(cat.ids, mid, &n);
        if (!s)
            return NULL;
        int c = strcmp(id, s);
        if (c == 0)
            return entry(cat.texts, mid, len);
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static bool load(const char *path)
{
    struct buf b = BUF_INIT(MO_MAX);
    if (!file_read(path, MO_MAX, &b, NULL) || b.len < 28) {
        buf_free(&b);
        return false;
    }
    cat.mo = b;
    uint32_t magic;
    memcpy(&magic, b.data, 4);
    cat.swapped = magic == 0xde120495u;
    if ((magic != 0x950412deu && !cat.swapped) || word_at(4) >> 16 > 1) {
        buf_free(&cat.mo);
        return false;
    }
    cat.count = word_at(8);
    cat.ids = word_at(12);
    cat.texts = word_at(16);
    uint32_t n;
    const char *head = find("", &n);
    const char *plural = head ? strstr(head, "plural=") : NULL;
    const char *count = head ? strstr(head, "nplurals=") : NULL;
    while (plural && plural > head && plural[-1] == 'n')
        plural = strstr(plural + 1, "plural=");
    cat.plural = plural ? plural + 7 : NULL;
    cat.nplurals = count ? (unsigned)strtoul(count + 9, NULL, 10) : 2;
    return true;
}

/* Tries DIR/LL/LC_MESSAGES/stillroom.mo and DIR/LL.gmo. */
static bool load_from(const char *dir, const char *name)
{
    char *a = xasprintf("%s/%s/LC_MESSAGES/stillroom.mo", dir, name);
    char *b = xasprintf("%s/%s.gmo", dir, name);
    bool ok = load(a) || load(b);
    free(a);
    free(b);
    return ok;
}

/* Tries "pt_BR", then "pt"; `locale` may carry ".UTF-8" and "@modifier". */
static bool load_locale(const char *const dirs[], const char *locale, size_t n)
{
    char name[sizeof cat.name];
    size_t len = 0;
    while (len < n && len + 1 < sizeof name && locale[len] != '.' &&
           locale[len] != '@' && locale[len] != '/')
        len++;
    memcpy(name, locale, len);
    name[len] = '\0';
    if (!strcmp(name, "C") || !strcmp(name, "POSIX") || !len)
        return false;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; dirs[i]; i++) {
            if (load_from(dirs[i], name)) {
                memcpy(cat.name, name, sizeof name);
                return true;
            }
        }
        char *under = strchr(name, '_');
        if (!under)
            break;
        *under = '\0';
    }
    return false;
}

static const char *env(const char *name)
{
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

static const char *first_set(const char *a, const char *b, const char *c)
{
    return env(a) ? env(a) : env(b) ? env(b) : env(c);
}

static void set_ctype(void)
{
    const char *want = first_set("LC_ALL", "LC_CTYPE", "LANG");
    bool plain = !want || !strcmp(want, "C") || !strcmp(want, "POSIX");
    if (setlocale(LC_CTYPE, "") && (plain || lang_utf8()))
        return;
    if (plain || (!strstr(want, "UTF-8") && !strstr(want, "utf8") &&
                  strchr(want, '.')))
        setlocale(LC_CTYPE, "C");
    else if (!setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "C");
}

void lang_init(const char *const dirs[])
{
    set_ctype();
    lang_done();
    const char *messages = first_set("LC_ALL", "LC_MESSAGES", "LANG");
    if (!messages || !strcmp(messages, "C") || !strcmp(messages, "POSIX") ||
        !strncmp(messages, "C.", 2) || !lang_utf8())
        return;
    const char *list = env("LANGUAGE");
    while (list && *list) {
        size_t n = strcspn(list, ":");
        if (!strncmp(list, "en", 2) || load_locale(dirs, list, n))
            return;
        list += n + (list[n] == ':');
    }
    load_locale(dirs, messages, strlen(messages));
}

void lang_done(void)
{
    buf_free(&cat.mo);
    cat.count = 0;
    cat.name[0] = '\0';
}

const char *lang_text(const char *text)
{
    uint32_t n;
    const char *s = cat.count && *text ? find(text, &n) : NULL;
    return s && *s ? s : text;
}

const char *lang_context(const char *text)
{
    const char *own = lang_text(text), *bar = strchr(text, '|');
    return own == text && bar ? bar + 1 : own;
}

/* The plural expression: C's operators over n, as the gettext manual has it.
 * One function a level of precedence; *p moves along. */
struct expr {
    const char *p;
    unsigned long n;
    int depth;
};

static unsigned long expr_ternary(struct expr *x);

static void skip_blanks(struct expr *x)
{
    while (*x->p == ' ' || *x->p == '\t')
        x->p++;
}

static bool take(struct expr *x, const char *op)
{
    skip_blanks(x);
    size_t len = strlen(op);
    if (strncmp(x->p, op, len))
        return false;
    if (len == 1 && strchr("<>!=", *op) && x->p[1] == '=')
        return false;
    x->p += len;
    return true;
}

static unsigned long expr_atom(struct expr *x)
{
    bool odd = false;
    while (take(x, "!"))
        odd = !odd;
    if (odd)
        return !expr_atom(x);
    if (take(x, "(")) {
        unsigned long v = expr_ternary(x);
        take(x, ")");
        return v;
    }
    if (take(x, "n"))
        return x->n;
    char *end;
    unsigned long v = strtoul(x->p, &end, 10);
    x->p = end;
    return v;
}

static unsigned long expr_binary(struct expr *x, int level)
{
    static const char *const ops[][5] = {
        {"||"}, {"&&"}, {"==", "!="}, {"<=", ">=", "<", ">"},
        {"+", "-"}, {"*", "/", "%"}};
    if (level == (int)COUNT(ops))
        return expr_atom(x);
    unsigned long a = expr_binary(x, level + 1);
    for (;;) {
        int i = 0;
        while (i < 5 && ops[level][i] && !take(x, ops[level][i]))
            i++;
        if (i == 5 || !ops[level][i])
            return a;
        unsigned long b = expr_binary(x, level + 1);
        switch (level * 5 + i) {
        case 0: a = a || b; break;
        case 5: a = a && b; break;
        case 10: a = a == b; break;
        case 11: a = a != b; break;
        case 15: a = a <= b; break;
        case 16: a = a >= b; break;
        case 17: a = a < b; break;
        case 18: a = a > b; break;
        case 20: a = a + b; break;
        case 21: a = a - b; break;
        case 25: a = a * b; break;
        case 26: a = b ? a / b : 0; break;
        default: a = b ? a % b : 0; break;
        }
    }
}

static unsigned long expr_ternary(struct expr *x)
{
    if (x->depth >= 32) /* a hostile catalogue */
        return 0;
    x->depth++;
    unsigned long a = expr_binary(x, 0);
    if (take(x, "?")) {
        unsigned long yes = expr_ternary(x);
        take(x, ":");
        unsigned long no = expr_ternary(x);
        a = a ? yes : no;
    }
    x->depth--;
    return a;
}

const char *lang_plural(const char *one, const char *many, unsigned long n)
{
    uint32_t len;
    const char *s = cat.count ? find(one, &len) : NULL;
    if (!s || !*s)
        return n == 1 ? one : many;
    struct expr x = {cat.plural ? cat.plural : "n!=1", n, 0};
    unsigned long form = expr_ternary(&x);
    const char *end = s + len;
    for (; form > 0 && form < cat.nplurals; form--) {
        const char *next = s + strlen(s) + 1;
        if (next > end)
            break;
        s = next;
    }
    return s;
}

const char *lang_name(void)
{
    return cat.name[0] ? cat.name : "en";
}

bool lang_utf8(void)
{
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

char *lang_number(char *out, size_t cap, double value, int decimals)
{
    /* L10N: the decimal sign */
    const char *point = _(".");
    /* L10N: the sign between groups of three digits */
    const char *comma = _(",");
    char plain[64];
    snprintf(plain, sizeof plain, "%.*f", decimals, value);
    size_t o = 0, digits = strcspn(plain, ".");
    for (size_t i = 0; plain[i] && o + 4 < cap; i++) {
        size_t left = digits - i;
        if (plain[i] == '.') {
            o += (size_t)snprintf(out + o, cap - o, "%s", point);
            continue;
        }
        if (i > 0 && i < digits && left % 3 == 0 && plain[i - 1] != '-')
            o += (size_t)snprintf(out + o, cap - o, "%s", comma);
        out[o++] = plain[i];
    }
    out[o] = '\0';
    return out;
}

/* ---- Money -------------------------------------------------------------- */

static char currency[8] = "$";

bool lang_set_currency(const char *code)
{
    static const struct {
        const char *code, *sign;
    } known[] = {{"USD", "$"}, {"EUR", "\u20ac"}, {"GBP", "\u00a3"},
                 {"BRL", "R$"}, {"JPY", "\u00a5"}};
    if (strlen(code) != 3 ||
        strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        return false;
    snprintf(currency, sizeof currency, "%s ", code);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(code, known[i].code) &&
            (lang_utf8() || (unsigned char)known[i].sign[0] < 0x80))
            snprintf(currency, sizeof currency, "%s", known[i].sign);
    return true;
}

const char *lang_currency(void)
{
    return currency;
}

char *lang_money(char *out, size_t cap, double value, int decimals)
{
    char text[40];
    snprintf(out, cap, "%s%s", currency,
             lang_number(text, sizeof text, value, decimals));
    return out;
}

char *lang_size(char *out, size_t cap, double bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    char text[40];
    size_t i = 0;
    double v = bytes / 1e3;
    for (; v >= 1e3 && i + 1 < COUNT(units); i++)
        v /= 1e3;
    snprintf(out, cap, "%s %s", lang_number(text, sizeof text, v, 1),
             units[i]);
    return out;
}
