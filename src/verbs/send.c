#include "verbs/send.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/sig.h"
#include "jobs/server.h"

struct waiting {
    answered_fn *fn;
    void *ctx;
    struct client *client;
    bool over;
};

static bool on_news(void *ctx, const struct news *n)
{
    struct waiting *w = ctx;
    if (n->kind != NEWS_END)
        return true;
    w->over = true;
    w->fn(w->ctx, n->result);
    return true;
}

static void on_signal(void *ctx, int revents)
{
    struct waiting *w = ctx;
    (void)revents;
    while (sig_next())
        client_cancel_all(w->client);
}

bool verb_send(const struct profile *p, const struct ask *ask,
               answered_fn *fn, void *ctx, struct err *e)
{
    struct loop *l = loop_new();
    struct server *server = NULL;
    struct waiting w = {.fn = fn, .ctx = ctx};
    struct server_plan plan = {p->serve, NULL, NULL, 20000};
    char dir[] = "/tmp/stillroom-ask-XXXXXX";
    bool ok = true;
    sig_catch(SIGTERM);
    sig_catch(SIGINT);
    if (p->serve) {
        ok = mkdtemp(dir) || err_sys(e, "%s", dir);
        plan.job_dir = dir;
        server = ok ? server_start(&plan, e) : NULL;
        ok = server != NULL;
    }
    if (ok)
        w.client = client_new(l, p, server ? server_socket(server) : NULL, e);
    if (w.client) {
        loop_watch(l, sig_fd(), POLLIN, on_signal, &w);
        client_set_tries(w.client, 1, 1);
        client_ask(w.client, ask, on_news, &w);
        while (!w.over)
            loop_once(l, 1000);
    }
    ok = w.client != NULL;
    client_free(&w.client);
    server_stop(&server);
    if (p->serve)
        dir_remove(dir, NULL);
    loop_free(&l);
    sig_release(SIGTERM);
    sig_release(SIGINT);
    return ok;
}
