/* The form that sets up a teacher. Targets and the welcome screen share it,
 * so it knows no app: what is to be said comes back as text. */
#ifndef APP_TEACHER_H
#define APP_TEACHER_H

#include "app/child.h"
#include "app/form.h"

/* Makes the fields; brings the section that stands below them up to date. */
void teacher_form_build(struct form *f);
void teacher_form_refresh(struct form *f);

/* Its pressed button, other than the last: tries one call in a child, or
 * appends the section to the config. */
void teacher_form_press(struct form *f, struct child *c, char *said,
                        size_t cap);
/* True when the tried call has ended: what came of it is in `said`. */
bool teacher_form_tick(struct child *c, char *said, size_t cap);

/* "2 teachers; builtin is always there", or what is wrong with the config. */
void teachers_text(char *out, size_t cap);

#endif
