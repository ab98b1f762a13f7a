/* The question for a reason, on rows 23 and 24: every key is seen at every
 * width; what does not fit are words, first of the keys that are always the
 * same. */
#include <curses.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "ui/ui.h"

#define MOST 40
#define WHOLE 100 /* cells that no word has */

struct item {
    char key[8], word[80];
    int words; /* cells of it that are shown; 0: the key alone */
    int row, x;
    enum style role;
};

struct asked {
    struct item at[MOST];
    size_t n, reasons; /* those come first, then what is always there */
};

static void list_items(const struct app *a, struct asked *q)
{
    static const char *const always[][2] = {{"x", N_("no reason")},
                                            {".", NULL},
                                            {"+", N_("new reason")},
                                            {"Esc", N_("keep it")}};
    const char *why = a->review.why;
    struct reason r;
    q->n = 0;
    while (q->n < MOST - COUNT(always) && reason_at(a, q->n, &r)) {
        struct item *o = &q->at[q->n++];
        *o = (struct item){.role = STYLE_ASKED};
        snprintf(o->key, sizeof o->key, "%c", r.key);
        snprintf(o->word, sizeof o->word, "%s", reason_label(r.name));
    }
    q->reasons = q->n;
    for (size_t i = 0; i < COUNT(always); i++) {
        const char *word = always[i][1];
        if (!word && !*why)
            continue;
        struct item *o = &q->at[q->n++];
        *o = (struct item){.role = STYLE_FACT};
        snprintf(o->key, sizeof o->key, "%s", always[i][0]);
        if (word)
            snprintf(o->word, sizeof o->word, "%s", _(word));
        else
            snprintf(o->word, sizeof o->word, _("%s again"),
                     reason_label(why));
    }
}

/* Gives each its place, from column `x` of the first row on, words of at most
 * so many cells; the keys that are always there begin the second row where
 * `apart`. False where two rows do not hold them. */
static bool flow(struct asked *q, int x, int reason_words, int other_words,
                 bool apart)
{
    int row = 0;
    for (size_t i = 0; i < q->n; i++) {
        struct item *o = &q->at[i];
        int w = cells_width(o->word);
        o->words = i < q->reasons ? reason_words : other_words;
        o->words = w < o->words ? w : o->words;
        w = cells_width(o->key) + (o->words ? 1 + o->words : 0);
        if (x + w > COLS - 1 || (apart && i == q->reasons && row == 0)) {
            row++;
            x = 1;
        }
        o->row = row;
        o->x = x;
        x += w + (o->words ? 2 : 1);
    }
    return row < 2;
}

/* The question's cells before the first key; 0 where there is no room. */
static int place(struct asked *q, const char *question)
{
    int x = 1 + cells_width(question) + 2;
    if (flow(q, x, WHOLE, WHOLE, true) || flow(q, x, WHOLE, WHOLE, false))
        return x;
    if (flow(q, 1, WHOLE, WHOLE, false) || flow(q, 1, WHOLE, 0, false))
        return 0;
    for (int words = 12; words > 0; words--)
        if (flow(q, 1, words, 0, false))
            return 0;
    flow(q, 1, 0, 0, false);
    return 0;
}

void reasons_row(const struct app *a, int row, int y)
{
    struct asked q;
    list_items(a, &q);
    int x = place(&q, a->ask.text);
    if (x && row == 0) {
        cells_put(y, 1, x - 3, STYLE_ASKED, a->ask.text);
        cells_blank(y, x - 2, 2, STYLE_ASKED);
    }
    for (size_t i = 0; i < q.n; i++) {
        const struct item *o = &q.at[i];
        if (o->row != row)
            continue;
        x = o->x + cells_put(y, o->x, COLS - o->x, o->role, o->key);
        cells_blank(y, x, o->words ? 1 : 0, o->role);
        if (o->words)
            x += 1 + cells_put(y, x + 1, o->words, o->role, o->word);
        if (i + 1 < q.n && q.at[i + 1].row == row)
            cells_blank(y, x, q.at[i + 1].x - x, o->role);
    }
}
