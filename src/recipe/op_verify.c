/* Whether an answer is right, by a verifier (STaR: Zelikman 2022, 2203.14465;
 * SciGLM: Zhang 2024, 2401.07950: the answer behind the marker). */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "domain/verifier.h"
#include "recipe/load.h"
#include "recipe/op.h"
#include "recipe/read.h"

struct settings {
    bool fits; /* the rule that fits what is expected */
    enum verifier rule;
    char *answer, *expected; /* fields */
};

static bool load_rule(const json *j, struct settings *own, struct err *e)
{
    const char *names[VERIFY_COUNT + 1];
    int which = VERIFY_COUNT;
    for (int i = 0; i < VERIFY_COUNT; i++)
        names[i] = verifier_name((enum verifier)i);
    names[VERIFY_COUNT] = "fitting";
    if (json_get(j, "rule") &&
        !read_choice(j, "rule", names, VERIFY_COUNT + 1, &which, e))
        return false;
    own->fits = which == VERIFY_COUNT;
    own->rule = own->fits ? VERIFY_FINAL : (enum verifier)which;
    return true;
}

static bool load_field(const json *j, const char *key,
                       const struct tmpl_scope *scope, char **out,
                       struct err *e)
{
    return read_text(j, key, true, out, e) &&
           (scope->has(scope->ctx, *out, PH_COUNT_OF) ||
            err_set(e, ERR_INPUT, _("%s: the items have no field \"%.40s\""),
                    key, *out));
}

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    struct fields_of fields = {s, false};
    struct tmpl_scope scope = fields_scope(&fields);
    return load_rule(j, own, e) &&
           load_field(j, "answer", &scope, &own->answer, e) &&
           load_field(j, "expected", &scope, &own->expected, e);
}

static void unload(void *settings)
{
    struct settings *own = settings;
    free(own->answer);
    free(own->expected);
    free(own);
}

static void run(const struct recipe_step *s, const struct recipe_bindings *b,
                struct recipe_items *out)
{
    const struct settings *own = s->own;
    const char *answer = chain_get(b->chain, own->answer);
    const char *expected = chain_get(b->chain, own->expected);
    enum verifier rule = own->rule;
    struct err e = {0};
    if (!expected || !*expected) {
        op_miss(out, xstrdup(_("nothing says what is right")));
        return;
    }
    if ((own->fits && !verifier_fits(expected, &rule)) ||
        !verifier_usable(rule, expected, &e)) {
        op_miss(out, *e.text ? xstrdup(e.text)
                             : xstrdup(_("no rule can tell whether an answer "
                                         "to this is right")));
        return;
    }
    bool right = verifier_check(rule, expected, answer ? answer : "", NULL);
    field_put(op_add(out, NULL), "right", right ? "yes" : "no");
}

const struct op op_verify = {
    .name = "verify", .keys = "rule answer expected", .gives = "right",
    .load = load, .unload = unload, .run = run};
