#include "verbs/since.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "store/export.h"

struct old_rows {
    const bool *shapes;
    VEC(struct export_member) at;
};

static void keep_old(void *ctx, const struct member *m)
{
    struct old_rows *old = ctx;
    struct export_member x = {.split = (enum split)m->split, .row = m->row,
                              .sample = m->sample,
                              .candidate = m->candidate};
    if (!shape_parse(m->shape, &x.shape) || !old->shapes[x.shape])
        return;
    memcpy(x.hash, m->hash, sizeof x.hash);
    VEC_PUSH(&old->at, x);
}

/* By shape and sample. */
static int compare_place(const struct export_member *a,
                         const struct export_member *b)
{
    if (a->shape != b->shape)
        return a->shape < b->shape ? -1 : 1;
    return a->sample < b->sample ? -1 : a->sample > b->sample;
}

static int compare_members(const void *x, const void *y)
{
    const struct export_member *a = x, *b = y;
    int by_place = compare_place(a, b);
    return by_place ? by_place : memcmp(a->hash, b->hash, sizeof a->hash);
}

/* Both lists sorted. Rows of one shape and sample that have no equal on the
 * other side count as changed as far as they go in pairs. */
static void compare_rows(const struct export_member *a, size_t n,
                         const struct export_member *b, size_t m,
                         struct export_since *out)
{
    size_t i = 0, k = 0;
    while (i < n || k < m) {
        const struct export_member *at =
            k == m || (i < n && compare_place(&a[i], &b[k]) < 0) ? &a[i]
                                                                 : &b[k];
        int64_t gone = 0, fresh = 0;
        while ((i < n && !compare_place(&a[i], at)) ||
               (k < m && !compare_place(&b[k], at))) {
            bool left = i < n && !compare_place(&a[i], at);
            bool right = k < m && !compare_place(&b[k], at);
            int c = !left ? 1 : !right ? -1 : compare_members(&a[i], &b[k]);
            gone += c < 0;
            fresh += c > 0;
            i += c <= 0;
            k += c >= 0;
        }
        int64_t both = gone < fresh ? gone : fresh;
        out->changed += both;
        out->gone += gone - both;
        out->fresh += fresh - both;
    }
}

/* The export that is compared with: the one asked for, else the newest. */
static bool find_since(struct store *s, int64_t target, int64_t since,
                       struct export *last, struct err *e)
{
    int64_t id = since ? since : export_last(s, target, 0);
    *last = (struct export){0};
    if (!id)
        return true;
    if (!export_get(s, id, last, e))
        return false;
    return last->target == target ||
           err_set(e, ERR_INPUT, _("x%lld is an export of another target"),
                   (long long)id);
}

bool since_look(struct store *s, int64_t target, int64_t since,
                const bool shapes[SHAPE_COUNT], const struct export_report *r,
                struct export_since *out, struct err *e)
{
    struct export last;
    struct old_rows old = {.shapes = shapes};
    bool ok = find_since(s, target, since, &last, e);
    *out = (struct export_since){.id = last.id, .as_of = last.as_of,
                                 .at = last.at};
    export_free(&last);
    if (!ok || !out->id)
        return ok;
    out->before = export_last(s, target, out->id);
    ok = export_members(s, out->id, keep_old, &old, e);
    size_t n = r->members.n;
    struct export_member *now = xcalloc(n + 1, sizeof *now);
    if (n)
        memcpy(now, r->members.at, n * sizeof *now);
    qsort(now, n, sizeof *now, compare_members);
    if (old.at.n)
        qsort(old.at.at, old.at.n, sizeof *old.at.at, compare_members);
    compare_rows(old.at.at, old.at.n, now, n, out);
    free(now);
    VEC_FREE(&old.at);
    return ok;
}
