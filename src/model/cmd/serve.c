/* `serve`: a teacher that answers chat completions on this machine. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"
#include "base/sig.h"
#include "model/cmd/cmd.h"
#include "model/cmd/folder.h"
#include "model/cmd/opts.h"
#include "model/net/adapter.h"
#include "model/serve/server.h"

/* Waits for a signal that ends us. */
static void wait_for_end(void)
{
    struct pollfd p = {sig_fd(), POLLIN, 0};
    while (!sig_next())
        poll(&p, 1, -1);
}

static int run(const char *where, const char *key, const struct answerer *a,
               struct err *e)
{
    sig_catch(SIGTERM); /* before a socket is made that it must remove */
    sig_catch(SIGINT);
    sig_catch(SIGHUP);
    struct server *s = serve_start(where, key, &limits_usual, a, e);
    if (!s)
        return say_err("stillroom-model", e);
    printf("listening on %s\n", server_address(s));
    fflush(stdout);
    wait_for_end();
    serve_stop(&s);
    return 0;
}

/* The last name of a path, which may end with a slash; of RUN/adapter that of
 * the run. The caller frees. */
static char *name_of(const char *dir)
{
    char *path = realpath(dir, NULL), *slash = path ? strrchr(path, '/') : NULL;
    if (slash && slash > path && !strcmp(slash, "/adapter")) {
        *slash = '\0';
        slash = strrchr(path, '/');
    }
    char *name = xstrdup(slash ? slash + 1 : dir);
    free(path);
    return name;
}

/* "NAME=DIR": where the folder begins; else DIR itself. */
static const char *folder_of(const char *word)
{
    const char *sign = file_exists(word) ? NULL : strchr(word, '=');
    size_t n = sign ? (size_t)(sign - word) : 0;
    return n && !memchr(word, '/', n) ? sign + 1 : word;
}

/* The one line of a file that nobody else can read; the caller frees. */
static char *read_key(const char *path, struct err *e)
{
    enum { SHORTEST = 8, LONGEST = 4096 };
    struct buf b = BUF_INIT(LONGEST);
    bool ok = file_is_secret(path, e) && file_read(path, LONGEST, &b, e);
    while (b.len && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == '\r'))
        b.data[--b.len] = '\0';
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] <= ' ' || b.data[i] > '~')
            b.len = 0;
    if (ok && b.len >= SHORTEST)
        return buf_take(&b);
    if (ok)
        err_set(e, ERR_INPUT, _("%s: expected one line of %d printable "
                                "characters or more, without blanks"), path,
                SHORTEST);
    buf_free(&b);
    return NULL;
}

enum { ADAPTERS = 16 };

struct loaded {
    struct named_model at[ADAPTERS + 1];
    size_t n;
    struct tokenizer *t;
};

/* The student in a folder, and behind it its adapters, each under its
 * folder's name or the one that is given. */
static bool add_model(struct loaded *x, const char *word, struct err *e)
{
    struct named_model *m = &x->at[x->n];
    const char *dir = x->n ? folder_of(word) : word;
    *m = (struct named_model){
        .name = dir == word ? name_of(dir)
                            : xstrndup(word, (size_t)(dir - word) - 1)};
    for (size_t i = 0; i < x->n; i++)
        if (!strcmp(x->at[i].name, m->name)) {
            free((char *)(uintptr_t)m->name);
            return err_set(e, ERR_USAGE, _("two models would be named by "
                                           "%.200s"), dir);
        }
    if (!x->n)
        folder_load(dir, NULL, &m->m, &x->t, e);
    else
        m->m = adapter_view(x->at[0].m, dir, e);
    if (m->m && x->n)
        folder_warn_adapter(dir);
    if (!m->m)
        free((char *)(uintptr_t)m->name);
    x->n += m->m != NULL;
    return m->m != NULL;
}

static struct answerer *student(const char *dir, const struct opt_files *files,
                                struct err *e)
{
    struct loaded x = {0};
    struct answerer *a = NULL;
    bool ok = files->n <= ADAPTERS ||
              err_set(e, ERR_USAGE, _("more than %d adapters"), ADAPTERS);
    ok = ok && add_model(&x, dir, e);
    for (size_t i = 0; ok && i < files->n; i++)
        ok = add_model(&x, files->at[i], e);
    if (ok && !(a = model_answerer(x.at, x.n, x.t, e)))
        err_in(e, "%s", dir);
    for (size_t i = x.n; i-- > 0;) {
        if (!ok)
            llama_free(&x.at[i].m);
        free((char *)(uintptr_t)x.at[i].name);
    }
    if (!ok)
        tokenizer_free(&x.t);
    return a;
}

int cmd_serve(int argc, char **argv)
{
    const char *what = NULL, *where = "127.0.0.1:0", *recipes = NULL;
    const char *key_file = NULL;
    struct opt_files adapters = {0};
    double wrong = .7, slips = .05, judge = .9;
    int64_t seed = 1;
    struct err e = {0};
    struct opt table[] = {
        {"--listen", OPT_TEXT, &where, "ADDRESS",
         N_("127.0.0.1:PORT, [::1]:PORT or unix:PATH; port 0 takes a free "
            "one"), false},
        {"--key-file", OPT_TEXT, &key_file, "FILE",
         N_("answer only who sends this key; --listen may then be any "
            "address"), false},
        {"--adapter", OPT_FILES, &adapters, "[NAME=]DIR...",
         N_("LoRA adapters, each a model of its own beside the student"),
         false},
        {"--recipes", OPT_TEXT, &recipes, "DIR",
         N_("where the recipes of Stillroom-Step are"), false},
        {"--seed", OPT_INT, &seed, "N",
         N_("another seed poses other problems"), false},
        {"--wrong", OPT_NUM, &wrong, "P",
         N_("how often the built-in teacher errs on a trigger"), false},
        {"--slips", OPT_NUM, &slips, "P",
         N_("how often it slips elsewhere"), false},
        {"--judge", OPT_NUM, &judge, "P",
         N_("how often its verdict on an answer is right"), false},
        {NULL, OPT_FLAG, NULL, NULL, NULL, false}};
    struct opts o = {N_("serve builtin|DIR [--listen ADDRESS] ..."), table,
                     &what, NULL};
    int code = opts_read(&o, argc, argv);
    if (code >= 0)
        return code;
    if (wrong > 1 || slips > 1 || judge > 1)
        return opts_wrong("serve", _("--wrong, --slips and --judge are "
                                     "probabilities from 0 to 1"));
    struct answerer *a =
        strcmp(what, "builtin")
            ? student(what, &adapters, &e)
            : builtin_answerer(recipes, (uint64_t)seed, wrong, slips, judge,
                               &e);
    char *key = a && key_file ? read_key(key_file, &e) : NULL;
    code = a && (key || !key_file) ? run(where, key, a, &e)
                                   : say_err("stillroom-model", &e);
    free(key);
    answerer_free(&a);
    return code;
}
