/* The chat template: messages to the text that a student reads, to ids, and
 * to the mask of what is trained. The template is the model's own (jinja.h);
 * nano's stands here:
 *
 *   <|user|>QUESTION<|assistant|>ANSWER<|end|>
 *
 * with <|system|> and <|tool|> turns likewise; only an assistant's turn is
 * ended. Reasoning is not part of it.
 *
 * The mask: the whole text is tokenised once; a token is trained where it
 * overlaps a trained span. Spans are what generation blocks printed, where the
 * template has them; else those of each answer i from the end of
 * render(messages before i, with the head of an answer) to the end of
 * render(messages up to i), where both begin the whole text, without what
 * follows its last control token. An answer whose rendering changes once more
 * turns follow (thinking that is dropped) is not trained.
 */
#ifndef MODEL_TOKEN_TEMPLATE_H
#define MODEL_TOKEN_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "domain/chat.h"
#include "model/token/tokenizer.h"

extern const char TEMPLATE_NANO[];

/* The tokens of nano's form, NULL-ended; the first ends a turn. */
extern const char *const template_tokens[];

/* False where the folder has no template, or one that cannot be read. */
bool template_check(const struct tokenizer *t, struct err *e);

struct rendered {
    struct buf text;
    int32_t *ids;
    uint8_t *trained; /* by token: 1 where it is an answer's or its end */
    size_t n;
    /* the last answer: its bytes of the text without its end, and the first
     * of its tokens; all 0 where none is trained */
    size_t from, to, first;
};

struct template_how {
    int64_t now;        /* what strftime_now shows; 0: the time */
    bool mask_thinking; /* <think>...</think> is not trained */
    const char *variables; /* a JSON object of more variables, or NULL */
};

/* Renders a conversation; `prompt` adds the head of an answer to come; `how`
 * may be NULL. An assistant's turn is trained unless it is masked. False as
 * template_check, and where the template refuses: e says its line. */
bool template_render(const struct tokenizer *t, const struct chat *c,
                     bool prompt, const struct template_how *how,
                     struct rendered *out, struct err *e);
/* The same of {"messages":[...],"tools":[...],"add_generation_prompt":bool}
 * as they stand; every other member is a variable of the template. */
bool template_render_json(const struct tokenizer *t, const json *in,
                          const struct template_how *how,
                          struct rendered *out, struct err *e);
void rendered_free(struct rendered *r);

#endif
