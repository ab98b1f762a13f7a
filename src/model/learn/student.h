/* A student's folder, written whole. */
#ifndef MODEL_LEARN_STUDENT_H
#define MODEL_LEARN_STUDENT_H

#include "model/net/llama.h"

/* Writes the model to the folder `to`, with the tokenizer's and the chat's
 * files from the folder `from`, byte for byte: beside its place first, then
 * moved there, so that it is whole or not there. A folder that stands there
 * is replaced. */
bool student_write(const struct llama *m, const char *from, const char *to,
                   struct err *e);

#endif
