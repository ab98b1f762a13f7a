#include "recipe/template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"

/* Which lists a placeholder stands in, as bits of 1 << list. */
#define IN(list) (1u << (list))
#define ANYWHERE 0u

static const struct {
    const char *name;
    unsigned in;
    bool list, number;
} places[PH_COUNT_OF] = {
    [PH_SYSTEM] = {"system", ANYWHERE, false, false},
    [PH_DESCRIPTION] = {"description", ANYWHERE, false, false},
    [PH_INPUT] = {"input", ANYWHERE, false, false},
    [PH_COUNT] = {"count", ANYWHERE, false, true},
    [PH_FIRST] = {"first", ANYWHERE, false, true},
    [PH_LAST] = {"last", ANYWHERE, false, true},
    [PH_NEXT] = {"next", ANYWHERE, false, true},
    [PH_WANTED] = {"wanted", ANYWHERE, false, true},
    [PH_DEMONSTRATIONS] = {"demonstrations", ANYWHERE, true, false},
    [PH_CANDIDATES] = {"candidates", ANYWHERE, true, false},
    [PH_ASPECTS] = {"aspects", ANYWHERE, true, false},
    [PH_PRINCIPLES] = {"principles", ANYWHERE, true, false},
    [PH_N] = {"n", IN(PH_DEMONSTRATIONS) | IN(PH_CANDIDATES) |
              IN(PH_ASPECTS) | IN(PH_PRINCIPLES), false, true},
    [PH_LETTER] = {"letter", IN(PH_CANDIDATES), false, false},
    [PH_PROMPT] = {"prompt", IN(PH_DEMONSTRATIONS), false, false},
    [PH_ANSWER] = {"answer", IN(PH_DEMONSTRATIONS) | IN(PH_CANDIDATES),
                   false, false},
    [PH_NAME] = {"name", IN(PH_ASPECTS), false, false},
    [PH_TEXT] = {"text", IN(PH_ASPECTS) | IN(PH_PRINCIPLES), false, false},
    [PH_FIELD] = {"", ANYWHERE, false, false},
};

bool ph_is_list(enum ph p)
{
    return places[p].list;
}

bool ph_is_number(enum ph p)
{
    return places[p].number;
}

/* ---- Compiling ----------------------------------------------------------- */

static void free_nodes(struct tmpl *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->at[i].text);
        tmpl_free(&t->at[i].body);
    }
    VEC_FREE(t);
}

void tmpl_free(struct tmpl **t)
{
    if (!*t)
        return;
    free_nodes(*t);
    free(*t);
    *t = NULL;
}

static void add_text(struct tmpl *t, const char *s, size_t n)
{
    struct tmpl_node node = {.kind = NODE_TEXT, .len = n};
    if (!n)
        return;
    node.text = xstrndup(s, n);
    VEC_PUSH(t, node);
}

/* What is being compiled: where it is read, and the sections that are open. */
struct compiler {
    const char *s;
    const struct tmpl_scope *scope;
};

struct section {
    enum ph list;        /* the list that it is in */
    const char *closing; /* its name; NULL: the whole */
    int depth;
};

/* The placeholder of that name, PH_COUNT_OF where there is none. */
static enum ph named(const char *name)
{
    int p = 0;
    while (p < PH_COUNT_OF && strcmp(places[p].name, name))
        p++;
    return (enum ph)p;
}

/* What a name means inside `list`: an element of it, a field, a
 * placeholder. */
static bool find_ph(const struct compiler *c, const char *name, enum ph list,
                    enum ph *out, struct err *e)
{
    enum ph p = named(name);
    bool inside = p < PH_COUNT_OF && places[p].in != ANYWHERE;
    bool element = inside && list != PH_COUNT_OF && places[p].in & IN(list);
    bool field = !element && *name && c->scope &&
                 c->scope->has(c->scope->ctx, name, list);
    *out = field ? PH_FIELD : p;
    if (element || field || (p < PH_FIELD && !inside))
        return true;
    if (inside)
        return err_set(e, ERR_INPUT,
                       _("{{%s}} means nothing here: it stands inside a "
                         "list"), name);
    return err_set(e, ERR_INPUT, _("there is no placeholder {{%.40s}}"),
                   name);
}

static bool compile(struct compiler *c, const struct section *in,
                    struct tmpl *t, struct err *e);

/* Behind "{{#name}}" (taken): its body up to the closing tag. */
static bool compile_section(struct compiler *c, const struct section *in,
                            enum ph p, char *name, struct tmpl *t,
                            struct err *e)
{
    struct tmpl_node node = {.kind = NODE_SECTION, .ph = p, .text = name};
    struct section body = {ph_is_list(p) ? p : in->list, name,
                           in->depth + 1};
    node.body = xcalloc(1, sizeof *node.body);
    VEC_PUSH(t, node);
    if (in->depth >= 4)
        return err_set(e, ERR_INPUT, _("sections more than four deep"));
    if (ph_is_list(p) && in->list != PH_COUNT_OF)
        return err_set(e, ERR_INPUT, _("{{#%s}}: a list inside a list"),
                       name);
    return compile(c, &body, node.body, e);
}

/* A value, or a section with its body; the name is taken. */
static bool compile_name(struct compiler *c, const struct section *in,
                         char *name, bool section, struct tmpl *t,
                         struct err *e)
{
    enum ph p = PH_N;
    if (!find_ph(c, name, in->list, &p, e)) {
        free(name);
        return false;
    }
    if (section)
        return compile_section(c, in, p, name, t, e);
    struct tmpl_node node = {.kind = NODE_VALUE, .ph = p, .text = name};
    VEC_PUSH(t, node);
    return !ph_is_list(p) || err_set(e, ERR_INPUT, _("{{%s}} is a list: "
                                     "write {{#%s}}"), name, name);
}

/* One tag, behind its braces. True and *done at the closing one. */
static bool compile_tag(struct compiler *c, const struct section *in,
                        struct tmpl *t, bool *done, struct err *e)
{
    const char *end = strstr(c->s, "}}"), *name = c->s;
    const char *closing = in->closing;
    if (!end)
        return err_set(e, ERR_INPUT, _("\"{{\" without \"}}\""));
    size_t n = (size_t)(end - name);
    c->s = end + 2;
    if (n && *name == '/') {
        *done = closing && strlen(closing) == n - 1 &&
                !memcmp(closing, name + 1, n - 1);
        return *done || err_set(e, ERR_INPUT,
                                _("{{%.*s}} closes nothing that is open"),
                                (int)(n < 40 ? n : 40), name);
    }
    bool section = n && *name == '#';
    return compile_name(c, in, xstrndup(name + section, n - section), section,
                        t, e);
}

static bool compile(struct compiler *c, const struct section *in,
                    struct tmpl *t, struct err *e)
{
    for (bool done = false; !done;) {
        const char *open = strstr(c->s, "{{");
        if (!open) {
            add_text(t, c->s, strlen(c->s));
            c->s += strlen(c->s);
            return !in->closing || err_set(e, ERR_INPUT,
                                           _("{{#%s}} is not closed"),
                                           in->closing);
        }
        add_text(t, c->s, (size_t)(open - c->s));
        c->s = open + 2;
        if (!compile_tag(c, in, t, &done, e))
            return false;
    }
    return true;
}

struct tmpl *tmpl_new(const char *text, const struct tmpl_scope *scope,
                      struct err *e)
{
    struct tmpl *t = xcalloc(1, sizeof *t);
    struct compiler c = {text, scope};
    struct section whole = {PH_COUNT_OF, NULL, 0};
    if (!compile(&c, &whole, t, e))
        tmpl_free(&t);
    return t;
}

bool tmpl_uses(const struct tmpl *t, enum ph p)
{
    for (size_t i = 0; t && i < t->n; i++) {
        const struct tmpl_node *n = &t->at[i];
        if (n->kind != NODE_TEXT && n->ph == p)
            return true;
        if (n->kind == NODE_SECTION && tmpl_uses(n->body, p))
            return true;
    }
    return false;
}

/* ---- Rendering ----------------------------------------------------------- */

static void render(const struct tmpl *t, const struct tmpl_source *src,
                   enum ph list, size_t i, struct buf *out);

static bool is_empty(const struct tmpl_source *src, const struct tmpl_node *n,
                     enum ph list, size_t i)
{
    struct buf b = BUF_INIT(0);
    src->put(src->ctx, n, list, i, &b);
    bool empty = b.len == 0;
    buf_free(&b);
    return empty;
}

static void render_section(const struct tmpl_node *n,
                           const struct tmpl_source *src, enum ph list,
                           size_t i, struct buf *out)
{
    if (!ph_is_list(n->ph)) {
        if (!is_empty(src, n, list, i))
            render(n->body, src, list, i, out);
        return;
    }
    size_t count = src->count(src->ctx, n->ph);
    for (size_t k = 0; k < count; k++)
        render(n->body, src, n->ph, k, out);
}

static void render(const struct tmpl *t, const struct tmpl_source *src,
                   enum ph list, size_t i, struct buf *out)
{
    for (size_t k = 0; k < t->n; k++) {
        const struct tmpl_node *n = &t->at[k];
        if (n->kind == NODE_TEXT)
            buf_add(out, n->text, n->len);
        else if (n->kind == NODE_VALUE)
            src->put(src->ctx, n, list, i, out);
        else
            render_section(n, src, list, i, out);
    }
}

void tmpl_render(const struct tmpl *t, const struct tmpl_source *src,
                 struct buf *out)
{
    render(t, src, PH_COUNT_OF, 0, out);
}

/* ---- Matching ------------------------------------------------------------ */

/* Where the match stands: node k of t, and what goes on behind t's end. */
struct point {
    const struct tmpl *t;
    size_t k;
    enum ph list;
    size_t i;
    bool repeats;              /* t is a list's body: it may come again */
    const struct point *after; /* NULL at the end of all */
};

static bool step(struct tmpl_match *m, const struct point *p, size_t at);

static bool go_on(struct tmpl_match *m, const struct point *p, size_t at)
{
    struct point next = *p;
    next.k++;
    return step(m, &next, at);
}

static bool match_text(struct tmpl_match *m, const struct point *p,
                       const char *s, size_t n, size_t at)
{
    if (m->len - at < n || memcmp(m->s + at, s, n))
        return false;
    return go_on(m, p, at + n);
}

/* The value takes len bytes: note it, go on, and take it back on failure. */
static bool try_value(struct tmpl_match *m, const struct point *p, size_t at,
                      size_t len)
{
    size_t mark = m->n;
    const struct tmpl_node *n = &p->t->at[p->k];
    struct tmpl_found f = {n->ph, p->list, p->i, at, len, n->text};
    VEC_PUSH(m, f);
    if (go_on(m, p, at + len))
        return true;
    m->n = mark;
    return false;
}

static bool match_number(struct tmpl_match *m, const struct point *p,
                         size_t at)
{
    size_t len = 0;
    while (at + len < m->len && len < 6 &&
           isdigit((unsigned char)m->s[at + len]))
        len++;
    return len && try_value(m, p, at, len);
}

static bool match_value(struct tmpl_match *m, const struct point *p,
                        size_t at)
{
    const struct tmpl_node *n = &p->t->at[p->k];
    struct buf b = BUF_INIT(0);
    if (m->known(m->ctx, n->ph, p->list, p->i, &b)) {
        bool ok = match_text(m, p, buf_str(&b), b.len, at);
        buf_free(&b);
        return ok;
    }
    buf_free(&b);
    if (ph_is_number(n->ph))
        return match_number(m, p, at);
    const struct tmpl_node *next = p->k + 1 < p->t->n ? n + 1 : NULL;
    bool last = !next && !p->after;
    bool text = next && next->kind == NODE_TEXT;
    for (size_t len = last ? m->len - at : 0; at + len <= m->len; len++) {
        if (text) { /* jump to where the text behind it stands */
            const char *hit = memmem(m->s + at + len, m->len - at - len,
                                     next->text, next->len);
            if (!hit)
                return false;
            len = (size_t)(hit - (m->s + at));
        }
        if (try_value(m, p, at, len))
            return true;
        if (!m->fuel)
            return false;
    }
    return false;
}

/* A section: its body first, else without it. */
static bool match_section(struct tmpl_match *m, const struct point *p,
                          size_t at)
{
    const struct tmpl_node *n = &p->t->at[p->k];
    bool list = ph_is_list(n->ph);
    struct point behind = *p;
    behind.k++;
    struct point body = {n->body, 0, list ? n->ph : p->list,
                         list ? 0 : p->i, list, &behind};
    size_t mark = m->n;
    if (step(m, &body, at))
        return true;
    m->n = mark;
    return step(m, &behind, at);
}

/* The end of a body: once more where it is a list's, else what follows. */
static bool match_end(struct tmpl_match *m, const struct point *p, size_t at)
{
    if (!p->after)
        return at == m->len;
    size_t mark = m->n;
    if (p->repeats && p->i < 255) {
        struct point again = *p;
        again.k = 0;
        again.i++;
        if (step(m, &again, at))
            return true;
        m->n = mark;
    }
    return step(m, p->after, at);
}

static bool step(struct tmpl_match *m, const struct point *p, size_t at)
{
    if (!m->fuel)
        return false;
    m->fuel--;
    if (p->k == p->t->n)
        return match_end(m, p, at);
    const struct tmpl_node *n = &p->t->at[p->k];
    if (n->kind == NODE_TEXT)
        return match_text(m, p, n->text, n->len, at);
    return n->kind == NODE_VALUE ? match_value(m, p, at)
                                 : match_section(m, p, at);
}

bool tmpl_match(const struct tmpl *t, struct tmpl_match *m)
{
    struct point start = {t, 0, PH_COUNT_OF, 0, false, NULL};
    m->n = 0;
    return step(m, &start, 0);
}
