/* The one place that walks a row and counts what no reader took. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "formats/format.h"

#define OTHERS "..."

static bool count(struct unread *u, const char *path)
{
    size_t i = 0;
    while (i < u->keys.n && strcmp(u->keys.at[i].path, path))
        i++;
    if (i == u->keys.n && i == UNREAD_NAMES)
        return count(u, OTHERS);
    if (i == u->keys.n) {
        struct unread_key k = {xstrdup(path), 0, 0};
        VEC_PUSH(&u->keys, k);
    }
    struct unread_key *k = &u->keys.at[i];
    if (k->last == u->rows)
        return false;
    k->last = u->rows;
    k->rows++;
    return true;
}

/* Counts below a value that was read itself; `path` is its own. */
static size_t walk(struct unread *u, const json *v, struct buf *path)
{
    size_t n = 0, len = path->len;
    bool members = json_is_object(v);
    for (const json *c = json_first(v); c; c = json_next(c)) {
        if (members)
            buf_printf(path, "%s%s", len ? "." : "", json_key(c));
        if (!json_is_taken(c))
            n += !json_is_null(c) && count(u, buf_str(path));
        else if (!json_is_whole(c))
            n += walk(u, c, path);
        buf_drop(path, path->len - len);
    }
    return n;
}

size_t unread_add(struct unread *u, const json *row)
{
    struct buf path = BUF_INIT((size_t)1 << 20);
    u->rows++;
    size_t n = json_is_whole(row) ? 0 : walk(u, row, &path);
    buf_free(&path);
    return n;
}

/* ---- What was read in vain ---------------------------------------------- */

static bool differ(const char *mine, const char *other)
{
    return mine && (!other || strcmp(mine, other));
}

unsigned prompt_parts(const struct chat *mine, const struct chat *other)
{
    unsigned parts = 0;
    for (size_t i = 0; i < mine->n && i < other->n; i++) {
        const struct message *a = &mine->at[i], *b = &other->at[i];
        parts |= (a->masked != b->masked ? PART_MARK : 0) |
                 (differ(a->tool_call_id, b->tool_call_id) ? PART_CALL_ID
                                                           : 0) |
                 (differ(a->name, b->name) ? PART_NAME : 0) |
                 (differ(a->reasoning, b->reasoning) ? PART_THOUGHT : 0);
    }
    return parts;
}

static const struct {
    unsigned part;
    const char *key;
} part_keys[] = {{PART_MARK, "train"},        {PART_MARK, "training"},
                 {PART_MARK, "trainable"},    {PART_MARK, "weight"},
                 {PART_MARK, "loss"},         {PART_MARK, "loss_weight"},
                 {PART_CALL_ID, "tool_call_id"}, {PART_NAME, "name"},
                 {PART_THOUGHT, "reasoning_content"},
                 {PART_THOUGHT, "reasoning"}, {PART_THOUGHT, "thinking"}};

/* Whether a value holds one of the parts: by its key, or thinking in a text. */
static bool is_part(const json *v, bool member, unsigned parts)
{
    const char *text = json_string(v);
    for (size_t i = 0; member && i < COUNT(part_keys); i++)
        if (part_keys[i].part & parts && !strcmp(json_key(v),
                                                 part_keys[i].key))
            return true;
    return parts & PART_THOUGHT && text && strstr(text, "</think>");
}

static void unread_below(const json *v, unsigned parts)
{
    for (const json *c = json_first(v); c && !json_is_whole(v);
         c = json_next(c)) {
        if (json_is_taken(c) && is_part(c, json_is_object(v), parts))
            json_untake(c);
        else
            unread_below(c, parts);
    }
}

void item_unread(const struct item *x, unsigned parts)
{
    for (const json *c = parts ? json_first(x->row) : NULL; c;
         c = json_next(c)) {
        if (is_part(c, false, parts))
            json_untake(c);
        else
            unread_below(c, parts);
    }
}

/* ---- What is shown ------------------------------------------------------ */

static int most_first(const void *a, const void *b)
{
    const struct unread_key *x = a, *y = b;
    if (x->rows != y->rows)
        return x->rows < y->rows ? 1 : -1;
    return strcmp(x->path, y->path);
}

/* The keys in the order in which they are shown; the caller frees. */
static struct unread_key *sorted(const struct unread *u)
{
    struct unread_key *k = xmalloc((u->keys.n + 1) * sizeof *k);
    if (u->keys.n)
        memcpy(k, u->keys.at, u->keys.n * sizeof *k);
    qsort(k, u->keys.n, sizeof *k, most_first);
    return k;
}

char *unread_list(const struct unread *u, size_t max)
{
    struct buf b = BUF_INIT(0);
    if (!u->keys.n)
        return NULL;
    struct unread_key *k = sorted(u);
    size_t n = u->keys.n < max ? u->keys.n : max;
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%s %llu", i ? ", " : "", k[i].path,
                   (unsigned long long)k[i].rows);
    if (u->keys.n > n)
        buf_printf(&b, _(", and %zu more"), u->keys.n - n);
    free(k);
    return buf_take(&b);
}

void unread_print(const struct unread *u, struct jw *w)
{
    struct unread_key *k = sorted(u);
    jw_open(w, '{');
    for (size_t i = 0; i < u->keys.n; i++)
        jw_kint(w, k[i].path, (int64_t)k[i].rows);
    jw_close(w);
    free(k);
}

void unread_free(struct unread *u)
{
    for (size_t i = 0; i < u->keys.n; i++)
        free(u->keys.at[i].path);
    VEC_FREE(&u->keys);
    u->rows = 0;
}
