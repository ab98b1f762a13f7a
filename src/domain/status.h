/* The small words of the domain, each in one table: statuses, splits,
 * sources, verdicts, reasons. Numbers are what the store holds; names are
 * what people type and files carry; labels are what the screen shows.
 */
#ifndef DOMAIN_STATUS_H
#define DOMAIN_STATUS_H

#include <stdbool.h>
#include <stddef.h>

/*       id        number name        label            mark */
#define STATUSES(X)                                                           \
    X(PENDING, 0, "pending", N_("pending"), "·")                              \
    X(ACCEPTED, 1, "accepted", N_("accepted"), "✓")                           \
    X(REJECTED, 2, "rejected", N_("rejected"), "✗")                           \
    X(DEFERRED, 3, "deferred", N_("deferred"), "~")

#define SPLITS(X)                                                             \
    X(TRAIN, 0, "train", N_("train"))                                         \
    X(VALID, 1, "valid", N_("valid"))                                         \
    X(TEST, 2, "test", N_("test"))

#define SOURCES(X)                                                            \
    X(SEED, 0, "seed", N_("seed"))                                            \
    X(TEACHER, 1, "teacher", N_("teacher"))                                   \
    X(STUDENT, 2, "student", N_("student"))                                   \
    X(HUMAN, 3, "human", N_("human"))

#define VERDICTS(X)                                                           \
    X(PASS, 0, "pass", N_("pass"), "✓")                                       \
    X(WARN, 1, "warn", N_("warn"), "!")                                       \
    X(FAIL, 2, "fail", N_("fail"), "✗")

/* Shipped reasons of a rejection, with their letter. The last column says
 * whether an answer rejected so is false (KTO), not merely unwanted. */
#define REASONS(X)                                                            \
    X('w', "wrong", N_("wrong"), true)                                        \
    X('d', "duplicate", N_("duplicate"), false)                               \
    X('o', "off topic", N_("off topic"), true)                                \
    X('f', "format", N_("format"), true)                                      \
    X('s', "style", N_("style"), true)                                        \
    X('z', "unsafe", N_("unsafe"), true)

/* Kinds of decision, as the journal names them. */
#define DEEDS(X)                                                              \
    X("accept", N_("accept")) X("reject", N_("reject"))                       \
    X("defer", N_("defer")) X("reopen", N_("reopen")) X("edit", N_("edit"))   \
    X("tag", N_("tag")) X("untag", N_("untag")) X("note", N_("note"))         \
    X("rate", N_("rate")) X("split", N_("split")) X("arrive", N_("arrive"))   \
    X("withdraw", N_("withdraw")) X("purge", N_("purge"))                     \
    X("order", N_("order"))                                                   \
    X("target", N_("target")) X("undo", N_("undo")) X("redo", N_("redo"))

#define STATUS_ID(id, n, ...) STATUS_##id = n,
#define SPLIT_ID(id, n, ...) SPLIT_##id = n,
#define SOURCE_ID(id, n, ...) SOURCE_##id = n,
#define VERDICT_ID(id, n, ...) VERDICT_##id = n,
enum status { STATUSES(STATUS_ID) STATUS_COUNT };
enum split { SPLITS(SPLIT_ID) SPLIT_COUNT };
enum source { SOURCES(SOURCE_ID) SOURCE_COUNT };
enum verdict { VERDICTS(VERDICT_ID) VERDICT_COUNT };
#undef STATUS_ID
#undef SPLIT_ID
#undef SOURCE_ID
#undef VERDICT_ID

struct reason {
    char key;
    const char *name;  /* as stored, English */
    const char *label; /* untranslated; show _(label) */
    bool is_false;
};

/* As stored and typed; parsing is exact and leaves *out alone on failure. */
const char *status_name(enum status s);
const char *status_label(enum status s); /* translated */
const char *status_mark(enum status s);
bool status_parse(const char *name, enum status *out);

/* The same for splits. */
const char *split_name(enum split s);
const char *split_label(enum split s);
bool split_parse(const char *name, enum split *out);

/* The same for where an answer comes from. */
const char *source_name(enum source s);
const char *source_label(enum source s);

/* The same for what a check found. */
const char *verdict_name(enum verdict v);
const char *verdict_mark(enum verdict v);

/* The shipped reasons; *n says how many. */
const struct reason *reasons(size_t *n);
/* The reason's label in the program's language; other reasons as they are. */
const char *reason_label(const char *name);
/* A judge's aspect, the shipped ones in the program's language. */
const char *aspect_label(const char *name);
/* The decision's kind in the program's language; others as they are. */
const char *deed_label(const char *kind);
/* True for reasons that make a rejected answer a false one (KTO): wrong, off
 * topic, format, style, unsafe, all bad, and an imported mark. */
bool reason_is_false(const char *name);
/* True for those of them that are meant of all answers, not of the one that
 * was shown. */
bool reason_is_of_all(const char *name);

#define REASON_ALL_BAD "all bad"
#define REASON_LABEL "label" /* a row that was marked as false came in */

/* A split by SHA-256 of the store's salt and the content: 90/5/5. */
enum split split_of(const void *salt, size_t salt_size, const char *content);
/* How many of a target's n seeds belong to a split that is held out: 5%, but
 * three of twelve and more; the first six are all trained on. */
size_t split_quota(enum split s, size_t n);

#endif
