/* Drives a program on a pseudo-terminal by a script, and judges its screen.
 *
 *   drive [-g FOLDER] [-k VARIANT] [-s COLSxROWS] [-e NAME=VALUE]... SCRIPT
 *
 * One command a line; `#` begins a comment line. The commands stand in one
 * table at the end of this file, each with its words. Goldens are compared
 * with FOLDER/SCRIPT.VARIANT.txt, one section a name; UPDATE=1 writes them.
 */
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "tty.h"

#define REST_MS 20000
#define SLOTS 32

static struct drive {
    struct tty tty;
    const char *script;
    char *golden_path;
    struct buf golden;  /* what the file holds */
    struct buf written; /* with UPDATE */
    bool update;
    int line;
    int64_t started; /* of the last start */
    struct cell *kept[SLOTS]; /* of `keep` */
    int slot, kept_rows, kept_cols;
} d = {.tty = {.cols = 80, .rows = 24, .master = -1, .slave = -1},
       .golden = BUF_INIT(0), .written = BUF_INIT(0)};

/* ---- The screen as text ------------------------------------------------- */

static struct cell *cells(void)
{
    struct cell *c = xcalloc((size_t)(d.tty.rows * d.tty.cols) + 1,
                             sizeof *c);
    if (d.tty.vt)
        tty_cells(&d.tty, c);
    return c;
}

/* A golden knows nobody's login name: a row is cut where it stands. */
static void cut_login(struct buf *out, size_t start)
{
    const struct passwd *pw = getpwuid(getuid());
    size_t n = pw ? strlen(pw->pw_name) : 0;
    char *at = out->data + start;
    while (n && (at = strstr(at, pw->pw_name))) {
        if (at > out->data && at[-1] == ' ' && strchr(" ()", at[n])) {
            buf_drop(out, (size_t)(out->data + out->len - at));
            buf_puts(out, "(login name)");
            return;
        }
        at += n;
    }
}

static void add_row(struct buf *out, const struct cell *row, bool roles)
{
    size_t start = out->len;
    for (int x = 0; x < d.tty.cols; x++) {
        if (roles)
            buf_putc(out, row[x].role);
        else
            buf_puts(out, row[x].text);
    }
    while (out->len > start && out->data[out->len - 1] == (roles ? '.' : ' '))
        buf_drop(out, 1);
    if (!roles && out->len > start)
        cut_login(out, start);
    buf_putc(out, '\n');
}

static void add_screen(struct buf *out, bool roles)
{
    struct cell *all = cells();
    for (int y = 0; y < d.tty.rows; y++)
        add_row(out, all + y * d.tty.cols, roles);
    free(all);
}

static void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2),
                                                      noreturn));
static void fail(const char *fmt, ...)
{
    va_list ap;
    struct buf screen = BUF_INIT(0);
    printf("not ok - %s:%d: ", d.script, d.line);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    if (d.tty.session) {
        add_screen(&screen, false);
        printf("\nthe screen (%dx%d):\n%s\n", d.tty.cols, d.tty.rows,
               buf_str(&screen));
    }
    tty_end(&d.tty);
    exit(1);
}

static void rest(void)
{
    if (!tty_rest(&d.tty, REST_MS))
        fail("the program does not come to rest");
    if (*d.tty.foreign)
        fail("foreign bytes were sent to the terminal: %s", d.tty.foreign);
}

/* ---- Waiting for text --------------------------------------------------- */

static bool on_screen(const char *text)
{
    struct buf screen = BUF_INIT(0);
    add_screen(&screen, false);
    bool found = strstr(buf_str(&screen), text) != NULL;
    buf_free(&screen);
    return found;
}

static void wait_for(const char *text, bool there)
{
    int64_t until = clock_mono() + REST_MS;
    while (clock_mono() < until) {
        if (on_screen(text) == there)
            return;
        if (!tty_read(&d.tty, 10) && d.tty.ended && on_screen(text) != there)
            break;
    }
    fail(there ? "did not come: %s" : "did not go: %s", text);
}

static void do_wait(char *rest_of) { wait_for(rest_of, true); rest(); }
static void do_gone(char *rest_of) { wait_for(rest_of, false); rest(); }

/* Text of a program that is not ours, which rests nowhere. */
static void do_see(char *text) { wait_for(text, true); }

static void do_has(char *text)
{
    if (!on_screen(text))
        fail("is not on the screen: %s", text);
}

static void do_hasnt(char *text)
{
    if (on_screen(text))
        fail("is on the screen: %s", text);
}

/* ---- Running ------------------------------------------------------------ */

static void do_size(char *args)
{
    if (sscanf(args, "%d %d", &d.tty.cols, &d.tty.rows) != 2)
        fail("size COLS ROWS");
}

static void do_env(char *args)
{
    char *value = strchr(args, '=');
    if (!value) {
        unsetenv(args);
        return;
    }
    *value = '\0';
    setenv(args, value + 1, 1);
}

static void start(char *args)
{
    char *argv[20] = {NULL}, *word;
    size_t n = 0;
    const char *top = getenv("top_builddir");
    argv[n++] = xasprintf("%s/src/stillroom", top ? top : ".");
    while ((word = strsep(&args, " ")) && n < COUNT(argv) - 1)
        if (*word)
            argv[n++] = word;
    tty_end(&d.tty);
    d.started = clock_mono();
    tty_start(&d.tty, argv);
    free(argv[0]);
}

/* Waits for TEXT as `see` does, and prints the milliseconds since the start,
 * as a JSON line. */
static void do_took(char *args)
{
    char *name = strsep(&args, " ");
    if (!args)
        fail("took NAME TEXT");
    wait_for(args, true);
    printf("{\"bench\":\"store\",\"name\":\"%s\",\"ms\":%lld}\n", name,
           (long long)(clock_mono() - d.started));
}

static void do_run(char *args)
{
    start(args);
    rest();
}

static void do_exit(char *args)
{
    int64_t until = clock_mono() + REST_MS;
    while (!d.tty.ended && clock_mono() < until)
        tty_read(&d.tty, 10);
    if (!d.tty.ended)
        fail("it did not end");
    while (tty_read(&d.tty, 5))
        continue;
    int code = WIFEXITED(d.tty.status) ? WEXITSTATUS(d.tty.status)
                                       : 128 + WTERMSIG(d.tty.status);
    if (code != atoi(args))
        fail("it ended with %d, not %s", code, args);
    if (*d.tty.foreign || d.tty.n_held)
        fail("foreign bytes at the end: %s", d.tty.foreign);
}

/* The terminal is as the program found it. */
static void do_restored(char *args)
{
    struct termios now;
    (void)args;
    tcgetattr(d.tty.slave, &now);
    if (now.c_lflag != d.tty.before.c_lflag ||
        now.c_iflag != d.tty.before.c_iflag ||
        now.c_oflag != d.tty.before.c_oflag)
        fail("the terminal's modes were not given back");
    if (d.tty.alternate || d.tty.paste || d.tty.hidden)
        fail("left behind:%s%s%s", d.tty.alternate ? " alternate screen" : "",
             d.tty.paste ? " bracketed paste" : "",
             d.tty.hidden ? " hidden cursor" : "");
}

static void do_sh(char *args)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", args, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    if (status)
        fail("failed (%d): %s", status, args);
}

/* ---- Keys --------------------------------------------------------------- */

static const char *key_bytes(const char *name)
{
    static const struct {
        const char *name, *bytes;
    } keys[] = {{"Space", " "}, {"Enter", "\r"}, {"Tab", "\t"},
                {"Esc", "\033"}, {"Backspace", "\177"}, {"Up", "\033OA"},
                {"Down", "\033OB"}, {"Right", "\033OC"}, {"Left", "\033OD"},
                {"Home", "\033OH"}, {"End", "\033OF"}, {"PgUp", "\033[5~"},
                {"PgDn", "\033[6~"}, {"Delete", "\033[3~"}};
    static char control[2];
    for (size_t i = 0; i < COUNT(keys); i++)
        if (!strcmp(keys[i].name, name))
            return keys[i].bytes;
    if (name[0] == '^' && name[1] && !name[2]) {
        control[0] = (char)(name[1] & 0x1f);
        return control;
    }
    return name;
}

/* Each key is read and answered before the next is sent. */
static void do_keys(char *args)
{
    char *word;
    while ((word = strsep(&args, " "))) {
        if (!*word)
            continue;
        const char *bytes = key_bytes(word);
        tty_write(&d.tty, bytes, strlen(bytes));
        rest();
    }
}

/* All keys in one write, as when typed ahead. */
static void do_queue(char *args)
{
    struct buf b = BUF_INIT(0);
    char *word;
    while ((word = strsep(&args, " ")))
        buf_puts(&b, key_bytes(word));
    tty_write(&d.tty, b.data, b.len);
    buf_free(&b);
}

static void do_ahead(char *args)
{
    do_queue(args);
    rest();
}

static void do_type(char *args)
{
    tty_write(&d.tty, args, strlen(args));
    rest();
}

static void do_mouse(char *args)
{
    int button, col, row, n;
    char bytes[60];
    if (sscanf(args, "%d %d %d", &button, &col, &row) != 3)
        fail("mouse BUTTON COL ROW");
    n = snprintf(bytes, sizeof bytes, "\033[<%d;%d;%dM\033[<%d;%d;%dm", button,
                 col, row, button, col, row);
    tty_write(&d.tty, bytes, (size_t)n);
    rest();
}

/* Keys for another program: not waited for. */
static void do_send(char *args)
{
    const char *bytes = key_bytes(args);
    tty_write(&d.tty, bytes, strlen(bytes));
}

static void do_paste(char *args)
{
    char *text = xasprintf("\033[200~%s\033[201~", args);
    tty_write(&d.tty, text, strlen(text));
    free(text);
    rest();
}

/* KEY COUNT MS: a key that is held down, or many in pairs. */
static void do_burst(char *args)
{
    char key[40] = "";
    int n = 0, ms = 0;
    if (sscanf(args, "%39s %d %d", key, &n, &ms) != 3)
        fail("burst KEY COUNT MS");
    for (int i = 0; i < n; i++) {
        int64_t until = clock_mono() + ms;
        const char *bytes = key_bytes(key);
        tty_write(&d.tty, bytes, strlen(bytes));
        while (clock_mono() < until)
            tty_read(&d.tty, (int)(until - clock_mono()));
    }
    rest();
}

/* COUNT times what stands behind it, in one write. */
static void write_many(const char *args, bool paste)
{
    int n, at;
    struct buf b = BUF_INIT(0);
    if (sscanf(args, "%d %n", &n, &at) != 1)
        fail("COUNT, and what to send");
    buf_puts(&b, paste ? "\033[200~" : "");
    for (int i = 0; i < n; i++)
        buf_puts(&b, paste ? args + at : key_bytes(args + at));
    buf_puts(&b, paste ? "\033[201~" : "");
    tty_write(&d.tty, b.data, b.len);
    buf_free(&b);
    rest();
}

static void do_pastes(char *args) { write_many(args, true); }
static void do_flood(char *args) { write_many(args, false); }

/* ---- Bytes -------------------------------------------------------------- */

static void do_mark(char *args)
{
    (void)args;
    rest();
    d.tty.sent = 0;
}

static void do_bytes(char *args)
{
    rest();
    printf("# %s:%d: %zu bytes, at most %s\n", d.script, d.line, d.tty.sent,
           args);
    if (d.tty.sent > (size_t)atol(args))
        fail("%zu bytes were sent, at most %s are allowed", d.tty.sent, args);
    d.tty.sent = 0;
}

static int digit(char c)
{
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                              "qrstuvwxyz0123456789+/";
    const char *at = c ? strchr(all, c) : NULL;
    return at ? (int)(at - all) : -1;
}

static void unpack(const struct buf *from, struct buf *out)
{
    unsigned v = 0;
    int bits = 0;
    for (size_t i = 0; i < from->len && digit(from->data[i]) >= 0; i++) {
        v = v << 6 | (unsigned)digit(from->data[i]);
        bits += 6;
        if (bits >= 8)
            buf_putc(out, (char)(v >> (bits -= 8) & 0xff));
    }
}

static void do_copied(char *args)
{
    struct buf text = BUF_INIT((size_t)4 << 20);
    char *want = strchr(args, ' ');
    rest();
    unpack(&d.tty.copied, &text);
    if (text.len != strtoul(args, NULL, 10))
        fail("%zu bytes are in the clipboard: %.60s", text.len,
             buf_str(&text));
    if (want && strncmp(buf_str(&text), want + 1, strlen(want + 1)))
        fail("in the clipboard stands: %.200s", buf_str(&text));
    buf_free(&text);
}

static void do_wrapped(char *args)
{
    rest();
    if (d.tty.wrapped != atoi(args))
        fail("wrapped %d times", d.tty.wrapped);
}

/* Nothing may be sent for so many milliseconds. */
static void do_idle(char *args)
{
    rest();
    d.tty.sent = 0;
    while (tty_read(&d.tty, atoi(args)))
        continue;
    if (d.tty.sent)
        fail("%zu bytes were sent with nothing to tell", d.tty.sent);
}

/* ---- Goldens ------------------------------------------------------------ */

static char *section(const char *name)
{
    char *head = xasprintf("== %s\n", name), *found = NULL;
    const char *at = strstr(buf_str(&d.golden), head);
    if (at) {
        at += strlen(head);
        const char *end = strstr(at, "\n== ");
        found = xstrndup(at, end ? (size_t)(end - at) + 1 : strlen(at));
    }
    free(head);
    return found;
}

/* Shows the first rows that differ. */
static void show_difference(char *want, char *got)
{
    for (int row = 1; want && got; row++) {
        char *w = strsep(&want, "\n"), *g = strsep(&got, "\n");
        if (strcmp(w, g))
            printf("row %2d is  |%s|\n  expected |%s|\n", row, g, w);
    }
}

static void compare(const char *name, bool roles)
{
    char *want = NULL;
    struct buf got = BUF_INIT(0);
    rest();
    for (int64_t until = clock_mono() + REST_MS;;) {
        buf_clear(&got);
        add_screen(&got, false);
        if (roles) {
            buf_puts(&got, "-- roles\n");
            add_screen(&got, true);
        }
        if (d.update)
            break;
        free(want);
        want = section(name);
        if (!want)
            fail("there is no golden %s in %s", name, d.golden_path);
        if (!strcmp(want, buf_str(&got)) || clock_mono() > until)
            break;
        tty_read(&d.tty, 20);
    }
    if (d.update) {
        buf_printf(&d.written, "== %s\n%s", name, buf_str(&got));
    } else if (strcmp(want, buf_str(&got))) {
        show_difference(want, got.data);
        fail("differs from golden %s in %s", name, d.golden_path);
    }
    free(want);
    buf_free(&got);
}

static void do_golden(char *name) { compare(name, false); }
static void do_roles(char *name) { compare(name, true); }

/* ---- Two screens held against each other -------------------------------- */

static void do_slot(char *args)
{
    d.slot = atoi(args);
    if (d.slot < 0 || d.slot >= SLOTS)
        fail("slot 0 to %d", SLOTS - 1);
}

static void do_keep(char *args)
{
    (void)args;
    rest();
    free(d.kept[d.slot]);
    d.kept[d.slot] = cells();
    d.kept_rows = d.tty.rows;
    d.kept_cols = d.tty.cols;
}

static bool inside(const char *boxes, int x, int y)
{
    int c, r, w, h, n;
    while (sscanf(boxes, "%d %d %d %d%n", &c, &r, &w, &h, &n) == 4) {
        if (x >= c && x < c + w && y >= r && y < r + h)
            return true;
        boxes += n;
    }
    return false;
}

/* The screen equals the kept one in every cell outside of the boxes (column,
 * row, width, height; from 0). */
static void do_same(char *boxes)
{
    struct cell *now = cells();
    if (!d.kept[d.slot] || d.kept_rows != d.tty.rows ||
        d.kept_cols != d.tty.cols)
        fail("there is no kept screen of this size");
    for (int y = 0; y < d.tty.rows; y++)
        for (int x = 0; x < d.tty.cols; x++) {
            const struct cell *a = &d.kept[d.slot][y * d.tty.cols + x];
            const struct cell *b = &now[y * d.tty.cols + x];
            if (!inside(boxes, x, y) &&
                (strcmp(a->text, b->text) || a->role != b->role))
                fail("column %d of row %d is \"%s\" (%c), was \"%s\" (%c)", x,
                     y, b->text, b->role, a->text, a->role);
        }
    free(now);
}

/* Every cell of a column (COL ROW ROWS) is a line's, not the text's. */
static void do_edge(char *args)
{
    int x, y, n;
    struct cell *now = cells();
    if (sscanf(args, "%d %d %d", &x, &y, &n) != 3)
        fail("edge COL ROW ROWS");
    for (int i = y; i < y + n; i++)
        if (!strstr("\u2502 \u2524 \u252c | +", now[i * d.tty.cols + x].text))
            fail("the edge at row %d is \"%s\"", i,
                 now[i * d.tty.cols + x].text);
    free(now);
}

/* ---- Sizes, signals ----------------------------------------------------- */

static void do_resize(char *args)
{
    int cols, rows;
    if (sscanf(args, "%d %d", &cols, &rows) != 2)
        fail("resize COLS ROWS");
    tty_resize(&d.tty, cols, rows);
    rest();
}

/* COUNT sizes from 1x1 to 200x60, each waited for, KEYS in between. */
static void do_fuzz(char *args)
{
    unsigned long seed = 88172645463325252UL;
    int n = atoi(args);
    const char *keys = strchr(args, ' ');
    for (int i = 0; i < n; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        int cols = 1 + (int)(seed % (i % 3 ? 200 : 24));
        int rows = 1 + (int)(seed / 256 % (i % 3 ? 60 : 10));
        tty_resize(&d.tty, cols, rows);
        rest();
        if (keys && keys[1]) {
            size_t len = strlen(keys + 1);
            tty_write(&d.tty, keys + 1 + (size_t)i % len, 1);
            rest();
        }
        if (d.tty.ended)
            fail("it ended (%d) at %dx%d", d.tty.status, cols, rows);
    }
}

/* COUNT changes of size as fast as they can be made. */
static void do_storm(char *args)
{
    int n = atoi(args), cols = d.tty.cols, rows = d.tty.rows;
    for (int i = 0; i < n; i++) {
        tty_resize(&d.tty, 20 + i % 100, 5 + i % 40);
        if (i % 64 == 0)
            tty_read(&d.tty, 0);
    }
    tty_resize(&d.tty, cols, rows);
    rest();
}

static void do_hup(char *args)
{
    (void)args;
    tty_hang_up(&d.tty);
}

static void do_signal(char *name)
{
    int signo = !strcmp(name, "HUP")    ? SIGHUP
                : !strcmp(name, "TERM") ? SIGTERM
                : !strcmp(name, "INT")  ? SIGINT
                : !strcmp(name, "QUIT") ? SIGQUIT
                                        : 0;
    if (!signo)
        fail("signal HUP, TERM, INT or QUIT");
    kill(d.tty.pid, signo);
}

static void do_stopped(char *args)
{
    (void)args;
    int64_t until = clock_mono() + REST_MS;
    while (!d.tty.stopped && clock_mono() < until)
        tty_read(&d.tty, 10);
    if (!d.tty.stopped)
        fail("it was not stopped");
    while (tty_read(&d.tty, 5))
        continue;
}

static void do_fg(char *args)
{
    (void)args;
    tty_continue(&d.tty);
    rest();
}

static void do_cursor(char *args)
{
    VTermPos at;
    int col, row;
    if (sscanf(args, "%d %d", &col, &row) == 2) {
        vterm_state_get_cursorpos(vterm_obtain_state(d.tty.vt), &at);
        if (at.col != col || at.row != row)
            fail("the cursor is at %d %d", at.col, at.row);
        return;
    }
    if (d.tty.hidden != !strcmp(args, "hidden"))
        fail("the cursor is %s", d.tty.hidden ? "hidden" : "shown");
}

/* ---- The script --------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(char *args);
} commands[] = {
    {"size", do_size},       /* COLS ROWS, before run */
    {"env", do_env},         /* NAME=VALUE, or NAME to take it away */
    {"sh", do_sh},           /* a shell command, which must succeed */
    {"run", do_run},         /* the program with these arguments; waits */
    {"start", start},        /* the same without waiting */
    {"keys", do_keys},       /* one after the other: a Space Enter ^Z */
    {"ahead", do_ahead},     /* the same in one write */
    {"type", do_type},       /* text as it stands */
    {"send", do_send},       /* a key, not waited for */
    {"queue", do_queue},     /* keys in one write, not waited for */
    {"mouse", do_mouse},     /* BUTTON COL ROW: 0 a click, 64 65 the wheel */
    {"paste", do_paste},     /* text in paste brackets */
    {"burst", do_burst},     /* KEY COUNT MS: one every MS */
    {"pastes", do_pastes},   /* COUNT TEXT: so many times, as one paste */
    {"flood", do_flood},     /* COUNT KEY */
    {"wait", do_wait},       /* until TEXT is on the screen, and at rest */
    {"gone", do_gone},       /* until it is not */
    {"see", do_see},         /* TEXT of a program that rests nowhere */
    {"took", do_took},       /* NAME TEXT: the time from start to see */
    {"has", do_has},         /* TEXT is there now */
    {"hasnt", do_hasnt},     /* it is not */
    {"mark", do_mark},       /* begin to count bytes */
    {"bytes", do_bytes},     /* at most MAX since the mark; marks */
    {"idle", do_idle},       /* no byte for MS */
    {"copied", do_copied},   /* BYTES in the clipboard: TEXT first */
    {"wrapped", do_wrapped}, /* COUNT times for a multiplexer to hand on */
    {"golden", do_golden},   /* NAME: the text */
    {"roles", do_roles},     /* NAME: text and roles */
    {"slot", do_slot},       /* N: where keep and same work, 0 to 31 */
    {"keep", do_keep},       /* this screen, for `same` */
    {"same", do_same},       /* but for boxes of COL ROW WIDTH HEIGHT */
    {"edge", do_edge},       /* COL ROW ROWS: nothing but a line there */
    {"resize", do_resize},   /* COLS ROWS */
    {"fuzz", do_fuzz},       /* COUNT [KEYS] */
    {"storm", do_storm},     /* COUNT */
    {"hup", do_hup},         /* the line goes */
    {"signal", do_signal},   /* HUP, TERM, INT, QUIT */
    {"stopped", do_stopped}, /* waits for it */
    {"fg", do_fg},           /* goes on after that */
    {"cursor", do_cursor},   /* shown, hidden, or at COL ROW */
    {"exit", do_exit},       /* waits for it; CODE */
    {"restored", do_restored}};

static void run_line(char *text)
{
    char *args = strchr(text, ' ');
    size_t len = args ? (size_t)(args - text) : strlen(text);
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strlen(commands[i].name) == len &&
            !strncmp(commands[i].name, text, len)) {
            char empty[1] = "";
            commands[i].run(args ? args + 1 : empty);
            return;
        }
    fail("there is no command %s", text);
}

static void run_script(const char *path)
{
    struct buf all = BUF_INIT((size_t)1 << 20);
    struct err e = {0};
    if (!file_read(path, all.max, &all, &e))
        fail("%s", e.text);
    char *rest_of = buf_take(&all), *whole = rest_of, *line;
    while ((line = strsep(&rest_of, "\n"))) {
        d.line++;
        if (*line && *line != '#')
            run_line(line);
    }
    free(whole);
}

static void open_golden(const char *folder, const char *variant)
{
    struct err e = {0};
    char name[100];
    snprintf(name, sizeof name, "%s", path_base(d.script));
    name[strcspn(name, ".")] = '\0';
    d.golden_path = xasprintf("%s/%s.%s.txt", folder, name, variant);
    d.update = getenv("UPDATE") && *getenv("UPDATE");
    if (!d.update && file_exists(d.golden_path))
        file_read(d.golden_path, (size_t)4 << 20, &d.golden, &e);
}

int main(int argc, char **argv)
{
    const char *folder = ".", *variant = "any";
    struct err e = {0};
    int c;
    while ((c = getopt(argc, argv, "g:k:s:e:")) != -1) {
        if (c == 'g')
            folder = optarg;
        else if (c == 'k')
            variant = optarg;
        else if (c == 'e')
            do_env(optarg);
        else if (c != 's' ||
                 sscanf(optarg, "%dx%d", &d.tty.cols, &d.tty.rows) != 2)
            return 2;
    }
    if (optind + 1 != argc)
        return 2;
    d.script = argv[optind];
    signal(SIGPIPE, SIG_IGN);
    open_golden(folder, variant);
    run_script(d.script);
    tty_end(&d.tty);
    if (d.written.len && !file_replace(d.golden_path, d.written.data,
                                       d.written.len, 0644, false, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    printf("ok - %s %s\n", path_base(d.script), variant);
    for (int i = 0; i < SLOTS; i++)
        free(d.kept[i]);
    free(d.golden_path);
    buf_free(&d.golden);
    buf_free(&d.written);
    return 0;
}
