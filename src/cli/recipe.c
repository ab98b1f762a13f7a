/* stillroom recipe: which there are, what stands in one, what is wrong with a
 * file, and how its steps ask and read, without asking anyone. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/paths.h"
#include "base/say.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "recipe/recipe.h"

/* ---- list --------------------------------------------------------------- */

static const struct column columns[] = {
    {N_("recipe"), 16}, {N_("kind"), 10}, {N_("steps"), -6}, {"", 2},
    {N_("about"), 0}, {"", 0}};

static void list_one(struct cli *c, struct jw *w, const char *name)
{
    struct err e = {0};
    struct recipe *r = recipe_find(name, &e);
    jw_open(w, '{');
    jw_kstr(w, "name", name);
    if (r) {
        jw_kint(w, "version", r->version);
        jw_kstr(w, "kind", recipe_kind_name(r->kind));
        jw_kint(w, "steps", (int64_t)r->n_steps);
        jw_kbool(w, "yours", r->yours);
        jw_kstr(w, "about", r->about);
    } else {
        jw_kstr(w, "wrong", e.text);
    }
    jw_close(w);
    if (!c->json && r)
        table_row(columns, "%s\t%s\t%zu\t%s\t%s%s", name,
                  recipe_kind_label(r->kind), r->n_steps, "", r->about,
                  r->yours ? _(" (yours)") : "");
    else if (!c->json)
        table_row(columns, "%s\t%s\t%s\t%s\t%s", name, "!", "", "", e.text);
    recipe_free(&r);
}

static int list(struct cli *c)
{
    char **names = paths_names("recipes", ".json");
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '[');
    table_head(c, columns);
    for (size_t i = 0; names[i]; i++)
        list_one(c, &w, names[i]);
    jw_close(&w);
    if (c->json)
        cli_print(&b);
    buf_free(&b);
    paths_free_names(names);
    return 0;
}

/* ---- show, check -------------------------------------------------------- */

static struct recipe *load_file(const char *path, struct err *e)
{
    struct buf text = BUF_INIT(RECIPE_BYTES);
    struct recipe *r = file_read(path, RECIPE_BYTES, &text, e)
                           ? recipe_load(buf_str(&text), text.len, e)
                           : NULL;
    if (r && r->cannot) {
        err_set(e, ERR_INPUT, "%s", r->cannot);
        recipe_free(&r);
    }
    if (!r)
        err_in(e, "%s", path);
    buf_free(&text);
    return r;
}

/* By name, or by the path of a file. */
static struct recipe *find(struct cli *c, const char *what)
{
    return strchr(what, '/') || strchr(what, '.') ? load_file(what, &c->e)
                                                  : recipe_find(what, &c->e);
}

static int show(struct cli *c, const struct recipe *r)
{
    if (c->json)
        say_json(stdout, r->text, strlen(r->text));
    else
        say(stdout, "%s", r->text);
    return 0;
}

static int check(struct cli *c, const struct recipe *r)
{
    if (c->json)
        printf("{\"name\":\"%s\",\"ok\":true}\n", r->name);
    else
        say(stdout, P_("%s: all of it runs, in %zu step\n",
                       "%s: all of it runs, in %zu steps\n", r->n_steps),
            r->name, r->n_steps);
    return 0;
}

/* ---- try ---------------------------------------------------------------- */

/* The messages of each step that asks, every value as its name. */
static int sketch(struct cli *c, const struct recipe *r)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct recipe_step *s = &r->steps[i];
        struct chat chat = {0};
        say(stdout, "%s== %s\n", i ? "\n" : "", s->name);
        if (s->op) {
            say(stdout, "%s\n", _("(worked out here)"));
            continue;
        }
        if (!recipe_sketch(s, r->from_seeds + r->from_samples, &chat, &c->e))
            return cli_fail(c);
        for (size_t k = 0; k < chat.n; k++)
            say(stdout, "-- %s\n%s\n", role_name(chat.at[k].role),
                chat.at[k].content);
        chat_free(&chat);
    }
    return 0;
}

static void print_items(struct cli *c, const struct recipe_items *items)
{
    struct buf b = BUF_INIT(0);
    recipe_print(items, &b);
    if (c->json)
        cli_print(&b);
    buf_free(&b);
    for (size_t i = 0; !c->json && i < items->n; i++) {
        const struct recipe_item *it = &items->at[i];
        say(stdout, "== %zu\n", it->index + 1);
        for (size_t k = 0; k < it->fields.n; k++)
            say(stdout, "%s: %s\n", it->fields.at[k].name,
                it->fields.at[k].text);
    }
    for (size_t i = 0; i < items->n_missing; i++)
        say(stderr, "%s\n", items->missing[i]);
}

/* The items that a step reads of a reply in a file. */
static int read_reply(struct cli *c, const struct recipe *r,
                      const char *step, const char *path, int64_t answers)
{
    const struct recipe_step *s = step ? recipe_step(r, step) : &r->steps[0];
    struct buf text = BUF_INIT(RECIPE_REPLY);
    struct recipe_items items;
    if (!s) {
        err_set(&c->e, ERR_ABSENT, _("the recipe %s has no step \"%.40s\""),
                r->name, step);
        return cli_fail(c);
    }
    if (!file_read(path, RECIPE_REPLY, &text, &c->e))
        return cli_fail(c);
    struct recipe_bindings b = {
        .n_demos = s->over == OVER_DRAW ? r->from_seeds + r->from_samples : 0,
        .n_candidates = (size_t)answers};
    recipe_parse(s, &b, buf_str(&text), "stop", &items);
    print_items(c, &items);
    int code = items.n ? 0 : 1;
    recipe_items_free(&items);
    buf_free(&text);
    return code;
}

/* ---- All of it ---------------------------------------------------------- */

int sub_recipe(struct cli *c)
{
    const char *step = NULL, *reply = NULL;
    int64_t answers = 2;
    const struct opt opts[] = {
        {"step", OPT_STRING, &step, "STEP",
         N_("try: the step that reads the reply (the first)")},
        {"reply", OPT_STRING, &reply, "FILE",
         N_("try: what it reads of this reply")},
        {"answers", OPT_INT, &answers, "N",
         N_("try: so many answers were shown (2)")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (answers < 1 || answers > RECIPE_CANDIDATES)
        return cli_usage(c, _("--answers: expected 1 to %d"),
                         RECIPE_CANDIDATES);
    const char *word = c->argc ? c->argv[0] : "list";
    bool tries = !strcmp(word, "try");
    if ((step || reply) && !tries)
        return cli_usage(c, _("only try takes a step or a reply"));
    if (!strcmp(word, "list"))
        return c->argc > 1 ? cli_unread(c, c->argv[1], "list") : list(c);
    if (strcmp(word, "show") && strcmp(word, "check") && !tries)
        return cli_unread(c, word, "list, show, check, try");
    if (c->argc < 2)
        return cli_usage(c, _("name one recipe"));
    struct recipe *r = find(c, c->argv[1]);
    if (!r)
        return cli_fail(c);
    code = !strcmp(word, "show")    ? show(c, r)
           : !strcmp(word, "check") ? check(c, r)
           : reply                  ? read_reply(c, r, step, reply, answers)
                                    : sketch(c, r);
    recipe_free(&r);
    return code;
}
