/* A student's folder as the commands open it. */
#ifndef MODEL_CMD_FOLDER_H
#define MODEL_CMD_FOLDER_H

#include "model/net/llama.h"
#include "model/token/tokenizer.h"

/* Names on stderr the keys of DIR/config.json that nobody here knows. */
void folder_warn(const char *dir, const struct config *c);

/* Loads model and tokenizer (t may be NULL: not wanted), which must fit each
 * other, and warns. The caller frees both; on failure both are NULL. */
bool folder_load(const char *dir, struct llama **m, struct tokenizer **t,
                 struct err *e);

#endif
