/* Untrusted text made safe to show: the same marks that the screen uses, for
 * batch output, errors, logs and titles. What is stored never changes. */
#ifndef BASE_SAY_H
#define BASE_SAY_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends s with every control (newline and tab excepted, unless one_line),
 * bidi, zero-width and odd character, and every byte that is not UTF-8, as a
 * mark: ‹1B›, or <1B> where `ascii`; there every other character outside
 * ASCII becomes `?`. What joins an emoji's pictures is left out. */
void say_clean(struct buf *out, const char *s, size_t n, bool ascii,
               bool one_line);

/* Whether marks and letters written to f have to be ASCII: a terminal whose
 * language is not UTF-8. */
bool say_ascii(FILE *f);

/* Writes text to f, cleaned, wherever it goes. */
void say(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes a finished JSON text of n bytes and a newline: what say_clean would
 * mark stands in it as \uXXXX, so it reads back as the same. For what is
 * printed alone; what is stored, hashed or exported is written as it is. */
void say_json(FILE *f, const char *json, size_t n);

/* "stillroom: text" and a newline on stderr, always cleaned. Returns the
 * error's exit code. */
int say_err(const char *program, const struct err *e);

/* First of all: a standard stream that was handed over closed is opened so
 * that using it fails, as no file may come to stand in its place. */
void say_start(void);

/* The end of a program whose exit code would be `code`: what was written has
 * arrived, or it is said and 1 returned; where nobody reads standard output
 * any more the process ends without a word, as SIGPIPE ends one. */
int say_end(const char *program, int code);

#endif
