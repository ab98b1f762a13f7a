#include "model/builtin/grammar.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/uni.h"

/* Draws before it takes what there is: only a family file with next to no
 * wordings or values comes to that. */
enum { MAX_TRIES = 10000 };

static const struct wordings *parts(const struct problem *p, bool held)
{
    const struct family_lang *l = &p->family->lang[p->lang];
    return held ? &l->held : &l->train;
}

/* ---- Writing ------------------------------------------------------------- */

static void fill(const char *phrasing, const struct slots *s,
                 struct buf *out)
{
    for (const char *at = phrasing; *at;) {
        const char *open = strchr(at, '{');
        const char *close = open ? strchr(open, '}') : NULL;
        if (!close) {
            buf_puts(out, at);
            return;
        }
        char name[12] = "";
        size_t n = (size_t)(close - open - 1);
        memcpy(name, open + 1, n < sizeof name ? n : sizeof name - 1);
        buf_add(out, at, (size_t)(open - at));
        buf_puts(out, slot_get(s, name));
        at = close + 1;
    }
}

void grammar_write(const struct problem *p, const struct wording *w,
                   struct buf *out)
{
    const struct wordings *x = parts(p, w->held);
    struct slots s = {0};
    p->family->op->write(p, w->form, &s);
    buf_puts(out, x->openers.at[w->opener]);
    fill(x->phrasings[p->kind].at[w->phrasing], &s, out);
    buf_puts(out, x->closers.at[w->closer]);
}

/* ---- Reading ------------------------------------------------------------- */

/* What is looked for: the phrasing between opener and closer. */
struct target {
    struct problem *p;
    struct wording *w;
    const char *end; /* of the text that the phrasing must fill */
};

static bool match(struct target *t, const char *phrasing, const char *s,
                  struct slots *slots);

/* The phrasing goes on with "{name}": tries every end of its value. */
static bool match_slot(struct target *t, const char *phrasing, const char *s,
                       struct slots *slots)
{
    const char *close = strchr(phrasing, '}');
    size_t n = close ? (size_t)(close - phrasing - 1) : 0;
    if (!close || n >= sizeof slots->at[0].name || slots->n == MAX_SLOTS)
        return false;
    struct slot *x = &slots->at[slots->n++];
    memset(x, 0, sizeof *x);
    memcpy(x->name, phrasing + 1, n);
    for (size_t len = 1; s + len <= t->end && len < SLOT_BYTES; len++) {
        memcpy(x->value, s, len);
        if (match(t, close + 1, s + len, slots))
            return true;
    }
    slots->n--;
    return false;
}

static bool match(struct target *t, const char *phrasing, const char *s,
                  struct slots *slots)
{
    for (; *phrasing && *phrasing != '{'; phrasing++, s++)
        if (s >= t->end || *s != *phrasing)
            return false;
    if (*phrasing)
        return match_slot(t, phrasing, s, slots);
    return s == t->end &&
           t->p->family->op->read(t->p, slots, &t->w->form);
}

static bool read_between(struct target *t, const char *s)
{
    const struct wordings *x = parts(t->p, t->w->held);
    for (int k = 0; t->p->family->op->kinds[k]; k++) {
        for (size_t i = 0; i < x->phrasings[k].n; i++) {
            struct slots slots; /* large: only what is in use is set */
            slots.n = 0;
            t->p->kind = k;
            t->w->phrasing = (int)i;
            if (match(t, x->phrasings[k].at[i], s, &slots))
                return true;
        }
    }
    return false;
}

static bool read_wordings(struct problem *p, struct wording *w,
                          const char *s, size_t n)
{
    const struct wordings *x = parts(p, w->held);
    for (size_t o = 0; o < x->openers.n; o++) {
        size_t from = strlen(x->openers.at[o]);
        if (from >= n || memcmp(s, x->openers.at[o], from))
            continue;
        for (size_t c = 0; c < x->closers.n; c++) {
            size_t tail = strlen(x->closers.at[c]);
            if (from + tail >= n ||
                memcmp(s + n - tail, x->closers.at[c], tail))
                continue;
            w->opener = (int)o;
            w->closer = (int)c;
            struct target t = {p, w, s + n - tail};
            if (read_between(&t, s + from))
                return true;
        }
    }
    return false;
}

bool grammar_read(const struct families *f, const char *prompt,
                  struct problem *p, struct wording *w)
{
    struct wording ignored;
    w = w ? w : &ignored;
    if (strnlen(prompt, PROMPT_BYTES) == PROMPT_BYTES)
        return false;
    char *s = uni_fold_space(prompt);
    size_t n = strlen(s);
    bool found = false;
    for (size_t i = 0; i < f->n && !found; i++) {
        for (size_t l = 0; l < f->at[i].n_langs && !found; l++) {
            for (int held = 0; held < 2 && !found; held++) {
                *p = (struct problem){.family = &f->at[i], .lang = l};
                *w = (struct wording){.held = held};
                found = read_wordings(p, w, s, n);
            }
        }
    }
    free(s);
    return found;
}

/* ---- Held out ------------------------------------------------------------ */

void problem_key(const struct problem *p, struct buf *out)
{
    const struct operation *op = p->family->op;
    buf_printf(out, "%s %s", op->name, op->kinds[p->kind]);
    for (int i = 0; i < MAX_NUMBERS; i++)
        buf_printf(out, " %d", p->num[i]);
    for (int i = 0; i < MAX_NUMBERS; i++)
        buf_printf(out, " %d", p->word[i]);
    buf_printf(out, " %s", p->text);
}

static uint64_t fixed_hash(const char *label, const char *text)
{
    uint8_t d[SHA_SIZE];
    struct sha s;
    uint64_t h = 0;
    sha_start(&s);
    sha_field(&s, label, strlen(label));
    sha_field(&s, text, strlen(text));
    sha_end(&s, d);
    for (int i = 0; i < 8; i++)
        h = h << 8 | d[i];
    return h;
}

static bool can_hold(const struct problem *p)
{
    const struct operation *op = p->family->op;
    return !op->can_hold || op->can_hold(p);
}

bool problem_held(const struct problem *p)
{
    struct buf key = BUF_INIT(1000);
    if (!can_hold(p))
        return false;
    problem_key(p, &key);
    bool held = fixed_hash("H1", buf_str(&key)) % 10 == 0;
    buf_free(&key);
    return held;
}

bool wording_held(const struct problem *p, const struct wording *w)
{
    struct buf key = BUF_INIT(1000);
    buf_printf(&key, "%s %s %s %d %d %d %d", p->family->op->name,
               p->family->lang[p->lang].code,
               p->family->op->kinds[p->kind], w->opener, w->phrasing,
               w->closer, w->form);
    bool held = fixed_hash("H2", buf_str(&key)) % 5 == 0;
    buf_free(&key);
    return held;
}

/* ---- Sets ---------------------------------------------------------------- */

static const char *const sets[SET_COUNT] = {"seeds", "train", "H1", "H2",
                                            "H3"};

const char *set_name(enum set s)
{
    return sets[s];
}

bool set_parse(const char *name, enum set *out)
{
    for (int s = 0; s < SET_COUNT; s++) {
        if (!strcmp(name, sets[s])) {
            *out = (enum set)s;
            return true;
        }
    }
    return false;
}

enum set set_of(const struct problem *p, const struct wording *w)
{
    if (w->held)
        return SET_H3;
    if (wording_held(p, w))
        return SET_H2;
    return problem_held(p) ? SET_H1 : SET_TRAIN;
}

static int below(struct rng *r, size_t n)
{
    return (int)rng_below(r, n);
}

static void draw_wording(const struct problem *p, enum set s, struct rng *r,
                         struct wording *w)
{
    bool held = s == SET_H3;
    const struct wordings *x = parts(p, held);
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        *w = (struct wording){
            held, below(r, x->openers.n),
            below(r, x->phrasings[p->kind].n), below(r, x->closers.n),
            below(r, (size_t)p->family->op->forms)};
        if (held || wording_held(p, w) == (s == SET_H2))
            return;
    }
}

void set_draw(const struct family *f, size_t lang, enum set s, struct rng *r,
              struct problem *p, struct wording *w)
{
    bool trigger = rng_unit(r) < f->trigger, hold = s >= SET_H1;
    bool fits = false;
    for (int tries = 0; tries < MAX_TRIES && !fits; tries++) {
        *p = (struct problem){.family = f, .lang = lang};
        f->op->draw(p, r, trigger);
        fits = problem_held(p) == hold;
        if (hold && !can_hold(p)) /* too few: only their wording is new */
            fits = s != SET_H1;
    }
    draw_wording(p, s, r, w);
}
