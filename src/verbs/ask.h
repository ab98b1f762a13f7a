/* One question asked by hand: of a teacher, or of a run's student as it was
 * before, as it is now, and of its teacher. */
#ifndef VERBS_ASK_H
#define VERBS_ASK_H

#include "store/store.h"
#include "teacher/profile.h"

/* What a teacher answered, or why it did not; the caller frees both. */
struct called {
    char *text, *error;
    int64_t ms;
};

/* One call of at most `max_tokens`, tried once. False where it could not even
 * be sent. */
bool verb_call(const struct profile *p, const char *question, int max_tokens,
               struct called *out, struct err *e);

/* Answers to the same question; NULL where there is none to give. */
struct asked {
    char *before, *now, *teacher;
    char *teacher_name;
};

/* Asks the run's student and the teacher of the target's newest job (the
 * built-in one where there was none). A teacher that does not answer leaves
 * its reason as the answer. A run without a finished model is refused. */
bool verb_ask(struct store *s, int64_t run, const char *question,
              struct asked *out, struct err *e);
void asked_free(struct asked *x);

#endif
