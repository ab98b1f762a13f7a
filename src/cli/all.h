/* All subcommands, as subcommands.def lists them: which one is meant, and the
 * one that runs.
 */
#ifndef CLI_ALL_H
#define CLI_ALL_H

#include "cli/cli.h"

/* Reads the program's arguments up to the subcommand. Returns -1 where
 * cli_run is to go on, or, with c->sub NULL, the screen on cli_store (c->as
 * who decides); else the exit code of what was done already. */
int cli_begin(struct cli *c, int argc, char **argv);
/* Runs the subcommand; its exit code. */
int cli_run(struct cli *c);

#endif
