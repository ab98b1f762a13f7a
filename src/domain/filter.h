/* The filter language: the one way to say which samples are meant.
 *
 *   status:pending near>.6 -tag:math (reason:wrong or who:ana) "half a film"
 *
 * Terms stand beside one another with `and` (or nothing), `or`, `not` or `-`
 * in front, and brackets. A term is FIELD:VALUE, FIELD with a comparison and
 * a number, or words that are searched for in prompts and answers. This file
 * reads it into a tree; the store makes SQL of that.
 */
#ifndef DOMAIN_FILTER_H
#define DOMAIN_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define FIELD(id, ...) FILTER_##id,
enum filter_field {
#include "domain/filter.def"
    FILTER_FIELDS
};
#undef FIELD

enum filter_kind { FILTER_WORD, FILTER_CHOICE, FILTER_NUMBER, FILTER_FLAG };

struct filter_info {
    const char *name;
    enum filter_kind kind;
    const char *help; /* untranslated */
};

/* What there is to know of a field; never NULL. */
const struct filter_info *filter_info(enum filter_field f);

enum filter_op { /* of a term */
    FILTER_EQ,
    FILTER_LT,
    FILTER_LE,
    FILTER_GT,
    FILTER_GE
};

enum filter_node_kind {
    FILTER_ALL,  /* everything: the empty filter */
    FILTER_AND,
    FILTER_OR,
    FILTER_NOT,
    FILTER_TERM, /* field, op, and values or number */
    FILTER_TEXT  /* words, text in values[0]; choice[0]: it was quoted */
};

#define FILTER_VALUES 8

struct filter_node {
    enum filter_node_kind kind;
    int left, right; /* indices of nodes; right unused for NOT */
    enum filter_field field;
    enum filter_op op;
    double number;           /* NUMBER */
    int choice[FILTER_VALUES]; /* CHOICE: numbers; FLAG: choice[0] 0 or 1 */
    char *values[FILTER_VALUES];
    size_t n_values;
};

#define FILTER_NODES 64

struct filter {
    struct filter_node nodes[FILTER_NODES];
    int n, root;
};

/* Reads a filter; the empty text means everything. On failure *f is empty
 * and e says "column N: ..." and what was expected. */
bool filter_parse(const char *text, struct filter *f, struct err *e);
void filter_free(struct filter *f);

/* Words that may follow at the end of `text` (fields, or a field's choices),
 * separated by newlines, for completion. `from` gets the offset at which the
 * word to complete begins. Returns the field whose value is typed there;
 * FILTER_FIELDS where it is none. */
enum filter_field filter_complete(const char *text, size_t *from,
                                  struct buf *out);

#endif
