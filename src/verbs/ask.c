#include "verbs/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/paths.h"
#include "base/proc.h"
#include "domain/chat.h"
#include "domain/thought.h"
#include "jobs/env.h"
#include "store/job.h"
#include "verbs/send.h"
#include "verbs/train.h"

#define ANSWER_TOKENS 512

/* ---- A teacher ---------------------------------------------------------- */

/* The answer without what was thought; thinking alone is none. */
static void take_answer(struct called *out, const struct choice *c)
{
    char *thought, *text = thought_part(c->answer.content, &thought);
    free(thought);
    if (text[strspn(text, " \t\r\n")]) {
        out->text = text;
        return;
    }
    free(text);
    out->error = !strcmp(c->finish, "tool_calls")
                     ? xstrdup(_("the reply only calls tools, without an "
                                 "answer"))
                     : xasprintf(_("the reply is only thinking, without an "
                                   "answer (it ended with \"%s\")"),
                                 c->finish);
}

static void on_called(void *ctx, const struct result *r)
{
    struct called *out = ctx;
    out->ms = r->ms;
    if (r->state == ASK_ANSWERED)
        take_answer(out, reply_answer(&r->reply));
    else
        out->error = xstrdup(r->error ? r->error : _("no answer"));
}

bool verb_call(const struct profile *p, const char *question, int max_tokens,
               struct called *out, struct err *e)
{
    struct chat chat = {0};
    chat_add(&chat, ROLE_USER, question);
    struct ask ask = {.chat = &chat, .has = HAS(PARAM_MAX_TOKENS),
                      .max_tokens = max_tokens, .stream = true};
    *out = (struct called){0};
    bool ok = verb_send(p, &ask, on_called, out, e);
    chat_free(&chat);
    return ok;
}

/* ---- A run -------------------------------------------------------------- */

/* The model's answer; NULL where it fails. The caller frees. */
static char *generate(const char *dir, const char *question, struct err *e)
{
    struct chat chat = {0};
    struct buf messages = BUF_INIT(0), out = BUF_INIT((size_t)1 << 20);
    char *program = paths_model_program(), tokens[16];
    chat_add(&chat, ROLE_USER, question);
    chat_print(&chat, &messages);
    snprintf(tokens, sizeof tokens, "%d", ANSWER_TOKENS / 4);
    const char *argv[] = {program, "generate", dir, "--messages",
                          buf_str(&messages), "--max-tokens", tokens, NULL};
    char **drop = env_secrets(NULL, NULL);
    int code = program ? proc_capture(argv, (const char *const *)drop, NULL,
                                      &out, e)
                       : -1;
    if (code > 0)
        err_set(e, ERR_SYSTEM, _("stillroom-model %s failed (%d)"), argv[1],
                code);
    while (out.len && out.data[out.len - 1] == '\n')
        out.data[--out.len] = '\0';
    char *text = code == 0 ? buf_take(&out) : NULL;
    proc_free_argv(drop);
    buf_free(&out);
    buf_free(&messages);
    chat_free(&chat);
    free(program);
    return text;
}

/* The teacher of the target's newest job. The caller frees. */
static char *last_teacher(struct store *s, int64_t target)
{
    ids jobs = {0};
    char *name = NULL;
    job_ids(s, target, &jobs, NULL);
    for (size_t i = 0; i < jobs.n && !name; i++) {
        struct job j;
        if (!job_get(s, jobs.at[i], &j, NULL))
            continue;
        name = j.teacher ? xstrdup(j.teacher) : NULL;
        job_free(&j);
    }
    VEC_FREE(&jobs);
    return name ? name : xstrdup("builtin");
}

static void ask_teacher(struct store *s, int64_t target, const char *question,
                        struct asked *out)
{
    struct profiles ps = {0};
    struct called c = {0};
    struct err e = {0};
    out->teacher_name = last_teacher(s, target);
    if (profiles_load(NULL, &ps, &e)) {
        const struct profile *p = profile_find(&ps, out->teacher_name);
        if (!p)
            err_set(&e, ERR_ABSENT, _("there is no teacher %s in the config"),
                    out->teacher_name);
        else
            verb_call(p, question, ANSWER_TOKENS, &c, &e);
    }
    out->teacher = c.text ? xstrdup(c.text)
                          : xstrdup(c.error ? c.error : e.text);
    free(c.text);
    free(c.error);
    profiles_free(&ps);
}

bool verb_ask(struct store *s, int64_t run, const char *question,
              struct asked *out, struct err *e)
{
    struct run r;
    *out = (struct asked){0};
    if (!run_get(s, run, &r, e))
        return false;
    char *dir = store_work_dir(s, "r", run);
    char *model = path_join(dir, "model");
    char *student = train_student_dir(s, &r);
    bool ok = file_exists(model) ||
              err_set(e, ERR_ABSENT, _("run r%lld has no finished student "
                                       "yet"), (long long)run);
    ok = ok && (out->before = generate(student, question, e)) &&
         (out->now = generate(model, question, e));
    if (ok)
        ask_teacher(s, r.target, question, out);
    free(student);
    free(model);
    free(dir);
    run_free(&r);
    return ok;
}

void asked_free(struct asked *x)
{
    free(x->before);
    free(x->now);
    free(x->teacher);
    free(x->teacher_name);
    *x = (struct asked){0};
}
