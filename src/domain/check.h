/* Checks: named tests of a reply, each with a figure, a limit and a verdict.
 * Pure: what needs the store (duplicate, near) is given in. A check that
 * fails rejects the sample on arrival; one that warns only marks it.
 */
#ifndef DOMAIN_CHECK_H
#define DOMAIN_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/status.h"

/* id, name (as stored and typed), label, what it tells */
#define CHECKS(X)                                                             \
    X(NEAR, "near", N_("near"), N_("too like another prompt (ROUGE-L)"))      \
    X(DUPLICATE, "duplicate", N_("duplicate"),                                \
      N_("the same prompt and answer are there already"))                     \
    X(LENGTH, "length", N_("length"),                                         \
      N_("a prompt of under 3 or over 150 words"))                            \
    X(CUT_OFF, "cut off", N_("cut off"),                                      \
      N_("the teacher stopped before it had finished"))                       \
    X(ECHO, "echo", N_("echo"), N_("the answer repeats the prompt"))          \
    X(REFUSAL, "refusal", N_("refusal"), N_("the teacher declined"))          \
    X(EMPTY, "empty", N_("empty"), N_("there is no answer"))

#define CHECK_ID(id, ...) CHECK_##id,
enum check { CHECKS(CHECK_ID) CHECK_COUNT };
#undef CHECK_ID

struct check_result {
    enum check check;
    double figure, bound;
    enum verdict verdict;
    int64_t against_sample, against_seed; /* 0: nothing */
};

/* As stored and typed; as shown; one line of explanation. */
const char *check_name(enum check c);
const char *check_label(enum check c); /* translated */
const char *check_help(enum check c);  /* translated */
bool check_parse(const char *name, enum check *out);

/* near: warns within .10 of the limit, fails above it. */
struct check_result check_near(double figure, double limit,
                               int64_t against_sample, int64_t against_seed);
/* duplicate: fails where `of` is the other sample's id, passes with 0. */
struct check_result check_duplicate(int64_t of);
/* length: warns where the prompt has under 3 or over 150 words. */
struct check_result check_length(const char *prompt);
/* cut off: fails where the finish reason says so ("length"). */
struct check_result check_cut_off(const char *finish);
/* echo: fails where the answer holds the prompt (of over 16 characters). */
struct check_result check_echo(const char *prompt, const char *answer);
/* refusal: warns where the answer opens as refusals do (English and
 * Portuguese). */
struct check_result check_refusal(const char *answer);
/* empty: fails where the answer has no character that is not white space. */
struct check_result check_empty(const char *answer);

#endif
