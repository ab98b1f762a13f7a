#include "export/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/sha256.h"
#include "domain/twins.h"
#include "export/card.h"
#include "export/folder.h"
#include "export/lock.h"

#define FLUSH ((size_t)64 << 10)
#define NAMED 12 /* samples that a refusal names */

/* A file of the bundle while it is written. */
struct out {
    int fd; /* -1: dry */
    char *path;
    struct buf buf;
    struct sha sum;
    int64_t rows, bytes;
    bool open;
};

struct held_out {
    int64_t sample;
    char *asked;
};

struct bundle {
    const struct export_options *o;
    struct export_report *report;
    char *dir, *temp; /* NULL: dry */
    bool published;
    struct out files[SHAPE_COUNT][SPLIT_COUNT], rows;
    struct out turns[SHAPE_COUNT][SPLIT_COUNT]; /* the same rows, for
                                                   LLaMA-Factory */
    int64_t sample; /* whose rows are coming in */
    id_list leave;  /* sorted */
    struct twins *train; /* NULL: near is not looked at */
    VEC(struct held_out) held_out;
    answerers by;
    struct buf line;
};

/* ---- Files -------------------------------------------------------------- */

static bool out_open(struct bundle *b, struct out *f, const char *path,
                     struct err *e)
{
    *f = (struct out){.fd = -1, .path = xstrdup(path), .open = true,
                      .buf = BUF_INIT(0)};
    sha_start(&f->sum);
    if (!b->temp)
        return true;
    char *full = path_join(b->temp, path), *dir = path_dir(full);
    if (mkdir(dir, 0777) < 0 && errno != EEXIST)
        err_sys(e, _("cannot make the folder %s"), dir);
    else if ((f->fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                           0666)) < 0)
        err_sys(e, _("cannot write %s"), full);
    free(dir);
    free(full);
    return f->fd >= 0;
}

static bool out_flush(struct out *f, struct err *e)
{
    if (!buf_ok(&f->buf))
        return err_set(e, ERR_MEMORY, _("%s: too large a row"), f->path);
    sha_add(&f->sum, buf_str(&f->buf), f->buf.len);
    f->bytes += (int64_t)f->buf.len;
    bool ok = f->fd < 0 || fd_write_all(f->fd, buf_str(&f->buf), f->buf.len);
    buf_clear(&f->buf);
    return ok || err_sys(e, _("cannot write %s"), f->path);
}

static bool out_put(struct out *f, const struct buf *text, struct err *e)
{
    if (!buf_ok(text))
        return err_set(e, ERR_MEMORY, _("%s: too large a row"), f->path);
    buf_add(&f->buf, buf_str(text), text->len);
    return f->buf.len < FLUSH || out_flush(f, e);
}

/* Ends the file and notes it in the report. */
static bool out_close(struct bundle *b, struct out *f, struct err *e)
{
    if (!f->open)
        return true;
    bool ok = out_flush(f, e);
    if (ok && f->fd >= 0 && fsync(f->fd) < 0)
        ok = err_sys(e, _("cannot write %s"), f->path);
    if (f->fd >= 0 && close(f->fd) < 0 && ok)
        ok = err_sys(e, _("cannot write %s"), f->path);
    struct export_file note = {f->path, f->rows, f->bytes, {0}};
    sha_end(&f->sum, note.sha);
    b->report->bytes += f->bytes;
    VEC_PUSH(&b->report->files, note);
    buf_free(&f->buf);
    f->open = false;
    f->fd = -1;
    return ok;
}

static void out_drop(struct out *f)
{
    if (!f->open)
        return;
    if (f->fd >= 0)
        close(f->fd);
    buf_free(&f->buf);
    free(f->path);
    f->open = false;
}

static bool write_whole(struct bundle *b, const char *path,
                        const struct buf *text, struct err *e)
{
    struct out f;
    bool ok = out_open(b, &f, path, e) && out_put(&f, text, e);
    if (ok)
        return out_close(b, &f, e);
    out_drop(&f);
    return false;
}

/* ---- Rows --------------------------------------------------------------- */

static int first_fail(unsigned bits)
{
    for (int i = 0; i < ROW_CHECK_COUNT; i++)
        if (bits & 1u << i &&
            row_check_verdict((enum row_check)i) == VERDICT_FAIL)
            return i;
    return -1;
}

static bool is_left(struct bundle *b, int64_t sample)
{
    const id_list *l = &b->leave;
    size_t i = sorted_place(l->at, l->n, sample);
    return i < l->n && l->at[i] == sample;
}

/* Once a sample: into the index of train, or onto the held-out list. */
static void note_prompt(struct bundle *b, const struct export_row *r)
{
    if (b->sample == r->sample)
        return;
    b->sample = r->sample;
    b->report->samples++;
    if (!b->train)
        return;
    if (r->split == SPLIT_TRAIN) {
        twins_add(b->train, row_asked(r));
    } else {
        struct held_out h = {r->sample, xstrdup(row_asked(r))};
        VEC_PUSH(&b->held_out, h);
    }
}

static void note_answerer(struct bundle *b, const struct export_row *r)
{
    const struct provenance *p = &r->from;
    const char *name = p->editor   ? "people"
                       : p->teacher ? p->teacher
                       : p->source  ? p->source
                                    : "unknown";
    size_t i = 0;
    while (i < b->by.n && strcmp(b->by.at[i].name, name))
        i++;
    if (i == b->by.n) {
        struct answerer a = {xstrdup(name), 0};
        VEC_PUSH(&b->by, a);
    }
    b->by.at[i].rows++;
}

static void count_row(struct bundle *b, const struct export_row *r,
                      int64_t line)
{
    struct export_report *rep = b->report;
    struct export_member m = {r->shape, r->split, line, r->sample,
                              r->candidate, {0}};
    uint8_t whole[SHA_SIZE];
    struct sha sum;
    sha_start(&sum);
    sha_int(&sum, r->split);
    sha_field(&sum, buf_str(&b->line), b->line.len);
    sha_end(&sum, whole);
    memcpy(m.hash, whole, sizeof m.hash);
    VEC_PUSH(&rep->members, m);
    rep->rows[r->shape][r->split]++;
    rep->false_rows += r->shape == SHAPE_KTO && !r->label;
    if (r->shape == SHAPE_DPO && r->from.why)
        *(strcmp(r->from.why, "edit") ? &rep->order_pairs
                                      : &rep->edit_pairs) += 1;
    note_prompt(b, r);
    note_answerer(b, r);
}

/* Opens the file where it is not yet: a folder has what has rows. */
static bool open_rows(struct bundle *b, struct out *f, const char *folder,
                      char between, const struct export_row *r,
                      struct err *e)
{
    if (f->open)
        return true;
    char *path = xasprintf("%s%s%c%s.jsonl", folder, shape_name(r->shape),
                           between, split_name(r->split));
    bool ok = out_open(b, f, path, e);
    free(path);
    return ok;
}

static bool put_line(struct bundle *b, struct out *f, struct err *e)
{
    buf_putc(&b->line, '\n');
    f->rows++;
    return out_put(f, &b->line, e);
}

static bool write_row(struct bundle *b, const struct export_row *r,
                      struct err *e)
{
    struct out *f = &b->files[r->shape][r->split];
    struct out *turns = &b->turns[r->shape][r->split];
    if (!open_rows(b, f, "", '/', r, e) ||
        !open_rows(b, turns, TURNS_DIR "/", '_', r, e))
        return false;
    buf_clear(&b->line);
    row_write(r, &b->line);
    if (!put_line(b, f, e))
        return false;
    count_row(b, r, f->rows);
    buf_clear(&b->line);
    row_write_turns(r, &b->line);
    if (!put_line(b, turns, e))
        return false;
    buf_clear(&b->line);
    row_provenance(r, f->rows, &b->line);
    return put_line(b, &b->rows, e);
}

bool bundle_add(struct bundle *b, const struct export_row *r, struct err *e)
{
    if (is_left(b, r->sample)) {
        report_leave(b->report, r, -1);
        return true;
    }
    unsigned bits = row_check_all(r, b->o->max_words);
    for (int i = 0; i < ROW_CHECK_COUNT; i++)
        if (bits & 1u << i)
            report_find(b->report, (enum row_check)i, r->sample);
    if (!row_is_wrong(bits))
        return write_row(b, r, e);
    b->report->wrong_rows++;
    report_leave(b->report, r, first_fail(bits));
    return true;
}

/* ---- The end ------------------------------------------------------------ */

static void look_near(struct bundle *b)
{
    struct export_finding *f = &b->report->found[ROW_NEAR];
    for (size_t i = 0; i < b->held_out.n; i++) {
        const struct held_out *h = &b->held_out.at[i];
        double near = twins_find(b->train, h->asked);
        if (near <= 0)
            continue;
        f->low = f->samples.n ? fmin(f->low, near) : near;
        f->high = fmax(f->high, near);
        report_find(b->report, ROW_NEAR, h->sample);
    }
    b->report->compared =
        b->train ? (int64_t)twins_effort(b->train).compared : 0;
}

/* Refuses, naming each wrong sample once, with the first check it fails. */
static bool refuse_wrong(const struct export_report *r, struct err *e)
{
    struct buf names = BUF_INIT(500);
    int64_t last = 0;
    size_t n = 0;
    for (size_t i = 0; i < r->left.n; i++) {
        const struct export_left *l = &r->left.at[i];
        if (l->check < 0 || l->sample == last)
            continue;
        last = l->sample;
        if (n++ < NAMED)
            buf_printf(&names, "%s%lld (%s)", n > 1 ? ", " : "",
                       (long long)last,
                       row_check_name((enum row_check)l->check));
    }
    err_set(e, ERR_REFUSED, P_("refused: %zu sample is wrong: %s%s; mend it "
                               "or leave it out",
                               "refused: %zu samples are wrong: %s%s; mend "
                               "them or leave them out", n),
            n, buf_str(&names), n > NAMED ? " ..." : "");
    buf_free(&names);
    return false;
}

static bool close_rows(struct bundle *b, struct err *e)
{
    bool ok = true;
    for (int s = 0; s < SHAPE_COUNT; s++)
        for (int k = 0; k < SPLIT_COUNT; k++)
            ok = ok && out_close(b, &b->files[s][k], e) &&
                 out_close(b, &b->turns[s][k], e);
    return ok && out_close(b, &b->rows, e);
}

static bool write_texts(struct bundle *b, struct err *e)
{
    struct buf text = BUF_INIT(0);
    card_write(b->o, b->report, &b->by, &text);
    bool ok = write_whole(b, "README.md", &text, e);
    buf_clear(&text);
    if (ok && export_most_rows(b->report)) {
        index_write(b->report, &text);
        ok = write_whole(b, "dataset_info.json", &text, e);
        buf_clear(&text);
    }
    if (ok) {
        lock_write(b->o, b->report, &text);
        ok = write_whole(b, "prov/lock.json", &text, e);
        b->report->lock = buf_take(&text);
    }
    buf_free(&text);
    return ok;
}

bool bundle_finish(struct bundle *b, struct err *e)
{
    if (b->report->wrong_rows && !b->o->leave_wrong && b->dir)
        return refuse_wrong(b->report, e);
    if (!b->report->samples && b->dir)
        return err_set(e, ERR_REFUSED, _("nothing to export: the filter names "
                                         "no accepted sample"));
    look_near(b);
    /* what came to stand there while the rows were written is not ours */
    return close_rows(b, e) && write_texts(b, e) &&
           (!b->dir || folder_check(b->dir, b->o->replace, e));
}

/* Clears away what killed exports to this folder have left. */
static void sweep(struct bundle *b, const char *dir)
{
    static const char *const kinds[] = {"tmp", "old"};
    struct buf names = BUF_INIT(4096);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        char *prefix = xasprintf("%s.%s-", dir, kinds[i]);
        dir_sweep(prefix, &names);
        free(prefix);
    }
    b->report->swept = names.len ? buf_take(&names) : NULL;
    buf_free(&names);
}

static bool start(struct bundle *b, struct err *e)
{
    if (b->o->dir) {
        char *dir = folder_name(b->o->dir);
        char *temp = xasprintf("%s.tmp-%ld", dir, (long)getpid());
        b->report->restored = folder_restore(dir);
        sweep(b, dir);
        bool ok = folder_check(dir, b->o->replace, e);
        if (ok && file_exists(temp))
            ok = dir_remove(temp, e);
        if (ok && mkdir(temp, 0777) < 0)
            ok = err_sys(e, _("cannot make the folder %s"), temp);
        b->dir = dir;
        b->temp = ok ? temp : NULL;
        if (!ok) {
            free(temp);
            return false;
        }
    }
    b->train = b->o->near > 0 ? twins_new(b->o->near) : NULL;
    for (size_t i = 0; b->o->leave && i < b->o->leave->n; i++)
        VEC_PUSH(&b->leave, b->o->leave->at[i]);
    sort_ids(b->leave.at, b->leave.n);
    return out_open(b, &b->rows, "prov/rows.jsonl", e);
}

struct bundle *bundle_open(const struct export_options *o,
                           struct export_report *report, struct err *e)
{
    struct bundle *b = xcalloc(1, sizeof *b);
    *b = (struct bundle){.o = o, .report = report, .line = BUF_INIT(0)};
    *report = (struct export_report){0};
    if (!start(b, e))
        bundle_free(&b);
    return b;
}

bool bundle_publish(struct bundle *b, struct err *e)
{
    b->published = true; /* or still there, by its name */
    return folder_publish(b->temp, b->dir, e) ||
           err_in(e, _("the bundle stands in %s"), b->temp);
}

void bundle_free(struct bundle **b)
{
    struct bundle *x = *b;
    if (!x)
        return;
    for (int s = 0; s < SHAPE_COUNT; s++)
        for (int k = 0; k < SPLIT_COUNT; k++) {
            out_drop(&x->files[s][k]);
            out_drop(&x->turns[s][k]);
        }
    out_drop(&x->rows);
    if (x->temp && !x->published)
        dir_remove(x->temp, NULL);
    twins_free(&x->train);
    for (size_t i = 0; i < x->held_out.n; i++)
        free(x->held_out.at[i].asked);
    VEC_FREE(&x->held_out);
    for (size_t i = 0; i < x->by.n; i++)
        free(x->by.at[i].name);
    VEC_FREE(&x->by);
    VEC_FREE(&x->leave);
    buf_free(&x->line);
    free(x->dir);
    free(x->temp);
    free(x);
    *b = NULL;
}
