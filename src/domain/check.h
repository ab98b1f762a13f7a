/* Checks: named tests of a prompt or an answer, each with a figure, a limit
 * and a verdict. One table says what each is called, what it is about, which
 * settings it takes and which function runs it; a recipe's step lists which of
 * them run (rules). What fails falls on arrival; what warns is only marked.
 * Pure: what needs the store (near, duplicate) is given in.
 */
#ifndef DOMAIN_CHECK_H
#define DOMAIN_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/status.h"

/* What a check looks at: the prompt; the answer; or what the step makes (the
 * prompt where it makes prompts, else the answer). */
enum check_about { ABOUT_PROMPT, ABOUT_ANSWER, ABOUT_MADE };

/* id, name (as stored and typed), label, what it tells, about, the function,
 * settings: the names among "limit", "min" and "max", blank-separated */
#define CHECKS(X)                                                             \
    X(NEAR, "near", N_("near"), N_("too like another prompt (ROUGE-L)"),      \
      ABOUT_PROMPT, near, "limit")                                            \
    X(DUPLICATE, "duplicate", N_("duplicate"),                                \
      N_("the same prompt and answer are there already"), ABOUT_ANSWER,       \
      duplicate, "")                                                          \
    X(LENGTH, "length", N_("length"),                                         \
      N_("fewer or more words than asked for"), ABOUT_MADE, length, \
      "min max")                                                              \
    X(CUT_OFF, "cut off", N_("cut off"),                                      \
      N_("the teacher stopped before it had finished"), ABOUT_ANSWER,         \
      cut_off, "")                                                            \
    X(ECHO, "echo", N_("echo"), N_("the answer repeats the prompt"),          \
      ABOUT_ANSWER, echo, "limit")                                            \
    X(REFUSAL, "refusal", N_("refusal"), N_("the teacher declined"),          \
      ABOUT_ANSWER, refusal, "")                                              \
    X(EMPTY, "empty", N_("empty"), N_("there is no answer"), ABOUT_MADE,      \
      empty, "")                                                              \
    X(SPECIAL, "special tokens", N_("special tokens"),                        \
      N_("control tokens of a model stand in the text"), ABOUT_MADE, special, \
      "")

#define CHECK_ID(id, ...) CHECK_##id,
enum check { CHECKS(CHECK_ID) CHECK_COUNT };
#undef CHECK_ID

/* A check that is to run, with its settings: `limit` is ROUGE-L's F of near
 * and the characters of echo; min and max are words of length. */
struct check_rule {
    enum check check;
    double limit, min, max;
};

struct check_result {
    enum check check;
    double figure, bound;
    enum verdict verdict;
    int64_t against_sample, against_seed; /* 0: nothing */
    bool approximate; /* near: not all prompts were looked at */
};

/* What a check may look at. Texts are borrowed; NULL where there is none. */
struct check_input {
    const char *prompt;  /* the last user message */
    const char *answer;
    const char *finish;  /* the finish reason */
    double near;         /* the nearest prompt's F, and whose it is */
    int64_t near_sample, near_seed;
    bool near_approximate;
    int64_t same;        /* another sample with this prompt and answer */
};

/* As stored and typed; as shown; one line of explanation. */
const char *check_name(enum check c);
const char *check_label(enum check c); /* translated */
const char *check_help(enum check c);  /* translated */
enum check_about check_about(enum check c);
/* Its settings by name, blank-separated; "" where it takes none. */
const char *check_settings(enum check c);
/* Reads a name; `_` and blank are one, so cut_off is "cut off". */
bool check_parse(const char *name, enum check *out);

/* The rule with the settings that hold where a file gives none: near .70,
 * echo 16 characters, length 0 to 1,000,000 words. */
struct check_rule check_rule(enum check c);

/* Runs it. near warns within .10 of its limit and fails above it; length,
 * refusal and special tokens warn; duplicate, cut off, echo and empty fail. A
 * figure of `length` is of the prompt where there is no answer. */
struct check_result check_run(const struct check_rule *r,
                              const struct check_input *in);

/* The same with the usual settings. */
struct check_result check_usual(enum check c, const struct check_input *in);

/* What stands in front of a figure: "≈" where it is approximate, else "". */
const char *figure_mark(bool approximate);

/* Whether a text has no character that is not white space. */
bool check_empty(const char *text);

/* How many control tokens of known chat formats stand in a text: <|...|>,
 * </s>, [INST], <start_of_turn>, a </think> and the like. */
size_t check_special_tokens(const char *text);

#endif
