#include "model/token/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"

/* White_Space: PCRE2's own \s takes U+180E too, Unicode does not. */
#define SPACES "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-"        \
               "\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"

enum { JIT_FIRST = 32 << 10, JIT_MOST = 64 << 20 };

struct regex {
    pcre2_code *code;
    pcre2_match_context *context;
};

/* Writes the pattern with \s and \S spelled out. */
static bool translate(const char *p, struct buf *out, struct err *e)
{
    bool in_class = false;
    for (; *p; p++) {
        if (*p != '\\' || !p[1]) {
            in_class = *p == '[' ? true : *p == ']' ? false : in_class;
            buf_putc(out, *p);
            continue;
        }
        p++;
        if (*p == 's')
            buf_puts(out, in_class ? SPACES : "[" SPACES "]");
        else if (*p == 'S' && !in_class)
            buf_puts(out, "[^" SPACES "]");
        else if (*p == 'S')
            return err_set(e, ERR_REFUSED, _("a pattern with \\S in a class "
                                             "is not supported"));
        else
            buf_printf(out, "\\%c", *p);
    }
    return true;
}

struct regex *regex_new(const char *pattern, struct err *e)
{
    struct buf text = BUF_INIT((size_t)1 << 20);
    struct regex *r = NULL;
    int code;
    PCRE2_SIZE at;
    if (translate(pattern, &text, e)) {
        r = xcalloc(1, sizeof *r);
        r->code = pcre2_compile((PCRE2_SPTR)buf_str(&text), text.len,
                                PCRE2_UTF | PCRE2_UCP |
                                    PCRE2_MATCH_INVALID_UTF,
                                &code, &at, NULL);
    }
    if (r && !r->code) {
        PCRE2_UCHAR why[120];
        pcre2_get_error_message(code, why, sizeof why);
        err_set(e, ERR_REFUSED, _("a pattern cannot be compiled: %s"),
                (const char *)why);
        free(r);
        r = NULL;
    }
    if (r) {
        pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
        r->context = pcre2_match_context_create(NULL);
        pcre2_set_match_limit(r->context, 50000000);
    }
    buf_free(&text);
    return r;
}

void regex_free(struct regex **rp)
{
    if (!*rp)
        return;
    pcre2_code_free((*rp)->code);
    pcre2_match_context_free((*rp)->context);
    free(*rp);
    *rp = NULL;
}

/* A stack for long matches, one a thread, kept. */
static pcre2_jit_stack *jit_stack(void *unused)
{
    static __thread pcre2_jit_stack *stack;
    (void)unused;
    if (!stack)
        stack = pcre2_jit_stack_create(JIT_FIRST, JIT_MOST, NULL);
    return stack;
}

bool regex_all(const struct regex *r, const char *s, size_t n, matches *out)
{
    pcre2_match_data *d = pcre2_match_data_create(1, NULL);
    size_t at = 0;
    int rc = 0;
    pcre2_jit_stack_assign(r->context, jit_stack, NULL);
    while (at < n) {
        rc = pcre2_match(r->code, (PCRE2_SPTR)s, n, at, 0, d, r->context);
        if (rc < 0)
            break;
        const PCRE2_SIZE *v = pcre2_get_ovector_pointer(d);
        struct match m = {v[0], v[1]};
        if (m.to > m.from)
            VEC_PUSH(out, m);
        at = m.to > at ? m.to : at + 1;
        while (at < n && ((unsigned char)s[at] & 0xc0) == 0x80)
            at++;
    }
    pcre2_match_data_free(d);
    return rc >= 0 || rc == PCRE2_ERROR_NOMATCH;
}
