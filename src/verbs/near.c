#include "verbs/near.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/sample.h"
#include "store/seed.h"

/* Keys of the index: a sample's id, minus a seed's id, or (from WAITING on) an
 * item of a call whose prompt is no sample yet. */
#define WAITING ((int64_t)1 << 50)
#define ITEMS 4096 /* of one call, at most */

/* By the hash of a prompt that waits: what near found of it. */
struct wait {
    uint64_t hash; /* 0: free */
    struct near_found found;
};

struct near_prompts {
    struct store *s;
    int64_t target, job;
    int64_t seed, sample; /* the last ones that were read */
    struct near_index *index;
    struct wait *waiting; /* open addressing */
    size_t size, used;
};

int64_t near_key_sample(struct store *s, int64_t key)
{
    if (key < WAITING)
        return key > 0 ? key : 0;
    return sample_made_by(s, (key - WAITING) / ITEMS, (key - WAITING) % ITEMS);
}

int64_t near_key_seed(int64_t key)
{
    return key < 0 ? -key : 0;
}

/* ---- Reading ------------------------------------------------------------ */

static void take_seed(void *ctx, int64_t id, int64_t job, const char *messages)
{
    struct near_prompts *n = ctx;
    char *text = prompt_text(messages);
    (void)job;
    near_add(n->index, -id, text);
    n->seed = id;
    free(text);
}

static void take_sample(void *ctx, int64_t id, int64_t job,
                        const char *messages)
{
    struct near_prompts *n = ctx;
    if (job != n->job) { /* the job's own were added as they were made */
        char *text = prompt_text(messages);
        near_add(n->index, id, text);
        free(text);
    }
    n->sample = id;
}

bool near_prompts_refresh(struct near_prompts *n, struct err *e)
{
    return seed_prompts(n->s, n->target, n->seed, take_seed, n, e) &&
           sample_prompts(n->s, n->target, n->sample, take_sample, n, e);
}

struct near_prompts *near_prompts_open(struct store *s, int64_t target,
                                       int64_t job, struct err *e)
{
    struct near_prompts *n = xcalloc(1, sizeof *n);
    *n = (struct near_prompts){.s = s, .target = target, .job = -1,
                               .index = near_new()};
    if (!near_prompts_refresh(n, e))
        near_prompts_free(&n);
    else
        n->job = job;
    return n;
}

void near_prompts_free(struct near_prompts **n)
{
    if (!*n)
        return;
    near_free(&(*n)->index);
    free((*n)->waiting);
    free(*n);
    *n = NULL;
}

/* ---- Prompts that wait for their answers -------------------------------- */

static uint64_t hash_of(const struct chat *prompt)
{
    uint8_t sha[SHA_SIZE];
    uint64_t h;
    chat_prompt_hash(prompt, sha);
    memcpy(&h, sha, sizeof h);
    return h ? h : 1;
}

static struct wait *slot(struct wait *at, size_t size, uint64_t hash)
{
    size_t i = (size_t)hash & (size - 1);
    while (at[i].hash && at[i].hash != hash)
        i = (i + 1) & (size - 1);
    return &at[i];
}

static void grow(struct near_prompts *n)
{
    size_t size = n->size ? n->size * 2 : 64;
    struct wait *more = xcalloc(size, sizeof *more);
    for (size_t i = 0; i < n->size; i++)
        if (n->waiting[i].hash)
            *slot(more, size, n->waiting[i].hash) = n->waiting[i];
    free(n->waiting);
    n->waiting = more;
    n->size = size;
}

const struct near_found *near_prompts_twin(const struct near_prompts *n,
                                           const struct chat *prompt)
{
    struct wait *w = n->size ? slot(n->waiting, n->size, hash_of(prompt))
                             : NULL;
    return w && w->hash ? &w->found : NULL;
}

void near_prompts_wait(struct near_prompts *n, const struct chat *prompt,
                       int64_t call, int64_t item,
                       const struct near_found *found)
{
    const struct message *m = chat_last(prompt, ROLE_USER);
    if (n->used * 2 >= n->size)
        grow(n);
    struct wait *w = slot(n->waiting, n->size, hash_of(prompt));
    if (w->hash) /* another call for the same prompt */
        return;
    *w = (struct wait){hash_of(prompt), *found};
    n->used++;
    near_add(n->index, WAITING + call * ITEMS + item, m ? m->content : "");
}

/* ---- Asking ------------------------------------------------------------- */

void near_prompts_add(struct near_prompts *n, int64_t sample,
                      const char *text)
{
    near_add(n->index, sample, text);
}

struct near_hit near_prompts_find(struct near_prompts *n, const char *text)
{
    return near_find(n->index, text, NEAR_EXACT);
}
