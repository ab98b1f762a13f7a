#include "model/token/jinja.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/lang.h"
#include "base/utf8.h"
#include "model/token/jinja_run.h"

struct jinja {
    struct arena arena;
    char *text;
    struct node *tree;
    bool marks;
};

struct jinja *jinja_parse(const char *text, size_t n, struct err *e)
{
    struct jinja *j = xcalloc(1, sizeof *j);
    j->text = xstrndup(text, n);
    j->tree = jinja_tree(&j->arena, j->text, strlen(j->text), &j->marks, e);
    if (!j->tree)
        jinja_free(&j);
    return j;
}

void jinja_free(struct jinja **jp)
{
    struct jinja *j = *jp;
    if (!j)
        return;
    arena_free(&j->arena);
    free(j->text);
    free(j);
    *jp = NULL;
}

bool jinja_marks(const struct jinja *j)
{
    return j->marks;
}

void jinja_out_free(struct jinja_out *out)
{
    buf_free(&out->text);
    VEC_FREE(&out->spans);
}

struct jv run_fail(struct run *r, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!r->failed)
        err_set(r->e, ERR_INPUT, _("line %d: %s"), r->line, text);
    r->failed = true;
    return jv_undefined(NULL);
}

/* ---- Scopes ------------------------------------------------------------- */

static struct frame *push_frame(struct run *r, struct frame *up)
{
    struct frame *f = arena_get(&r->arena, sizeof *f);
    if (!f) {
        run_fail(r, "%s", _("out of memory"));
        return r->frame;
    }
    f->up = up;
    f->vars = jv_dict(&r->arena);
    return f;
}

static void define(struct run *r, struct frame *f, const char *name,
                   struct jv value)
{
    if (!jv_put(&r->arena, f->vars, jv_borrow(name, strlen(name)), value))
        run_fail(r, "%s", _("out of memory"));
}

static struct jv native(struct run *r, native_fn *fn, struct jv self,
                        const char *name)
{
    struct jv v = {.type = JV_CALLABLE,
                   .call = arena_get(&r->arena, sizeof *v.call)};
    if (!v.call)
        return run_fail(r, "%s", _("out of memory"));
    v.call->fn = fn;
    v.call->self = self;
    v.call->name = name;
    return v;
}

static struct jv look_up(struct run *r, const char *name)
{
    for (struct frame *f = r->frame; f; f = f->up) {
        struct jv *v = jv_find_name(&f->vars, name);
        if (v)
            return *v;
    }
    native_fn *fn = lib_function(name);
    return fn ? native(r, fn, jv_none(), name) : jv_undefined(name);
}

/* ---- Values ------------------------------------------------------------- */

struct jv arg(const struct args *a, size_t n, const char *name,
              struct jv otherwise)
{
    if (n < a->n)
        return a->at[n];
    for (size_t i = 0; name && i < a->n_named; i++)
        if (!strcmp(a->names[i], name))
            return a->values[i];
    return otherwise;
}

struct jv run_string(struct run *r, const struct buf *b)
{
    struct jv v = jv_string(&r->arena, b->data ? b->data : "", b->len);
    return v.type == JV_STRING ? v : run_fail(r, "%s", _("out of memory"));
}

struct jv run_attr(struct run *r, const struct jv *of, const char *name)
{
    if (of->type == JV_UNDEFINED)
        return run_fail(r, _("'%s' is undefined"), of->name ? of->name : "");
    native_fn *fn = lib_method(of, name);
    if (fn)
        return native(r, fn, *of, name);
    struct jv *v = jv_find_name(of, name);
    return v ? *v : jv_undefined(name);
}

/* The code point at index i of a string, as a string. */
static struct jv char_at(struct run *r, const struct jv *s, int64_t i)
{
    size_t at = 0;
    for (; i > 0 && at < s->n; i--) {
        uint32_t cp;
        size_t len = utf8_get(s->s + at, s->n - at, &cp);
        at += len ? len : 1;
    }
    uint32_t cp;
    size_t len = at < s->n ? utf8_get(s->s + at, s->n - at, &cp) : 0;
    return jv_string(&r->arena, s->s + at, len ? len : at < s->n);
}

struct jv run_item(struct run *r, const struct jv *of, const struct jv *key)
{
    if (of->type == JV_UNDEFINED)
        return run_fail(r, _("'%s' is undefined"), of->name ? of->name : "");
    if (of->type == JV_DICT || of->type == JV_SPACE) {
        struct jv *v = jv_find(of, key);
        if (v)
            return *v;
    } else if (key->type == JV_INT || key->type == JV_BOOL) {
        int64_t n = jv_length(of), i = (int64_t)jv_number(key);
        i += i < 0 ? n : 0;
        if (i < 0 || i >= n)
            return jv_undefined("item");
        return of->type == JV_LIST ? of->list->at[i] : char_at(r, of, i);
    }
    if (key->type != JV_STRING)
        return jv_undefined("item");
    native_fn *fn = lib_method(of, key->s);
    return fn ? native(r, fn, *of, key->s) : jv_undefined(key->s);
}

struct jv run_iterate(struct run *r, const struct jv *of)
{
    struct jv out = jv_list(&r->arena);
    switch (of->type) {
    case JV_LIST: return *of;
    case JV_UNDEFINED: return out;
    case JV_DICT:
        for (size_t i = 0; i < of->dict->n; i++)
            jv_push(&r->arena, out, of->dict->at[i].key);
        return out;
    case JV_STRING:
        for (size_t at = 0; at < of->n;) {
            uint32_t cp;
            size_t len = utf8_get(of->s + at, of->n - at, &cp);
            len = len ? len : 1;
            jv_push(&r->arena, out, jv_borrow(of->s + at, len));
            at += len;
        }
        for (size_t i = 0; i < out.list->n; i++) /* NUL-ended */
            out.list->at[i] = jv_string(&r->arena, out.list->at[i].s,
                                        out.list->at[i].n);
        return out;
    case JV_NONE:
    case JV_BOOL:
    case JV_INT:
    case JV_FLOAT:
    case JV_SPACE:
    case JV_CALLABLE: break;
    }
    return run_fail(r, _("'%s' object is not iterable"), jv_type_name(of));
}

/* ---- Expressions -------------------------------------------------------- */

static struct jv eval(struct run *r, const struct node *n);
static void exec(struct run *r, const struct node *n);

static struct jv eval_binary(struct run *r, const struct node *n)
{
    struct jv a = eval(r, n->a);
    if (r->failed)
        return a;
    if (n->op == OP_AND)
        return jv_true(&a) ? eval(r, n->b) : a;
    if (n->op == OP_OR)
        return jv_true(&a) ? a : eval(r, n->b);
    struct jv b = eval(r, n->b);
    return r->failed ? b : run_apply(r, n->op, &a, &b);
}

static struct jv eval_unary(struct run *r, const struct node *n)
{
    struct jv a = eval(r, n->a);
    if (r->failed)
        return a;
    if (n->op == 'n')
        return jv_bool(!jv_true(&a));
    if (!jv_is_number(&a))
        return run_fail(r, _("bad operand type for unary %c: '%s'"),
                        (char)n->op, jv_type_name(&a));
    if (a.type == JV_FLOAT)
        return jv_float(n->op == '-' ? -a.f : a.f);
    int64_t i = (int64_t)jv_number(&a);
    return jv_int(n->op == '-' ? (int64_t)(0 - (uint64_t)i) : i);
}

static struct jv eval_list(struct run *r, const struct node *n)
{
    struct jv out = jv_list(&r->arena);
    for (size_t i = 0; i < n->n_kids && !r->failed; i++)
        if (!jv_push(&r->arena, out, eval(r, n->kids[i])))
            run_fail(r, "%s", _("out of memory"));
    out.tuple = n->tuple;
    return out;
}

static struct jv eval_dict(struct run *r, const struct node *n)
{
    struct jv out = jv_dict(&r->arena);
    for (size_t i = 0; i + 1 < n->n_kids && !r->failed; i += 2) {
        struct jv key = eval(r, n->kids[i]);
        jv_put(&r->arena, out, key, eval(r, n->kids[i + 1]));
    }
    return out;
}

/* A bound of a slice in a sequence of n, clamped as Python does. */
static int64_t bound(struct run *r, const struct node *at, int64_t n,
                     int64_t otherwise, int64_t low, int64_t high)
{
    if (!at)
        return otherwise;
    struct jv v = eval(r, at);
    if (v.type == JV_NONE)
        return otherwise;
    int64_t i = jv_is_number(&v) ? (int64_t)jv_number(&v) : 0;
    i += i < 0 ? n : 0;
    return i < low ? low : i > high ? high : i;
}

static struct jv eval_slice(struct run *r, const struct node *n)
{
    struct jv of = eval(r, n->a), step_v = n->d ? eval(r, n->d) : jv_int(1);
    if (r->failed)
        return of;
    if (of.type != JV_LIST && of.type != JV_STRING)
        return run_fail(r, _("'%s' object cannot be cut"),
                        jv_type_name(&of));
    bool text = of.type == JV_STRING;
    struct jv all = run_iterate(r, &of), out = jv_list(&r->arena);
    int64_t len = (int64_t)all.list->n;
    int64_t step = jv_is_number(&step_v) ? (int64_t)jv_number(&step_v) : 1;
    if (!step)
        return run_fail(r, "%s", _("a slice's step is zero"));
    bool up = step > 0;
    int64_t from = bound(r, n->b, len, up ? 0 : len - 1, up ? 0 : -1,
                         up ? len : len - 1);
    int64_t to = bound(r, n->c, len, up ? len : -1, up ? 0 : -1,
                       up ? len : len - 1);
    for (int64_t i = from; up ? i < to : i > to; i += step)
        jv_push(&r->arena, out, all.list->at[i]);
    out.tuple = of.tuple;
    if (!text)
        return out;
    struct buf b = BUF_INIT(JINJA_OUTPUT);
    for (size_t i = 0; i < out.list->n; i++)
        buf_add(&b, out.list->at[i].s, out.list->at[i].n);
    struct jv v = run_string(r, &b);
    buf_free(&b);
    return v;
}

static bool eval_args(struct run *r, const struct node *n, struct args *a)
{
    *a = (struct args){.n = n->n_kids, .n_named = n->n_named};
    a->at = arena_get(&r->arena, (a->n + 1) * sizeof *a->at);
    a->names = arena_get(&r->arena, (a->n_named + 1) * sizeof *a->names);
    a->values = arena_get(&r->arena, (a->n_named + 1) * sizeof *a->values);
    if (!a->at || !a->names || !a->values) {
        run_fail(r, "%s", _("out of memory"));
        return false;
    }
    for (size_t i = 0; i < a->n && !r->failed; i++)
        a->at[i] = eval(r, n->kids[i]);
    for (size_t i = 0; i < a->n_named && !r->failed; i++) {
        a->names[i] = n->named[i].name;
        a->values[i] = eval(r, n->named[i].value);
    }
    return !r->failed;
}

static struct jv run_call(struct run *r, const struct jv *f,
                          const struct args *a);

static struct jv eval_call(struct run *r, const struct node *n)
{
    struct jv f = eval(r, n->a);
    struct args a;
    if (r->failed || !eval_args(r, n, &a))
        return f;
    return run_call(r, &f, &a);
}

static struct jv eval_test(struct run *r, const struct node *n)
{
    struct args a;
    struct jv v = eval(r, n->a);
    if (r->failed || !eval_args(r, n, &a))
        return v;
    return jv_bool(lib_test(r, n->text, &v, &a) != n->no);
}

/* A filter over a value (of a chain's begin: what a body printed). */
static struct jv filter_over(struct run *r, const struct node *n,
                             struct jv of)
{
    struct args a;
    if (++r->nest > NEST)
        run_fail(r, "%s", _("it is nested too deeply"));
    if (n->a && !r->failed)
        of = filter_over(r, n->a, of);
    r->nest--;
    if (r->failed || !eval_args(r, n, &a))
        return of;
    return lib_filter(r, n->text, &of, &a);
}

static struct jv eval_filter(struct run *r, const struct node *n)
{
    struct args a;
    struct jv v = eval(r, n->a);
    if (r->failed || !eval_args(r, n, &a))
        return v;
    return lib_filter(r, n->text, &v, &a);
}

static struct jv eval_if_else(struct run *r, const struct node *n)
{
    struct jv c = eval(r, n->b);
    if (r->failed)
        return c;
    return jv_true(&c) ? eval(r, n->a)
           : n->c      ? eval(r, n->c)
                       : jv_undefined("if");
}

static struct jv eval_item(struct run *r, const struct node *n)
{
    struct jv of = eval(r, n->a);
    struct jv key = r->failed ? of : eval(r, n->b);
    return r->failed ? key : run_item(r, &of, &key);
}

static struct jv eval_kind(struct run *r, const struct node *n)
{
    struct jv v;
    switch (n->kind) {
    case NODE_VALUE: return n->value;
    case NODE_NAME: return look_up(r, n->text);
    case NODE_LIST: return eval_list(r, n);
    case NODE_DICT: return eval_dict(r, n);
    case NODE_ATTR:
        v = eval(r, n->a);
        return r->failed ? v : run_attr(r, &v, n->text);
    case NODE_ITEM: return eval_item(r, n);
    case NODE_SLICE: return eval_slice(r, n);
    case NODE_CALL: return eval_call(r, n);
    case NODE_FILTER: return eval_filter(r, n);
    case NODE_TEST: return eval_test(r, n);
    case NODE_UNARY: return eval_unary(r, n);
    case NODE_BINARY: return eval_binary(r, n);
    case NODE_IF_ELSE: return eval_if_else(r, n);
    case NODE_BODY ... NODE_CONTINUE: break; /* statements */
    }
    must(!"an expression");
    return jv_none();
}

static bool step(struct run *r, const struct node *n)
{
    if (r->failed)
        return false;
    r->line = n->line;
    if (++r->steps > JINJA_STEPS)
        run_fail(r, "%s", _("it goes on for too long"));
    else if (r->arena.used > ARENA_MOST - 4096)
        run_fail(r, "%s", _("out of memory"));
    return !r->failed;
}

/* One evaluation within others; false where they are too many. `leave` goes
 * with it in either case. */
static bool enter(struct run *r, const struct node *n)
{
    if (++r->nest > NEST)
        run_fail(r, "%s", _("it is nested too deeply"));
    return step(r, n);
}

static void leave(struct run *r)
{
    r->nest--;
}

static struct jv eval(struct run *r, const struct node *n)
{
    struct jv v = enter(r, n) ? eval_kind(r, n) : jv_undefined(NULL);
    leave(r);
    return v;
}

/* ---- Calls -------------------------------------------------------------- */

/* Runs a body with its output kept apart; the output. */
static struct jv capture(struct run *r, const struct node *body)
{
    struct buf own = BUF_INIT(JINJA_OUTPUT), *out = r->out;
    r->out = &own;
    exec(r, body);
    r->out = out;
    r->captured += own.len;
    struct jv v = r->captured > 4 * JINJA_OUTPUT || own.failed
                      ? run_fail(r, "%s", _("it prints too much"))
                      : run_string(r, &own);
    buf_free(&own);
    return v;
}

static struct jv call_macro(struct run *r, const struct jv_callable *c,
                            const struct args *a)
{
    const struct node *m = c->macro;
    struct frame *back = r->frame, *f = push_frame(r, c->scope);
    if (a->n > m->n_named)
        return run_fail(r, P_("%s takes not more than %zu argument",
                              "%s takes not more than %zu arguments",
                              m->n_named),
                        m->text ? m->text : "caller", m->n_named);
    if (++r->depth > CALL_DEPTH)
        return run_fail(r, "%s", _("calls are nested too deeply"));
    r->frame = f;
    for (size_t i = 0; i < m->n_named && !r->failed; i++) {
        struct jv missing = jv_undefined(m->named[i].name);
        struct jv v = arg(a, i, m->named[i].name, missing);
        bool given = i < a->n;
        for (size_t k = 0; k < a->n_named; k++)
            given = given || !strcmp(a->names[k], m->named[i].name);
        if (!given && m->named[i].value)
            v = eval(r, m->named[i].value);
        define(r, f, m->named[i].name, v);
    }
    struct jv caller = c->caller;
    for (size_t k = 0; k < a->n_named; k++)
        if (!strcmp(a->names[k], "caller"))
            caller = a->values[k];
    if (caller.type == JV_CALLABLE)
        define(r, f, "caller", caller);
    struct jv v = r->failed ? jv_none() : capture(r, m->c);
    r->broke = r->goes_on = false;
    r->frame = back;
    r->depth--;
    return v;
}

static struct jv run_call(struct run *r, const struct jv *f,
                          const struct args *a)
{
    if (f->type == JV_UNDEFINED)
        return run_fail(r, _("'%s' is undefined"), f->name ? f->name : "");
    if (f->type != JV_CALLABLE)
        return run_fail(r, _("'%s' object is not callable"),
                        jv_type_name(f));
    if (f->call->macro)
        return call_macro(r, f->call, a);
    return f->call->fn(r, &f->call->self, a);
}

static struct jv macro_value(struct run *r, const struct node *n)
{
    struct jv v = native(r, NULL, jv_none(), n->text);
    if (v.type == JV_CALLABLE) {
        v.call->macro = n;
        v.call->scope = r->frame;
    }
    return v;
}

/* ---- Statements --------------------------------------------------------- */

static void assign(struct run *r, const struct node *to, struct jv v)
{
    if (to->kind == NODE_NAME) {
        define(r, r->frame, to->text, v);
        return;
    }
    if (to->kind == NODE_ATTR) {
        struct jv of = eval(r, to->a);
        if (of.type != JV_SPACE)
            run_fail(r, "%s", _("only a namespace can be written to"));
        else
            jv_put(&r->arena, of, jv_borrow(to->text, strlen(to->text)), v);
        return;
    }
    struct jv all = run_iterate(r, &v);
    if (!r->failed && all.list->n != to->n_kids)
        run_fail(r, P_("%zu value for %zu names", "%zu values for %zu names",
                       all.list->n), all.list->n, to->n_kids);
    for (size_t i = 0; !r->failed && i < to->n_kids; i++)
        assign(r, to->kids[i], all.list->at[i]);
}

static struct jv loop_cycle(struct run *r, const struct jv *self,
                            const struct args *a)
{
    struct jv *i = jv_find_name(self, "index0");
    if (!a->n || !i)
        return run_fail(r, "%s", _("no items for cycling given"));
    return a->at[(size_t)i->i % a->n];
}

static struct jv loop_changed(struct run *r, const struct jv *self,
                              const struct args *a)
{
    struct jv now = jv_list(&r->arena), *last = jv_find_name(self, " last");
    for (size_t i = 0; i < a->n; i++)
        jv_push(&r->arena, now, a->at[i]);
    bool same = last && jv_equal(last, &now);
    jv_put(&r->arena, *self, jv_borrow(" last", 5), now);
    return jv_bool(!same);
}

static void put_name(struct run *r, struct jv d, const char *name,
                     struct jv v)
{
    jv_put(&r->arena, d, jv_borrow(name, strlen(name)), v);
}

/* The variable `loop` of round i among n. */
static void set_loop(struct run *r, struct jv loop, const struct jv_list *l,
                     size_t i)
{
    int64_t n = (int64_t)l->n, at = (int64_t)i;
    put_name(r, loop, "index", jv_int(at + 1));
    put_name(r, loop, "index0", jv_int(at));
    put_name(r, loop, "revindex", jv_int(n - at));
    put_name(r, loop, "revindex0", jv_int(n - at - 1));
    put_name(r, loop, "first", jv_bool(!i));
    put_name(r, loop, "last", jv_bool(at + 1 == n));
    put_name(r, loop, "length", jv_int(n));
    put_name(r, loop, "previtem", i ? l->at[i - 1] : jv_undefined("previtem"));
    put_name(r, loop, "nextitem",
             at + 1 < n ? l->at[i + 1] : jv_undefined("nextitem"));
}

/* What the loop's own condition lets through. */
static struct jv wanted(struct run *r, const struct node *n, struct jv all)
{
    struct frame *back = r->frame;
    struct jv out = jv_list(&r->arena);
    if (!n->filter)
        return all;
    for (size_t i = 0; !r->failed && i < all.list->n; i++) {
        r->frame = push_frame(r, back);
        assign(r, n->a, all.list->at[i]);
        struct jv keep = eval(r, n->filter);
        if (jv_true(&keep))
            jv_push(&r->arena, out, all.list->at[i]);
    }
    r->frame = back;
    return out;
}

static int64_t depth_of_loop(struct run *r)
{
    struct jv outer = look_up(r, "loop");
    struct jv *d = jv_find_name(&outer, "depth");
    return d ? d->i : 0;
}

static void exec_for(struct run *r, const struct node *n)
{
    struct jv of = eval(r, n->b);
    struct jv all = r->failed ? of : run_iterate(r, &of);
    struct frame *back = r->frame;
    if (r->failed)
        return;
    all = wanted(r, n, all);
    struct jv loop = jv_dict(&r->arena);
    int64_t depth = depth_of_loop(r) + 1;
    put_name(r, loop, "depth", jv_int(depth));
    put_name(r, loop, "depth0", jv_int(depth - 1));
    put_name(r, loop, "cycle", native(r, loop_cycle, loop, "cycle"));
    put_name(r, loop, "changed", native(r, loop_changed, loop, "changed"));
    for (size_t i = 0; i < all.list->n && !r->failed && !r->broke; i++) {
        r->frame = push_frame(r, back);
        set_loop(r, loop, all.list, i);
        define(r, r->frame, "loop", loop);
        assign(r, n->a, all.list->at[i]);
        exec(r, n->c);
        r->goes_on = false;
    }
    bool broke = r->broke;
    r->broke = false;
    r->frame = back;
    if (!all.list->n && !broke && n->d)
        exec(r, n->d);
}

static void exec_generation(struct run *r, const struct node *n)
{
    bool main = r->out == &r->result->text;
    struct jinja_span s = {r->out->len, 0};
    exec(r, n->c);
    s.to = r->out->len;
    if (main && s.to > s.from)
        VEC_PUSH(&r->result->spans, s);
}

static void exec_call_body(struct run *r, const struct node *n)
{
    struct args a;
    struct jv f = eval(r, n->a->a);
    if (r->failed || !eval_args(r, n->a, &a))
        return;
    struct jv caller = macro_value(r, n);
    if (f.type == JV_CALLABLE && f.call->macro) {
        struct jv_callable with = *f.call;
        with.caller = caller;
        struct jv v = call_macro(r, &with, &a);
        jv_print(&v, r->out);
    } else {
        struct jv v = run_call(r, &f, &a);
        jv_print(&v, r->out);
    }
}

static void exec_set_body(struct run *r, const struct node *n)
{
    struct frame *back = r->frame;
    r->frame = push_frame(r, back);
    struct jv v = capture(r, n->c);
    r->frame = back;
    if (n->filter && !r->failed)
        v = filter_over(r, n->filter, v);
    if (!r->failed)
        assign(r, n->a, v);
}

static void exec_with(struct run *r, const struct node *n)
{
    struct frame *back = r->frame, *f = push_frame(r, back);
    for (size_t i = 0; i < n->n_named && !r->failed; i++)
        define(r, f, n->named[i].name, eval(r, n->named[i].value));
    r->frame = f;
    exec(r, n->c);
    r->frame = back;
}

static void exec_if(struct run *r, const struct node *n)
{
    struct jv c = eval(r, n->a);
    if (r->failed)
        return;
    if (jv_true(&c))
        exec(r, n->b);
    else if (n->c)
        exec(r, n->c);
}

static void print(struct run *r, const struct node *n)
{
    struct jv v = eval(r, n->a);
    if (!r->failed)
        jv_print(&v, r->out);
}

static void filter_body(struct run *r, const struct node *n)
{
    struct frame *back = r->frame;
    r->frame = push_frame(r, back);
    struct jv v = capture(r, n->c);
    r->frame = back;
    if (!r->failed)
        v = filter_over(r, n->filter, v);
    if (!r->failed)
        jv_print(&v, r->out);
}

static void exec_kind(struct run *r, const struct node *n)
{
    switch (n->kind) {
    case NODE_BODY:
        for (size_t i = 0; i < n->n_kids && !r->failed; i++)
            exec(r, n->kids[i]);
        break;
    case NODE_TEXT: buf_add(r->out, n->text, n->n); break;
    case NODE_PRINT: print(r, n); break;
    case NODE_IF: exec_if(r, n); break;
    case NODE_FOR: exec_for(r, n); break;
    case NODE_SET: assign(r, n->a, eval(r, n->b)); break;
    case NODE_SET_BODY: exec_set_body(r, n); break;
    case NODE_MACRO: define(r, r->frame, n->text, macro_value(r, n)); break;
    case NODE_CALL_BODY: exec_call_body(r, n); break;
    case NODE_FILTER_BODY: filter_body(r, n); break;
    case NODE_WITH: exec_with(r, n); break;
    case NODE_GENERATION: exec_generation(r, n); break;
    case NODE_BREAK: r->broke = true; break;
    case NODE_CONTINUE: r->goes_on = true; break;
    case NODE_VALUE ... NODE_IF_ELSE: must(!"a statement");
    }
    if (r->out->failed)
        run_fail(r, "%s", _("it prints too much"));
}

static void exec(struct run *r, const struct node *n)
{
    if (enter(r, n) && !r->broke && !r->goes_on)
        exec_kind(r, n);
    leave(r);
}

bool jinja_render(const struct jinja *j, const char *variables, int64_t now,
                  struct jinja_out *out, struct err *e)
{
    struct run r = {.result = out, .out = &out->text, .now = now, .e = e};
    struct jv vars;
    *out = (struct jinja_out){.text = BUF_INIT(JINJA_OUTPUT)};
    bool ok = jv_load(&r.arena, variables, strlen(variables), &vars, e);
    if (ok && vars.type != JV_DICT)
        ok = err_set(e, ERR_INPUT, _("not an object"));
    if (ok) {
        r.frame = r.top = push_frame(&r, NULL);
        r.frame->vars = vars;
        exec(&r, j->tree);
    }
    arena_free(&r.arena);
    return ok && !r.failed;
}
