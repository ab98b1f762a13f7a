/* Targets: the skills and verticals that are being distilled. */
#ifndef STORE_TARGET_H
#define STORE_TARGET_H

#include "base/json.h"
#include "base/mem.h"
#include "store/journal.h"

struct target {
    int64_t id, doc_text, born;
    char *name;
    char *doc; /* canonical JSON: description, kind, languages, system,
                  principles, rubric, near_limit */
};

void target_free(struct target *t);

/* Adds a target; `doc` is JSON ("{}" for none). A name is 1 to 60 characters
 * without white space or slashes, and new. Returns the id, 0 on failure. */
int64_t target_add(struct act *a, const char *name, const char *doc,
                   struct err *e);
bool target_get(struct store *s, int64_t id, struct target *out,
                struct err *e);
/* The id of the target with this name, 0 where there is none. */
int64_t target_find(struct store *s, const char *name);
/* All targets' ids, oldest first; the caller frees with VEC_FREE. */
bool target_ids(struct store *s, ids *out, struct err *e);

/* The counts that row 3 of the Targets view shows; -1: not known, as counting
 * it was left with Esc. */
struct target_counts {
    int64_t seeds, pending, accepted, rejected, deferred;
    int64_t to_rank;  /* scored by a judge, ordered by nobody, pending */
    double cost;      /* of its jobs' calls */
    double student;   /* exact match of the newest run, -1 where none */
    double exact[5];  /* of its last trainings that have such a figure, */
    int n_exact;      /* oldest first */
};
void target_counts(struct store *s, int64_t id, struct target_counts *out);
/* What the jobs of a recipe brought a target, whatever became of it, and what
 * was made of that. */
struct recipe_made {
    char name[32];
    int64_t version;
    int64_t made, accepted, rejected; /* samples */
    int64_t rated;                    /* answers, by a judge */
    double cost;                      /* of all calls */
};
typedef VEC(struct recipe_made) recipes_made;
/* Each version of a recipe that has jobs, the last used first. The caller frees
 * with VEC_FREE. */
bool target_recipes(struct store *s, int64_t id, recipes_made *out,
                    struct err *e);
/* Samples accepted since the target's newest training began (and not taken
 * back); -1 where it has none. */
int64_t target_untrained(struct store *s, int64_t id);

#endif
