#include "verbs/import.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "domain/check.h"
#include "formats/rows.h"
#include "store/job.h"
#include "store/target.h"
#include "verbs/import_items.h"

struct import {
    struct intake in;
    const struct import_options *o;
    struct import_report *n;
    struct reading how;
    const struct row *row;
    VEC(struct item) items; /* of the present row */
    FILE *rejects;
};

void import_report_free(struct import_report *r)
{
    free(r->note);
    unread_free(&r->unread);
    r->note = NULL;
}

/* ---- The target --------------------------------------------------------- */

/* A target's name from a file's: its base without the ending, blanks as
 * dashes. The caller frees. */
static char *name_from(const char *path)
{
    char *name = xstrdup(path_base(path));
    char *dot = strrchr(name, '.');
    if (dot && dot > name && (!strcasecmp(dot, ".gz") ||
                              !strcasecmp(dot, ".zst"))) {
        *dot = '\0';
        dot = strrchr(name, '.');
    }
    if (dot && dot > name)
        *dot = '\0';
    for (char *p = name; *p; p++)
        if (strchr(" \t/", *p))
            *p = '-';
    return name;
}

static bool choose_target(struct import *im, struct err *e)
{
    ids all;
    if (!target_ids(im->in.s, &all, e))
        return false;
    int64_t only = all.n == 1 ? all.at[0] : 0;
    VEC_FREE(&all);
    int64_t id = im->o->target ? 0 : only;
    char *name = im->o->target ? xstrdup(im->o->target)
                               : name_from(im->o->path);
    if (!id)
        id = target_find(im->in.s, name);
    if (!id) {
        id = target_add(&im->in.a, name, "{}", e);
        im->n->created = id != 0;
    }
    free(name);
    im->in.target = im->n->target = id;
    return id != 0;
}

/* ---- Refused rows ------------------------------------------------------- */

/* The row as it came: a value as such (on one line, as line ends stand between
 * its parts only), what is none as text. */
static void print_row(const struct row *row, struct jw *w)
{
    if (!row->value) {
        jw_key(w, "text");
        struct buf t = BUF_INIT(0);
        json_quote(&t, row->raw ? row->raw : "", row->raw_size);
        jw_raw(w, buf_str(&t));
        buf_free(&t);
        return;
    }
    char *raw = xstrndup(row->raw, row->raw_size);
    for (char *p = raw; *p; p++)
        *p = *p == '\n' || *p == '\r' ? ' ' : *p;
    jw_key(w, "row");
    jw_raw(w, raw);
    free(raw);
}

static bool open_rejects(struct import *im, struct err *e)
{
    if (im->rejects)
        return true;
    int fd = open(im->o->rejects, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                  0600);
    im->rejects = fd < 0 ? NULL : fdopen(fd, "w");
    return im->rejects || err_sys(e, "%s", im->o->rejects);
}

static bool reject(struct import *im, const char *reason, struct err *e)
{
    if (!im->o->rejects)
        return true;
    struct buf b = BUF_INIT((size_t)512 << 20);
    struct jw w = jw_start(&b);
    bool text = im->row->value && im->row->raw &&
                strchr("{[", *im->row->raw);
    struct row as_text = *im->row;
    if (!text)
        as_text.value = NULL; /* a record of CSV */
    jw_open(&w, '{');
    jw_kint(&w, "line", (int64_t)im->row->line);
    jw_kstr(&w, "reason", reason);
    print_row(&as_text, &w);
    jw_close(&w);
    buf_putc(&b, '\n');
    bool ok = open_rejects(im, e) &&
              (fwrite(buf_str(&b), 1, b.len, im->rejects) == b.len ||
               err_sys(e, "%s", im->o->rejects));
    buf_free(&b);
    return ok;
}

static bool close_rejects(struct import *im, struct err *e)
{
    bool ok = !im->rejects || fclose(im->rejects) == 0;
    return ok || err_sys(e, "%s", im->o->rejects);
}

/* ---- One row ------------------------------------------------------------ */

static const char *split_of_item(const struct import *im,
                                 const struct item *x)
{
    return x->split ? x->split : im->row->split;
}

static int wanted_split(const struct import *im, const struct item *x,
                        struct err *e)
{
    static const struct {
        const char *name;
        enum split split;
    } names[] = {{"train", SPLIT_TRAIN},      {"training", SPLIT_TRAIN},
                 {"valid", SPLIT_VALID},      {"validation", SPLIT_VALID},
                 {"val", SPLIT_VALID},        {"dev", SPLIT_VALID},
                 {"eval", SPLIT_VALID},       {"evaluation", SPLIT_VALID},
                 {"development", SPLIT_VALID}, {"test", SPLIT_TEST},
                 {"testing", SPLIT_TEST}};
    const char *name = split_of_item(im, x);
    if (!name)
        return -1;
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcasecmp(names[i].name, name))
            return (int)names[i].split;
    err_set(e, ERR_INPUT, _("\"split\" is train, valid or test, not "
                            "\"%.40s\""), name);
    return -2;
}

static bool has_answer(const struct item *x)
{
    for (size_t i = 0; i < x->answers.n; i++) {
        char *text = answer_text(x->answers.at[i].body);
        bool empty = check_empty(text);
        free(text);
        if (!empty)
            return true;
    }
    return false;
}

/* A row's items are gathered before the first one is written, so that a row
 * with a bad item leaves nothing. */
static bool on_item(void *ctx, struct item *x, struct err *e)
{
    struct import *im = ctx;
    if (wanted_split(im, x, e) == -2)
        return false;
    if (im->o->as_samples && !has_answer(x))
        return err_set(e, ERR_INPUT, _("a sample needs an answer"));
    VEC_PUSH(&im->items, *x);
    *x = (struct item){0};
    return true;
}

static bool refuse_unread(const struct unread *u, struct err *e)
{
    char *list = unread_list(u, 8);
    err_set(e, ERR_INPUT, _("keys that are not read: %s"), list);
    free(list);
    return false;
}

/* Counts what nobody read of the row; with --strict that refuses it. */
static bool count_unread(struct import *im, struct err *e)
{
    struct unread mine = {0};
    if (!unread_add(&mine, im->row->value)) {
        unread_free(&mine);
        return true;
    }
    bool ok = !im->o->strict || refuse_unread(&mine, e);
    if (ok)
        unread_add(&im->n->unread, im->row->value);
    unread_free(&mine);
    return ok;
}

/* Reads the row into im->items. */
static bool read_row(struct import *im, struct err *e)
{
    const char *shape = NULL;
    if (!im->row->value) {
        *e = im->row->why;
        return false;
    }
    if (!row_read(im->row->value, &im->how, im->o->format, on_item, im,
                  &shape, e))
        return false;
    im->n->format = !im->n->format || !strcmp(im->n->format, shape)
                        ? shape
                        : "mixed";
    return true;
}

static void drop_items(struct import *im)
{
    for (size_t i = 0; i < im->items.n; i++)
        item_free(&im->items.at[i]);
    im->items.n = 0;
}

/* Adds the row's items; *added says whether any of it was new. What the target
 * holds already is passed over. */
static bool add_items(struct import *im, bool *added, struct err *e)
{
    struct intake *in = &im->in;
    in->line = (int64_t)im->row->line;
    in->raw = im->row->raw;
    in->raw_size = im->row->raw_size;
    for (size_t i = 0; i < im->items.n; i++) {
        const struct item *x = &im->items.at[i];
        int split = wanted_split(im, x, NULL);
        struct err why = {0};
        bool new_one = false;
        bool ok = im->o->as_samples
                      ? intake_sample(in, x, split, &new_one, &why)
                      : intake_seed(in, x, split, &new_one, &why);
        *added = *added || new_one;
        if (ok && in->misfit)
            err_set(e, ERR_REFUSED, _("its order is left out: it does not go "
                                      "with the one that stands"));
        if (ok)
            continue;
        *e = why;
        if (why.code != ERR_REFUSED)
            return false;
    }
    return true;
}

/* One row, good or bad. False where the store itself failed. */
static bool take_row(struct import *im, import_fn *fn, void *ctx,
                     struct err *e)
{
    struct err why = {0};
    bool added = false, ok = true;
    im->n->rows++;
    bool read = read_row(im, &why);
    if (read && !add_items(im, &added, &why)) {
        *e = why;
        ok = false;
    } else if (read && count_unread(im, &why)) {
        im->n->good += added;
        im->n->repeated += !added;
        if (why.code)
            fn(ctx, im->row->line, why.text);
    } else {
        im->n->bad++;
        fn(ctx, im->row->line, why.text);
        ok = reject(im, why.text, e);
    }
    drop_items(im);
    return ok;
}

/* ---- The file ----------------------------------------------------------- */

static bool take_rows(struct import *im, struct row_reader *rows,
                      import_fn *fn, void *ctx, struct err *e)
{
    struct row row;
    struct err why = {0};
    while (row_next(rows, &row, &why)) {
        im->row = &row;
        if (row.around) {
            json_taken(row.around, false);
            unread_add(&im->n->unread, row.around);
        }
        bool ok = take_row(im, fn, ctx, e);
        row_free(&row);
        if (!ok)
            return false;
        if (im->o->on_rows && im->n->rows % 200 == 0 &&
            !im->o->on_rows(ctx, im->n->rows))
            return err_set(e, ERR_CANCEL, _("stopped"));
    }
    im->n->blank = rows_blank(rows);
    im->n->rows += im->n->blank;
    im->n->note = rows_note(rows);
    if (why.code)
        *e = why;
    return !why.code;
}

/* A column that one named and no row has is a slip of the pen. */
static bool check_columns(const struct import *im, struct err *e)
{
    const struct mapping *m = im->o->mapping;
    for (size_t i = 0; m && im->n->good && i < IN_COUNT; i++)
        if (m->columns[i] && !im->how.seen[i])
            return err_set(e, ERR_INPUT, _("no row has a column \"%s\""),
                           m->columns[i]);
    return true;
}

static bool finish(struct import *im, struct err *e)
{
    if (im->o->strict && im->n->bad)
        return err_set(e, ERR_INPUT, P_("refused: %llu row is bad, and "
                       "nothing was changed", "refused: %llu rows are bad, "
                       "and nothing was changed", im->n->bad),
                       (unsigned long long)im->n->bad);
    if (!im->n->good && !im->n->repeated)
        return err_set(e, ERR_INPUT, _("%s holds no row that could be read"),
                       im->o->path);
    im->n->items = im->in.items;
    im->n->answers = im->in.answers;
    im->n->falses = (int64_t)im->in.falses.n;
    return check_columns(im, e) && intake_end(&im->in, e);
}

static bool end_job(const struct import *im, struct err *e)
{
    return !im->o->job ||
           (job_set_target(im->in.s, im->o->job, im->n->target, e) &&
            job_set_state(im->in.s, im->o->job, "done", e));
}

bool verb_import(struct store *s, const char *who,
                 const struct import_options *o, import_fn *fn, void *ctx,
                 struct import_report *out, struct err *e)
{
    struct import im = {.o = o, .n = out,
                        .in = {.s = s, .job = o->job,
                               .origin = path_base(o->path)},
                        .how = {.map = o->mapping,
                                .one_answer = !o->as_samples}};
    struct row_reader *rows = NULL;
    *out = (struct import_report){0};
    if (o->format && !shape_known(o->format))
        return err_set(e, ERR_USAGE, _("no format is named %s; they are: %s"),
                       o->format, shape_names());
    if (!rows_open(&rows, o->path, o->delimiter, e))
        return false;
    bool ok = act_begin(s, &im.in.a, "arrive", who, "import", 0, e) &&
              choose_target(&im, e) && take_rows(&im, rows, fn, ctx, e) &&
              finish(&im, e) && end_job(&im, e);
    ok = close_rejects(&im, ok ? e : NULL) && ok;
    out->format = out->format ? out->format : "?";
    if (ok && out->good && !o->dry_run)
        ok = act_saved(act_commit(&im.in.a, e));
    else
        act_cancel(&im.in.a);
    intake_free(&im.in);
    VEC_FREE(&im.items);
    rows_close(&rows);
    return ok;
}
