#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts an incomplete UTF-8 sequence off the end of a clipped text. */
static void trim_partial(char *s, size_t cap)
{
    size_t n = strlen(s);
    if (n + 1 < cap)
        return;
    while (n > 0 && ((unsigned char)s[n - 1] & 0xc0) == 0x80)
        n--;
    if (n > 0 && (unsigned char)s[n - 1] >= 0xc0)
        n--;
    s[n] = '\0';
}

bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    if (!e)
        return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    trim_partial(e->text, sizeof e->text);
    e->code = code;
    return false;
}

bool err_sys(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    if (!e)
        return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    size_t n = strlen(e->text);
    snprintf(e->text + n, sizeof e->text - n, ": %s", strerror(saved));
    trim_partial(e->text, sizeof e->text);
    e->code = ERR_SYSTEM;
    return false;
}

bool err_in(struct err *e, const char *fmt, ...)
{
    if (!e)
        return false;
    char was[sizeof e->text];
    memcpy(was, e->text, sizeof was);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    size_t n = strlen(e->text);
    snprintf(e->text + n, sizeof e->text - n, ": %s", was);
    trim_partial(e->text, sizeof e->text);
    return false;
}

int err_exit(const struct err *e)
{
    if (e->code == ERR_NONE)
        return 0;
    return e->code == ERR_USAGE ? 2 : 1;
}
