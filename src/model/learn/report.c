#include "model/learn/report.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/status.h"
#include "model/net/gemm.h"

enum { SHOWN = 200, STATUS_MS = 250 };

int64_t report_memory(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? (int64_t)u.ru_maxrss * 1024 : 0;
}

static void number(struct jw *w, const char *key, double v, int decimals)
{
    if (!isfinite(v))
        return;
    jw_key(w, key);
    jw_fixed(w, v, decimals);
}

static void print_status(const struct report *r, struct buf *b)
{
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_kstr(&w, "state", r->state);
    jw_kint(&w, "pid", getpid());
    jw_kint(&w, "born", proc_born(getpid()));
    if (r->why)
        jw_kstr(&w, "why", r->why);
    jw_kint(&w, "step", r->step);
    jw_kint(&w, "steps", r->steps);
    number(&w, "loss", r->loss, 5);
    number(&w, "held_out_loss", r->held_out_loss, 5);
    number(&w, "exact", r->exact, 4);
    jw_kint(&w, "tokens", r->tokens);
    number(&w, "tokens_per_second", r->rate, 1);
    number(&w, "eta_seconds", r->eta, 1);
    number(&w, "gemm_share", r->gemm_share, 3);
    jw_kint(&w, "parameters", (int64_t)r->parameters);
    if (r->checkpoint >= 0)
        jw_kint(&w, "checkpoint", r->checkpoint);
    jw_kstr(&w, "kernel", gemm_kernel());
    jw_kstr(&w, "precision", gemm_precisions[gemm_precision_now()]);
    jw_kint(&w, "threads", r->threads);
    jw_kint(&w, "memory_bytes", report_memory());
    jw_kint(&w, "held_out", (int64_t)r->held_out);
    jw_kint(&w, "marked", (int64_t)r->marked);
    number(&w, "nearest_exact", r->nearest_exact, 4);
    jw_kint(&w, "evaluation_tokens", r->evaluation_tokens);
    jw_close(&w);
    buf_putc(b, '\n');
}

bool report_status(struct report *r, bool now, struct err *e)
{
    int64_t at = clock_mono();
    if (!now && at - r->last < STATUS_MS)
        return true;
    r->last = at;
    struct buf b = BUF_INIT(0);
    print_status(r, &b);
    bool ok = status_write(r->run, &b, e);
    buf_free(&b);
    return ok;
}

/* ---- The curve ---------------------------------------------------------- */

static bool append(const struct report *r, const struct buf *b, struct err *e)
{
    char *path = path_join(r->run, "curve.jsonl");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && fd_write_all(fd, buf_str(b), b->len);
    if (!ok)
        err_sys(e, _("cannot write %s"), path);
    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

bool report_loss(const struct report *r, int64_t step, double loss,
                 struct err *e)
{
    struct buf b = BUF_INIT(0);
    buf_printf(&b, "{\"step\":%lld,\"loss\":%.5f}\n", (long long)step, loss);
    bool ok = append(r, &b, e);
    buf_free(&b);
    return ok;
}

bool report_held_out(const struct report *r, int64_t step, bool marked,
                     struct err *e)
{
    if (!isfinite(r->held_out_loss))
        return true;
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "step", step);
    number(&w, "held_out_loss", r->held_out_loss, 5);
    number(&w, "exact", marked ? r->exact : NAN, 4);
    jw_close(&w);
    buf_putc(&b, '\n');
    bool ok = append(r, &b, e);
    buf_free(&b);
    return ok;
}

/* The step of one line, -1 where it is not whole. */
static int64_t step_of(const struct buf *line)
{
    json *j = json_parse(buf_str(line), line->len, NULL);
    int64_t step = json_get_int(j, "step", -1);
    json_free(j);
    return step;
}

bool report_cut(const struct report *r, int64_t step, struct err *e)
{
    char *path = path_join(r->run, "curve.jsonl");
    struct lines l;
    struct buf kept = BUF_INIT(0);
    bool there = file_exists(path), ok = true;
    if (there && (ok = lines_open(&l, path, 4096, e))) {
        while (lines_next(&l, NULL)) {
            int64_t at = step_of(&l.line);
            if (at >= 0 && at <= step)
                buf_printf(&kept, "%s\n", buf_str(&l.line));
        }
        lines_close(&l);
        ok = file_replace(path, buf_str(&kept), kept.len, 0600, true, e);
    }
    buf_free(&kept);
    free(path);
    return ok;
}

/* ---- Answers ------------------------------------------------------------ */

static size_t shown(const struct items *d)
{
    return d->n < SHOWN ? d->n : SHOWN;
}

bool report_answers(const struct report *r, const struct items *d,
                    const struct before *before, const struct verdict *now,
                    struct err *e)
{
    struct buf b = BUF_INIT(0);
    for (size_t i = 0; i < shown(d); i++) {
        if (!now[i].text)
            continue;
        struct jw w = jw_start(&b);
        jw_open(&w, '{');
        jw_kint(&w, "id", d->at[i].id);
        jw_kstr(&w, "before", before[i].text ? before[i].text : "");
        jw_kstr(&w, "now", now[i].text);
        if (now[i].marked)
            jw_kbool(&w, "right", now[i].right);
        if (before[i].marked)
            jw_kbool(&w, "right_before", before[i].right);
        jw_close(&w);
        buf_putc(&b, '\n');
    }
    char *path = path_join(r->run, "answers.jsonl");
    bool ok = file_replace(path, buf_str(&b), b.len, 0600, true, e);
    free(path);
    buf_free(&b);
    return ok;
}

static void take_before(const struct items *d, struct before *b,
                        const json *j)
{
    int64_t id = json_get_int(j, "id", -1);
    for (size_t i = 0; i < d->n; i++)
        if (d->at[i].id == id && !b[i].text) {
            b[i].text = xstrdup(json_get_string(j, "before", ""));
            b[i].marked = json_get(j, "right_before") != NULL;
            b[i].right = json_get_bool(j, "right_before", false);
            return;
        }
}

void report_read_before(const struct report *r, const struct items *d,
                        struct before *b)
{
    char *path = path_join(r->run, "answers.jsonl");
    struct lines l;
    if (file_exists(path) && lines_open(&l, path, (size_t)1 << 20, NULL)) {
        while (lines_next(&l, NULL)) {
            json *j = json_parse(buf_str(&l.line), l.line.len, NULL);
            take_before(d, b, j);
            json_free(j);
        }
        lines_close(&l);
    }
    free(path);
}
