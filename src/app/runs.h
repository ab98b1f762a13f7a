/* The Runs view's state: teacher jobs and training runs, watched through
 * their status files. */
#ifndef APP_RUNS_H
#define APP_RUNS_H

#include "app/child.h"
#include "app/list.h"
#include "base/json.h"
#include "store/job.h"
#include "store/run.h"

struct app;

/* One row: a job (j) or a training run (r). */
struct run_row {
    bool is_run;
    int64_t id;
    char name[24];   /* "r3" */
    char what[32];   /* "train nano", the recipe's name */
    char state[16];  /* untranslated */
    double done;     /* 0 to 1 */
    char rate[40], left[16], figure[64];
};

/* A point of the curve; held_out NAN where only the loss was logged. */
struct curve_point {
    int64_t step;
    double loss, held_out, exact;
};

struct held_answer {
    int64_t id;
    int right, right_before; /* -1: nobody can tell */
    char *before, *now;
};

typedef VEC(struct curve_point) curve_points;
typedef VEC(struct held_answer) held_answers;

struct runs_state {
    struct list list; /* 2 * id of jobs, 2 * id + 1 of runs */
    VEC(struct run_row) shown; /* those on the screen */
    json *status;     /* of the row under the cursor */
    double exact, held_out; /* its figures, NAN where there are none */
    struct job job;
    struct run run;
    struct call_counts counts;
    curve_points curve;
    held_answers answers;
    size_t answer;
    char *teacher;    /* of the shown held-out row */
    char *question;
    VEC(struct call) trouble;
    bool work;        /* the job is an import or a bulk act */
    char *file;       /* that an import reads, NULL */
    int64_t loaded;   /* the row that all this is of */
    int trouble_at;   /* the call whose reply is shown */
    char *reply;      /* its raw reply, NULL where there is none */
    int scroll;       /* of it, in rows */
    int64_t other;    /* d: the run that it is compared with, 0: none */
    curve_points other_curve;
    held_answers other_answers;
    double other_exact;
    struct child asking;
    json *asked;      /* of `runs ask`: what was asked and answered */
    bool alive;       /* something on the list is running */
    int running;
};

/* How a call in `trouble` ended, untranslated. */
const char *runs_trouble_state(const struct call *c);
/* Called a few times a second while something runs and is in sight; true
 * where the picture changed. */
bool runs_tick(struct app *a);

/* Looks whether a question asked by hand has been answered; true where it
 * has. */
bool runs_ask_tick(struct app *a);

#endif
