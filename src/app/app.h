/* What the screen shows and what its keys do, without a terminal. Actions
 * change this state; the screen is painted from it, in ui/. Nothing here
 * draws, and nothing in ui/ decides.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "app/area.h"
#include "app/export.h"
#include "app/form.h"
#include "app/lineage.h"
#include "app/list.h"
#include "app/options.h"
#include "app/queue.h"
#include "app/rank.h"
#include "app/runs.h"
#include "app/view.h"
#include "base/buf.h"
#include "domain/diff.h"
#include "domain/filter.h"
#include "store/journal.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/target.h"
#include "verbs/decide.h"

/* Called while something takes long: it may paint row 23 and look for Esc, no
 * more. False gives up. */
typedef bool app_tick(void *ctx, const char *holder, int64_t waited_ms);

/* What has to be painted anew (any of them paints; 0 paints nothing). */
enum stale { STALE_NOTHING, STALE_PAINT, STALE_ALL };

/* What a key that decides may count on. */
enum sight {
    SIGHT_NONE, /* the item has not been painted yet */
    SIGHT_ITEM,
    SIGHT_LIST, /* the list hides it */
    SIGHT_SMALL /* the screen is too small for it */
};

/* Why a key that decides was dropped. */
enum ignored {
    IGNORED_AHEAD, /* it was typed before the item was on the screen */
    IGNORED_HELD,  /* a key held down decides once */
    IGNORED_SOON   /* sooner than a slow line can show the item */
};

/* A question on row 23 with its keys on row 24. */
struct ask {
    enum {
        ASK_NOTHING,
        ASK_REASON,   /* after x */
        ASK_EDITED,   /* after an edit */
        ASK_CONFLICT, /* somebody decided first */
        ASK_BULK,     /* the dry run */
        ASK_REPLACE,  /* a bundle stands where one is to be written */
        ASK_UNREAD,   /* the end of the text was not on the screen */
        ASK_ORDER     /* the order of Rank was not touched */
    } kind;
    char text[300];
};

/* At what state of the store, and for which target, something was counted. */
struct counted {
    int64_t target, seq, data_version;
};

#define MESSAGES_MAX 1000

/* One line of the messages view. */
struct message_line {
    int64_t at;
    char *text, *command;
};

/* What the person asked an editor for. */
struct edit_request {
    enum {
        EDIT_NOTHING,
        EDIT_ANSWER,
        EDIT_PROMPT,
        EDIT_NEW_SEED,
        EDIT_TARGET
    } what;
    char *text;
    int64_t of; /* the target, 0: a new one */
};

/* What was typed and could not be kept, in the store neither. */
struct aside {
    enum object kind;
    int64_t object;
    char *text; /* NULL: nothing */
};

/* A reason that is not shipped, and its key. */
struct own_reason {
    char key, name[REASON_BYTES];
};

struct review_state {
    struct list list;
    struct queue queue;  /* the list's rows */
    VEC(struct sample_row) shown; /* those on the screen */
    char *filter;        /* as typed; NULL: pending, oldest first */
    struct sample now;   /* the one under the cursor; id 0: none */
    int answer;          /* index of the shown candidate */
    int scroll;          /* of the answer, in rows */
    int64_t seen;        /* the journal's seq when it was painted */
    char *near_text;     /* the neighbour's prompt, NULL where none */
    char near_name[24];  /* "s13" or "2041" */
    const char *near_what; /* "seed", or its status; translated */
    bool focus_prompt;   /* e and i work on the prompt */
    bool against_answer; /* d: diff against the answer before */
    bool thinking;       /* w: what was thought is open */
    char *from;          /* where it came from, in a few lines; NULL */
    int64_t today;       /* decisions of mine since midnight */
    int64_t first_at, last_at, since; /* for the rate: of this session */
    struct decide last;  /* for `.`; to < 0: none */
    char last_reason[64];
    bool has_last;
    char why[64];        /* the last reason that x was given; "": none yet */
    VEC(struct own_reason) own;
    bool own_read;
    char *draft;         /* an edited answer that is not decided on */
    int64_t draft_of;    /* the candidate it is an edit of */
    /* bulk */
    bool bulk;
    struct decide bulk_do;
    char bulk_reason[64];
    ids bulk_ids;
    struct dry_run dry;
    uint64_t bulk_seed;
    VEC(struct sample_row) five; /* of them, drawn */
};

struct seeds_state {
    struct list list;
    struct queue queue;
    VEC(struct seed_row) shown;
    struct counted counted; /* when the figures below were */
    int64_t by_split[SPLIT_COUNT], never_drawn;
    char *filter;
    struct seed now;
    struct seed_row now_row; /* of what was made of it */
    char *note;              /* on it; NULL: none */
    int scroll;
};

/* A target as its row shows it. */
struct target_row {
    char *name;
    struct target_counts counts;
};

struct targets_state {
    struct list list;
    recipes_made made;            /* of the target under the cursor */
    int64_t untrained;            /* -1: there was no training */
    VEC(struct target_row) rows; /* all of them, in the list's order */
    struct counted counted;      /* when they were read */
    struct target now;
};

struct app {
    struct store *s;
    char *who, *store_name;
    int64_t target;
    char *target_name;
    enum view_id view, back;
    int64_t back_seq; /* what the store had when `back` was left */
    enum stale stale;
    bool quit;
    int64_t data_version;

    struct export_state export;
    struct rank_state rank;
    struct runs_state runs;
    struct form form;
    struct child trying;     /* one call of the teacher form */
    struct child measuring;  /* what the training in the form would take */
    int64_t measure_at;      /* when that begins (clock_mono); 0: not */
    ids works;               /* jobs of import and bulk begun here */
    ids living;              /* jobs and trainings whose end is to be said */
    int64_t last_job, last_run; /* the newest that were seen */
    struct targets_state targets;
    struct seeds_state seeds;
    struct review_state review;
    struct list help;        /* of action numbers */
    enum view_id help_of;
    struct lineage lineage;
    VEC(struct message_line) messages; /* the newest */
    size_t messages_gone;              /* older ones */
    struct list messages_list;
    int messages_scroll; /* of the one under the cursor, in rows */

    /* counts on the tabs */
    struct target_counts counts;
    struct counted counted; /* when they were counted */
    bool late;              /* all are -1 until there is a picture */

    /* row 23 */
    char said[400];
    bool said_undo; /* "u undoes" stands at its right end */
    int64_t said_at; /* on the monotonic clock */
    bool busy;      /* something takes long: row 23 says so until it is over */
    char doing[120]; /* what; "": the store is read */
    app_tick *tick;
    void *tick_ctx;
    struct ask ask;
    struct area_text typing; /* i: in the answer's own place */
    struct line line; /* the open prompt; kind LINE_NONE: none */
    bool wrong;       /* what was asked last was not taken, as said */
    char *find;       /* the last search */
    int hits[64];     /* rows of the text that scrolls in which it stands */
    size_t n_hits;
    bool seek_hit;    /* to be scrolled to the first of them */
    struct edit_request edit;
    struct aside aside;
    char *copy;       /* to be sent to the terminal's clipboard */

    bool tour;        /* the demo store's own line is there */
    int tour_at;      /* which of its steps is next */
    struct options options;
    bool zoom, help_all;
    bool list_focus; /* PgDn and its like move the list, not the text; on a
                      * small screen it is the pane that is shown */
    int list_y; /* of the list's first row on the screen */
    int list_w; /* how wide it is; 0: it is not there */
    int page;         /* rows of the list that are on the screen */
    int text_rows;    /* rows of the text that are on the screen */
    int text_total;   /* rows that it has */
    int ignored;      /* keys that decide, dropped since the last act */
    enum ignored ignored_why;
    int64_t painted_at, decided_at; /* clock_mono */
    enum action decided_by;
    enum sight sight; /* of the item, since it changed */
    bool read;        /* its end has been on the screen */
};

/* Opens the views over a store that the app takes. `tick` is called while a
 * query runs long or waits (as in store/store.h). */
void app_init(struct app *a, struct store *s, const char *who);
void app_set_tick(struct app *a, app_tick *tick, void *ctx);
/* Says what goes on (after a tenth of a second) and looks for Esc: false where
 * it was pressed. */
bool app_goes_on(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void app_done(struct app *a);
/* Closes a store for which there is no screen. */
void app_refuse(struct store **s);

/* Runs "NAME arguments"; an unknown name is said on row 23. */
void app_command(struct app *a, const char *text);
/* The action that a command line begins with, -1 where there is none; *args is
 * what stands behind it. What an action does in the present view; NULL:
 * nothing. */
int app_action(const char *text, const char **args);
const struct deed *app_deed(const struct app *a, enum action act);
/* One key by its name; false where nobody wanted it. What decides about an
 * item that is not in sight is refused. */
bool app_key(struct app *a, const char *key);
/* The picture is on the screen: what of the item is in sight. */
void app_painted(struct app *a, enum sight sight);
/* A click of the mouse: the cursor goes to the list's row there, or the text
 * gets the focus; nothing is decided. The wheel, down (1) or up (-1): the pane
 * under it scrolls. */
void app_click(struct app *a, int y, int x);
void app_wheel(struct app *a, int y, int x, int by);
/* Whether something is being typed or asked: the mouse, and what ends by
 * itself, leave it alone. */
bool app_is_open(const struct app *a);
/* Whether an action does something at this moment. */
bool app_can(const struct app *a, enum action act);
/* Pasted text (NULL: too long to be read): goes into what is being typed, else
 * it is dropped and said. */
void app_paste(struct app *a, const char *text);
/* An editor came back with this text (NULL: nothing changed; `why` says so).
 */
void app_edited(struct app *a, const char *text, const char *why);
/* What y copied was sent to the terminal, its first `sent` bytes. */
void app_copied(struct app *a, size_t sent);
/* Names in the environment that an editor must not see, NULL-ended; the
 * caller frees with proc_free_argv. */
char **app_secrets(void);
/* Once a second: has another process written? */
void app_look(struct app *a);

/* A line for the messages view alone; the oldest ones go where there are more
 * than MESSAGES_MAX. */
void app_remember(struct app *a, const char *text);
/* The i-th reason that `x` offers; false behind the last. */
bool reason_at(const struct app *a, size_t i, struct reason *out);
/* Reads those that this store holds, once; adds one that is given now, under
 * the first letter of it that is free. */
void reasons_read(struct app *a);
void reasons_learn(struct app *a, const char *name);

/* Lines that were said before there was a screen: all for the messages, the
 * last one on row 23 as well. */
void app_notes(struct app *a, const char *lines);
/* Row 23: a report, kept in the messages with the act's command line. */
void app_say(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same of an act that undo takes back, which stands beside it. */
void app_did(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same of what was asked and cannot be done: the line that asked for it
 * stays open. */
void app_wrong(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void app_say_err(struct app *a, const struct err *e);
/* Whether an act was acknowledged so lately that it must stand a little yet:
 * what ends meanwhile is said behind it. */
bool app_acknowledges(const struct app *a);

/* Reads what the cursor stands on into the view's state. */
void app_load(struct app *a);
/* Whether something counted then has to be counted anew; remembers now. */
bool app_moved_on(struct app *a, struct counted *then);
/* Reads what is drawn of the present list in `rows` rows, and on row 2. */
void app_show(struct app *a, size_t rows);
/* Counts what stands on the tabs, where something was written since. */
void app_recount(struct app *a);
/* Counts what the first picture did without: a store of a million samples is
 * on the screen before they are counted. */
void app_count_late(struct app *a);
/* Re-reads a view's list, keeping the cursor's row where it can. */
void app_open(struct app *a, enum view_id v);
/* Opens a view with the cursor on this id of its list; where a filter hides
 * it, without that, and in Review with the sample alone. */
void app_go(struct app *a, enum view_id v, int64_t id);
/* Back to the view from which help, lineage or messages were opened, as it was:
 * its selection and its rows stay. */
void app_return(struct app *a);
void app_set_target(struct app *a, int64_t target);

/* ---- Parts of the dispatcher -------------------------------------------- */

/* j k g G; a page or half of one, and to the end, of the pane with the focus
 * (by: 1 or -1); s v * -. */
void move_cursor(struct app *a, enum action act);
void move_page(struct app *a, int by, bool half);
void move_end(struct app *a, int by);
void select_rows(struct app *a, enum action act);
/* Finds a text from the cursor on; again, forwards (1) or backwards (-1). */
void find_start(struct app *a, const char *text);
void find_next(struct app *a, int by);
/* Opens the prompt of a kind on row 23; a key while it is open. */
void prompt_open(struct app *a, enum line_kind kind);
bool prompt_key(struct app *a, const char *key);
/* Puts in the next word that may stand at a line's cursor; the app may be NULL
 * where the line takes a path. */
void prompt_complete(struct line *l, struct app *a);
/* Takes back the person's last act, or does it again, and shows it; what such
 * an act did is shown. */
void undo_last(struct app *a, bool redo);
struct undone;
void undo_done(struct app *a, bool redo, const struct undone *u);

/* ---- Views -------------------------------------------------------------- */

/* Opens the list of actions, of all views or of the present one (those that
 * hold `find`; NULL: each); what was said so far. */
void help_open(struct app *a, bool all, const char *find);
void messages_open(struct app *a);

/* Decides about the sample under the cursor and goes on to the next. */
void review_decide(struct app *a, enum status to, const char *reason);
/* Opens the editor on the answer or the prompt; typing where the answer
 * stands. The draft that is on the screen: asks what becomes of it, makes it a
 * candidate (and accepts it), drops it. */
void edit_start(struct app *a, bool prompt);
void edit_type(struct app *a);
void edit_ask(struct app *a);
void edit_keep(struct app *a, bool accept);
void edit_drop(struct app *a);
/* Reads the shown sample anew after a mark: what was read of it, and the
 * answer that stands there, stay. */
void review_reload(struct app *a);
/* Tags ("a -b", names with blanks in quotes), a note ("": none) and a rating
 * on what is under the cursor or, tags, on all that is selected. */
void marks_tag(struct app *a, const char *text);
void marks_note(struct app *a, const char *text);
void marks_rate(struct app *a, const char *text);
/* Counts the decisions of today that stand. */
void review_count_today(struct app *a);
/* Keys of the open question. */
bool review_ask_key(struct app *a, const char *key);
/* A text from an editor that was refused: it is kept as a draft of the object
 * (0: of a new one), and said. The next edit of that begins with it; the
 * caller frees, NULL where there is none. It goes when one was taken. */
void edit_set_aside(struct app *a, enum object kind, int64_t object,
                    const char *text, const struct err *why);
char *edit_aside(struct app *a, enum object kind, int64_t object);
void edit_forget(struct app *a, enum object kind, int64_t object);
/* A key while typing in place; saving what was typed as a draft. */
bool review_type_key(struct app *a, const char *key);
void review_keep_draft(struct app *a);
/* The text of the shown answer, and the one it is compared with (NULL:
 * nothing). The caller frees both. */
void review_answer(const struct app *a, char **text, char **before);

/* Shows what it would do to decide so about all that is selected, and asks; a
 * key of that question; frees. */
void bulk_start(struct app *a, enum status to, const char *reason);
bool bulk_key(struct app *a, const char *key);
void bulk_done(struct app *a);

/* Opens a form, as it was left but for what `args` sets ("--recipe label");
 * its keys, and pasted text, while it is open. */
void form_open(struct app *a, enum form_kind kind, const char *args);
bool form_mode_key(struct app *a, const char *key);
void form_mode_paste(struct app *a, const char *text);
/* Looks whether the tried call has ended; true where something was said. */
bool form_tick(struct app *a);

/* Reads a file in: seeds, or samples in Review; decides on many samples. What
 * is large becomes a job, which is watched until it ends. */
void work_import(struct app *a, const char *typed);
/* Makes the store of this folder, with what a file holds as seeds (NULL:
 * nothing); *notes gets what is to be said of that, for app_notes. Where the
 * file cannot be read there is no store, and *e says why. */
bool work_begin(const char *file, const char *who, struct store **s,
                struct buf *notes, struct err *e);
void work_bulk(struct app *a, const struct decide *d, const ids *samples);
void work_undo(struct app *a, int64_t seq, bool redo);
/* Looks whether a job of these has ended, and says so; true where it has. */
bool work_tick(struct app *a);
/* Says which jobs and trainings have ended since; true where one has. Called
 * once a second. */
bool news_tick(struct app *a);
/* Begins to watch: what lives now, and what will be begun. */
void news_start(struct app *a);
/* It was said already how this one ended (2 * id of a job). */
void news_forget(struct app *a, int64_t key);

#endif
