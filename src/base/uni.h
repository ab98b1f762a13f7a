/* Unicode by libunistring: normal form, case folding, words. The only user of
 * libunistring beside utf8.c.
 */
#ifndef BASE_UNI_H
#define BASE_UNI_H

#include <stdbool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NFC, ends trimmed, every run of white space folded into one blank: the form
 * under which two prompts count as the same. Bytes that are not UTF-8 come
 * through as they are. The caller frees. */
char *uni_fold_space(const char *s);

/* The same line by line: line ends (as LF) and what a line is indented by stay,
 * but at the ends of the whole. The caller frees. */
char *uni_fold_lines(const char *s);

/* Whether a text has no character that is not white space. */
bool uni_is_blank(const char *s);

/* Case folded (full folding, NFC). The caller frees. */
char *uni_fold_case(const char *s);

/* The words of a text, case folded, each as a 64-bit hash, at most `max`.
 * A word is a run of letters, marks and digits; `.` or `,` between two digits
 * belongs to it (`3,5` is one word). Returns how many were written. */
size_t uni_words(const char *s, uint64_t *out, size_t max);

/* The next word at or after *at in s[0..n): sets *start and *end (bytes),
 * advances *at behind it; returns 0 where there is none. */
int uni_next_word(const char *s, size_t n, size_t *at, size_t *start,
                  size_t *end);

/* What tokenizers ask of a code point: general category L, N, the property
 * White_Space, or none of these. */
enum uni_kind { UNI_OTHER, UNI_LETTER, UNI_NUMBER, UNI_SPACE };
enum uni_kind uni_kind(uint32_t cp);
/* Whether a regular expression's \w matches it: letters, marks, decimal
 * digits, connectors and joiners (UTS #18, annex C). */
int uni_in_word(uint32_t cp);

/* The text in another case (full mappings, the root locale): all letters, the
 * first of each word, or the first alone and the rest small. Bytes that are
 * not UTF-8 leave the text as it is. The caller frees. */
enum { UNI_LOWER, UNI_UPPER, UNI_TITLE, UNI_CAPITAL };
char *uni_case(const char *s, size_t n, int how);

/* The text in a normal form (0 NFC, 1 NFD, 2 NFKC, 3 NFKD), NUL-ended; NULL
 * where it is not UTF-8. The caller frees. */
char *uni_form(const char *s, size_t n, int form);
/* Punctuation as tokenizers mean it: ASCII's signs, and category P. */
int uni_punctuation(uint32_t cp);

/* Finds a text in s[0..n) at or behind byte `from`, without regard to case and
 * accents: its bytes are *start up to *end. False where it is not there, or
 * has more than 200 characters. */
bool uni_find(const char *s, size_t n, size_t from, const char *text,
              size_t *start, size_t *end);
/* Whether a text is words and blanks alone: what an index of words finds. */
bool uni_is_words(const char *s);

/* How many words the text has. */
size_t uni_count_words(const char *s);

#endif
