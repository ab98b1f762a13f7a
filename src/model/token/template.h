/* The chat template: messages to the text that a student reads, to ids, and
 * to the mask of what is trained. One form is known, nano's own:
 *
 *   <|user|>QUESTION<|assistant|>ANSWER<|end|>
 *
 * with <|system|> and <|tool|> turns likewise; only an assistant's turn is
 * ended. TEMPLATE_NANO says the same in jinja, so that transformers renders
 * the same text and the same mask. Reasoning is not part of the form.
 */
#ifndef MODEL_TOKEN_TEMPLATE_H
#define MODEL_TOKEN_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "domain/chat.h"
#include "model/token/tokenizer.h"

extern const char TEMPLATE_NANO[];

/* The tokens of the form, NULL-ended; the first ends a turn. */
extern const char *const template_tokens[];

/* False where the folder has no template, or one that is not known. */
bool template_check(const struct tokenizer *t, struct err *e);

/* An assistant's turn without its end: the content and the tool calls behind
 * it. The caller frees. */
char *template_answer(const struct message *m);

struct rendered {
    struct buf text;
    int32_t *ids;
    uint8_t *trained; /* by token: 1 where it is an answer's or its end */
    size_t n;
};

/* Renders a conversation; `prompt` adds the head of an answer to come. An
 * assistant's turn is trained unless it is masked. False as template_check. */
bool template_render(const struct tokenizer *t, const struct chat *c,
                     bool prompt, struct rendered *out, struct err *e);
void rendered_free(struct rendered *r);

#endif
