/* What a person sets up for the screen: the sections [ui] and [keys VIEW] of
 * the config, and `:set`. [defaults] is read by base/config.h.
 *
 *   [ui]
 *   diffmarks = auto     on, off; auto: where there are no colours
 *   ascii = auto         on, off; auto: where the terminal is not UTF-8
 *   mouse = off          on: the wheel moves, a click puts the cursor there
 *   hidden = on          hidden characters are shown as marks
 *   tour = on            the demonstration's tour
 *   theme = default
 *   [keys review]        or [keys all]
 *   w = reject wrong     a key is a command line
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"

enum option_value { OPTION_OFF, OPTION_ON, OPTION_AUTO };

#define OPTIONS(X)                                                            \
    X(DIFFMARKS, "diffmarks", OPTION_AUTO) X(ASCII, "ascii", OPTION_AUTO)     \
    X(MOUSE, "mouse", OPTION_OFF) X(HIDDEN, "hidden", OPTION_ON)              \
    X(TOUR, "tour", OPTION_ON)
#define OPTION_ID(id, ...) OPTION_##id,
enum option { OPTIONS(OPTION_ID) OPTION_COUNT };
#undef OPTION_ID

/* A key of a person's own: in which views, and the command that it means. */
struct own_key {
    unsigned views; /* bits, as in actions.def */
    char *key, *command;
};

struct options {
    enum option_value value[OPTION_COUNT];
    VEC(struct own_key) keys;
};

/* The defaults, then what the user's config says of them. After a mistake,
 * which is told with file and line, what stands above it holds. */
bool options_load(struct options *o, struct err *e);
void options_free(struct options *o);

/* Sets one by its name from "on", "off" or "auto". */
bool options_set(struct options *o, const char *name, const char *value,
                 struct err *e);

/* The command of a person's own key in a view, NULL where there is none. */
const char *options_command(const struct options *o, int view,
                            const char *key);

#endif
