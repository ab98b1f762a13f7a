/* Editing an answer or a prompt of Review: in an editor or where it stands; the
 * draft that comes of it, and what becomes of that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "store/draft.h"
#include "verbs/edit.h"

/* ---- What was refused --------------------------------------------------- */

static const char ASIDE[] = "text";

static bool holds(const struct aside *x, enum object kind, int64_t object)
{
    return x->text && x->kind == kind && x->object == object;
}

void edit_set_aside(struct app *a, enum object kind, int64_t object,
                    const char *text, const struct err *why)
{
    edit_forget(a, kind, object);
    if (!draft_put(a->s, a->who, kind, object, ASIDE, text, NULL)) {
        free(a->aside.text);
        a->aside = (struct aside){kind, object, xstrdup(text)};
    }
    app_wrong(a, _("your text is kept, the same key opens it: %s"),
              why->text);
}

char *edit_aside(struct app *a, enum object kind, int64_t object)
{
    return holds(&a->aside, kind, object)
               ? xstrdup(a->aside.text)
               : draft_get(a->s, a->who, kind, object, ASIDE);
}

void edit_forget(struct app *a, enum object kind, int64_t object)
{
    draft_drop(a->s, a->who, kind, object, ASIDE, NULL);
    if (holds(&a->aside, kind, object)) {
        free(a->aside.text);
        a->aside.text = NULL;
    }
}

/* ---- Answers and prompts ------------------------------------------------ */

/* As long as a draft is on the screen, what `a` would do is asked. */
void edit_ask(struct app *a)
{
    if (!a->review.draft || a->review.answer < 0)
        return;
    a->ask.kind = ASK_EDITED;
    snprintf(a->ask.text, sizeof a->ask.text,
             _("A draft of yours was kept for this answer."));
}

void edit_start(struct app *a, bool prompt)
{
    struct review_state *r = &a->review;
    if (!r->now.id || (!prompt && r->answer < 0))
        return;
    free(a->edit.text);
    a->edit.what = prompt ? EDIT_PROMPT : EDIT_ANSWER;
    if (prompt) {
        a->edit.text = edit_aside(a, OBJECT_SAMPLE, r->now.id);
        if (!a->edit.text)
            a->edit.text = prompt_text(r->now.prompt);
    } else {
        char *before;
        review_answer(a, &a->edit.text, &before);
        free(before);
    }
}

/* Typing where the answer stands. */
void edit_type(struct app *a)
{
    char *text, *before;
    if (!a->review.now.id || a->review.answer < 0)
        return;
    review_answer(a, &text, &before);
    area_open(&a->typing, text);
    a->said[0] = '\0';
    free(text);
    free(before);
    a->stale = STALE_PAINT;
}

void review_keep_draft(struct app *a)
{
    if (!a->typing.open || !a->typing.changed)
        return;
    a->typing.changed = !draft_put(a->s, a->who, OBJECT_SAMPLE,
                                   a->review.now.id, "answer",
                                   buf_str(&a->typing.text), NULL);
    a->data_version = store_data_version(a->s);
}

bool review_type_key(struct app *a, const char *key)
{
    a->stale = STALE_PAINT;
    a->said[0] = '\0';
    if (strcmp(key, "Esc"))
        return area_key(&a->typing, key);
    char *text = buf_take(&a->typing.text);
    area_close(&a->typing);
    a->edit.what = EDIT_ANSWER;
    review_edited(a, text);
    a->edit.what = EDIT_NOTHING;
    free(text);
    return true;
}

static int64_t shown_answer(const struct review_state *r)
{
    return r->answer >= 0 ? r->now.candidates.at[r->answer].id : 0;
}

static void prompt_edited(struct app *a, const char *text)
{
    struct review_state *r = &a->review;
    struct err e = {0};
    int64_t made = 0, id = r->now.id;
    char *was = prompt_text(r->now.prompt);
    bool same = !strcmp(was, text);
    free(was);
    if (!same && verb_edit_prompt(a->s, a->who, id, shown_answer(r), text,
                                  r->seen, &made, &e) > DECIDED_FOUND) {
        edit_set_aside(a, OBJECT_SAMPLE, id, text, &e);
    } else {
        edit_forget(a, OBJECT_SAMPLE, id);
        if (same)
            app_say(a, _("nothing was changed"));
        else
            app_say(a, _("%lld: its prompt was edited"), (long long)id);
    }
    review_refresh(a);
    app_load(a);
}

void review_edited(struct app *a, const char *text)
{
    struct review_state *r = &a->review;
    struct err e = {0};
    if (a->edit.what == EDIT_PROMPT) {
        prompt_edited(a, text);
        return;
    }
    char *was, *before;
    review_answer(a, &was, &before);
    bool same = !strcmp(was, text);
    free(was);
    free(before);
    if (same) {
        app_say(a, _("nothing was changed"));
        edit_ask(a);
        return;
    }
    bool kept = draft_put(a->s, a->who, OBJECT_SAMPLE, r->now.id, "answer",
                          text, &e);
    if (!r->draft)
        r->draft_of = shown_answer(r);
    free(r->draft);
    r->draft = xstrdup(text);
    a->ask.kind = ASK_EDITED;
    a->sight = SIGHT_NONE;
    a->read = false;
    r->scroll = 0;
    if (kept)
        snprintf(a->ask.text, sizeof a->ask.text,
                 _("Edit of answer %d saved as a draft. Edit over %d is a "
                   "pair."), r->answer + 1, r->answer + 1);
    else
        snprintf(a->ask.text, sizeof a->ask.text,
                 _("No draft of it could be saved: %.200s"), e.text);
}

/* What there is now, under the same draft of the same answer. */
static void load_under_draft(struct app *a)
{
    struct review_state *r = &a->review;
    int64_t of = r->draft_of;
    char *draft = xstrdup(r->draft);
    app_load(a);
    for (size_t i = 0; i < r->now.candidates.n; i++) {
        if (r->now.candidates.at[i].id != of)
            continue;
        r->answer = (int)i;
        r->draft_of = of;
    }
    free(r->draft);
    r->draft = draft;
}

/* Why the draft was not taken, and what there is now, with the draft. */
static void ask_again(struct app *a, enum decided how, const struct err *e)
{
    if (how == DECIDED_CONFLICT)
        load_under_draft(a);
    edit_ask(a);
    snprintf(a->ask.text, sizeof a->ask.text,
             how == DECIDED_UNKNOWN ? "%s" : _("not saved: %s"), e->text);
}

/* The draft becomes a candidate; with `accept` the sample is accepted. */
void edit_keep(struct app *a, bool accept)
{
    struct review_state *r = &a->review;
    struct err e = {0};
    int64_t made = 0, id = r->now.id;
    enum decided how = verb_edit_answer(a->s, a->who, id, r->draft_of,
                                        r->draft, r->seen, &made, &e);
    if (how > DECIDED_FOUND) {
        ask_again(a, how, &e);
        return;
    }
    draft_drop(a->s, a->who, OBJECT_SAMPLE, id, "answer", &e);
    review_refresh(a);
    app_load(a);
    if (accept)
        review_decide(a, STATUS_ACCEPTED, "");
    else
        app_did(a, _("%lld edited; it stays %s"), (long long)id,
                status_label(r->now.status));
}

void edit_drop(struct app *a)
{
    struct review_state *r = &a->review;
    draft_drop(a->s, a->who, OBJECT_SAMPLE, r->now.id, "answer", NULL);
    free(r->draft);
    r->draft = NULL;
    app_say(a, _("the edit was dropped"));
}
