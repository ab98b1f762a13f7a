#include "teacher/retry.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool retry_status(int http)
{
    static const int again[] = {408, 409, 425, 429, 500, 502, 503, 504, 529};
    for (size_t i = 0; i < COUNT(again); i++)
        if (again[i] == http)
            return true;
    return false;
}

static int64_t clamp(double ms)
{
    if (!(ms > 0))
        return 0;
    return ms > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (int64_t)ms;
}

int64_t retry_after(const char *value, int64_t now_ms)
{
    value += strspn(value, " \t");
    size_t digits = strspn(value, "0123456789.");
    if (digits && !value[digits + strspn(value + digits, " \t")])
        return clamp(strtod(value, NULL) * 1000);
    if (!isalpha((unsigned char)*value) || !strchr(value, ':'))
        return 0;
    time_t date = curl_getdate(value, NULL);
    return date < 0 ? 0 : clamp((double)date * 1000 - (double)now_ms);
}

int64_t retry_wait(struct rng *r, int n)
{
    int64_t top = n < 6 ? (int64_t)1000 << n : 60000;
    return 1000 + (int64_t)rng_below(r, (uint64_t)(top - 1000) + 1);
}
