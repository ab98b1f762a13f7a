/* `tokenize`, `detokenize`, `render`, `score`: JSON lines in, JSON lines out,
 * one answer a line, in order. A line that cannot be answered ends the
 * command with its number.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"
#include "domain/chat.h"
#include "model/cmd/cmd.h"
#include "model/cmd/folder.h"
#include "model/cmd/opts.h"
#include "model/learn/engine.h"
#include "model/net/llama.h"
#include "model/token/template.h"
#include "model/token/tokenizer.h"

struct filter {
    const struct tokenizer *t;
    bool raw;
    struct template_how how;
    int64_t logits; /* of `score`: how many of the last position's */
    struct llama *m;
    struct work *k;
    int room; /* rows that it takes */
};

/* One line's value to its answer, appended to out. */
typedef bool line_fn(struct filter *f, const json *in, struct buf *out,
                     struct err *e);

static bool one_line(struct filter *f, line_fn *fn, const struct lines *l,
                     struct buf *out, struct err *e)
{
    buf_clear(out);
    if (l->too_long)
        return err_set(e, ERR_INPUT, _("too long"));
    json *j = json_parse(buf_str(&l->line), l->line.len, e);
    bool ok = j && fn(f, j, out, e);
    json_free(j);
    if (ok) {
        say_json(stdout, buf_str(out), out->len);
        fflush(stdout);
    }
    return ok;
}

static bool each_line(struct filter *f, line_fn *fn, struct err *e)
{
    struct lines l;
    struct buf out = BUF_INIT(0);
    bool ok = true;
    lines_from(&l, STDIN_FILENO, (size_t)16 << 20);
    while (ok && lines_next(&l, e)) {
        ok = one_line(f, fn, &l, &out, e);
        if (!ok)
            err_in(e, _("line %llu"), (unsigned long long)l.number);
    }
    ok = ok && !l.failed;
    buf_free(&out);
    lines_close(&l);
    return ok;
}

static void print_ids(struct jw *w, const int32_t *ids, size_t n)
{
    jw_open(w, '[');
    for (size_t i = 0; i < n; i++)
        jw_int(w, ids[i]);
    jw_close(w);
}

static bool tokenize(struct filter *f, const json *in, struct buf *out,
                     struct err *e)
{
    const char *s = json_string(in);
    if (!s)
        return err_set(e, ERR_INPUT, _("not a string"));
    struct tokens k = {0};
    tokenizer_encode(f->t, s, strlen(s), !f->raw, &k);
    struct jw w = jw_start(out);
    jw_open(&w, '[');
    for (size_t i = 0; i < k.n; i++)
        jw_int(&w, k.at[i].id);
    jw_close(&w);
    VEC_FREE(&k);
    return true;
}

/* A list of ids from 0 to below `limit`; NULL where it is not one. */
static int32_t *read_ids(const json *list, size_t limit, size_t *n,
                         struct err *e)
{
    if (!json_is_array(list)) {
        err_set(e, ERR_INPUT, _("not a list of ids"));
        return NULL;
    }
    int32_t *ids = xmalloc((json_count(list) + 1) * sizeof *ids);
    *n = 0;
    for (const json *v = json_first(list); v; v = json_next(v)) {
        double d = json_number(v, -1);
        if (!(d >= 0 && d < (double)limit) || d != (double)(int32_t)d) {
            err_set(e, ERR_INPUT, _("id number %zu cannot be"), *n + 1);
            free(ids);
            return NULL;
        }
        ids[(*n)++] = (int32_t)d;
    }
    return ids;
}

static bool detokenize(struct filter *f, const json *in, struct buf *out,
                       struct err *e)
{
    size_t n;
    int32_t *ids = read_ids(in, f->t->n, &n, e);
    if (!ids)
        return false;
    struct buf text = BUF_INIT(0);
    tokenizer_decode(f->t, ids, n, !f->raw, &text);
    json_quote(out, buf_str(&text), text.len);
    buf_free(&text);
    free(ids);
    return true;
}

/* The text in stretches that are trained or are not. */
static void print_parts(const struct filter *f, const struct rendered *r,
                        struct jw *w)
{
    jw_key(w, "parts");
    jw_open(w, '[');
    for (size_t i = 0, end; i < r->n; i = end) {
        struct buf text = BUF_INIT(0);
        for (end = i + 1; end < r->n && r->trained[end] == r->trained[i];)
            end++;
        tokenizer_decode(f->t, r->ids + i, end - i, true, &text);
        jw_open(w, '{');
        jw_kstr(w, "text", buf_str(&text));
        jw_kbool(w, "trained", r->trained[i]);
        jw_close(w);
        buf_free(&text);
    }
    jw_close(w);
}

static bool render(struct filter *f, const json *in, struct buf *out,
                   struct err *e)
{
    struct rendered r;
    bool ok = template_render_json(f->t, in, &f->how, &r, e);
    if (ok) {
        struct jw w = jw_start(out);
        jw_open(&w, '{');
        jw_kstr(&w, "text", buf_str(&r.text));
        jw_key(&w, "ids");
        print_ids(&w, r.ids, r.n);
        jw_key(&w, "trained");
        jw_open(&w, '[');
        for (size_t i = 0; i < r.n; i++)
            jw_int(&w, r.trained[i]);
        jw_close(&w);
        print_parts(f, &r, &w);
        jw_close(&w);
    }
    rendered_free(&r);
    return ok;
}

/* The first logits of the last position. */
static void print_logits(struct filter *f, const int32_t *ids, int n,
                         struct jw *w)
{
    int vocab = f->m->config.vocab;
    real *all = xmalloc((size_t)vocab * sizeof *all);
    llama_logits(f->m, f->k, ids, n, all);
    jw_key(w, "logits");
    jw_open(w, '[');
    for (int i = 0; i < vocab && i < f->logits; i++)
        jw_fixed(w, (double)all[i], 6);
    jw_close(w);
    free(all);
}

static bool print_scores(struct filter *f, const int32_t *ids, int n,
                         struct buf *out, struct err *e)
{
    int32_t *target = xmalloc((size_t)n * sizeof *target);
    double *logprob = xcalloc((size_t)n, sizeof *logprob);
    for (int t = 0; t < n; t++)
        target[t] = t + 1 < n ? ids[t + 1] : -1;
    const int32_t start[] = {0, n};
    struct batch b = {ids, target, start, 1, 0, NULL, NULL};
    llama_pass(&alone, f->m, f->k, &b, 0, NULL,
               &(struct told){.logprob = logprob});
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_key(&w, "logprobs");
    jw_open(&w, '[');
    bool ok = true;
    for (int t = 0; t + 1 < n; t++) {
        ok = ok && isfinite(logprob[t]);
        jw_fixed(&w, logprob[t], 6);
    }
    jw_close(&w);
    if (f->logits)
        print_logits(f, ids, n, &w);
    jw_close(&w);
    free(target);
    free(logprob);
    return ok || err_set(e, ERR_INPUT, "%s", _(engine_broken));
}

/* Activations for so many ids. */
static bool make_room(struct filter *f, int n, struct err *e)
{
    if (n <= f->room)
        return true;
    work_free(&f->k);
    f->k = work_new(f->m, &(struct work_shape){n, n, 1, true}, e);
    f->room = f->k ? n : 0;
    return f->k != NULL;
}

static bool score(struct filter *f, const json *in, struct buf *out,
                  struct err *e)
{
    size_t n, most = (size_t)f->m->config.context;
    int32_t *ids = read_ids(json_get(in, "ids"), (size_t)f->m->config.vocab,
                            &n, e);
    if (!ids)
        return false;
    bool ok = n >= 1 && n <= most;
    if (!ok)
        err_set(e, ERR_INPUT, P_("%zu id; 1 to %zu can be scored",
                                 "%zu ids; 1 to %zu can be scored",
                                 n), n, most);
    ok = ok && make_room(f, (int)n, e);
    ok = ok && print_scores(f, ids, (int)n, out, e);
    free(ids);
    return ok;
}

static int filter(int argc, char **argv, struct filter *f, struct opts *o,
                  line_fn *fn)
{
    const char *dir = NULL;
    o->word = &dir;
    int code = opts_read(o, argc, argv);
    if (code >= 0)
        return code;
    struct err e = {0};
    struct tokenizer *t = tokenizer_load(dir, &e);
    f->t = t;
    bool ok = t && each_line(f, fn, &e);
    tokenizer_free(&t);
    return ok ? 0 : say_err("stillroom-model", &e);
}

static int raw_filter(int argc, char **argv, const char *usage, line_fn *fn)
{
    struct filter f = {0};
    struct opt table[] = {
        {"--raw", OPT_FLAG, &f.raw, NULL,
         N_("without the tokens that only frame a text"), false},
        {0},
    };
    struct opts o = {usage, table, NULL, NULL};
    return filter(argc, argv, &f, &o, fn);
}

int cmd_tokenize(int argc, char **argv)
{
    return raw_filter(argc, argv, N_("tokenize DIR < STRINGS"), tokenize);
}

int cmd_detokenize(int argc, char **argv)
{
    return raw_filter(argc, argv, N_("detokenize DIR < IDS"), detokenize);
}

int cmd_render(int argc, char **argv)
{
    struct filter f = {.how.now = clock_now() / 1000};
    struct opt table[] = {
        {"--now", OPT_INT, &f.how.now, "SECONDS",
         N_("since 1970: what the template takes for now"), false},
        {"--mask-thinking", OPT_FLAG, &f.how.mask_thinking, NULL,
         N_("<think>...</think> is not trained"), false},
        {0},
    };
    struct opts o = {N_("render DIR < MESSAGES"), table, NULL, NULL};
    return filter(argc, argv, &f, &o, render);
}

int cmd_score(int argc, char **argv)
{
    struct filter f = {0};
    const char *dir = NULL, *adapter = NULL;
    struct opt table[] = {
        {"--adapter", OPT_TEXT, &adapter, "DIR", ADAPTER_HELP, false},
        {"--logits", OPT_INT, &f.logits, "N",
         N_("with the last position's first N logits"), false},
        {0},
    };
    struct opts o = {N_("score DIR < IDS"), table, &dir, NULL};
    int code = opts_read(&o, argc, argv);
    if (code >= 0)
        return code;
    struct err e;
    bool ok = folder_load(dir, adapter, &f.m, NULL, &e) &&
              each_line(&f, score, &e);
    work_free(&f.k);
    llama_free(&f.m);
    return ok ? 0 : say_err("stillroom-model", &e);
}
