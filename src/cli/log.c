#include "cli/cli.h"

#include "base/clock.h"
#include "base/lang.h"
#include "base/say.h"
#include "cli/table.h"
#include "domain/status.h"
#include "store/journal.h"

#define AT_ONCE 200

static const struct column columns[] = {
    {N_("act"), 8}, {N_("when"), 19}, {N_("who"), 10}, {N_("what"), 8},
    {N_("rows and reason"), 0}};

static void print(struct cli *c, const struct decision *d)
{
    char when[40];
    if (!c->json) {
        table_row(columns, "d%lld\t%s\t%s\t%s\t%s%s(%lld)",
                  (long long)d->seq,
                  clock_format(when, sizeof when, d->at, 0), d->who,
                  deed_label(d->kind), reason_label(d->reason),
                  *d->reason ? " " : "", (long long)d->n_changes);
        return;
    }
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "seq", d->seq);
    jw_kint(&w, "at", d->at);
    jw_kstr(&w, "who", d->who);
    jw_kstr(&w, "kind", d->kind);
    jw_kstr(&w, "reason", d->reason);
    jw_kint(&w, "undoes", d->undoes);
    jw_kint(&w, "changes", d->n_changes);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

/* Whose decisions: a sample's number, or a letter and a number. */
static bool read_object(struct cli *c, const char *name, enum object *kind,
                        int64_t *id)
{
    static const struct {
        char letter;
        enum object kind;
    } letters[] = {{'s', OBJECT_SEED}, {'j', OBJECT_JOB}};
    char letter = 0;
    *kind = OBJECT_SAMPLE;
    for (size_t i = 0; i < COUNT(letters); i++)
        if (*name == letters[i].letter) {
            letter = letters[i].letter;
            *kind = letters[i].kind;
        }
    *id = cli_id(c, name, letter);
    return *id != 0;
}

/* All decisions on one object, or the last n of them, oldest first. */
static void log_object(struct cli *c, enum object kind, int64_t id, int64_t n)
{
    struct decision *list = NULL;
    size_t cap = AT_ONCE / 2, got = cap;
    while (got == cap) {
        cap *= 2;
        list = xrealloc(list, cap * sizeof *list);
        got = journal_of(c->s, kind, id, list, cap);
    }
    if (got)
        table_head(c, columns);
    size_t from = n >= 0 && (size_t)n < got ? got - (size_t)n : 0;
    for (size_t i = from; i < got && cli_heard(); i++)
        print(c, &list[i]);
    free(list);
}

/* The newest n decisions, newest first. */
static void log_all(struct cli *c, int64_t n)
{
    struct decision list[AT_ONCE];
    for (int64_t from = 0; n > 0 && cli_heard();) {
        size_t want = n < AT_ONCE ? (size_t)n : AT_ONCE;
        size_t got = journal_list(c->s, from, list, want);
        if (got && !from)
            table_head(c, columns);
        for (size_t i = 0; i < got; i++)
            print(c, &list[i]);
        if (got < want || list[got - 1].seq == 1)
            break;
        from = list[got - 1].seq - 1;
        n -= (int64_t)got;
    }
}

int sub_log(struct cli *c)
{
    int64_t n = -1, id = 0;
    enum object kind = OBJECT_SAMPLE;
    const struct opt opts[] = {
        {"n", OPT_INT, &n, "N", N_("the last so many (20; of one thing: all)")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if ((c->argc && !read_object(c, c->argv[0], &kind, &id)) || !cli_open(c))
        return cli_fail(c);
    if (id)
        log_object(c, kind, id, n);
    else
        log_all(c, n < 0 ? 20 : n);
    return 0;
}
