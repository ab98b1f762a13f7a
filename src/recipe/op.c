/* What steps do without a teacher, and how it is kept: as a reply of rows. */
#include "recipe/op.h"

#include <stdlib.h>

#include "base/mem.h"
#include "recipe/parser.h"

const struct op *const ops[] = {&op_vote, &op_verify, NULL};

struct recipe_item *op_add(struct recipe_items *out,
                           const struct recipe_item *like)
{
    struct recipe_item it = {.index = out->n};
    for (size_t i = 0; like && i < like->fields.n; i++)
        field_put(&it, like->fields.at[i].name, like->fields.at[i].text);
    VEC_PUSH(out, it);
    return &out->at[out->n - 1];
}

void op_miss(struct recipe_items *out, char *sentence)
{
    struct parse p = {.out = out};
    parse_miss(&p, sentence);
}

void recipe_do(const struct recipe_step *s, const struct recipe_bindings *b,
               struct recipe_items *out)
{
    *out = (struct recipe_items){0};
    s->op->run(s, b, out);
}

/* ---- As a reply ---------------------------------------------------------- */

void recipe_print(const struct recipe_items *items, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '[');
    for (size_t i = 0; i < items->n; i++) {
        const struct recipe_item *it = &items->at[i];
        jw_open(&w, '{');
        for (size_t k = 0; k < it->fields.n; k++)
            jw_kstr(&w, it->fields.at[k].name, it->fields.at[k].text);
        jw_close(&w);
    }
    jw_close(&w);
}

static void parse(struct parse *p, const char *s)
{
    json *j = json_parse(s, strlen(s), NULL);
    size_t place = 0;
    const json *rows = json_is_object(j) ? json_get(j, "rows") : j;
    for (const json *row = json_first(rows); row; row = json_next(row)) {
        struct recipe_item *it = parse_add(p, place++);
        for (const json *f = json_first(row); f; f = json_next(f))
            if (json_is_string(f))
                field_put(it, json_key(f), json_string(f));
    }
    json_free(j);
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    struct recipe_items one = {.at = (struct recipe_item *)(uintptr_t)it,
                               .n = 1};
    (void)s;
    (void)number;
    recipe_print(&one, out);
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)s;
    (void)prompt;
    (void)answer;
    return 0;
}

const struct parser parser_rows = {
    .name = "rows", .keys = "", .parse = parse, .write = write_item,
    .tokens = tokens};
