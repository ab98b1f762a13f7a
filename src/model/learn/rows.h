/* The frozen rows of a run: JSON lines, each
 *   {"id":2041,"prompt":[messages],"answer":{body},"teacher":{body}}
 * with messages and bodies in their canonical form (domain/chat.h), or
 *   {"id":9,"messages":[messages]}
 * whose last message is the answer; or
 *   {"id":7,"text":"..."}
 * a plain text that is learned as it stands. Earlier answers among the
 * messages are learned too but for those with "train":false. "weight" says what
 * a row's loss counts beside others (1). Other keys are ignored; `teacher` is
 * for whoever shows the row.
 */
#ifndef MODEL_LEARN_ROWS_H
#define MODEL_LEARN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/chat.h"
#include "model/token/tokenizer.h"

struct row {
    int64_t id;
    char *text;    /* NULL: messages */
    struct chat prompt;
    struct message answer;
    double weight;
};

void row_done(struct row *r);

/* Called for each row, which it may keep by moving it out (then it sets *r to
 * {0}). False stops. */
typedef bool row_fn(void *ctx, struct row *r, struct err *e);

/* Reads a file of rows; a mistake is named by file and line. */
bool rows_each(const char *path, row_fn *fn, void *ctx, struct err *e);

/* A row as the student reads it: n ids, of which those with `trained` are
 * learned; the answer begins at id number `prompt`. */
struct item {
    int64_t id;
    int32_t *ids;
    uint8_t *trained;
    int n, prompt;
    int targets;  /* trained ids from the second on */
    float weight; /* of its loss */
    bool plain;   /* a text: there is nothing to answer */
    bool asked;   /* in an evaluation it is answered */
    int verifier; /* that can mark the answer; -1: none */
    char *answer; /* as the student writes it, without its end */
};

struct items {
    struct item *at;
    size_t n, cap;
    int64_t tokens, targets;
    size_t cut;     /* rows that were longer than the context */
    size_t left;    /* rows left out: nothing to learn in what was kept */
    size_t longest; /* ids of the longest kept row */
};

/* What happens to a row of more than `context` + 1 ids: it loses its end, or
 * its beginning, or the whole file is refused. */
enum truncate { TRUNCATE_RIGHT, TRUNCATE_LEFT, TRUNCATE_REFUSE };

struct reading {
    int context;
    enum truncate truncate;
    bool mask_thinking; /* what an answer thinks is not trained */
};

/* Renders and encodes the rows of n files (appended to *d, which starts
 * {0}). */
bool items_load(struct items *d, const struct tokenizer *t, char *const *path,
                size_t n, const struct reading *how, struct err *e);
/* Says that there are no rows, and how many had to be left out; false. */
bool items_none(const struct items *d, struct err *e);
void item_done(struct item *m);
void items_free(struct items *d);

#endif
