/* A typing area: several lines of text with a cursor, where the answer
 * stands. */
#ifndef APP_AREA_H
#define APP_AREA_H

#include <stdbool.h>

#include "base/buf.h"

struct area_text {
    bool open;
    struct buf text;
    size_t cursor; /* byte offset */
    bool changed;  /* since the draft was saved */
};

/* Opens it on a copy of the text, the cursor at its end; closes it. */
void area_open(struct area_text *t, const char *text);
void area_close(struct area_text *t);
/* Puts text in at the cursor, all of it; false where there is no room. */
bool area_insert(struct area_text *t, const char *text);
/* Characters, Enter, arrows, Home, End, Backspace, Delete, ^W, ^U, ^K. False
 * for any other key (Esc among them). */
bool area_key(struct area_text *t, const char *key);

#endif
