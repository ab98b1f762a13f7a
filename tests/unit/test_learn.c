/* The parts of training by themselves: rows, the plan of steps, the
 * optimiser, and settings. */
#include "unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/proc.h"

#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/learn/need.h"
#include "model/learn/sandbox.h"
#include "model/learn/adamw.h"
#include "model/learn/plan.h"
#include "model/learn/settings.h"
#include "model/net/sample.h"
#include "model/token/template.h"

static char dir[200];

/* ---- Rows --------------------------------------------------------------- */

static char *write_rows(const char *text)
{
    struct err e;
    char *path = path_join(dir, "rows.jsonl");
    assert_ok(file_replace(path, text, strlen(text), 0600, false, &e), e);
    return path;
}

static bool load_so(const char *text, struct items *d,
                    const struct reading *how, struct err *e)
{
    char *path = write_rows(text);
    struct tokenizer *t = tokenizer_new(template_tokens);
    t->eos = 0;
    tokenizer_set_template(t, TEMPLATE_NANO);
    *d = (struct items){0};
    bool ok = items_load(d, t, &path, 1, how, e);
    tokenizer_free(&t);
    free(path);
    return ok;
}

static bool load(const char *text, struct items *d, int context,
                 struct err *e)
{
    return load_so(text, d, &(struct reading){.context = context}, e);
}

#define ROW(id, q, a)                                                         \
    "{\"id\":" id ",\"prompt\":[{\"role\":\"user\",\"content\":\"" q "\"}],"  \
    "\"answer\":{\"content\":\"" a "\"},\"other\":1}\n"

static void rows_are_encoded_and_cut(void **state)
{
    (void)state;
    struct items d;
    struct err e = {0};
    assert_ok(load(ROW("7", "abc", "de") "\n" ROW("8", "a", "bcdefgh")
                   ROW("9", "abcdefghi", "x"), &d, 8, &e), e);
    assert_int_equal(d.n, 2); /* the third has nothing left to learn */
    assert_int_equal(d.left, 1);
    assert_int_equal(d.cut, 2);
    assert_int_equal(d.at[0].id, 7);
    assert_int_equal(d.at[0].n, 8); /* <user> abc <assistant> de <end> */
    assert_int_equal(d.at[0].prompt, 5);
    assert_int_equal(d.at[0].targets, 3);
    assert_string_equal(d.at[0].answer, "de");
    assert_int_equal(d.at[1].n, 9);
    assert_int_equal(d.at[1].targets, 6);
    assert_int_equal(d.longest, 9);
    assert_int_equal(d.tokens, 17);
    items_free(&d);
}

/* A long row may lose its beginning instead, or refuse the file. */
static void long_rows_as_asked(void **state)
{
    (void)state;
    struct items d;
    struct err e = {0};
    struct reading how = {.context = 8, .truncate = TRUNCATE_LEFT};
    assert_ok(load_so(ROW("9", "abcdefghi", "x"), &d, &how, &e), e);
    assert_int_equal(d.cut, 1);
    assert_int_equal(d.at[0].n, 9); /* cdefghi is 7: d..i <assistant> x <end> */
    assert_int_equal(d.at[0].targets, 2);
    assert_int_equal(d.at[0].prompt, 7);
    items_free(&d);
    assert_ok(load_so(ROW("8", "a", "bcdefghijklmn"), &d, &how, &e), e);
    assert_int_equal(d.at[0].prompt, 1); /* nothing but answer is left */
    assert_int_equal(d.at[0].targets, 8);
    items_free(&d);
    how.truncate = TRUNCATE_REFUSE;
    assert_false(load_so(ROW("1", "a", "b") ROW("9", "abcdefghi", "x"), &d,
                         &how, &e));
    assert_non_null(strstr(e.text, "line 2: the row has 13 tokens, 9 fit"));
    items_free(&d);
}

/* Plain texts are learned whole, beside messages; weights are read. */
static void texts_are_learned_whole(void **state)
{
    (void)state;
    struct items d;
    struct err e = {0};
    assert_ok(load("{\"id\":3,\"text\":\"abcde\",\"weight\":0.25}\n"
                   ROW("7", "abc", "de"), &d, 90, &e), e);
    assert_int_equal(d.n, 2);
    assert_int_equal(d.at[0].targets, d.at[0].n - 1);
    assert_true(d.at[0].plain && !d.at[1].plain);
    assert_true(d.at[0].weight == .25f && d.at[1].weight == 1);
    items_free(&d);
    assert_false(load("{\"text\":\"a\",\"weight\":0}", &d, 90, &e));
    assert_non_null(strstr(e.text, "weight"));
    items_free(&d);
}

/* A conversation is trained but for the answers that say otherwise. */
static void masks_are_by_message(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":"
        "\"assistant\",\"content\":\"bc\"},{\"role\":\"user\",\"content\":"
        "\"d\"},{\"role\":\"assistant\",\"content\":\"efg\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":"
        "\"assistant\",\"content\":\"bc\",\"train\":false},{\"role\":"
        "\"user\",\"content\":\"d\"},{\"role\":\"assistant\",\"content\":"
        "\"efg\"}]}"};
    struct items d;
    struct err e = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_ok(load(rows[i], &d, 90, &e), e);
        assert_int_equal(d.at[0].targets, i ? 4 : 7); /* with their ends */
        assert_string_equal(d.at[0].answer, "efg");
        items_free(&d);
    }
    assert_false(load("{\"messages\":[{\"role\":\"user\",\"content\":"
                      "\"a\"}]}", &d, 90, &e));
    assert_non_null(strstr(e.text, "do not end with an answer"));
    items_free(&d);
    assert_false(load("{\"text\":\"a\",\"prompt\":[]}", &d, 90, &e));
    items_free(&d);
}

/* Thinking may be left untrained; the answer still begins with it. */
static void thinking_is_masked(void **state)
{
    (void)state;
    struct items d;
    struct err e = {0};
    struct reading how = {.context = 90, .mask_thinking = true};
    assert_ok(load_so(ROW("1", "q", "<think>ab</think>4"), &d, &how, &e), e);
    assert_int_equal(d.at[0].targets, 2); /* 4 and the end */
    assert_int_equal(d.at[0].prompt, 3);
    assert_string_equal(d.at[0].answer, "<think>ab</think>4");
    items_free(&d);
    /* what stands before it is trained, and a sign that ends nothing; what is
     * not ended is not */
    static const struct {
        const char *row;
        size_t targets;
    } rows[] = {{ROW("1", "q", "b<think>c</think>d"), 3},
                {ROW("1", "q", "x</think>y"), 11},
                {ROW("1", "q", "ab<think>cd"), 2},
                {ROW("1", "q", "a<think>b</think>c<think>d</think>e"), 4}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_ok(load_so(rows[i].row, &d, &how, &e), e);
        assert_int_equal(d.at[0].targets, rows[i].targets);
        items_free(&d);
    }
}

static void tool_calls_are_part_of_the_answer(void **state)
{
    (void)state;
    struct items d;
    struct err e = {0};
    assert_ok(load("{\"id\":1,\"prompt\":[{\"role\":\"user\",\"content\":"
                   "\"a\"}],\"answer\":{\"content\":\"b\",\"tool_calls\":"
                   "[{\"id\": 2}]}}", &d, 90, &e), e);
    assert_string_equal(d.at[0].answer, "b[{\"id\":2}]");
    assert_int_equal(d.at[0].targets, 12);
    items_free(&d);
}

static void wrong_rows_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {ROW("1", "a", "b") "{", "rows.jsonl, line 2: "},
        {"7\n", "line 1: not an object"},
        {"{\"id\":1}\n", "messages are not a list"},
        {"{\"prompt\":[{\"role\":\"user\",\"content\":\"a\"}]}\n",
         "no answer"},
        {"{\"prompt\":[],\"answer\":{}}\n", "the prompt is empty"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct items d;
        struct err e = {0};
        assert_false(load(cases[i].text, &d, 8, &e));
        if (!strstr(e.text, cases[i].why))
            fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].why);
        items_free(&d);
    }
}

/* ---- The plan ----------------------------------------------------------- */

enum { N = 50 };

static struct items some_rows(struct item at[N])
{
    for (int i = 0; i < N; i++)
        at[i] = (struct item){.id = i, .n = 3 + i % 9, .targets = 1 + i % 4};
    return (struct items){.at = at, .n = N};
}

static void every_epoch_has_every_row_once(void **state)
{
    (void)state;
    struct item at[N];
    struct items d = some_rows(at);
    struct plan p;
    int seen[N] = {0}, same = 0;
    uint32_t first[N];
    size_t rows = 0;
    plan_start(&p, &d, &(struct budget){.epochs = 2}, 40, 3);
    while (plan_next(&p)) {
        int64_t tokens = 0;
        for (size_t i = 0; i < p.n; i++, rows++) {
            seen[p.row[i]]++;
            tokens += at[p.row[i]].n - 1;
            if (rows < N)
                first[rows] = p.row[i];
            else
                same += first[rows - N] == p.row[i];
        }
        assert_true(tokens <= 40);
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(seen[i], 2);
    assert_true(same < 10); /* another order the second time */
    plan_free(&p);
}

static void budgets_are_kept(void **state)
{
    (void)state;
    struct item at[N];
    struct items d = some_rows(at);
    struct plan p, q;
    plan_start(&p, &d, &(struct budget){.targets = 500}, 40, 3);
    int64_t tokens, steps = plan_steps(&p, &tokens);
    while (plan_next(&p))
        ;
    assert_int_equal(p.step, steps);
    assert_true(p.targets >= 500 && p.targets < 504);
    plan_start(&q, &d, &(struct budget){.steps = 7}, 40, 3);
    assert_int_equal(plan_steps(&q, &tokens), 7);
    plan_free(&q);

    /* skipping leads to the same place as going */
    plan_free(&p);
    plan_start(&p, &d, &(struct budget){.targets = 500}, 40, 3);
    plan_start(&q, &d, &(struct budget){.targets = 500}, 40, 3);
    for (int i = 0; i < 15; i++)
        plan_next(&p);
    plan_skip(&q, 14);
    plan_next(&q);
    assert_int_equal(p.n, q.n);
    assert_memory_equal(p.row, q.row, p.n * sizeof *p.row);
    plan_free(&p);
    plan_free(&q);
    /* a row larger than the batch makes a step of its own */
    plan_start(&p, &d, &(struct budget){.epochs = 1}, 1, 3);
    assert_int_equal(plan_steps(&p, &tokens), N);
    plan_free(&p);
}

/* ---- The optimiser ------------------------------------------------------ */

static void adamw_is_the_formula(void **state)
{
    (void)state;
    struct err e = {0};
    struct config c = {.hidden = 4, .ffn = 4, .layers = 1, .heads = 2,
                       .kv_heads = 1, .head_dim = 2, .vocab = 5, .context = 8,
                       .eps = 1e-5, .tied = true};
    config_plain(&c, 1e4);
    struct llama *m = llama_new(&c, &e);
    llama_init(m, 4);
    real *am = xcalloc(m->n, sizeof *am), *av = xcalloc(m->n, sizeof *av);
    real *g = xcalloc(m->n, sizeof *g);
    size_t gain = m->norm, plain = m->embed + 3;
    double w[2] = {m->w[gain], m->w[plain]}, mm[2] = {0}, vv[2] = {0};
    for (int t = 1; t <= 5; t++) {
        struct adamw a = {.rate = .01 * t, .decay = .1, .beta1 = .9,
                          .beta2 = .98, .eps = 1e-8, .step = t, .scale = .5};
        for (size_t i = 0; i < m->n; i++)
            g[i] = (real)sin((double)i + t);
        adamw_update(&a, m, am, av, g, 0, m->n / 3);
        adamw_update(&a, m, am, av, g, m->n / 3, m->n);
        for (int k = 0; k < 2; k++) {
            double d = .5 * sin((double)(k ? plain : gain) + t);
            mm[k] = .9 * mm[k] + .1 * d;
            vv[k] = .98 * vv[k] + .02 * d * d;
            w[k] *= k ? 1 - a.rate * .1 : 1;
            w[k] -= a.rate * mm[k] / (1 - pow(.9, t)) /
                    (sqrt(vv[k] / (1 - pow(.98, t))) + 1e-8);
        }
    }
    assert_true(fabs(m->w[gain] - w[0]) < 1e-6);
    assert_true(fabs(m->w[plain] - w[1]) < 1e-6);
    free(am);
    free(av);
    free(g);
    llama_free(&m);
}

/* Behind the filter there is no socket and no other program, but files are. */
static void a_training_is_alone(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        if (!sandbox_enter())
            _exit(77);
        char *const argv[] = {(char *)(uintptr_t)"/bin/true", NULL};
        bool refused = socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM;
        refused = refused && execv(argv[0], argv) < 0 && errno == EPERM;
        int fd = open("/dev/null", O_RDWR);
        _exit(refused && fd >= 0 && write(fd, "x", 1) == 1 ? 0 : 1);
    }
    int code = proc_wait(pid);
    if (code == 77)
        skip();
    assert_int_equal(code, 0);
}

/* What does not fit is refused, with what would. */
static void memory_is_counted(void **state)
{
    (void)state;
    struct err e = {0};
    struct config c = {.hidden = 64, .ffn = 128, .layers = 4, .heads = 2,
                       .kv_heads = 1, .head_dim = 32, .vocab = 1000,
                       .context = 512, .eps = 1e-5, .tied = true};
    config_plain(&c, 10000);
    struct llama *m = llama_new(&c, &e);
    struct settings s;
    settings_default(&s);
    struct need n = need_of(m, &s, 400, 2);
    int64_t all = n.trained + n.pass;
    assert_int_equal(n.weights, (int64_t)m->n * 4);
    assert_int_equal(n.trained, 3 * n.weights);
    assert_true(need_fits(m, &s, 400, 2, all, &e));
    assert_true(need_fits(m, &s, 400, 2, -1, &e));
    assert_false(need_fits(m, &s, 400, 2, all - 1, &e));
    assert_int_equal(e.code, ERR_MEMORY);
    assert_non_null(strstr(e.text, "--recompute"));
    assert_false(need_fits(m, &s, 400, 2, 1, &e));
    assert_non_null(strstr(e.text, "--context"));
    s.recompute = true;
    assert_true(need_of(m, &s, 400, 2).pass < n.pass);
    assert_true(need_available() > 0);
    llama_free(&m);
}

static void the_rate_rises_and_falls(void **state)
{
    (void)state;
    assert_true(rate_at(SCHEDULE_COSINE, 2, .05, 10, 110, 0) == 0);
    assert_true(rate_at(SCHEDULE_COSINE, 2, .05, 10, 110, 5) == 1);
    assert_true(rate_at(SCHEDULE_COSINE, 2, .05, 10, 110, 10) == 2);
    assert_true(fabs(rate_at(SCHEDULE_COSINE, 2, .05, 10, 110, 60) - 1.05) <
                1e-9);
    assert_true(fabs(rate_at(SCHEDULE_COSINE, 2, .05, 10, 110, 110) - .1) <
                1e-9);
    assert_true(rate_at(SCHEDULE_COSINE, 2, .05, 0, 1, 0) == 2);
    assert_true(rate_at(SCHEDULE_LINEAR, 2, 0, 10, 110, 5) == 1);
    assert_true(fabs(rate_at(SCHEDULE_LINEAR, 2, .05, 10, 110, 35) -
                     (.1 + 1.9 * .75)) < 1e-9);
    assert_true(fabs(rate_at(SCHEDULE_LINEAR, 2, .05, 10, 110, 110) - .1) <
                1e-9);
    assert_true(rate_at(SCHEDULE_CONSTANT, 2, .05, 10, 110, 109) == 2);
}

static void settings_come_back(void **state)
{
    (void)state;
    struct settings s, t;
    struct err e = {0};
    bool given[SETTINGS] = {false};
    settings_default(&s);
    s.tokens = 123456789;
    s.rate = .1 + .2;
    s.from_scratch = true;
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    settings_print(&s, &w);
    json *j = json_parse(buf_str(&b), b.len, &e);
    settings_default(&t);
    assert_ok(settings_resume(&t, given, j, &e), e);
    assert_true(t.tokens == s.tokens && t.rate == s.rate && t.from_scratch);
    given[0] = true;
    t.tokens = 5;
    assert_false(settings_resume(&t, given, j, &e));
    assert_non_null(strstr(e.text, "--tokens was 123456789 "));
    json_free(j);
    buf_free(&b);
}

static void sampling_keeps_its_limits(void **state)
{
    (void)state;
    struct rng rng;
    real logits[] = {1, 3, 3, 0, 2};
    struct sampling greedy = {.top_p = 1};
    struct sampling two = {.temperature = 1, .top_p = 1, .top_k = 2};
    struct sampling p = {.temperature = 1, .top_p = .3};
    struct sampling near = {.temperature = 1, .top_p = 1, .min_p = .9};
    rng_seed(&rng, 3);
    assert_int_equal(sample_token(logits, 5, &greedy, &rng), 1);
    int seen[5] = {0};
    for (int i = 0; i < 400; i++) {
        seen[sample_token(logits, 5, &two, &rng)]++;
        assert_int_equal(sample_token(logits, 5, &p, &rng), 1);
        int id = sample_token(logits, 5, &near, &rng);
        assert_true(id == 1 || id == 2);
    }
    assert_true(seen[1] > 100 && seen[2] > 100 && seen[1] + seen[2] == 400);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/learn-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return 99;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sampling_keeps_its_limits),
        cmocka_unit_test(rows_are_encoded_and_cut),
        cmocka_unit_test(long_rows_as_asked),
        cmocka_unit_test(masks_are_by_message),
        cmocka_unit_test(thinking_is_masked),
        cmocka_unit_test(texts_are_learned_whole),
        cmocka_unit_test(tool_calls_are_part_of_the_answer),
        cmocka_unit_test(wrong_rows_are_named),
        cmocka_unit_test(every_epoch_has_every_row_once),
        cmocka_unit_test(budgets_are_kept),
        cmocka_unit_test(adamw_is_the_formula),
        cmocka_unit_test(a_training_is_alone),
        cmocka_unit_test(memory_is_counted),
        cmocka_unit_test(the_rate_rises_and_falls),
        cmocka_unit_test(settings_come_back),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dir_remove(dir, NULL);
    return failed;
}
