/* Counts over the whole store. */
#ifndef STORE_STAT_H
#define STORE_STAT_H

#include "domain/status.h"
#include "store/job.h"
#include "store/store.h"

struct store_counts {
    int64_t targets, seeds, samples[STATUS_COUNT], candidates;
    int64_t decisions, jobs, runs, exports;
};

/* Counts everything as it stands now; 0 where it cannot be read. */
void store_count(struct store *s, struct store_counts *out);

/* The calls of all jobs, each as its job counts it. */
bool store_calls(struct store *s, struct call_counts *out, struct err *e);

#endif
