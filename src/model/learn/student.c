#include "model/learn/student.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"

#define COPY_MAX ((size_t)128 << 20)

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

bool student_write(const struct llama *m, const char *from, const char *to,
                   struct err *e)
{
    static const char *const copied[] = {
        "tokenizer.json", "tokenizer_config.json", "generation_config.json",
        "chat_template.jinja", "special_tokens_map.json",
        "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model"};
    char *temp = xasprintf("%s.tmp", to);
    if (file_exists(temp))
        dir_remove(temp, NULL);
    bool ok = dir_make(temp, 0755, e) && llama_save(m, temp, e);
    for (size_t i = 0; ok && i < COUNT(copied); i++)
        ok = copy(from, temp, copied[i], e);
    if (ok && file_exists(to))
        ok = dir_remove(to, e);
    if (ok && rename(temp, to) < 0)
        ok = err_sys(e, _("cannot write %s"), to);
    if (!ok && file_exists(temp))
        dir_remove(temp, NULL);
    free(temp);
    return ok;
}
