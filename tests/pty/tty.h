/* A program on a pseudo-terminal of its own, under a shell-like session, and
 * the screen that it draws (libvterm). Nothing here sleeps: `tty_rest` waits
 * until the program has read every key and blocks in its main poll() again.
 *
 * Every byte the program sends passes a sieve that lets only the control
 * sequences of a screen program through; anything else is kept in `foreign`.
 */
#ifndef PTY_TTY_H
#define PTY_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

#include <vterm.h>

#include "base/buf.h"

#define TTY_ROWS 300
#define TTY_COLS 1000

struct cell {
    char text[28]; /* UTF-8; "" behind a wide one */
    char role;     /* see tty_cells */
};

struct tty {
    int rows, cols;
    int master, slave;      /* -1: hung up */
    int report, control;    /* pipes of the session */
    pid_t session, pid;     /* 0: not running */
    bool stopped, ended;
    int status;             /* of wait, where ended */
    long switches;          /* voluntary ones before the last write */
    struct termios before;  /* modes that the program found */
    VTerm *vt;
    size_t sent;            /* bytes since the mark */
    bool alternate, paste, hidden; /* modes that the program has set */
    char held[4096];        /* a sequence that has not ended */
    size_t n_held;
    char last;              /* the last character of one byte */
    struct buf copied;      /* base64: what it sent to the clipboard last */
    bool copying, skip;     /* within that; what is not handed on */
    int wrapped;            /* how often as a multiplexer's pass-through */
    char foreign[200];      /* the first foreign sequence, in hex */
};

/* Starts argv on a fresh terminal of t->cols by t->rows. Exits on failure. */
void tty_start(struct tty *t, char *const argv[]);
/* Ends what still runs and frees everything. */
void tty_end(struct tty *t);

void tty_write(struct tty *t, const char *s, size_t n);
void tty_resize(struct tty *t, int cols, int rows);
/* The line is gone: the master is closed. */
void tty_hang_up(struct tty *t);
/* As the shell's fg. */
void tty_continue(struct tty *t);

/* Takes what the program has sent within `ms`; false where nothing came. */
bool tty_read(struct tty *t, int ms);
/* Waits until the program rests (or ended, or stopped): the input queue is
 * empty, it has run since the last write, and it blocks in poll() on two
 * descriptors or more. False after `ms`. */
bool tty_rest(struct tty *t, int ms);

/* The screen, row by row: out[rows * cols]. Roles: `.` plain, b bold, d dim,
 * r reverse, H reverse and coloured, u underline, a letter for a colour
 * (R G Y B M C), or lower case where it is underlined too. */
void tty_cells(struct tty *t, struct cell *out);

#endif
