#include "verbs/undo.h"

#include <string.h>

#include "base/lang.h"
#include "verbs/withdraw.h"

static void describe(struct store *s, int64_t seq, struct undone *out)
{
    *out = (struct undone){0};
    journal_get(s, seq, &out->what);
    out->n_objects = journal_objects(s, seq, &out->sample);
}

bool verb_undoable(struct store *s, const char *who, bool redo,
                   struct undone *out, struct err *e)
{
    struct decision undo;
    int64_t seq = redo ? journal_redoable(s, who) : journal_undoable(s, who);
    if (redo && seq && journal_get(s, seq, &undo))
        seq = undo.undoes;
    if (!seq)
        return err_set(e, ERR_ABSENT, redo ? _("nothing of yours to do again")
                                           : _("nothing of yours to undo"));
    describe(s, seq, out);
    return true;
}

static enum decided reverse(struct store *s, int64_t seq, const char *who,
                            const char *kind, struct err *e)
{
    return decided_of(journal_reverse(s, seq, who, kind, e));
}

static enum decided withdraw(struct store *s, const char *who, int64_t seq,
                             struct undone *out, struct err *e)
{
    struct withdrawn w = {0};
    enum decided did = verb_withdraw_arrival(s, who, seq, &w, e);
    out->n_objects = w.objects + w.answers;
    return did;
}

enum decided verb_undo(struct store *s, const char *who, int64_t seq,
                       struct undone *out, struct err *e)
{
    seq = seq ? seq : journal_undoable(s, who);
    if (!seq) {
        err_set(e, ERR_ABSENT, _("nothing of yours to undo"));
        return DECIDED_NOT;
    }
    describe(s, seq, out);
    if (!strcmp(out->what.kind, "arrive")) /* nothing is taken back: hidden */
        return withdraw(s, who, seq, out, e);
    return reverse(s, seq, who, "undo", e);
}

enum decided verb_redo(struct store *s, const char *who, struct undone *out,
                       struct err *e)
{
    struct decision undo;
    int64_t seq = journal_redoable(s, who);
    if (!seq || !journal_get(s, seq, &undo)) {
        err_set(e, ERR_ABSENT, _("nothing of yours to do again"));
        return DECIDED_NOT;
    }
    describe(s, undo.undoes, out);
    return reverse(s, seq, who, "redo", e);
}
