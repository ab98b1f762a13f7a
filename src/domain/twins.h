/* Whether a prompt has a twin among many: the nearest of those that are at
 * least so near, for one limit that is known beforehand and prompts that are
 * all there before the first is asked for. Exact, by F as in rouge.h.
 *
 * Words are ordered, the rarest first. Two texts that share enough words share
 * one of the first few of either, so only these are posted and only the lists
 * of these are read (prefix and positional filters: Xiao et al. 2008); where
 * one shared word leaves too many, two or three of them are asked for.
 */
#ifndef DOMAIN_TWINS_H
#define DOMAIN_TWINS_H

#include "domain/rouge.h"

struct twins;

/* For an F of at least `limit`, above 0. Freed with twins_free. */
struct twins *twins_new(double limit);
void twins_free(struct twins **t);

/* Not once something was asked for. */
void twins_add(struct twins *t, const char *text);

/* The F of the nearest, 0 where none reaches the limit. */
double twins_find(struct twins *t, const char *text);

/* What all searches so far have cost. */
struct near_effort twins_effort(const struct twins *t);

#endif
