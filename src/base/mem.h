/* Memory. The x-functions never return NULL: they are for small things whose
 * size the program chooses, and end the process through its last acts when the
 * machine has none left. Data whose size comes from outside is kept in a
 * `struct buf`, which has a ceiling and reports failure.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As the functions without x, but they die where there is no memory. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);

/* A formatted string of its own; the caller frees. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What a process still does before it ends in the middle of its work: the
 * screen gives the terminal back, a job and a training say why. At most
 * LAST_ACTS; `why` is one sentence. Removed by its ctx where the work came to
 * its own end. */
enum { LAST_ACTS = 4 };
typedef void last_act(void *ctx, const char *why);
void last_act_add(last_act *fn, void *ctx);
void last_act_remove(const void *ctx);

/* Does them, the newest first and each once. */
void last_acts(const char *why);

/* Does the last acts, writes `text` to stderr and ends with 1. */
_Noreturn void die(const char *text);

/* Typed vectors: `VEC(int) v = {0};` then VEC_PUSH, v.at[i], v.n, VEC_FREE. */
#define VEC(type)                                                             \
    struct {                                                                  \
        type *at;                                                             \
        size_t n, cap;                                                        \
    }
#define VEC_PUSH(vec, item)                                                   \
    do {                                                                      \
        if ((vec)->n == (vec)->cap)                                           \
            (vec)->at = vec_grow((vec)->at, &(vec)->cap,                      \
                                 sizeof *(vec)->at);                          \
        (vec)->at[(vec)->n++] = (item);                                       \
    } while (0)
#define VEC_FREE(vec)                                                         \
    do {                                                                      \
        free((vec)->at);                                                      \
        (vec)->at = NULL;                                                     \
        (vec)->n = (vec)->cap = 0;                                            \
    } while (0)

/* Doubles *cap (from 8) and returns the moved array; used by VEC_PUSH. */
void *vec_grow(void *at, size_t *cap, size_t size);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Puts ids in ascending order. */
void sort_ids(int64_t *at, size_t n);
/* Where an id stands among n ascending ones, or would stand. */
size_t sorted_place(const int64_t *at, size_t n, int64_t id);

#endif
