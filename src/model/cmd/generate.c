/* `generate`: one answer, or the continuation of a text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"
#include "model/cmd/cmd.h"
#include "model/cmd/folder.h"
#include "model/cmd/opts.h"
#include "model/learn/engine.h"
#include "model/token/template.h"

struct asked {
    const char *dir, *adapter, *prompt, *messages;
    double temperature, top_p, min_p, repetition, frequency, presence;
    int64_t top_k, seed, max;
};

/* The ids of what was asked; NULL with the reason. */
static int32_t *prompt_ids(const struct tokenizer *t, const struct asked *a,
                           size_t *n, struct err *e)
{
    if (a->messages) {
        struct chat c;
        struct rendered r;
        if (!chat_parse(a->messages, &c, e))
            return NULL;
        bool ok = template_render(t, &c, true, NULL, &r, e);
        chat_free(&c);
        int32_t *ids = ok ? r.ids : NULL;
        *n = r.n;
        r.ids = NULL;
        rendered_free(&r);
        return ids;
    }
    struct tokens k = {0};
    const char *s = a->prompt ? a->prompt : "";
    tokenizer_encode(t, s, strlen(s), true, &k);
    int32_t *ids = xmalloc((k.n + 1) * sizeof *ids);
    for (size_t i = 0; i < k.n; i++)
        ids[i] = k.at[i].id;
    *n = k.n;
    VEC_FREE(&k);
    return ids;
}

/* Prints what the engine makes of a prompt of n ids. */
static bool print_answer(struct engine *g, const struct tokenizer *t,
                         const struct ask *ask, struct err *e)
{
    VEC(int32_t) ids = {0};
    struct drawn x;
    struct buf text = BUF_INIT(0);
    struct answering *a = engine_ask(g, ask, e);
    bool ok = a != NULL;
    enum engine_end end = ENGINE_DONE;
    while (a && (end = engine_next(a, &x)) == ENGINE_GOES_ON)
        VEC_PUSH(&ids, x.id);
    if (end == ENGINE_BROKEN)
        ok = err_set(e, ERR_INPUT, "%s", _(engine_broken));
    engine_finish(&a);
    tokenizer_decode(t, ids.at, ids.n, true, &text);
    if (ok)
        say(stdout, "%s\n", buf_str(&text));
    buf_free(&text);
    VEC_FREE(&ids);
    return ok;
}

static bool answer(const struct llama *m, const struct tokenizer *t,
                   const struct asked *a, const int32_t *ids, size_t n,
                   struct err *e)
{
    int64_t room = (int64_t)m->config.context - (int64_t)n;
    if (!n || room < 1)
        return err_set(e, ERR_INPUT, P_("the prompt has %zu token; 1 to %d "
                                        "can be answered",
                                        "the prompt has %zu tokens; 1 to %d "
                                        "can be answered", n), n,
                       m->config.context - 1);
    struct ask ask = {.ids = ids, .n = (int)n, .top = -1,
                      .max = (int)(a->max < room ? a->max : room),
                      .seed = (uint64_t)a->seed,
                      .sampling = {.temperature = a->temperature,
                                   .top_p = a->top_p, .min_p = a->min_p,
                                   .top_k = (int)a->top_k}};
    ask.penalties = (struct penalties){.frequency = a->frequency,
                                       .presence = a->presence,
                                       .repetition = a->repetition};
    if (ask.max < 1) {
        say(stdout, "\n");
        return true;
    }
    struct engine *g = engine_new(m, t, pool_default(), NULL, e);
    bool ok = g && print_answer(g, t, &ask, e);
    engine_free(&g);
    return ok;
}

static bool run(const struct asked *a, struct err *e)
{
    struct llama *m;
    struct tokenizer *t;
    size_t n = 0;
    if (!folder_load(a->dir, a->adapter, &m, &t, e))
        return false;
    int32_t *ids = prompt_ids(t, a, &n, e);
    bool ok = ids && answer(m, t, a, ids, n, e);
    free(ids);
    tokenizer_free(&t);
    llama_free(&m);
    return ok;
}

int cmd_generate(int argc, char **argv)
{
    struct asked a = {.top_p = 1, .repetition = 1, .max = 256, .seed = 1};
    struct opt table[] = {
        {"--prompt", OPT_TEXT, &a.prompt, "TEXT",
         N_("a text to go on with, as it is"), false},
        {"--messages", OPT_TEXT, &a.messages, "JSON",
         N_("messages to answer, through the chat template"), false},
        {"--adapter", OPT_TEXT, &a.adapter, "DIR", ADAPTER_HELP, false},
        {"--temperature", OPT_NUM, &a.temperature, "F",
         N_("0 takes the likeliest token (0)"), false},
        {"--top-p", OPT_NUM, &a.top_p, "F",
         N_("draw from this share of the probability (1)"), false},
        {"--top-k", OPT_INT, &a.top_k, "N",
         N_("draw from the N likeliest tokens (0: all)"), false},
        {"--min-p", OPT_NUM, &a.min_p, "F",
         N_("drop what is below this share of the likeliest (0)"),
         false},
        {"--repetition-penalty", OPT_NUM, &a.repetition, "F",
         N_("divides what stands in prompt or answer already (1)"), false},
        {"--frequency-penalty", OPT_NUM, &a.frequency, "F",
         N_("off for each time that a token is in the answer (0)"), false},
        {"--presence-penalty", OPT_NUM, &a.presence, "F",
         N_("off once for a token that is in the answer (0)"), false},
        {"--seed", OPT_INT, &a.seed, "N", N_("of the drawing (1)"), false},
        {"--max-tokens", OPT_INT, &a.max, "N",
         N_("length of the answer at most (256)"), false},
        {0},
    };
    struct opts o = {N_("generate DIR --prompt TEXT | --messages JSON"), table,
                     &a.dir, NULL};
    int code = opts_read(&o, argc, argv);
    if (code >= 0)
        return code;
    if (!a.prompt == !a.messages)
        return opts_wrong("generate", _("give either --prompt or --messages"));
    if (a.repetition < .1 || a.repetition > 10 || a.frequency > 2 ||
        a.presence > 2 || a.top_p > 1 || a.min_p > 1)
        return opts_wrong("generate",
                          _("--top-p and --min-p are at most 1, penalties at "
                            "most 2, --repetition-penalty is from 0.1 to 10"));
    if (a.max > 1 << 20 || a.top_k > 1 << 20)
        return opts_wrong("generate", _("--max-tokens or --top-k is too "
                                        "large"));
    struct err e;
    return run(&a, &e) ? 0 : say_err("stillroom-model", &e);
}
