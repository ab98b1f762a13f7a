/* What a person sets up for the screen: the sections [ui] and [keys VIEW] of
 * the config, and `:set`. [defaults] is read by base/config.h.
 *
 *   [ui]
 *   diffmarks = auto     on, off; auto: where the theme and the terminal tell
 *                        what was taken out by colour alone
 *   ascii = auto         on, off; auto: where the terminal is not UTF-8
 *   emoji = safe         the pictures of a joined emoji side by side; joined:
 *                        as one in two cells, where the terminal does so
 *   mouse = off          on: the wheel moves, a click puts the cursor there
 *   hidden = on          hidden characters are shown as marks
 *   tour = on            the demonstration's tour
 *   unread = ask         before a text is accepted whose end was not on the
 *                        screen; mark: it is only said; off
 *   repeat = 150         the same deciding key again within so many ms is
 *                        dropped: a key that is held down decides once
 *   link = 0             what decides sooner than so many ms after the picture
 *                        is dropped: for slow lines
 *   theme = default      a file of data/themes or ~/.config/stillroom/themes
 *   [keys review]        or [keys all]
 *   w = reject wrong     a key is a command line
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

/* Values of words: their place among an option's words. */
enum { OPTION_OFF, OPTION_ON, OPTION_AUTO };
enum { EMOJI_SAFE, EMOJI_JOINED };
enum { UNREAD_ASK, UNREAD_MARK, UNREAD_OFF };

/* id, name, its words (NULL: a number of ms; none: the name of a theme), what
 * stands where nothing is set */
#define OPTIONS(X)                                                            \
    X(DIFFMARKS, "diffmarks", "off on auto", OPTION_AUTO)                     \
    X(ASCII, "ascii", "off on auto", OPTION_AUTO)                             \
    X(EMOJI, "emoji", "safe joined", EMOJI_SAFE)                              \
    X(MOUSE, "mouse", "off on", OPTION_OFF)                                   \
    X(HIDDEN, "hidden", "off on", OPTION_ON)                                  \
    X(TOUR, "tour", "off on", OPTION_ON)                                      \
    X(UNREAD, "unread", "ask mark off", UNREAD_ASK)                           \
    X(REPEAT, "repeat", NULL, 150)                                            \
    X(LINK, "link", NULL, 0)                                                  \
    X(THEME, "theme", "", 0)
#define OPTION_ID(id, ...) OPTION_##id,
enum option { OPTIONS(OPTION_ID) OPTION_COUNT };
#undef OPTION_ID

/* A key of a person's own: in which views, and the command that it means. */
struct own_key {
    unsigned views; /* bits, as in actions.def */
    char *key, *command;
};

struct options {
    int value[OPTION_COUNT];
    char theme[41];
    bool theme_set; /* and not shown yet */
    VEC(struct own_key) keys;
};

/* The defaults, then what the user's config says of them. After a mistake,
 * which is told with file and line, what stands above it holds. */
bool options_load(struct options *o, struct err *e);
void options_free(struct options *o);

/* Sets one by its name, from one of its words, a number or the name of a
 * theme that is there. */
bool options_set(struct options *o, const char *name, const char *value,
                 struct err *e);

/* What `text`, a beginning of "NAME VALUE", may go on with: *from is where the
 * word begins, lines are added to out. */
void options_complete(const char *text, size_t *from, struct buf *out);

/* The command of a person's own key in a view, NULL where there is none. */
const char *options_command(const struct options *o, int view,
                            const char *key);

#endif
