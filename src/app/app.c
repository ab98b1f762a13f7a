#include "app/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/lineage.h"
#include "app/session.h"
#include "base/clock.h"
#include "base/lang.h"
#include "base/utf8.h"
#include "jobs/env.h"
#include "store/tags.h"

#define ACTION(id, name, keys, views, word, help)                             \
    {name, keys, views, word, help},
static const struct action_info infos[] = {
#include "app/actions.def"
};
#undef ACTION

const struct action_info *action_info(enum action a)
{
    return &infos[a];
}

int action_of_key(enum view v, const char *key)
{
    size_t n = strlen(key);
    for (int i = 0; i < ACTIONS; i++) {
        if (!(infos[i].views & 1u << v))
            continue;
        for (const char *p = infos[i].keys; *p;) {
            size_t len = strcspn(p, " ");
            if (len == n && !strncmp(p, key, n))
                return i;
            p += len + (p[len] == ' ');
        }
    }
    return -1;
}

int action_find(const char *name)
{
    for (int i = 0; i < ACTIONS; i++)
        if (!strcmp(infos[i].name, name))
            return i;
    return -1;
}

/* ---- Row 23 ------------------------------------------------------------- */

static void forget_message(struct message_line *m)
{
    free(m->text);
    free(m->command);
}

static void list_messages(struct app *a)
{
    ids rows = {0};
    for (size_t i = 0; i < a->messages.n; i++)
        VEC_PUSH(&rows, (int64_t)i + 1);
    list_take(&a->messages_list, &rows);
    list_move(&a->messages_list, (long)a->messages.n);
}

void app_remember(struct app *a, const char *text)
{
    struct message_line m = {clock_now(), xstrdup(text), NULL};
    VEC_PUSH(&a->messages, m);
    if (a->messages.n <= MESSAGES_MAX)
        return;
    size_t gone = MESSAGES_MAX / 10;
    for (size_t i = 0; i < gone; i++)
        forget_message(&a->messages.at[i]);
    a->messages.n -= gone;
    memmove(a->messages.at, a->messages.at + gone, a->messages.n * sizeof m);
    a->messages_gone += gone;
    list_messages(a);
}

void app_say(struct app *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(a->said, sizeof a->said, fmt, ap);
    va_end(ap);
    a->said_undo = false;
    a->stale = STALE_PAINT;
    app_remember(a, a->said);
}

void app_say_err(struct app *a, const struct err *e)
{
    app_say(a, "%s", e->text);
}

/* ---- Views -------------------------------------------------------------- */

struct list *app_list(struct app *a)
{
    switch (a->view) {
    case VIEW_TARGETS: return &a->targets.list;
    case VIEW_SEEDS: return &a->seeds.list;
    case VIEW_RANK: return &a->rank.list;
    case VIEW_RUNS: return &a->runs.list;
    case VIEW_EXPORT: return &a->export.list;
    case VIEW_LINEAGE: return &a->lineage;
    case VIEW_HELP: return &a->help;
    case VIEW_MESSAGES: return &a->messages_list;
    default: return &a->review.list;
    }
}

void app_load(struct app *a)
{
    a->text_total = 0;
    a->painted = false;
    switch (a->view) {
    case VIEW_TARGETS: targets_load(a); break;
    case VIEW_SEEDS: seeds_load(a); break;
    case VIEW_REVIEW: review_load(a); break;
    case VIEW_RANK: rank_load(a); break;
    case VIEW_RUNS: runs_load(a); break;
    case VIEW_EXPORT: export_load(a); break;
    case VIEW_LINEAGE: lineage_load(a); break;
    default: break;
    }
    a->stale = STALE_PAINT;
}

/* Counted anew only where something was written since. */
static void refresh_counts(struct app *a)
{
    struct counted now = {a->target, store_seq(a->s),
                          store_data_version(a->s)};
    if (!a->target || !memcmp(&now, &a->counted, sizeof now))
        return;
    target_counts(a->s, a->target, &a->counts);
    a->counted = now;
}

void app_open(struct app *a, enum view v)
{
    if (v >= VIEW_TABS && a->view < VIEW_TABS)
        a->back = a->view;
    a->view = v;
    a->second_pane = false;
    refresh_counts(a);
    switch (v) {
    case VIEW_TARGETS: targets_open(a); break;
    case VIEW_SEEDS: seeds_open(a); break;
    case VIEW_REVIEW: review_open(a); break;
    case VIEW_RANK: rank_open(a); break;
    case VIEW_RUNS: runs_open(a); break;
    case VIEW_EXPORT: export_open(a); break;
    default: break;
    }
    app_load(a);
}

void app_set_target(struct app *a, int64_t target)
{
    struct target t;
    free(a->target_name);
    a->target_name = NULL;
    a->target = target;
    if (target && target_get(a->s, target, &t, NULL)) {
        a->target_name = xstrdup(t.name);
        target_free(&t);
    }
    refresh_counts(a);
}

void app_init(struct app *a, struct store *s, const char *who)
{
    ids all;
    *a = (struct app){.s = s, .who = xstrdup(who), .page = 4, .text_rows = 6};
    a->data_version = store_data_version(s);
    if (target_ids(s, &all, NULL))
        app_set_target(a, all.n ? all.at[all.n - 1] : 0);
    bool one = all.n == 1;
    VEC_FREE(&all);
    enum view first = !a->target || !one     ? VIEW_TARGETS
                      : a->counts.pending > 0 ? VIEW_REVIEW
                                              : VIEW_SEEDS;
    app_open(a, first);
    session_restore(a);
    struct err e = {0};
    if (!options_load(&a->options, &e))
        app_say_err(a, &e);
    if (store_notice(s))
        app_say(a, "%s", store_notice(s));
    if (store_loss(s))
        app_say(a, "%s", store_loss(s));
    if (store_read_only(s))
        app_say(a, _("this store may not be written: it is open read-only"));
}

void app_done(struct app *a)
{
    review_keep_draft(a);
    area_close(&a->typing);
    session_save(a);
    review_done(a);
    seeds_done(a);
    targets_done(a);
    rank_done(a);
    runs_done(a);
    export_done(a);
    form_free(&a->form);
    child_stop(&a->trying);
    child_stop(&a->measuring);
    VEC_FREE(&a->works);
    options_free(&a->options);
    lineage_done(a);
    list_free(&a->help);
    list_free(&a->messages_list);
    for (size_t i = 0; i < a->messages.n; i++)
        forget_message(&a->messages.at[i]);
    VEC_FREE(&a->messages);
    line_done(&a->line);
    free(a->find);
    free(a->copy);
    free(a->edit.text);
    free(a->target_name);
    free(a->who);
    store_close(&a->s);
}

void app_look(struct app *a)
{
    review_keep_draft(a);
    int64_t v = store_data_version(a->s);
    if (v == a->data_version)
        return;
    a->data_version = v;
    refresh_counts(a);
    a->stale = STALE_PAINT;
}

/* ---- Help and messages -------------------------------------------------- */

static void open_help(struct app *a, const char *find)
{
    ids rows = {0};
    a->help_of = a->view < VIEW_TABS ? a->view : a->back;
    unsigned views = a->help_all ? ALL : 1u << a->help_of;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < ACTIONS; i++) {
            bool here = infos[i].views != ALL && (infos[i].views & views);
            if (here != (pass == 0) || !(infos[i].views & views))
                continue;
            if (!find || strstr(infos[i].name, find) ||
                strstr(_(infos[i].help), find))
                VEC_PUSH(&rows, (int64_t)i + 1);
        }
    a->help.cursor = a->help.top = 0;
    list_take(&a->help, &rows);
    a->help.cursor = 0;
    app_open(a, VIEW_HELP);
}

static void open_messages(struct app *a)
{
    list_messages(a);
    app_open(a, VIEW_MESSAGES);
}

/* ---- Prompts ------------------------------------------------------------ */

static const char *line_start(struct app *a, enum line_kind kind)
{
    if (kind == LINE_FILTER) {
        const char *f = a->view == VIEW_SEEDS    ? a->seeds.filter
                        : a->view == VIEW_EXPORT ? a->export.filter
                                                 : a->review.filter;
        return f ? f : a->view == VIEW_REVIEW ? "status:pending " : "";
    }
    return "";
}

static void open_line(struct app *a, enum line_kind kind)
{
    line_open(&a->line, kind, line_start(a, kind));
    a->said[0] = '\0';
    a->stale = STALE_PAINT;
}

static void complete(struct app *a)
{
    struct buf all = BUF_INIT(0);
    size_t from = 0;
    char *text = xstrndup(buf_str(&a->line.text), a->line.cursor);
    if (a->line.kind == LINE_FILTER) {
        filter_complete(text, &from, &all);
    } else if (a->line.kind == LINE_COMMAND) {
        for (int i = 0; i < ACTIONS; i++)
            if (!strncmp(infos[i].name, text, strlen(text)))
                buf_printf(&all, "%s\n", infos[i].name);
    } else if (a->line.kind == LINE_TAG) {
        char *tags = tags_all(a->s), *rest = tags, *one;
        from = text[0] == '-';
        while (rest && (one = strsep(&rest, "\n")))
            if (*one && !strncmp(one, text + from, strlen(text + from)))
                buf_printf(&all, "%s\n", one);
        free(tags);
    }
    line_complete(&a->line, from, buf_str(&all));
    buf_free(&all);
    free(text);
}

static void find_next(struct app *a, int by);

static void submit_line(struct app *a)
{
    static const char *const commands[LINE_KINDS] = {
        [LINE_FILTER] = "filter", [LINE_TAG] = "tag", [LINE_NOTE] = "note",
        [LINE_RATE] = "rate", [LINE_REASON] = "reject",
        [LINE_IMPORT] = "import", [LINE_ORDER] = "order",
        [LINE_ASK] = "ask"};
    enum line_kind kind = a->line.kind;
    char *text = xstrdup(buf_str(&a->line.text));
    line_close(&a->line, true);
    if (kind == LINE_COMMAND) {
        app_command(a, text);
    } else if (kind == LINE_FIND) {
        free(a->find);
        a->find = xstrdup(text);
        find_next(a, 1);
    } else {
        char *command = xasprintf("%s %s", commands[kind],
                                  *text ? text : "\"\"");
        app_command(a, command);
        free(command);
    }
    free(text);
}

static bool line_mode_key(struct app *a, const char *key)
{
    a->stale = STALE_PAINT;
    if (!strcmp(key, "Esc") || !strcmp(key, "^G")) {
        line_close(&a->line, false);
        return true;
    }
    if (!strcmp(key, "Enter")) {
        submit_line(a);
        return true;
    }
    if (!strcmp(key, "Tab")) {
        complete(a);
        return true;
    }
    if (line_key(&a->line, key))
        return true;
    line_insert(&a->line, !strcmp(key, "Space") ? " " : key);
    return true;
}

/* ---- The mouse ---------------------------------------------------------- */

void app_click(struct app *a, int y)
{
    struct list *l = app_list(a);
    size_t row = l->top + (size_t)(y - a->list_y);
    bool busy = a->line.kind != LINE_NONE || a->typing.open || a->form.open ||
                a->ask.kind != ASK_NOTHING;
    if (busy || y < a->list_y || y > a->list_y + a->page || row >= l->all.n)
        return;
    l->cursor = row;
    app_load(a);
}

/* ---- Finding ------------------------------------------------------------ */

/* The text of row i of the present list; the caller frees. */
static char *row_text(struct app *a, size_t i)
{
    int64_t id = app_list(a)->all.at[i];
    struct sample_row r;
    struct seed_row q;
    char *text = NULL;
    if (a->view == VIEW_HELP)
        return xasprintf("%s %s", infos[id - 1].name, _(infos[id - 1].help));
    if (a->view == VIEW_SEEDS && seed_row_get(a->s, id, &q)) {
        text = xstrdup(q.first_line);
        seed_row_free(&q);
    } else if (a->view == VIEW_REVIEW && sample_row_get(a->s, id, &r)) {
        text = r.first_line;
    } else if (a->view == VIEW_MESSAGES) {
        text = xstrdup(a->messages.at[id - 1].text);
    }
    return text ? text : xstrdup("");
}

static bool matches(const char *text, const char *find)
{
    for (const char *p = find; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            return strstr(text, find) != NULL; /* smart case */
    return strcasestr(text, find) != NULL;
}

static void find_next(struct app *a, int by)
{
    struct list *l = app_list(a);
    size_t n = l->all.n, i = l->cursor;
    if (!a->find || !*a->find || !n)
        return;
    for (size_t step = 0; step < n; step++) {
        i = (i + n + (size_t)by) % n;
        char *text = row_text(a, i);
        bool hit = matches(text, a->find);
        free(text);
        if (!hit)
            continue;
        bool wrapped = by > 0 ? i <= l->cursor : i >= l->cursor;
        l->cursor = i;
        app_load(a);
        if (wrapped)
            app_say(a, _("the search went round"));
        return;
    }
    app_say(a, _("not found: %s"), a->find);
}

/* ---- Moving ------------------------------------------------------------- */

static int *scroll_of(struct app *a)
{
    return a->view == VIEW_REVIEW  ? &a->review.scroll
           : a->view == VIEW_SEEDS ? &a->seeds.scroll
           : a->view == VIEW_RUNS  ? &a->runs.scroll
                                   : NULL;
}

/* PgDn moves through the text while there is more of it, else the list. */
static void page(struct app *a, int by)
{
    int *scroll = scroll_of(a);
    if (scroll && a->text_total > a->text_rows) {
        int max = a->text_total - a->text_rows;
        int step = a->text_rows > 2 ? a->text_rows - 1 : 1, was = *scroll;
        *scroll += by * step;
        *scroll = *scroll < 0 ? 0 : *scroll > max ? max : *scroll;
        a->stale = STALE_PAINT;
        if (*scroll != was)
            return;
    }
    if (list_move(app_list(a), (long)by * a->page))
        app_load(a);
}

static void move(struct app *a, enum action act)
{
    struct list *l = app_list(a);
    long n = (long)l->all.n;
    long by = act == ACT_DOWN ? 1 : act == ACT_UP ? -1
              : act == ACT_FIRST ? -n : n;
    if (list_move(l, by))
        app_load(a);
}

static void select_rows(struct app *a, enum action act)
{
    struct list *l = app_list(a);
    int64_t id = list_id(l);
    a->stale = STALE_PAINT;
    if (act == ACT_ALL_OF || act == ACT_NONE) {
        l->everything = act == ACT_ALL_OF;
        l->marked.n = 0;
    } else if (act == ACT_SELECT && id) {
        list_mark(l, id, !list_selected(l, id));
        l->anchor = l->cursor;
        if (list_move(l, 1))
            app_load(a);
    } else if (act == ACT_RANGE) {
        size_t from = l->anchor < l->cursor ? l->anchor : l->cursor;
        size_t to = l->anchor < l->cursor ? l->cursor : l->anchor;
        for (size_t i = from; i <= to && i < l->all.n; i++)
            list_mark(l, l->all.at[i], true);
    }
    size_t n = list_selected_count(l);
    if (n)
        app_say(a, P_("%zu selected", "%zu selected", n), n);
    else
        a->said[0] = '\0';
}

static void set_option(struct app *a, const char *args)
{
    char name[20] = "", value[20] = "";
    struct err e = {0};
    sscanf(args, "%19s %19s", name, value);
    if (options_set(&a->options, name, value, &e))
        a->said[0] = '\0';
    else
        app_say_err(a, &e);
    a->stale = STALE_ALL;
}

static void turn(struct app *a, enum option o)
{
    bool on = a->options.value[o] == OPTION_ON;
    a->options.value[o] = on ? OPTION_OFF : OPTION_ON;
}

static void go_back(struct app *a)
{
    if (a->zoom)
        a->zoom = false;
    else if (a->view >= VIEW_TABS)
        app_open(a, a->back);
    else if (a->view == VIEW_REVIEW && a->review.filter)
        review_act(a, ACT_UNFILTER, "");
    else if (a->view == VIEW_SEEDS && a->seeds.filter)
        seeds_act(a, ACT_UNFILTER, "");
    a->stale = STALE_PAINT;
}

static void open_row(struct app *a)
{
    if (a->view == VIEW_HELP && list_id(&a->help)) {
        enum action act = (enum action)(list_id(&a->help) - 1);
        app_open(a, a->back);
        app_command(a, infos[act].name);
    } else if (a->view == VIEW_TARGETS) {
        targets_act(a, ACT_OPEN, "");
    } else if (a->view == VIEW_REVIEW || a->view == VIEW_SEEDS ||
               a->view == VIEW_RUNS) {
        a->zoom = !a->zoom;
        a->stale = STALE_PAINT;
    }
}

static void copy_text(struct app *a)
{
    char *text = NULL, *before = NULL;
    if (a->view == VIEW_REVIEW && a->review.now.id)
        review_answer(a, &text, &before);
    else if (a->view == VIEW_SEEDS && a->seeds.now.id)
        text = prompt_text(a->seeds.now.prompt);
    free(before);
    free(a->copy);
    a->copy = text;
    if (text)
        app_say(a, _("sent to the terminal's clipboard"));
}

/* ---- Dispatching -------------------------------------------------------- */

/* What was said of another view goes. */
static bool turn_to(struct app *a, enum action act)
{
    static const enum action tabs[VIEW_TABS] = {
        ACT_VIEW1, ACT_VIEW2, ACT_VIEW3, ACT_VIEW4, ACT_VIEW5, ACT_VIEW6};
    for (int i = 0; i < VIEW_TABS; i++) {
        if (tabs[i] != act)
            continue;
        if (a->view != (enum view)i)
            a->said[0] = '\0';
        app_open(a, (enum view)i);
        return true;
    }
    return false;
}

static bool common_act(struct app *a, enum action act, const char *args)
{
    if (turn_to(a, act))
        return true;
    switch (act) {
    case ACT_EXPAND: form_open(a, FORM_EXPAND); return true;
    case ACT_TEACHER: form_open(a, FORM_TEACHER); return true;
    case ACT_TRAIN: form_open(a, FORM_TRAIN); return true;
    case ACT_DOWN:
    case ACT_UP:
    case ACT_FIRST:
    case ACT_LAST: move(a, act); return true;
    case ACT_PAGE_DOWN: page(a, 1); return true;
    case ACT_PAGE_UP: page(a, -1); return true;
    case ACT_SELECT:
    case ACT_RANGE:
    case ACT_ALL_OF:
    case ACT_NONE: select_rows(a, act); return true;
    case ACT_OPEN: open_row(a); return true;
    case ACT_COMMAND: open_line(a, LINE_COMMAND); return true;
    case ACT_FIND: open_line(a, LINE_FIND); return true;
    case ACT_FIND_NEXT: find_next(a, 1); return true;
    case ACT_FIND_BACK: find_next(a, -1); return true;
    case ACT_HELP:
    case ACT_HELP_ALL:
        a->help_all = act == ACT_HELP_ALL;
        open_help(a, *args ? args : NULL);
        return true;
    case ACT_MESSAGES: open_messages(a); return true;
    case ACT_LINEAGE: lineage_open(a); return true;
    case ACT_HIDDEN: turn(a, OPTION_HIDDEN); break;
    case ACT_PANE: a->second_pane = !a->second_pane; break;
    case ACT_ZOOM: a->zoom = !a->zoom; break;
    case ACT_COPY: copy_text(a); return true;
    case ACT_SET: set_option(a, args); return true;
    case ACT_TOUR: turn(a, OPTION_TOUR); break;
    case ACT_REPAINT: a->stale = STALE_ALL; return true;
    case ACT_BACK: go_back(a); return true;
    case ACT_QUIT: a->quit = true; return true;
    default: return false;
    }
    a->stale = STALE_PAINT;
    return true;
}

/* Acts that ask for a text first where none was given. */
static enum line_kind asks_for(enum action act)
{
    switch (act) {
    case ACT_FILTER: return LINE_FILTER;
    case ACT_TAG: return LINE_TAG;
    case ACT_NOTE: return LINE_NOTE;
    case ACT_RATE: return LINE_RATE;
    case ACT_IMPORT: return LINE_IMPORT;
    case ACT_ORDER: return LINE_ORDER;
    case ACT_ASK: return LINE_ASK;
    default: return LINE_NONE;
    }
}

static void run(struct app *a, enum action act, const char *args)
{
    if (!(infos[act].views & 1u << a->view)) {
        app_say(a, _("%s does nothing here"), infos[act].name);
        return;
    }
    if (asks_for(act) && !*args) {
        open_line(a, asks_for(act));
        return;
    }
    if (!strcmp(args, "\"\""))
        args = "";
    if (common_act(a, act, args))
        return;
    switch (a->view) {
    case VIEW_TARGETS: targets_act(a, act, args); break;
    case VIEW_SEEDS: seeds_act(a, act, args); break;
    case VIEW_RANK: rank_act(a, act, args); break;
    case VIEW_RUNS: runs_act(a, act, args); break;
    case VIEW_EXPORT: export_act(a, act, args); break;
    default: review_act(a, act, args); break;
    }
}

/* The action that a command line begins with, -1 where there is none; *args
 * is what stands behind it. */
static int command_action(const char *text, const char **args)
{
    char name[40] = "";
    int n = 0;
    sscanf(text, " %39s%n", name, &n);
    *args = text + n + strspn(text + n, " ");
    return *name ? action_find(name) : -1;
}

void app_command(struct app *a, const char *text)
{
    const char *args;
    int act = command_action(text, &args);
    text += strspn(text, " ");
    if (!*text)
        return;
    if (act < 0) {
        app_say(a, _("there is no action %.*s; ? lists them"),
                (int)strcspn(text, " "), text);
        return;
    }
    run(a, (enum action)act, args);
}

static bool is_decision(int act)
{
    return act == ACT_ACCEPT || act == ACT_REJECT || act == ACT_DEFER ||
           act == ACT_AGAIN || act == ACT_ALL_BAD;
}

/* Keys that say yes to a form, or to a question other than the one for a
 * reason. */
static bool says_yes(const struct app *a, const char *key)
{
    if (a->form.open)
        return !strcmp(key, "Enter");
    return a->ask.kind != ASK_NOTHING && a->ask.kind != ASK_REASON &&
           (!strcmp(key, "Y") || !strcmp(key, "a") || !strcmp(key, "Space"));
}

bool app_key(struct app *a, const char *key, bool typed_ahead)
{
    if (a->line.kind != LINE_NONE)
        return line_mode_key(a, key);
    if (a->typing.open)
        return review_type_key(a, key);
    if (typed_ahead && says_yes(a, key)) {
        app_say(a, _("1 key ignored: it was typed before the question was on "
                     "the screen"));
        return true;
    }
    if (a->form.open)
        return form_mode_key(a, key);
    if (a->ask.kind != ASK_NOTHING)
        return review_ask_key(a, key);
    const char *command = options_command(&a->options, (int)a->view, key);
    int act = command ? command_action(command, &(const char *){0})
                      : action_of_key(a->view, key);
    if (act < 0)
        return false;
    if (typed_ahead && is_decision(act)) {
        a->ignored++;
        app_say(a, P_("%d key ignored: typed before %lld was on the screen",
                      "%d keys ignored: typed before %lld was on the screen",
                      (unsigned long)a->ignored), a->ignored,
                (long long)a->review.now.id);
        return true;
    }
    if (command)
        app_command(a, command);
    else
        run(a, (enum action)act, "");
    return true;
}

void app_paste(struct app *a, const char *text)
{
    if (a->typing.open) {
        area_insert(&a->typing, text);
        a->stale = STALE_PAINT;
        return;
    }
    if (a->line.kind == LINE_NONE) {
        app_say(a, _("pasted text is never keys; it was dropped"));
        return;
    }
    for (const char *p = text; *p; p++) {
        char one[2] = {*p == '\n' || *p == '\t' ? ' ' : *p, 0};
        line_insert(&a->line, one);
    }
    a->stale = STALE_PAINT;
}

char **app_secrets(void)
{
    return env_secrets(NULL, NULL);
}

void app_edited(struct app *a, const char *text, const char *why)
{
    int what = a->edit.what;
    a->edit.what = EDIT_NOTHING;
    a->stale = STALE_ALL;
    if (!text) {
        if (why)
            app_say(a, "%s", why);
        return;
    }
    a->edit.what = what;
    if (what == EDIT_NEW_SEED)
        seeds_edited(a, text);
    else if (what == EDIT_TARGET)
        targets_edited(a, text);
    else
        review_edited(a, text);
    a->edit.what = EDIT_NOTHING;
}
