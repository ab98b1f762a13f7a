/* What Tab puts in: the words that may stand at the end of a text. Each of
 * these adds them to *out, one a line, for the word that begins at *from. */
#ifndef APP_COMPLETE_H
#define APP_COMPLETE_H

#include <stddef.h>

#include "app/line.h"

struct app;

typedef void completes(struct app *a, const char *text, size_t *from,
                       struct buf *out);

/* Actions by name, and behind it what that action takes. */
completes complete_command;
/* Fields of a filter and their values; tags, - before one or not; reasons;
 * targets; paths, the app may be NULL. */
completes complete_filter, complete_tags, complete_reasons, complete_targets,
    complete_paths;
/* Options of :set and their words; fields of a form and their choices. */
completes complete_options, complete_expand, complete_train;

/* What completes the prompt of a kind, NULL for free text. */
completes *complete_of(enum line_kind kind);
/* Adds the word with `tail` behind it where it begins with `text`. */
void complete_word(struct buf *out, const char *text, const char *word,
                   const char *tail);

#endif
