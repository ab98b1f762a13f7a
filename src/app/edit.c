/* Editing an answer or a prompt of Review: in an editor or where it stands; the
 * draft that comes of it, and what becomes of that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "store/draft.h"
#include "verbs/edit.h"

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
    free(text);
    free(before);
    a->stale = STALE_PAINT;
}

void review_keep_draft(struct app *a)
{
    if (!a->typing.open || !a->typing.changed)
        return;
    draft_put(a->s, a->who, OBJECT_SAMPLE, a->review.now.id, "answer",
              buf_str(&a->typing.text), NULL);
    a->typing.changed = false;
    a->data_version = store_data_version(a->s);
}

bool review_type_key(struct app *a, const char *key)
{
    a->stale = STALE_PAINT;
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

void review_edited(struct app *a, const char *text)
{
    struct review_state *r = &a->review;
    struct err e = {0};
    int64_t made = 0, shown = r->answer >= 0
                                  ? r->now.candidates.at[r->answer].id
                                  : 0;
    if (a->edit.what == EDIT_PROMPT) {
        char *was = prompt_text(r->now.prompt);
        bool same = !strcmp(was, text);
        free(was);
        if (same)
            app_say(a, _("nothing was changed"));
        else if (verb_edit_prompt(a->s, a->who, r->now.id, shown, text, &made,
                                  &e) > DECIDED_FOUND)
            app_say_err(a, &e);
        else
            app_say(a, _("%lld: its prompt was edited"),
                    (long long)r->now.id);
        app_load(a);
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
    if (!draft_put(a->s, a->who, OBJECT_SAMPLE, r->now.id, "answer", text,
                   &e)) {
        app_say_err(a, &e);
        return;
    }
    if (!r->draft)
        r->draft_of = shown;
    free(r->draft);
    r->draft = xstrdup(text);
    a->ask.kind = ASK_EDITED;
    a->sight = SIGHT_NONE;
    a->read = false;
    r->scroll = 0;
    snprintf(a->ask.text, sizeof a->ask.text,
             _("Edit of answer %d saved as a draft. Edit over %d is a pair."),
             r->answer + 1, r->answer + 1);
}

/* The draft becomes a candidate; with `accept` the sample is accepted. */
void edit_keep(struct app *a, bool accept)
{
    struct review_state *r = &a->review;
    struct err e = {0};
    int64_t made = 0, id = r->now.id;
    if (verb_edit_answer(a->s, a->who, id, r->draft_of, r->draft, &made,
                         &e) > DECIDED_FOUND) {
        app_say(a, _("not saved: %s"), e.text);
        return;
    }
    draft_drop(a->s, a->who, OBJECT_SAMPLE, id, "answer", &e);
    app_load(a);
    if (accept)
        review_decide(a, STATUS_ACCEPTED, "");
    else
        app_say(a, _("%lld edited; it stays %s"), (long long)id,
                status_label(r->now.status));
    a->said_undo = true;
}

void edit_drop(struct app *a)
{
    struct review_state *r = &a->review;
    draft_drop(a->s, a->who, OBJECT_SAMPLE, r->now.id, "answer", NULL);
    free(r->draft);
    r->draft = NULL;
    app_say(a, _("the edit was dropped"));
}
