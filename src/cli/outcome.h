/* What came of a teacher's job: its calls by state, as the store counts them,
 * why some came to nothing, and what the replies brought. */
#ifndef CLI_OUTCOME_H
#define CLI_OUTCOME_H

#include "base/json.h"
#include "jobs/job.h"
#include "store/job.h"

/* Prints how a job stands, for people or as one object. Returns the exit code
 * of who waited for it: 1 where it did not end well or a call failed for
 * good. */
int outcome_print(struct store *s, const struct job *j,
                  const struct job_view *v, bool as_json);

/* The lines that say why calls came to nothing, each behind `indent`. */
void outcome_reasons(struct store *s, int64_t job, const char *indent);
/* The same as the member "why" of an open object. */
void outcome_json_reasons(struct store *s, int64_t job, struct jw *w);

#endif
