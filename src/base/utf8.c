#include "base/utf8.h"

#include <string.h>
#include <unictype.h>
#include <uniwidth.h>
#include <wchar.h>

#include "base/buf.h"

size_t utf8_get(const char *s, size_t n, uint32_t *cp)
{
    const unsigned char *p = (const unsigned char *)s;
    if (p[0] < 0x80) {
        *cp = p[0];
        return 1;
    }
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
        return 0;
    uint32_t c = p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *cp = c;
    return len;
}

size_t utf8_put(char out[4], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (cp & 0x3f));
        cp >>= 6;
    }
    out[0] = (char)((0xf00u >> len & 0xf0) | cp);
    return len;
}

size_t utf8_check(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint32_t cp;
        size_t len = utf8_get(s + i, n - i, &cp);
        if (!len)
            return i;
        i += len;
    }
    return n;
}

/* Half of a surrogate pair at s, written as three bytes; 0 for none. */
static uint32_t half_at(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    if (n < 3 || p[0] != 0xed || p[1] < 0xa0 || p[1] > 0xbf ||
        (p[2] & 0xc0) != 0x80)
        return 0;
    return 0xd000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

/* What stands for the bytes at s, which are no UTF-8; how many they are. */
static size_t heal_at(struct buf *out, const char *s, size_t n)
{
    uint32_t high = half_at(s, n), low = high ? half_at(s + 3, n - 3) : 0;
    char whole[4];
    if (high && high < 0xdc00 && low >= 0xdc00) {
        buf_add(out, whole, utf8_put(whole, 0x10000 + ((high - 0xd800) << 10) +
                                                (low - 0xdc00)));
        return 6;
    }
    size_t len = 1;
    while (len < (high ? 3 : n) && ((unsigned char)s[len] & 0xc0) == 0x80)
        len++;
    buf_puts(out, "\xef\xbf\xbd");
    return len;
}

char *utf8_heal(const char *s, size_t n)
{
    struct buf out = BUF_INIT(3 * n + 1);
    for (size_t i = 0; i < n;) {
        size_t good = utf8_check(s + i, n - i);
        buf_add(&out, s + i, good);
        i += good;
        if (i < n)
            i += heal_at(&out, s + i, n - i);
    }
    return buf_take(&out);
}

size_t utf8_length(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; count++) {
        uint32_t cp;
        size_t len = utf8_get(s + i, n - i, &cp);
        i += len ? len : 1;
    }
    return count;
}

static bool is_bidi(uint32_t c)
{
    return c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_zero_width(uint32_t c)
{
    return (c >= 0x200b && c <= 0x200d) || c == 0x2060 || c == 0xfeff ||
           c == 0xad || c == 0x34f || c == 0x180e || c == 0x115f ||
           c == 0x1160 || c == 0x3164 || c == 0xffa0 ||
           (c >= 0x2061 && c <= 0x2065) || (c >= 0x206a && c <= 0x206f) ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xfe00 && c <= 0xfe0f) ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

static bool is_odd(uint32_t c)
{
    if ((c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef))
        return true;
    return uc_is_general_category_withtable(
        c, UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cs);
}

enum cp_class cp_class(uint32_t c)
{
    if (c >= 0x20 && c < 0x7f)
        return CP_PLAIN;
    if (c == '\n')
        return CP_NEWLINE;
    if (c == '\t')
        return CP_TAB;
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
        return CP_CONTROL;
    if (c < 0x300 && c != 0xad)
        return CP_PLAIN;
    if (is_bidi(c))
        return CP_BIDI;
    if (is_zero_width(c))
        return CP_ZERO;
    if (uc_is_general_category_withtable(
            c, UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Me))
        return CP_MARK;
    return is_odd(c) ? CP_ODD : CP_PLAIN;
}

int cp_width(uint32_t c)
{
    if (c >= 0x20 && c < 0x300)
        return 1;
    if (cp_class(c) == CP_MARK)
        return 0;
    int w = wcwidth((wchar_t)c);
    if (w < 0)
        w = uc_width(c, "UTF-8");
    return w == 2 ? 2 : 1;
}

/* One picture with what belongs to it; its bytes, 0 for none. */
static size_t picture_at(const char *s, size_t n)
{
    uint32_t cp;
    size_t len = n ? utf8_get(s, n, &cp) : 0, more;
    if (!len || cp < 0xa9 || !uc_is_property_extended_pictographic(cp))
        return 0;
    more = len < n ? utf8_get(s + len, n - len, &cp) : 0;
    if (more && (cp == 0xfe0f || (cp >= 0x1f3fb && cp <= 0x1f3ff)))
        len += more;
    return len;
}

size_t utf8_emoji(const char *s, size_t n)
{
    static const char joiner[] = "\xe2\x80\x8d";
    uint32_t cp;
    size_t len = picture_at(s, n), next = len;
    for (int parts = 1; next && len + 3 < n && !memcmp(s + len, joiner, 3);
         parts++) {
        next = picture_at(s + len + 3, n - len - 3);
        if (!next)
            break;
        if (parts == EMOJI_PARTS)
            return 0;
        len += 3 + next;
    }
    return len && len > utf8_get(s, n, &cp) ? len : 0;
}

size_t utf8_hidden(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        size_t len = utf8_emoji(s + i, n - i);
        if (len) {
            i += len;
            continue;
        }
        len = utf8_get(s + i, n - i, &cp);
        if (!len) {
            count++;
            i++;
            continue;
        }
        enum cp_class k = cp_class(cp);
        if (k >= CP_CONTROL && k != CP_MARK)
            count++;
        i += len;
    }
    return count;
}
