/* Undo and redo: decisions that take decisions back. */
#ifndef VERBS_UNDO_H
#define VERBS_UNDO_H

#include "verbs/decide.h"

struct undone {
    struct decision what; /* the decision that was taken back or done again */
    int64_t sample;       /* the first sample that it touched, 0: none */
    int64_t n_objects;
};

/* Takes back who's last act that is not yet undone, or decision `seq` where it
 * is not 0; an arrival that is named so is withdrawn. ERR_ABSENT where there
 * is nothing to undo. */
enum decided verb_undo(struct store *s, const char *who, int64_t seq,
                       struct undone *out, struct err *e);
enum decided verb_redo(struct store *s, const char *who, struct undone *out,
                       struct err *e);

/* What verb_undo (`redo`: verb_redo) would take back or do again now;
 * ERR_ABSENT where there is nothing. */
bool verb_undoable(struct store *s, const char *who, bool redo,
                   struct undone *out, struct err *e);

#endif
