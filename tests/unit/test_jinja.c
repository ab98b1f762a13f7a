/* Chat templates: what transformers and Jinja2 made of those in
 * fixtures/templates.jsonl (by peers/make_templates.py), byte for byte; and
 * what hostile ones are told. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "model/token/jinja.h"

static int64_t now;

/* One line of the fixture: the same text, or a refusal where it raises. */
static void compare(const json *j)
{
    struct err e = {0};
    const char *name = json_get_string(j, "name", "?");
    const char *text = json_get_string(j, "template", "");
    const char *want = json_get_string(j, "text", NULL);
    struct buf in = BUF_INIT(1 << 20);
    struct jinja *t = jinja_parse(text, strlen(text), &e);
    struct jinja_out out;
    assert_ok(t, e);
    json_print(&in, json_get(j, "in"));
    bool ok = jinja_render(t, buf_str(&in), now, &out, &e);
    if (ok != (want != NULL))
        fail_msg("%s: %s", name, ok ? "it should raise" : e.text);
    if (want && strcmp(want, buf_str(&out.text)))
        fail_msg("%s: \"%s\" is not \"%s\"", name, buf_str(&out.text), want);
    jinja_out_free(&out);
    jinja_free(&t);
    buf_free(&in);
}

static void texts_are_those_of_transformers(void **state)
{
    struct lines l;
    struct err e = {0};
    const char *dir = getenv("srcdir");
    char path[4096];
    size_t n = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/fixtures/templates.jsonl",
             dir ? dir : ".");
    assert_ok(lines_open(&l, path, 1 << 20, &e), e);
    while (lines_next(&l, &e)) {
        json *j = json_parse(buf_str(&l.line), l.line.len, &e);
        assert_ok(j, e);
        if (n++)
            compare(j);
        else
            now = json_get_int(j, "now", 0);
        json_free(j);
    }
    lines_close(&l);
    assert_true(n > 70);
}

/* What a template is told: when it is read, or when it runs. */
static void told(const char *text, const char *why)
{
    struct err e = {0};
    struct jinja *t = jinja_parse(text, strlen(text), &e);
    struct jinja_out out = {.text = BUF_INIT(0)};
    if (t && jinja_render(t, "{\"messages\":[],\"s\":\"x\"}", 0, &out, &e))
        fail_msg("%s: \"%s\" is not refused", text, buf_str(&out.text));
    if (!strstr(e.text, why))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, why);
    if (t)
        jinja_out_free(&out);
    jinja_free(&t);
}

static void mistakes_have_their_line(void **state)
{
    (void)state;
    told("a\n{% if s %}", "line 2: a block without an end");
    told("\n\n{{ s", "line 3");
    told("{{ 'x }}", "without an end");
    told("{% frob %}", "\"frob\" is not supported");
    told("{% include 'x' %}", "not supported");
    told("{{ nothing.at.all }}", "line 1: 'nothing' is undefined");
    told("{{ s | frob }}", "no filter is named 'frob'");
    told("{{ s is frob }}", "no test is named 'frob'");
    told("{{ raise_exception('no') }}", "the template says: no");
    told("{% break %}", "outside of a loop");
    told("{{ 1 + 'a' }}", "unsupported operand types");
    told("{{ messages.append(1) }}", "undefined");
    told("{{ 1 // 0 }}", "division by zero");
    told("{% set s.x = 1 %}", "namespace");
    told("{{ 9223372036854775807 + 1 }}", "too large");
    told("{{ s[::0] }}", "step is zero");
}

static void hostile_ones_end(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    (void)state;
    told("{% for a in range(100000) %}{% for b in range(100000) %}"
         "{% endfor %}{% endfor %}", "line 1: ");
    told("{% for a in range(100000) %}{{ 'x' * 100000 }}{% endfor %}",
         "line 1: ");
    told("{% set n = namespace(l=[1]) %}{% for i in range(60) %}"
         "{% set n.l = n.l + n.l %}{% endfor %}", "out of memory");
    told("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "too deeply");
    told("{{ range(100001) }}", "a range of more");
    for (int i = 0; i < 500; i++)
        buf_puts(&b, "{{ (");
    told(buf_str(&b), "line 1");
    buf_clear(&b);
    buf_puts(&b, "{{ ");
    for (int i = 0; i < 5000; i++)
        buf_putc(&b, '(');
    told(buf_str(&b), "too deeply");
    buf_clear(&b);
    for (int i = 0; i < 5000; i++)
        buf_puts(&b, "{% if s %}");
    told(buf_str(&b), "too deeply");
    static const char *const chains[][3] = {
        {"{{ 1", " + 1", " }}"}, {"{{ s", " | upper", " }}"},
        {"{{ s", "[0]", " }}"}, {"{{ s", " and s", " }}"},
        {"{{ s", " ~ s", " }}"}, {"{{ s", "()", " }}"},
        {"{% if not s %}", "{% elif not s %}", "{% endif %}"},
        {"{% filter upper", " | upper", " %}a{% endfilter %}"}};
    for (size_t c = 0; c < COUNT(chains); c++) {
        buf_clear(&b);
        buf_puts(&b, chains[c][0]);
        for (int i = 0; i < 50000; i++)
            buf_puts(&b, chains[c][1]);
        buf_puts(&b, chains[c][2]);
        told(buf_str(&b), "too deeply");
    }
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_those_of_transformers),
        cmocka_unit_test(mistakes_have_their_line),
        cmocka_unit_test(hostile_ones_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
