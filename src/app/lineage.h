/* The lineage of a sample: one step a row, from its seeds to every export. */
#ifndef APP_LINEAGE_H
#define APP_LINEAGE_H

#include <stddef.h>
#include <stdint.h>

struct app;
struct sample;

struct step {
    const char *kind; /* untranslated: "seeds", "recipe", "call" ... */
    int64_t at;       /* ms; 0: unknown */
    char *what;       /* the row's text */
    char *title;      /* of the lower pane */
    char *text;       /* what the lower pane shows */
};

struct lineage {
    int64_t sample;
    struct step *at;
    size_t n, cap;
};

/* Where a sample came from, in two lines; the caller frees. */
char *lineage_summary(struct app *a, const struct sample *x);
/* Opens the view on the sample under the cursor. */
void lineage_open(struct app *a);

#endif
