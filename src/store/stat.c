#include "store/stat.h"

#include "store/db.h"

void store_count(struct store *s, struct store_counts *out)
{
    *out = (struct store_counts){
        .targets = db_int(s, 0, "SELECT count(*) FROM target", ""),
        .seeds = db_int(s, 0, "SELECT count(*) FROM seed WHERE live", ""),
        .candidates = db_int(s, 0, "SELECT count(*) FROM candidate"
                             " WHERE live", ""),
        .calls_answered = db_int(s, 0, "SELECT count(*) FROM call WHERE"
                                 " state IN ('answered', 'unparsed')", ""),
        .calls_failed = db_int(s, 0, "SELECT count(*) FROM call WHERE state"
                               " IN ('failed', 'lost')", ""),
        .decisions = db_int(s, 0, "SELECT count(*) FROM decision", ""),
        .jobs = db_int(s, 0, "SELECT count(*) FROM job", ""),
        .runs = db_int(s, 0, "SELECT count(*) FROM run", ""),
        .exports = db_int(s, 0, "SELECT count(*) FROM export", ""),
    };
    for (int i = 0; i < STATUS_COUNT; i++)
        out->samples[i] = db_int(s, 0, "SELECT count(*) FROM sample WHERE"
                                 " status = ?1 AND live", "i", (int64_t)i);
}
