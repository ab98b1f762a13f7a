#include "model/learn/settings.h"

#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/learn/adamw.h"
#include "model/learn/rows.h"
#include "model/net/gemm.h"
#include "model/net/lora.h"

/* A plan is walked to its end before the first step, checkpoints are named by
 * eight digits of the step, and a checkpoint's settings are doubles. */
#define MOST_TOKENS 10000000000
#define MOST_EPOCHS 1000000
#define MOST_STEPS 99999999
#define MOST_SEED 9007199254740992

static bool read_targets(const char *names, int64_t *value, struct err *e)
{
    int targets;
    bool ok = lora_targets(names, &targets, e);
    *value = ok ? targets : 0;
    return ok;
}

/* The place of a name among three. */
static bool read_name(const char *option, const char *const names[3],
                      const char *name, int64_t *value, struct err *e)
{
    *value = 0;
    while (*value < 3 && strcmp(name, names[*value]))
        ++*value;
    return *value < 3 ||
           err_set(e, ERR_USAGE, _("--%s is %s, %s or %s, not \"%.40s\""),
                   option, names[0], names[1], names[2], name);
}

static bool read_schedule(const char *name, int64_t *value, struct err *e)
{
    static const char *const names[] = {[SCHEDULE_COSINE] = "cosine",
                                        [SCHEDULE_LINEAR] = "linear",
                                        [SCHEDULE_CONSTANT] = "constant"};
    return read_name("schedule", names, name, value, e);
}

bool settings_truncate(const char *name, int64_t *value, struct err *e)
{
    static const char *const names[] = {[TRUNCATE_RIGHT] = "right",
                                        [TRUNCATE_LEFT] = "left",
                                        [TRUNCATE_REFUSE] = "refuse"};
    return read_name("truncate", names, name, value, e);
}

bool settings_dtype(const char *name, int64_t *value, struct err *e)
{
    static const char *const names[] = {[DTYPE_SAME] = "same",
                                        [DTYPE_FLOAT32] = "float32",
                                        [DTYPE_BFLOAT16] = "bfloat16"};
    return read_name("dtype", names, name, value, e);
}

bool settings_bf16(int64_t dtype, bool came_so)
{
    return dtype == DTYPE_SAME ? came_so : dtype == DTYPE_BFLOAT16;
}

static bool read_precision(const char *name, int64_t *value, struct err *e)
{
    return read_name("precision", gemm_precisions, name, value, e);
}

const struct setting setting_table[SETTINGS] = {
#define SETTING(member, name, arg, help, kind, read, since)                   \
    {name, arg, help, offsetof(struct settings, member), kind, read, since},
#include "model/learn/settings.def"
#undef SETTING
};

void settings_default(struct settings *s)
{
    *s = (struct settings){.batch_tokens = 2048, .seed = 1, .rate = 3e-3,
                           .warmup = .02, .decay = .1, .clip = 1,
                           .eval_share = .1,
                           .precision = GEMM_HIGH};
}

bool settings_check(const struct settings *s, struct err *e)
{
    if ((s->tokens > 0) + (s->epochs > 0) + (s->steps > 0) > 1)
        return err_set(e, ERR_USAGE, _("--tokens, --epochs and --steps: only "
                                       "one of them can be given"));
    if (s->tokens > MOST_TOKENS || s->epochs > MOST_EPOCHS ||
        s->steps > MOST_STEPS || s->seed > MOST_SEED)
        return err_set(e, ERR_USAGE, _("--tokens, --epochs, --steps or --seed "
                                       "is too large"));
    if (s->batch_tokens < 1 || s->batch_tokens > 1 << 22)
        return err_set(e, ERR_USAGE, _("--batch-tokens is not from 1 to %d"),
                       1 << 22);
    if (s->rate <= 0 || s->rate > 1)
        return err_set(e, ERR_USAGE, _("--rate is not above 0 and at most 1"));
    if (s->lora && s->from_scratch)
        return err_set(e, ERR_USAGE, _("--lora and --from-scratch do not go "
                                       "together"));
    if (s->lora_dropout >= 1)
        return err_set(e, ERR_USAGE, _("--lora-dropout is not below 1"));
    if (!s->lora && (s->lora_alpha > 0 || s->lora_targets || s->rslora))
        return err_set(e, ERR_USAGE, _("--lora-alpha, --lora-targets and "
                                       "--rslora need --lora"));
    if (s->eval_share > 1)
        return err_set(e, ERR_USAGE, _("--eval-share is a share from 0 to 1"));
    if (s->warmup > 1 || s->decay > 10 || s->dropout >= 1)
        return err_set(e, ERR_USAGE, _("--warmup, --decay or --dropout is too "
                                       "large"));
    return true;
}

/* A setting as a number; doubles hold every whole number in use. */
static double value(const struct settings *s, const struct setting *t)
{
    const char *at = (const char *)s + t->offset;
    return t->kind == 'i' || t->kind == 't'
               ? (double)*(const int64_t *)(const void *)at
           : t->kind == 'd' ? *(const double *)(const void *)at
                            : *(const bool *)at;
}

static void set(struct settings *s, const struct setting *t, double v)
{
    char *at = (char *)s + t->offset;
    if (t->kind == 'i' || t->kind == 't')
        *(int64_t *)(void *)at = (int64_t)v;
    else if (t->kind == 'd')
        *(double *)(void *)at = v;
    else
        *(bool *)at = v != 0;
}

bool settings_name(struct settings *s, const struct setting *t,
                   const char *name, struct err *e)
{
    int64_t v;
    bool ok = t->read(name, &v, e);
    if (ok)
        set(s, t, (double)v);
    return ok;
}

void settings_print(const struct settings *s, struct jw *w)
{
    jw_open(w, '{');
    for (size_t i = 0; i < SETTINGS; i++)
        jw_knum(w, setting_table[i].name, value(s, &setting_table[i]));
    jw_close(w);
}

bool settings_resume(struct settings *s, const bool given[SETTINGS],
                     const json *record, struct err *e)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *t = &setting_table[i];
        double was = json_get_number(record, t->name, -1);
        bool newer = t->since && was < 0; /* than the checkpoint */
        if (was < 0 && !newer)
            return err_set(e, ERR_INPUT, _("the checkpoint does not say its "
                                           "--%s"), t->name);
        was = newer ? 0 : was;
        if (given[i] && value(s, t) != was)
            return err_set(e, ERR_REFUSED,
                           _("--%s was %.15g when the run began; a resume "
                             "cannot change it"), t->name, was);
        set(s, t, was);
    }
    return true;
}
