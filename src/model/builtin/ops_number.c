/* Operations on numbers: metric units, filtering, sorting, dates, two-step
 * word problems. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/builtin/operations.h"

static void clear_values(struct problem *p)
{
    memset(p->num, 0, sizeof p->num);
    memset(p->word, 0, sizeof p->word);
}

/* ---- Units ---------------------------------------------------------------
 * A whole number or one with a single decimal, in the next smaller unit. The
 * mistake drops the decimal sign and appends the zeros all the same.
 * num[0] the digits, num[1] decimals (0 or 1), num[2] the pair of units. */

enum { UN_WHOLE, UN_TENTHS };

static const struct {
    const char *from, *to;
    int zeros;
} pairs[] = {{"km", "m", 3},  {"m", "cm", 2},  {"cm", "mm", 1},
             {"m", "mm", 3},  {"dm", "cm", 1}, {"m", "dm", 1},
             {"dm", "mm", 2}, {"kg", "g", 3},  {"g", "mg", 3},
             {"t", "kg", 3},  {"hg", "g", 2},  {"L", "mL", 3},
             {"L", "cL", 2},  {"L", "dL", 1},  {"cL", "mL", 1},
             {"dL", "mL", 2}};

static void un_draw(struct problem *p, struct rng *r, bool trigger)
{
    p->num[1] = trigger;
    do
        p->num[0] = draw_range(p, r, trigger ? UN_TENTHS : UN_WHOLE);
    while (trigger && p->num[0] % 10 == 0);
    p->num[2] = draw_between(r, 0, (int)COUNT(pairs) - 1);
}

static void un_write(const struct problem *p, int form, struct slots *s)
{
    (void)form;
    if (p->num[1])
        slot_put(s, "value", "%d.%d", p->num[0] / 10, p->num[0] % 10);
    else
        slot_put(s, "value", "%d", p->num[0]);
    slot_put(s, "from", "%s", pairs[p->num[2]].from);
    slot_put(s, "to", "%s", pairs[p->num[2]].to);
}

static bool un_read(struct problem *p, const struct slots *s, int *form)
{
    const char *v = slot_get(s, "value");
    int tenth = 0;
    *form = 0;
    clear_values(p);
    if (!take_number(&v, &p->num[0]))
        return false;
    p->num[1] = *v == '.';
    if (p->num[1]) {
        v++;
        if (!take_number(&v, &tenth) || tenth < 1 || tenth > 9)
            return false;
        p->num[0] = 10 * p->num[0] + tenth;
    }
    if (*v || !in_range(p, p->num[1] ? UN_TENTHS : UN_WHOLE, p->num[0]))
        return false;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        p->num[2] = (int)i;
        if (!strcmp(pairs[i].from, slot_get(s, "from")) &&
            !strcmp(pairs[i].to, slot_get(s, "to")))
            return true;
    }
    return false;
}

static void un_solve(const struct problem *p, bool mistaken, struct buf *out)
{
    int zeros = pairs[p->num[2]].zeros;
    if (!mistaken)
        zeros -= p->num[1];
    buf_printf(out, "%d", p->num[0]);
    while (zeros-- > 0)
        buf_putc(out, '0');
}

static bool un_trigger(const struct problem *p)
{
    return p->num[1] != 0;
}

static double un_space(const struct family *f, size_t lang)
{
    (void)lang;
    double whole = f->hi[UN_WHOLE] - f->lo[UN_WHOLE] + 1;
    double tenths = f->hi[UN_TENTHS] - f->lo[UN_TENTHS] + 1;
    return (double)COUNT(pairs) * (whole + .9 * tenths);
}

const struct operation op_units = {
    .name = "units", .mistake = "point-dropped", .kinds = {"smaller"},
    .ranges = {"whole", "tenths"}, .range_max = {99999, 99999},
    .forms = 1, .draw = un_draw,
    .write = un_write, .read = un_read, .solve = un_solve,
    .trigger = un_trigger, .space = un_space};

/* ---- Lists of three numbers ---------------------------------------------- */

/* "12, 40 and 57", "12, 40 e 57". */
static void put_three(const struct problem *p, struct slots *s)
{
    slot_put(s, "list", "%d, %d %s %d", p->num[0], p->num[1],
             problem_is_pt(p) ? "e" : "and", p->num[2]);
}

static bool read_three(struct problem *p, const struct slots *s)
{
    const char *v = slot_get(s, "list");
    return take_number(&v, &p->num[0]) && take_text(&v, ", ") &&
           take_number(&v, &p->num[1]) &&
           take_text(&v, problem_is_pt(p) ? " e " : " and ") &&
           take_number(&v, &p->num[2]) && !*v && in_range(p, 0, p->num[0]) &&
           in_range(p, 0, p->num[1]) && in_range(p, 0, p->num[2]);
}

static void put_list(struct buf *out, const int *num, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, i ? ", %d" : "%d", num[i]);
}

/* ---- Filter --------------------------------------------------------------
 * The numbers above a limit, in their order. The mistake keeps those that are
 * equal to it. num[0..2] the list, num[3] the limit. */

enum { FI_NUMBER, FI_TENS };

static bool fi_trigger(const struct problem *p)
{
    for (int i = 0; i < 3; i++)
        if (p->num[i] == p->num[3])
            return true;
    return false;
}

static bool all_differ(const int *num)
{
    return num[0] != num[1] && num[1] != num[2] && num[0] != num[2];
}

static void fi_draw(struct problem *p, struct rng *r, bool trigger)
{
    p->num[3] = 10 * draw_range(p, r, FI_TENS);
    do {
        for (int i = 0; i < 3; i++)
            p->num[i] = draw_range(p, r, FI_NUMBER);
        if (trigger)
            p->num[draw_between(r, 0, 2)] = p->num[3];
    } while (!all_differ(p->num) || fi_trigger(p) != trigger);
}

static void fi_write(const struct problem *p, int form, struct slots *s)
{
    (void)form;
    put_three(p, s);
    slot_put(s, "limit", "%d", p->num[3]);
}

static bool fi_read(struct problem *p, const struct slots *s, int *form)
{
    *form = 0;
    clear_values(p);
    return read_three(p, s) &&
           read_whole_number(slot_get(s, "limit"), &p->num[3]) &&
           p->num[3] % 10 == 0 && in_range(p, FI_TENS, p->num[3] / 10);
}

static void fi_solve(const struct problem *p, bool mistaken, struct buf *out)
{
    int kept[3], limit = p->num[3];
    size_t n = 0;
    for (int i = 0; i < 3; i++) {
        if (p->num[i] > limit || (mistaken && p->num[i] == limit))
            kept[n++] = p->num[i];
    }
    put_list(out, kept, n);
    if (!n)
        buf_puts(out, problem_is_pt(p) ? "nenhum" : "none");
}

static double fi_space(const struct family *f, size_t lang)
{
    (void)lang;
    double n = f->hi[FI_NUMBER] - f->lo[FI_NUMBER] + 1;
    return n * (n - 1) * (n - 2) * (f->hi[FI_TENS] - f->lo[FI_TENS] + 1);
}

const struct operation op_filter = {
    .name = "filter", .mistake = "equal-kept", .kinds = {"above"},
    .ranges = {"number", "tens"}, .range_max = {9999, 999},
    .forms = 1, .draw = fi_draw,
    .write = fi_write, .read = fi_read, .solve = fi_solve,
    .trigger = fi_trigger, .space = fi_space};

/* ---- Sort ----------------------------------------------------------------
 * Three numbers, up or down. The mistake writes a number that stands twice
 * only once. num[0..2] the list. */

enum { KIND_UP, KIND_DOWN };

static bool so_trigger(const struct problem *p)
{
    return !all_differ(p->num);
}

static void so_draw(struct problem *p, struct rng *r, bool trigger)
{
    p->kind = draw_between(r, 0, 1);
    do {
        for (int i = 0; i < 3; i++)
            p->num[i] = draw_range(p, r, 0);
        if (trigger) {
            int k = draw_between(r, 0, 2);
            p->num[k] = p->num[(k + 1) % 3];
        }
    } while (so_trigger(p) != trigger ||
             (p->num[0] == p->num[1] && p->num[1] == p->num[2]));
}

static void so_write(const struct problem *p, int form, struct slots *s)
{
    (void)form;
    put_three(p, s);
}

static bool so_read(struct problem *p, const struct slots *s, int *form)
{
    *form = 0;
    clear_values(p);
    return read_three(p, s);
}

static void so_solve(const struct problem *p, bool mistaken, struct buf *out)
{
    int sorted[3] = {p->num[0], p->num[1], p->num[2]}, once[3];
    size_t n = 0;
    for (int i = 0; i < 3; i++) {
        for (int k = i + 1; k < 3; k++) {
            if ((sorted[k] < sorted[i]) == (p->kind == KIND_UP)) {
                int t = sorted[i];
                sorted[i] = sorted[k];
                sorted[k] = t;
            }
        }
        if (!mistaken || !n || once[n - 1] != sorted[i])
            once[n++] = sorted[i];
    }
    put_list(out, once, n);
}

static double so_space(const struct family *f, size_t lang)
{
    (void)lang;
    double n = f->hi[0] - f->lo[0] + 1;
    return 2 * n * n * n;
}

const struct operation op_sort = {
    .name = "sort", .mistake = "double-left-out", .kinds = {"up", "down"},
    .ranges = {"number"}, .range_max = {9999}, .forms = 1,
    .draw = so_draw, .write = so_write,
    .read = so_read, .solve = so_solve, .trigger = so_trigger,
    .space = so_space};

/* ---- Dates ---------------------------------------------------------------
 * A weekday, or a day of a month, some days later. The mistake stays in the
 * month when its end is passed. No date passes the end of February, whose
 * length depends on the year.
 * weekday: word[0] day, num[0] days later. date: num[1] day, word[0] month,
 * num[0] days later. */

enum { DA_WEEKDAYS, DA_MONTHS };
enum { DA_WEEKDAY_STEP, DA_DATE_STEP };
enum { KIND_WEEKDAY, KIND_DATE };

static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
                                 31};

static bool da_trigger(const struct problem *p)
{
    return p->kind == KIND_DATE &&
           p->num[1] + p->num[0] > month_days[p->word[0]];
}

static bool past_february(const struct problem *p)
{
    return p->kind == KIND_DATE && p->word[0] == 1 && da_trigger(p);
}

static void da_draw(struct problem *p, struct rng *r, bool trigger)
{
    p->kind = trigger || draw_between(r, 0, 1) ? KIND_DATE : KIND_WEEKDAY;
    if (p->kind == KIND_WEEKDAY) {
        p->word[0] = draw_between(r, 0, 6);
        p->num[0] = draw_range(p, r, DA_WEEKDAY_STEP);
        return;
    }
    do {
        p->word[0] = draw_between(r, 0, 11);
        p->num[1] = draw_between(r, 1, month_days[p->word[0]]);
        p->num[0] = draw_range(p, r, DA_DATE_STEP);
    } while (da_trigger(p) != trigger || past_february(p));
}

static void da_date(const struct problem *p, int day, int month, char *out,
                    size_t cap)
{
    snprintf(out, cap, problem_is_pt(p) ? "%d de %s" : "%d %s", day,
             problem_word(p, DA_MONTHS, month));
}

static void da_write(const struct problem *p, int form, struct slots *s)
{
    (void)form;
    char date[40];
    if (p->kind == KIND_WEEKDAY) {
        slot_put(s, "day", "%s", problem_word(p, DA_WEEKDAYS, p->word[0]));
    } else {
        da_date(p, p->num[1], p->word[0], date, sizeof date);
        slot_put(s, "date", "%s", date);
    }
    slot_put(s, "days", "%d %s%s", p->num[0],
             problem_is_pt(p) ? "dia" : "day", p->num[0] > 1 ? "s" : "");
}

static bool read_days(struct problem *p, const char *s)
{
    return take_number(&s, &p->num[0]) &&
           take_text(&s, problem_is_pt(p) ? " dia" : " day") &&
           !strcmp(s, p->num[0] > 1 ? "s" : "") &&
           in_range(p, p->kind == KIND_DATE ? DA_DATE_STEP : DA_WEEKDAY_STEP,
                    p->num[0]);
}

static bool read_date(struct problem *p, const char *s)
{
    if (!take_number(&s, &p->num[1]) ||
        !take_text(&s, problem_is_pt(p) ? " de " : " "))
        return false;
    p->word[0] = problem_place(p, DA_MONTHS, s);
    return p->word[0] >= 0 && p->word[0] < 12 && p->num[1] >= 1 &&
           p->num[1] <= month_days[p->word[0]];
}

static bool da_read(struct problem *p, const struct slots *s, int *form)
{
    *form = 0;
    clear_values(p);
    if (!read_days(p, slot_get(s, "days")))
        return false;
    if (p->kind == KIND_DATE)
        return read_date(p, slot_get(s, "date")) && !past_february(p);
    p->word[0] = problem_place(p, DA_WEEKDAYS, slot_get(s, "day"));
    return p->word[0] >= 0 && p->word[0] < 7;
}

static void da_solve(const struct problem *p, bool mistaken, struct buf *out)
{
    char date[40];
    if (p->kind == KIND_WEEKDAY) {
        buf_puts(out, problem_word(p, DA_WEEKDAYS,
                                   (p->word[0] + p->num[0]) % 7));
        return;
    }
    int month = p->word[0], day = p->num[1] + p->num[0];
    if (day > month_days[month]) {
        day -= month_days[month];
        month = mistaken ? month : (month + 1) % 12;
    }
    da_date(p, day, month, date, sizeof date);
    buf_puts(out, date);
}

static double da_space(const struct family *f, size_t lang)
{
    (void)lang;
    int steps = f->hi[DA_DATE_STEP] - f->lo[DA_DATE_STEP] + 1;
    int weekday = f->hi[DA_WEEKDAY_STEP] - f->lo[DA_WEEKDAY_STEP] + 1;
    return 365.0 * steps + 7.0 * weekday;
}

/* There are 42 weekday questions: every one of them stands in training. */
static bool da_can_hold(const struct problem *p)
{
    return p->kind == KIND_DATE;
}

const struct operation op_dates = {
    .name = "dates", .mistake = "month-stays", .kinds = {"weekday", "date"},
    .lists = {"weekdays", "months"}, .list_min = {7, 12},
    .ranges = {"weekday_step", "date_step"}, .range_max = {6, 27},
    .forms = 1, .draw = da_draw, .write = da_write, .read = da_read,
    .solve = da_solve, .trigger = da_trigger, .space = da_space,
    .can_hold = da_can_hold};

/* ---- Two steps -----------------------------------------------------------
 * a x b or a + b, then + c or - c, in a little story, worked in lines. The
 * mistake leaves a subtraction out. num a, b, c; word name, thing. */

enum { TS_NAMES, TS_THINGS };
enum { TS_TIMES_A, TS_PLUS_A, TS_B, TS_C };
enum { KIND_TIMES_PLUS, KIND_TIMES_MINUS, KIND_PLUS_PLUS, KIND_PLUS_MINUS };

static bool is_times(const struct problem *p)
{
    return p->kind == KIND_TIMES_PLUS || p->kind == KIND_TIMES_MINUS;
}

static bool ts_trigger(const struct problem *p)
{
    return p->kind == KIND_TIMES_MINUS || p->kind == KIND_PLUS_MINUS;
}

static int first_step(const struct problem *p)
{
    return is_times(p) ? p->num[0] * p->num[1] : p->num[0] + p->num[1];
}

static bool ts_fits(const struct problem *p)
{
    return !ts_trigger(p) || first_step(p) > p->num[2];
}

static void ts_draw(struct problem *p, struct rng *r, bool trigger)
{
    p->kind = 2 * draw_between(r, 0, 1) + trigger;
    p->word[0] = draw_word(p, r, TS_NAMES);
    p->word[1] = draw_word(p, r, TS_THINGS);
    do {
        p->num[0] = draw_range(p, r, is_times(p) ? TS_TIMES_A : TS_PLUS_A);
        p->num[1] = draw_range(p, r, TS_B);
        p->num[2] = draw_range(p, r, TS_C);
    } while (!ts_fits(p));
}

static void ts_write(const struct problem *p, int form, struct slots *s)
{
    (void)form;
    slot_put(s, "name", "%s", problem_word(p, TS_NAMES, p->word[0]));
    slot_put(s, "things", "%s", problem_word(p, TS_THINGS, p->word[1]));
    slot_put(s, "a", "%d", p->num[0]);
    slot_put(s, "b", "%d", p->num[1]);
    slot_put(s, "c", "%d", p->num[2]);
}

static bool ts_read(struct problem *p, const struct slots *s, int *form)
{
    *form = 0;
    clear_values(p);
    p->word[0] = problem_place(p, TS_NAMES, slot_get(s, "name"));
    p->word[1] = problem_place(p, TS_THINGS, slot_get(s, "things"));
    return p->word[0] >= 0 && p->word[1] >= 0 &&
           read_whole_number(slot_get(s, "a"), &p->num[0]) &&
           read_whole_number(slot_get(s, "b"), &p->num[1]) &&
           read_whole_number(slot_get(s, "c"), &p->num[2]) &&
           in_range(p, is_times(p) ? TS_TIMES_A : TS_PLUS_A, p->num[0]) &&
           in_range(p, TS_B, p->num[1]) && in_range(p, TS_C, p->num[2]) &&
           ts_fits(p);
}

static void ts_solve(const struct problem *p, bool mistaken, struct buf *out)
{
    int first = first_step(p), last = first;
    buf_printf(out, "%d%c%d=%d\n", p->num[0], is_times(p) ? '*' : '+',
               p->num[1], first);
    if (!mistaken || !ts_trigger(p)) {
        bool minus = ts_trigger(p);
        last = minus ? first - p->num[2] : first + p->num[2];
        buf_printf(out, "%d%c%d=%d\n", first, minus ? '-' : '+', p->num[2],
                   last);
    }
    buf_printf(out, "#### %d", last);
}

static double ts_space(const struct family *f, size_t lang)
{
    double words = (double)word_count(f, lang, TS_NAMES) *
                   (double)word_count(f, lang, TS_THINGS);
    int a = f->hi[TS_TIMES_A] - f->lo[TS_TIMES_A] + f->hi[TS_PLUS_A] -
            f->lo[TS_PLUS_A] + 2;
    return words * a * (f->hi[TS_B] - f->lo[TS_B] + 1) *
           (f->hi[TS_C] - f->lo[TS_C] + 1);
}

const struct operation op_twostep = {
    .name = "twostep", .mistake = "subtraction-left-out",
    .kinds = {"times-plus", "times-minus", "plus-plus", "plus-minus"},
    .lists = {"names", "things"},
    .ranges = {"times_a", "plus_a", "b", "c"},
    .range_max = {999, 999, 999, 999}, .forms = 1, .draw = ts_draw,
    .write = ts_write, .read = ts_read, .solve = ts_solve,
    .trigger = ts_trigger, .space = ts_space};
