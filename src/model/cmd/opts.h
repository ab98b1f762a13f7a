/* Arguments of a subcommand from one table, which also makes its help. */
#ifndef MODEL_CMD_OPTS_H
#define MODEL_CMD_OPTS_H

#include <stdbool.h>
#include <stddef.h>

enum opt_kind {
    OPT_FLAG, /* to: bool */
    OPT_INT,  /* to: int64_t, not negative */
    OPT_NUM,  /* to: double, finite and not negative */
    OPT_TEXT, /* to: const char * (borrowed from argv) */
    OPT_FILES /* to: struct opt_files; takes words up to the next option */
};

struct opt_files {
    char **at; /* borrowed from argv */
    size_t n;
};

struct opt {
    const char *name; /* with its two dashes */
    enum opt_kind kind;
    void *to;
    const char *arg;  /* shown in help: "N", "FILE" */
    const char *help; /* N_() */
    bool given;       /* set where it stood on the command line */
};

struct opts {
    const char *usage; /* N_(): "new DIR --rows FILE... " */
    struct opt *at;    /* ended by a NULL name */
    const char **word; /* where the one plain argument goes; NULL: none */
    const char **second; /* where a second one goes; NULL: there is none */
};

/* Reads argv. -1 where the command may go on; else the exit code: 0 after
 * --help was printed, 2 after a mistake was said. A missing plain argument
 * is a mistake. */
int opts_read(struct opts *o, int argc, char **argv);

/* Says "stillroom-model NAME: sentence" and returns 2. */
int opts_wrong(const char *name, const char *sentence);

#endif
