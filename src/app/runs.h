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

/* What runs at this moment, in the whole store. */
struct living {
    int running;
    int64_t percent;  /* of what began last, for the tab; 0: nothing runs */
    int cores;
    char holder[24];  /* the training that has most threads, "" for none */
    int threads;      /* and how many */
    char spender[24]; /* the job that may spend most, "" for none */
    double spends;
};

/* One row: a job (j) or a training run (r). */
struct run_row {
    bool is_run;
    int64_t id;
    char name[24];   /* "r3" */
    char what[32];   /* "train nano", the recipe's name */
    char state[16];  /* untranslated */
    double done;     /* 0 to 1 */
    char rate[40], left[16], figure[64];
    char good[16];   /* the figure as it stands beside the item */
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
    int64_t taken_back; /* the decision that an undo takes back, 0: none */
    bool done_again;    /* no: it is done again */
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
    struct living living;
    bool alive;       /* something is running */
    int64_t before_right, before_marked; /* of the answers before training */
    int64_t rows, decided; /* rows trained on; the job's decided samples */
    int64_t at;       /* when this was read */
    int64_t best_at;  /* the step of the lowest held-out loss, */
    double best;      /* NAN: there is none; */
    int64_t last;     /* the training before this one, 0: none, */
    double last_loss; /* and what it ended at, NAN where not known */
};

/* Reads what lives now; true where the tab shows something else. */
bool runs_look(struct app *a);

/* How a call in `trouble` ended, untranslated. */
const char *runs_trouble_state(const struct call *c);
/* "1m08s"; "" for what is not known (below 0, or infinite). */
void runs_time(char *out, size_t cap, double seconds);
/* Called a few times a second while something runs and is in sight; true
 * where the picture changed. */
bool runs_tick(struct app *a);

/* Looks whether a question asked by hand has been answered; true where it
 * has. */
bool runs_ask_tick(struct app *a);

#endif
