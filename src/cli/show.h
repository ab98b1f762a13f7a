/* Showing what is not a sample's: the work that brought it, and what became of
 * it. Each prints one thing, or of it the text `raw`; false with the reason in
 * c->e.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/cli.h"

/* A job with its calls, and one call with all that went and came. */
bool show_job(struct cli *c, int64_t id, const char *raw);
bool show_call(struct cli *c, int64_t id, const char *raw);
/* A training, an export, a target. */
bool show_run(struct cli *c, int64_t id, const char *raw);
bool show_export(struct cli *c, int64_t id, const char *raw);
bool show_target(struct cli *c, int64_t id, const char *raw);

#endif
