#include "model/token/split.h"

#include <string.h>

#include "base/mem.h"
#include "base/uni.h"
#include "base/utf8.h"

/* The kind of the character at s and its length. */
static enum uni_kind look(const char *s, size_t n, size_t *len)
{
    uint32_t cp;
    *len = utf8_get(s, n, &cp);
    if (!*len) {
        *len = 1;
        return UNI_OTHER;
    }
    return uni_kind(cp);
}

/* The bytes from s on that are of one kind. */
static size_t run(const char *s, size_t n, enum uni_kind kind)
{
    size_t at = 0, len;
    while (at < n && look(s + at, n - at, &len) == kind)
        at += len;
    return at;
}

static size_t contraction(const char *s, size_t n)
{
    static const char *const known[] = {"'s", "'t", "'re", "'ve", "'m", "'ll",
                                        "'d"};
    for (size_t i = 0; i < COUNT(known); i++) {
        size_t len = strlen(known[i]);
        if (len <= n && !memcmp(s, known[i], len))
            return len;
    }
    return 0;
}

/* White space that no word takes along: all of it at the end of the text,
 * else all but its last character, which the next word may take. */
static size_t spaces(const char *s, size_t n)
{
    size_t all = run(s, n, UNI_SPACE), at = 0, len = 0;
    if (all == n)
        return all;
    while (at < all) {
        look(s + at, n - at, &len);
        at += len;
    }
    return all > len ? all - len : all;
}

size_t split_number(const char *s, size_t n)
{
    size_t at, len;
    if (look(s, n, &at) == UNI_NUMBER)
        return at;
    while (at < n && look(s + at, n - at, &len) != UNI_NUMBER)
        at += len;
    return at;
}

size_t split_word(const char *s, size_t n)
{
    size_t len, first = 0, short_form = contraction(s, n);
    if (short_form)
        return short_form;
    enum uni_kind kind = look(s, n, &len);
    if (*s == ' ' && n > 1) {
        enum uni_kind next = look(s + 1, n - 1, &len);
        if (next != UNI_SPACE) {
            kind = next;
            first = 1;
        }
    }
    if (kind == UNI_SPACE)
        return spaces(s, n);
    return first + run(s + first, n - first, kind);
}
