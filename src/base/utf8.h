/* UTF-8, what a code point is to a reader, and how many cells it takes. The
 * one answer that is shared by lint, import and the screen.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the code point at s (n > 0 bytes left) into *cp and returns its
 * length, or 0 where the bytes are not strict UTF-8 (overlong, surrogate,
 * above U+10FFFF, cut): the caller then takes one byte as junk. */
size_t utf8_get(const char *s, size_t n, uint32_t *cp);

/* Writes cp (a scalar value) as UTF-8 into out[4]; returns its length. */
size_t utf8_put(char out[4], uint32_t cp);

/* The offset of the first byte that is not strict UTF-8, or n. */
size_t utf8_check(const char *s, size_t n);

/* The number of code points; each junk byte counts as one. */
size_t utf8_length(const char *s, size_t n);

/* Makes text of bytes whose characters may have come in pieces: halves of a
 * surrogate pair (three bytes each) become the character, what is no UTF-8
 * after that U+FFFD. The caller frees. */
char *utf8_heal(const char *s, size_t n);

enum cp_class {
    CP_PLAIN,   /* drawn as it is */
    CP_NEWLINE, /* \n */
    CP_TAB,
    CP_CONTROL, /* C0 (CR too), DEL, C1, U+2028, U+2029 */
    CP_BIDI,    /* characters that reorder the line */
    CP_ZERO,    /* zero-width, tags, soft hyphen, stray selectors */
    CP_MARK,    /* combining: drawn on the cell before */
    CP_ODD      /* unassigned, private use, non-character */
};

/* What a code point is. A zero-width joiner or a variation selector counts as
 * CP_ZERO here; inside of an emoji (utf8_emoji) they are forgiven. */
enum cp_class cp_class(uint32_t cp);

/* Cells that a CP_PLAIN code point takes: 1 or 2 (wcwidth, 1 where that does
 * not know it); 0 for CP_MARK; what its token takes otherwise is the
 * screen's business. */
int cp_width(uint32_t cp);

/* The emoji at the start of s[0..n) that is more than one code point and of
 * which every terminal shows something: pictures, each perhaps with a skin
 * tone or the selector of its coloured form, joined by zero-width joiners
 * (UTS #51; at most EMOJI_PARTS pictures). Returns its bytes; 0 where there is
 * none, and then each code point is what cp_class says. */
#define EMOJI_PARTS 5
size_t utf8_emoji(const char *s, size_t n);

/* How many characters of s a reader does not see: controls except newline and
 * tab, bidi, zero-width (but those inside of an emoji), odd ones and bytes
 * that are not UTF-8. */
size_t utf8_hidden(const char *s, size_t n);

#endif
