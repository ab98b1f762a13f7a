/* A training run: from a student's folder and frozen rows to a folder with
 * the trained student, its figures, and everything needed to go on after an
 * interruption.
 *
 * RUN/status.json, curve.jsonl, answers.jsonl: see report.h.
 * RUN/checkpoints/: see checkpoint.h.
 * RUN/figures.json and RUN/model/ (a student's folder): at the end.
 */
#ifndef MODEL_LEARN_TRAIN_H
#define MODEL_LEARN_TRAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/learn/eval.h"
#include "model/learn/settings.h"

struct train {
    const char *dir;      /* the student to begin with */
    const char *adapter;  /* a LoRA adapter to go on with; NULL: none */
    char *const *rows;    /* files of rows */
    size_t n_rows;
    const char *valid;    /* held-out rows, NULL: none */
    const char *run;      /* the folder of the run */
    struct settings settings;
    bool given[SETTINGS]; /* which of them were asked for */
    bool resume;
    bool estimate;        /* train nothing; see train_estimate */
    bool other_host;      /* resume though the bits will differ */
};

/* How a run ended. */
struct outcome {
    bool stopped;  /* by a signal, with a checkpoint to go on from */
    bool early;    /* its patience ended; the weights are the best ones */
    int64_t best_step; /* of the lowest held-out loss */
    int64_t steps; /* made so far */
    double loss;   /* of the last one */
    struct figures held_out; /* rows 0: there are none */
    size_t left_out; /* held-out rows that --eval-share has no room for */
};

/* What a training would be, before it begins. */
struct train_estimate {
    int64_t parameters, trained, rows, held_out, longest, context;
    int64_t cut, left_out; /* rows longer than the context; without answers */
    int64_t tokens, steps; /* tokens of the whole run, answers or not */
    int64_t memory, available; /* bytes; available -1: nobody says */
    bool fits;
    double tokens_per_second;  /* from two steps; NAN where it does not fit */
    double seconds;
};

/* Reads what train_run would read and makes two steps, of which nothing
 * stays. */
bool train_estimate(const struct train *t, struct train_estimate *out,
                    struct err *e);

/* Trains. The folder is locked meanwhile. SIGTERM and SIGINT stop it behind
 * the step at hand; that is no failure. A loss that is not a number ends it
 * at the last checkpoint. */
bool train_run(const struct train *t, struct outcome *o, struct err *e);

/* Says in the folder of a run that nobody has said anything of that it failed,
 * and why: what went wrong before train_run could. */
void train_refuse(const struct train *t, const struct err *why);

#endif
