/* A student's folder: its tokenizer, and how one is written whole. */
#ifndef MODEL_LEARN_STUDENT_H
#define MODEL_LEARN_STUDENT_H

#include "model/net/llama.h"
#include "model/token/tokenizer.h"

/* The tokenizer of the folder, which must fit the model: NULL with the reason
 * where it has more tokens. The caller frees. */
struct tokenizer *student_tokenizer(const char *dir, const struct llama *m,
                                    struct err *e);

/* A new folder beside `dir`, of this process alone, to be made whole and then
 * moved; the caller frees. What killed processes left there is removed. NULL
 * with the reason. */
char *student_place(const char *dir, struct err *e);
/* Moves it to `dir`, where nothing or an earlier student stands. */
bool student_move(const char *temp, const char *dir, struct err *e);

/* Writes the model to the folder `to`, with the tokenizer's and the chat's
 * files from the folder `from`, byte for byte: beside its place first, then
 * moved there, so that it is whole or not there. A folder that stands there
 * is replaced. */
bool student_write(const struct llama *m, const char *from, const char *to,
                   struct err *e);

#endif
