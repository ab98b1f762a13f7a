#include "base/uni.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

#include "base/mem.h"
#include "base/utf8.h"

static bool all_ascii(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 0x80)
            return false;
    return true;
}

/* NFC of a string; the input itself, copied, where it is not UTF-8. */
static char *to_nfc(const char *s, size_t n)
{
    if (all_ascii(s, n) || utf8_check(s, n) < n)
        return xstrndup(s, n);
    size_t len = 0;
    uint8_t *out = u8_normalize(UNINORM_NFC, (const uint8_t *)s, n, NULL, &len);
    if (!out)
        die("out of memory");
    char *copy = xstrndup((const char *)out, len);
    free(out);
    return copy;
}

static bool is_space(uint32_t cp)
{
    if (cp < 0x80)
        return cp == ' ' || (cp >= '\t' && cp <= '\r');
    return cp == 0x85 || cp == 0xa0 || uc_is_property_white_space(cp);
}

/* The code point that a text begins with; a byte that is not UTF-8 is some
 * letter. */
static inline uint32_t next_char(const char *s, size_t *len)
{
    uint32_t cp = (unsigned char)*s;
    if (cp < 0x80) {
        *len = 1;
        return cp;
    }
    *len = utf8_get(s, strnlen(s, 4), &cp);
    if (*len)
        return cp;
    *len = 1;
    return 'x';
}

char *uni_fold_space(const char *s)
{
    char *text = to_nfc(s, strlen(s));
    size_t o = 0;
    bool gap = false;
    for (size_t i = 0, len; text[i]; i += len) {
        if (is_space(next_char(text + i, &len))) {
            gap = o > 0;
            continue;
        }
        if (gap)
            text[o++] = ' ';
        gap = false;
        if (len == 1)
            text[o] = text[i];
        else
            memmove(text + o, text + i, len);
        o += len;
    }
    text[o] = '\0';
    return text;
}

bool uni_is_blank(const char *s)
{
    for (size_t len; *s; s += len)
        if (!is_space(next_char(s, &len)))
            return false;
    return true;
}

char *uni_fold_lines(const char *s)
{
    char *text = to_nfc(s, strlen(s));
    size_t n = 0, breaks = 0, blanks = 0;
    for (size_t i = 0, len; text[i]; i += len) {
        uint32_t cp = next_char(text + i, &len);
        if (cp == '\n' || cp == '\r') {
            breaks += cp == '\n' || text[i + 1] != '\n';
            blanks = 0;
        } else if (is_space(cp)) {
            blanks += len;
        } else {
            if (n && breaks) {
                memset(text + n, '\n', breaks);
                n += breaks;
                memmove(text + n, text + i - blanks, blanks);
                n += blanks;
            } else if (n && blanks) {
                text[n++] = ' ';
            }
            memmove(text + n, text + i, len);
            n += len;
            breaks = blanks = 0;
        }
    }
    text[n] = '\0';
    return text;
}

char *uni_fold_case(const char *s)
{
    size_t n = strlen(s);
    if (all_ascii(s, n) || utf8_check(s, n) < n) {
        char *low = xstrndup(s, n);
        for (size_t i = 0; i < n; i++)
            if (low[i] >= 'A' && low[i] <= 'Z')
                low[i] = (char)(low[i] + 32);
        return low;
    }
    size_t len = 0;
    uint8_t *out = u8_casefold((const uint8_t *)s, n, NULL, UNINORM_NFC, NULL,
                               &len);
    if (!out)
        die("out of memory");
    char *copy = xstrndup((const char *)out, len);
    free(out);
    return copy;
}

static bool is_digit(uint32_t cp)
{
    return cp < 0x80 ? cp >= '0' && cp <= '9'
                     : uc_is_general_category_withtable(
                           cp, UC_CATEGORY_MASK_Nd);
}

static bool is_word(uint32_t cp)
{
    if (cp < 0x80)
        return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') ||
               is_digit(cp);
    return uc_is_general_category_withtable(
        cp, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_M);
}

/* True where s[i] is a decimal sign with a digit on either side. */
static bool joins_digits(const char *s, size_t n, size_t i, uint32_t before)
{
    if ((s[i] != '.' && s[i] != ',') || !is_digit(before) || i + 1 >= n)
        return false;
    uint32_t after;
    return utf8_get(s + i + 1, n - i - 1, &after) && is_digit(after);
}

int uni_next_word(const char *s, size_t n, size_t *at, size_t *start,
                  size_t *end)
{
    size_t i = *at;
    uint32_t cp = 0, before = 0;
    for (; i < n; i += utf8_get(s + i, n - i, &cp) ? utf8_get(s + i, n - i, &cp)
                                                    : 1)
        if (utf8_get(s + i, n - i, &cp) && is_word(cp))
            break;
    *start = i;
    while (i < n) {
        size_t len = utf8_get(s + i, n - i, &cp);
        if (!len || (!is_word(cp) && !joins_digits(s, n, i, before)))
            break;
        before = cp;
        i += len;
    }
    *end = *at = i;
    return *end > *start;
}

static uint64_t hash_bytes(const char *s, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
    return h;
}

size_t uni_words(const char *s, uint64_t *out, size_t max)
{
    char *low = uni_fold_case(s);
    size_t n = strlen(low), at = 0, start, end, count = 0;
    while (count < max && uni_next_word(low, n, &at, &start, &end))
        out[count++] = hash_bytes(low + start, end - start);
    free(low);
    return count;
}

size_t uni_count_words(const char *s)
{
    size_t n = strlen(s), at = 0, start, end, count = 0;
    while (uni_next_word(s, n, &at, &start, &end))
        count++;
    return count;
}

enum uni_kind uni_kind(uint32_t cp)
{
    if (is_space(cp))
        return UNI_SPACE;
    if (uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_L))
        return UNI_LETTER;
    if (uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_N))
        return UNI_NUMBER;
    return UNI_OTHER;
}

int uni_in_word(uint32_t cp)
{
    const uint32_t mask = UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_Nd |
                          UC_CATEGORY_MASK_Pc;
    return uc_is_property_alphabetic(cp) ||
           uc_is_general_category_withtable(cp, mask) ||
           uc_is_property_join_control(cp);
}

/* ---- Case --------------------------------------------------------------- */

static char *mapped(const char *s, size_t n, int how)
{
    size_t len = 0;
    const uint8_t *in = (const uint8_t *)s;
    uint8_t *out = how == UNI_UPPER ? u8_toupper(in, n, NULL, NULL, NULL, &len)
                   : how == UNI_TITLE
                       ? u8_totitle(in, n, NULL, NULL, NULL, &len)
                       : u8_tolower(in, n, NULL, NULL, NULL, &len);
    char *copy = out ? xstrndup((const char *)out, len) : xstrndup(s, n);
    free(out);
    return copy;
}

char *uni_case(const char *s, size_t n, int how)
{
    uint32_t cp;
    if (!n || how != UNI_CAPITAL)
        return n ? mapped(s, n, how) : xstrdup("");
    size_t first = utf8_get(s, n, &cp);
    first = first ? first : 1;
    char *head = mapped(s, first, UNI_TITLE);
    char *tail = first < n ? mapped(s + first, n - first, UNI_LOWER)
                           : xstrdup("");
    char *all = xasprintf("%s%s", head, tail);
    free(head);
    free(tail);
    return all;
}

/* ---- Normal forms ------------------------------------------------------- */

char *uni_form(const char *s, size_t n, int form)
{
    uninorm_t forms[] = {UNINORM_NFC, UNINORM_NFD, UNINORM_NFKC,
                         UNINORM_NFKD};
    size_t len = 0;
    if (!n)
        return xstrdup("");
    uint8_t *out = u8_normalize(forms[form], (const uint8_t *)s, n, NULL,
                                &len);
    char *copy = out ? xstrndup((const char *)out, len) : NULL;
    free(out);
    return copy;
}

int uni_punctuation(uint32_t cp)
{
    bool ascii = (cp >= 33 && cp <= 47) || (cp >= 58 && cp <= 64) ||
                 (cp >= 91 && cp <= 96) || (cp >= 123 && cp <= 126);
    return ascii || (cp >= 128 &&
                     uc_is_general_category(cp, UC_CATEGORY_P));
}

/* ---- Finding ------------------------------------------------------------ */

/* A letter without its accents and case; 0 for a mark. */
static uint32_t plain(uint32_t cp)
{
    ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
    if (cp < 0x80)
        return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    while (uc_canonical_decomposition(cp, parts) > 0)
        cp = parts[0];
    return uc_is_general_category(cp, UC_MARK) ? 0 : uc_tolower(cp);
}

/* The next letter that is no mark, 0 at the end; *at goes behind it and the
 * marks on it. */
static uint32_t next_plain(const char *s, size_t n, size_t *at)
{
    uint32_t cp = 0;
    size_t len;
    while (*at < n && !cp) {
        cp = plain(next_char(s + *at, &len));
        *at += len < n - *at ? len : n - *at;
    }
    while (cp && *at < n && (unsigned char)s[*at] >= 0x80 &&
           !plain(next_char(s + *at, &len)))
        *at += len < n - *at ? len : n - *at;
    return cp;
}

bool uni_find(const char *s, size_t n, size_t from, const char *text,
              size_t *start, size_t *end)
{
    uint32_t want[200];
    size_t m = 0, at = 0, size = strlen(text);
    while (at < size) {
        uint32_t cp = next_plain(text, size, &at);
        if (m == COUNT(want))
            return false;
        if (cp)
            want[m++] = cp;
    }
    while (m && from < n) {
        size_t i = 0, behind = from;
        uint32_t first = next_plain(s, n, &behind);
        size_t to = behind;
        for (i = first == want[0]; i > 0 && i < m; i++)
            if (next_plain(s, n, &to) != want[i])
                break;
        if (i == m) {
            *start = from;
            *end = to;
            return true;
        }
        from = behind;
    }
    return false;
}

bool uni_is_words(const char *s)
{
    size_t len;
    bool some = false;
    for (; *s; s += len) {
        uint32_t cp = next_char(s, &len);
        bool word = uc_is_general_category(cp, UC_LETTER) ||
                    uc_is_general_category(cp, UC_MARK) ||
                    uc_is_general_category(cp, UC_NUMBER);
        if (!word && !is_space(cp))
            return false;
        some = some || word;
    }
    return some;
}
