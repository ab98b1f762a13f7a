/* The actions, from actions.def, and the views in which they mean something.
 * A key is a command: keys, the `:` prompt and the tests all name one of
 * these.
 */
#ifndef APP_ACTION_H
#define APP_ACTION_H

enum view_id {
    VIEW_TARGETS,
    VIEW_SEEDS,
    VIEW_REVIEW,
    VIEW_RANK,
    VIEW_RUNS,
    VIEW_EXPORT,
    VIEW_LINEAGE,
    VIEW_HELP,
    VIEW_MESSAGES,
    VIEW_COUNT
};
#define VIEW_TABS 6 /* the first ones have a tab and a digit */

#define V(id) (1u << VIEW_##id)
#define ALL (V(COUNT) - 1)

#define ACTION(id, ...) ACT_##id,
enum action {
#include "app/actions.def"
    ACTIONS
};
#undef ACTION

struct action_info {
    const char *name, *keys; /* keys: blank-separated names */
    unsigned views;
    const char *word, *help; /* untranslated */
};
const struct action_info *action_info(enum action a);
/* The action that a key means in a view, -1 for none. Key names: the
 * character itself, Space Enter Tab Esc Backspace Up Down PgUp PgDn Home End
 * Left Right, ^X. */
int action_of_key(enum view_id v, const char *key);
/* By its name, -1 for none. */
int action_find(const char *name);

#endif
