/* The user's config, $XDG_CONFIG_HOME/stillroom/config: read by whoever owns
 * a section ([teacher NAME] teacher/profile.h; [ui] and [keys VIEW]
 * app/options.h; [defaults] here), never rewritten. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/ini.h"

/* Calls fn for each pair of the file; one that is not there is empty. A
 * mistake names file and line. */
bool config_walk(ini_fn *fn, void *ctx, struct err *e);

/* Reads [defaults]: `currency` is shown with money from now on (lang.h), and
 * `who` is returned, a copy that the caller frees; NULL where it is not given.
 * A mistake sets e->code, with file and line. */
char *config_defaults(struct err *e);

#endif
