/* Tags, notes and ratings, on the sample or seed under the cursor or on all
 * that are selected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "store/tags.h"

static enum object kind_here(const struct app *a)
{
    return a->view == VIEW_SEEDS ? OBJECT_SEED : OBJECT_SAMPLE;
}

/* ---- Tags --------------------------------------------------------------- */

/* What was typed: names between blanks, one with blanks in quotes, - in front
 * of one that goes. Cuts `text` up; returns how many there are, at most one for
 * each two bytes and one more. */
static size_t read_tags(char *text, struct tagging *out)
{
    size_t n = 0;
    while (*(text += strspn(text, " "))) {
        bool off = *text == '-' && text[1] && text[1] != ' ';
        text += off;
        bool quoted = *text == '"';
        text += quoted;
        out[n] = (struct tagging){text, !off};
        text += strcspn(text, quoted ? "\"" : " ");
        if (*text)
            *text++ = '\0';
        n += *out[n].name != '\0';
    }
    return n;
}

static ids marked(struct app *a)
{
    struct list *l = app_list(a);
    ids out = {0};
    if (list_selected_count(l))
        list_selected_ids(l, &out);
    else if (list_id(l))
        VEC_PUSH(&out, list_id(l));
    return out;
}

static void say_tagged(struct app *a, const char *what, bool off, size_t n)
{
    if (kind_here(a) == OBJECT_SEED)
        app_did(a, off ? P_("tag %s taken from %zu seed",
                            "tag %s taken from %zu seeds", n)
                       : P_("tag %s on %zu seed", "tag %s on %zu seeds", n),
                what, n);
    else
        app_did(a, off ? P_("tag %s taken from %zu sample",
                            "tag %s taken from %zu samples", n)
                       : P_("tag %s on %zu sample", "tag %s on %zu samples",
                            n), what, n);
}

/* The item anew; the filter may name what was marked. */
static void show_marked(struct app *a)
{
    view_of(a->view)->refresh(a);
    if (a->view == VIEW_REVIEW)
        review_reload(a);
    else
        app_load(a);
}

void marks_tag(struct app *a, const char *text)
{
    struct tagging *tags = xcalloc(strlen(text) / 2 + 2, sizeof *tags);
    struct err e = {0};
    char *words = xstrdup(text);
    ids which = marked(a);
    size_t n = read_tags(words, tags);
    int64_t changed = 0;
    bool off = n == 1 && !tags[0].on;
    if (n && verb_tag(a->s, a->who, kind_here(a), &which, tags, n, &changed,
                      &e) > DECIDED_FOUND)
        app_say_err(a, &e);
    else if (!changed)
        app_say(a, _("nothing was changed"));
    else
        say_tagged(a, n == 1 ? tags[0].name : text, off, which.n);
    show_marked(a);
    VEC_FREE(&which);
    free(words);
    free(tags);
}

/* ---- Notes and ratings -------------------------------------------------- */

void marks_note(struct app *a, const char *text)
{
    struct err e = {0};
    int64_t id = list_id(app_list(a));
    char *was = note_of(a->s, kind_here(a), id);
    if (!strcmp(was ? was : "", text))
        app_say(a, _("nothing was changed"));
    else if (verb_note(a->s, a->who, kind_here(a), id, text, &e) >
             DECIDED_FOUND)
        app_say_err(a, &e);
    else
        app_did(a, *text ? _("noted") : _("the note is gone"));
    show_marked(a);
    free(was);
}

void marks_rate(struct app *a, const char *text)
{
    struct err e = {0};
    int64_t id = list_id(app_list(a));
    int v = atoi(text);
    if (v < 0 || v > 5 || (!v && *text && strcmp(text, "0"))) {
        app_wrong(a, _("a rating is 1 to 5; 0 takes it away"));
        return;
    }
    if (rating_of(a->s, kind_here(a), id) == v)
        app_say(a, _("nothing was changed"));
    else if (verb_rate(a->s, a->who, kind_here(a), id, v, &e) > DECIDED_FOUND)
        app_say_err(a, &e);
    else if (v)
        app_did(a, _("%lld rated %d"), (long long)id, v);
    else
        app_did(a, _("%lld is not rated any more"), (long long)id);
    show_marked(a);
}
