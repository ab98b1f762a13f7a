/* The terminal: started, given back, lent to other programs. The only place
 * that writes to it beside curses. */
#ifndef UI_TERM_H
#define UI_TERM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Starts curses on the terminal. False with a sentence where there is none,
 * or where $TERM is missing or cannot do it. */
bool term_start(struct err *e);
/* Gives the terminal back; safe to call twice. */
void term_stop(void);

/* After SIGWINCH: takes the new size. */
void term_resize(void);
/* Stops the process as ^Z does, and takes the terminal again afterwards. */
void term_suspend(void);

/* The next key that is there, as app_key names it ("a", "Space", "PgDn",
 * "^L"); pasted text comes as "Paste" with the text in *paste, which has
 * failed where it is too long. NULL where
 * nothing waits; *gone where the terminal is no more. */
const char *term_key(struct buf *paste, bool *gone);
/* What to poll. */
int term_fd(void);

/* Runs $VISUAL, $EDITOR or vi on the text in a private file. True with the
 * new text in *out (the editor's own final newline taken off); false with a
 * sentence (and the file kept where it holds something). The editor does not
 * see the variables in `drop` (NULL-ended). */
bool term_edit(const char *text, char *const drop[], struct buf *out,
               struct err *e);

/* What the larger multiplexers take in one sequence, as text. */
#define COPY_MAX ((size_t)512 << 10)
/* Sends text to the terminal's clipboard (OSC 52), its first COPY_MAX bytes;
 * returns how many. Under tmux and GNU screen it is wrapped so that they hand
 * it on. Whether the terminal takes it cannot be known. */
size_t term_copy(const char *text);

/* Listens to the mouse, or not; then "Click", "WheelUp" and "WheelDown" are
 * keys. Where the last one of them was. */
void term_mouse(bool on);
void term_pointer(int *y, int *x);

#endif
