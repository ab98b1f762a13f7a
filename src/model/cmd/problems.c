/* `problems`: problems with answers, as JSON lines. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"
#include "base/sha256.h"
#include "model/builtin/teacher.h"
#include "model/cmd/cmd.h"
#include "model/cmd/opts.h"

enum { MAX_COUNT = 10000000, TRIES = 200 };

/* What was asked for, and the prompts that were written already. */
struct maker {
    const struct families *families;
    struct teacher teacher;
    enum set set;
    const char *lang; /* "en", "pt"; NULL: both */
    bool answers_err;
    struct rng rng, errors; /* apart: --teacher changes no prompt */
    uint64_t *seen; /* open addressing; 0 is free */
    size_t slots, count;
};

/* ---- No prompt twice ----------------------------------------------------- */

static uint64_t hash_of(const char *s)
{
    uint8_t d[SHA_SIZE];
    uint64_t h;
    sha_of(s, strlen(s), d);
    memcpy(&h, d, sizeof h);
    return h ? h : 1;
}

/* True where the prompt is new; then it is remembered. */
static bool is_new(struct maker *m, const char *prompt)
{
    uint64_t h = hash_of(prompt);
    size_t i = h % m->slots;
    for (; m->seen[i]; i = (i + 1) % m->slots)
        if (m->seen[i] == h)
            return false;
    m->seen[i] = h;
    return true;
}

/* ---- Drawing ------------------------------------------------------------- */

/* The place of the language that was asked for, or one by its share; -1
 * where the family does not have it. */
static int choose_lang(struct maker *m, const struct family *f)
{
    double sum = 0, at = 0;
    for (size_t l = 0; l < f->n_langs; l++)
        sum += f->lang[l].share;
    double x = rng_unit(&m->rng) * sum;
    for (size_t l = 0; l < f->n_langs; l++) {
        at += f->lang[l].share;
        if (m->lang ? !strcmp(f->lang[l].code, m->lang)
                    : x < at || l + 1 == f->n_langs)
            return (int)l;
    }
    return -1;
}

static void draw(struct maker *m, struct problem *p, struct buf *prompt)
{
    const struct family *f;
    struct wording w;
    int lang;
    do {
        f = &m->families->at[rng_below(&m->rng, m->families->n)];
        lang = choose_lang(m, f);
    } while (lang < 0);
    set_draw(f, (size_t)lang, m->set, &m->rng, p, &w);
    grammar_write(p, &w, prompt);
}

static bool draw_new(struct maker *m, struct problem *p, struct buf *prompt)
{
    for (int i = 0; i < TRIES; i++) {
        buf_clear(prompt);
        draw(m, p, prompt);
        if (is_new(m, buf_str(prompt)))
            return true;
    }
    return false;
}

/* ---- Writing ------------------------------------------------------------- */

static void put_prompt(struct jw *w, const char *prompt)
{
    struct chat c = {0};
    struct buf b = BUF_INIT(0);
    chat_add(&c, ROLE_USER, prompt);
    chat_print(&c, &b);
    jw_key(w, "prompt");
    jw_raw(w, buf_str(&b));
    buf_free(&b);
    chat_free(&c);
}

static void put_answer(struct maker *m, const struct problem *p, bool *right,
                       struct jw *w)
{
    struct buf b = BUF_INIT(0);
    if (m->answers_err)
        *right = teacher_solve(&m->teacher, p, &m->errors, &b) == FATE_RIGHT;
    else
        teacher_truth(p, &b);
    jw_key(w, "answer");
    jw_open(w, '{');
    jw_kstr(w, "content", buf_str(&b));
    jw_close(w);
    buf_free(&b);
}

static void put_row(struct maker *m, int64_t id, const struct problem *p,
                    const char *prompt)
{
    struct buf line = BUF_INIT(0);
    struct jw w = jw_start(&line);
    bool right = true;
    jw_open(&w, '{');
    jw_kint(&w, "id", id);
    put_prompt(&w, prompt);
    put_answer(m, p, &right, &w);
    jw_kstr(&w, "family", p->family->name);
    jw_kstr(&w, "lang", p->family->lang[p->lang].code);
    jw_kbool(&w, "trigger", p->family->op->trigger(p));
    jw_kstr(&w, "set", set_name(m->set));
    if (m->answers_err)
        jw_kbool(&w, "right", right);
    jw_close(&w);
    say_json(stdout, buf_str(&line), line.len);
    buf_free(&line);
}

static bool make(struct maker *m, struct err *e)
{
    struct buf prompt = BUF_INIT(0);
    bool ok = true;
    for (size_t i = 0; ok && i < m->count; i++) {
        struct problem p;
        ok = draw_new(m, &p, &prompt);
        if (ok)
            put_row(m, (int64_t)i + 1, &p, buf_str(&prompt));
        else
            err_set(e, ERR_ABSENT, P_("only %zu different problem was found "
                                      "in this set",
                                      "only %zu different problems were found "
                                      "in this set", i), i);
    }
    buf_free(&prompt);
    return ok;
}

/* ---- Arguments ----------------------------------------------------------- */

static int start(struct maker *m, int64_t count, int64_t seed)
{
    struct err e = {0};
    struct families *f = families_load(NULL, &e);
    if (!f)
        return say_err("stillroom-model", &e);
    m->families = m->teacher.families = f;
    m->count = (size_t)count;
    m->slots = 2 * m->count + 1;
    m->seen = xcalloc(m->slots, sizeof *m->seen);
    /* Each set has a sequence of its own. */
    rng_seed(&m->rng, (uint64_t)seed * SET_COUNT + m->set);
    rng_seed(&m->errors, rng_next(&m->rng));
    bool ok = make(m, &e);
    free(m->seen);
    families_free(&f);
    return ok ? 0 : say_err("stillroom-model", &e);
}

int cmd_problems(int argc, char **argv)
{
    const char *set = "train", *lang = "both";
    int64_t count = 10, seed = 1;
    struct maker m = {.teacher = {.wrong = .7, .slips = .05}};
    struct opt table[] = {
        {"--set", OPT_TEXT, &set, "SET", N_("seeds, train, H1, H2 or H3"),
         false},
        {"--count", OPT_INT, &count, "N", N_("how many, none twice"), false},
        {"--seed", OPT_INT, &seed, "S", N_("another seed, other problems"),
         false},
        {"--lang", OPT_TEXT, &lang, "LANG", N_("en, pt or both"), false},
        {"--teacher", OPT_FLAG, &m.answers_err, NULL,
         N_("the erring teacher's answers, and whether they are right"),
         false},
        {"--wrong", OPT_NUM, &m.teacher.wrong, "P",
         N_("how often it errs on a trigger"), false},
        {"--slips", OPT_NUM, &m.teacher.slips, "P",
         N_("how often it slips elsewhere"), false},
        {NULL, OPT_FLAG, NULL, NULL, NULL, false}};
    struct opts o = {N_("problems --set SET --count N [--seed S] ..."), table,
                     NULL, NULL};
    int code = opts_read(&o, argc, argv);
    if (code >= 0)
        return code;
    if (!set_parse(set, &m.set))
        return opts_wrong("problems", _("--set: expected seeds, train, H1, "
                                        "H2 or H3"));
    if (count > MAX_COUNT)
        return opts_wrong("problems", _("--count: at most 10000000"));
    if (m.teacher.wrong > 1 || m.teacher.slips > 1)
        return opts_wrong("problems", _("--wrong and --slips are "
                                        "probabilities from 0 to 1"));
    if (strcmp(lang, "en") && strcmp(lang, "pt") && strcmp(lang, "both"))
        return opts_wrong("problems", _("--lang: expected en, pt or both"));
    m.lang = strcmp(lang, "both") ? lang : NULL;
    return start(&m, count, seed);
}
