#include "verbs/near_file.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/uni.h"

#define BLOCK ((size_t)4096)
#define HELD 256     /* blocks in memory */
#define BUCKETS 4096 /* of terms, by their first bits */
#define BUCKET_OF(term) ((size_t)((term) >> 52))
#define PAIRS 63     /* in a chunk: 1 KiB with its head */

/* A term and where its list begins; the next one's begin is its end. */
struct entry {
    uint64_t term, at;
};

struct bucket {
    uint64_t at, n; /* of its entries, one more than n being there */
};

struct trailer {
    char magic[8];
    struct near_cover cover;
    uint64_t n, words;              /* prompts; the words of all of them */
    uint64_t docs, buckets, blocks; /* where they begin; how many there are */
    uint8_t groups[NEAR_GROUPS];
    uint64_t sums; /* a checksum over the checksums */
    uint64_t sum;  /* over the trailer up to here */
};

static const char magic[8] = "snear01";

/* Any change of one word changes it, as every step can be taken back. */
static uint64_t checksum(const void *p, size_t n, uint64_t seed)
{
    static const uint64_t odd = 0x9e3779b97f4a7c15u;
    const unsigned char *at = p;
    uint64_t lane[4] = {seed + 1, seed + 2, seed + 3, seed + 4}, v;
    for (size_t i = 0; i + 8 <= n; i += 8) {
        memcpy(&v, at + i, 8);
        lane[i / 8 % 4] = (lane[i / 8 % 4] ^ v) * odd;
    }
    for (int i = 1; i < 4; i++)
        lane[0] = (lane[0] ^ lane[i] ^ lane[i] >> 29) * odd;
    return lane[0] ^ lane[0] >> 32;
}

/* ---- Reading ------------------------------------------------------------ */

struct near_file {
    int fd;
    struct trailer t;
    struct near_below below;
    struct near_doc *docs;
    struct bucket *buckets;
    uint64_t *sums;
    unsigned char (*held)[BLOCK];
    uint64_t which[HELD]; /* block in each place, from 1 */
    void *scratch;
    size_t cap;
};

static bool read_all(int fd, void *p, size_t n, uint64_t at)
{
    unsigned char *to = p;
    while (n) {
        ssize_t got = pread(fd, to, n, (off_t)at);
        if (got <= 0)
            return false;
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

/* A block, checked; NULL where it is damaged. */
static const unsigned char *block(struct near_file *f, uint64_t i)
{
    size_t place = (size_t)(i % HELD);
    if (f->which[place] == i + 1)
        return f->held[place];
    f->which[place] = 0;
    if (!read_all(f->fd, f->held[place], BLOCK, i * BLOCK) ||
        checksum(f->held[place], BLOCK, i) != f->sums[i])
        return NULL;
    f->which[place] = i + 1;
    return f->held[place];
}

static bool copy_out(struct near_file *f, void *to, uint64_t at, size_t n)
{
    uint64_t size = f->t.blocks * BLOCK;
    unsigned char *p = to;
    if (at > size || n > size - at)
        return false;
    while (n) {
        const unsigned char *b = block(f, at / BLOCK);
        size_t from = (size_t)(at % BLOCK), part = BLOCK - from;
        part = part < n ? part : n;
        if (!b)
            return false;
        memcpy(p, b + from, part);
        p += part;
        at += part;
        n -= part;
    }
    return true;
}

static const void *borrow(struct near_file *f, uint64_t at, size_t n)
{
    if (n > f->cap) {
        free(f->scratch);
        f->cap = n * 2;
        f->scratch = xmalloc(f->cap);
    }
    return copy_out(f, f->scratch, at, n) ? f->scratch : NULL;
}

static bool find_list(void *ctx, uint64_t term, struct near_list *out)
{
    struct near_file *f = ctx;
    const struct bucket *b = &f->buckets[BUCKET_OF(term)];
    struct entry pair[2];
    uint64_t low = 0, high = b->n;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (!copy_out(f, pair, b->at + mid * sizeof *pair, sizeof *pair))
            return false;
        if (pair->term < term)
            low = mid + 1;
        else
            high = mid;
    }
    *out = (struct near_list){.n = 0};
    if (low == b->n)
        return true;
    if (!copy_out(f, pair, b->at + low * sizeof *pair, sizeof pair))
        return false;
    if (pair[0].term == term && pair[1].at > pair[0].at)
        *out = (struct near_list){
            pair[0].at, (size_t)(pair[1].at - pair[0].at) / sizeof(uint32_t)};
    return out->n <= f->t.n;
}

static const uint32_t *read_postings(void *ctx, uint64_t at, size_t n)
{
    struct near_file *f = ctx;
    const uint32_t *list = borrow(f, at, n * sizeof *list);
    for (size_t i = 0; list && i < n; i++)
        if (NEAR_DOC(list[i]) >= f->t.n)
            return NULL;
    return list;
}

static const uint64_t *read_words(void *ctx, uint64_t from, size_t n)
{
    return borrow(ctx, from * sizeof(uint64_t), n * sizeof(uint64_t));
}

/* The trailer and the checksums in front of it. */
static bool read_trailer(struct near_file *f)
{
    struct stat st;
    struct trailer *t = &f->t;
    if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        st.st_size < (off_t)sizeof *t)
        return false;
    uint64_t size = (uint64_t)st.st_size - sizeof *t;
    if (!read_all(f->fd, t, sizeof *t, size) ||
        memcmp(t->magic, magic, sizeof magic) ||
        t->sum != checksum(t, offsetof(struct trailer, sum), 0) ||
        size % (BLOCK + sizeof *f->sums) ||
        t->blocks != size / (BLOCK + sizeof *f->sums) ||
        t->n >= UINT32_MAX >> 4)
        return false;
    size_t n = (size_t)t->blocks * sizeof *f->sums;
    f->sums = xmalloc(n + 1);
    return read_all(f->fd, f->sums, n, t->blocks * BLOCK) &&
           checksum(f->sums, n, 0) == t->sums;
}

static bool read_tables(struct near_file *f)
{
    const struct trailer *t = &f->t;
    size_t n = (size_t)t->n;
    if (n > t->blocks * BLOCK / sizeof *f->docs)
        return false;
    f->docs = xmalloc((n + 1) * sizeof *f->docs);
    f->buckets = xmalloc(BUCKETS * sizeof *f->buckets);
    if (!copy_out(f, f->docs, t->docs, (n + 1) * sizeof *f->docs) ||
        !copy_out(f, f->buckets, t->buckets, BUCKETS * sizeof *f->buckets))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!f->docs[i].key || f->docs[i + 1].from < f->docs[i].from ||
            f->docs[i + 1].from - f->docs[i].from > ROUGE_WORDS)
            return false;
    return f->docs[n].from <= t->words;
}

struct near_file *near_file_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct near_file *f = xcalloc(1, sizeof *f);
    f->fd = fd;
    f->held = xmalloc(HELD * sizeof *f->held);
    if (!read_trailer(f) || !read_tables(f)) {
        near_file_close(&f);
        return NULL;
    }
    f->below = (struct near_below){
        .docs = f->docs, .n = (size_t)f->t.n, .live = (size_t)f->t.n,
        .ctx = f, .list = find_list, .postings = read_postings,
        .words = read_words};
    for (size_t i = 0; i < NEAR_GROUPS; i++)
        f->below.groups[i] = f->t.groups[i];
    return f;
}

void near_file_close(struct near_file **f)
{
    if (!*f)
        return;
    close((*f)->fd);
    free((*f)->docs);
    free((*f)->buckets);
    free((*f)->sums);
    free((*f)->held);
    free((*f)->scratch);
    free(*f);
    *f = NULL;
}

const struct near_cover *near_file_cover(const struct near_file *f)
{
    return &f->t.cover;
}

const struct near_below *near_file_below(const struct near_file *f)
{
    return &f->below;
}

void near_file_keep(struct near_file *f, const uint64_t *bits)
{
    for (size_t i = 0; i < f->below.n; i++) {
        if (bits[i / 64] >> (i % 64) & 1)
            continue;
        f->below.live -= f->docs[i].key != 0;
        f->docs[i].key = 0;
    }
}

/* Seeds first, each kind by its ids. */
static int64_t rank_of(int64_t key)
{
    return key < 0 ? -key - ((int64_t)1 << 62) : key;
}

bool near_file_find(const struct near_file *f, int64_t key, size_t *number)
{
    size_t low = 0, high = f->below.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (rank_of(f->docs[mid].key) < rank_of(key))
            low = mid + 1;
        else
            high = mid;
    }
    *number = low;
    return low < f->below.n && f->docs[low].key == key;
}

/* ---- Writing ------------------------------------------------------------
 *
 * Prompts come one by one; what goes into the lists is put by bucket into a
 * second file, which has no name, in chunks that know the one before. At the
 * end each bucket is read, sorted and written.
 */

struct pair {
    uint64_t term, posting;
};

struct chunk {
    uint64_t before; /* its place, from 1; 0: the first */
    uint64_t n;
    struct pair at[PAIRS];
};

struct near_writer {
    char *path, *new;
    int fd, aside;
    bool failed;
    uint64_t at; /* written so far */
    unsigned char block[BLOCK];
    VEC(uint64_t) sums;
    struct chunk *open; /* the last of each bucket */
    uint64_t chunks;    /* that are put aside */
    VEC(struct near_doc) docs;
    struct trailer t;
    struct bucket buckets[BUCKETS];
};

static void put(struct near_writer *w, const void *p, size_t n)
{
    const unsigned char *from = p;
    while (n) {
        size_t at = (size_t)(w->at % BLOCK), part = BLOCK - at;
        part = part < n ? part : n;
        memcpy(w->block + at, from, part);
        from += part;
        w->at += part;
        n -= part;
        if (w->at % BLOCK)
            continue;
        uint64_t sum = checksum(w->block, BLOCK, w->sums.n);
        VEC_PUSH(&w->sums, sum);
        w->failed = w->failed || !fd_write_all(w->fd, w->block, BLOCK);
    }
}

/* Zeros up to the next multiple. */
static void pad(struct near_writer *w, size_t to)
{
    static const unsigned char zeros[BLOCK];
    size_t over = (size_t)(w->at % to);
    if (over)
        put(w, zeros, to - over);
}

static void put_aside(struct near_writer *w, struct chunk *c)
{
    w->failed = w->failed || !fd_write_all(w->aside, c, sizeof *c);
    c->before = ++w->chunks;
    c->n = 0;
}

static void free_writer(struct near_writer **w)
{
    if ((*w)->fd >= 0) {
        close((*w)->fd);
        unlink((*w)->new);
    }
    if ((*w)->aside >= 0)
        close((*w)->aside);
    VEC_FREE(&(*w)->sums);
    VEC_FREE(&(*w)->docs);
    free((*w)->open);
    free((*w)->path);
    free((*w)->new);
    free(*w);
    *w = NULL;
}

static int open_new(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                0600);
}

struct near_writer *near_write_begin(const char *path, struct err *e)
{
    struct near_writer *w = xcalloc(1, sizeof *w);
    w->path = xstrdup(path);
    w->new = xasprintf("%s.%ld", path, (long)getpid());
    w->open = xcalloc(BUCKETS, sizeof *w->open);
    w->fd = -1;
    unlink(w->new); /* of one that had our number */
    w->aside = open_new(w->new);
    if (w->aside >= 0) {
        unlink(w->new);
        w->fd = open_new(w->new);
    }
    if (w->fd < 0) {
        err_sys(e, "%s", w->new);
        free_writer(&w);
    }
    return w;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void post(struct near_writer *w, uint64_t term, uint32_t posting)
{
    struct chunk *c = &w->open[BUCKET_OF(term)];
    c->at[c->n++] = (struct pair){term, posting};
    if (c->n == PAIRS)
        put_aside(w, c);
}

void near_write(struct near_writer *w, int64_t key, const char *text)
{
    uint64_t *words = xmalloc(ROUGE_WORDS * sizeof *words);
    size_t n = uni_words(text, words, ROUGE_WORDS), group = near_group(n);
    struct near_doc d = {key, w->t.words};
    put(w, words, n * sizeof *words);
    w->t.words += n;
    w->t.groups[group] = 1;
    if (n)
        qsort(words, n, sizeof *words, by_number);
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i; k < n && words[k] == words[i]; k++)
            ;
        size_t count = k - i < NEAR_MANY ? k - i : NEAR_MANY;
        post(w, near_term(words[i], group),
             NEAR_POSTING(w->docs.n, count));
    }
    VEC_PUSH(&w->docs, d);
    free(words);
}

static int by_term(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->term != y->term)
        return x->term < y->term ? -1 : 1;
    return x->posting < y->posting ? -1 : x->posting > y->posting;
}

typedef VEC(struct pair) pairs;

/* All of a bucket, sorted. */
static void gather(struct near_writer *w, size_t bucket, pairs *out)
{
    struct chunk c = w->open[bucket];
    out->n = 0;
    for (;;) {
        for (size_t i = 0; i < c.n; i++)
            VEC_PUSH(out, c.at[i]);
        if (!c.before || w->failed)
            break;
        w->failed = !read_all(w->aside, &c, sizeof c,
                              (c.before - 1) * sizeof c);
    }
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_term);
}

/* Its terms, then their lists. */
static void put_bucket(struct near_writer *w, size_t bucket, pairs *all)
{
    gather(w, bucket, all);
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++)
        n += !i || all->at[i].term != all->at[i - 1].term;
    pad(w, sizeof(uint64_t));
    w->buckets[bucket] = (struct bucket){w->at, n};
    uint64_t lists = w->at + (n + 1) * sizeof(struct entry);
    for (size_t i = 0; i < all->n; i++) {
        struct entry x = {all->at[i].term, lists + i * sizeof(uint32_t)};
        if (!i || x.term != all->at[i - 1].term)
            put(w, &x, sizeof x);
    }
    struct entry end = {UINT64_MAX, lists + all->n * sizeof(uint32_t)};
    put(w, &end, sizeof end);
    for (size_t i = 0; i < all->n; i++) {
        uint32_t posting = (uint32_t)all->at[i].posting;
        put(w, &posting, sizeof posting);
    }
}

static void put_tables(struct near_writer *w)
{
    struct near_doc end = {0, w->t.words};
    pairs all = {0};
    w->t.n = w->docs.n;
    VEC_PUSH(&w->docs, end);
    w->t.docs = w->at;
    put(w, w->docs.at, w->docs.n * sizeof *w->docs.at);
    for (size_t i = 0; i < BUCKETS && !w->failed; i++)
        put_bucket(w, i, &all);
    VEC_FREE(&all);
    pad(w, sizeof(uint64_t));
    w->t.buckets = w->at;
    put(w, w->buckets, sizeof w->buckets);
    pad(w, BLOCK);
}

bool near_write_end(struct near_writer **at, const struct near_cover *cover,
                    struct err *e)
{
    struct near_writer *w = *at;
    bool ok = cover != NULL;
    if (ok) {
        put_tables(w);
        size_t n = w->sums.n * sizeof *w->sums.at;
        memcpy(w->t.magic, magic, sizeof magic);
        w->t.cover = *cover;
        w->t.blocks = w->sums.n;
        w->t.sums = checksum(w->sums.at, n, 0);
        w->t.sum = checksum(&w->t, offsetof(struct trailer, sum), 0);
        ok = !w->failed && fd_write_all(w->fd, w->sums.at, n) &&
             fd_write_all(w->fd, &w->t, sizeof w->t) &&
             rename(w->new, w->path) == 0;
        if (!ok)
            err_sys(e, "%s", w->new);
    }
    free_writer(at);
    return ok;
}
