/* The first screen, where there is no store: nothing is written before a key
 * is pressed. */
#ifndef UI_WELCOME_H
#define UI_WELCOME_H

#include "base/buf.h"
#include "base/err.h"

enum welcome {
    WELCOME_QUIT,
    WELCOME_DEMO,
    WELCOME_NEW,    /* an empty store in this folder */
    WELCOME_IMPORT, /* a new store from the file in *path */
    WELCOME_OPEN    /* the store in *path */
};

/* Shows it until something is chosen. The terminal is given back. Where what
 * was chosen before came to nothing, *e says why, and a path that was typed
 * for it is in *path as it was typed: it stands open again, to be mended. */
enum welcome ui_welcome(enum welcome before, struct buf *path, struct err *e);

#endif
