#include "unit/replies.h"

#include "unit/test.h"

#include "base/mem.h"
#include "recipe/parser.h"

char *replies_path(const char *parser, const char *name, const char *ending)
{
    return xasprintf("%s/fixtures/replies/%s/%s%s", getenv("srcdir"), parser,
                     name, ending);
}

static const struct parser *by_name(const char *name)
{
    for (size_t i = 0; parsers[i]; i++)
        if (!strcmp(parsers[i]->name, name))
            return parsers[i];
    fail_msg("no parser %s", name);
    return NULL;
}

static void put_keys(struct jw *w, const json *from, const json *over)
{
    for (const json *v = json_first(from); v; v = json_next(v)) {
        struct buf text = BUF_INIT(0);
        if (json_get(over, json_key(v)))
            continue;
        json_print(&text, v);
        jw_key(w, json_key(v));
        jw_raw(w, buf_str(&text));
        buf_free(&text);
    }
}

struct recipe *replies_recipe(const char *parser, const json *step)
{
    struct err e = {0};
    char *path = replies_path(parser, "settings", ".json");
    json *settings = json_load(path, 1 << 16, &e);
    if (!settings)
        fail_msg("%s", e.text);
    struct buf text = BUF_INIT(0);
    bool shown = by_name(parser)->shown;
    buf_puts(&text, "{\"name\":\"x\",\"version\":1,\"kind\":\"curate\","
                    "\"about\":\"a\",\"steps\":[");
    struct jw w = jw_start(&text);
    jw_open(&w, '{');
    jw_kstr(&w, "name", "s");
    jw_kstr(&w, "over", shown ? "candidates" : "seed");
    jw_key(&w, "messages");
    jw_raw(&w, "[{\"role\":\"user\",\"text\":"
               "\"{{#candidates}}{{letter}}{{answer}}{{/candidates}}x\"}]");
    put_keys(&w, settings, step);
    put_keys(&w, step, NULL);
    jw_close(&w);
    buf_puts(&text, "]}");
    struct recipe *r = recipe_load(buf_str(&text), text.len, &e);
    if (!r)
        fail_msg("%s: %s in %s", path, e.text, buf_str(&text));
    buf_free(&text);
    json_free(settings);
    free(path);
    return r;
}
