#include "verbs/near.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/proc.h"
#include "store/job.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/text.h"
#include "verbs/asked.h"
#include "verbs/near_file.h"

/* Keys of the index: a sample's id (or a prompt_coming), minus a seed's id. */

#define AT_ONCE 1000 /* prompts read by one statement: others may write */

/* Words that may stand in memory, and one for each prompt of the file; with
 * more a new file is written. */
#define ROOM 250000

/* By the hash of a prompt that waits: what near found of it. */
struct wait {
    uint64_t hash; /* 0: free */
    struct near_found found;
};

struct near_prompts {
    struct store *s;
    int64_t target, job;
    int64_t mine;         /* the job, once its own are added as they come */
    int64_t seed, sample; /* the last ones that were read */
    struct near_file *file;
    struct near_index *index; /* NULL: nothing was read yet */
    bool fileless;            /* it cannot be written, or read twice over */
    int damaged;              /* how often it was found so */
    struct wait *waiting; /* open addressing */
    size_t size, used;
};

int64_t near_key_sample(int64_t key)
{
    return key > 0 ? key : 0;
}

int64_t near_key_seed(int64_t key)
{
    return key < 0 ? -key : 0;
}

/* ---- What waits for its answers ------------------------------------------ */

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
    near_add(n->index, prompt_coming(call, item), m ? m->content : "");
}

struct near_found near_found_read(const json *params)
{
    return (struct near_found){
        .looked = json_get(params, "near") != NULL,
        .approximate = json_get_int(params, "approximate", 0),
        .figure = json_get_number(params, "near", 0),
        .limit = json_get_number(params, "limit", 1),
        .against = json_get_int(params, "against", 0)};
}

void near_found_write(const struct near_found *f, struct jw *w)
{
    if (!f->looked)
        return;
    jw_knum(w, "near", f->figure);
    jw_knum(w, "limit", f->limit);
    jw_kint(w, "against", f->against);
    if (f->approximate)
        jw_kint(w, "approximate", 1);
}

/* A planned call whose prompt an earlier step made. */
static bool wait_for(struct near_prompts *n, int64_t id, struct err *e)
{
    struct call c;
    struct chat prompt;
    if (!call_get(n->s, id, &c, e))
        return false;
    json *p = json_parse(c.params, strlen(c.params), e);
    char *messages = text_get(n->s, json_get_int(p, "prompt", 0), NULL);
    struct asked k = asked_read(&c, p);
    if (k.call && messages && chat_parse(messages, &prompt, NULL)) {
        near_prompts_wait(n, &prompt, k.call, k.item, &k.near);
        chat_free(&prompt);
    }
    free(messages);
    json_free(p);
    call_free(&c);
    return true;
}

/* What the job planned and has not got yet. */
static bool wait_for_planned(struct near_prompts *n, struct err *e)
{
    static const enum call_state states[] = {CALL_PLANNED, CALL_SENT};
    bool ok = true;
    for (size_t k = 0; ok && k < COUNT(states); k++) {
        ids list;
        ok = call_ids(n->s, n->job, states[k], SIZE_MAX >> 2, &list, e);
        for (size_t i = 0; ok && i < list.n; i++)
            ok = wait_for(n, list.at[i], e);
        VEC_FREE(&list);
    }
    return ok;
}

/* ---- Reading the store -------------------------------------------------- */

/* The text of a prompt that is held against others, NULL with an error where
 * it cannot be read. The caller frees. */
static char *text_of(int64_t key, const char *messages, struct err *e)
{
    struct chat c;
    struct err why = {0};
    if (!chat_parse(messages, &c, &why)) {
        err_set(e, ERR_STORE, _("%s%lld: its prompt cannot be read: %s"),
                key < 0 ? "s" : "", llabs((long long)key), why.text);
        return NULL;
    }
    const struct message *m = chat_last(&c, ROLE_USER);
    char *text = xstrdup(m ? m->content : "");
    chat_free(&c);
    return text;
}

static bool add(struct near_prompts *n, int64_t key, const char *messages,
                struct err *e)
{
    char *text = text_of(key, messages, e);
    if (text)
        near_add(n->index, key, text);
    free(text);
    return text != NULL;
}

static bool take_seed(void *ctx, int64_t id, int64_t job,
                      const char *messages, struct err *e)
{
    (void)job;
    return add(ctx, -id, messages, e);
}

/* The job's own were added as they were made. */
static bool take_sample(void *ctx, int64_t id, int64_t job,
                        const char *messages, struct err *e)
{
    struct near_prompts *n = ctx;
    return (n->mine && job == n->mine) || add(n, id, messages, e);
}

static bool is_full(const struct near_prompts *n)
{
    size_t room = ROOM + (n->file ? near_file_below(n->file)->n : 0);
    return !n->fileless && near_added(n->index) > room;
}

typedef bool walk_fn(struct store *s, const struct prompt_range *r,
                     prompt_fn *fn, void *ctx, struct err *e);

/* Reads from *after (which follows) to `last` by parts. */
static bool read_on(struct near_prompts *n, walk_fn *walk, int64_t *after,
                    int64_t last, prompt_fn *fn, struct err *e)
{
    while (*after < last && !is_full(n)) {
        int64_t left = last - *after;
        struct prompt_range r = {n->target, *after,
                                 *after + (left < AT_ONCE ? left : AT_ONCE),
                                 false};
        if (!walk(n->s, &r, fn, n, e))
            return false;
        *after = r.until;
    }
    return true;
}

/* What came since, until there is too much of it. */
static bool read_since(struct near_prompts *n, struct err *e)
{
    return read_on(n, seed_prompts, &n->seed, seed_last_id(n->s), take_seed,
                   e) &&
           read_on(n, sample_prompts, &n->sample, sample_last_id(n->s),
                   take_sample, e);
}

/* ---- The file ----------------------------------------------------------- */

static char *file_path(const struct near_prompts *n)
{
    return store_work_dir(n->s, "near-", n->target);
}

/* Whether a file tells of this store as it became what it is now. */
static bool is_ours(const struct near_prompts *n, const struct near_cover *c)
{
    uint8_t hash[SHA_SIZE];
    return c->target == n->target &&
           !strncmp(c->store, store_id(n->s), sizeof c->store) &&
           journal_hash(n->s, c->seq, hash) &&
           !memcmp(c->hash, hash, sizeof hash) &&
           !journal_has_since(n->s, c->seq, "purge");
}

/* What a process left that was killed as it wrote. */
static void sweep(const struct near_prompts *n)
{
    struct dirent *entry;
    DIR *d = opendir(store_runs_dir(n->s));
    while (d && (entry = readdir(d))) {
        const char *pid = strchr(entry->d_name, '.');
        if (!strncmp(entry->d_name, "near-", 5) && pid &&
            !proc_alive((pid_t)strtol(pid + 1, NULL, 10)))
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d)
        closedir(d);
}

static bool write_prompt(void *ctx, int64_t key, const char *messages,
                         struct err *e)
{
    char *text = text_of(key, messages, e);
    if (text)
        near_write(ctx, key, text);
    free(text);
    return text != NULL;
}

static bool write_seed(void *ctx, int64_t id, int64_t job,
                       const char *messages, struct err *e)
{
    (void)job;
    return write_prompt(ctx, -id, messages, e);
}

static bool write_sample(void *ctx, int64_t id, int64_t job,
                         const char *messages, struct err *e)
{
    (void)job;
    return write_prompt(ctx, id, messages, e);
}

static bool write_all(struct near_prompts *n, struct near_writer *w,
                      walk_fn *walk, int64_t last, prompt_fn *fn,
                      struct err *e)
{
    bool ok = true;
    for (int64_t at = 0; ok && at < last; at += AT_ONCE) {
        struct prompt_range r = {n->target, at, at + AT_ONCE, true};
        r.until = r.until < last ? r.until : last;
        ok = walk(n->s, &r, fn, w, e);
    }
    return ok;
}

/* Writes a file of all prompts that there are. False where they cannot be
 * read; a file that cannot be written only stays away. */
static bool write_file(struct near_prompts *n, struct err *e)
{
    struct near_cover c = {.target = n->target,
                           .seed = seed_last_id(n->s),
                           .sample = sample_last_id(n->s)};
    struct err ignored;
    char *path = file_path(n);
    c.seq = store_seq(n->s); /* behind the ids: all of them are older */
    sweep(n);
    snprintf(c.store, sizeof c.store, "%s", store_id(n->s));
    struct near_writer *w =
        dir_make(store_runs_dir(n->s), 0700, &ignored) &&
                journal_hash(n->s, c.seq, c.hash)
            ? near_write_begin(path, &ignored)
            : NULL;
    bool ok = !w || (write_all(n, w, seed_prompts, c.seed, write_seed, e) &&
                     write_all(n, w, sample_prompts, c.sample, write_sample,
                               e));
    n->fileless = !w || !near_write_end(&w, ok ? &c : NULL, &ignored);
    if (!n->fileless)
        store_share(n->s, path);
    free(path);
    return ok;
}

/* Marks those of the ids (their keys being `sign` times them) in the bits. */
static void mark(const struct near_file *f, const ids *all, int sign, bool on,
                 uint64_t *bits)
{
    size_t i;
    for (size_t k = 0; k < all->n; k++) {
        if (!near_file_find(f, sign * all->at[k], &i))
            continue;
        if (on)
            bits[i / 64] |= (uint64_t)1 << (i % 64);
        else
            bits[i / 64] &= ~((uint64_t)1 << (i % 64));
    }
}

/* Adds those of the file's ids anew that changed since. */
static bool add_changed(struct near_prompts *n, walk_fn *walk,
                        const ids *changed, int64_t last, prompt_fn *fn,
                        struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < changed->n && !is_full(n); i++) {
        int64_t id = changed->at[i];
        struct prompt_range r = {n->target, id - 1, id, false};
        ok = id > last || walk(n->s, &r, fn, n, e);
    }
    return ok;
}

/* Of the file stands what is kept today and did not change since it was
 * written; what changed is added as it is now. */
static bool settle_file(struct near_prompts *n, struct err *e)
{
    const struct near_cover *c = near_file_cover(n->file);
    uint64_t *bits = xcalloc(near_file_below(n->file)->n / 64 + 1,
                             sizeof *bits);
    ids seeds = {0}, samples = {0}, changed = {0}, moved = {0};
    bool ok = seed_live_ids(n->s, n->target, c->seed, &seeds, e) &&
              sample_kept_ids(n->s, n->target, c->sample, &samples, e) &&
              seed_ids_changed(n->s, c->seq, &changed, e) &&
              sample_ids_changed(n->s, c->seq, &moved, e);
    mark(n->file, &seeds, -1, true, bits);
    mark(n->file, &samples, 1, true, bits);
    mark(n->file, &changed, -1, false, bits);
    mark(n->file, &moved, 1, false, bits);
    near_file_keep(n->file, bits);
    ok = ok &&
         add_changed(n, seed_prompts, &changed, c->seed, take_seed, e) &&
         add_changed(n, sample_prompts, &moved, c->sample, take_sample, e);
    VEC_FREE(&seeds);
    VEC_FREE(&samples);
    VEC_FREE(&changed);
    VEC_FREE(&moved);
    free(bits);
    return ok;
}

/* ---- Opening ------------------------------------------------------------ */

static void forget(struct near_prompts *n)
{
    near_free(&n->index);
    near_file_close(&n->file);
    free(n->waiting);
    *n = (struct near_prompts){.s = n->s, .target = n->target, .job = n->job,
                               .fileless = n->fileless,
                               .damaged = n->damaged};
}

/* The file, where it is of use (else it goes), and what came since. */
static bool load(struct near_prompts *n, struct err *e)
{
    forget(n);
    char *path = file_path(n);
    n->file = near_file_open(path);
    if (n->file && !is_ours(n, near_file_cover(n->file)))
        near_file_close(&n->file);
    if (!n->file)
        unlink(path);
    free(path);
    n->index = near_new(n->file ? near_file_below(n->file) : NULL);
    if (n->file) {
        n->seed = near_file_cover(n->file)->seed;
        n->sample = near_file_cover(n->file)->sample;
    }
    return (!n->file || settle_file(n, e)) && read_since(n, e);
}

static bool load_all(struct near_prompts *n, struct err *e)
{
    if (!load(n, e) || (is_full(n) && (!write_file(n, e) || !load(n, e))))
        return false;
    n->fileless = n->fileless || is_full(n); /* it would not help */
    if (!read_since(n, e) || !wait_for_planned(n, e))
        return false;
    n->mine = n->job;
    return true;
}

struct near_prompts *near_prompts_new(struct store *s, int64_t target,
                                      int64_t job)
{
    struct near_prompts *n = xcalloc(1, sizeof *n);
    *n = (struct near_prompts){.s = s, .target = target, .job = job};
    return n;
}

bool near_prompts_refresh(struct near_prompts *n, struct err *e)
{
    if (n->index && near_failed(n->index)) {
        char *path = file_path(n);
        unlink(path);
        free(path);
        near_free(&n->index);
        n->fileless = n->damaged++ > 0;
    }
    if (n->index && !read_since(n, e))
        return false;
    return (n->index && !is_full(n)) || load_all(n, e);
}

bool near_prompts_failed(const struct near_prompts *n)
{
    return n->index && near_failed(n->index);
}

void near_prompts_free(struct near_prompts **n)
{
    if (!*n)
        return;
    forget(*n);
    free(*n);
    *n = NULL;
}

bool near_files_remove(struct store *s, struct err *e)
{
    bool ok = true;
    struct dirent *entry;
    DIR *d = opendir(store_runs_dir(s));
    while (d && (entry = readdir(d)))
        if (!strncmp(entry->d_name, "near-", 5) &&
            unlinkat(dirfd(d), entry->d_name, 0) < 0 && errno != ENOENT)
            ok = err_sys(e, _("purged, but this stayed: %s/%s"),
                         store_runs_dir(s), entry->d_name);
    if (d)
        closedir(d);
    return ok;
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
