/* A student's folder as the commands open it. */
#ifndef MODEL_CMD_FOLDER_H
#define MODEL_CMD_FOLDER_H

#include "model/net/llama.h"
#include "model/token/tokenizer.h"

/* Names on stderr the keys of DIR/config.json that nobody here knows. */
void folder_warn(const char *dir, const struct config *c);

/* Loads model and tokenizer (t may be NULL: not wanted), which must fit each
 * other, adds the adapter of that folder (may be NULL: none), and warns. Its
 * matrices stand in bfloat16 where they are exact in it (llama_lean). The
 * caller frees both; on failure both are NULL. */
bool folder_load(const char *dir, const char *adapter, struct llama **m,
                 struct tokenizer **t, struct err *e);

/* What --adapter says in the help. */
#define ADAPTER_HELP N_("a LoRA adapter of that student (PEFT's folder)")


/* Says on standard error where an adapter does not tell which weights it is
 * for. */
void folder_warn_adapter(const char *dir);

#endif
