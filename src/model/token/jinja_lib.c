/* What filters and methods of chat templates share. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "model/token/jinja_lib.h"

struct jv lib_none(void)
{
    return jv_undefined(NULL);
}

struct jv lib_text(const char *s)
{
    return jv_borrow(s, strlen(s));
}

/* The value as a string: itself, or printed. */
struct jv lib_as_text(struct run *r, const struct jv *v)
{
    struct buf b = BUF_INIT(JINJA_OUTPUT);
    if (v->type == JV_STRING)
        return *v;
    jv_print(v, &b);
    struct jv out = run_string(r, &b);
    buf_free(&b);
    return out;
}

bool lib_want_text(struct run *r, const struct jv *v, const char *who)
{
    if (v->type == JV_STRING)
        return true;
    run_fail(r, _("%s: a string is wanted, not '%s'"), who, jv_type_name(v));
    return false;
}

/* The length of the code point at s[at], and the code point. */
size_t lib_point(const struct jv *v, size_t at, uint32_t *cp)
{
    size_t n = utf8_get(v->s + at, v->n - at, cp);
    if (!n)
        *cp = 0xfffd;
    return n ? n : 1;
}

/* Whether strip takes it: Python's white space, or one of `chars`. */
bool lib_strips(uint32_t cp, const struct jv *chars)
{
    if (chars->type != JV_STRING)
        return uni_kind(cp) == UNI_SPACE || (cp >= 0x1c && cp <= 0x1f);
    for (size_t i = 0; i < chars->n;) {
        uint32_t c;
        i += lib_point(chars, i, &c);
        if (c == cp)
            return true;
    }
    return false;
}

struct jv lib_strip(struct run *r, const struct jv *v,
                       const struct jv *chars, bool left, bool right)
{
    size_t from = 0, to = v->n;
    uint32_t cp;
    while (left && from < to) {
        size_t n = lib_point(v, from, &cp);
        if (!lib_strips(cp, chars))
            break;
        from += n;
    }
    while (right && to > from) {
        size_t at = to - 1;
        while (at > from && ((unsigned char)v->s[at] & 0xc0) == 0x80)
            at--;
        lib_point(v, at, &cp);
        if (!lib_strips(cp, chars))
            break;
        to = at;
    }
    return jv_string(&r->arena, v->s + from, to - from);
}

/* Where `part` first stands in v from `at` on; v->n where it does not. */
size_t lib_find(const struct jv *v, size_t at, const struct jv *part)
{
    const char *p = at <= v->n ? memmem(v->s + at, v->n - at, part->s,
                                        part->n) : NULL;
    return p ? (size_t)(p - v->s) : v->n;
}

struct jv lib_replaced(struct run *r, const struct jv *v,
                          const struct jv *old, const struct jv *with,
                          int64_t count)
{
    struct buf b = BUF_INIT(JINJA_OUTPUT);
    size_t at = 0;
    while (count != 0 && old->n) {
        size_t hit = lib_find(v, at, old);
        if (hit >= v->n)
            break;
        buf_add(&b, v->s + at, hit - at);
        buf_add(&b, with->s, with->n);
        at = hit + old->n;
        count--;
    }
    buf_add(&b, v->s + at, v->n - at);
    struct jv out = b.failed ? run_fail(r, "%s", _("it prints too much"))
                             : run_string(r, &b);
    buf_free(&b);
    return out;
}

struct jv lib_case(struct run *r, const struct jv *v, int how)
{
    char *s = uni_case(v->s, v->n, how);
    struct jv out = jv_string(&r->arena, s, strlen(s));
    free(s);
    return out;
}

void lib_add(struct run *r, struct jv list, struct jv v)
{
    if (!jv_push(&r->arena, list, v))
        run_fail(r, "%s", _("out of memory"));
}

int64_t lib_int(const struct args *a, size_t n, const char *name,
                       int64_t otherwise)
{
    struct jv v = arg(a, n, name, jv_none());
    return jv_is_number(&v) ? (int64_t)jv_number(&v) : otherwise;
}
