#include "model/builtin/operations.h"

#include <string.h>

#include "base/mem.h"

const struct operation *operation_find(const char *name)
{
    static const struct operation *const all[] = {
        &op_extraction, &op_toolcall, &op_letters, &op_units,
        &op_filter,     &op_sort,     &op_dates,   &op_twostep};
    for (size_t i = 0; i < COUNT(all); i++)
        if (!strcmp(all[i]->name, name))
            return all[i];
    return NULL;
}

int draw_between(struct rng *r, int lo, int hi)
{
    return lo + (int)rng_below(r, (uint64_t)(hi - lo + 1));
}

int draw_range(const struct problem *p, struct rng *r, int i)
{
    return draw_between(r, p->family->lo[i], p->family->hi[i]);
}

bool in_range(const struct problem *p, int i, int value)
{
    return value >= p->family->lo[i] && value <= p->family->hi[i];
}

int draw_word(const struct problem *p, struct rng *r, int list)
{
    return (int)rng_below(r, word_count(p->family, p->lang, list));
}

size_t word_count(const struct family *f, size_t lang, int list)
{
    return f->lang[lang].lists[list].n;
}

bool take_number(const char **s, int *out)
{
    size_t n = strspn(*s, "0123456789");
    if (!n || n > 6 || (**s == '0' && n > 1))
        return false;
    *out = 0;
    for (size_t i = 0; i < n; i++)
        *out = *out * 10 + ((*s)[i] - '0');
    *s += n;
    return true;
}

bool read_whole_number(const char *s, int *out)
{
    return take_number(&s, out) && !*s;
}

bool take_text(const char **s, const char *text)
{
    size_t n = strlen(text);
    if (strncmp(*s, text, n))
        return false;
    *s += n;
    return true;
}
