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

/* Shows it until something is chosen. The terminal is given back. */
enum welcome ui_welcome(struct buf *path, struct err *e);

#endif
