#include "model/learn/student.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"

#define COPY_MAX ((size_t)128 << 20)

struct tokenizer *student_tokenizer(const char *dir, const struct llama *m,
                                    struct err *e)
{
    struct tokenizer *t = tokenizer_load(dir, e);
    if (t && t->n > (size_t)m->config.vocab) {
        err_set(e, ERR_INPUT, _("%s: the tokenizer has %zu tokens, the model "
                                "%d"), dir, t->n, m->config.vocab);
        tokenizer_free(&t);
    }
    return t;
}

/* Nothing where it is absent. */
static bool copy(const char *from, const char *to, const char *name,
                 struct err *e)
{
    char *a = path_join(from, name), *b = path_join(to, name);
    struct buf text = BUF_INIT(0);
    bool ok = !file_exists(a) ||
              (file_read(a, COPY_MAX, &text, e) &&
               file_replace(b, buf_str(&text), text.len, 0644, true, e));
    buf_free(&text);
    free(a);
    free(b);
    return ok;
}

/* Without slashes at its end. */
static char *plain_name(const char *dir)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    return xstrndup(dir, n);
}

char *student_place(const char *dir, struct err *e)
{
    char *name = plain_name(dir), *prefix = xasprintf("%s.tmp-", name);
    char *temp = xasprintf("%s%ld", prefix, (long)getpid());
    dir_sweep(prefix, NULL);
    if (file_exists(temp))
        dir_remove(temp, NULL);
    if (!dir_make(temp, 0755, e)) {
        free(temp);
        temp = NULL;
    }
    free(prefix);
    free(name);
    return temp;
}

bool student_move(const char *temp, const char *dir, struct err *e)
{
    char *name = plain_name(dir);
    bool ok = !file_exists(name) || dir_remove(name, e);
    if (ok && rename(temp, name) < 0)
        ok = err_sys(e, _("cannot write %s"), name);
    free(name);
    return ok;
}

bool student_write(const struct llama *m, const char *from, const char *to,
                   struct err *e)
{
    static const char *const copied[] = {
        "tokenizer.json", "tokenizer_config.json", "generation_config.json",
        "chat_template.jinja", "special_tokens_map.json",
        "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model"};
    char *temp = student_place(to, e);
    bool ok = temp && llama_save(m, temp, e);
    for (size_t i = 0; ok && i < COUNT(copied); i++)
        ok = copy(from, temp, copied[i], e);
    ok = ok && student_move(temp, to, e);
    if (!ok && temp)
        dir_remove(temp, NULL);
    free(temp);
    return ok;
}
