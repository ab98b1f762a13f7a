/* Where things are found (see the table in README, "Where things are"). Every
 * function returns a string that the caller frees, or NULL. */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

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

/* $XDG_RUNTIME_DIR/stillroom-PID, or NULL without that variable. */
char *paths_runtime(void);

/* Finds the catalogues ($STILLROOM_DATA/locale; the build tree's `po`;
 * $localedir) and calls lang_init. */
void paths_init_lang(void);

#endif
