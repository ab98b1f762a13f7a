/* A teacher's key: read from the environment (and removed there), a command
 * or a file of ours, held in locked memory, wiped at the end. It is never
 * part of an error, a log or a stored reply: what comes back from a teacher
 * passes key_redact first.
 */
#ifndef TEACHER_KEY_H
#define TEACHER_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "teacher/profile.h"

/* How a key may come back beside its own characters, each as it is or spelled
 * as %73, \u0073, \x73, \/ or &#115;: base64 and base64url from three places
 * in their digits, base32 in either case from five, hex in either case. */
#define KEY_FORMS (1 + 6 + 10 + 2)
#define KEY_BYTES 4096 /* longest key */

struct key {
    char *page; /* locked; holds the forms one after another */
    size_t page_bytes;
    int n; /* forms */
    const char *form[KEY_FORMS]; /* form[0] is the key; NULL: none */
    size_t len[KEY_FORMS];
};

/* Reads the key that the profile names; without a source the key is empty
 * (form[0] NULL). The variable of key_env is wiped and unset, so it can be
 * read once. With a key the process writes no core from now on. */
bool key_load(struct key *k, const struct profile *p, struct err *e);
/* Wipes and unlocks. */
void key_free(struct key *k);

/* Replaces every form of the key in b by "[key]"; true where one was there.
 * Keys under 8 bytes ("none", "EMPTY") are no secrets and are left. */
bool key_redact(const struct key *k, struct buf *b);
/* The same in an owned string (NULL stays NULL). */
bool key_redact_text(const struct key *k, char **text);
/* For texts that only tell what went wrong: replaces also every piece of the
 * key that is 8 bytes or longer, as in "sk-proj-abcd****". */
void key_redact_pieces(const struct key *k, struct buf *b);

#endif
