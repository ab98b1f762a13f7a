/* The views: what each one is and what is done with it, one row a view
 * (app/views.c, which alone lists them). How a view is drawn stands in ui/.
 *
 * The functions of a row are the view's own file's. All but `done` may be
 * NULL: the view has none of it.
 */
#ifndef APP_VIEW_H
#define APP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/action.h"
#include "app/complete.h"
#include "app/line.h"

struct app;
struct list;

/* What an action does in a view, with what `:` was given behind it ("":
 * nothing). */
struct deed {
    enum action act;
    void (*fn)(struct app *a, const char *args);
    /* Why it can do nothing at this moment (translated), NULL where it can;
     * may be NULL: it always can. */
    const char *(*why_not)(const struct app *a);
    enum line_kind prompt; /* what it asks for where it was given nothing */
    completes *complete;   /* what Tab puts in behind it; NULL: what it does
                            * in that prompt */
    bool decides;          /* never done with a key that was typed ahead */
};

struct view {
    const char *title; /* untranslated */
    bool zooms;        /* Enter shows the item alone */
    bool text_first;   /* the text has the focus when it is opened */
    /* Where in struct app its list stands; its filter as typed (a char *), how
     * far its text is scrolled (an int) and the note of its item (a char *), 0
     * where it has none. */
    size_t list, filter, scroll, note;
    /* Makes the list anew; reads what the cursor stands on; frees all. */
    void (*open)(struct app *a);
    void (*load)(struct app *a);
    void (*done)(struct app *a);
    /* Its own actions, up to one without a function. */
    const struct deed *deeds;
    /* Enter, where it does more than zoom. */
    void (*enter)(struct app *a);
    /* An editor that it had asked for came back with this text. */
    void (*edited)(struct app *a, const char *text);
    /* Reads what is drawn of the list's rows from..from+n and on row 2. */
    void (*show)(struct app *a, size_t from, size_t n);
    /* Another process wrote: the list may have other rows. */
    void (*refresh)(struct app *a);
    /* An act on this sample was taken back or done again. */
    void (*undone)(struct app *a, int64_t sample);
    /* What y copies, NULL for nothing; what / looks through of the row with
     * this id, which y copies where there is no `text`. The caller frees both.
     */
    char *(*text)(struct app *a);
    char *(*row_text)(struct app *a, int64_t id);
    /* What stands behind its name on its tab, 0: nothing; in percent. */
    int64_t (*count)(const struct app *a);
    bool percent;
};

/* The row of a view. */
const struct view *view_of(enum view_id v);
/* What an action does in a view, NULL where it does nothing of its own. */
const struct deed *view_deed(enum view_id v, enum action act);

/* Of the present view: its list; its filter, its scroll and its item's note,
 * NULL where it has none. */
struct list *app_list(struct app *a);
char **view_filter(struct app *a);
int *view_scroll(struct app *a);
const char *view_note(struct app *a);

/* ---- The functions of the rows ------------------------------------------ */

/* Each as the member of struct view that its name ends in says. */
void targets_open(struct app *a);
void targets_show(struct app *a, size_t from, size_t n);
void targets_load(struct app *a);
void targets_done(struct app *a);
char *targets_text(struct app *a);
extern const struct deed targets_deeds[];
void targets_edited(struct app *a, const char *text);
void seeds_open(struct app *a);
void seeds_show(struct app *a, size_t from, size_t n);
void seeds_refresh(struct app *a);
void seeds_load(struct app *a);
void seeds_done(struct app *a);
extern const struct deed seeds_deeds[];
void seeds_edited(struct app *a, const char *text);
char *seeds_text(struct app *a);
char *seeds_row_text(struct app *a, int64_t id);
int64_t seeds_count(const struct app *a);
void review_open(struct app *a);
void review_show(struct app *a, size_t from, size_t n);
void review_refresh(struct app *a);
void review_load(struct app *a);
void review_done(struct app *a);
extern const struct deed review_deeds[];
void review_edited(struct app *a, const char *text);
void review_undone(struct app *a, int64_t sample);
char *review_text(struct app *a);
char *review_row_text(struct app *a, int64_t id);
int64_t review_count(const struct app *a);
void rank_open(struct app *a);
void rank_load(struct app *a);
void rank_done(struct app *a);
char *rank_text(struct app *a);
extern const struct deed rank_deeds[];
void rank_undone(struct app *a, int64_t sample);
int64_t rank_count(const struct app *a);
void runs_open(struct app *a);
void runs_show(struct app *a, size_t from, size_t n);
void runs_load(struct app *a);
void runs_done(struct app *a);
char *runs_text(struct app *a);
int64_t runs_count(const struct app *a);
extern const struct deed runs_deeds[];
void export_open(struct app *a);
void export_load(struct app *a);
void export_done(struct app *a);
char *export_text(struct app *a);
void export_enter(struct app *a);
extern const struct deed export_deeds[];
void lineage_load(struct app *a);
void lineage_done(struct app *a);
void lineage_enter(struct app *a);
char *lineage_text(struct app *a);
void help_enter(struct app *a);
void help_done(struct app *a);
char *help_row_text(struct app *a, int64_t row);
void messages_load(struct app *a);
void messages_done(struct app *a);
char *messages_row_text(struct app *a, int64_t row);

#endif
