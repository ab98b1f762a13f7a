/* Conversations: messages to and from canonical JSON, the one form in which
 * prompts and answers are stored, hashed, sent and trained on.
 *
 * Canonical form of messages: a JSON array of objects with the keys in this
 * order, absent ones left out, no white space:
 *   [{"role":"user","content":"...","reasoning_content":"...",
 *     "tool_calls":[...],"tool_call_id":"...","name":"...","train":false}]
 * With tools: {"messages":[...],"tools":[...]}.
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
#include "base/mem.h"
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
    char *tools; /* canonical JSON array of tool definitions; NULL: none */
};

/* "system", "user", "assistant", "tool". */
const char *role_name(enum role r);

/* A role's name in the field ("human", "gpt", "Observation"): a person's own
 * names come before those of the table in chat_read.c. */
struct own_role {
    char *name;
    enum role role;
};
typedef VEC(struct own_role) own_roles;
/* Case does not count; `own` may be NULL. *calls says that such a turn's text
 * is a tool call (function_call); it may be NULL. False for any other name. */
bool role_parse(const char *name, const own_roles *own, enum role *out,
                bool *calls);

void chat_free(struct chat *c);
/* Adds a message with copies of the strings; content NULL means "". */
struct message *chat_add(struct chat *c, enum role role, const char *content);
/* Adds a copy of a message. */
void chat_add_copy(struct chat *c, const struct message *m);
void message_free(struct message *m);

/* Reads messages, the canonical form or another program's: a list of
 * {role|from, content|value|text, ...}, or an object with `messages` and
 * `tools`. Content may be a string or a list of parts with text (joined).
 * Thinking may be reasoning_content, reasoning or thinking; calls tool_calls,
 * as values or as strings that hold them, function_call, or a turn of the role
 * function_call; an assistant's turn is not trained on where train, training,
 * weight, loss and their like say so. What is read is marked as such
 * (json_take). False with "message N: ..." in e; *c is then empty. */
bool chat_from_json(const json *j, struct chat *c, struct err *e);
bool chat_parse(const char *text, struct chat *c, struct err *e);

/* How a row of somebody's file is read: with a person's own names of roles,
 * thinking parted from the text of assistants' turns. */
struct chat_how {
    const own_roles *roles; /* may be NULL */
};
/* The same; without `how` as chat_from_json. */
bool chat_read(const json *j, const struct chat_how *how, struct chat *c,
               struct err *e);
/* One of them; m is empty on failure. */
bool message_read(const json *j, const struct chat_how *how,
                  struct message *m, struct err *e);
/* Moves what an assistant's text holds of thinking to m->reasoning, unless
 * there is some already. */
void message_part_thought(struct message *m);
/* Tool calls, and tool definitions, as canonical JSON: a list, one object or
 * a string that holds such; NULL where there are none. The caller frees. */
bool calls_read(const json *v, char **out, struct err *e);
bool tools_read(const json *v, char **out, struct err *e);

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
/* What an answer says: its content, its tool calls where that is empty;
 * borrowed. */
const char *answer_words(const struct message *m);
/* Whether two answers say the same, thinking aside: texts that are equal but
 * for white space at their ends and within a line (not in front of it: code
 * is indented), calls that are equal whether their arguments are text or
 * values. The one rule for duplicates, ties and rows that are there already. */
bool answers_same(const struct message *a, const struct message *b);
/* Whether the other says the same, and the thinking and the name of `mine`
 * where it has any. */
bool answer_holds(const struct message *mine, const struct message *other);
/* The content of a canonical body (its tool calls where that is empty); the
 * caller frees. */
char *answer_text(const char *body);
/* The last user message's content of a canonical prompt; the caller frees. */
char *prompt_text(const char *messages);
/* Canonical messages for people: the content of one alone, of several each
 * behind its role. Appended. */
void chat_to_people(const char *messages, struct buf *out);

/* SHA-256 under which two samples are the same: the prompt's messages (role,
 * content, tool calls), its tools, and what the answer says, after NFC,
 * trimming and folding of white space, the arguments of calls as values. Of
 * answers with one hash answers_same tells whether they are one. */
void chat_hash(const struct chat *prompt, const struct message *answer,
               uint8_t out[SHA_SIZE]);
/* The same over the prompt alone. */
void chat_prompt_hash(const struct chat *prompt, uint8_t out[SHA_SIZE]);
/* How calls stood in hashes before: arguments that are text as such; and, in
 * stores of schema 1, with numbers as doubles. */
enum calls_form { CALLS_OPEN, CALLS_WRITTEN, CALLS_ROUNDED, CALLS_FORMS };
/* The hash that an older store has of the same prompt and answer (NULL: the
 * prompt alone). False where that is the one above. */
bool chat_hash_before(const struct chat *prompt, const struct message *answer,
                      enum calls_form form, uint8_t out[SHA_SIZE]);

#endif
