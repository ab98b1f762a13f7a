/* Problems to prompts and back, and which of them are held out. */
#ifndef BUILTIN_GRAMMAR_H
#define BUILTIN_GRAMMAR_H

#include "model/builtin/family.h"

/* Adds the prompt of the problem in this wording. */
void grammar_write(const struct problem *p, const struct wording *w,
                   struct buf *out);

/* Recognises a prompt of any family, language and wording (held-out ones
 * too); white space at its ends and runs of it do not count. `w` may be
 * NULL. */
bool grammar_read(const struct families *f, const char *prompt,
                  struct problem *p, struct wording *w);

/* The problem's canonical key: equal for equal problems in any wording. */
void problem_key(const struct problem *p, struct buf *out);

/* H1: the problem is in a fixed tenth of a fixed hash of its key. */
bool problem_held(const struct problem *p);
/* H2: the wording's combination of slots is in a fixed fifth. */
bool wording_held(const struct problem *p, const struct wording *w);

/* The sets. TRAIN (and SEEDS, which is the same by another name) holds
 * neither; H1 held-out problems in wordings of training; H2 held-out
 * combinations (and held-out problems, where the family can hold any out); H3
 * held-out problems in wording that no template of training has. */
enum set { SET_SEEDS, SET_TRAIN, SET_H1, SET_H2, SET_H3, SET_COUNT };

/* As typed for --set. */
const char *set_name(enum set s);
bool set_parse(const char *name, enum set *out);

/* The set of a problem in a wording: TRAIN, H1, H2 or H3. */
enum set set_of(const struct problem *p, const struct wording *w);

/* Draws a problem of this family and language for the set. */
void set_draw(const struct family *f, size_t lang, enum set s, struct rng *r,
              struct problem *p, struct wording *w);

#endif
