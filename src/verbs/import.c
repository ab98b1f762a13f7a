#include "verbs/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lang.h"
#include "store/job.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/target.h"
#include "store/text.h"

struct import {
    struct store *s;
    struct act a;
    const struct import_options *o;
    struct import_report *n;
    const struct format *format;
    const struct row *row;
    ids duplicates;
    VEC(struct item) items; /* of the present row */
};

/* A target's name from a file's: its base without the ending, blanks as
 * dashes. The caller frees. */
static char *name_from(const char *path)
{
    char *name = xstrdup(path_base(path));
    char *dot = strrchr(name, '.');
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
    if (!target_ids(im->s, &all, e))
        return false;
    int64_t only = all.n == 1 ? all.at[0] : 0;
    VEC_FREE(&all);
    if (!im->o->target && only) {
        im->n->target = only;
        return true;
    }
    char *name = im->o->target ? xstrdup(im->o->target)
                               : name_from(im->o->path);
    im->n->target = target_find(im->s, name);
    if (!im->n->target) {
        im->n->target = target_add(&im->a, name, "{}", e);
        im->n->created = im->n->target != 0;
    }
    free(name);
    return im->n->target != 0;
}

static int wanted_split(const struct item *x, struct err *e)
{
    enum split s;
    if (!x->split)
        return -1;
    if (split_parse(x->split, &s))
        return (int)s;
    if (!strcmp(x->split, "validation") || !strcmp(x->split, "dev"))
        return SPLIT_VALID;
    err_set(e, ERR_INPUT, _("\"split\" is train, valid or test, not "
                            "\"%.40s\""), x->split);
    return -2;
}

static bool add_tags(struct import *im, enum object kind, int64_t id,
                     const char *tags, struct err *e)
{
    char *copy = tags ? xstrdup(tags) : NULL, *rest = copy, *one;
    bool ok = true;
    while (ok && rest && (one = strsep(&rest, " ")))
        ok = !*one || act_tag(&im->a, kind, id, one, true, e);
    free(copy);
    return ok;
}

static bool add_seed(struct import *im, const struct item *x, int split,
                     struct err *e)
{
    struct seed_new n = {
        .target = im->n->target, .kind = "example", .prompt = &x->prompt,
        .answer = x->answer, .raw = im->row->raw,
        .raw_size = im->row->raw_size, .origin = path_base(im->o->path),
        .line = (int64_t)im->row->line, .job = im->o->job, .split = split};
    int64_t id = seed_add(&im->a, &n, e);
    return id && add_tags(im, OBJECT_SEED, id, x->tags, e);
}

static enum split sample_split(struct import *im, const struct item *x,
                               int split)
{
    size_t n;
    const void *salt = store_salt(im->s, &n);
    struct buf b = BUF_INIT(0);
    if (split >= 0)
        return (enum split)split;
    chat_print(&x->prompt, &b);
    enum split s = split_of(salt, n, buf_str(&b));
    buf_free(&b);
    return s;
}

/* Adds the sample with what is known of it. */
static bool put_sample(struct import *im, const struct item *x, int split,
                       const char *answer, struct err *e)
{
    uint8_t hash[SHA_SIZE];
    chat_hash(&x->prompt, answer, hash);
    const struct message *last = chat_last(&x->prompt, ROLE_USER);
    int64_t same = sample_same(im->s, im->n->target, hash, 0);
    uint8_t old[SHA_SIZE];
    if (!same && chat_hash_before(&x->prompt, x->answer, old))
        same = sample_same(im->s, im->n->target, old, 0);
    struct sample_new n = {.target = im->n->target, .prompt = &x->prompt,
                           .origin = path_base(im->o->path),
                           .line = (int64_t)im->row->line,
                           .job = im->o->job,
                           .split = sample_split(im, x, split)};
    /* the answer's text first: where it was purged nothing is there yet */
    int64_t id = text_puts(im->s, x->answer, e) ? sample_add(&im->a, &n, e)
                                                : 0;
    struct candidate_new c = {.sample = id, .source = SOURCE_SEED,
                              .body = x->answer, .hash = hash};
    struct check_input in = {.same = same};
    struct check_result r = check_usual(CHECK_DUPLICATE, &in);
    if (!id || !candidate_add(&im->a, &c, e) ||
        !check_add(&im->a, id, 0, &r, e) ||
        !sample_index_words(&im->a, id, last ? last->content : "", answer, e))
        return false;
    if (same)
        VEC_PUSH(&im->duplicates, id);
    return add_tags(im, OBJECT_SAMPLE, id, x->tags, e);
}

static bool add_sample(struct import *im, const struct item *x, int split,
                       struct err *e)
{
    char *answer = answer_text(x->answer);
    bool ok = put_sample(im, x, split, answer, e);
    free(answer);
    return ok;
}

/* A row's items are gathered before the first one is written, so that a row
 * with a bad item leaves nothing. */
static bool on_item(void *ctx, struct item *x, struct err *e)
{
    struct import *im = ctx;
    if (wanted_split(x, e) == -2)
        return false;
    if (im->o->as_samples) {
        char *answer = x->answer ? answer_text(x->answer) : NULL;
        bool empty = !answer || check_empty(answer);
        free(answer);
        if (empty)
            return err_set(e, ERR_INPUT, _("a sample needs an answer"));
    }
    VEC_PUSH(&im->items, *x);
    *x = (struct item){0};
    return true;
}

static bool read_row(struct import *im, struct err *e)
{
    const json *value = im->row->value;
    if (!value) {
        *e = im->row->why;
        return false;
    }
    if (!json_is_object(value))
        return err_set(e, ERR_INPUT, _("not a JSON object"));
    if (im->o->mapping)
        return mapping_read(im->o->mapping, value, on_item, im, e);
    if (!im->format)
        im->format = format_detect(value);
    if (!im->format)
        return err_set(e, ERR_INPUT, _("its keys are of no known shape; name "
                       "one with --format, or the columns with --map"));
    return im->format->read(value, on_item, im, e);
}

static void drop_items(struct import *im)
{
    for (size_t i = 0; i < im->items.n; i++)
        item_free(&im->items.at[i]);
    im->items.n = 0;
}

/* Adds the row's items; *added of them were new. What the target holds
 * already is passed over. */
static bool add_items(struct import *im, int64_t *added, struct err *e)
{
    for (size_t i = 0; i < im->items.n; i++) {
        const struct item *x = &im->items.at[i];
        int split = wanted_split(x, NULL);
        struct err why = {0};
        bool ok = im->o->as_samples ? add_sample(im, x, split, &why)
                                    : add_seed(im, x, split, &why);
        *added += ok;
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
    int64_t added = 0;
    im->n->rows++;
    bool ok = read_row(im, &why);
    if (!ok) {
        im->n->bad++;
        fn(ctx, im->row->line, why.text);
    } else if (add_items(im, &added, &why)) {
        im->n->good += added > 0;
        im->n->repeated += !added;
        im->n->items += added;
        if (why.code)
            fn(ctx, im->row->line, why.text);
    } else {
        *e = why;
        drop_items(im);
        return false;
    }
    drop_items(im);
    return true;
}

static bool take_rows(struct import *im, struct row_reader *rows,
                      import_fn *fn, void *ctx, struct err *e)
{
    struct row row;
    struct err why = {0};
    while (row_next(rows, &row, &why)) {
        im->row = &row;
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
    if (why.code)
        *e = why;
    return !why.code;
}

/* What failed arrives rejected, by a decision of `check`. */
static bool reject_duplicates(struct import *im, struct err *e)
{
    im->n->duplicates = (int64_t)im->duplicates.n;
    if (!im->duplicates.n)
        return true;
    bool ok = act_next(&im->a, "reject", "check", "duplicate", e);
    for (size_t i = 0; ok && i < im->duplicates.n; i++)
        ok = act_change(&im->a, OBJECT_SAMPLE, im->duplicates.at[i],
                        FIELD_STATUS, STATUS_REJECTED, e);
    return ok;
}

static bool finish(struct import *im, struct err *e)
{
    if (im->o->strict && im->n->bad)
        return err_set(e, ERR_INPUT, P_("refused: %llu row is bad, and "
                       "nothing was changed", "refused: %llu rows are bad, "
                       "and nothing was changed", im->n->bad),
                       (unsigned long long)im->n->bad);
    if (!im->n->items)
        return im->n->repeated ||
               err_set(e, ERR_INPUT, _("%s holds no row that could be read"),
                       im->o->path);
    return reject_duplicates(im, e);
}

bool verb_import(struct store *s, const char *who,
                 const struct import_options *o, import_fn *fn, void *ctx,
                 struct import_report *out, struct err *e)
{
    struct import im = {.s = s, .o = o, .n = out};
    struct row_reader *rows = NULL;
    *out = (struct import_report){0};
    if (o->format && !(im.format = format_find(o->format)))
        return err_set(e, ERR_USAGE, _("no format is named %s"), o->format);
    if (!rows_open(&rows, o->path, e))
        return false;
    bool ok = act_begin(s, &im.a, "arrive", who, "import", 0, e) &&
              choose_target(&im, e) && take_rows(&im, rows, fn, ctx, e) &&
              finish(&im, e);
    out->format = o->mapping ? "map" : im.format ? im.format->name : "?";
    if (ok && o->job)
        ok = job_set_target(s, o->job, out->target, e) &&
             job_set_state(s, o->job, "done", e);
    if (ok && out->items)
        ok = act_commit(&im.a, e) != ACT_NOT_SAVED;
    else
        act_cancel(&im.a);
    VEC_FREE(&im.duplicates);
    VEC_FREE(&im.items);
    rows_close(&rows);
    return ok;
}
