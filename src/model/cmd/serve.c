/* `serve`: a teacher that answers chat completions on this machine. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/say.h"
#include "base/sig.h"
#include "model/cmd/cmd.h"
#include "model/cmd/folder.h"
#include "model/cmd/opts.h"
#include "model/serve/server.h"

/* Waits for a signal that ends us. */
static void wait_for_end(void)
{
    struct pollfd p = {sig_fd(), POLLIN, 0};
    while (!sig_next())
        poll(&p, 1, -1);
}

static int run(const char *where, const struct answerer *a, struct err *e)
{
    sig_catch(SIGTERM); /* before a socket is made that it must remove */
    sig_catch(SIGINT);
    sig_catch(SIGHUP);
    struct server *s = server_start(where, a, e);
    if (!s)
        return say_err("stillroom-model", e);
    printf("listening on %s\n", server_address(s));
    fflush(stdout);
    wait_for_end();
    server_stop(&s);
    return 0;
}

/* The student in the folder, under the folder's name. */
static struct answerer *student(const char *dir, struct err *e)
{
    struct llama *m;
    struct tokenizer *t;
    if (!folder_load(dir, NULL, &m, &t, e))
        return NULL;
    char *path = realpath(dir, NULL);
    const char *name = path ? strrchr(path, '/') + 1 : dir;
    struct answerer *a = model_answerer(name, m, t, e);
    if (!a)
        err_in(e, "%s", dir);
    free(path);
    return a;
}

int cmd_serve(int argc, char **argv)
{
    const char *what = NULL, *where = "127.0.0.1:0", *recipes = NULL;
    double wrong = .7, slips = .05, judge = .9;
    int64_t seed = 1;
    struct err e = {0};
    struct opt table[] = {
        {"--listen", OPT_TEXT, &where, "ADDRESS",
         N_("127.0.0.1:PORT, [::1]:PORT or unix:PATH; port 0 takes a free "
            "one"), false},
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
            ? student(what, &e)
            : builtin_answerer(recipes, (uint64_t)seed, wrong, slips, judge,
                               &e);
    code = a ? run(where, a, &e) : say_err("stillroom-model", &e);
    answerer_free(&a);
    return code;
}
