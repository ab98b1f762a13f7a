/* The Export view's state. What would be written is worked out by a child,
 * `stillroom export --dry-run --json`, so the screen never waits for it; so
 * is the writing itself. The row in the student's own template comes from
 * `stillroom-model render`. */
#ifndef APP_EXPORT_H
#define APP_EXPORT_H

#include "app/child.h"
#include "app/list.h"
#include "base/json.h"
#include "app/shown_row.h"

/* Samples that one key looks through for the next row of a shape. */
#define EXPORT_LOOK 1000

struct export_state {
    struct list list;          /* 1 .. SHAPE_COUNT */
    bool shapes[SHAPE_COUNT];
    bool leave_wrong;
    int64_t since;             /* the export compared with; 0: the newest */
    char *dir;                 /* where it was last written to; NULL: nowhere */
    char *filter;              /* over accepted samples; NULL: all */
    json *report;              /* of the last dry run, NULL: none yet */
    char error[300];           /* why there is none */
    struct child child;        /* at work */
    bool writing;              /* the child writes; else it only counts */
    int64_t n_accepted;        /* accepted samples in the filter */
    struct shown_row row;      /* of the shape under the cursor */
    int scroll;                /* of it, in rows */
    struct child render;       /* makes of it what the student reads */
    json *rendered;            /* its parts; NULL: not yet, or no student */
};

/* How many rows a shape has in a split (-1: in all), as last counted. */
int64_t export_rows_of(const struct export_state *x, enum shape shape,
                       int split);

/* A shape as its row shows it; what a check of rows says. Borrowed. */
struct export_shape {
    const char *name, *made_from, *trainers;
};
struct export_shape export_shape(int i);
const char *export_check_text(const char *check);

struct app;
/* Keys of the question whether an earlier bundle is replaced. */
bool export_replace_key(struct app *a, const char *key);
/* Opens the view on a sample's row of a shape, where it has one today. */
void export_show(struct app *a, enum shape shape, int64_t sample);
/* Looks whether the child has ended; true where the picture changed. */
bool export_tick(struct app *a);

#endif
