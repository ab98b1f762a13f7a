#include "store/ids.h"

#include <stdlib.h>

void ids_print(const ids *list, struct buf *out)
{
    for (size_t i = 0; i < list->n;) {
        size_t k = i;
        while (k + 1 < list->n && list->at[k + 1] == list->at[k] + 1)
            k++;
        buf_printf(out, "%s%lld", i ? "," : "", (long long)list->at[i]);
        if (k > i)
            buf_printf(out, "-%lld", (long long)list->at[k]);
        i = k + 1;
    }
}

/* One id, with its letter where it has one; 0 where it is none. */
static int64_t one(const char **text, char letter)
{
    const char *from = *text + (letter && **text == letter);
    char *end;
    int64_t id = *from >= '0' && *from <= '9' ? strtoll(from, &end, 10) : 0;
    if (id > 0)
        *text = end;
    return id;
}

bool ids_parse(const char *text, char letter, ids *out)
{
    while (*text) {
        int64_t from = one(&text, letter), to = from;
        if (*text == '-' && from) {
            text++;
            to = one(&text, letter);
        }
        if (!from || to < from || to - from >= IDS_MOST ||
            (*text && *text != ','))
            return false;
        for (int64_t k = 0; k <= to - from; k++)
            VEC_PUSH(out, from + k);
        text += *text == ',';
        while (*text == ' ')
            text++;
    }
    return true;
}
