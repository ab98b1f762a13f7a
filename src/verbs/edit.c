#include "verbs/edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "store/sample.h"
#include "store/text.h"
#include "verbs/checks.h"

static const struct candidate *find(const struct sample *x, int64_t id)
{
    for (size_t i = 0; i < x->candidates.n; i++)
        if (x->candidates.at[i].id == id)
            return &x->candidates.at[i];
    return NULL;
}

/* The parent's body with other words; the caller frees. */
static char *with_content(const char *body, const char *text, struct err *e)
{
    struct message m;
    struct buf b = BUF_INIT(0);
    if (!answer_parse(body, &m, e))
        return NULL;
    free(m.content);
    m.content = xstrdup(text);
    answer_print(&m, &b);
    message_free(&m);
    return buf_take(&b);
}

static bool add_checks(struct act *a, int64_t sample, int64_t candidate,
                       const struct check_list *l,
                       const struct check_input *in, struct err *e)
{
    struct check_result found[CHECK_COUNT];
    size_t n = checks_run(l, in, found);
    for (size_t i = 0; i < n; i++)
        if (!check_add(a, sample, candidate, &found[i], e))
            return false;
    return true;
}

/* Runs again what an edit can change: the checks of the new answer, and those
 * of the prompt where that is new too. */
static bool check_again(struct act *a, const struct sample *x,
                        int64_t candidate, bool new_prompt, const char *prompt,
                        const char *body, struct err *e)
{
    struct chat chat;
    struct message m;
    uint8_t hash[SHA_SIZE];
    struct check_list of_prompt, of_answer;
    if (!answer_parse(body, &m, e))
        return false;
    bool ok = chat_parse(x->prompt, &chat, e);
    if (ok)
        chat_hash(&chat, &m, hash);
    chat_free(&chat);
    struct same_query q = {.target = x->target, .hash = hash, .answer = &m,
                           .same = answers_same, .but = x->id};
    struct check_input in = {.prompt = prompt, .answer = answer_words(&m)};
    if (ok)
        candidate_same(a->s, &q, &in.same);
    struct check_input asked = {.prompt = prompt};
    checks_of_edit(a->s, x, &of_prompt, &of_answer);
    ok = ok && (!new_prompt ||
                add_checks(a, x->id, 0, &of_prompt, &asked, e)) &&
         add_checks(a, x->id, candidate, &of_answer, &in, e);
    message_free(&m);
    return ok;
}

/* Adds the edited candidate and makes it the chosen one. */
static bool add_edit(struct act *a, const struct sample *x,
                     const struct candidate_new *n, bool new_prompt,
                     int64_t *id, struct err *e)
{
    char *prompt = prompt_text(x->prompt);
    *id = candidate_add(a, n, e);
    bool ok = *id && sample_index(a, x->id, e) &&
              act_change(a, OBJECT_SAMPLE, x->id, FIELD_CHOSEN, *id, e) &&
              check_again(a, x, *id, new_prompt, prompt, n->body, e);
    free(prompt);
    return ok;
}

static enum decided commit(struct act *a, bool ok, struct err *e)
{
    if (!ok) {
        act_cancel(a);
        return DECIDED_NOT;
    }
    return decided_of(act_commit(a, e));
}

/* DECIDED where the act is open. */
static enum decided begin(struct store *s, struct act *a, const char *who,
                          int64_t sample, int64_t base_seq, struct err *e)
{
    struct other o;
    if (!act_begin(s, a, "edit", who, "", base_seq, e))
        return DECIDED_NOT;
    if (decide_is_first(a, sample, &o, e))
        return DECIDED;
    act_cancel(a);
    return DECIDED_CONFLICT;
}

enum decided verb_edit_answer(struct store *s, const char *who,
                              int64_t sample, int64_t parent,
                              const char *text, int64_t base_seq,
                              int64_t *candidate, struct err *e)
{
    struct act a = {0};
    struct sample x;
    if (!sample_get(s, sample, &x, e))
        return DECIDED_NOT;
    const struct candidate *from = find(&x, parent);
    char *body = from ? with_content(from->body, text, e) : NULL;
    if (!from)
        err_set(e, ERR_ABSENT, _("sample %lld has no such answer"),
                (long long)sample);
    enum decided out = body ? begin(s, &a, who, sample, base_seq, e)
                            : DECIDED_NOT;
    if (out == DECIDED) {
        struct candidate_new n = {.sample = sample, .parent = parent,
                                  .source = SOURCE_HUMAN, .who = who,
                                  .body = body};
        bool ok = sample_unindex(&a, sample, e) &&
                  add_edit(&a, &x, &n, false, candidate, e);
        out = commit(&a, ok, e);
    }
    free(body);
    sample_free(&x);
    return out;
}

/* The sample's prompt with another last user message, as a text's id. */
static int64_t put_prompt(struct store *s, const struct sample *x,
                          const char *text, char **messages, struct err *e)
{
    struct chat c;
    struct buf b = BUF_INIT(0);
    if (!chat_parse(x->prompt, &c, e))
        return 0;
    for (size_t i = c.n; i > 0; i--) {
        if (c.at[i - 1].role != ROLE_USER)
            continue;
        free(c.at[i - 1].content);
        c.at[i - 1].content = xstrdup(text);
        break;
    }
    chat_print(&c, &b);
    chat_free(&c);
    *messages = buf_take(&b);
    return text_puts(s, *messages, e);
}

enum decided verb_edit_prompt(struct store *s, const char *who,
                              int64_t sample, int64_t shown,
                              const char *text, int64_t base_seq,
                              int64_t *candidate, struct err *e)
{
    struct act a = {0};
    struct sample x;
    char *messages = NULL;
    if (!sample_get(s, sample, &x, e))
        return DECIDED_NOT;
    const struct candidate *from = find(&x, shown);
    enum decided out = DECIDED_NOT;
    if (!text[strspn(text, " \t\n")])
        err_set(e, ERR_REFUSED, _("a prompt cannot be empty"));
    else
        out = begin(s, &a, who, sample, base_seq, e);
    if (out == DECIDED) {
        int64_t prompt = put_prompt(s, &x, text, &messages, e);
        bool ok = prompt && act_change(&a, OBJECT_SAMPLE, sample,
                                       FIELD_PROMPT, prompt, e);
        if (ok && from) {
            struct candidate_new n = {.sample = sample, .parent = shown,
                                      .source = SOURCE_HUMAN, .who = who,
                                      .body = from->body};
            free(x.prompt);
            x.prompt = messages;
            messages = NULL;
            ok = sample_unindex(&a, sample, e) &&
                 add_edit(&a, &x, &n, true, candidate, e);
        }
        out = commit(&a, ok, e);
    }
    free(messages);
    sample_free(&x);
    return out;
}
