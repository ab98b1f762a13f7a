/* `solve`: marks rows with problems right or wrong, from standard input to
 * standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"
#include "model/builtin/teacher.h"
#include "model/cmd/cmd.h"
#include "model/cmd/opts.h"

enum { LINE_BYTES = 16 << 20 };

/* The last user message of a row's prompt; NULL with the reason. */
static char *prompt_of(const json *row, struct err *e)
{
    struct chat c;
    if (!chat_from_json(json_get(row, "prompt"), &c, e)) {
        err_in(e, "prompt");
        return NULL;
    }
    const struct message *m = chat_last(&c, ROLE_USER);
    char *text = xstrdup(m ? m->content : "");
    chat_free(&c);
    return text;
}

/* The answer's text: {"content":...} or a text; NULL where it is neither. */
static const char *answer_content(const json *row)
{
    const json *answer = json_get(row, "answer");
    return json_is_string(answer) ? json_string(answer)
                                  : json_get_string(answer, "content", NULL);
}

static void put_mark(const json *id, const char *prompt, const char *answer,
                     const struct families *f, struct buf *out)
{
    struct problem p;
    struct buf truth = BUF_INIT(0), raw = BUF_INIT(0);
    bool known = grammar_read(f, prompt, &p, NULL);
    if (known)
        teacher_truth(&p, &truth);
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_key(&w, "id");
    if (id)
        json_print(&raw, id);
    jw_raw(&w, id ? buf_str(&raw) : "null");
    jw_kbool(&w, "right", known && teacher_right(&p, answer));
    jw_kstr(&w, "truth", known ? buf_str(&truth) : NULL);
    jw_kbool(&w, "trigger", known && p.family->op->trigger(&p));
    jw_kstr(&w, "family", known ? p.family->name : NULL);
    jw_close(&w);
    buf_free(&truth);
    buf_free(&raw);
}

static bool mark_row(const json *row, const struct families *f,
                     struct err *e)
{
    const char *answer = answer_content(row);
    if (!answer)
        return err_set(e, ERR_INPUT, _("answer is missing"));
    char *prompt = prompt_of(row, e);
    if (!prompt)
        return false;
    struct buf line = BUF_INIT(0);
    put_mark(json_get(row, "id"), prompt, answer, f, &line);
    say_json(stdout, buf_str(&line), line.len);
    buf_free(&line);
    free(prompt);
    return true;
}

static bool mark_all(const struct families *f, struct err *e)
{
    struct lines l;
    bool ok = true;
    lines_from(&l, dup(STDIN_FILENO), LINE_BYTES);
    while (ok && lines_next(&l, e)) {
        json *row = NULL;
        if (l.too_long)
            ok = err_set(e, ERR_INPUT, _("longer than 16 MiB"));
        else if (l.line.len)
            ok = (row = json_parse(buf_str(&l.line), l.line.len, e)) &&
                 mark_row(row, f, e);
        json_free(row);
        if (!ok)
            err_in(e, _("line %llu"), (unsigned long long)l.number);
    }
    ok = ok && !l.failed;
    lines_close(&l);
    return ok;
}

int cmd_solve(int argc, char **argv)
{
    struct err e = {0};
    struct opt table[] = {{NULL, OPT_FLAG, NULL, NULL, NULL, false}};
    struct opts o = {N_("solve < ROWS > MARKS"), table, NULL, NULL};
    int code = opts_read(&o, argc, argv);
    if (code >= 0)
        return code;
    struct families *f = families_load(NULL, &e);
    bool ok = f && mark_all(f, &e);
    families_free(&f);
    return ok ? 0 : say_err("stillroom-model", &e);
}
