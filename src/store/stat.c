#include "store/stat.h"

#include "store/db.h"

void store_count(struct store *s, struct store_counts *out)
{
    *out = (struct store_counts){
        .targets = db_int(s, 0, "SELECT count(*) FROM target", ""),
        .seeds = db_int(s, 0, "SELECT count(*) FROM seed WHERE live", ""),
        .candidates = db_int(s, 0, "SELECT count(*) FROM candidate c"
                             " JOIN sample s ON s.id = c.sample"
                             " WHERE c.live AND s.live", ""),
        .decisions = db_int(s, 0, "SELECT count(*) FROM decision", ""),
        .jobs = db_int(s, 0, "SELECT count(*) FROM job", ""),
        .runs = db_int(s, 0, "SELECT count(*) FROM run", ""),
        .exports = db_int(s, 0, "SELECT count(*) FROM export", ""),
    };
    for (int i = 0; i < STATUS_COUNT; i++)
        out->samples[i] = db_int(s, 0, "SELECT count(*) FROM sample WHERE"
                                 " status = ?1 AND live", "i", (int64_t)i);
}

bool store_calls(struct store *s, struct call_counts *out, struct err *e)
{
    ids jobs;
    struct call_counts n;
    *out = (struct call_counts){0};
    bool ok = job_ids(s, 0, &jobs, e);
    for (size_t i = 0; ok && i < jobs.n; i++) {
        call_counts(s, jobs.at[i], &n);
        for (int k = 0; k < CALL_STATE_COUNT; k++)
            out->by_state[k] += n.by_state[k];
        out->total += n.total;
        out->tokens_in += n.tokens_in;
        out->tokens_out += n.tokens_out;
        out->cost += n.cost;
    }
    VEC_FREE(&jobs);
    return ok;
}
