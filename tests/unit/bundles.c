#include "unit/bundles.h"

#include "base/file.h"
#include "base/mem.h"
#include "store/sample.h"
#include "store/target.h"
#include "store/text.h"
#include "verbs/decide.h"

struct err e;
struct store *s;
int64_t target;
static int made;

char *temp_path(const char *name)
{
    return xasprintf("%s/%s%d", getenv("TMPDIR"), name, made++);
}

int fresh_store(void **state)
{
    (void)state;
    struct act a;
    char *path = temp_path("store");
    e = (struct err){0};
    bool ok = store_create(path, &s, &e) &&
              act_begin(s, &a, "arrive", "ana", "", 0, &e);
    target = ok ? target_add(&a, "sums", "{\"description\":\"Sums.\","
                             "\"languages\":[\"en\"],\"near_limit\":0.99}",
                             &e)
                : 0;
    free(path);
    return ok && act_commit(&a, &e) == ACT_SAVED && target ? 0 : -1;
}

int close_store(void **state)
{
    (void)state;
    store_close(&s);
    return 0;
}

/* A sample with these answers (NULL-ended); its id. */
int64_t add(const char *question, enum split split,
                   const char *const *answers)
{
    struct act a;
    struct chat c = {0};
    chat_add(&c, ROLE_USER, question);
    assert_ok(act_begin(s, &a, "arrive", "ana", "", 0, &e), e);
    struct sample_new n = {.target = target, .prompt = &c, .split = split};
    int64_t id = sample_add(&a, &n, &e);
    for (; *answers; answers++) {
        char *body = answer_of(*answers);
        struct candidate_new k = {.sample = id, .source = SOURCE_TEACHER,
                                  .body = body};
        assert_true(candidate_add(&a, &k, &e) > 0);
        free(body);
    }
    assert_ok(sample_index(&a, id, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    chat_free(&c);
    return id;
}

void decide(int64_t id, enum status to, const char *who,
                   const char *reason)
{
    struct decide d = {.who = who, .to = to, .reason = reason};
    struct other o;
    assert_int_equal(verb_decide(s, &d, id, &o, NULL, &e), DECIDED);
}

void put_order(int64_t id, const char *text)
{
    struct act a;
    assert_ok(act_begin(s, &a, "rank", "ana", "", 0, &e), e);
    int64_t order = text_puts(s, text, &e);
    assert_ok(act_change(&a, OBJECT_SAMPLE, id, FIELD_ORDER, order, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
}

int64_t candidate_id(int64_t sample, size_t i)
{
    struct sample x;
    assert_ok(sample_get(s, sample, &x, &e), e);
    int64_t id = x.candidates.at[i].id;
    sample_free(&x);
    return id;
}

struct export_form form(const char *dir)
{
    return (struct export_form){.target = target, .filter = "",
                                .shapes = {true, true, true, true},
                                .seed = 7, .dir = dir};
}

/* The file's text; the caller frees. "" where there is none. */
char *slurp(const char *dir, const char *name)
{
    struct buf b = BUF_INIT(0);
    char *path = path_join(dir, name);
    if (!file_read(path, 1 << 20, &b, NULL))
        buf_clear(&b);
    free(path);
    return buf_take(&b);
}

void assert_file(const char *dir, const char *name, const char *want)
{
    char *text = slurp(dir, name);
    assert_string_equal(text, want);
    free(text);
}

/* Exports everything into a new folder, which the caller frees. */
char *export_all(struct export_report *r)
{
    char *dir = temp_path("out");
    struct export_form f = form(dir);
    struct export_since since;
    int64_t id;
    assert_ok(verb_export(s, &f, r, &since, &id, &e), e);
    assert_true(id > 0);
    return dir;
}

size_t lines_with(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, part)); p++)
        n++;
    return n;
}

/* A sample whose prompt and answer are canonical JSON; accepted. */
int64_t add_json(const char *prompt, const char *body)
{
    struct act a;
    struct chat c;
    assert_ok(chat_parse(prompt, &c, &e), e);
    assert_ok(act_begin(s, &a, "arrive", "ana", "", 0, &e), e);
    struct sample_new n = {.target = target, .prompt = &c};
    int64_t id = sample_add(&a, &n, &e);
    struct candidate_new k = {.sample = id, .body = body};
    assert_true(candidate_add(&a, &k, &e) > 0);
    assert_ok(sample_index(&a, id, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    chat_free(&c);
    decide(id, STATUS_ACCEPTED, "ana", "");
    return id;
}
