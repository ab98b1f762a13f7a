/* Training: a frozen snapshot of accepted rows, and a student that is trained
 * on it by `stillroom-model` in a process that outlives the screen. */
#ifndef VERBS_TRAIN_H
#define VERBS_TRAIN_H

#include "base/buf.h"
#include "domain/verifier.h"
#include "store/run.h"

#define TRAIN_HELD_OUT 200 /* held-out rows at most */
#define TRAIN_LEAST FIGURE_LEAST /* under these no figure is shown */

struct train {
    int64_t target;
    const char *filter;  /* over the accepted samples; "" for all */
    const char *student; /* a folder in the HF layout, a GGUF file, or "nano" */
    int64_t tokens;      /* of answers; 0: by epochs */
    int64_t epochs;      /* 0: 4 */
    int64_t seed;
    int64_t lora;        /* the rank; 0: all weights are trained */
    double rate;         /* the peak learning rate; 0: TRAIN_RATE and so on */
};

/* The peak rates of a student that is not nano: all weights, and LoRA. */
#define TRAIN_RATE 1e-4
#define TRAIN_RATE_LORA 5e-4

/* What a form shows before it starts. */
struct train_estimate {
    int64_t rows, held_out;
};
bool verb_train_estimate(struct store *s, const struct train *t,
                         struct train_estimate *out, struct err *e);

/* What it would take on this machine, as the JSON object that `stillroom-model
 * train --estimate` prints, appended to `out`: the student is read, and two
 * steps are made of which nothing stays. A GGUF file is converted, nano made,
 * as verb_train would. */
bool verb_train_cost(struct store *s, const struct train *t, struct buf *out,
                     struct err *e);

/* Writes the snapshot into NAME.runs/rN, makes `nano` where the target has
 * none yet, records the run and starts it. Its id, 0 on failure. */
int64_t verb_train(struct store *s, const struct train *t, struct err *e);
/* Goes on from the last checkpoint. */
bool verb_train_resume(struct store *s, int64_t run, struct err *e);
/* What a run's status says of its held-out rows: their loss, and the share of
 * right answers. NAN where fewer than TRAIN_LEAST are held out, or marked. */
double train_held_out(const json *status);
double train_exact(const json *status);
/* Where a run is, or how and why it ended, in a line for people; the caller
 * frees. */
char *train_tale(const json *status);

/* Copies what ended into the store; a training that ended before it could say
 * a word has failed, and the last line of its log says why. True where
 * something changed. */
bool verb_train_collect(struct store *s);

/* The folder of the student that a run begins from; the caller frees. */
char *train_student_dir(struct store *s, const struct run *r);

/* The folder of the student that the target's newest run began from, or of its
 * nano; NULL where there is neither. The caller frees. */
char *train_newest_student(struct store *s, int64_t target);

/* The nano student's folder of a target; the caller frees. */
char *train_nano_dir(struct store *s, int64_t target);
/* Makes the target's nano student where it is not there yet: its tokenizer is
 * learned from the train seeds and train samples. */
bool train_make_nano(struct store *s, int64_t target, int64_t seed,
                     struct err *e);

#endif
