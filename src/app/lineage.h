/* The lineage of a sample: one step a row, from its seeds to every run and
 * export that holds it. */
#ifndef APP_LINEAGE_H
#define APP_LINEAGE_H

#include <stddef.h>
#include <stdint.h>

#include "app/action.h"
#include "app/list.h"

struct app;
struct sample;

struct step {
    const char *kind; /* untranslated: "seeds", "recipe", "call" ... */
    int64_t at;       /* ms; 0: unknown */
    char *what;       /* the row's text */
    char *title, *under; /* the lower pane's gutter; under may be NULL */
    char *text;       /* what the lower pane shows, NULL: nothing */
    char name[24];    /* "c311"; "" where it has none */
    /* What Enter opens: an id in the list of a view; 0: its text alone. */
    enum view_id view;
    int64_t object;
    int64_t item;     /* the sample's number in the text, 0: not marked, */
    size_t item_at;   /* and where that begins */
};

struct lineage {
    struct list list; /* of step numbers */
    int64_t sample;
    VEC(struct step) steps;
    int scroll;       /* of the lower pane's text, in rows */
    bool to_item;     /* that goes to the item when it is drawn next */
};

/* The step under the cursor, NULL where there is none. */
const struct step *lineage_step(const struct lineage *l);
/* Where a sample came from, in two lines; the caller frees. */
char *lineage_summary(struct app *a, const struct sample *x);
/* Opens the view on a sample. */
void lineage_open(struct app *a, int64_t sample);

#endif
