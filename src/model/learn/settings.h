/* What a training run was asked to do. One table names each setting, so that
 * the command's options, the checkpoint's record and the comparison of both
 * at a resume are one thing.
 */
#ifndef MODEL_LEARN_SETTINGS_H
#define MODEL_LEARN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct settings {
    int64_t tokens, epochs, steps; /* the budget: one of them */
    int64_t batch_tokens, context, seed, eval_every, patience;
    double rate, warmup, decay, clip, dropout;
    double eval_share;    /* of the run's tokens; 0: any */
    bool from_scratch;
    int64_t lora;         /* the rank; 0: all weights are trained */
    double lora_alpha, lora_dropout; /* alpha 0: twice the rank */
    int64_t lora_targets; /* bits of enum module; 0: all linear layers */
    bool rslora, recompute, mask_thinking;
    int64_t schedule, truncate; /* enum schedule, enum truncate */
    int64_t precision;          /* enum gemm_precision */
    int64_t dtype;              /* enum dtype of what is written */
};

enum dtype { DTYPE_SAME, DTYPE_FLOAT32, DTYPE_BFLOAT16 };

#define SETTING(member, ...) SETTING_##member,
enum {
#include "model/learn/settings.def"
    SETTINGS
};
#undef SETTING

struct setting {
    const char *name;  /* "batch-tokens": the option is this behind "--" */
    const char *arg;   /* NULL: a flag */
    const char *help;  /* N_() */
    size_t offset;     /* in struct settings */
    char kind;         /* i: int64_t, d: double, b: bool, t: int64_t by name */
    bool (*read)(const char *name, int64_t *value, struct err *e); /* of t */
    bool since; /* checkpoints of before it mean 0 */
};

extern const struct setting setting_table[SETTINGS];

/* The defaults: reference/demo.md's recommended ones. A budget and a context
 * (that of the model) of 0 are filled in later; without eval_every there are
 * ten evaluations, or as many as eval_share leaves room for. */
void settings_default(struct settings *s);

/* The value of a setting of kind t. */
bool settings_name(struct settings *s, const struct setting *t,
                   const char *name, struct err *e);

/* The value of --truncate: an enum truncate; of --dtype: an enum dtype. */
bool settings_truncate(const char *name, int64_t *value, struct err *e);
bool settings_dtype(const char *name, int64_t *value, struct err *e);

/* Whether files of that dtype are in bfloat16, where weights came so or not. */
bool settings_bf16(int64_t dtype, bool came_so);

/* The values in their ranges, and no more than one budget. */
bool settings_check(const struct settings *s, struct err *e);

/* Writes them as one JSON object. */
void settings_print(const struct settings *s, struct jw *w);

/* Takes the recorded values; a value that was given on the command line
 * (given[i]) and differs is refused by name. */
bool settings_resume(struct settings *s, const bool given[SETTINGS],
                     const json *record, struct err *e);

#endif
