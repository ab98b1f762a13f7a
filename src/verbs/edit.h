/* Editing: a text is never changed; an edit writes a new one and moves what
 * points at it, keeping the status. */
#ifndef VERBS_EDIT_H
#define VERBS_EDIT_H

#include "verbs/decide.h"

/* A new answer under the sample's prompt, made from candidate `parent`; it
 * becomes the chosen one. `text` is the answer's content (the parent's
 * reasoning and tool calls are kept). Cheap checks run again. *candidate gets
 * its id. DECIDED_CONFLICT (e says who) where the sample was changed after
 * base_seq, which the author saw (0: now). */
enum decided verb_edit_answer(struct store *s, const char *who,
                              int64_t sample, int64_t parent,
                              const char *text, int64_t base_seq,
                              int64_t *candidate, struct err *e);

/* A new prompt: the last user message becomes `text`, and the shown candidate
 * is copied under it. */
enum decided verb_edit_prompt(struct store *s, const char *who,
                              int64_t sample, int64_t shown,
                              const char *text, int64_t base_seq,
                              int64_t *candidate, struct err *e);

#endif
