/* The prompts that a new one is held against: those of the target's seeds and
 * of its samples that are not rejected, and those whose answers are on their
 * way. What other jobs and people bring is taken in as it comes. Of a target
 * with many the index is kept in a file beside the store (verbs/near_file.h);
 * in memory is what came since.
 */
#ifndef VERBS_NEAR_H
#define VERBS_NEAR_H

#include "base/json.h"
#include "domain/chat.h"
#include "domain/rouge.h"
#include "store/store.h"

struct near_prompts;

/* What the index said of a prompt, and the limit that held then. */
struct near_found {
    bool looked, approximate;
    double figure, limit;
    int64_t against; /* a key, for near_key_* */
};

/* As it stands in the parameters of the calls that answer the prompt: reads
 * it, and appends it where there was a look. */
struct near_found near_found_read(const json *params);
void near_found_write(const struct near_found *f, struct jw *w);

/* The prompts of a target, for a job; nothing is read yet. The caller
 * frees. */
struct near_prompts *near_prompts_new(struct store *s, int64_t target,
                                      int64_t job);
void near_prompts_free(struct near_prompts **n);

/* Takes in what there is: at first all, with what the job asked for in an
 * earlier life and has not got; later what came from elsewhere. Outside of an
 * act, before anything else is asked. False where a prompt cannot be read: a
 * hole would let near ones pass. Samples of the job that come later are added
 * by the caller (near_prompts_wait, _add). */
bool near_prompts_refresh(struct near_prompts *n, struct err *e);

/* Whether the file turned out to be damaged: what was found since the last
 * refresh is void, and the next one makes it good. */
bool near_prompts_failed(const struct near_prompts *n);

/* A prompt of the job's own: of a sample; or one that waits for its answers,
 * item `item` of call `call`, with what near found of it. */
void near_prompts_add(struct near_prompts *n, int64_t sample,
                      const char *text);
void near_prompts_wait(struct near_prompts *n, const struct chat *prompt,
                       int64_t call, int64_t item,
                       const struct near_found *found);

/* What near found of a prompt that waits for its answers; NULL where this one
 * does not. Borrowed until the next one waits. */
const struct near_found *near_prompts_twin(const struct near_prompts *n,
                                           const struct chat *prompt);

/* The nearest prompt: F and its key, for near_key_*. Approximate with more
 * than NEAR_EXACT. */
struct near_hit near_prompts_find(struct near_prompts *n, const char *text);

/* Whose prompt a key names: the sample's (or the one's that is coming) or the
 * seed's id, else 0. */
int64_t near_key_sample(int64_t key);
int64_t near_key_seed(int64_t key);

/* Removes what is kept of words beside the store, for a purge. */
bool near_files_remove(struct store *s, struct err *e);

#endif
