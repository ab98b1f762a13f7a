#include "ui/term.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/proc.h"
#include "base/sig.h"
#include "base/utf8.h"
#include "ui/cells.h"

#define PASTE_IDLE_MS 3000 /* a paste on a slow line stands still so long */
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define KEY_PASTE 01000
#define KEY_PASTE_END 01001
#define PASTE_MAX ((size_t)4 << 20)

/* In terminfo.c: the terminal can place its cursor. */
bool terminfo_can_move(const char *name);

static struct {
    bool on;
    SCREEN *screen;
    bool mouse;
    int y, x; /* of the mouse, when it last did something */
} term;

static void send(const char *s)
{
    fd_write_all(1, s, strlen(s));
}

static void set_modes(void)
{
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    meta(stdscr, TRUE);
    send(PASTE_ON);
}

static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR");
    return has_colors() && !(no && *no);
}

static void give_back(void *ctx, const char *why)
{
    (void)ctx;
    (void)why;
    term_stop();
}

bool term_start(struct err *e)
{
    const char *name = getenv("TERM");
    if (!isatty(0) || !isatty(1))
        return err_set(e, ERR_REFUSED, _("there is no terminal here; the "
                       "subcommands do the same work: see `stillroom "
                       "--help`"));
    if (!name || !*name)
        return err_set(e, ERR_REFUSED, _("$TERM is not set; the subcommands "
                       "do the same work: see `stillroom --help`"));
    if (!terminfo_can_move(name))
        return err_set(e, ERR_REFUSED, _("the terminal \"%s\" cannot place "
                       "its cursor; the subcommands do the same work: see "
                       "`stillroom --help`"), name);
    term.screen = newterm(NULL, stdout, stdin);
    if (!term.screen)
        return err_set(e, ERR_REFUSED, _("cannot start on the terminal "
                                         "\"%s\""), name);
    set_term(term.screen);
    term.on = true;
    last_act_add(give_back, &term);
    if (!getenv("ESCDELAY"))
        set_escdelay(25);
    set_modes();
    define_key("\033[200~", KEY_PASTE);
    define_key("\033[201~", KEY_PASTE_END);
    if (wants_colour()) {
        start_color();
        use_default_colors();
    }
    cells_setup(!lang_utf8(), wants_colour());
    sig_catch(SIGWINCH);
    return true;
}

void term_stop(void)
{
    if (!term.on)
        return;
    term.on = false;
    last_act_remove(&term);
    send(PASTE_OFF);
    endwin();
}

void term_resize(void)
{
    struct winsize w;
    if (ioctl(1, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0)
        resizeterm(w.ws_row, w.ws_col);
    clearok(curscr, TRUE);
}

static void take_back(void)
{
    reset_prog_mode();
    set_modes();
    term_resize();
    refresh();
}

void term_suspend(void)
{
    send(PASTE_OFF);
    endwin();
    kill(0, SIGTSTP);
    take_back();
}

int term_fd(void)
{
    return 0;
}

void term_mouse(bool on)
{
    if (on == term.mouse)
        return;
    term.mouse = on;
    mouseinterval(0);
    mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0,
              NULL);
}

void term_pointer(int *y, int *x)
{
    *y = term.y;
    *x = term.x;
}

/* ---- Keys --------------------------------------------------------------- */

static const char *special(int key)
{
    switch (key) {
    case KEY_UP: return "Up";
    case KEY_DOWN: return "Down";
    case KEY_LEFT: return "Left";
    case KEY_RIGHT: return "Right";
    case KEY_HOME: return "Home";
    case KEY_END: return "End";
    case KEY_PPAGE: return "PgUp";
    case KEY_NPAGE: return "PgDn";
    case KEY_BACKSPACE: return "Backspace";
    case KEY_DC: return "Delete";
    case KEY_ENTER: return "Enter";
    case KEY_BTAB: return "BackTab";
    default: return "?key"; /* one that nothing is bound to */
    }
}

static const char *mouse(void)
{
    MEVENT m;
    if (getmouse(&m) != OK)
        return "?key";
    term.y = m.y;
    term.x = m.x;
    return m.bstate & BUTTON4_PRESSED   ? "WheelUp"
           : m.bstate & BUTTON5_PRESSED ? "WheelDown"
                                        : "Click";
}

static const char *plain(wint_t c)
{
    static char name[8];
    switch (c) {
    case ' ': return "Space";
    case '\r':
    case '\n': return "Enter";
    case '\t': return "Tab";
    case 27:
    case 3: return "Esc";
    case 127:
    case 8: return "Backspace";
    default: break;
    }
    if (c < 32) {
        snprintf(name, sizeof name, "^%c", (int)c + 64);
        return name;
    }
    name[utf8_put(name, (uint32_t)c)] = '\0';
    return name;
}

/* Behind the opening mark: text up to the closing one. */
static void read_paste(struct buf *out)
{
    buf_clear(out);
    out->max = PASTE_MAX;
    for (int idle = 0; idle < PASTE_IDLE_MS;) {
        wint_t c;
        int rc = get_wch(&c);
        if (rc == KEY_CODE_YES && c == KEY_PASTE_END)
            return;
        if (rc == ERR) {
            napms(1);
            idle++;
            continue;
        }
        idle = 0;
        char utf8[4];
        if (rc == OK)
            buf_add(out, c == '\r' ? "\n" : utf8,
                    c == '\r' ? 1 : utf8_put(utf8, (uint32_t)c));
    }
}

/* Asked only where nothing could be read: a line that is gone polls as
 * readable too, for ever. */
static bool hung_up(void)
{
    struct pollfd p = {0, POLLIN, 0};
    return poll(&p, 1, 0) > 0 &&
           (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

const char *term_key(struct buf *paste, bool *gone)
{
    wint_t c;
    int rc = get_wch(&c);
    if (rc == ERR) {
        *gone = *gone || hung_up();
        return NULL;
    }
    if (rc == KEY_CODE_YES && c == KEY_PASTE) {
        read_paste(paste);
        return "Paste";
    }
    if (rc == KEY_CODE_YES && c == KEY_MOUSE)
        return mouse();
    if (rc == KEY_CODE_YES)
        return special((int)c);
    return plain(c);
}

/* ---- The editor --------------------------------------------------------- */

/* A private folder for the file: the runtime folder, else our state folder;
 * made 0700. The caller frees. */
static char *edit_dir(struct err *e)
{
    char *dir = paths_runtime();
    if (!dir)
        dir = paths_state("edit");
    if (!dir) {
        err_set(e, ERR_SYSTEM, _("there is no home folder for a file to "
                                 "edit"));
        return NULL;
    }
    if (dir_make(dir, 0700, e))
        return dir;
    free(dir);
    return NULL;
}

static int run_editor(const char *path, char *const drop[], struct err *e)
{
    const char *line = getenv("VISUAL");
    if (!line || !*line)
        line = getenv("EDITOR");
    if (!line || !*line)
        line = "vi";
    char **words = proc_split(line);
    if (!words) {
        err_set(e, ERR_USAGE, _("$EDITOR has an open quote: %s"), line);
        return -1;
    }
    VEC(const char *) argv = {0};
    for (size_t i = 0; words[i]; i++)
        VEC_PUSH(&argv, words[i]);
    VEC_PUSH(&argv, path);
    VEC_PUSH(&argv, NULL);
    struct proc p = {.argv = argv.at, .search = true, .in = -2, .out = -2,
                     .err = -2, .drop_env = (const char *const *)drop};
    send(PASTE_OFF);
    endwin();
    pid_t pid = proc_start(&p, e);
    int status = pid > 0 ? proc_wait(pid) : -1;
    take_back();
    VEC_FREE(&argv);
    proc_free_argv(words);
    return status;
}

static bool read_back(const char *path, struct buf *out, struct err *e)
{
    if (!file_read(path, (size_t)16 << 20, out, e))
        return false;
    if (out->len && utf8_check(out->data, out->len) < out->len)
        return err_set(e, ERR_INPUT, _("the editor left bytes that are not "
                                       "UTF-8; see %s"), path);
    if (out->len && memchr(out->data, '\0', out->len))
        return err_set(e, ERR_INPUT, _("the editor left a NUL character; see "
                                       "%s"), path);
    if (out->len && out->data[out->len - 1] == '\n')
        buf_drop(out, 1);
    return true;
}

bool term_edit(const char *text, char *const drop[], struct buf *out,
               struct err *e)
{
    char *dir = edit_dir(e);
    if (!dir)
        return false;
    char *path = xasprintf("%s/text-%ld.txt", dir, (long)getpid());
    bool ok = file_replace(path, text, strlen(text), 0600, false, e);
    int status = ok ? run_editor(path, drop, e) : -1;
    if (ok && status > 0)
        ok = err_set(e, ERR_INPUT, _("the editor ended with %d; nothing "
                                     "changed, see %s"), status, path);
    else if (status < 0)
        ok = false;
    ok = ok && read_back(path, out, e);
    if (ok) {
        unlink(path);
        rmdir(dir);
    }
    free(path);
    free(dir);
    return ok;
}

/* ---- The clipboard ------------------------------------------------------ */

/* The sequence that asks for it: base64 between OSC 52 and BEL. */
static void put_osc52(struct buf *b, const char *text, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                 "qrstuvwxyz0123456789+/";
    buf_puts(b, "\033]52;c;");
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)(unsigned char)text[i] << 16;
        if (i + 1 < n)
            v |= (unsigned)(unsigned char)text[i + 1] << 8;
        if (i + 2 < n)
            v |= (unsigned char)text[i + 2];
        buf_putc(b, digits[v >> 18]);
        buf_putc(b, digits[v >> 12 & 63]);
        buf_putc(b, i + 1 < n ? digits[v >> 6 & 63] : '=');
        buf_putc(b, i + 2 < n ? digits[v & 63] : '=');
    }
    buf_puts(b, "\a");
}

/* For tmux as itself, which takes it where its set-clipboard is on, and once
 * more as what it hands on where its allow-passthrough is. */
static void wrap_for_tmux(struct buf *out, const struct buf *osc)
{
    buf_add(out, buf_str(osc), osc->len);
    buf_puts(out, "\033Ptmux;\033");
    buf_add(out, buf_str(osc), osc->len);
    buf_puts(out, "\033\\");
}

/* GNU screen hands on strings of 768 bytes at most. */
static void wrap_for_screen(struct buf *out, const struct buf *osc)
{
    enum { PART = 700 };
    for (size_t i = 0; i < osc->len; i += PART) {
        size_t n = osc->len - i < PART ? osc->len - i : PART;
        buf_puts(out, "\033P");
        buf_add(out, buf_str(osc) + i, n);
        buf_puts(out, "\033\\");
    }
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

size_t term_copy(const char *text)
{
    struct buf osc = BUF_INIT(2 * COPY_MAX), out = BUF_INIT(4 * COPY_MAX);
    size_t n = strlen(text);
    n = n > COPY_MAX ? COPY_MAX : n;
    while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--; /* a character is sent whole */
    put_osc52(&osc, text, n);
    if (is_set("TMUX"))
        wrap_for_tmux(&out, &osc);
    else if (is_set("STY"))
        wrap_for_screen(&out, &osc);
    else
        buf_add(&out, buf_str(&osc), osc.len);
    send(buf_str(&out));
    buf_free(&osc);
    buf_free(&out);
    return n;
}
