/* The command line: one file a subcommand, each a function that reads its
 * arguments, calls verbs and prints. The table is subcommands.def.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "store/store.h"
#include "store/target.h"

struct cli;

/* What words a subcommand takes beside its options: so many at most, or ... */
enum { WORDS_STORE = -1 /* one, the store */, WORDS_MANY = 1 << 20 };

/* A row of subcommands.def. */
struct sub {
    const char *name;
    int (*run)(struct cli *c);
    int words;
    const char *args, *help;
    bool hidden;
};

struct cli {
    const struct sub *sub; /* NULL: the screen */
    int argc;              /* what is behind its name */
    char **argv;
    const char *store_path, *as, *target_name; /* NULL: not named */
    bool json, help, version, after_loss;
    char *who;
    struct store *s; /* after cli_open */
    struct err e;
};

enum opt_kind {
    OPT_FLAG,   /* bool */
    OPT_STRING, /* const char * */
    OPT_INT,    /* int64_t */
    OPT_NUMBER, /* double */
    OPT_LIST    /* strings: VEC(const char *), one an occurrence */
};

typedef VEC(const char *) strings;

struct opt {
    const char *name; /* without dashes; one letter takes one dash too */
    enum opt_kind kind;
    void *to;
    const char *arg;  /* its value's name in the help; NULL for a flag */
    const char *help; /* untranslated */
};

/* Takes the options in front of the first word; -1 to go on, or 2. */
int cli_leading(struct cli *c);

/* Reads options in any order, leaving the rest in c->argv[0..argc). The common
 * ones (--store, --as, --json, --after-loss, --help, --version) are known to
 * every subcommand; those of `opts` (ended by a NULL name) are its own. More
 * words than the subcommand's row takes are refused; one that is the store is
 * taken as such. Returns -1 to go on, else the exit code (0 after --help, 2 on
 * a mistake, which has been said). */
int cli_options(struct cli *c, const struct opt *opts);

/* The store's file: as named, or stillroom.db. */
const char *cli_store(const struct cli *c);
/* Opens it and says what has to be said of it; false with the reason in
 * c->e. */
bool cli_open(struct cli *c);

/* The target named by --target, else the only one; 0 with the reason. */
int64_t cli_target(struct cli *c);

/* Says c->e on stderr; returns its exit code. */
int cli_fail(struct cli *c);
/* Says what is wrong with the arguments; returns 2. */
int cli_usage(struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Says that this word is not read, and what is; returns 2. */
int cli_unread(struct cli *c, const char *word, const char *instead);

/* Reads "2041", "2041,2050-2099" into ids; with `letter` (s, j, c, d ...) that
 * may stand in front of each. Nothing at all is a mistake. */
bool cli_ids(struct cli *c, const char *text, char letter, ids *out);
/* The same where one is wanted; 0 with the reason. */
int64_t cli_id(struct cli *c, const char *text, char letter);

/* Prints a finished JSON text and a newline on stdout. */
void cli_print(const struct buf *b);

/* False once nobody reads standard output any more: a list then ends. */
bool cli_heard(void);

#define SUB(name, fn, words, args, help) int fn(struct cli *c);
#define HIDDEN(name, fn, words, args, help) int fn(struct cli *c);
#include "cli/subcommands.def"
#undef SUB
#undef HIDDEN

#endif
