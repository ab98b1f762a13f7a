/* Nothing goes without a word: rows of every shape, with members that nobody
 * knows strewn in, come in; then each value of each row stands in the store,
 * or its row was refused, or its key is counted as not read. */
#include "unit/test.h"

#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "store/db.h"
#include "store/fsck.h"
#include "verbs/import.h"

enum { ROWS = 200 };

/* $t a new text, $n a new number, $x some unknown members, $m the same in a
 * message, $T a text that two rows share: the second finds it there and says
 * something else of it */
static const char *const shapes[] = {
    "{'messages':[{'role':'system','content':'$t'$m},{'role':'user',"
    "'content':'$t'$m},{'role':'assistant','content':'$t',"
    "'reasoning_content':'$t'$m}]$x}",
    "{'messages':[{'role':'user','content':[{'type':'text','text':'$t'},"
    "{'type':'text','text':'$t'$m}]},{'role':'assistant','content':null,"
    "'tool_calls':[{'id':'$t','type':'function','function':{'name':'$t',"
    "'arguments':{'a':$n,'b':[1.0,'$t']}}}]$m}],'tools':[{'type':'function',"
    "'function':{'name':'$t','parameters':{'z':$n}}}]$x}",
    "{'messages':[{'role':'user','content':'$t','name':'$t'},{'role':"
    "'assistant','content':'$t','weight':0,'thinking':'$t'},{'role':'user',"
    "'content':'$t','weight':1},{'role':'assistant','content':'$t',"
    "'weight':$n}],'system':'$t'$x}",
    "{'messages':'[{\\'role\\':\\'user\\',\\'content\\':\\'$t\\',"
    "\\'odd\\':\\'$t\\'},{\\'role\\':\\'assistant\\',\\'content\\':\\'$t\\'}]'"
    "$x}",
    "{'conversations':[{'from':'Human','value':'$t'$m},{'from':"
    "'function_call','value':'{\\'name\\':\\'$t\\',\\'arguments\\':{\\'q\\':"
    "$n}}'},{'from':'observation','value':'$t'},{'from':'gpt','value':'$t'}],"
    "'tools':'[{\\'name\\':\\'$t\\'}]'$x}",
    "{'conversation':[{'input':'$t','output':'$t'$m},{'input':'$t',"
    "'output':'<think>$t</think>$t'}]$x}",
    "[{'role':'prompter','content':'$t'$m},{'role':'bot','text':'$t'}]",
    "{'instruction':'$t','instances':[{'input':'$t','output':'$t'$m},"
    "{'input':'','output':'$t'}]$x}",
    "{'turns':['$t','$t'],'reference':['$t','$t']$x}",
    "{'turns':['$t','$t'],'reference':['$t']$x}",
    "{'message_tree_id':'$t','prompt':{'text':'$t','role':'prompter'$m,"
    "'replies':[{'text':'$t','role':'assistant','rank':0,'replies':[{'text':"
    "'$t','role':'prompter','replies':[{'text':'$t','role':'assistant',"
    "'rank':null,'replies':[]$m}]}]},{'text':'$t','role':'assistant','rank':1,"
    "'replies':[]}]}$x}",
    "{'instruction':'$t','input':'$t','output':'$t','history':[['$t','$t'],"
    "['$t','$t']],'system':'$t'$x}",
    "{'instruction':'$t','context':'$t','response':'$t'$x}",
    "{'instruction':'$t','input':{'a':'$t'},'output':'$t'$x}",
    "{'prompt':'$t','completion':'$t','answer':'$t'$x}",
    "{'prompt':[{'role':'user','content':'$t'}],'completion':[{'role':"
    "'assistant','content':'$t'$m}],'label':false$x}",
    "{'prompt':'$t','response':'$t','label':'$t','thinking':'$t'$x}",
    "{'query':'$t','response':'$t','type':'$t'$x}",
    "{'question':'$t','answer':'$t','tags':['$t','$t'],'split':'test'$x}",
    "{'problem':'$t','solution':'$t','answer':'$t'$x}",
    "{'question':'$t','answer':'$t','kto_tag':true,'reasoning':{'a':'$t'}$x}",
    "{'prompt':'$t','chosen':'$t','rejected':'$t','margin':$n$x}",
    "{'prompt':'$t','chosen':[{'role':'assistant','content':'$t'$m}],"
    "'rejected':[{'role':'assistant','content':'$t'$m}]$x}",
    "{'chosen':'\\n\\nHuman: $t\\n\\nAssistant: $t\\n\\nHuman: $t\\n\\n"
    "Assistant: $t','rejected':'\\n\\nHuman: $t\\n\\nAssistant: $t'$x}",
    "{'conversations':[{'from':'human','value':'$t'}],'chosen':{'from':'gpt',"
    "'value':'$t'},'rejected':{'from':'gpt','value':'$t'$m}$x}",
    "{'prompt':'$t','completions':[{'response':'$t','overall_score':$n,"
    "'model':'$t'},{'response':'$t','overall_score':$n,'model':'$t'$m}]$x}",
    "{'instruction':'$t','generations':['$t','$t'],'ratings':[$n,$n]$x}",
    "{'prompt':'$t','answers':[{'answer':'$t','rank':2},{'answer':'$t',"
    "'rank':1}]$x}",
    "{'prompt':'$t','generations':[{'role':'assistant','content':'$t',"
    "'name':'$t','tool_calls':[{'function':{'name':'$t','arguments':{'a':$n}}"
    "}]$m},{'role':'assistant','content':'$t','reasoning':'$t'$m}]$x}",
    "{'prompt':'$t','completions':['<think>$t</think>same',"
    "'<think>$t</think>same']$x}",
    "{'prompt':{'text':'$t','role':'prompter','replies':[{'text':'$t','role':"
    "'prompter','replies':[{'text':'$t','role':'assistant'}]},{'text':'$t',"
    "'role':'assistant','replies':[{'text':'$t','role':'prompter'}]}]}$x}",
    "{'conversation':[{'system':$n,'input':'$t','output':'$t'$m}]$x}",
    "{'prompt':'$t','completion':''$x}",
    "{'text':'$t'$x}",
    "{'prompt':'$T','completions':[{'response':'$T','overall_score':$n},"
    "{'response':'$T','overall_score':$n$m}]$x}",
    "{'prompt':'$T','chosen':'$T','rejected':'$T','score_chosen':$n,"
    "'score_rejected':$n,'margin':$n$x}",
    "{'prompt':'$T','chosen':'$T','rejected':'$t','score_chosen':$n$x}",
    "{'prompt':'$T','generations':['$T','$T'],'ratings':[$n,$n]$x}",
    "{'prompt':'$T','generations':['$T','$T','$T'],'ratings':[$n,$n,7]$x}",
    "{'messages':[{'role':'user','content':'$T','name':'$t'},{'role':"
    "'assistant','content':'$T','reasoning_content':'$t','tool_calls':"
    "[{'id':'$T','function':{'name':'$T','arguments':{}}}]$m},{'role':'tool',"
    "'content':'$T','tool_call_id':'$t','name':'$t'},{'role':'assistant',"
    "'content':'$T'$m}],'system':'$T'$x}",
    "{'messages':[{'role':'user','content':'$T'},{'role':'assistant',"
    "'content':'$T','name':'$t','reasoning':'$t'}]$x}",
    "[{'role':'user','content':'$T','name':'$t'},{'role':'tool','content':"
    "'$T','tool_call_id':'$t'},{'role':'assistant','content':'$T'}]",
    "{'messages':'[{\\'role\\':\\'user\\',\\'content\\':\\'$T\\',"
    "\\'name\\':\\'$t\\'},{\\'role\\':\\'assistant\\',\\'content\\':"
    "\\'$T\\'}]'$x}",
    "{'conversations':[{'from':'human','value':'$T'},{'from':'gpt','value':"
    "'<think>$t</think>$T'},{'from':'human','value':'$T'},{'from':'gpt',"
    "'value':'<think>$t</think>$T','weight':$n}]$x}",
    "{'instruction':'$T','output':'$T','history':[['$T','<think>$t</think>"
    "$T'],['$T','$T']]$x}",
    "{'prompt':'$T','completion':'$T','tags':['$t','$T'],'label':0$x}",
    "{'question':'$T','answer':'$T','reasoning':'$t','label':$n$x}",
    "{'prompt':[{'role':'user','content':'$T','name':'$t'}],'chosen':[{'role':"
    "'assistant','content':'$T','name':'$t'}],'rejected':[{'role':'assistant',"
    "'content':'$T','reasoning':'$t'}]$x}",
};

struct strewn {
    struct rng rng;
    uint64_t next, shared;
};

static void put_token(uint64_t *n, struct buf *out)
{
    buf_printf(out, "tok%06llux", (unsigned long long)(*n)++);
}

static void put_text(struct strewn *s, struct buf *out)
{
    put_token(&s->next, out);
}

static void put_number(struct strewn *s, struct buf *out)
{
    buf_printf(out, "9%06llu", (unsigned long long)s->next++);
}

static void put_members(struct strewn *s, bool in_message, struct buf *out)
{
    static const char *const keys[] = {"source", "id",   "score", "meta",
                                       "lang",   "odd",  "x.y",   "maker",
                                       "quality"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (rng_below(&s->rng, in_message ? 12 : 4))
            continue;
        buf_printf(out, ",\"%s\":", keys[i]);
        switch (rng_below(&s->rng, 6)) {
        case 0: put_number(s, out); break;
        case 1: buf_puts(out, "null"); break;
        case 2:
            buf_puts(out, "{\"a\":\"");
            put_text(s, out);
            buf_puts(out, "\",\"b\":[");
            put_number(s, out);
            buf_puts(out, "]}");
            break;
        case 3: buf_puts(out, "NaN"); break;
        default:
            buf_putc(out, '"');
            put_text(s, out);
            buf_putc(out, '"');
        }
    }
}

static void put_row(struct strewn *s, const char *shape, struct buf *out)
{
    for (const char *p = shape; *p; p++) {
        if (*p == '\'')
            buf_putc(out, '"');
        else if (*p != '$')
            buf_putc(out, *p);
        else if (*++p == 't')
            put_text(s, out);
        else if (*p == 'T')
            put_token(&s->shared, out);
        else if (*p == 'n')
            put_number(s, out);
        else
            put_members(s, *p == 'm', out);
    }
    buf_putc(out, '\n');
}

/* ---- What came of it ---------------------------------------------------- */

struct world {
    struct buf rows;
    struct buf stored; /* every text but the rows as they came, every figure */
    struct import_report report;
    bool refused[ROWS + 2];
};

static void on_bad(void *ctx, uint64_t line, const char *reason)
{
    struct world *w = ctx;
    if (strncmp(reason, "the same as", 11) && strncmp(reason, "its order", 9))
        w->refused[line] = true;
}

static void collect(struct store *s, const char *sql, struct buf *out)
{
    struct rows r;
    struct err e = {0};
    assert_ok(db_query_once(s, &r, &e, sql), e);
    while (rows_next(&r, &e))
        buf_printf(out, "%s\n", rows_text(&r, 0));
    rows_done(&r);
}

static bool is_unread(const struct world *w, const char *path)
{
    for (size_t i = 0; i < w->report.unread.keys.n; i++) {
        const char *key = w->report.unread.keys.at[i].path;
        size_t n = strlen(key);
        if (!strncmp(key, path, n) && (!path[n] || path[n] == '.'))
            return true;
    }
    return false;
}

/* Looks for every token below the value. */
static void check_leaves(struct world *w, const json *v, const char *path,
                         size_t line)
{
    struct buf own = BUF_INIT(0);
    if (json_string(v) && strchr(json_string(v), '{') && json_unfold(v))
        json_taken(v, false);
    for (const json *c = json_first(v); c; c = json_next(c)) {
        buf_clear(&own);
        buf_printf(&own, "%s%s%s", path,
                   json_is_object(v) && *path ? "." : "",
                   json_is_object(v) ? json_key(c) : "");
        check_leaves(w, c, buf_str(&own), line);
    }
    buf_clear(&own);
    if (json_string(v))
        buf_puts(&own, json_string(v));
    else if (json_is_number(v))
        json_print(&own, v);
    for (const char *p = buf_str(&own); json_first(v) == NULL && *p;) {
        char token[12];
        const char *at = strstr(p, json_string(v) ? "tok" : "9");
        if (!at || strlen(at) < 7 || (!json_string(v) && at != p))
            break;
        snprintf(token, sizeof token, "%.*s", json_string(v) ? 10 : 7, at);
        p = at + strlen(token);
        if (!strstr(buf_str(&w->stored), token) && !w->refused[line] &&
            !is_unread(w, path))
            fail_msg("line %zu: %s of %s went without a word", line, token,
                     path);
    }
    buf_free(&own);
}

/* Whether a member that is not null stands at the dotted path. */
static bool has_path(const json *v, const char *path)
{
    if (json_is_array(v)) {
        for (const json *c = json_first(v); c; c = json_next(c))
            if (has_path(c, path))
                return true;
        return false;
    }
    if (json_string(v) && !json_unfold(v))
        return false;
    if (json_is_array(v))
        return has_path(v, path);
    for (const json *c = json_first(v); c; c = json_next(c)) {
        size_t n = strlen(json_key(c));
        if (strncmp(json_key(c), path, n))
            continue;
        if (!path[n])
            return !json_is_null(c);
        if (path[n] == '.' && has_path(c, path + n + 1))
            return true;
    }
    return false;
}

/* The rows of a key that is never read are counted one by one. */
static void check_counts(const struct world *w, const char *key)
{
    uint64_t want = 0, got = 0;
    size_t line = 0, used;
    struct err e = {0};
    for (const char *p = buf_str(&w->rows); *p; p = strchr(p, '\n') + 1) {
        json *j = json_parse_odd(p, strcspn(p, "\n"), JSON_ODD_NUMBERS, &used,
                                 &e);
        line++;
        want += !w->refused[line] && has_path(j, key);
        json_free(j);
    }
    for (size_t i = 0; i < w->report.unread.keys.n; i++)
        if (!strcmp(w->report.unread.keys.at[i].path, key))
            got = w->report.unread.keys.at[i].rows;
    if (want != got)
        fail_msg("%s: %llu rows, %llu counted", key, (unsigned long long)want,
                 (unsigned long long)got);
}

static void on_finding(void *ctx, bool finding, const char *text)
{
    (void)ctx;
    if (finding)
        fail_msg("fsck: %s", text);
}

static void bring(struct world *w, bool samples, const char *name)
{
    struct err e = {0};
    struct store *s;
    struct fsck_counts n;
    char file[60], db[60];
    snprintf(file, sizeof file, "oracle-%s.jsonl", name);
    snprintf(db, sizeof db, "oracle-%s-%d.db", name, samples);
    unlink(db);
    assert_ok(file_replace(file, buf_str(&w->rows), w->rows.len, 0600, false,
                           &e), e);
    assert_ok(store_create(db, &s, &e), e);
    struct import_options o = {.path = file, .as_samples = samples};
    verb_import(s, "ana", &o, on_bad, w, &w->report, &e);
    collect(s, "SELECT body FROM text WHERE body IS NOT NULL AND id NOT IN"
            " (SELECT raw_text FROM seed WHERE raw_text IS NOT NULL)",
            &w->stored);
    collect(s, "SELECT name FROM tag", &w->stored);
    collect(s, "SELECT CAST(CAST(value AS INTEGER) AS TEXT) FROM score",
            &w->stored);
    if (w->report.good)
        assert_ok(store_fsck(s, on_finding, NULL, &n, &e), e);
    store_close(&s);
}

static void try_shape(size_t k, bool samples)
{
    struct world w = {.rows = BUF_INIT(0), .stored = BUF_INIT(0)};
    struct strewn s = {.next = 1};
    struct err e = {0};
    char name[20];
    size_t line = 0, used;
    rng_seed(&s.rng, k * 2 + samples);
    for (size_t i = 0; i < ROWS; i++) {
        s.shared = 500000 + i / 2 * 20;
        put_row(&s, shapes[k], &w.rows);
    }
    snprintf(name, sizeof name, "%zu", k);
    bring(&w, samples, name);
    for (const char *p = buf_str(&w.rows); *p; p = strchr(p, '\n') + 1) {
        json *j = json_parse_odd(p, strcspn(p, "\n"), JSON_ODD_NUMBERS, &used,
                                 &e);
        assert_ok(j != NULL, e);
        check_leaves(&w, j, "", ++line);
        json_free(j);
    }
    check_counts(&w, "source");
    check_counts(&w, "meta");
    check_counts(&w, "quality");
    import_report_free(&w.report);
    buf_free(&w.rows);
    buf_free(&w.stored);
}

static void nothing_goes_without_a_word(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(shapes); k++) {
        try_shape(k, true);
        try_shape(k, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_goes_without_a_word),
    };
    char dir[] = "/tmp/oracle-XXXXXX";
    if (!mkdtemp(dir) || chdir(dir))
        return 99;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (chdir("/") || !dir_remove(dir, NULL))
        return 99;
    return failed;
}
