/* Deciding: a status for one sample, or for all that a filter names. */
#ifndef VERBS_DECIDE_H
#define VERBS_DECIDE_H

#include "domain/status.h"
#include "store/journal.h"
#include "store/query.h"

struct decide {
    const char *who;
    enum status to;
    const char *reason;   /* of a rejection; "" for none */
    int64_t base_seq;     /* the journal position that the person saw; 0: now */
    int64_t candidate;    /* the answer on the screen; 0: none is named */
    int64_t job;          /* of verb_decide_all: is done with it; 0: none */
};

enum decided {
    DECIDED,           /* saved */
    DECIDED_FOUND,     /* the disk complained; looked up: saved */
    DECIDED_NOT,       /* not saved; e says why */
    DECIDED_CONFLICT,  /* somebody decided first; *other and e say who */
    DECIDED_UNKNOWN    /* the disk complained; saved or not; e says so */
};

/* What the commit of a decision came to. */
enum decided decided_of(enum outcome o);

/* Whether nobody changed the sample after what the act's author saw, they
 * themselves at another screen neither. Else *other says what was done, and
 * the sentence is in e. */
bool decide_is_first(struct act *a, int64_t sample, struct other *other,
                     struct err *e);
/* Who that was, for `who`: a name, or "you". */
const char *other_name(const struct other *o, const char *who);

/* One sample. Deciding what is so already still writes a decision, so that it
 * is counted and undone like any other. */
enum decided verb_decide(struct store *s, const struct decide *d,
                         int64_t sample, struct other *other, int64_t *seq,
                         struct err *e);

/* All of them as one decision; samples that were changed since base_seq are
 * left out and counted, and so are, where they are accepted, those with no
 * answer whose checks pass (sample_choice). *seq gets the decision, 0 where
 * nothing changed. */
struct bulk_report {
    int64_t changed, left_out, no_answer, seq;
};
enum decided verb_decide_all(struct store *s, const struct decide *d,
                             const ids *samples, struct bulk_report *out,
                             struct err *e);

/* The dry run of a bulk act: how many samples it names, by the status that they
 * have and by split. */
struct dry_run {
    int64_t total, by_status[STATUS_COUNT], by_split[SPLIT_COUNT];
};
bool verb_dry_run(struct store *s, const ids *samples, struct dry_run *out,
                  struct err *e);

/* A tag that is put on or taken away. */
struct tagging {
    const char *name;
    bool on;
};
/* Tags on samples or seeds, as one act; *changed (may be NULL) counts the tags
 * that came or went. Where that is none nothing is written. */
enum decided verb_tag(struct store *s, const char *who, enum object kind,
                      const ids *objects, const struct tagging *tags, size_t n,
                      int64_t *changed, struct err *e);
/* A note ("" removes it) or a rating (0 removes it) on a sample or seed. */
enum decided verb_note(struct store *s, const char *who, enum object kind,
                       int64_t object, const char *text, struct err *e);
enum decided verb_rate(struct store *s, const char *who, enum object kind,
                       int64_t object, int value, struct err *e);
/* Moves a seed (with what was made from it) or a sample to another split. */
enum decided verb_split(struct store *s, const char *who, enum object kind,
                        int64_t object, enum split to, struct err *e);

#endif
