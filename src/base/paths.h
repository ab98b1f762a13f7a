/* Where things are found (see the table in README, "Where things are"). Every
 * function returns a string that the caller frees, or NULL. */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

#include <stdbool.h>

#include "base/err.h"

/* The folder of the running program, by /proc/self/exe. */
char *paths_program_dir(void);

/* `stillroom-model`: beside the running program, then $bindir; never PATH. */
char *paths_model_program(void);

/* A file or folder of our data ("recipes", "presets.ini"): $STILLROOM_DATA;
 * the build tree's `data` beside the program; $pkgdatadir. NULL where it is
 * in none of them. */
char *paths_data(const char *name);

/* $XDG_CONFIG_HOME/stillroom/NAME, $XDG_STATE_HOME..., $XDG_DATA_HOME...,
 * with their defaults under $HOME. NULL without a home. */
char *paths_config(const char *name);
char *paths_state(const char *name);
char *paths_user_data(const char *name);

/* True for 1 to 40 of a-z, 0-9, `-` and `_`: a name that is safe in a path. */
bool name_ok(const char *name);
/* The path of FOLDER/NAME and `ending` (".json"), the user's own (then *yours,
 * which may be NULL) before the shipped one; NULL with an error where there
 * is none. The caller frees. */
char *paths_named(const char *folder, const char *name, const char *ending,
                  bool *yours, struct err *e);
/* The names of all of them, sorted, each once, NULL-ended. */
char **paths_names(const char *folder, const char *ending);
void paths_free_names(char **names);

/* $XDG_RUNTIME_DIR/stillroom-PID, or NULL without that variable. */
char *paths_runtime(void);

/* A path as a person types it: ~ and ~/... stand in $HOME. */
char *paths_typed(const char *path);

/* Finds the catalogues ($STILLROOM_DATA/locale; the build tree's `po`;
 * $localedir) and calls lang_init. */
void paths_init_lang(void);

#endif
