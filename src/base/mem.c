#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static struct {
    last_act *fn;
    void *ctx;
} acts[LAST_ACTS];
static size_t n_acts;

void last_act_add(last_act *fn, void *ctx)
{
    last_act_remove(ctx);
    if (n_acts == LAST_ACTS)
        return;
    acts[n_acts].fn = fn;
    acts[n_acts++].ctx = ctx;
}

void last_act_remove(const void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < n_acts; i++)
        if (acts[i].ctx != ctx)
            acts[kept++] = acts[i];
    n_acts = kept;
}

void last_acts(const char *why)
{
    while (n_acts) {
        n_acts--;
        acts[n_acts].fn(acts[n_acts].ctx, why);
    }
}

void die(const char *text)
{
    last_acts(text);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
    _exit(1);
}

void *xmalloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        die("out of memory");
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        die("out of memory");
    return p;
}

void *xrealloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        die("out of memory");
    return q;
}

char *xstrndup(const char *s, size_t n)
{
    char *p = xmalloc(n + 1);
    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *xasprintf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0)
        die("out of memory");
    return s;
}

void *vec_grow(void *at, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : 8;
    if (more > SIZE_MAX / size)
        die("out of memory");
    *cap = more;
    return xrealloc(at, more * size);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

void sort_ids(int64_t *at, size_t n)
{
    if (n)
        qsort(at, n, sizeof *at, by_value);
}

size_t sorted_place(const int64_t *at, size_t n, int64_t id)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (at[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}
