/* Long work that a person starts by hand: a large import, a decision over
 * many samples. It is a job with a process of its own, so the screen never
 * waits for it; what it does is one decision of that person all the same, in
 * one transaction, and `u` takes it back.
 *
 * Its figures in status.json: {"rows","items","bad","answers","false",
 * "not_read"} of an import, {"changed","left_out","no_answer","decision"} of a
 * bulk act, {"objects"} of one that is taken back. What is wrong with a row
 * stands in the job's log.
 */
#ifndef VERBS_WORK_H
#define VERBS_WORK_H

#include "store/job.h"
#include "verbs/decide.h"
#include "verbs/import.h"

#define WORK_SAMPLES 1000     /* a bulk act over more is a job */
#define WORK_BYTES 65536      /* and so is the import of a larger file */

/* Start it; the job's id, 0 on failure. `target` (0: none yet) is the one
 * whose list it stands in. A mapping is not taken along. */
int64_t verb_start_import(struct store *s, const char *who, int64_t target,
                          const struct import_options *o, struct err *e);
int64_t verb_start_bulk(struct store *s, int64_t target,
                        const struct decide *d, const ids *samples,
                        struct err *e);

/* Takes back decision `seq`, who's last one, or does it again. */
int64_t verb_start_undo(struct store *s, int64_t target, const char *who,
                        int64_t seq, bool redo, struct err *e);

/* Whether a job is such work; its body, in the job's process: returns its
 * exit code. */
bool job_is_work(const struct job *j);
int verb_run_work(struct store *s, const struct job *j);

#endif
