/* What a model thinks before it answers, where both stand in one text. */
#ifndef DOMAIN_THOUGHT_H
#define DOMAIN_THOUGHT_H

/* Parts a text into thinking and answer. Thinking stands at the beginning,
 * between <think> and </think> or another pair of the table in thought.c,
 * perhaps more than once; an opening mark that is never closed takes all; a
 * closing mark without its opening one ends what began with the text (chat
 * templates that open it in the prompt), unless it is quoted. A pair further
 * inside the answer belongs to the answer.
 *
 * Returns the answer: the text as it is where nothing is thought, else what
 * stands behind, without the white space at its beginning. *thinking is the
 * thought without white space at its ends, several joined by an empty line,
 * NULL for none. The caller frees both. */
char *thought_part(const char *text, char **thinking);

#endif
