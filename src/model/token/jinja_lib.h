/* What filters, tests, methods and functions of chat templates share. */
#ifndef MODEL_TOKEN_JINJA_LIB_H
#define MODEL_TOKEN_JINJA_LIB_H

#include "model/token/jinja_run.h"

/* Undefined; a literal as a string. */
struct jv lib_none(void);
struct jv lib_text(const char *s);
/* The value as a string: itself, or printed. */
struct jv lib_as_text(struct run *r, const struct jv *v);
/* Fails in the name of `who` where the value is no string. */
bool lib_want_text(struct run *r, const struct jv *v, const char *who);
/* The length of the code point at byte `at`, and the code point. */
size_t lib_point(const struct jv *v, size_t at, uint32_t *cp);
/* Whether strip takes a code point: white space, or one of `chars`. */
bool lib_strips(uint32_t cp, const struct jv *chars);
/* The string without what strip takes at its ends. */
struct jv lib_strip(struct run *r, const struct jv *v, const struct jv *chars,
                    bool left, bool right);
/* Where `part` first stands from byte `at` on; v->n where it does not. */
size_t lib_find(const struct jv *v, size_t at, const struct jv *part);
/* At most `count` (below 0: all) times `old` becomes `with`. */
struct jv lib_replaced(struct run *r, const struct jv *v,
                       const struct jv *old, const struct jv *with,
                       int64_t count);
/* In another case; `how` as uni_case has it. */
struct jv lib_case(struct run *r, const struct jv *v, int how);
/* Adds to a list, or fails. */
void lib_add(struct run *r, struct jv list, struct jv v);
/* A whole number argument. */
int64_t lib_int(const struct args *a, size_t n, const char *name,
                int64_t otherwise);

#endif
