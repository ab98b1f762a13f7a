/* What has changed since an earlier export. */
#ifndef VERBS_SINCE_H
#define VERBS_SINCE_H

#include "export/report.h"
#include "store/store.h"

/* Against an earlier export of the target, in the shapes that are asked for;
 * id 0 where there is none. */
struct export_since {
    int64_t id, as_of, at;
    int64_t before; /* the export before that one, 0: none */
    int64_t fresh, gone, changed; /* rows */
};

/* Compares the rows of a report with export `since` of the target (0: the
 * newest), in these shapes. */
bool since_look(struct store *s, int64_t target, int64_t since,
                const bool shapes[SHAPE_COUNT], const struct export_report *r,
                struct export_since *out, struct err *e);

#endif
