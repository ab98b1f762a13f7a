/* Operators of chat templates, with Python's meaning. */
#include <math.h>
#include <string.h>

#include "base/lang.h"
#include "model/token/jinja_run.h"

/* ---- Operators ---------------------------------------------------------- */

static struct jv no_operator(struct run *r, const char *op,
                             const struct jv *a, const struct jv *b)
{
    const struct jv *u = a->type == JV_UNDEFINED ? a : b;
    if (u->type == JV_UNDEFINED)
        return run_fail(r, _("'%s' is undefined"), u->name ? u->name : "");
    return run_fail(r, _("unsupported operand types for %s: '%s' and '%s'"),
                    op, jv_type_name(a), jv_type_name(b));
}

static struct jv repeat(struct run *r, const struct jv *s, int64_t n)
{
    struct buf b = BUF_INIT(JINJA_OUTPUT);
    for (int64_t i = 0; i < n && s->n; i++)
        if (!buf_add(&b, s->s, s->n))
            break;
    struct jv v = b.failed ? run_fail(r, "%s", _("out of memory"))
                           : run_string(r, &b);
    buf_free(&b);
    return v;
}

static struct jv joined_lists(struct run *r, const struct jv *a,
                              const struct jv *b)
{
    struct jv out = jv_list(&r->arena);
    for (size_t i = 0; i < a->list->n; i++)
        jv_push(&r->arena, out, a->list->at[i]);
    for (size_t i = 0; i < b->list->n; i++)
        jv_push(&r->arena, out, b->list->at[i]);
    return out;
}

static struct jv joined_texts(struct run *r, const struct jv *a,
                              const struct jv *b)
{
    struct buf out = BUF_INIT(JINJA_OUTPUT);
    jv_print(a, &out);
    jv_print(b, &out);
    struct jv v = out.failed ? run_fail(r, "%s", _("out of memory"))
                             : run_string(r, &out);
    buf_free(&out);
    return v;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

static struct jv whole(struct run *r, int op, int64_t a, int64_t b)
{
    int64_t out;
    bool over = false;
    switch (op) {
    case '+': over = __builtin_add_overflow(a, b, &out); break;
    case '-': over = __builtin_sub_overflow(a, b, &out); break;
    case '*': over = __builtin_mul_overflow(a, b, &out); break;
    case OP_POWER:
        out = 1;
        for (int64_t i = 0; i < b && !over; i++)
            over = i > 64 || __builtin_mul_overflow(out, a, &out);
        break;
    default:
        if (!b || (a == INT64_MIN && b == -1))
            return run_fail(r, "%s", _("division by zero"));
        out = op == '%' ? a - floor_div(a, b) * b : floor_div(a, b);
    }
    return over ? run_fail(r, "%s", _("a number is too large")) : jv_int(out);
}

static struct jv arithmetic(struct run *r, int op, const struct jv *a,
                            const struct jv *b)
{
    double x = jv_number(a), y = jv_number(b);
    bool both = a->type != JV_FLOAT && b->type != JV_FLOAT;
    if (both && op != '/' && !(op == OP_POWER && y < 0))
        return whole(r, op, a->type == JV_INT ? a->i : a->b,
                     b->type == JV_INT ? b->i : b->b);
    bool zero = !(y < 0 || y > 0);
    if (zero && (op == '/' || op == '%' || op == OP_FLOOR))
        return run_fail(r, "%s", _("division by zero"));
    switch (op) {
    case '+': return jv_float(x + y);
    case '-': return jv_float(x - y);
    case '*': return jv_float(x * y);
    case '/': return jv_float(x / y);
    case OP_FLOOR: return jv_float(floor(x / y));
    case '%': return jv_float(x - floor(x / y) * y);
    default: return jv_float(pow(x, y));
    }
}

/* 'text %s' % value: s, d, i and r are known. */
static struct jv percent(struct run *r, const struct jv *f,
                         const struct jv *v)
{
    struct buf b = BUF_INIT(JINJA_OUTPUT);
    size_t at = 0, n = v->type == JV_LIST && v->tuple ? v->list->n : 1;
    for (size_t i = 0; i < f->n && !r->failed; i++) {
        if (f->s[i] != '%' || f->s[i + 1] == '%') {
            buf_putc(&b, f->s[i]);
            i += f->s[i] == '%';
            continue;
        }
        const struct jv *x = v->type == JV_LIST && v->tuple
                                 ? &v->list->at[at < n ? at : 0] : v;
        if (at++ >= n || !strchr("sdir", f->s[++i]))
            run_fail(r, "%s", _("this format is not supported"));
        else if (f->s[i] == 'r')
            jv_repr(x, &b);
        else
            jv_print(x, &b);
    }
    struct jv out = run_string(r, &b);
    buf_free(&b);
    return out;
}

static bool contains(struct run *r, const struct jv *in, const struct jv *v)
{
    if (in->type == JV_STRING) {
        if (v->type != JV_STRING) {
            run_fail(r, _("'in <string>' requires string, not %s"),
                     jv_type_name(v));
            return false;
        }
        return !v->n || memmem(in->s, in->n, v->s, v->n);
    }
    if (in->type == JV_DICT)
        return jv_find(in, v) != NULL;
    struct jv all = run_iterate(r, in);
    for (size_t i = 0; !r->failed && i < all.list->n; i++)
        if (jv_equal(&all.list->at[i], v))
            return true;
    return false;
}

static struct jv compare(struct run *r, int op, const struct jv *a,
                         const struct jv *b)
{
    bool ok;
    if (op == OP_EQ || op == OP_NE)
        return jv_bool(jv_equal(a, b) == (op == OP_EQ));
    if (op == OP_IN || op == OP_NOT_IN)
        return jv_bool(contains(r, b, a) == (op == OP_IN));
    int c = jv_compare(a, b, &ok);
    if (!ok)
        return no_operator(r, "<", a, b);
    return jv_bool(op == '<'     ? c < 0
                   : op == '>'   ? c > 0
                   : op == OP_LE ? c <= 0
                                 : c >= 0);
}

struct jv run_apply(struct run *r, int op, const struct jv *a,
                    const struct jv *b)
{
    static const char *const names[] = {"//", "**"};
    char sign[2] = {(char)op, 0};
    if (op == '~')
        return joined_texts(r, a, b);
    if (op == '<' || op == '>' || op >= OP_EQ)
        return compare(r, op, a, b);
    if (jv_is_number(a) && jv_is_number(b))
        return arithmetic(r, op, a, b);
    if (op == '+' && a->type == JV_STRING && b->type == JV_STRING)
        return joined_texts(r, a, b);
    if (op == '+' && a->type == JV_LIST && b->type == JV_LIST)
        return joined_lists(r, a, b);
    if (op == '*' && a->type == JV_STRING && b->type == JV_INT)
        return repeat(r, a, b->i);
    if (op == '*' && a->type == JV_INT && b->type == JV_STRING)
        return repeat(r, b, a->i);
    if (op == '%' && a->type == JV_STRING)
        return percent(r, a, b);
    return no_operator(r, op < 256 ? sign : names[op - OP_FLOOR], a, b);
}
