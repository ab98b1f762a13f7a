/* A rendering under way: what the files that evaluate (jinja*.c) share. */
#ifndef MODEL_TOKEN_JINJA_RUN_H
#define MODEL_TOKEN_JINJA_RUN_H

#include "base/mem.h"
#include "model/token/jinja.h"
#include "model/token/jinja_parse.h"

enum { CALL_DEPTH = 100, NEST = 1000 };

struct frame { /* names of one scope */
    struct frame *up;
    struct jv vars; /* a dict */
};

struct run {
    struct arena arena;
    struct frame *frame, *top;
    struct jinja_out *result;
    struct buf *out; /* result's text, or a capture's */
    size_t steps, captured;
    int depth, line;
    int nest; /* of evaluations within others */
    int64_t now;
    bool failed, broke, goes_on;
    struct err *e;
};

/* Arguments of a call, evaluated. */
struct args {
    struct jv *at;
    size_t n;
    const char **names; /* named ones */
    struct jv *values;
    size_t n_named;
};

typedef struct jv native_fn(struct run *r, const struct jv *self,
                            const struct args *a);

struct jv_callable {
    const struct node *macro; /* NULL: a function of ours */
    struct frame *scope;      /* the macro's */
    struct jv caller;         /* of a call block's body */
    native_fn *fn;
    struct jv self;           /* of a method */
    const char *name;
};

/* Sets the error, with the line, and returns undefined. */
struct jv run_fail(struct run *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The n-th argument, else the one of that name, else `otherwise`. */
struct jv arg(const struct args *a, size_t n, const char *name,
              struct jv otherwise);
/* A string of what a buffer holds. */
struct jv run_string(struct run *r, const struct buf *b);
/* obj.name and obj[key], as Jinja looks them up. */
struct jv run_attr(struct run *r, const struct jv *of, const char *name);
struct jv run_item(struct run *r, const struct jv *of, const struct jv *key);
/* The items that a loop over the value meets: a list. */
struct jv run_iterate(struct run *r, const struct jv *of);

/* a op b, but for `and` and `or`. */
struct jv run_apply(struct run *r, int op, const struct jv *a,
                    const struct jv *b);

/* Filters, tests, methods and functions, by name. */
struct jv lib_filter(struct run *r, const char *name, const struct jv *v,
                     const struct args *a);
bool lib_test(struct run *r, const char *name, const struct jv *v,
              const struct args *a);
/* NULL where a value of that type has no such method. */
native_fn *lib_method(const struct jv *of, const char *name);
native_fn *lib_function(const char *name);

#endif
