#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

struct note {
    char kind; /* p: pid, s: stopped, e: ended */
    int value;
};

static void die(const char *what)
{
    perror(what);
    exit(99);
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- The session: what a shell does ------------------------------------- */

static void tell(int fd, char kind, int value)
{
    struct note n;
    memset(&n, 0, sizeof n);
    n.kind = kind;
    n.value = value;
    if (write(fd, &n, sizeof n) < 0)
        _exit(98);
}

static void exec_program(char *const argv[])
{
    setpgid(0, 0);
    tcsetpgrp(0, getpid());
    signal(SIGTTOU, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    execv(argv[0], argv);
    _exit(127);
}

static void run_session(char *const argv[], int report, int control)
{
    int status;
    char c;
    signal(SIGTTOU, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    pid_t pid = fork();
    if (pid == 0)
        exec_program(argv);
    tell(report, 'p', pid);
    for (;;) {
        if (waitpid(pid, &status, WUNTRACED) < 0 && errno != EINTR)
            _exit(98);
        if (!WIFSTOPPED(status))
            break;
        tcsetpgrp(0, getpgrp());
        tell(report, 's', 0);
        if (read(control, &c, 1) != 1)
            kill(pid, SIGKILL);
        tcsetpgrp(0, pid);
        kill(-pid, SIGCONT);
    }
    tell(report, 'e', status);
    _exit(0);
}

static void open_terminal(struct tty *t)
{
    struct winsize w = {(unsigned short)t->rows, (unsigned short)t->cols, 0,
                        0};
    t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (t->master < 0 || grantpt(t->master) || unlockpt(t->master))
        die("pty");
    t->slave = open(ptsname(t->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (t->slave < 0 || ioctl(t->slave, TIOCSWINSZ, &w))
        die("pty");
    tcgetattr(t->slave, &t->before);
    fcntl(t->master, F_SETFL, O_NONBLOCK);
}

static void take_notes(struct tty *t)
{
    struct note n;
    struct pollfd p = {t->report, POLLIN, 0};
    while (!t->ended && poll(&p, 1, 0) > 0 &&
           read(t->report, &n, sizeof n) == sizeof n) {
        if (n.kind == 'p')
            t->pid = n.value;
        t->stopped = n.kind == 's';
        t->ended = n.kind == 'e';
        if (t->ended)
            t->status = n.value;
    }
}

void tty_start(struct tty *t, char *const argv[])
{
    int up[2], down[2];
    open_terminal(t);
    if (pipe2(up, O_CLOEXEC) || pipe2(down, O_CLOEXEC))
        die("pipe");
    t->session = fork();
    if (t->session == 0) {
        setsid();
        ioctl(t->slave, TIOCSCTTY, 0);
        dup2(t->slave, 0);
        dup2(t->slave, 1);
        dup2(t->slave, 2);
        close(t->slave);
        close(t->master); /* or the line could never go */
        run_session(argv, up[1], down[0]);
    }
    close(up[1]);
    close(down[0]);
    t->report = up[0];
    t->control = down[1];
    t->pid = 0;
    t->stopped = t->ended = false;
    t->switches = -1;
    t->sent = t->n_held = 0;
    t->alternate = t->paste = t->hidden = false;
    t->vt = vterm_new(t->rows, t->cols);
    vterm_set_utf8(t->vt, 1);
    vterm_screen_enable_altscreen(vterm_obtain_screen(t->vt), 1);
    vterm_screen_reset(vterm_obtain_screen(t->vt), 1);
    struct pollfd p = {t->report, POLLIN, 0};
    while (t->pid <= 0) { /* kill() of 0 would reach all of make check */
        if (poll(&p, 1, 60000) <= 0)
            die("the program's session");
        take_notes(t);
    }
}

void tty_hang_up(struct tty *t)
{
    close(t->master);
    close(t->slave);
    t->master = t->slave = -1;
}

void tty_end(struct tty *t)
{
    if (!t->session)
        return;
    if (t->pid > 0 && !t->ended)
        kill(t->pid, SIGKILL);
    close(t->control);
    waitpid(t->session, NULL, 0);
    close(t->report);
    if (t->master >= 0)
        tty_hang_up(t);
    vterm_free(t->vt);
    buf_free(&t->copied);
    t->session = t->pid = 0;
}

void tty_continue(struct tty *t)
{
    t->stopped = false;
    if (write(t->control, "c", 1) != 1)
        die("control");
}

/* ---- The sieve ---------------------------------------------------------- */

static void foreign(struct tty *t, const char *s, size_t n)
{
    size_t o = 0;
    if (*t->foreign)
        return;
    for (size_t i = 0; i < n && o + 4 < sizeof t->foreign; i++)
        o += (size_t)snprintf(t->foreign + o, sizeof t->foreign - o, "%02x ",
                              (unsigned char)s[i]);
}

static void set_mode(struct tty *t, const char *params, bool on)
{
    if (strstr(params, "?2004"))
        t->paste = on;
    if (strstr(params, "?1049"))
        t->alternate = on;
    if (strstr(params, "?25"))
        t->hidden = !on;
}

/* ESC [ ... final: true where a screen program may send it. */
static bool csi_is_ours(struct tty *t, const char *params, char final)
{
    if (final == 't')
        return !strcmp(params, "22;0;0") || !strcmp(params, "23;0;0");
    if (final == 'c') /* the shape of linux' cursor; else a question */
        return params[0] == '?';
    if (final == 'h' || final == 'l')
        set_mode(t, params, final == 'h');
    return strspn(params, "0123456789;?") == strlen(params) &&
           strchr("@ABCDGHIJKLMPSTXZbdfhlmr", final);
}

/* Repeats the last character; libvterm 0.1 goes wrong at the right edge. */
static void repeat(struct tty *t, int count)
{
    for (int i = 0; i < count && i < TTY_COLS; i++)
        vterm_input_write(t->vt, &t->last, 1);
}

/* libvterm 0.1 knows no dim; it is handed on as italic, which ours is not. */
static void hand_on(struct tty *t, const char *s, size_t n)
{
    char out[64];
    if (n == 1)
        t->last = *s;
    if (n > 2 && s[1] == '[' && s[n - 1] == 'b') {
        repeat(t, atoi(s + 2));
        return;
    }
    if (n < 3 || n > sizeof out || s[1] != '[' || s[n - 1] != 'm') {
        vterm_input_write(t->vt, s, n);
        return;
    }
    memcpy(out, s, n);
    for (size_t i = 2; i + 1 < n; i++) {
        bool starts = !(out[i - 1] >= '0' && out[i - 1] <= '9');
        bool whole = starts && (out[i + 1] == ';' || out[i + 1] == 'm');
        if (starts && (!strncmp(out + i, "38;", 3) ||
                       !strncmp(out + i, "48;", 3)))
            break;
        if (whole && out[i] == '2')
            out[i] = '3';
    }
    vterm_input_write(t->vt, out, n);
}

/* What a multiplexer is to hand on, around a sequence or a part of one. */
static size_t wrapping(struct tty *t, const char *s, size_t n)
{
    static const char tmux[] = "\033Ptmux;\033";
    size_t len = sizeof tmux - 1;
    t->skip = true;
    if (s[1] == '\\') {
        if (!t->wrapped)
            foreign(t, s, 2);
        return 2;
    }
    if (n < len && !memcmp(s, tmux, n))
        return 0;
    if (strncmp(s, tmux, len))
        len = 2; /* as for GNU screen */
    t->wrapped++;
    return len;
}

/* Within what goes to the clipboard: up to its end, or to a part's end. */
static size_t copied(struct tty *t, const char *s, size_t n)
{
    size_t len = 0;
    t->copied.max = (size_t)4 << 20;
    while (len < n && s[len] != '\a' && s[len] != '\033')
        len++;
    buf_add(&t->copied, s, len);
    if (len < n && s[len] == '\033' && len == 0) {
        if (n < 4) /* a part's end, and the next one's start */
            return 0;
        t->wrapped++;
        return 4;
    }
    t->copying = len == n || s[len] != '\a';
    return len + (len < n && s[len] == '\a');
}

/* The length of the escape sequence at the start of s; 0: it goes on. */
static size_t escape(struct tty *t, const char *s, size_t n)
{
    char params[32];
    if (n < 2)
        return 0;
    if (strchr("()", s[1]))
        return n < 3 ? 0 : 3;
    if (s[1] == 'P' || s[1] == '\\')
        return wrapping(t, s, n);
    if (n < 7 && !memcmp(s, "\033]52;c;", n))
        return 0;
    if (!strncmp(s, "\033]52;c;", 7)) {
        buf_clear(&t->copied);
        t->copying = t->skip = true;
        return 7;
    }
    if (s[1] == ']') {
        const char *end = memchr(s, '\a', n);
        if (!end)
            return n < sizeof t->held - 1 ? 0 : n;
        if (strncmp(s + 2, "104\a", 4))
            foreign(t, s, (size_t)(end - s) + 1);
        return (size_t)(end - s) + 1;
    }
    if (s[1] != '[') {
        if (!strchr("78=>MDEc", s[1]))
            foreign(t, s, 2);
        return 2;
    }
    size_t i = 2;
    while (i < n && s[i] >= 0x20 && s[i] < 0x40)
        i++;
    if (i == n)
        return n < sizeof params ? 0 : n;
    snprintf(params, sizeof params, "%.*s", (int)(i - 2), s + 2);
    if (!csi_is_ours(t, params, s[i]))
        foreign(t, s, i + 1);
    return i + 1;
}

/* C1, bidi, zero-width and tag characters; a list apart from the program's
 * own, so that they can disagree. */
static bool is_hidden(uint32_t cp)
{
    return (cp >= 0x80 && cp < 0xa0) || cp == 0xad || cp == 0x61c ||
           (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
           (cp >= 0xfe00 && cp <= 0xfe0f) || (cp >= 0xe000 && cp <= 0xf8ff) ||
           (cp >= 0xe0000 && cp <= 0xe0fff) || (cp & 0xfffe) == 0xfffe;
}

/* One character that is not an escape; 0: it goes on. */
static size_t plain(struct tty *t, const char *s, size_t n)
{
    uint32_t cp;
    unsigned char c = (unsigned char)*s;
    if (c < 0x80) {
        if (c == 0x7f || (c < 0x20 && !strchr("\r\n\b\t\016\017", c)))
            foreign(t, s, 1);
        return 1;
    }
    size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (n < want)
        return 0;
    size_t len = utf8_get(s, n, &cp);
    if (!len || is_hidden(cp))
        foreign(t, s, len ? len : 1);
    return len ? len : 1;
}

static void sieve(struct tty *t, const char *s, size_t n)
{
    char all[sizeof t->held + 65536];
    memcpy(all, t->held, t->n_held);
    memcpy(all + t->n_held, s, n);
    n += t->n_held;
    t->n_held = 0;
    for (size_t i = 0, len; i < n; i += len) {
        t->skip = t->copying;
        len = t->copying       ? copied(t, all + i, n - i)
              : all[i] == '\033' ? escape(t, all + i, n - i)
                               : plain(t, all + i, n - i);
        if (!len) {
            t->n_held = n - i < sizeof t->held ? n - i : sizeof t->held;
            memcpy(t->held, all + i, t->n_held);
            return;
        }
        if (!t->skip)
            hand_on(t, all + i, len);
    }
}

/* ---- Reading and writing ------------------------------------------------ */

bool tty_read(struct tty *t, int ms)
{
    char bytes[65536];
    struct pollfd p = {t->master, POLLIN, 0};
    take_notes(t);
    if (t->master < 0)
        p.fd = t->report;
    if (poll(&p, 1, ms) <= 0 || t->master < 0)
        return false;
    ssize_t n = read(t->master, bytes, sizeof bytes);
    if (n <= 0)
        return false;
    t->sent += (size_t)n;
    sieve(t, bytes, (size_t)n);
    return true;
}

/* A number behind NAME in /proc/PID/status; -1 where it is gone. */
static long proc_number(pid_t pid, const char *name)
{
    char path[64], line[200];
    long v = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && v < 0 && fgets(line, sizeof line, f))
        if (!strncmp(line, name, strlen(name)))
            v = atol(line + strlen(name));
    if (f)
        fclose(f);
    return v;
}

/* The program blocks in poll() on at least two descriptors. */
static bool in_main_poll(pid_t pid)
{
    char path[64], line[300] = "";
    long call = -1;
    unsigned long fds, n = 0;
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    if (!fgets(line, sizeof line, f) ||
        sscanf(line, "%ld %lx %lx", &call, &fds, &n) < 3)
        call = -1;
    fclose(f);
#ifdef SYS_poll
    if (call == SYS_poll)
        return n >= 2;
#endif
    return call == SYS_ppoll && n >= 2;
}

static void before_write(struct tty *t)
{
    t->switches = t->pid > 0 ? proc_number(t->pid, "voluntary_ctxt_switches:")
                             : -1;
}

static bool rests(struct tty *t)
{
    int queued = 0;
    struct pollfd p = {t->slave, POLLIN, 0};
    if (t->ended || t->stopped)
        return true;
    poll(&p, 1, 0); /* what was written is handed on, if it was not yet */
    if (t->slave < 0 || ioctl(t->slave, TIOCINQ, &queued) || queued)
        return false;
    return in_main_poll(t->pid) &&
           proc_number(t->pid, "voluntary_ctxt_switches:") > t->switches;
}

bool tty_rest(struct tty *t, int ms)
{
    int64_t end = now_ms() + ms;
    while (now_ms() < end) {
        bool came = tty_read(t, 1);
        if (!came && rests(t) && !tty_read(t, 2))
            return true;
    }
    return false;
}

void tty_write(struct tty *t, const char *s, size_t n)
{
    before_write(t);
    while (n && t->master >= 0 && !t->ended) {
        ssize_t done = write(t->master, s, n);
        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return;
        if (done > 0) {
            s += done;
            n -= (size_t)done;
        } else {
            tty_read(t, 5);
        }
    }
}

void tty_resize(struct tty *t, int cols, int rows)
{
    struct winsize w = {(unsigned short)rows, (unsigned short)cols, 0, 0};
    before_write(t);
    t->rows = rows;
    t->cols = cols;
    vterm_set_size(t->vt, rows > 0 ? rows : 1, cols > 0 ? cols : 1);
    ioctl(t->master, TIOCSWINSZ, &w);
}

/* ---- The screen --------------------------------------------------------- */

static char colour_of(const VTermScreenCell *c)
{
    static const char names[] = "kRGYBMCw";
    if (VTERM_COLOR_IS_DEFAULT_FG(&c->fg))
        return 0;
    if (VTERM_COLOR_IS_INDEXED(&c->fg) && c->fg.indexed.idx < 8)
        return names[c->fg.indexed.idx];
    return '?';
}

/* A blank shows nothing of its attributes but these two; whether the others
 * stand there depends on how it was written, as a space or by an erasure, and
 * on the library's mind about that. */
static char role_of(const VTermScreenCell *c, bool blank)
{
    if (blank && !c->attrs.reverse && !c->attrs.underline)
        return '.';
    char colour = colour_of(c);
    if (c->attrs.reverse)
        return colour ? 'H' : 'r';
    if (colour)
        return c->attrs.underline ? (char)(colour | 0x20) : colour;
    if (c->attrs.underline)
        return 'u';
    if (c->attrs.bold)
        return 'b';
    return c->attrs.italic ? 'd' : '.';
}

void tty_cells(struct tty *t, struct cell *out)
{
    VTermScreen *screen = vterm_obtain_screen(t->vt);
    for (int y = 0; y < t->rows; y++)
        for (int x = 0; x < t->cols; x++) {
            struct cell *o = &out[y * t->cols + x];
            VTermScreenCell c;
            VTermPos at = {y, x};
            size_t n = 0;
            memset(o, 0, sizeof *o);
            if (!vterm_screen_get_cell(screen, at, &c))
                continue;
            o->role = role_of(&c, !c.chars[0] || c.chars[0] == ' ');
            if (c.chars[0] == (uint32_t)-1)
                continue;
            for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && c.chars[i]; i++)
                n += utf8_put(o->text + n, c.chars[i]);
            if (!n)
                o->text[0] = ' ';
        }
}
