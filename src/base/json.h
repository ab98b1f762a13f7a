/* JSON under our own rules. A strict scanner stands before cJSON, which is
 * lenient (it cuts strings at NUL, takes invalid UTF-8 and trailing junk, and
 * lets the first of two equal keys win). What passes here is RFC 8259, valid
 * UTF-8, without NUL and lone surrogates, without equal keys in one object,
 * and within limits. Numbers keep the text that they came with. The only user
 * of cJSON.h is json.c.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

typedef struct cJSON json;

enum {
    JSON_DEPTH = 64,       /* nested arrays and objects */
    JSON_TOKENS = 1000000, /* values in one text */
    JSON_BYTES = 64 << 20
};

/* Parses exactly n bytes (white space around the value allowed). NULL with
 * "byte N: ..." in e. The caller frees with json_free. */
json *json_parse(const char *s, size_t n, struct err *e);

/* Parses the JSON value at the start of s and says in *used how many bytes it
 * took; what follows is not looked at. */
json *json_parse_prefix(const char *s, size_t n, size_t *used, struct err *e);

/* What a loose reading lets through; limits, brackets and commas hold. */
enum {
    JSON_ODD_NUMBERS = 1, /* NaN, Infinity in any spelling, 1e999: a number
                             that is not finite, and is null where it is
                             printed */
    JSON_ODD_TEXT = 2,    /* bytes that are not UTF-8, raw controls, unknown
                             escapes; NUL becomes U+FFFD, half a surrogate
                             pair its three bytes: utf8_heal makes text */
    JSON_TWICE = 4,       /* a key that stands twice: the first one counts */
    JSON_ODD = 7          /* all of these */
};

/* As json_parse_prefix, but lets through what `odd` says. */
json *json_parse_odd(const char *s, size_t n, unsigned odd, size_t *used,
                     struct err *e);

/* The same. *used says how far it came also where it failed; *early that it
 * failed at the text's end, so that more of it may make the value. */
json *json_parse_part(const char *s, size_t n, unsigned odd, size_t *used,
                      bool *early, struct err *e);

/* The scanner alone: the length of the value at the start of s (white space
 * before it included), or 0 with the reason in e. */
size_t json_scan(const char *s, size_t n, struct err *e);

/* Parses a file of at most `max` bytes; errors name the file. */
json *json_load(const char *path, size_t max, struct err *e);

void json_free(json *j);

/* What kind of value it is; false for NULL. */
bool json_is_object(const json *j);
bool json_is_array(const json *j);
bool json_is_string(const json *j);
bool json_is_number(const json *j);
bool json_is_bool(const json *j);
bool json_is_true(const json *j);
bool json_is_null(const json *j);
/* A number that is not finite (JSON_ODD_NUMBERS). */
bool json_is_no_number(const json *j);

/* The member named `key` (case counts), NULL where there is none or j is not
 * an object (or NULL). */
const json *json_get(const json *j, const char *key);
/* Walks an array or object: the first child, the next sibling, its key. */
const json *json_first(const json *j);
const json *json_next(const json *j);
const char *json_key(const json *j);
size_t json_count(const json *j);

/* The string's bytes, borrowed; NULL where it is not a string. */
const char *json_string(const json *j);
/* The string member, or `otherwise`. */
const char *json_get_string(const json *j, const char *key,
                            const char *otherwise);
/* The number, or `otherwise`. */
double json_get_number(const json *j, const char *key, double otherwise);
double json_number(const json *j, double otherwise);
/* The integer member where it is one and exact (|v| <= 2^53). */
int64_t json_get_int(const json *j, const char *key, int64_t otherwise);
bool json_get_bool(const json *j, const char *key, bool otherwise);

/* Writes a parsed value back, compact, keys in their order, numbers as they
 * were written. */
void json_print(struct buf *b, const json *j);
/* The same with each number as the nearest double prints, which is how stores
 * of schema 1 were written. */
void json_print_rounded(struct buf *b, const json *j);

/* ---- What was read of a value ------------------------------------------- */

/* As json_get, and marks the member as read: what is in it has to be read on
 * its own. */
const json *json_take(const json *j, const char *key);
/* Marks a value as read; `whole` with all that is in it. */
void json_taken(const json *j, bool whole);
/* Takes the mark back. */
void json_untake(const json *j);
bool json_is_taken(const json *j);
bool json_is_whole(const json *j);
/* Turns a string that holds a JSON list or object into that list or object;
 * false where it holds none. */
bool json_unfold(const json *j);

/* ---- Writing ------------------------------------------------------------ */

/* Quotes n bytes as a JSON string: controls and U+2028/9 escaped, bytes that
 * are not UTF-8 replaced by U+FFFD. */
void json_quote(struct buf *b, const char *s, size_t n);

/* A writer that knows where commas go:
 *   struct jw w = jw_start(&buf);
 *   jw_open(&w, '{'); jw_key(&w, "n"); jw_int(&w, 3); jw_close(&w);     */
struct jw {
    struct buf *out;
    int depth;
    char close[JSON_DEPTH];
    bool comma;
};

/* Writes into `out`, which must outlive it; containers are closed in the
 * reverse order, values follow a key inside an object. */
struct jw jw_start(struct buf *out);
void jw_open(struct jw *w, char bracket); /* '{' or '[' */
void jw_close(struct jw *w);
void jw_key(struct jw *w, const char *key);
void jw_str(struct jw *w, const char *s); /* NULL writes null */
void jw_int(struct jw *w, int64_t v);
void jw_num(struct jw *w, double v); /* shortest form that reads back equal */
void jw_fixed(struct jw *w, double v, int decimals);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_raw(struct jw *w, const char *text); /* a finished JSON value */
/* key and value in one */
void jw_kstr(struct jw *w, const char *key, const char *s);
void jw_kint(struct jw *w, const char *key, int64_t v);
void jw_knum(struct jw *w, const char *key, double v);
void jw_kbool(struct jw *w, const char *key, bool v);

#endif
