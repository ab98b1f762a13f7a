#include "app/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "export/row.h"
#include "store/export.h"
#include "store/job.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/text.h"
#include "verbs/call_chain.h"

/* What is read, and where its steps go. */
struct reading {
    struct store *s;
    const struct sample *x;
    struct lineage *to;
    ids told; /* calls that stand there already */
};

static struct step *add(struct reading *r, struct step step)
{
    VEC_PUSH(&r->to->steps, step);
    return &r->to->steps.at[r->to->steps.n - 1];
}

static void name(struct step *p, char letter, int64_t id)
{
    snprintf(p->name, sizeof p->name, "%c%lld", letter, (long long)id);
}

/* ---- Where it came from ------------------------------------------------- */

static void read_origin(struct reading *r)
{
    struct decision d = {0};
    journal_get(r->s, r->x->born, &d);
    if (r->x->origin)
        name(add(r, (struct step){
                        .kind = N_("import"), .at = d.at,
                        .what = xasprintf(_("line %lld of %s, by %s (d%lld)"),
                                          (long long)r->x->line, r->x->origin,
                                          d.who, (long long)r->x->born),
                        .title = xstrdup(_("PROMPT")),
                        .text = prompt_text(r->x->prompt)}),
             'd', r->x->born);
}

/* "s13" or "1650" in front of what it asks. */
static void add_draw(struct store *s, const struct drawn *d, struct buf *what,
                     struct buf *text)
{
    struct seed seed = {0};
    struct sample_told told = {0};
    char *asked = NULL;
    const char *sign = d->seed ? "s" : "";
    int64_t id = d->seed ? d->seed : d->sample;
    if (d->seed && seed_get(s, d->seed, &seed, NULL))
        asked = prompt_text(seed.prompt);
    else if (d->sample && sample_told(s, d->sample, &told, NULL))
        asked = told.prompt ? prompt_text(told.prompt) : NULL;
    buf_printf(what, "%s%s%lld", what->len ? " " : "", sign, (long long)id);
    buf_printf(text, "%s%s%lld  %s", text->len ? "\n" : "", sign,
               (long long)id, asked ? asked : "");
    free(asked);
    free(told.origin);
    free(told.prompt);
    seed_free(&seed);
}

static void read_draws(struct reading *r)
{
    struct drawn list[32];
    size_t n = draws_of(r->s, call_first(r->s, r->x->call), list,
                        COUNT(list));
    struct buf what = BUF_INIT(0), text = BUF_INIT(0);
    for (size_t i = 0; i < n; i++)
        add_draw(r->s, &list[i], &what, &text);
    if (n) {
        bool seed = list[0].seed != 0;
        int64_t id = seed ? list[0].seed : list[0].sample;
        struct step *p = add(r, (struct step){
            .kind = N_("seeds"), .what = buf_take(&what),
            .title = xstrdup(_("SEEDS")), .text = buf_take(&text),
            .view = seed ? VIEW_SEEDS : VIEW_REVIEW, .object = id});
        snprintf(p->name, sizeof p->name, seed ? "s%lld" : "%lld",
                 (long long)id);
    }
    buf_free(&what);
    buf_free(&text);
}

static void read_recipe(struct reading *r)
{
    struct job j;
    if (!r->x->job || !job_get(r->s, r->x->job, &j, NULL))
        return;
    char *file = recipe_file(r->s, j.recipe);
    if (file)
        name(add(r, (struct step){
                        .kind = N_("recipe"), .at = j.started,
                        .what = xasprintf("%s %lld   j%lld", j.recipe_name,
                                          (long long)j.recipe_version,
                                          (long long)j.id),
                        .title = xstrdup(_("RECIPE")), .text = file,
                        .view = VIEW_RUNS, .object = 2 * j.id}),
             'j', j.id);
    job_free(&j);
}

/* How a reply ended, for people. */
static const char *how_ended(const char *finish)
{
    return !finish                    ? _("no word of how it ended")
           : !strcmp(finish, "stop")   ? _("finished")
           : !strcmp(finish, "length") ? _("cut off")
                                       : finish;
}

/* Where in a reply the sample's own item begins: its prompt's first line. */
static void mark_item(struct step *p, const struct sample *x)
{
    char *asked = prompt_text(x->prompt);
    asked[strcspn(asked, "\n")] = '\0';
    const char *at = *asked && p->text ? strstr(p->text, asked) : NULL;
    if (at) {
        p->item = x->item + 1;
        p->item_at = (size_t)(at - p->text);
    }
    free(asked);
}

static void read_reply(struct reading *r, const struct call *c)
{
    size_t size = 0;
    char *raw = text_get(r->s, c->reply_text, &size);
    char *body = text_get(r->s, c->answer_text, NULL);
    if (!raw && !body)
        return;
    struct step *p = add(r, (struct step){
        .kind = N_("reply"), .at = c->at,
        .title = xasprintf(_("REPLY of c%lld"), (long long)c->id),
        .under = xstrdup(body ? _("its text") : _("raw, as it came")),
        .text = body ? body : raw, .view = VIEW_RUNS, .object = 2 * c->job});
    name(p, 'c', c->id);
    if (c->id == r->x->call)
        mark_item(p, r->x);
    char bytes[32];
    lang_number(bytes, sizeof bytes, (double)size, 0);
    p->what = p->item ? xasprintf(_("%s bytes, %s; this is item %lld"), bytes,
                                  how_ended(c->finish), (long long)p->item)
                      : xasprintf(_("%s bytes, %s"), bytes,
                                  how_ended(c->finish));
    free(body ? raw : NULL);
}

static void read_asked(struct reading *r, const struct call *c)
{
    char cost[32], took[32];
    struct buf asked = BUF_INIT(0);
    char *chat = text_get(r->s, c->prompt_text, NULL);
    chat_to_people(chat, &asked);
    name(add(r, (struct step){
                    .kind = N_("call"), .at = c->at,
                    .what = xasprintf(
                        _("c%lld %s  %lld in  %lld out  %s  %s s"),
                        (long long)c->id, r->x->teacher ? r->x->teacher : "",
                        (long long)c->tokens_in, (long long)c->tokens_out,
                        lang_money(cost, sizeof cost, c->cost, 4),
                        lang_number(took, sizeof took, (double)c->ms / 1000,
                                    1)),
                    .title = xasprintf(_("CALL c%lld"), (long long)c->id),
                    .text = buf_take(&asked), .view = VIEW_RUNS,
                    .object = 2 * c->job}),
         'c', c->id);
    read_reply(r, c);
    free(chat);
    buf_free(&asked);
}

/* Rows of fields as a person reads them. */
static char *rows_to_people(const char *rows)
{
    struct buf b = BUF_INIT(0);
    json *j = rows ? json_parse(rows, strlen(rows), NULL) : NULL;
    for (const json *row = json_first(json_get(j, "rows")); row;
         row = json_next(row)) {
        buf_puts(&b, b.len ? "\n" : "");
        for (const json *f = json_first(row); f; f = json_next(f))
            buf_printf(&b, "%s: %s\n", json_key(f),
                       json_string(f) ? json_string(f) : "");
    }
    json_free(j);
    return buf_take(&b);
}

/* What no teacher was asked for: what came of it. */
static void read_worked(struct reading *r, const struct call *c,
                        const ids *parents)
{
    struct buf of = BUF_INIT(0);
    char *rows = text_get(r->s, c->answer_text, NULL);
    for (size_t i = 0; i < parents->n; i++)
        buf_printf(&of, " c%lld", (long long)parents->at[i]);
    name(add(r, (struct step){
                    .kind = N_("worked"), .at = c->at,
                    .what = xasprintf(_("c%lld, of%s"), (long long)c->id,
                                      buf_str(&of)),
                    .title = xasprintf(_("CALL c%lld"), (long long)c->id),
                    .text = rows_to_people(rows),
                    .view = VIEW_RUNS, .object = 2 * c->job}),
         'c', c->id);
    free(rows);
    buf_free(&of);
}

/* A call behind those that brought what it was made for, each once. */
static void read_call(struct reading *r, int64_t id)
{
    struct call c;
    ids parents = {0};
    for (size_t i = 0; i < r->told.n; i++)
        if (r->told.at[i] == id)
            return;
    if (!id || !call_get(r->s, id, &c, NULL))
        return;
    VEC_PUSH(&r->told, id);
    call_parents(&c, &parents);
    for (size_t i = 0; i < parents.n; i++)
        read_call(r, parents.at[i]);
    if (c.state == CALL_WORKED)
        read_worked(r, &c, &parents);
    else
        read_asked(r, &c);
    VEC_FREE(&parents);
    call_free(&c);
}

static void read_calls(struct reading *r)
{
    read_call(r, r->x->call);
    for (size_t i = 0; i < r->x->candidates.n; i++)
        read_call(r, r->x->candidates.at[i].call);
    VEC_FREE(&r->told);
}

static void read_checks(struct reading *r)
{
    const struct sample *x = r->x;
    struct buf b = BUF_INIT(0), fell = BUF_INIT(0);
    struct step p = {.kind = N_("checks")};
    size_t passed = 0;
    for (size_t i = 0; i < x->checks.n; i++) {
        const struct check_result *k = &x->checks.at[i].result;
        char near[32] = "";
        passed += k->verdict == VERDICT_PASS;
        if (k->verdict != VERDICT_PASS)
            buf_printf(&fell, "%s%s %.2f", fell.len ? ", " : "; ",
                       check_label(k->check), k->figure);
        if (k->against_seed || k->against_sample) {
            snprintf(near, sizeof near, k->against_seed ? "  s%lld" : "  %lld",
                     (long long)(k->against_seed ? k->against_seed
                                                 : k->against_sample));
            p.view = k->against_seed ? VIEW_SEEDS : VIEW_REVIEW;
            p.object = k->against_seed ? k->against_seed : k->against_sample;
        }
        buf_printf(&b, "%s %s  %s%.2f  %s %.2f%s\n", verdict_mark(k->verdict),
                   check_label(k->check), figure_mark(k->approximate),
                   k->figure, _("limit"), k->bound, near);
    }
    if (x->checks.n) {
        p.what = xasprintf(_("%zu passed of %zu%s"), passed, x->checks.n,
                           buf_str(&fell));
        p.title = xstrdup(_("CHECKS"));
        p.text = buf_take(&b);
        add(r, p);
    }
    buf_free(&fell);
    buf_free(&b);
}

/* ---- What was decided --------------------------------------------------- */

static const char *const field_labels[FIELD_COUNT] = {
    [FIELD_PROMPT] = N_("prompt"), [FIELD_ORDER] = N_("order"),
    [FIELD_TAG] = N_("tag"), [FIELD_NOTE] = N_("note"),
    [FIELD_TEXT] = N_("text")};

/* What a change of a text brought, or took where it brought none. */
static void put_text(struct reading *r, const struct change *c, struct buf *b)
{
    bool gone = !c->new_value;
    char *text = text_get(r->s, gone ? c->old : c->new_value, NULL);
    char *own = c->field == FIELD_PROMPT && text ? prompt_text(text) : NULL;
    const char *shown = own ? own : text ? text : "";
    buf_printf(b, gone ? _("%s taken away: %.*s") : "%s: %.*s",
               _(field_labels[c->field]), (int)strcspn(shown, "\n"), shown);
    free(own);
    free(text);
}

/* "pending to accepted", "answer 3", "tag: units". */
static void put_change(struct reading *r, const struct change *c,
                       struct buf *b)
{
    char old[24], now[24];
    int64_t n = 0;
    switch (c->field) {
    case FIELD_STATUS:
    case FIELD_SPLIT:
        buf_printf(b, _("%s to %s"), field_value(c->field, c->old, old),
                   field_value(c->field, c->new_value, now));
        break;
    case FIELD_CHOSEN:
        for (size_t i = 0; i < r->x->candidates.n; i++)
            if (r->x->candidates.at[i].id == c->new_value)
                n = r->x->candidates.at[i].n;
        if (n)
            buf_printf(b, _("answer %lld"), (long long)n);
        else
            buf_puts(b, c->new_value ? _("an answer chosen") : _("no answer"));
        break;
    case FIELD_RATING:
        buf_printf(b, _("rating %lld"), (long long)c->new_value);
        break;
    case FIELD_LIVE:
        buf_puts(b, c->new_value ? _("there again") : _("withdrawn"));
        break;
    case FIELD_PURGED: buf_puts(b, _("purged")); break;
    case FIELD_PROMPT:
    case FIELD_ORDER:
    case FIELD_TAG:
    case FIELD_NOTE:
    case FIELD_TEXT: put_text(r, c, b); break;
    case FIELD_COUNT: break;
    }
}

static const char *const object_labels[OBJECT_COUNT] = {
    [OBJECT_SAMPLE] = N_("sample"), [OBJECT_CANDIDATE] = N_("answer"),
    [OBJECT_SEED] = N_("seed"), [OBJECT_TARGET] = N_("target"),
    [OBJECT_JOB] = N_("job"), [OBJECT_TEXT] = N_("text")};

/* The row says what became of this sample, the text all that the decision
 * did, up to 200 changes. */
static void read_changes(struct reading *r, int64_t seq, struct buf *row,
                         struct buf *text)
{
    enum { MOST = 200 };
    change_list all = {0};
    if (!journal_changes(r->s, seq, &all, NULL))
        return;
    for (size_t i = 0; i < all.n; i++) {
        const struct change *c = &all.at[i];
        if (c->kind == OBJECT_SAMPLE && c->object == r->x->id) {
            buf_puts(row, row->len ? ", " : "");
            put_change(r, c, row);
        }
        if (i < MOST) {
            buf_printf(text, "%s %lld  ", _(object_labels[c->kind]),
                       (long long)c->object);
            put_change(r, c, text);
            buf_putc(text, '\n');
        }
    }
    if (all.n > MOST)
        buf_printf(text, P_("and %zu more", "and %zu more", all.n - MOST),
                   all.n - MOST);
    VEC_FREE(&all);
}

static void read_decisions(struct reading *r)
{
    enum { MOST = 100 };
    struct decision *list = xcalloc(MOST, sizeof *list);
    size_t n = journal_of(r->s, OBJECT_SAMPLE, r->x->id, list, MOST);
    for (size_t i = 0; i < n; i++) {
        const struct decision *d = &list[i];
        struct buf row = BUF_INIT(0), text = BUF_INIT(0);
        const char *why = reason_label(d->reason);
        read_changes(r, d->seq, &row, &text);
        name(add(r, (struct step){
                        .kind = N_("decision"), .at = d->at,
                        .what = xasprintf(
                            "d%lld %s   %s%s%s", (long long)d->seq, d->who,
                            row.len ? buf_str(&row) : deed_label(d->kind),
                            *why ? ": " : "", why),
                        .title = xasprintf(_("DECISION d%lld"),
                                           (long long)d->seq),
                        .under = xstrdup(deed_label(d->kind)),
                        .text = buf_take(&text)}),
             'd', d->seq);
        buf_free(&row);
        buf_free(&text);
    }
    free(list);
}

/* ---- Where it went ------------------------------------------------------ */

static void begin_owner(struct reading *r, const struct member *m)
{
    struct step p = {.what = xstrdup(""), .text = xstrdup("")};
    struct run run;
    struct export export;
    bool is_run = !strcmp(m->kind, "run");
    p.kind = is_run ? N_("run") : N_("export");
    name(&p, is_run ? 'r' : 'x', m->owner);
    p.title = xasprintf(is_run ? _("RUN %s") : _("EXPORT %s"), p.name);
    if (is_run && run_get(r->s, m->owner, &run, NULL)) {
        p.at = run.started;
        p.under = xstrdup(run.student);
        p.view = VIEW_RUNS;
        p.object = 2 * m->owner + 1;
        run_free(&run);
    } else if (!is_run && export_get(r->s, m->owner, &export, NULL)) {
        p.at = export.at;
        p.under = xstrdup(export.path);
        p.view = VIEW_EXPORT;
        export_free(&export);
    }
    add(r, p);
}

/* Enter goes to the first shape, in Export's order, in which it stands. */
static void note_shape(struct step *p, const char *name)
{
    enum shape shape;
    if (p->view == VIEW_EXPORT && shape_parse(name, &shape) &&
        (!p->object || (int64_t)shape < p->object))
        p->object = (int64_t)shape + 1;
}

/* One more row of the owner that the last step is of. */
static void take_member(void *ctx, const struct member *m)
{
    struct reading *r = ctx;
    struct lineage *l = r->to;
    int64_t n = 0;
    struct step *p = l->steps.n ? &l->steps.at[l->steps.n - 1] : NULL;
    char owner[24];
    snprintf(owner, sizeof owner, "%c%lld", *m->kind == 'r' ? 'r' : 'x',
             (long long)m->owner);
    if (!p || strcmp(p->name, owner))
        begin_owner(r, m);
    p = &l->steps.at[l->steps.n - 1];
    note_shape(p, m->shape);
    for (size_t i = 0; i < r->x->candidates.n; i++)
        if (r->x->candidates.at[i].id == m->candidate)
            n = r->x->candidates.at[i].n;
    char *was = p->what, *text = p->text;
    const char *split = split_name((enum split)m->split);
    char *row = *m->kind == 'r'
                    ? xasprintf(_("trained on answer %lld"), (long long)n)
                    : xasprintf(_("%s/%s.jsonl row %lld"), m->shape, split,
                                (long long)m->row);
    if (*m->kind == 'r' && m->split != SPLIT_TRAIN) {
        free(row);
        row = xasprintf(_("held out, answer %lld"), (long long)n);
    }
    p->what = *was ? xasprintf("%s; %s", was, row)
                   : xasprintf("%s   %s", p->name, row);
    p->text = xasprintf("%s%s\n", text, row);
    free(row);
    free(was);
    free(text);
}

void lineage_read(struct store *s, const struct sample *x, struct lineage *out)
{
    struct reading r = {.s = s, .x = x, .to = out};
    read_origin(&r);
    read_draws(&r);
    read_recipe(&r);
    read_calls(&r);
    read_checks(&r);
    read_decisions(&r);
    sample_members(s, x->id, take_member, &r, NULL);
}

void lineage_forget(struct lineage *l)
{
    for (size_t i = 0; i < l->steps.n; i++) {
        free(l->steps.at[i].what);
        free(l->steps.at[i].title);
        free(l->steps.at[i].under);
        free(l->steps.at[i].text);
    }
    VEC_FREE(&l->steps);
}
