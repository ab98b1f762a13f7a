#include "verbs/landing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "store/text.h"

#define FILE_BYTES ((size_t)1 << 30)

void landing_free(struct landing *l)
{
    call_free(&l->call);
    buf_free(&l->raw);
    free(l->answer);
    free(l->reasoning);
    *l = (struct landing){0};
}

static void set_trouble(struct call *c, const char *why)
{
    free(c->trouble);
    c->trouble = xstrdup(why);
}

bool landing_keep(struct store *s, struct landing *l, struct err *e)
{
    struct err why = {0};
    if (l->raw.len)
        l->call.reply_text = text_put(s, l->raw.data, l->raw.len, &why);
    if (!why.code && l->answer)
        l->call.answer_text = text_puts(s, l->answer, &why);
    if (!why.code && l->reasoning)
        l->call.thinking_text = text_puts(s, l->reasoning, &why);
    if (why.code && why.code != ERR_REFUSED) {
        *e = why;
        return false;
    }
    if (why.code) {
        l->call.state = CALL_FAILED;
        set_trouble(&l->call, why.text);
    }
    return call_finish(s, &l->call, e);
}

/* ---- Beside the store ---------------------------------------------------- */

/* The texts of a record stand behind its line, as they are: of so many bytes,
 * -1 for none. */
static int64_t length_of(const char *text)
{
    return text ? (int64_t)strlen(text) : -1;
}

char *landings_path(const char *dir)
{
    return path_join(dir, "unsaved");
}

void landing_print(const struct landing *l, struct buf *out)
{
    const struct call *c = &l->call;
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kint(&w, "call", c->id);
    jw_kstr(&w, "state", call_state_name(c->state));
    jw_kint(&w, "http", c->http);
    jw_kint(&w, "tokens_in", c->tokens_in);
    jw_kint(&w, "tokens_out", c->tokens_out);
    jw_kint(&w, "ms", c->ms);
    jw_knum(&w, "cost", c->cost);
    jw_kstr(&w, "trouble", c->trouble);
    jw_kstr(&w, "finish", c->finish);
    jw_kint(&w, "reply", (int64_t)l->raw.len);
    jw_kint(&w, "answer", length_of(l->answer));
    jw_kint(&w, "thinking", length_of(l->reasoning));
    jw_close(&w);
    buf_putc(out, '\n');
    buf_add(out, l->raw.data, l->raw.len);
    buf_puts(out, l->answer ? l->answer : "");
    buf_puts(out, l->reasoning ? l->reasoning : "");
    buf_putc(out, '\n');
}

/* Where a file is read; not ok where it ended too early. */
struct reader {
    const char *at;
    size_t left;
    bool ok;
};

/* The next n bytes, which it moves behind; NULL where they are not there. */
static const char *pass(struct reader *r, int64_t n)
{
    const char *from = r->at;
    r->ok = r->ok && n >= 0 && (uint64_t)n <= r->left;
    if (!r->ok)
        return NULL;
    r->at += n;
    r->left -= (size_t)n;
    return from;
}

static char *pass_text(struct reader *r, int64_t n)
{
    const char *text = n < 0 ? NULL : pass(r, n);
    return text ? xstrndup(text, (size_t)n) : NULL;
}

static bool state_of(const char *word, enum call_state *out)
{
    for (int i = 0; i < CALL_STATE_COUNT; i++) {
        *out = (enum call_state)i;
        if (!strcmp(word, call_state_name(*out)))
            return true;
    }
    return false;
}

/* What a record's line says, into the call that the store has. */
static bool read_call(const json *j, struct call *c)
{
    const char *trouble = json_get_string(j, "trouble", NULL);
    const char *finish = json_get_string(j, "finish", NULL);
    c->http = (int)json_get_int(j, "http", 0);
    c->tokens_in = json_get_int(j, "tokens_in", 0);
    c->tokens_out = json_get_int(j, "tokens_out", 0);
    c->ms = json_get_int(j, "ms", 0);
    c->cost = json_get_number(j, "cost", 0);
    free(c->trouble);
    c->trouble = trouble ? xstrdup(trouble) : NULL;
    free(c->finish);
    c->finish = finish ? xstrdup(finish) : NULL;
    return state_of(json_get_string(j, "state", ""), &c->state);
}

/* Into the store; what came to nothing is planned anew. */
static bool take_in(struct store *s, struct landing *l, struct err *e)
{
    if (!landing_keep(s, l, e))
        return false;
    l->call.attempt++;
    return l->call.state == CALL_SENT || call_add(s, &l->call, e);
}

/* The line of a record and what stands behind it; the caller frees both. */
static json *read_record(struct reader *r, struct landing *l)
{
    size_t used = 0;
    json *j = json_parse_prefix(r->at, r->left, &used, NULL);
    r->ok = j != NULL;
    pass(r, (int64_t)used + 1);
    int64_t n = json_get_int(j, "reply", -1);
    const char *raw = pass(r, n);
    if (raw)
        buf_add(&l->raw, raw, (size_t)n);
    l->answer = pass_text(r, json_get_int(j, "answer", -1));
    l->reasoning = pass_text(r, json_get_int(j, "thinking", -1));
    pass(r, 1);
    return j;
}

/* The next record; *n counts it where it came in. */
static bool take_record(struct store *s, int64_t job, struct reader *r,
                        size_t *n, struct err *e)
{
    struct landing l = {.raw = BUF_INIT(FILE_BYTES)};
    size_t before = r->left;
    json *j = read_record(r, &l);
    bool ok = r->ok || err_set(e, ERR_INPUT, _("the record %zu bytes before "
                               "the end is damaged"), before);
    ok = ok && call_get(s, json_get_int(j, "call", 0), &l.call, e);
    bool waits = ok && l.call.job == job && l.call.state == CALL_SENT &&
                 !l.call.reply_text;
    if (waits && !read_call(j, &l.call))
        ok = err_set(e, ERR_INPUT, _("there is no such state of a call"));
    ok = ok && (!waits || take_in(s, &l, e));
    *n += ok && waits;
    json_free(j);
    landing_free(&l);
    return ok;
}

bool landings_take(struct store *s, const char *dir, int64_t job, size_t *n,
                   struct err *e)
{
    struct buf b = BUF_INIT(FILE_BYTES);
    char *path = landings_path(dir);
    *n = 0;
    bool there = file_exists(path);
    bool ok = !there || file_read(path, FILE_BYTES, &b, e);
    struct reader r = {buf_str(&b), b.len, true};
    if (ok && there) {
        ok = store_begin(s, e);
        while (ok && r.left)
            ok = take_record(s, job, &r, n, e) || err_in(e, "%s", path);
        ok = ok ? store_commit(s, e) : (store_rollback(s), false);
    }
    if (ok && there)
        ok = unlink(path) == 0 || err_sys(e, "%s", path);
    buf_free(&b);
    free(path);
    return ok;
}
