/* Replies as larger models give them, each with what it has to be read as. */
#include "unit/test.h"

#include <dirent.h>

#include "base/file.h"
#include "base/mem.h"
#include "domain/schema.h"
#include "recipe/parser.h"
#include "unit/replies.h"

/* ---- Stored replies ------------------------------------------------------ */

/* One of them: what it is read with. */
struct stored {
    struct recipe *r;
    struct recipe_bindings b;
    struct recipe_chain chain;
    struct recipe_item above; /* what the step was asked for */
    size_t order[RECIPE_CANDIDATES];
};

static void bind(const json *want, struct stored *x)
{
    const json *order = json_get(want, "order");
    for (const json *v = json_first(order); v; v = json_next(v))
        x->order[x->b.n_candidates++] = (size_t)json_number(v, 0);
    x->b.order = order ? x->order : NULL;
    const json *above = json_get(want, "above");
    for (const json *v = json_first(above); v; v = json_next(v))
        field_put(&x->above, json_key(v), json_string(v));
    x->chain = (struct recipe_chain){.item = &x->above};
    x->b.chain = &x->chain;
}

/* What is not as it should be, as a text; "" where all is. */
static char *difference(const json *want, const struct recipe_items *got)
{
    struct buf b = BUF_INIT(0);
    const json *items = json_get(want, "items"), *v = json_first(items);
    const json *missing = json_get(want, "missing"), *m = json_first(missing);
    if (json_count(items) != got->n)
        buf_printf(&b, "  %zu items instead of %zu\n", got->n,
                   json_count(items));
    for (size_t i = 0; i < got->n && v; i++, v = json_next(v)) {
        for (size_t k = 0; k < got->at[i].fields.n; k++) {
            const struct recipe_field *f = &got->at[i].fields.at[k];
            const char *text = json_get_string(v, f->name, NULL);
            if (!text || strcmp(text, f->text))
                buf_printf(&b, "  %s: \"%s\" instead of \"%s\"\n", f->name,
                           f->text, text ? text : "(nothing)");
        }
        for (const json *f = json_first(v); f; f = json_next(f))
            if (!field_get(&got->at[i], json_key(f)))
                buf_printf(&b, "  no %s\n", json_key(f));
    }
    for (size_t i = 0; i < got->n_missing; i++, m = m ? json_next(m) : m)
        if (!m || strcmp(json_string(m), got->missing[i]))
            buf_printf(&b, "  said: %s\n", got->missing[i]);
    for (; m; m = json_next(m))
        buf_printf(&b, "  not said: %s\n", json_string(m));
    return buf_take(&b);
}

/* Whether what is written of the items is read as the same items. */
static bool survives(struct stored *x, const char *reply, const char *finish)
{
    struct recipe_items once, twice;
    struct buf written = BUF_INIT(0);
    const struct recipe_step *s = &x->r->steps[0];
    x->b.order = NULL; /* what is written names the places shown */
    recipe_parse(s, &x->b, reply, finish, &once);
    recipe_write(s, 0, once.at, once.n, &written);
    recipe_parse(s, &x->b, buf_str(&written), "stop", &twice);
    bool same = once.n == twice.n;
    for (size_t i = 0; same && i < once.n; i++) {
        const struct recipe_item *a = &once.at[i], *b = &twice.at[i];
        same = a->fields.n == b->fields.n;
        for (size_t k = 0; same && k < a->fields.n; k++) {
            const char *text = field_get(b, a->fields.at[k].name);
            same = text && !strcmp(text, a->fields.at[k].text);
        }
    }
    if (!same)
        print_message("  written: %s\n", buf_str(&written));
    recipe_items_free(&once);
    recipe_items_free(&twice);
    buf_free(&written);
    return same;
}

/* Reads the reply NAME.txt as NAME.json wants it; the difference. *refused
 * says that no item is wanted. */
static char *read_one(const char *parser, const char *name, bool *refused)
{
    struct err e = {0};
    struct stored x = {0};
    struct recipe_items got;
    struct buf reply = BUF_INIT(0);
    char *path = replies_path(parser, name, ".txt");
    assert_ok(file_read(path, 1 << 20, &reply, &e), e);
    free(path);
    path = replies_path(parser, name, ".json");
    json *want = json_load(path, 1 << 16, &e);
    assert_ok(want, e);
    free(path);
    *refused = !json_count(json_get(want, "items"));
    bind(want, &x);
    x.r = replies_recipe(parser, json_get(want, "step"));
    recipe_parse(&x.r->steps[0], &x.b, buf_str(&reply),
                 json_get_string(want, "finish", "stop"), &got);
    char *text = difference(want, &got);
    if (!*text && !survives(&x, buf_str(&reply),
                            json_get_string(want, "finish", "stop"))) {
        free(text);
        text = xstrdup("  what is written is not read again\n");
    }
    recipe_items_free(&got);
    recipe_free(&x.r);
    fields_free(&x.above);
    json_free(want);
    buf_free(&reply);
    return text;
}

static int replies_only(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 4 && !strcmp(d->d_name + n - 4, ".txt");
}

/* Of each row of the table: at least 12 replies, of which 95 in a hundred are
 * read as they should be, and all that have to be refused are; what is written
 * of the items is read again. */
static void stored_replies_are_read(void **state)
{
    (void)state;
    size_t bad = 0;
    for (size_t i = 0; parsers[i]; i++) {
        const char *parser = parsers[i]->name;
        struct dirent **found;
        char *dir = replies_path(parser, "", "");
        int n = scandir(dir, &found, replies_only, alphasort), right = 0;
        free(dir);
        for (int k = 0; k < n; k++) {
            bool refused;
            char *name = xstrndup(found[k]->d_name,
                                  strlen(found[k]->d_name) - 4);
            char *text = read_one(parser, name, &refused);
            if (*text)
                print_message("%s/%s:\n%s", parser, name, text);
            right += !*text;
            bad += refused && *text;
            free(text);
            free(name);
            free(found[k]);
        }
        if (n >= 0)
            free(found);
        print_message("%s: %d of %d\n", parser, right, n);
        bad += n < 12 || right * 100 < n * 95;
    }
    assert_int_equal(bad, 0);
}

/* ---- Schemas ------------------------------------------------------------- */

/* What a schema says of a value: "" where it is right. */
static void says(const char *schema, const char *value, const char *want)
{
    struct err e = {0};
    json *s = json_parse(schema, strlen(schema), &e);
    json *v = json_parse(value, strlen(value), &e);
    assert_true(s && v);
    assert_ok(schema_usable(s, &e), e);
    assert_true(schema_check(s, v, &e) == !*want);
    assert_string_equal(e.text, want);
    json_free(s);
    json_free(v);
}

static void schema_refused(const char *schema, const char *want)
{
    struct err e = {0};
    json *s = json_parse(schema, strlen(schema), &e);
    assert_false(schema_usable(s, &e));
    assert_string_equal(e.text, want);
    json_free(s);
}

static void schemas_name_the_place(void **state)
{
    (void)state;
    says("{}", "[1]", "");
    says("{\"type\":\"integer\"}", "3.0", "");
    says("{\"type\":\"integer\"}", "3.5", "expected a whole number");
    says("{\"type\":\"number\"}", "true", "expected a number");
    says("{\"type\":[\"string\",\"null\"]}", "null", "");
    says("{\"type\":[\"string\",\"null\"]}", "1",
         "a value of another kind than expected");
    says("{\"required\":[\"a\",\"b\"]}", "{\"a\":1}", "\"b\" is missing");
    says("{\"required\":[\"a\"]}", "[]", "");
    says("{\"items\":{\"properties\":{\"a\":{\"type\":\"array\","
         "\"items\":{\"type\":\"boolean\"}}}}}",
         "[{\"a\":[true]},{\"a\":[true,1]}]",
         "/1/a/1: expected true or false");
    says("{\"properties\":{\"a\":{}},\"additionalProperties\":false}",
         "{\"a\":1,\"b\":2}", "unknown key \"b\"");
    says("{\"properties\":{\"a\":{}},"
         "\"additionalProperties\":{\"minimum\":3}}",
         "{\"a\":1,\"b\":2}", "/b: less than 3");
    says("{\"enum\":[{\"a\":1,\"b\":[2]},\"x\"]}", "{\"b\":[2.0],\"a\":1}",
         "");
    says("{\"enum\":[\"x\"]}", "\"y\"",
         "not among the values that it may have");
    says("{\"minimum\":2,\"maximum\":2}", "2", "");
    says("{\"maximum\":2}", "2.5", "more than 2");
    says("{\"minimum\":2}", "\"1\"", "");
    says("{\"minLength\":2,\"maxLength\":3}", "\"\u00e9\u00e9\u00e9\"", "");
    says("{\"maxLength\":2}", "\"\u00e9\u00e9\u00e9\"",
         "longer than 2 characters");
    says("{\"minLength\":2}", "\"a\"", "shorter than 2 characters");
    says("{\"minItems\":1,\"maxItems\":2}", "[1,2]", "");
    says("{\"minItems\":1}", "[]", "fewer than 1 elements");
    says("{\"maxItems\":1}", "[1,2]", "more than 1 elements");
    schema_refused("{\"pattern\":\"a\"}", "unknown keyword \"pattern\"");
    schema_refused("[]", "not an object");
    schema_refused("{\"items\":{\"properties\":{\"a\":{\"minItems\":-1}}}}",
                   "/items/properties/a: minItems: expected a whole number "
                   "from 0");
    schema_refused("{\"additionalProperties\":{\"enum\":[]}}",
                   "/additionalProperties: enum: expected a list of values");
    schema_refused("{\"required\":[1]}",
                   "required: expected a list of names");
    schema_refused("{\"minimum\":\"1\"}", "minimum: expected a number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_replies_are_read),
        cmocka_unit_test(schemas_name_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
