/* u and U, in every view. */
#include "app/app.h"
#include "base/lang.h"
#include "verbs/undo.h"
#include "verbs/work.h"

void undo_done(struct app *a, bool redo, const struct undone *u)
{
    const struct view *v = view_of(a->view);
    bool many = u->n_objects > 1;
    app_recount(a);
    review_count_today(a);
    if (v->undone && u->sample)
        v->undone(a, u->sample);
    else
        app_open(a, a->view);
    app_say(a, redo && many ? _("done again: %s%s%s of %lld samples (d%lld)")
               : redo       ? _("done again: %s%s%s of %lld (d%lld)")
               : many       ? _("undone: %s%s%s of %lld samples (d%lld)")
                            : _("undone: %s%s%s of %lld (d%lld)"),
            deed_label(u->what.kind), u->what.reason[0] ? " " : "",
            reason_label(u->what.reason),
            (long long)(many ? u->n_objects : u->sample),
            (long long)u->what.seq);
}

void undo_last(struct app *a, bool redo)
{
    struct undone u;
    struct err e = {0};
    bool ok = verb_undoable(a->s, a->who, redo, &u, &e);
    if (ok && u.what.n_changes > WORK_SAMPLES) {
        work_undo(a, u.what.seq, redo);
        return;
    }
    enum decided how = !ok ? DECIDED_NOT
                     : redo ? verb_redo(a->s, a->who, &u, &e)
                            : verb_undo(a->s, a->who, 0, &u, &e);
    if (how > DECIDED_FOUND)
        app_say_err(a, &e);
    else
        undo_done(a, redo, &u);
}
