#include "model/cmd/opts.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"

static int help(const struct opts *o)
{
    int wide = 20;
    printf("%s %s\n\n", _("Usage: stillroom-model"), _(o->usage));
    for (const struct opt *p = o->at; p->name; p++) {
        int n = (int)(strlen(p->name) + (p->arg ? 1 + strlen(p->arg) : 0));
        wide = n > wide ? n : wide;
    }
    for (const struct opt *p = o->at; p->name; p++) {
        const char *arg = p->arg ? p->arg : "";
        int used = printf("  %s%s%s", p->name, *arg ? " " : "", arg);
        printf("%*s%s\n", wide + 3 - used, "", _(p->help));
    }
    return 0;
}

int opts_wrong(const char *name, const char *sentence)
{
    struct err e;
    err_set(&e, ERR_USAGE, "%s: %s", name, sentence);
    return say_err("stillroom-model", &e);
}

static bool read_int(const char *s, int64_t *out)
{
    char *end;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    *out = v;
    return *s && !*end && !errno && v >= 0;
}

static bool read_num(const char *s, double *out)
{
    char *end;
    *out = strtod(s, &end);
    return *s && !*end && isfinite(*out) && *out >= 0;
}

/* Stores the value that stands behind option p; how many words it took, or
 * -1 where it is not what the option wants. */
static int take(struct opt *p, int left, char **words)
{
    p->given = true;
    if (p->kind == OPT_FLAG) {
        *(bool *)p->to = true;
        return 0;
    }
    if (left < 1)
        return -1;
    if (p->kind == OPT_INT)
        return read_int(words[0], p->to) ? 1 : -1;
    if (p->kind == OPT_NUM)
        return read_num(words[0], p->to) ? 1 : -1;
    if (p->kind == OPT_TEXT) {
        *(const char **)p->to = words[0];
        return 1;
    }
    struct opt_files *f = p->to;
    f->at = words;
    for (f->n = 0; (int)f->n < left && strncmp(words[f->n], "--", 2);)
        f->n++;
    return f->n ? (int)f->n : -1;
}

static struct opt *find(const struct opts *o, const char *name)
{
    for (struct opt *p = o->at; p->name; p++)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}

static int wrong_argument(const char *command, const char *word)
{
    struct err e;
    err_set(&e, ERR_USAGE, _("%s: unexpected argument \"%.80s\""), command,
            word);
    return say_err("stillroom-model", &e);
}

static int wrong_value(const char *command, const char *option)
{
    struct err e;
    err_set(&e, ERR_USAGE, _("%s: %.80s needs a value that it can use; "
                             "--help says which"), command, option);
    return say_err("stillroom-model", &e);
}

int opts_read(struct opts *o, int argc, char **argv)
{
    const char **word = o->word, **second = o->second;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return help(o);
        struct opt *p = find(o, argv[i]);
        if (!p && (!word || (argv[i][0] == '-' && argv[i][1])))
            return wrong_argument(argv[0], argv[i]);
        if (!p) {
            *word = argv[i];
            word = second;
            second = NULL;
            continue;
        }
        int took = take(p, argc - i - 1, argv + i + 1);
        if (took < 0)
            return wrong_value(argv[0], argv[i]);
        i += took;
    }
    if (word && o->second)
        return opts_wrong(argv[0], _("two arguments are needed; --help shows "
                                     "which"));
    if (word)
        return opts_wrong(argv[0], _("no folder named; --help shows how"));
    return -1;
}
