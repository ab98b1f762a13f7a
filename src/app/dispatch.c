/* Keys and commands: which action they mean, and who does it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/lineage.h"
#include "base/clock.h"
#include "base/lang.h"
#include "base/utf8.h"
#include "jobs/env.h"

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

int action_of_key(enum view_id v, const char *key)
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

/* ---- What every view has ------------------------------------------------ */

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

static void go_back(struct app *a, const char *args)
{
    (void)args;
    if (a->zoom)
        a->zoom = false;
    else if (a->view >= VIEW_TABS)
        app_return(a);
    else if (view_filter(a) && *view_filter(a))
        view_deed(a->view, ACT_UNFILTER)->fn(a, "");
}

static void copy_text(struct app *a, const char *args)
{
    const struct view *v = view_of(a->view);
    (void)args;
    free(a->copy);
    int64_t id = list_id(app_list(a));
    a->copy = v->text                ? v->text(a)
              : v->row_text && id ? v->row_text(a, id)
                                  : NULL;
    if (!a->copy)
        app_say(a, _("there is no text here to copy"));
}

static void zoom(struct app *a, const char *args)
{
    (void)args;
    a->zoom = !a->zoom;
}

static void enter(struct app *a, const char *args)
{
    const struct view *v = view_of(a->view);
    if (v->enter)
        v->enter(a);
    else if (v->zooms)
        zoom(a, args);
}

/* What was said of another view goes. */
static void turn_to(struct app *a, enum view_id v)
{
    if (a->view != v)
        a->said[0] = '\0';
    app_open(a, v);
}

/* An action that takes no argument, as a call. */
#define PLAIN(name, call)                                                     \
    static void name(struct app *a, const char *args)                         \
    {                                                                         \
        (void)args;                                                           \
        call;                                                                 \
    }
PLAIN(tab2, turn_to(a, VIEW_SEEDS))
PLAIN(tab3, turn_to(a, VIEW_REVIEW))
PLAIN(tab4, turn_to(a, VIEW_RANK))
PLAIN(tab5, turn_to(a, VIEW_RUNS))
PLAIN(tab6, turn_to(a, VIEW_EXPORT))
PLAIN(teacher, form_open(a, FORM_TEACHER, ""))
PLAIN(down, move_cursor(a, ACT_DOWN))
PLAIN(up, move_cursor(a, ACT_UP))
PLAIN(first, move_cursor(a, ACT_FIRST))
PLAIN(last, move_cursor(a, ACT_LAST))
PLAIN(page_down, move_page(a, 1, false))
PLAIN(page_up, move_page(a, -1, false))
PLAIN(half_down, move_page(a, 1, true))
PLAIN(half_up, move_page(a, -1, true))
PLAIN(start, move_end(a, -1))
PLAIN(end, move_end(a, 1))
PLAIN(select_one, select_rows(a, ACT_SELECT))
PLAIN(select_range, select_rows(a, ACT_RANGE))
PLAIN(select_all, select_rows(a, ACT_ALL_OF))
PLAIN(select_none, select_rows(a, ACT_NONE))
PLAIN(command, prompt_open(a, LINE_COMMAND))
PLAIN(find, prompt_open(a, LINE_FIND))
PLAIN(find_on, find_next(a, 1))
PLAIN(find_back, find_next(a, -1))
PLAIN(help, help_open(a, false, *args ? args : NULL))
PLAIN(help_all, help_open(a, true, NULL))
PLAIN(messages, messages_open(a))
PLAIN(lineage, lineage_open(a, a->review.now.id))
PLAIN(hidden, turn(a, OPTION_HIDDEN))
PLAIN(tour, turn(a, OPTION_TOUR))
PLAIN(pane, a->list_focus = !a->list_focus)
PLAIN(undo, undo_last(a, false))
PLAIN(redo, undo_last(a, true))
PLAIN(repaint, a->stale = STALE_ALL)
PLAIN(quit, a->quit = true)
#undef PLAIN

static const char *no_lineage(const struct app *a)
{
    return a->view == VIEW_REVIEW && !a->review.now.id
               ? _("there is no sample here")
               : NULL;
}

/* A teacher is shown seeds or samples of a target. */
static const char *no_draw(const struct app *a)
{
    const struct target_counts *n = &a->counts;
    if (!a->target)
        return _("no target yet; + makes one");
    return n->seeds || n->pending || n->accepted || n->rejected || n->deferred
               ? NULL
               : _("there is nothing to show a teacher yet; I in 2 imports "
                   "seeds");
}

/* With a name, that target becomes the one to work on. */
static void tab1(struct app *a, const char *name)
{
    int64_t id = *name ? target_find(a->s, name) : a->target;
    if (*name && !id) {
        app_wrong(a, _("no target is named %s"), name);
        return;
    }
    if (*name)
        app_set_target(a, id);
    turn_to(a, VIEW_TARGETS);
}

static void expand(struct app *a, const char *args)
{
    form_open(a, FORM_EXPAND, args);
}

static void train(struct app *a, const char *args)
{
    form_open(a, FORM_TRAIN, args);
}

static const struct deed common[] = {
    {.act = ACT_VIEW1, .fn = tab1, .complete = complete_targets},
    {.act = ACT_VIEW2, .fn = tab2},
    {.act = ACT_VIEW3, .fn = tab3},
    {.act = ACT_VIEW4, .fn = tab4},
    {.act = ACT_VIEW5, .fn = tab5},
    {.act = ACT_VIEW6, .fn = tab6},
    {.act = ACT_EXPAND,
     .fn = expand,
     .why_not = no_draw,
     .complete = complete_expand},
    {.act = ACT_TEACHER, .fn = teacher},
    {.act = ACT_TRAIN, .fn = train, .complete = complete_train},
    {.act = ACT_IMPORT, .fn = work_import, .prompt = LINE_IMPORT},
    {.act = ACT_DOWN, .fn = down},
    {.act = ACT_UP, .fn = up},
    {.act = ACT_FIRST, .fn = first},
    {.act = ACT_LAST, .fn = last},
    {.act = ACT_PAGE_DOWN, .fn = page_down},
    {.act = ACT_PAGE_UP, .fn = page_up},
    {.act = ACT_HALF_DOWN, .fn = half_down},
    {.act = ACT_HALF_UP, .fn = half_up},
    {.act = ACT_START, .fn = start},
    {.act = ACT_END, .fn = end},
    {.act = ACT_SELECT, .fn = select_one},
    {.act = ACT_RANGE, .fn = select_range},
    {.act = ACT_ALL_OF, .fn = select_all},
    {.act = ACT_NONE, .fn = select_none},
    {.act = ACT_OPEN, .fn = enter},
    {.act = ACT_COMMAND, .fn = command},
    {.act = ACT_FIND, .fn = find},
    {.act = ACT_FIND_NEXT, .fn = find_on},
    {.act = ACT_FIND_BACK, .fn = find_back},
    {.act = ACT_HELP, .fn = help},
    {.act = ACT_HELP_ALL, .fn = help_all},
    {.act = ACT_MESSAGES, .fn = messages},
    {.act = ACT_LINEAGE, .fn = lineage, .why_not = no_lineage},
    {.act = ACT_HIDDEN, .fn = hidden},
    {.act = ACT_TOUR, .fn = tour},
    {.act = ACT_PANE, .fn = pane},
    {.act = ACT_ZOOM, .fn = zoom},
    {.act = ACT_COPY, .fn = copy_text},
    {.act = ACT_UNDO, .fn = undo},
    {.act = ACT_REDO, .fn = redo},
    {.act = ACT_SET, .fn = set_option, .complete = complete_options},
    {.act = ACT_REPAINT, .fn = repaint},
    {.act = ACT_BACK, .fn = go_back},
    {.act = ACT_QUIT, .fn = quit},
};

/* ---- Dispatching -------------------------------------------------------- */

const struct deed *app_deed(const struct app *a, enum action act)
{
    const struct deed *own = view_deed(a->view, act);
    if (!(infos[act].views & 1u << a->view))
        return NULL;
    for (size_t i = 0; !own && i < COUNT(common); i++)
        if (common[i].act == act)
            own = &common[i];
    return own;
}

bool app_can(const struct app *a, enum action act)
{
    const struct deed *d = app_deed(a, act);
    return d && !(d->why_not && d->why_not(a));
}

static void run(struct app *a, enum action act, const char *args)
{
    const struct deed *d = app_deed(a, act);
    const char *why = d && d->why_not ? d->why_not(a) : NULL;
    if (!d) {
        app_wrong(a, _("%s does nothing here"), infos[act].name);
    } else if (why) {
        app_wrong(a, "%s", why);
    } else if (d->prompt != LINE_NONE && !*args) {
        prompt_open(a, d->prompt);
    } else {
        d->fn(a, strcmp(args, "\"\"") ? args : "");
        a->stale = a->stale ? a->stale : STALE_PAINT;
    }
}

int app_action(const char *text, const char **args)
{
    char name[40] = "";
    int n = 0;
    sscanf(text, " %39s%n", name, &n);
    *args = text + n + strspn(text + n, " ");
    return *name ? action_find(name) : -1;
}

/* ":2041" goes to an id, ":#500" to a row; false: it is neither. */
static bool go_to(struct app *a, const char *text)
{
    struct list *l = app_list(a);
    bool row = *text == '#';
    const char *number = text + (row || *text == 's');
    char *end, rows[32];
    long long n = strtoll(number, &end, 10);
    if (*number < '0' || *number > '9' || end[strspn(end, " ")])
        return false;
    bool there = row ? n > 0 && (uint64_t)n <= l->total : list_go(l, n);
    if (row && there)
        list_go_row(l, (size_t)n - 1);
    if (there)
        app_load(a);
    else if (row)
        app_say(a, P_("there is %s row here", "there are %s rows here",
                      l->total), lang_number(rows, sizeof rows,
                                             (double)l->total, 0));
    else
        app_say(a, _("%lld is not in this list"), n);
    return true;
}

/* Why a line may not decide now: what about is not in sight. */
static const char *why_unseen(const struct app *a)
{
    static const char *const why[] = {
        [SIGHT_NONE] = N_("typed before this was on the screen: Enter, now "
                          "that it is"),
        [SIGHT_LIST] = N_("hidden by the list: Tab shows it"),
        [SIGHT_SMALL] = N_("too small to decide here"),
        [SIGHT_ITEM] = NULL};
    return why[a->sight];
}

void app_command(struct app *a, const char *text)
{
    const char *args;
    int act = app_action(text, &args);
    text += strspn(text, " ");
    if (!*text || go_to(a, text))
        return;
    if (act < 0) {
        app_wrong(a, _("there is no action %.*s; ? lists them"),
                  (int)strcspn(text, " "), text);
        return;
    }
    const struct deed *d = app_deed(a, (enum action)act);
    if (d && d->decides && why_unseen(a))
        app_wrong(a, "%s", _(why_unseen(a)));
    else
        run(a, (enum action)act, args);
}

/* Keys that say yes to a form, or to a question other than the one for a
 * reason. */
static bool says_yes(const struct app *a, const char *key)
{
    if (a->form.open)
        return !strcmp(key, "Enter") || !strcmp(key, FORM_START);
    return a->ask.kind != ASK_NOTHING && a->ask.kind != ASK_REASON &&
           (!strcmp(key, "Y") || !strcmp(key, "a") || !strcmp(key, "Space") ||
            (!strcmp(key, "u") && a->ask.kind == ASK_EDITED));
}

static bool ignore(struct app *a, enum ignored why)
{
    a->ignored = a->ignored_why == why ? a->ignored + 1 : 1;
    a->ignored_why = why;
    a->stale = STALE_PAINT;
    return true;
}

/* Whether a key that decides is dropped: what it would decide about is not in
 * sight, or it is a key that is held down: `before` is what the key before it
 * decided. */
static bool is_dropped(struct app *a, enum action act, enum action before)
{
    int64_t now = clock_mono();
    bool held = before == act &&
                now - a->decided_at < a->options.value[OPTION_REPEAT];
    a->decided_at = now;
    a->decided_by = act;
    switch (a->sight) {
    case SIGHT_NONE: return ignore(a, IGNORED_AHEAD);
    case SIGHT_LIST:
        app_say(a, _("hidden by the list: Tab shows it"));
        return true;
    case SIGHT_SMALL:
        app_say(a, _("too small to decide here"));
        return true;
    case SIGHT_ITEM: break;
    }
    if (held)
        return ignore(a, IGNORED_HELD);
    return now - a->painted_at < a->options.value[OPTION_LINK] &&
           ignore(a, IGNORED_SOON);
}

/* What was found is scrolled into sight, once its place is known. */
static void seek_hit(struct app *a, int *scroll)
{
    bool below = a->n_hits && scroll && a->hits[0] >= a->text_rows;
    if (a->seek_hit && below) {
        *scroll = a->hits[0];
        a->stale = STALE_PAINT;
    }
    a->seek_hit = false;
}

void app_painted(struct app *a, enum sight sight)
{
    int *scroll = view_scroll(a);
    seek_hit(a, scroll);
    if (a->sight == SIGHT_NONE)
        a->painted_at = clock_mono();
    a->sight = sight;
    if (sight == SIGHT_ITEM && a->text_total &&
        (scroll ? *scroll : 0) + a->text_rows >= a->text_total)
        a->read = true;
    if (sight == SIGHT_ITEM && a->view == VIEW_RANK)
        rank_painted(a);
}

/* While a question about the item is open its text can be read all the same;
 * a draft can be left, it is there when one comes back. */
static bool passes_question(struct app *a, const char *key)
{
    static const enum action reads[] = {
        ACT_PAGE_DOWN, ACT_PAGE_UP, ACT_HALF_DOWN, ACT_HALF_UP,
        ACT_START,     ACT_END,     ACT_DOWN,      ACT_UP};
    int act = action_of_key(a->view, key);
    size_t i = 0;
    while (i < COUNT(reads) && (int)reads[i] != act)
        i++;
    bool leaves = act == ACT_DOWN || act == ACT_UP;
    bool about_text = a->ask.kind != ASK_BULK && a->ask.kind != ASK_REPLACE;
    if (i == COUNT(reads) || !about_text || (a->list_focus && !leaves) ||
        (leaves && a->ask.kind != ASK_EDITED))
        return false;
    if (leaves || a->ask.kind == ASK_UNREAD || a->ask.kind == ASK_ORDER)
        a->ask.kind = ASK_NOTHING;
    run(a, reads[i], "");
    if (!leaves && a->ask.kind == ASK_NOTHING)
        edit_ask(a);
    return true;
}

bool app_key(struct app *a, const char *key)
{
    bool unseen = a->sight == SIGHT_NONE || a->sight == SIGHT_SMALL;
    enum action before = a->decided_by;
    a->decided_by = ACTIONS;
    if (a->line.kind != LINE_NONE)
        return prompt_key(a, key);
    if (a->typing.open)
        return review_type_key(a, key);
    if (unseen && says_yes(a, key)) {
        app_say(a, _("1 key ignored: it was typed before the question was on "
                     "the screen"));
        return true;
    }
    if (a->form.open)
        return form_mode_key(a, key);
    if (a->ask.kind != ASK_NOTHING)
        return review_ask_key(a, key) || passes_question(a, key);
    const char *command = options_command(&a->options, (int)a->view, key);
    int act = command ? app_action(command, &(const char *){0})
                      : action_of_key(a->view, key);
    if (act < 0)
        return false;
    const struct deed *d = app_deed(a, (enum action)act);
    if (d && d->decides && is_dropped(a, (enum action)act, before))
        return true;
    a->ignored = 0;
    if (command)
        app_command(a, command);
    else
        run(a, (enum action)act, "");
    return true;
}

void app_paste(struct app *a, const char *text)
{
    a->stale = STALE_PAINT;
    if (a->line.kind != LINE_NONE)
        line_paste(&a->line, text);
    else if (a->typing.open && (!text || !area_insert(&a->typing, text)))
        app_say(a, _("what was pasted is too long; nothing of it was taken"));
    else if (a->form.open && !a->typing.open)
        form_mode_paste(a, text ? text : "\n");
    else if (!a->typing.open)
        app_say(a, _("pasted text is never keys; it was dropped"));
}

/* Beyond this many bytes some terminals take nothing of it. */
#define COPY_LARGE 74994

void app_copied(struct app *a, size_t sent)
{
    char n[32], of[32];
    size_t all = utf8_length(a->copy, strlen(a->copy));
    lang_number(n, sizeof n, (double)utf8_length(a->copy, sent), 0);
    lang_number(of, sizeof of, (double)all, 0);
    if (sent < strlen(a->copy))
        app_say(a, _("the first %s of %s characters were sent to the "
                     "terminal's clipboard; it takes no more"), n, of);
    else if (sent > COPY_LARGE)
        app_say(a, _("%s characters sent to the terminal's clipboard; not "
                     "every terminal takes so many"), n);
    else
        app_say(a, P_("%s character sent to the terminal's clipboard",
                      "%s characters sent to the terminal's clipboard", all),
                n);
    free(a->copy);
    a->copy = NULL;
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
    if (view_of(a->view)->edited)
        view_of(a->view)->edited(a, text);
    a->edit.what = EDIT_NOTHING;
}
