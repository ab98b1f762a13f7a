/* What has to hold where a broken invariant would spoil data: checked in every
 * build. Not for what comes from outside, which gets a `struct err`, nor for
 * what a caller may well do wrong.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/* Nothing where x holds; else the process does its last acts (mem.h), says
 * file, line and expression on stderr and ends with 1. */
#define must(x) ((x) ? (void)0 : must_fail(__FILE__, __LINE__, #x))

/* What `must` does where x does not hold. */
_Noreturn void must_fail(const char *file, int line, const char *expression);

#endif
