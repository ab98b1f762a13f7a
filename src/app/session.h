/* What is remembered between sessions: where one was in a store, and which
 * stores were opened. Files under $XDG_STATE_HOME/stillroom. */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include <stddef.h>
#include <stdint.h>

struct app;

/* Puts the app where it was when this store was last left. */
void session_restore(struct app *a);
/* Remembers view, target, filters and position, and the store's path. */
void session_save(const struct app *a);

/* Stores opened before, newest first. */
struct recent {
    char path[400];
    int64_t accepted, at; /* at: ms, when it was left */
};
size_t session_recent(struct recent *out, size_t n);

#endif
