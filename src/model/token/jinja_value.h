/* The values of a chat template: Python's, as Jinja2 shows them. They live in
 * the arena of one rendering and are freed with it.
 */
#ifndef MODEL_TOKEN_JINJA_VALUE_H
#define MODEL_TOKEN_JINJA_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* ---- Memory ------------------------------------------------------------- */

#define ARENA_MOST ((size_t)256 << 20)

struct arena {
    struct arena_part *part;
    size_t used; /* in all */
};

/* Memory for n bytes, zeroed; NULL where the arena is over ARENA_MOST. */
void *arena_get(struct arena *a, size_t n);
void arena_free(struct arena *a);

/* ---- Values ------------------------------------------------------------- */

enum jv_type {
    JV_UNDEFINED, JV_NONE, JV_BOOL, JV_INT, JV_FLOAT, JV_STRING,
    JV_LIST,      /* lists, tuples and what a generator gives */
    JV_DICT,
    JV_SPACE,     /* namespace(): the one thing that may be changed */
    JV_CALLABLE   /* a macro, a method or a function; see jinja.c */
};

struct jv_callable;

struct jv {
    enum jv_type type;
    bool tuple; /* of a list: it is shown in parentheses */
    union {
        bool b;
        int64_t i;
        double f;
        struct {
            const char *s; /* UTF-8, NUL-ended */
            size_t n;      /* bytes */
        };
        struct jv_list *list;
        struct jv_dict *dict; /* JV_SPACE too */
        struct jv_callable *call;
        const char *name; /* of an undefined value, for its errors */
    };
};

struct jv_list {
    struct jv *at;
    size_t n, cap;
};

struct jv_dict {
    struct jv_pair {
        struct jv key, value;
    } *at;
    size_t n, cap;
};

/* Short forms. */
struct jv jv_none(void);
struct jv jv_bool(bool b);
struct jv jv_int(int64_t i);
struct jv jv_float(double f);
struct jv jv_undefined(const char *name);
/* Borrowed bytes, which must live as long as the arena. */
struct jv jv_borrow(const char *s, size_t n);
/* A copy in the arena; undefined where that is full. */
struct jv jv_string(struct arena *a, const char *s, size_t n);
struct jv jv_list(struct arena *a);
struct jv jv_dict(struct arena *a);

/* Adds to a list; false where memory is out. */
bool jv_push(struct arena *a, struct jv list, struct jv item);
/* Sets a key, in its place where it is there already. */
bool jv_put(struct arena *a, struct jv dict, struct jv key, struct jv value);
/* NULL where there is no such key. */
struct jv *jv_find(const struct jv *dict, const struct jv *key);
struct jv *jv_find_name(const struct jv *dict, const char *key);

/* int, float or bool; its value; Python's truth of any value. */
bool jv_is_number(const struct jv *v);
double jv_number(const struct jv *v);
bool jv_true(const struct jv *v);
/* Python's == and, for two numbers, two strings or two lists, its order:
 * false in *ok where the two have none. */
bool jv_equal(const struct jv *a, const struct jv *b);
int jv_compare(const struct jv *a, const struct jv *b, bool *ok);

/* How many code points, items or keys; -1 for what has no length. */
int64_t jv_length(const struct jv *v);

/* Python's name of the type: "str", "list" ... */
const char *jv_type_name(const struct jv *v);

/* Appends str(v), or repr(v). */
void jv_print(const struct jv *v, struct buf *out);
void jv_repr(const struct jv *v, struct buf *out);

/* json.dumps(v, ensure_ascii=False): indent < 0 for one line; `item` and
 * `key` are the separators. False where a value has no JSON. */
struct jv_dump {
    int indent;
    const char *item, *key;
    bool sort, ascii; /* ascii: \u escapes for all else */
};
bool jv_dumps(const struct jv *v, const struct jv_dump *how, struct buf *out);

/* Reads one JSON text that base/json.h has scanned. */
bool jv_load(struct arena *a, const char *s, size_t n, struct jv *out,
             struct err *e);

#endif
