#include "verbs/undo.h"

#include <string.h>

#include "base/lang.h"
#include "verbs/withdraw.h"

static void describe(struct store *s, int64_t seq, struct undone *out)
{
    change_list list;
    *out = (struct undone){0};
    journal_get(s, seq, &out->what);
    if (!journal_changes(s, seq, &list, NULL))
        return;
    for (size_t i = 0; i < list.n; i++) {
        const struct change *c = &list.at[i];
        if (c->kind == OBJECT_SAMPLE && !out->sample)
            out->sample = c->object;
        bool seen = i > 0 && list.at[i - 1].object == c->object;
        out->n_objects += !seen;
    }
    VEC_FREE(&list);
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
