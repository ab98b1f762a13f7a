/* The screen: one struct of operations a view, one place that paints. */
#ifndef UI_UI_H
#define UI_UI_H

#include "app/app.h"
#include "ui/cells.h"
#include "ui/columns.h"

/* What a view draws, from the app's state alone: nothing is read, asked or
 * sent while it is drawn. */
struct view_ops {
    /* Row 2: where am I. */
    void (*where)(struct app *a, int y, int x, int w);
    /* The list's columns. */
    struct list_look list;
    /* The item under the cursor; NULL: the list has the whole height. */
    void (*item)(struct app *a, struct area where);
    bool stacked; /* never beside the list */
    /* Rows of the list on a screen of `rows` rows. */
    int (*list_rows)(int rows);
    /* Draws rows 3 to 22 itself, in place of list and item; or NULL. */
    void (*whole)(struct app *a, struct area where);
    /* Names of the actions on row 24, in order of importance; the last one
     * is kept at the right. */
    const char *footer;
};

/* What is drawn of a view. */
const struct view_ops *view_ops(enum view_id v);

extern const struct view_ops view_targets, view_seeds, view_review,
    view_rank, view_runs, view_export, view_lineage, view_help, view_messages;

/* Row 0 or 1 of the question for a reason, which every key of it is on. */
void reasons_row(const struct app *a, int row, int y);

struct store;
/* Runs the screen on a store (taken) until the person leaves; `tour` shows
 * the demo's; `notes` are lines for the messages, the last of which stands on
 * row 23. Returns the exit code. */
int ui_run(struct store *s, const char *who, bool tour, const char *notes);

/* Paints the whole screen from the app's state into curses' window, after
 * reading what is to be drawn of the list. */
void ui_paint(struct app *a);
/* Paints row 23 alone. */
void ui_said(struct app *a);

/* Draws the open form in the item's place, and its buttons on a row. */
void form_draw(const struct form *f, struct area where);
void form_buttons(const struct form *f, int y, int w);

/* What it would come to in one row, where there is no room below the fields. */
void form_line(const struct form *f, int y, int w);

/* Row 24 while a form is open: what was said of it last, else its keys. */
void form_hint(const struct form *f, const char *said, int y);

/* ---- Parts that views share --------------------------------------------- */

/* One line of the gutter: a label or fact at its left, a fact at its right.
 * The strings are borrowed until the item is drawn. */
struct gut {
    enum style role;
    char left[48], right[24];
    enum style mark_role; /* of the first character of left */
};

#define GUTS 16

/* A part of an item: facts in the gutter, the reader's text beside. */
struct part {
    struct gut guts[GUTS];
    int n_guts;
    struct gut feet[2]; /* in its last rows, however tall it is drawn */
    int n_feet;
    struct rich body;
    wrapped_lines lines;
    int scroll;
};

void part_free(struct part *p);
/* Adds a gutter line; either text may be NULL. */
void part_gut(struct part *p, enum style role, const char *left,
              const char *right);
void part_gutf(struct part *p, enum style role, const char *right,
               const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A mark (✓ ! ✗ ~ ·) in its own role in front of a fact. */
void part_mark(struct part *p, enum style mark, const char *text,
               const char *right);

#define GUTTER 17 /* the column of its edge */

/* Adds a line at the gutter's end. */
void part_foot(struct part *p, const char *left, const char *right);
/* The foot that says how many rows are left of a text that scrolls. */
void part_more(const struct app *a, struct part *p, int rows);

/* Wraps the body for an area `w` wide; returns the rows it needs. */
int part_measure(struct part *p, int w);
/* Draws `h` rows at (y, x); `w` is the area's width. */
void part_draw(struct part *p, int y, int x, int h, int w);
/* Why an item's area has nothing in it, and which keys would change that:
 * behind the gutter, on a narrow screen from its edge, in as many rows as it
 * takes. */
void draw_nothing(struct area w, const char *sentence);
/* Row 2: facts that stand three blanks apart; where they do not fit the last
 * ones are left out whole, and only the first is ever cut. Returns the cells
 * used. */
int put_facts(int y, int x, int w, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The rule between two parts. */
void part_rule(int y, int x);
/* Draws parts, measured, under each other as one text that scrolls, rules
 * between them; a foot says how many rows are left. */
void stack_draw(struct app *a, struct part *parts, size_t n, struct area w);
/* The same of parts that stay where they are. */
void stack_still(struct app *a, struct part *parts, size_t n, struct area w);
/* The rows that they need so, as they were measured for `w` cells. */
int stack_measure(struct part *parts, size_t n, int w);
/* The rule between list and item; `end` is its last: ┬ or ┴. */
void cross_rule(int y, int x, int w, bool bottom);

/* Marks what was searched in a part, before it is measured; tells the app on
 * which rows of the text that scrolls it stands, of which this part begins at
 * row `top`. */
void part_find(const struct app *a, struct part *p);
void part_hits(struct app *a, const struct part *p, int top);
/* Tells the app how many rows of a text there are and how many are seen, and
 * clamps how far it is scrolled; returns that. */
int text_scrolls(struct app *a, int rows, int total);
/* The line on which a byte of a wrapped text stands, and its column. */
int cursor_line(const struct rich *r, const wrapped_lines *lines, size_t at,
                int *column);

/* Adds a prompt (canonical messages): its last turn, of earlier ones how many
 * there are, or all of them where the item is zoomed. */
void add_prompt(const struct app *a, const char *prompt, struct rich *to);
/* Adds what was thought before Review's answer: one line that says how much,
 * and where it is open the text behind it. */
void add_thinking(const struct app *a, struct rich *to);
/* Two texts to compare, and what each is called. */
struct compared {
    const char *a, *b, *a_name, *b_name;
};
/* Whether diffs have marks: where there is no colour, or as :set diffmarks. */
bool diff_marks(const struct app *a);
/* Adds their word diff, or both where they share little. */
void add_diff(struct rich *r, const struct compared *c, bool marks);

/* "+1.5" as ".80" or ",80": two decimals without a zero in front. */
const char *short_figure(char *out, size_t cap, double v);
/* The same of near, as "≈.80" where it is approximate. */
const char *near_figure(char *out, size_t cap, double v, bool approximate);
/* A count with the language's signs. */
const char *count_text(char *out, size_t cap, int64_t n);
/* "3 of 137": where the cursor of a list stands, "3 of ?" where nobody counted
 * its rows. */
const char *position_text(char *out, size_t cap, const struct list *l);

#endif
