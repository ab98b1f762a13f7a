/* The only way text reaches the screen: sanitised, clustered, measured,
 * clipped, wrapped. Untrusted bytes come out as what they are or as a mark
 * (‹200B›), never as something that acts on the terminal.
 */
#ifndef UI_CELLS_H
#define UI_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/mem.h"

#define STYLE(id, ...) STYLE_##id,
enum style {
#include "ui/theme.def"
    STYLES
};
#undef STYLE

/* How a role looks: attributes (curses') without colours; a colour, -1 for the
 * terminal's own, and attributes with them. */
struct look {
    unsigned mono;
    short fg;
    unsigned attrs;
};
void cells_look(enum style role, const struct look *look);
/* Whether a reader tells two roles apart, and each from text, by what this
 * terminal shows of them beside colours. */
bool cells_tell(enum style a, enum style b);

/* A rectangle in cells. */
struct area {
    int y, x, h, w;
};

/* All that is drawn from now on stays in this rectangle; in the whole screen.
 * A cell outside of it is not drawn, and counted: there should be none. */
void cells_clip(struct area where);
void cells_clip_none(void);
long cells_refused(void);

/* Says how to draw: ASCII instead of Unicode, colours or none, and whether
 * hidden characters are shown as marks (else as one dot each). */
void cells_setup(bool ascii, bool colour);
void cells_show_hidden(bool on);
/* Every sign in ASCII from now on, or not. */
void cells_ascii(bool on);
/* Emoji of several joined pictures are one in two cells, as some terminals
 * show them; else their pictures stand side by side, as every one does. */
void cells_join_emoji(bool on);
bool cells_colour(void);

/* Puts one line at (y, x) in at most `width` cells; longer text ends in an
 * ellipsis, newlines become blanks. Returns the cells used. */
int cells_put(int y, int x, int width, enum style role, const char *text);
/* The same from a printf format. */
int cells_printf(int y, int x, int width, enum style role, const char *fmt,
                 ...) __attribute__((format(printf, 5, 6)));
/* Puts text so that it ends at column x + width - 1. */
void cells_right(int y, int x, int width, enum style role, const char *text);
/* `width` blanks in a role. */
void cells_blank(int y, int x, int width, enum style role);
/* A horizontal line of `width` cells. */
void cells_rule(int y, int x, int width);

/* Where the cursor is to stand once all is drawn. */
void cells_cursor(int y, int x);
/* Sends what was drawn, with the cursor there; hidden where it has no place. */
void cells_refresh(void);

/* Cells that a line of text takes when drawn. */
int cells_width(const char *text);

/* Text in several roles, to be wrapped. */
struct span {
    size_t end; /* byte offset behind it */
    enum style role;
};

struct rich {
    struct buf text;
    VEC(struct span) spans;
};

/* A line that a text makes: byte offsets of its start and end. */
struct wrapped {
    size_t from, to;
    int indent; /* cells before it: it goes on under the text of an item */
};

/* Adds text in a role, to its end or n bytes; frees all. */
void rich_add(struct rich *r, enum style role, const char *text);
void rich_add_n(struct rich *r, enum style role, const char *text, size_t n);
void rich_free(struct rich *r);
/* Puts every place where a text stands, but for case and accents, in the role
 * of a hit. */
void rich_mark(struct rich *r, const char *text);
/* Whether one of them is on a wrapped line. */
bool rich_has_mark(const struct rich *r, struct wrapped line);

/* The lines that a text makes in `width` cells. Breaks at blanks, within words
 * only where they are too long. What is wrapped of an indented line, or of one
 * that begins with a number or a dash ("1. ", "- "), stands under its text. */
typedef VEC(struct wrapped) wrapped_lines;
void rich_wrap(const struct rich *r, int width, wrapped_lines *out);
/* The column, in a wrapped line, of a byte of the text. */
int rich_column(const struct rich *r, struct wrapped line, size_t at);
/* Draws one wrapped line. */
void rich_draw(const struct rich *r, struct wrapped line, int y, int x,
               int width);

#endif
