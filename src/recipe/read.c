#include "recipe/read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"

bool word_among(const char *word, const char *list)
{
    size_t n = strlen(word);
    for (const char *at = list; n && (at = strstr(at, word)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

bool word_next(const char **list, char *out, size_t cap)
{
    const char *at = *list + strspn(*list, " ");
    size_t n = strcspn(at, " ");
    snprintf(out, cap, "%.*s", (int)n, at);
    *list = at + n;
    return n > 0;
}

bool read_keys(const json *j, const char *keys, struct err *e)
{
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("not an object"));
    for (const json *m = json_first(j); m; m = json_next(m))
        if (!word_among(json_key(m), keys) || strchr(json_key(m), ' '))
            return err_set(e, ERR_INPUT, _("unknown key \"%.40s\""),
                           json_key(m));
    return true;
}

static bool read_lines(const json *v, struct buf *out)
{
    for (const json *l = json_first(v); l; l = json_next(l)) {
        if (!json_is_string(l))
            return false;
        if (l != json_first(v))
            buf_putc(out, '\n');
        buf_puts(out, json_string(l));
    }
    return true;
}

bool read_text(const json *j, const char *key, bool must, char **out,
               struct err *e)
{
    const json *v = json_get(j, key);
    if (!v)
        return !must || err_set(e, ERR_INPUT, _("%s is missing"), key);
    struct buf b = BUF_INIT(0);
    bool ok = json_is_string(v) ? buf_puts(&b, json_string(v))
                                : json_is_array(v) && read_lines(v, &b);
    if (ok)
        *out = buf_take(&b);
    buf_free(&b);
    return ok || err_set(e, ERR_INPUT,
                         _("%s: expected a text or a list of lines"), key);
}

bool read_number(const json *j, const char *key, double lo, double hi,
                 double *out, struct err *e)
{
    const json *v = json_get(j, key);
    if (!v)
        return true;
    double x = json_number(v, NAN);
    if (!(x >= lo && x <= hi))
        return err_set(e, ERR_INPUT, _("%s: expected a number from %g to %g"),
                       key, lo, hi);
    *out = x;
    return true;
}

bool read_whole(const json *j, const char *key, double lo, double hi,
                int *out, struct err *e)
{
    double x = *out;
    if (!read_number(j, key, lo, hi, &x, e))
        return false;
    if (x != floor(x))
        return err_set(e, ERR_INPUT, _("%s: expected a whole number"), key);
    *out = (int)x;
    return true;
}

bool read_bool(const json *j, const char *key, bool *out, struct err *e)
{
    const json *v = json_get(j, key);
    if (v && !json_is_bool(v))
        return err_set(e, ERR_INPUT, _("%s: expected true or false"), key);
    *out = json_get_bool(j, key, *out);
    return true;
}

bool read_choice(const json *j, const char *key, const char *const *names,
                 size_t n, int *out, struct err *e)
{
    const char *s = json_get_string(j, key, NULL);
    struct buf b = BUF_INIT(400);
    for (size_t i = 0; i < n; i++) {
        if (s && !strcmp(s, names[i])) {
            *out = (int)i;
            buf_free(&b);
            return true;
        }
        buf_printf(&b, i ? ", %s" : "%s", names[i]);
    }
    err_set(e, ERR_INPUT, _("%s: expected one of %s"), key, buf_str(&b));
    buf_free(&b);
    return false;
}
