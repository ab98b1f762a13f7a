/* Conversations: messages to and from canonical JSON, the one form in which
 * prompts and answers are stored, hashed, sent and trained on.
 *
 * Canonical form of messages: a JSON array of objects with the keys in this
 * order, absent ones left out, no white space:
 *   [{"role":"user","content":"...","reasoning_content":"...",
 *     "tool_calls":[...],"tool_call_id":"...","name":"...","train":false}]
 * Canonical form of an answer (a candidate's body): one object without role:
 *   {"content":"...","reasoning_content":"...","tool_calls":[...]}
 */
#ifndef DOMAIN_CHAT_H
#define DOMAIN_CHAT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/sha256.h"

enum role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL };

/* One message; the strings are owned by it. NULL where absent, except
 * content, which is never NULL. */
struct message {
    enum role role;
    char *content;
    char *reasoning;    /* reasoning_content: thought apart from the answer */
    char *tool_calls;   /* canonical JSON array */
    char *tool_call_id; /* of a tool's turn */
    char *name;
    bool masked;        /* an assistant's turn that is not trained on */
};

struct chat {
    struct message *at;
    size_t n, cap;
};

/* "system", "user", "assistant", "tool". */
const char *role_name(enum role r);
/* Knows human, gpt, model, bot, function and observation too; false for any
 * other name. */
bool role_parse(const char *name, enum role *out);

void chat_free(struct chat *c);
/* Adds a message with copies of the strings; content NULL means "". */
struct message *chat_add(struct chat *c, enum role role, const char *content);
/* Adds a copy of a message. */
void chat_add_copy(struct chat *c, const struct message *m);
void message_free(struct message *m);

/* Reads messages: an array of {role|from, content|value, ...}. Content may be
 * a string or a list of {"type":"text","text":...} parts (joined). False with
 * "message N: ..." in e; *c is then empty. */
bool chat_from_json(const json *array, struct chat *c, struct err *e);
bool chat_parse(const char *text, struct chat *c, struct err *e);

/* Appends the canonical form. */
void chat_print(const struct chat *c, struct buf *out);
/* Appends one message as a canonical object (role first). */
void message_print(const struct message *m, struct buf *out);

/* The rule for a sample's prompt: not empty, system only first, ends with the
 * user's or a tool's turn. */
bool chat_check_prompt(const struct chat *c, struct err *e);

/* The last message of that role, NULL where there is none. */
const struct message *chat_last(const struct chat *c, enum role role);

/* An answer's body to and from its canonical form. answer_parse sets role
 * assistant; the caller frees with message_free. */
void answer_print(const struct message *m, struct buf *out);
bool answer_parse(const char *text, struct message *m, struct err *e);
/* The canonical body of a plain text answer; the caller frees. */
char *answer_of(const char *content);
/* The content of a canonical body (its tool calls where that is empty); the
 * caller frees. */
char *answer_text(const char *body);
/* The last user message's content of a canonical prompt; the caller frees. */
char *prompt_text(const char *messages);

/* SHA-256 under which two samples are the same: the prompt's messages (role
 * and content) and the answer's content after NFC, trimming and folding of
 * white space. */
void chat_hash(const struct chat *prompt, const char *answer,
               uint8_t out[SHA_SIZE]);
/* The same over the prompt alone. */
void chat_prompt_hash(const struct chat *prompt, uint8_t out[SHA_SIZE]);

#endif
