/* Operations on text: extraction, tool calls, letters. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/builtin/operations.h"

/* ---- Extraction ---------------------------------------------------------
 * A record of two or three fields; the value of one key is asked for. Where
 * the key stands twice the last one counts; the mistake takes the first.
 * num[0] fields; field i has key word[i] and value num[1 + i] (a place in its
 * list, or the number itself); num[4] is the key asked for. */

enum { EX_KEYS, EX_NAMES, EX_CITIES, EX_COLOURS };
enum { EX_AGE, EX_CODE };
enum { KEY_NAME, KEY_CITY, KEY_AGE, KEY_COLOUR, KEY_CODE, KEY_COUNT };

static int value_list(int key)
{
    return key == KEY_NAME     ? EX_NAMES
           : key == KEY_CITY   ? EX_CITIES
           : key == KEY_COLOUR ? EX_COLOURS
                               : -1;
}

static int draw_value(const struct problem *p, struct rng *r, int key)
{
    int list = value_list(key);
    if (list >= 0)
        return draw_word(p, r, list);
    return draw_range(p, r, key == KEY_AGE ? EX_AGE : EX_CODE);
}

static void value_text(const struct problem *p, int field, char *out,
                       size_t cap)
{
    int list = value_list(p->word[field]);
    if (list >= 0)
        snprintf(out, cap, "%s", problem_word(p, list, p->num[1 + field]));
    else
        snprintf(out, cap, "%d", p->num[1 + field]);
}

/* The first or last field with the key that is asked for. */
static int find_field(const struct problem *p, bool last)
{
    int found = -1;
    for (int i = 0; i < p->num[0]; i++)
        if (p->word[i] == p->num[4] && (found < 0 || last))
            found = i;
    return found;
}

static void ex_shuffle(struct problem *p, struct rng *r)
{
    for (int i = p->num[0] - 1; i > 0; i--) {
        int k = draw_between(r, 0, i), key = p->word[i], v = p->num[1 + i];
        p->word[i] = p->word[k];
        p->num[1 + i] = p->num[1 + k];
        p->word[k] = key;
        p->num[1 + k] = v;
    }
}

static void ex_draw(struct problem *p, struct rng *r, bool trigger)
{
    int first = draw_between(r, 0, KEY_COUNT - 1);
    int step = draw_between(r, 1, KEY_COUNT - 1);
    p->num[0] = trigger ? 3 : draw_between(r, 2, 3);
    for (int i = 0; i < p->num[0]; i++)
        p->word[i] = (first + i * step) % KEY_COUNT;
    p->num[4] = first;
    if (trigger)
        p->word[1] = first;
    for (int i = 0; i < p->num[0]; i++)
        p->num[1 + i] = draw_value(p, r, p->word[i]);
    while (trigger && p->num[2] == p->num[1])
        p->num[2] = draw_value(p, r, first);
    ex_shuffle(p, r);
}

/* How a form writes: before all, key to value, between fields, after all. */
static const struct {
    const char *open, *key, *text, *between, *close;
} forms[] = {{"{\"", "\": ", "\"", ", \"", "}"},
             {"", "=", "", "; ", ""},
             {"", ": ", "", ", ", ""},
             {"", " ", "", " | ", ""}};

static void ex_write(const struct problem *p, int form, struct slots *s)
{
    char record[SLOT_BYTES] = "", value[40];
    size_t n = 0;
    for (int i = 0; i < p->num[0] && n < sizeof record - 80; i++) {
        bool text = value_list(p->word[i]) >= 0;
        const char *quote = text ? forms[form].text : "";
        value_text(p, i, value, sizeof value);
        n += (size_t)snprintf(record + n, sizeof record - n, "%s%s%s%s%s%s",
                              i ? forms[form].between : forms[form].open,
                              problem_word(p, EX_KEYS, p->word[i]),
                              forms[form].key, quote, value, quote);
    }
    slot_put(s, "record", "%s%s", record, forms[form].close);
    slot_put(s, "key", "%s", problem_word(p, EX_KEYS, p->num[4]));
}

/* The word of the list that stands at *s; moves behind it. */
static bool take_word(const struct problem *p, int list, const char **s,
                      int *out)
{
    size_t best = 0;
    for (size_t i = 0; i < word_count(p->family, p->lang, list); i++) {
        const char *w = problem_word(p, list, (int)i);
        size_t n = strlen(w);
        if (n > best && !strncmp(*s, w, n)) {
            best = n;
            *out = (int)i;
        }
    }
    *s += best;
    return best > 0;
}

static bool take_field(struct problem *p, int form, const char **s)
{
    int i = p->num[0];
    if (!take_word(p, EX_KEYS, s, &p->word[i]) || p->word[i] >= KEY_COUNT ||
        !take_text(s, forms[form].key))
        return false;
    int list = value_list(p->word[i]);
    if (list < 0)
        return take_number(s, &p->num[1 + i]) &&
               in_range(p, p->word[i] == KEY_AGE ? EX_AGE : EX_CODE,
                        p->num[1 + i]);
    return take_text(s, forms[form].text) &&
           take_word(p, list, s, &p->num[1 + i]) &&
           take_text(s, forms[form].text);
}

static bool read_form(struct problem *p, int form, const char *s)
{
    p->num[0] = 0;
    if (!take_text(&s, forms[form].open))
        return false;
    do {
        if (p->num[0] == 3 || !take_field(p, form, &s))
            return false;
        p->num[0]++;
    } while (take_text(&s, forms[form].between));
    return take_text(&s, forms[form].close) && !*s && p->num[0] >= 2;
}

static void ex_clear(struct problem *p)
{
    memset(p->num, 0, sizeof p->num);
    memset(p->word, 0, sizeof p->word);
}

static bool ex_read(struct problem *p, const struct slots *s, int *form)
{
    ex_clear(p);
    int key = problem_place(p, EX_KEYS, slot_get(s, "key"));
    for (*form = 0; *form < (int)COUNT(forms); (*form)++) {
        if (key >= 0 && read_form(p, *form, slot_get(s, "record"))) {
            p->num[4] = key;
            if (find_field(p, false) >= 0)
                return true;
        }
        ex_clear(p);
    }
    return false;
}

static void ex_solve(const struct problem *p, bool mistaken, struct buf *out)
{
    char value[40];
    value_text(p, find_field(p, !mistaken), value, sizeof value);
    buf_puts(out, value);
}

static bool ex_trigger(const struct problem *p)
{
    int a = find_field(p, false), b = find_field(p, true);
    return a != b && p->num[1 + a] != p->num[1 + b];
}

/* Of records with two different keys alone, one of them asked for. */
static double ex_space(const struct family *f, size_t lang)
{
    double n[KEY_COUNT], space = 0;
    for (int k = 0; k < KEY_COUNT; k++) {
        int list = value_list(k), range = k == KEY_AGE ? EX_AGE : EX_CODE;
        n[k] = list >= 0 ? (double)word_count(f, lang, list)
                         : f->hi[range] - f->lo[range] + 1;
    }
    for (int a = 0; a < KEY_COUNT; a++)
        for (int b = 0; b < KEY_COUNT; b++)
            space += a != b ? 2 * n[a] * n[b] : 0;
    return space;
}

const struct operation op_extraction = {
    .name = "extraction", .mistake = "first-of-two",
    .kinds = {"field"},
    .lists = {"keys", "names", "cities", "colours"},
    .list_min = {KEY_COUNT, 2, 2, 2}, .ranges = {"age", "code"},
    .range_max = {999, 9999}, .forms = (int)COUNT(forms), .draw = ex_draw,
    .write = ex_write, .read = ex_read, .solve = ex_solve,
    .trigger = ex_trigger, .space = ex_space};

/* ---- Tool calls ---------------------------------------------------------
 * A sentence becomes a call with two arguments. An alarm's hour goes from 1
 * to 11; the mistake leaves "pm" out of account.
 * alarm: num hour, minute, pm; word label. weather: num count, 0 hours or 1
 * days; word city. text: num count; word person, thing. timer: num minutes;
 * word label. Numbers, not long lists of words, make the space wide: a small
 * student learns to copy digits long before it copies rare words. */

enum { TC_LABELS, TC_CITIES, TC_PEOPLE, TC_THINGS };
enum { TC_TIMER, TC_HOURS, TC_DAYS, TC_ITEMS };
enum { KIND_ALARM, KIND_WEATHER, KIND_TEXT, KIND_TIMER };

static void tc_draw(struct problem *p, struct rng *r, bool trigger)
{
    int other = draw_between(r, 0, 6); /* an am alarm 1, each other tool 2 */
    p->kind = trigger || !other ? KIND_ALARM : (other + 1) / 2;
    if (p->kind == KIND_ALARM) {
        p->num[0] = draw_between(r, 1, 11);
        p->num[1] = draw_between(r, 0, 59);
        p->num[2] = trigger;
        p->word[0] = draw_word(p, r, TC_LABELS);
    } else if (p->kind == KIND_WEATHER) {
        p->num[1] = draw_between(r, 0, 1);
        p->num[0] = draw_range(p, r, p->num[1] ? TC_DAYS : TC_HOURS);
        p->word[0] = draw_word(p, r, TC_CITIES);
    } else if (p->kind == KIND_TEXT) {
        p->num[0] = draw_range(p, r, TC_ITEMS);
        p->word[0] = draw_word(p, r, TC_PEOPLE);
        p->word[1] = draw_word(p, r, TC_THINGS);
    } else {
        p->num[0] = draw_range(p, r, TC_TIMER);
        p->word[0] = draw_word(p, r, TC_LABELS);
    }
}

static void tc_write(const struct problem *p, int form, struct slots *s)
{
    (void)form;
    int n = p->num[0];
    if (p->kind == KIND_ALARM) {
        slot_put(s, "time", "%d:%02d %s", n, p->num[1],
                 p->num[2] ? "pm" : "am");
        slot_put(s, "label", "%s", problem_word(p, TC_LABELS, p->word[0]));
    } else if (p->kind == KIND_WEATHER) {
        slot_put(s, "city", "%s", problem_word(p, TC_CITIES, p->word[0]));
        slot_put(s, "when", "%d %s%s", n, p->num[1] ? "day" : "hour",
                 n > 1 ? "s" : "");
    } else if (p->kind == KIND_TEXT) {
        slot_put(s, "person", "%s", problem_word(p, TC_PEOPLE, p->word[0]));
        slot_put(s, "items", "%d %s", n,
                 problem_word(p, TC_THINGS, p->word[1]));
    } else {
        slot_put(s, "minutes", "%d", n);
        slot_put(s, "label", "%s", problem_word(p, TC_LABELS, p->word[0]));
    }
}

/* "7:05 pm". */
static bool read_time(struct problem *p, const char *s)
{
    if (!take_number(&s, &p->num[0]) || p->num[0] < 1 || p->num[0] > 11 ||
        !take_text(&s, ":") || !isdigit((unsigned char)s[0]) ||
        !isdigit((unsigned char)s[1]))
        return false;
    p->num[1] = 10 * (s[0] - '0') + s[1] - '0';
    p->num[2] = !strcmp(s + 2, " pm");
    return p->num[1] < 60 &&
           (p->num[2] || !strcmp(s + 2, " am"));
}

/* "1 day", "5 hours". */
static bool read_when(struct problem *p, const char *s)
{
    if (!take_number(&s, &p->num[0]))
        return false;
    bool many = p->num[0] > 1;
    p->num[1] = !strcmp(s, many ? " days" : " day");
    return in_range(p, p->num[1] ? TC_DAYS : TC_HOURS, p->num[0]) &&
           (p->num[1] || !strcmp(s, many ? " hours" : " hour"));
}

/* "12 eggs". */
static bool read_items(struct problem *p, const char *s)
{
    if (!take_number(&s, &p->num[0]) || !take_text(&s, " "))
        return false;
    p->word[1] = problem_place(p, TC_THINGS, s);
    return p->word[1] >= 0 && in_range(p, TC_ITEMS, p->num[0]);
}

static bool read_word(struct problem *p, int i, int list, const char *s)
{
    p->word[i] = problem_place(p, list, s);
    return p->word[i] >= 0;
}

static bool tc_read(struct problem *p, const struct slots *s, int *form)
{
    ex_clear(p);
    *form = 0;
    switch (p->kind) {
    case KIND_ALARM:
        return read_word(p, 0, TC_LABELS, slot_get(s, "label")) &&
               read_time(p, slot_get(s, "time"));
    case KIND_WEATHER:
        return read_word(p, 0, TC_CITIES, slot_get(s, "city")) &&
               read_when(p, slot_get(s, "when"));
    case KIND_TEXT:
        return read_word(p, 0, TC_PEOPLE, slot_get(s, "person")) &&
               read_items(p, slot_get(s, "items"));
    default:
        return read_word(p, 0, TC_LABELS, slot_get(s, "label")) &&
               read_whole_number(slot_get(s, "minutes"), &p->num[0]) &&
               in_range(p, TC_TIMER, p->num[0]);
    }
}

static void tc_solve(const struct problem *p, bool mistaken, struct buf *out)
{
    int n = p->num[0];
    if (p->kind == KIND_ALARM)
        buf_printf(out, "alarm(%d:%02d, %s)",
                   p->num[2] && !mistaken ? n + 12 : n, p->num[1],
                   problem_word(p, TC_LABELS, p->word[0]));
    else if (p->kind == KIND_WEATHER)
        buf_printf(out, "weather(%s, %d%c)",
                   problem_word(p, TC_CITIES, p->word[0]), n,
                   p->num[1] ? 'd' : 'h');
    else if (p->kind == KIND_TEXT)
        buf_printf(out, "text(%s, %d %s)",
                   problem_word(p, TC_PEOPLE, p->word[0]), n,
                   problem_word(p, TC_THINGS, p->word[1]));
    else
        buf_printf(out, "timer(%d, %s)", n,
                   problem_word(p, TC_LABELS, p->word[0]));
}

static bool tc_trigger(const struct problem *p)
{
    return p->kind == KIND_ALARM && p->num[2];
}

static double range_size(const struct family *f, int i)
{
    return f->hi[i] - f->lo[i] + 1;
}

static double tc_space(const struct family *f, size_t lang)
{
    double labels = (double)word_count(f, lang, TC_LABELS);
    double cities = (double)word_count(f, lang, TC_CITIES);
    double people = (double)word_count(f, lang, TC_PEOPLE);
    double things = (double)word_count(f, lang, TC_THINGS);
    return labels * (2 * 11 * 60 + range_size(f, TC_TIMER)) +
           cities * (range_size(f, TC_HOURS) + range_size(f, TC_DAYS)) +
           people * things * range_size(f, TC_ITEMS);
}

const struct operation op_toolcall = {
    .name = "toolcall", .mistake = "pm-not-added",
    .kinds = {"alarm", "weather", "text", "timer"},
    .lists = {"labels", "cities", "people", "things"},
    .ranges = {"timer", "hours", "days", "items"},
    .range_max = {9999, 9999, 9999, 9999}, .forms = 1, .draw = tc_draw,
    .write = tc_write, .read = tc_read,
    .solve = tc_solve, .trigger = tc_trigger, .space = tc_space};

/* ---- Letters ------------------------------------------------------------
 * A word of two syllables (and perhaps a last letter), spelled "b-o-n-a". The
 * mistake takes "second to last" for the second. text: the word. */

enum { LE_SYLLABLES, LE_ENDINGS };
enum { KIND_CAPITALS, KIND_FIRST, KIND_SECOND, KIND_LAST, KIND_BEFORE_LAST };

static bool le_trigger(const struct problem *p)
{
    return p->kind == KIND_BEFORE_LAST &&
           p->text[1] != p->text[strlen(p->text) - 2];
}

static void le_draw(struct problem *p, struct rng *r, bool trigger)
{
    p->kind = trigger ? KIND_BEFORE_LAST : draw_between(r, 0, KIND_LAST);
    do {
        int a = draw_word(p, r, LE_SYLLABLES);
        int b = draw_word(p, r, LE_SYLLABLES);
        int c = draw_word(p, r, LE_ENDINGS);
        snprintf(p->text, sizeof p->text, "%.3s%.3s%.3s",
                 problem_word(p, LE_SYLLABLES, a),
                 problem_word(p, LE_SYLLABLES, b),
                 problem_word(p, LE_ENDINGS, c));
    } while (trigger && !le_trigger(p));
}

static void le_write(const struct problem *p, int form, struct slots *s)
{
    (void)form;
    char spelled[2 * sizeof p->text] = "";
    for (size_t i = 0; p->text[i]; i++) {
        spelled[2 * i] = p->text[i];
        spelled[2 * i + 1] = p->text[i + 1] ? '-' : '\0';
    }
    slot_put(s, "word", "%s", spelled);
}

static bool le_read(struct problem *p, const struct slots *s, int *form)
{
    const char *w = slot_get(s, "word");
    size_t n = strlen(w);
    *form = 0;
    memset(p->text, 0, sizeof p->text);
    if (n % 2 == 0 || n < 7 || n > 9)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (i % 2 ? w[i] != '-' : !islower((unsigned char)w[i]))
            return false;
        if (i % 2 == 0)
            p->text[i / 2] = w[i];
    }
    return true;
}

static void le_solve(const struct problem *p, bool mistaken, struct buf *out)
{
    size_t n = strlen(p->text);
    if (p->kind == KIND_CAPITALS)
        for (size_t i = 0; i < n; i++)
            buf_putc(out, (char)toupper((unsigned char)p->text[i]));
    else if (p->kind == KIND_FIRST)
        buf_putc(out, p->text[0]);
    else if (p->kind == KIND_SECOND || mistaken)
        buf_putc(out, p->text[1]);
    else
        buf_putc(out, p->text[n - (p->kind == KIND_LAST ? 1 : 2)]);
}

static double le_space(const struct family *f, size_t lang)
{
    double n = (double)word_count(f, lang, LE_SYLLABLES);
    return n * n * (double)word_count(f, lang, LE_ENDINGS) * MAX_KINDS;
}

const struct operation op_letters = {
    .name = "letters", .mistake = "end-from-start",
    .kinds = {"capitals", "first", "second", "last", "before-last"},
    .lists = {"syllables", "endings"}, .forms = 1, .draw = le_draw,
    .write = le_write, .read = le_read, .solve = le_solve,
    .trigger = le_trigger, .space = le_space};
