/* The Review view: the queue, the sample under the cursor, and what is
 * decided about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/app.h"
#include "app/lineage.h"
#include "base/clock.h"
#include "base/lang.h"
#include "base/proc.h"
#include "store/draft.h"

static void forget(struct review_state *r)
{
    sample_free(&r->now);
    free(r->near_text);
    free(r->draft);
    free(r->from);
    r->near_text = r->draft = r->from = NULL;
    r->answer = 0;
    r->scroll = 0;
    r->focus_prompt = r->against_answer = false;
}

/* When today began here, in ms since 1970. */
static int64_t midnight(void)
{
    time_t now = (time_t)(clock_now() / 1000);
    struct tm day;
    localtime_r(&now, &day);
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    day.tm_isdst = -1;
    return (int64_t)mktime(&day) * 1000;
}

void review_count_today(struct app *a)
{
    a->review.today = journal_count_since(a->s, a->who, midnight());
}

void review_open(struct app *a)
{
    struct review_state *r = &a->review;
    r->queue = (struct queue){a, false};
    list_open(&r->list, &queue_source, &r->queue);
    review_count_today(a);
}

static void forget_shown(struct review_state *r)
{
    for (size_t i = 0; i < r->shown.n; i++)
        free(r->shown.at[i].first_line);
    r->shown.n = 0;
}

void review_show(struct app *a, size_t from, size_t n)
{
    struct review_state *r = &a->review;
    forget_shown(r);
    for (size_t i = from; i < from + n; i++) {
        struct sample_row x = {0};
        sample_row_get(a->s, list_at(&r->list, i), &x);
        VEC_PUSH(&r->shown, x);
    }
}

/* What was decided keeps its row as long as the queue is open, and so does
 * the sample on the screen, whoever decided it. */
void review_refresh(struct app *a)
{
    struct review_state *r = &a->review;
    queue_refresh(&r->queue, &r->list, r->now.id);
    bool apart = list_id(&r->list) != r->now.id;
    if (apart && r->now.id && list_go(&r->list, r->now.id))
        apart = false;
    if (apart && a->view == VIEW_REVIEW)
        app_load(a);
}

/* The neighbour of the near check (or of duplicate): its prompt and name. */
static void load_near(struct app *a)
{
    struct review_state *r = &a->review;
    for (size_t i = 0; i < r->now.checks.n; i++) {
        const struct check_result *c = &r->now.checks.at[i].result;
        if (r->near_text || (!c->against_seed && !c->against_sample))
            continue;
        struct seed seed;
        struct sample other;
        if (c->against_seed && seed_get(a->s, c->against_seed, &seed, NULL)) {
            r->near_text = prompt_text(seed.prompt);
            r->near_what = _("seed");
            snprintf(r->near_name, sizeof r->near_name, "s%lld",
                     (long long)seed.id);
            seed_free(&seed);
        } else if (sample_get(a->s, c->against_sample, &other, NULL)) {
            r->near_text = prompt_text(other.prompt);
            r->near_what = status_label(other.status);
            snprintf(r->near_name, sizeof r->near_name, "%lld",
                     (long long)other.id);
            sample_free(&other);
        }
    }
}

void review_load(struct app *a)
{
    struct review_state *r = &a->review;
    struct err e = {0};
    forget(r);
    int64_t id = list_id(&r->list);
    r->seen = store_seq(a->s);
    if (!id)
        return;
    if (!sample_get(a->s, id, &r->now, &e)) {
        app_say_err(a, &e);
        return;
    }
    r->answer = sample_opens_with(&r->now);
    r->from = lineage_summary(a, &r->now);
    load_near(a);
    r->draft = draft_get(a->s, a->who, OBJECT_SAMPLE, id, "answer");
    if (r->draft && r->answer >= 0)
        r->draft_of = r->now.candidates.at[r->answer].id;
    edit_ask(a);
}

void review_done(struct app *a)
{
    forget(&a->review);
    forget_shown(&a->review);
    VEC_FREE(&a->review.shown);
    VEC_FREE(&a->review.own);
    bulk_done(a);
    list_free(&a->review.list);
    free(a->review.filter);
}

void review_answer(const struct app *a, char **text, char **before)
{
    const struct review_state *r = &a->review;
    const struct candidate *c =
        r->answer >= 0 && r->now.candidates.n
            ? &r->now.candidates.at[r->answer]
            : NULL;
    *before = NULL;
    if (!c) {
        *text = xstrdup("");
        return;
    }
    *text = answer_text(c->body);
    if (r->draft) {
        *before = *text;
        *text = xstrdup(r->draft);
        return;
    }
    for (size_t i = 0; i < r->now.candidates.n; i++) {
        const struct candidate *p = &r->now.candidates.at[i];
        bool earlier = r->against_answer && (int)i == r->answer - 1;
        if (p->id == c->parent || (earlier && !c->parent)) {
            free(*before);
            *before = answer_text(p->body);
        }
    }
    if (c->parent && !r->against_answer) {
        free(*before);
        *before = NULL;
    }
}

/* ---- Deciding ----------------------------------------------------------- */

static const char *verb_flag(enum status to)
{
    static const char *const flags[] = {"reopen", "accept", "reject",
                                        "defer"};
    return flags[to];
}

/* What is said of a text that was accepted without its end having been seen,
 * where that is only marked. */
static const char *unread_mark(const struct app *a, enum status to)
{
    bool marked = a->options.value[OPTION_UNREAD] == UNREAD_MARK;
    return marked && to == STATUS_ACCEPTED && !a->read
               ? _(", not read to its end")
               : "";
}

/* What was done, on row 23, with the command that does the same. */
static void say_decided(struct app *a, int64_t id, enum status to,
                        const char *reason, enum decided how, int64_t seq)
{
    if (how == DECIDED_FOUND) {
        app_say(a, _("%lld: the disk reported an error; looked up by its own "
                     "id: saved as d%lld"), (long long)id, (long long)seq);
        return;
    }
    if (to == STATUS_REJECTED && *reason)
        app_did(a, "%s %lld %s: %s", status_mark(to), (long long)id,
                status_label(to), reason_label(reason));
    else
        app_did(a, "%s %lld %s%s", status_mark(to), (long long)id,
                status_label(to), unread_mark(a, to));
    struct message_line *m = &a->messages.at[a->messages.n - 1];
    char *why = proc_quote(reason);
    m->command = xasprintf("stillroom review --%s %lld%s%s", verb_flag(to),
                           (long long)id, *reason ? " --reason " : "",
                           *reason ? why : "");
    free(why);
}

/* Whether it is one of Rank's while it is pending. */
static bool is_scored(const struct sample *x)
{
    bool judged = false;
    for (size_t i = 0; i < x->scores.n; i++)
        judged = judged || x->scores.at[i].judged;
    return judged && !*x->order;
}

static void count_decision(struct app *a, enum status was, enum status to)
{
    struct review_state *r = &a->review;
    int64_t *n[] = {&a->counts.pending, &a->counts.accepted,
                    &a->counts.rejected, &a->counts.deferred};
    --*n[was];
    ++*n[to];
    if (is_scored(&r->now))
        a->counts.to_rank += (to == STATUS_PENDING) - (was == STATUS_PENDING);
    r->today++;
    r->last_at = clock_mono();
    if (!r->since++)
        r->first_at = r->last_at;
    a->data_version = store_data_version(a->s);
}

void review_decide(struct app *a, enum status to, const char *reason)
{
    struct review_state *r = &a->review;
    struct other o = {0};
    struct err e = {0};
    int64_t id = r->now.id, seq = 0;
    if (!id)
        return;
    struct decide d = {a->who, to, reason, r->seen, 0, 0};
    if (to == STATUS_ACCEPTED && r->answer >= 0 && r->now.candidates.n)
        d.candidate = r->now.candidates.at[r->answer].id;
    enum decided how = verb_decide(a->s, &d, id, &o, &seq, &e);
    r->last = d;
    snprintf(r->last_reason, sizeof r->last_reason, "%s", reason);
    r->last.reason = r->last_reason;
    if (how == DECIDED_CONFLICT) {
        a->ask.kind = ASK_CONFLICT;
        a->sight = SIGHT_NONE;
        snprintf(a->ask.text, sizeof a->ask.text,
                 _("%lld: %s decided first (%s%s%s). You chose %s. Both stay "
                   "on record."), (long long)id, other_name(&o, a->who),
                 deed_label(o.kind), *o.reason ? " " : "",
                 reason_label(o.reason), deed_label(verb_flag(to)));
        return;
    }
    if (how == DECIDED_NOT || how == DECIDED_UNKNOWN) {
        app_wrong(a, how == DECIDED_NOT ? _("not saved: %s") : "%s", e.text);
        return;
    }
    r->has_last = true;
    count_decision(a, r->now.status, to);
    say_decided(a, id, to, reason, how, seq);
    list_keep(&r->list, id, !queue_has(&r->queue, id));
    list_move(&r->list, 1);
    app_load(a);
}

static bool is_unread(struct app *a);

static void again(struct app *a, const char *args)
{
    (void)args;
    struct review_state *r = &a->review;
    if (!r->has_last) {
        app_say(a, _("nothing was decided yet in this session"));
        return;
    }
    char reason[64];
    snprintf(reason, sizeof reason, "%s", r->last_reason);
    if (r->last.to != STATUS_ACCEPTED || !is_unread(a))
        review_decide(a, r->last.to, reason);
}

/* ---- One, or many ------------------------------------------------------- */

/* Whether to ask before a text is accepted whose end nobody has seen. */
static bool is_unread(struct app *a)
{
    if (a->read || !a->review.now.id ||
        a->options.value[OPTION_UNREAD] != UNREAD_ASK)
        return false;
    a->ask.kind = ASK_UNREAD;
    a->sight = SIGHT_NONE;
    snprintf(a->ask.text, sizeof a->ask.text,
             _("Not read to the end. Y accepts it as it is."));
    return true;
}

static void start(struct app *a, enum status to, const char *reason)
{
    if (to == STATUS_REJECTED)
        reasons_learn(a, reason);
    if (to == STATUS_REJECTED && *reason)
        snprintf(a->review.why, sizeof a->review.why, "%s", reason);
    if (list_selected_count(&a->review.list))
        bulk_start(a, to, reason);
    else if (to != STATUS_ACCEPTED || !is_unread(a))
        review_decide(a, to, reason);
}

static void ask_reason(struct app *a)
{
    struct review_state *r = &a->review;
    size_t n = list_selected_count(&r->list);
    char count[32];
    if (!r->now.id)
        return;
    reasons_read(a);
    a->ask.kind = ASK_REASON;
    if (n)
        snprintf(a->ask.text, sizeof a->ask.text, _("Reject %s?"),
                 lang_number(count, sizeof count, (double)n, 0));
    else
        snprintf(a->ask.text, sizeof a->ask.text, _("Reject %lld?"),
                 (long long)r->now.id);
    a->stale = STALE_PAINT;
}

/* ---- Questions ---------------------------------------------------------- */

static bool reason_key(struct app *a, const char *key)
{
    struct reason own;
    if (!strcmp(key, "+")) {
        a->ask.kind = ASK_NOTHING;
        line_open(&a->line, LINE_REASON, "");
        return true;
    }
    if (!strcmp(key, "Esc") || !strcmp(key, "q")) {
        a->ask.kind = ASK_NOTHING;
        a->said[0] = '\0';
        return true;
    }
    const char *reason = !strcmp(key, "x") ? "" : NULL;
    if (!strcmp(key, ".") && *a->review.why)
        reason = a->review.why;
    for (size_t i = 0; !reason && reason_at(a, i, &own); i++)
        if (key[0] == own.key && !key[1])
            reason = own.name;
    if (!reason)
        return false;
    char copy[64];
    snprintf(copy, sizeof copy, "%s", reason);
    a->ask.kind = ASK_NOTHING;
    start(a, STATUS_REJECTED, copy);
    return true;
}

static void keep_and_accept(struct app *a)
{
    if (!is_unread(a))
        edit_keep(a, true);
}
static void keep_only(struct app *a) { edit_keep(a, false); }
static void edit_on(struct app *a) { edit_start(a, false); }

/* The question behind an edit: its keys, and what each does. */
static bool edited_key(struct app *a, const char *key)
{
    static const struct {
        const char *key;
        void (*act)(struct app *a);
    } acts[] = {{"a", keep_and_accept}, {"Space", keep_only},
                {"e", edit_on},         {"i", edit_type},
                {"u", edit_drop}};
    for (size_t i = 0; i < COUNT(acts); i++) {
        if (strcmp(acts[i].key, key))
            continue;
        a->ask.kind = ASK_NOTHING;
        acts[i].act(a);
        return true;
    }
    return false;
}

/* The answer that was on the screen, among those that there are now. */
static bool find_answer(struct review_state *r, int64_t candidate)
{
    for (size_t i = 0; i < r->now.candidates.n; i++) {
        if (r->now.candidates.at[i].id != candidate)
            continue;
        r->answer = (int)i;
        return true;
    }
    return false;
}

/* Mine: of an acceptance the answer that was accepted, not the one that came
 * first. */
static bool conflict_key(struct app *a, const char *key)
{
    struct review_state *r = &a->review;
    bool mine = !strcmp(key, "Y");
    if (!mine && strcmp(key, "n") && strcmp(key, "Esc"))
        return false;
    a->ask.kind = ASK_NOTHING;
    char reason[64];
    snprintf(reason, sizeof reason, "%s", r->last_reason);
    enum status to = r->last.to;
    app_load(a); /* sees the other's decision: seen moves on */
    if (mine && to == STATUS_ACCEPTED && !find_answer(r, r->last.candidate))
        app_say(a, _("its prompt was edited: this is what there is now"));
    else if (mine)
        review_decide(a, to, reason);
    return true;
}

static bool unread_key(struct app *a, const char *key)
{
    bool yes = !strcmp(key, "Y");
    if (!yes && strcmp(key, "n") && strcmp(key, "Esc"))
        return false;
    a->ask.kind = ASK_NOTHING;
    a->read = a->read || yes;
    if (yes && a->review.draft)
        edit_keep(a, true);
    else if (yes)
        review_decide(a, STATUS_ACCEPTED, "");
    else
        edit_ask(a);
    return true;
}

bool review_ask_key(struct app *a, const char *key)
{
    bool taken = false;
    switch (a->ask.kind) {
    case ASK_REASON: taken = reason_key(a, key); break;
    case ASK_EDITED: taken = edited_key(a, key); break;
    case ASK_CONFLICT: taken = conflict_key(a, key); break;
    case ASK_BULK: taken = bulk_key(a, key); break;
    case ASK_REPLACE: taken = export_replace_key(a, key); break;
    case ASK_UNREAD: taken = unread_key(a, key); break;
    case ASK_ORDER: taken = rank_order_key(a, key); break;
    case ASK_NOTHING: break;
    }
    if (!taken && !strcmp(key, "Q")) {
        a->quit = true;
        taken = true;
    }
    a->stale = taken ? STALE_PAINT : a->stale;
    return taken;
}

/* ---- The rest ----------------------------------------------------------- */

static void set_filter(struct app *a, const char *text)
{
    struct review_state *r = &a->review;
    struct filter f;
    struct err e = {0};
    if (!filter_parse(text, &f, &e)) {
        app_say_err(a, &e);
        return;
    }
    filter_free(&f);
    free(r->filter);
    r->filter = *text ? xstrdup(text) : NULL;
    r->list.cursor = 0;
    list_free(&r->list);
    app_open(a, VIEW_REVIEW);
    a->said[0] = '\0';
}

/* The shown candidate, 0 for none. */
static int64_t shown_answer(const struct review_state *r)
{
    size_t i = (size_t)r->answer;
    return r->answer >= 0 && i < r->now.candidates.n
               ? r->now.candidates.at[i].id
               : 0;
}

void review_reload(struct app *a)
{
    struct review_state *r = &a->review, was = *r;
    int64_t answer = shown_answer(r);
    bool read = a->read;
    app_load(a);
    if (r->now.id != was.now.id || r->now.prompt_text != was.now.prompt_text)
        return;
    r->answer = was.answer;
    if (shown_answer(r) != answer) {
        r->answer = sample_opens_with(&r->now);
        return;
    }
    a->read = read;
    r->scroll = was.scroll;
    r->focus_prompt = was.focus_prompt;
    r->against_answer = was.against_answer;
}

void review_undone(struct app *a, int64_t sample)
{
    struct review_state *r = &a->review;
    list_keep(&r->list, sample, !queue_has(&r->queue, sample));
    review_refresh(a);
    list_go(&r->list, sample);
    app_load(a);
}

char *review_text(struct app *a)
{
    char *text = NULL, *before = NULL;
    if (a->review.now.id)
        review_answer(a, &text, &before);
    free(before);
    return text;
}

char *review_row_text(struct app *a, int64_t id)
{
    struct sample_row r;
    return sample_row_get(a->s, id, &r) ? r.first_line : xstrdup("");
}

static void other_answer(struct app *a, int by)
{
    struct review_state *r = &a->review;
    int n = (int)r->now.candidates.n;
    if (n < 2)
        return;
    r->answer = (r->answer + by + n) % n;
    r->scroll = 0;
    a->sight = SIGHT_NONE;
    a->read = false;
    a->stale = STALE_PAINT;
}

static void accept(struct app *a, const char *args)
{
    (void)args;
    start(a, STATUS_ACCEPTED, "");
}

static void reject(struct app *a, const char *reason)
{
    if (*reason)
        start(a, STATUS_REJECTED, reason);
    else
        ask_reason(a);
}

static void defer(struct app *a, const char *args)
{
    (void)args;
    start(a, STATUS_DEFERRED, "");
}

static void edit(struct app *a, const char *args)
{
    edit_start(a, a->review.focus_prompt || !strcmp(args, "prompt"));
}

static void type(struct app *a, const char *args)
{
    (void)args;
    edit_type(a);
}

static void answer_before(struct app *a, const char *args)
{
    (void)args;
    other_answer(a, -1);
}

static void answer_behind(struct app *a, const char *args)
{
    (void)args;
    other_answer(a, 1);
}

/* Whether there is an answer that the shown one is compared with. */
static bool has_before(const struct app *a)
{
    const struct review_state *r = &a->review;
    return r->answer > 0 ||
           (r->answer == 0 && r->now.candidates.n &&
            r->now.candidates.at[0].parent);
}

static void turn_diff(struct app *a, const char *args)
{
    (void)args;
    if (has_before(a))
        a->review.against_answer = !a->review.against_answer;
    else
        app_say(a, _("the nearest is compared below; no answer is before "
                     "this one"));
}

static void turn_thinking(struct app *a, const char *args)
{
    (void)args;
    a->review.thinking = !a->review.thinking;
}

static void unfilter(struct app *a, const char *args)
{
    (void)args;
    set_filter(a, "");
}

/* Why nothing can be done with the sample: there is none. */
static const char *no_sample(const struct app *a)
{
    return a->review.now.id ? NULL : _("there is no sample here");
}

static const char *alone(const struct app *a)
{
    if (no_sample(a) || has_before(a) || a->review.near_text)
        return no_sample(a);
    return _("there is nothing to compare it with");
}

static const char *one_answer(const struct app *a)
{
    return a->review.now.candidates.n > 1 ? NULL
                                          : _("there is no other answer");
}

const struct deed review_deeds[] = {
    {.act = ACT_ACCEPT,
     .fn = accept,
     .why_not = no_sample,
     .decides = true},
    {.act = ACT_REJECT,
     .fn = reject,
     .complete = complete_reasons,
     .why_not = no_sample,
     .decides = true},
    {.act = ACT_DEFER,
     .fn = defer,
     .why_not = no_sample,
     .decides = true},
    {.act = ACT_AGAIN, .fn = again, .decides = true},
    {.act = ACT_EDIT,
     .fn = edit,
     .why_not = no_sample},
    {.act = ACT_TYPE,
     .fn = type,
     .why_not = no_sample},
    {.act = ACT_PREV_PART,
     .fn = answer_before,
     .why_not = one_answer},
    {.act = ACT_NEXT_PART,
     .fn = answer_behind,
     .why_not = one_answer},
    {.act = ACT_DIFF,
     .fn = turn_diff,
     .why_not = alone},
    {.act = ACT_THINKING,
     .fn = turn_thinking,
     .why_not = no_sample},
    {.act = ACT_FILTER, .fn = set_filter, .prompt = LINE_FILTER},
    {.act = ACT_UNFILTER, .fn = unfilter},
    {.act = ACT_TAG,
     .fn = marks_tag,
     .why_not = no_sample,
     .prompt = LINE_TAG},
    {.act = ACT_NOTE,
     .fn = marks_note,
     .why_not = no_sample,
     .prompt = LINE_NOTE},
    {.act = ACT_RATE,
     .fn = marks_rate,
     .why_not = no_sample,
     .prompt = LINE_RATE},
    {0}};

int64_t review_count(const struct app *a)
{
    return a->counts.pending;
}
