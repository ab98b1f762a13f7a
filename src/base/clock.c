#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/lang.h"

int64_t clock_now(void)
{
    const char *frozen = getenv("STILLROOM_NOW");
    if (frozen && *frozen)
        return strtoll(frozen, NULL, 10) * 1000;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void clock_sleep(int ms)
{
    struct timespec ts = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&ts, NULL);
}

char *clock_format(char *out, size_t cap, int64_t ms, int day_only)
{
    static const char *const months[] = {
        N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
        N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec")};
    time_t t = (time_t)(ms / 1000);
    struct tm tm;
    if (!localtime_r(&t, &tm)) {
        snprintf(out, cap, "?");
        return out;
    }
    if (day_only)
        snprintf(out, cap, "%d %s", tm.tm_mday, _(months[tm.tm_mon]));
    else
        snprintf(out, cap, "%d %s %02d:%02d", tm.tm_mday,
                 _(months[tm.tm_mon]), tm.tm_hour, tm.tm_min);
    return out;
}
