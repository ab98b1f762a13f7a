/* The prompts that a new one is held against: those of the target's seeds and
 * of its samples that are not rejected, and those whose answers are on their
 * way. What other jobs and people bring is taken in as it comes.
 */
#ifndef VERBS_NEAR_H
#define VERBS_NEAR_H

#include "domain/chat.h"
#include "domain/rouge.h"
#include "store/store.h"

struct near_prompts;

/* What the index said of a prompt, and the limit that held then. */
struct near_found {
    bool looked;
    double figure, limit;
    int64_t against; /* a key, for near_key_* */
};

/* Reads the target's prompts; the caller frees. NULL with an error where they
 * cannot all be read: a hole would let near prompts pass. Samples of `job`
 * that come later are added by the caller (near_prompts_wait, _add). */
struct near_prompts *near_prompts_open(struct store *s, int64_t target,
                                       int64_t job, struct err *e);
void near_prompts_free(struct near_prompts **n);

/* Takes in what came from elsewhere since. False where it cannot be read. */
bool near_prompts_refresh(struct near_prompts *n, struct err *e);

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

/* The nearest prompt: F and its key, for near_key_*. */
struct near_hit near_prompts_find(struct near_prompts *n, const char *text);

/* Whose prompt a key names by now: the sample's or the seed's id, else 0. */
int64_t near_key_sample(struct store *s, int64_t key);
int64_t near_key_seed(int64_t key);

#endif
