/* Items to replies: the parsers backwards, for a teacher that is a program. */
#include "recipe/recipe.h"

static void write_triple(const struct recipe_step *s, size_t number,
                         const struct recipe_item *it, struct buf *out)
{
    buf_printf(out, "%zu. %s %s\n%s %s\n%s %s\n\n", number, s->fields[0],
               it->prompt, s->fields[1], it->input ? it->input : s->no_input,
               s->fields[2], it->answer);
}

static void write_answer(const struct recipe_step *s,
                         const struct recipe_item *it, struct buf *out)
{
    if (s->rationale)
        buf_printf(out, "%s\n%s ", it->reasoning ? it->reasoning : "",
                   s->marker);
    buf_puts(out, it->answer);
}

static void write_rating(const struct recipe_step *s,
                         const struct recipe_item *it, struct buf *out)
{
    buf_printf(out, "%c %s: %g - %s\n", (int)('A' + it->candidate),
               s->aspects[it->aspect].name, it->value,
               it->reason ? it->reason : "");
}

void recipe_write(const struct recipe_step *s, size_t n_demos,
                  const struct recipe_item *items, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (s->parser == PARSE_NUMBERED)
            buf_printf(out, "%zu. %s\n", n_demos + i + 1, items[i].prompt);
        else if (s->parser == PARSE_TRIPLES)
            write_triple(s, n_demos + i + 1, &items[i], out);
        else if (s->parser == PARSE_ANSWER)
            write_answer(s, &items[i], out);
        else
            write_rating(s, &items[i], out);
    }
}
