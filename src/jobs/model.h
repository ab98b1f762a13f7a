/* The second program, run to its end. */
#ifndef JOBS_MODEL_H
#define JOBS_MODEL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Runs `stillroom-model ARGS...` (NULL-ended), without keys, with `input` on
 * its standard input (may be NULL): what it prints is appended to `out`. False
 * with what it complains of; it ends when we do. */
bool model_run(const char *const args[], const char *input, struct buf *out,
               struct err *e);

#endif
