/* Errors are values with text. A function that can fail takes a `struct err *`
 * as its last argument, fills it and returns false (or NULL, or -1); it never
 * prints and never exits. The text is one sentence for a person: what was
 * tried, on what, and what was expected. It is already translated, and it may
 * hold untrusted bytes: whoever shows it sends it through `say.h` or cells.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum err_code {
    ERR_NONE,
    ERR_USAGE,   /* the caller asked for something that cannot be asked */
    ERR_INPUT,   /* a file, a reply or a text is not what it should be */
    ERR_REFUSED, /* a rule of ours forbids it */
    ERR_ABSENT,  /* no such thing */
    ERR_STORE,   /* SQLite failed; nothing was saved */
    ERR_BUSY,    /* somebody else holds it */
    ERR_NET,     /* a teacher did not answer as it should */
    ERR_SYSTEM,  /* the operating system refused; the text ends with why */
    ERR_MEMORY,
    ERR_CANCEL   /* the person asked to stop */
};

struct err {
    enum err_code code;
    char text[600];
};

/* Sets code and formatted text (cut at a character boundary where too long).
 * `e` may be NULL. Always returns false: `return err_set(...)` reads well. */
bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with ERR_SYSTEM, with ": " and strerror(errno) behind the text. */
bool err_sys(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " in front of the text that is there. Returns false. */
bool err_in(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The process's exit code for an error: 0 none, 2 usage, 1 all the rest. */
int err_exit(const struct err *e);

#endif
