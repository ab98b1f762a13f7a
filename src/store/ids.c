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

bool ids_parse(const char *text, ids *out)
{
    while (*text) {
        char *end;
        int64_t from = strtoll(text, &end, 10), to = from;
        if (end == text || from < 1)
            return false;
        if (*end == '-')
            to = strtoll(text = end + 1, &end, 10);
        if (end == text || to < from || to - from > IDS_MOST)
            return false;
        for (; from <= to; from++)
            VEC_PUSH(out, from);
        if (*end && *end != ',')
            return false;
        text = end + (*end == ',');
    }
    return true;
}
