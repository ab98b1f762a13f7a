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

struct cli {
    const char *name; /* of the subcommand */
    int argc;         /* what is behind it */
    char **argv;
    const char *store_path, *as, *target_name;
    bool json, help;
    char *who;
    struct store *s;  /* after cli_open */
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
    const char *name; /* long name without dashes */
    enum opt_kind kind;
    void *to;
    const char *arg;  /* its value's name in the help; NULL for a flag */
    const char *help; /* untranslated */
};

/* Reads options in any order, leaving the rest in c->argv[0..argc). The common
 * ones (--store, --as, --json, --help) are known to every subcommand; those
 * of `opts` (ended by a NULL name) are its own. Returns -1 to go on, else the
 * exit code (0 after --help, 2 on a mistake, which has been said). */
int cli_options(struct cli *c, const struct opt *opts);

/* Opens the store named by --store; false with the reason in c->e. */
bool cli_open(struct cli *c);

/* The target named by --target, else the only one; 0 with the reason. */
int64_t cli_target(struct cli *c);

/* Says c->e on stderr; returns its exit code. */
int cli_fail(struct cli *c);
/* Says what is wrong with the arguments; returns 2. */
int cli_usage(struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads "2041", "2041,2042" into ids; with `prefix` (s, j, c, d ...) that
 * letter may stand in front. */
bool cli_ids(struct cli *c, const char *text, char prefix, ids *out);

/* Prints a finished JSON text and a newline on stdout. */
void cli_print(const struct buf *b);

/* Runs a subcommand; argv[0] is its name. Returns the exit code. */
int cli_main(int argc, char **argv);

#define SUB(name, fn, args, help) int fn(struct cli *c);
#define HIDDEN(name, fn, args, help) int fn(struct cli *c);
#include "cli/subcommands.def"
#undef SUB
#undef HIDDEN

/* Prints the overview of all subcommands. */
void cli_overview(void);

#endif
