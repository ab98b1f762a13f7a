/* The reasons that `x` offers: the shipped ones, then what people gave as a
 * reason in this store, most often given first. */
#include <stdio.h>
#include <string.h>

#include "app/app.h"

#define OWN_MOST 20

bool reason_at(const struct app *a, size_t i, struct reason *out)
{
    size_t n;
    const struct reason *shipped = reasons(&n);
    if (i < n) {
        *out = shipped[i];
        return true;
    }
    if (i - n >= a->review.own.n)
        return false;
    const struct own_reason *own = &a->review.own.at[i - n];
    *out = (struct reason){own->key, own->name, own->name, false};
    return true;
}

static bool is_offered(const struct app *a, const char *name, char key)
{
    struct reason r;
    for (size_t i = 0; reason_at(a, i, &r); i++)
        if (r.key == key || (name && !strcmp(r.name, name)))
            return true;
    return false;
}

/* x is no reason, q leaves. */
static char free_key(const struct app *a, const char *name)
{
    for (const char *p = name; *p; p++)
        if (*p >= 'a' && *p <= 'z' && *p != 'x' && *p != 'q' &&
            !is_offered(a, NULL, *p))
            return *p;
    return '\0';
}

void reasons_learn(struct app *a, const char *name)
{
    struct own_reason own = {.key = free_key(a, name)};
    if (!*name || !own.key || a->review.own.n == OWN_MOST ||
        is_offered(a, name, '\0') || reason_is_of_all(name))
        return;
    snprintf(own.name, sizeof own.name, "%s", name);
    VEC_PUSH(&a->review.own, own);
}

void reasons_read(struct app *a)
{
    char names[OWN_MOST][REASON_BYTES];
    if (a->review.own_read)
        return;
    a->review.own_read = true;
    size_t n = journal_reasons(a->s, names, OWN_MOST);
    for (size_t i = 0; i < n; i++)
        reasons_learn(a, names[i]);
}
