/* How roles look: a table in theme.def, and files of the same that a person
 * chooses or writes (data/themes/default.theme says how they are read). */
#ifndef UI_THEME_H
#define UI_THEME_H

#include <stdbool.h>

#include "base/err.h"
#include "ui/cells.h"

/* The looks of theme.def. */
void theme_plain(struct look out[STYLES]);

/* What the file says, over the looks in `out`, for a terminal of so many
 * colours. A mistake, told with file and line, leaves `out` as it was. */
bool theme_read(const char *path, int colours, struct look out[STYLES],
                struct err *e);

/* Shows the theme of that name from now on. A mistake leaves the one that is
 * shown. */
bool theme_show(const char *name, struct err *e);

/* In terminfo.c: which of some attributes the terminal shows, on text that has
 * a colour or not. */
unsigned terminfo_shows(unsigned attrs, bool coloured);

#endif
