/* The files of a run's folder that a screen reads.
 *
 * status.json, replaced at most four times a second:
 *   {"state":"running|done|stopped|failed","why":text?,"step":n,"steps":n,
 *    "loss":x?,"held_out_loss":x?,"exact":x?,"tokens":n,
 *    "tokens_per_second":x?,"eta_seconds":x?,"gemm_share":x?,
 *    "parameters":n,"checkpoint":n?,"kernel":text,"threads":n,
 *    "memory_bytes":n,"held_out":n,"marked":n,
 *    "nearest_exact":x?,
 *    "evaluation_tokens":n}
 *   (with ?: absent until it is known, and where fewer than FIGURE_LEAST rows
 *   are held out, or marked; "evaluation_tokens" were read and generated for
 *   the held-out rows, "tokens" for the training)
 * curve.jsonl, one line a logged step or evaluation:
 *   {"step":n,"loss":x} or {"step":n,"held_out_loss":x,"exact":x?}
 * answers.jsonl, replaced at each evaluation, up to 200 held-out rows that
 * were answered; right? and right_before? where a verifier can tell:
 *   {"id":n,"before":text,"now":text,"right":bool?,"right_before":bool?}
 */
#ifndef MODEL_LEARN_REPORT_H
#define MODEL_LEARN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "model/learn/eval.h"

struct report {
    const char *run; /* the folder */
    int64_t last;    /* when status.json was written, monotonic ms */
    /* what it says */
    const char *state; /* running, done, stopped, failed */
    const char *why;   /* NULL: nothing to say */
    int64_t step, steps, tokens;
    int64_t checkpoint;          /* -1: none */
    double loss;                 /* NAN: none yet */
    double held_out_loss, exact; /* NAN: not shown */
    double nearest_exact;        /* what looking up would do; NAN: not known */
    double rate, eta;            /* tokens a second; seconds */
    double gemm_share;
    size_t parameters, held_out, marked;
    int64_t evaluation_tokens;
    int threads;
};

/* Writes status.json, unless it was written less than 250 ms ago and `now`
 * is false. */
bool report_status(struct report *r, bool now, struct err *e);

/* Appends a line to curve.jsonl: the training loss, or what an evaluation
 * found, where that is shown. */
bool report_loss(const struct report *r, int64_t step, double loss,
                 struct err *e);
bool report_held_out(const struct report *r, int64_t step, bool marked,
                     struct err *e);
/* Cuts lines behind a step (what a resume will do again). */
bool report_cut(const struct report *r, int64_t step, struct err *e);

/* The answers of the first evaluation, for the column `before`; NULL text
 * where a row has none. */
struct before {
    char *text;
    bool marked, right;
};

/* Replaces answers.jsonl with up to 200 rows. */
bool report_answers(const struct report *r, const struct items *d,
                    const struct before *before, const struct verdict *now,
                    struct err *e);
/* Reads the `before` column back into b[d->n], by id. */
void report_read_before(const struct report *r, const struct items *d,
                        struct before *b);

/* The process's largest memory so far, in bytes. */
int64_t report_memory(void);

#endif
