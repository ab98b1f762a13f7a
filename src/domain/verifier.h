/* Verifiers: rules that can tell whether an answer is right. One table; `eval`
 * and the built-in families mark answers by it. All are pure functions of the
 * expected text, the answer and the parameters. (A verifier that runs a
 * command is no part of this: it lives where children are started.)
 */
#ifndef DOMAIN_VERIFIER_H
#define DOMAIN_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

enum verifier {
    /* What stands behind the last "####"; without one the last number of the
     * answer where the expected one is a number, else the whole answer. Held
     * against the same of the expected text: numbers by value, other texts
     * folded (NFC, white space, case, a full stop at the end). */
    VERIFY_FINAL,
    /* The final answer as a number within the tolerance. */
    VERIFY_NUMBER,
    /* The final answer as a list whose order does not count: parted by
     * commas, semicolons or line ends, each element folded; an element that
     * stands twice must stand twice. */
    VERIFY_SET,
    /* The expected text is an extended regular expression (POSIX) that must
     * match the whole of the final answer, or any part where `anywhere`. */
    VERIFY_REGEX,
    /* Equal as JSON values: order of keys and form of numbers do not count.
     * A fence of Markdown around the answer is forgiven. */
    VERIFY_JSON,
    VERIFY_COUNT
};

struct verifier_params {
    double absolute, relative; /* number: |a - b| <= absolute + relative*|b| */
    bool anywhere;             /* regex */
};

/* "final" "number" "set" "regex" "json", and a sentence that says what it
 * does (not yet translated). */
const char *verifier_name(enum verifier v);
const char *verifier_about(enum verifier v);
bool verifier_parse(const char *name, enum verifier *out);

/* False for an expectation that can match nothing (a regular expression that
 * does not compile, no number, no JSON), with the reason in e. */
bool verifier_usable(enum verifier v, const char *expected, struct err *e);

/* Which verifier can tell answers to it right from wrong, where the expected
 * text alone says: FINAL for what has a "####", a number, or a few words on one
 * line that are no sentence; JSON for an object or a list. False for free text,
 * which may be said well in many ways. */
bool verifier_fits(const char *expected, enum verifier *out);

/* So many answers have to be marked, or rows held out, before a figure of them
 * is shown. */
enum { FIGURE_LEAST = 20 };

/* True where the answer is right. p NULL: exact. */
bool verifier_check(enum verifier v, const char *expected,
                    const char *answer, const struct verifier_params *p);

/* The final answer of a text as VERIFY_FINAL reads it, trimmed; `number` asks
 * for the last number where there is no "####". The caller frees. */
char *verifier_final(const char *text, bool number);

/* Reads a number as people write it: sign, digits with grouping ("1,234.5",
 * "1.234,5", "1 234"), a currency or unit in front or behind, per cent. A
 * single sign before exactly three digits groups ("1,234"), unless the number
 * begins with 0. False where there is none or more than one. */
bool verifier_number(const char *s, double *out);

/* Whether two values are equal as VERIFY_JSON holds them. */
bool json_same(const json *a, const json *b);

#endif
