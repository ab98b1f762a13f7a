/* The subcommands of the second program. Each takes its arguments with its
 * own name as argv[0], writes its result to standard output, says errors on
 * standard error, and returns the exit code: 0 done, 1 refused or failed,
 * 2 wrong usage. The list is model/commands.def.
 */
#ifndef MODEL_CMD_CMD_H
#define MODEL_CMD_CMD_H

#define CMD(name, fn, help) int fn(int argc, char **argv);
#include "model/commands.def"
#undef CMD

#endif
