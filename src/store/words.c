#include "store/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "domain/chat.h"
#include "store/db.h"
#include "store/text.h"

/* What the index holds of a sample: two texts that the caller frees. */
static void collect(struct store *s, int64_t sample, char **prompt,
                    char **answers)
{
    struct buf b = BUF_INIT(0);
    struct rows r;
    char *messages = db_text(s, "SELECT body FROM text WHERE id ="
                             " (SELECT prompt_text FROM sample"
                             "  WHERE id = ?1)", "i", sample);
    *prompt = messages ? prompt_text(messages) : xstrdup("");
    free(messages);
    if (db_query(s, &r, NULL, "SELECT t.body FROM candidate c"
                 " JOIN text t ON t.id = c.body_text"
                 " WHERE c.sample = ?1 AND c.live ORDER BY c.n", "i",
                 sample)) {
        while (rows_next(&r, NULL)) {
            char *text = rows_text(&r, 0) ? answer_text(rows_text(&r, 0))
                                          : xstrdup("");
            buf_printf(&b, "%s%s", b.len ? "\n" : "", text);
            free(text);
        }
        rows_done(&r);
    }
    *answers = buf_take(&b);
}

bool words_add(struct store *s, int64_t sample, const char *prompt,
               const char *answers, struct err *e)
{
    return db_run(s, e, "INSERT INTO sample_words(rowid, prompt, answer)"
                  " VALUES(?1, ?2, ?3)", "iss", sample, prompt, answers);
}

bool words_add_sample(struct store *s, int64_t sample, struct err *e)
{
    char *prompt, *answers;
    collect(s, sample, &prompt, &answers);
    bool ok = words_add(s, sample, prompt, answers, e);
    free(prompt);
    free(answers);
    return ok;
}

bool words_remove_sample(struct store *s, int64_t sample, struct err *e)
{
    char *prompt, *answers;
    collect(s, sample, &prompt, &answers);
    bool ok = db_run(s, e, "INSERT INTO sample_words(sample_words, rowid,"
                     " prompt, answer) VALUES('delete', ?1, ?2, ?3)", "iss",
                     sample, prompt, answers);
    free(prompt);
    free(answers);
    return ok;
}

bool words_add_seed(struct store *s, int64_t seed, const char *prompt,
                    const char *answer, struct err *e)
{
    return db_run(s, e, "INSERT INTO seed_words(rowid, prompt, answer)"
                  " VALUES(?1, ?2, ?3)", "iss", seed, prompt,
                  answer ? answer : "");
}

bool words_remove_seed(struct store *s, int64_t seed, struct err *e)
{
    char *messages = db_text(s, "SELECT body FROM text WHERE id = (SELECT"
                             " messages_text FROM seed WHERE id = ?1)", "i",
                             seed);
    char *body = db_text(s, "SELECT body FROM text WHERE id = (SELECT"
                         " answer_text FROM seed WHERE id = ?1)", "i", seed);
    char *prompt = prompt_text(messages ? messages : "[]");
    char *answer = body ? answer_text(body) : xstrdup("");
    bool ok = db_run(s, e, "INSERT INTO seed_words(seed_words, rowid, prompt,"
                     " answer) VALUES('delete', ?1, ?2, ?3)", "iss", seed,
                     prompt, answer);
    free(messages);
    free(body);
    free(prompt);
    free(answer);
    return ok;
}

char *words_query(const char *text, bool exact)
{
    struct buf b = BUF_INIT(0);
    buf_putc(&b, '"');
    for (const char *p = text; *p; p++)
        buf_add(&b, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    buf_puts(&b, exact ? "\"" : "\"*");
    return buf_take(&b);
}
