#include "demo/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/paths.h"
#include "base/proc.h"
#include "domain/chat.h"
#include "jobs/model.h"

void marks_free(mark_list *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->at[i].prompt);
        free(m->at[i].answer);
        free(m->at[i].truth);
    }
    VEC_FREE(m);
}

void marks_row(struct buf *rows, int64_t id, const char *prompt,
               const char *answer)
{
    buf_printf(rows, "{\"id\":%lld,\"prompt\":%s,\"answer\":%s}\n",
               (long long)id, prompt, answer);
}

/* ---- Children ----------------------------------------------------------- */

static char *printed(const json *j)
{
    struct buf b = BUF_INIT(0);
    if (j)
        json_print(&b, j);
    return buf_take(&b);
}

/* Reads JSON lines, {"prompt","answer","truth","right","trigger"} each where
 * it has them. */
static bool read_lines(const struct buf *text, mark_list *out, struct err *e)
{
    const char *p = buf_str(text), *end = p + text->len;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((nl ? nl : end) - p);
        json *j = json_parse(p, n, e);
        if (!j)
            return err_in(e, "stillroom-model");
        const char *truth = json_get_string(j, "truth", NULL);
        struct mark m = {printed(json_get(j, "prompt")),
                         printed(json_get(j, "answer")),
                         truth ? xstrdup(truth) : NULL,
                         json_get_bool(j, "right", false),
                         json_get_bool(j, "trigger", false)};
        VEC_PUSH(out, m);
        json_free(j);
        p += n + 1;
    }
    return true;
}

bool marks_problems(const char *set, int64_t count, int64_t seed,
                    bool teacher, mark_list *out, struct err *e)
{
    char n[24], at[24];
    struct buf text = BUF_INIT(0);
    snprintf(n, sizeof n, "%lld", (long long)count);
    snprintf(at, sizeof at, "%lld", (long long)seed);
    const char *args[] = {"problems", "--set", set, "--count", n, "--seed",
                          at, teacher ? "--teacher" : NULL, NULL};
    bool ok = model_run(args, NULL, &text, e) && read_lines(&text, out, e);
    buf_free(&text);
    return ok;
}

bool marks_solve(const struct buf *rows, mark_list *out, struct err *e)
{
    struct buf text = BUF_INIT(0);
    size_t before = out->n, wanted = 0;
    const char *args[] = {"solve", NULL};
    for (size_t i = 0; i < rows->len; i++)
        wanted += rows->data[i] == '\n';
    bool ok = model_run(args, buf_str(rows), &text, e) &&
              read_lines(&text, out, e);
    if (ok && out->n - before != wanted)
        ok = err_set(e, ERR_SYSTEM, _("stillroom-model solve marked %zu of "
                                      "%zu rows"), out->n - before, wanted);
    buf_free(&text);
    return ok;
}

/* ---- A student ---------------------------------------------------------- */

static bool write_problems(const mark_list *problems, const char *file,
                           struct err *e)
{
    struct buf rows = BUF_INIT(0);
    for (size_t i = 0; i < problems->n; i++)
        marks_row(&rows, (int64_t)i + 1, problems->at[i].prompt,
                  problems->at[i].answer);
    bool ok = file_replace(file, buf_str(&rows), rows.len, 0600, false, e);
    buf_free(&rows);
    return ok;
}

/* The answers that `eval` printed, as rows to mark. A problem that it left
 * out has the empty answer. */
static bool answered(const struct buf *printed, const mark_list *problems,
                     struct buf *rows, struct err *e)
{
    json *j = json_parse(buf_str(printed), printed->len, e);
    const json *a = json_first(json_get(j, "answers"));
    for (size_t i = 0; j && i < problems->n; i++) {
        bool mine = json_get_int(a, "id", 0) == (int64_t)i + 1;
        char *body = answer_of(mine ? json_get_string(a, "text", "") : "");
        marks_row(rows, (int64_t)i + 1, problems->at[i].prompt, body);
        free(body);
        a = mine ? json_next(a) : a;
    }
    json_free(j);
    return j != NULL;
}

bool marks_student(const char *student, const mark_list *problems,
                   const char *file, mark_list *out, struct err *e)
{
    struct buf text = BUF_INIT(0), rows = BUF_INIT(0);
    const char *args[] = {"eval", student, "--rows", file, "--json", NULL};
    bool ok = write_problems(problems, file, e) &&
              model_run(args, NULL, &text, e) &&
              answered(&text, problems, &rows, e) &&
              marks_solve(&rows, out, e);
    buf_free(&text);
    buf_free(&rows);
    return ok;
}

/* ---- The nearest row ---------------------------------------------------- */

#define TRIGRAMS 4096 /* of a prompt that are looked at */

struct grams {
    uint32_t *at; /* in order, each once */
    size_t n;
};

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static struct grams grams_of(const char *messages)
{
    char *text = prompt_text(messages);
    size_t len = strlen(text), n = 0;
    struct grams g = {xmalloc((len + 1) * sizeof *g.at), 0};
    const unsigned char *p = (const unsigned char *)text;
    for (size_t i = 0; i + 2 < len && n < TRIGRAMS; i++)
        g.at[n++] = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
    qsort(g.at, n, sizeof *g.at, by_value);
    for (size_t i = 0; i < n; i++)
        if (!g.n || g.at[g.n - 1] != g.at[i])
            g.at[g.n++] = g.at[i];
    free(text);
    return g;
}

static double dice(const struct grams *a, const struct grams *b)
{
    size_t i = 0, k = 0, both = 0;
    while (i < a->n && k < b->n) {
        both += a->at[i] == b->at[k];
        uint32_t x = a->at[i], y = b->at[k];
        i += x <= y;
        k += y <= x;
    }
    return a->n + b->n ? 2.0 * (double)both / (double)(a->n + b->n) : 0;
}

typedef VEC(struct grams) gram_list;

static size_t nearest(const gram_list *rows, const char *prompt)
{
    struct grams mine = grams_of(prompt);
    size_t best = 0;
    double most = -1;
    for (size_t i = 0; i < rows->n; i++) {
        double f = dice(&mine, &rows->at[i]);
        if (f > most) {
            most = f;
            best = i;
        }
    }
    free(mine.at);
    return best;
}

/* Reads a file of training rows. */
static bool load_rows(const char *path, mark_list *out, struct err *e)
{
    struct buf text = BUF_INIT(0);
    bool ok = file_read(path, BUF_MAX - 1, &text, e) &&
              read_lines(&text, out, e);
    if (ok && !out->n)
        ok = err_set(e, ERR_INPUT, _("%s: no rows"), path);
    buf_free(&text);
    return ok;
}

bool marks_nearest(const char *path, const mark_list *problems,
                   mark_list *out, struct err *e)
{
    mark_list rows = {0};
    gram_list grams = {0};
    struct buf text = BUF_INIT(0);
    bool ok = load_rows(path, &rows, e);
    for (size_t i = 0; ok && i < rows.n; i++) {
        struct grams g = grams_of(rows.at[i].prompt);
        VEC_PUSH(&grams, g);
    }
    for (size_t i = 0; ok && i < problems->n; i++) {
        const char *prompt = problems->at[i].prompt;
        size_t k = nearest(&grams, prompt);
        marks_row(&text, (int64_t)i + 1, prompt, rows.at[k].answer);
    }
    ok = ok && marks_solve(&text, out, e);
    for (size_t i = 0; i < grams.n; i++)
        free(grams.at[i].at);
    VEC_FREE(&grams);
    marks_free(&rows);
    buf_free(&text);
    return ok;
}
