#include "store/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/lang.h"
#include "domain/chat.h"
#include "store/db.h"
#include "store/text.h"
#include "store/words.h"

/* Where a field of an object stands: (get, set) statements with the object as
 * ?1 and the value as ?2. Notes, ratings and orders are rows of their own. */
static const struct {
    enum object kind;
    enum field field;
    const char *get, *set;
} places[] = {
#define COLUMN(KIND, FIELD, table, column)                                    \
    {OBJECT_##KIND, FIELD_##FIELD,                                            \
     "SELECT " #column " FROM " #table " WHERE id = ?1",                      \
     "UPDATE " #table " SET " #column " = ?2 WHERE id = ?1"}
    COLUMN(SAMPLE, STATUS, sample, status),
    COLUMN(SAMPLE, CHOSEN, sample, chosen),
    COLUMN(SAMPLE, PROMPT, sample, prompt_text),
    COLUMN(SAMPLE, LIVE, sample, live),
    COLUMN(SAMPLE, SPLIT, sample, split),
    COLUMN(CANDIDATE, LIVE, candidate, live),
    COLUMN(SEED, LIVE, seed, live),
    COLUMN(SEED, SPLIT, seed, split),
    COLUMN(TARGET, TEXT, target, doc_text),
    COLUMN(JOB, LIVE, job, live),
    {OBJECT_TEXT, FIELD_PURGED,
     "SELECT coalesce(purged, 0) FROM text WHERE id = ?1",
     "UPDATE text SET purged = nullif(?2, 0) WHERE id = ?1"},
    {OBJECT_SAMPLE, FIELD_ORDER,
     "SELECT coalesce((SELECT order_text FROM ranking WHERE sample = ?1), 0)",
     "REPLACE INTO ranking VALUES(?1, ?2)"},
#define SIDE(KIND, FIELD, table, column)                                      \
    {OBJECT_##KIND, FIELD_##FIELD,                                            \
     "SELECT coalesce((SELECT " #column " FROM " #table                       \
     " WHERE object = ?1 AND kind = ?2), 0)",                                 \
     "REPLACE INTO " #table " VALUES(?3, ?1, ?2)"}
    SIDE(SAMPLE, NOTE, note, body_text),
    SIDE(SAMPLE, RATING, rating, value),
    SIDE(SEED, NOTE, note, body_text),
    SIDE(SEED, RATING, rating, value),
};

static int find(enum object kind, enum field field)
{
    for (size_t i = 0; i < COUNT(places); i++)
        if (places[i].kind == kind && places[i].field == field)
            return (int)i;
    return -1;
}

static bool no_such(enum object kind, int64_t object, struct err *e)
{
    return err_set(e, ERR_ABSENT, _("there is no %s %lld"), object_name(kind),
                   (long long)object);
}

bool cache_get(struct store *s, enum object kind, int64_t object,
               enum field field, int64_t *value, struct err *e)
{
    int i = find(kind, field);
    if (i < 0)
        return err_set(e, ERR_USAGE, _("a %s has no %s"), object_name(kind),
                       field_name(field));
    bool side = field == FIELD_NOTE || field == FIELD_RATING;
    *value = side ? db_int(s, INT64_MIN, places[i].get, "is", object,
                           object_name(kind))
                  : db_int(s, INT64_MIN, places[i].get, "i", object);
    return *value != INT64_MIN || no_such(kind, object, e);
}

static bool set_tag(struct store *s, const struct change *c, struct err *e)
{
    if (c->old && !db_run(s, e, "DELETE FROM tag WHERE kind = ?1"
                          " AND object = ?2 AND name ="
                          " (SELECT body FROM text WHERE id = ?3)", "sii",
                          object_name(c->kind), c->object, c->old))
        return false;
    return !c->new_value ||
           db_run(s, e, "INSERT OR IGNORE INTO tag SELECT ?1, ?2, body"
                  " FROM text WHERE id = ?3", "sii", object_name(c->kind),
                  c->object, c->new_value);
}

/* Rows of note, rating and ranking are taken away where nothing is left. */
static bool remove_side(struct store *s, const struct change *c,
                        struct err *e)
{
    if (c->field == FIELD_ORDER)
        return db_run(s, e, "DELETE FROM ranking WHERE sample = ?1", "i",
                      c->object);
    if (c->field == FIELD_NOTE)
        return db_run(s, e, "DELETE FROM note WHERE kind = ?1"
                      " AND object = ?2", "si", object_name(c->kind),
                      c->object);
    must(c->field == FIELD_RATING);
    return db_run(s, e, "DELETE FROM rating WHERE kind = ?1"
                  " AND object = ?2", "si", object_name(c->kind), c->object);
}

static bool refresh_prompt_hash(struct store *s, int64_t sample,
                                int64_t prompt, struct err *e)
{
    char *text = text_get(s, prompt, NULL);
    struct chat chat;
    bool ok = text && chat_parse(text, &chat, e);
    free(text);
    if (!ok)
        return err_set(e, ERR_STORE, _("sample %lld: its prompt cannot be "
                                       "read"), (long long)sample);
    uint8_t hash[SHA_SIZE];
    chat_prompt_hash(&chat, hash);
    chat_free(&chat);
    return db_run(s, e, "UPDATE sample SET prompt_hash = ?2 WHERE id = ?1",
                  "ib", sample, hash, sizeof hash);
}

bool cache_prompts_of(struct store *s, int64_t text, struct err *e)
{
    ids samples;
    bool ok = db_ids(s, &samples, e, "SELECT id FROM sample"
                     " WHERE prompt_text = ?1", "i", text);
    for (size_t i = 0; ok && i < samples.n; i++)
        ok = refresh_prompt_hash(s, samples.at[i], text, e);
    VEC_FREE(&samples);
    return ok;
}

/* The sample whose words a change of this object alters, 0 for none. */
static int64_t words_sample(struct store *s, const struct change *c)
{
    if (c->kind == OBJECT_SAMPLE && c->field == FIELD_PROMPT)
        return c->object;
    if (c->kind == OBJECT_CANDIDATE && c->field == FIELD_LIVE)
        return db_int(s, 0, "SELECT sample FROM candidate WHERE id = ?1", "i",
                      c->object);
    return 0;
}

static bool set_value(struct store *s, const struct change *c, struct err *e)
{
    int i = find(c->kind, c->field);
    if (i < 0)
        return err_set(e, ERR_USAGE, _("a %s has no %s"),
                       object_name(c->kind), field_name(c->field));
    bool side = c->field == FIELD_NOTE || c->field == FIELD_RATING;
    if (!c->new_value && (side || c->field == FIELD_ORDER))
        return remove_side(s, c, e);
    return side ? db_run(s, e, places[i].set, "iis", c->object, c->new_value,
                         object_name(c->kind))
                : db_run(s, e, places[i].set, "ii", c->object, c->new_value);
}

bool cache_set(struct store *s, const struct change *c, struct err *e)
{
    if (c->field == FIELD_TAG)
        return set_tag(s, c, e);
    int64_t sample = words_sample(s, c);
    if (sample && !words_remove_sample(s, sample, e))
        return false;
    if (!set_value(s, c, e))
        return false;
    if (c->kind == OBJECT_SAMPLE && c->field == FIELD_PROMPT &&
        !refresh_prompt_hash(s, c->object, c->new_value, e))
        return false;
    return !sample || words_add_sample(s, sample, e);
}

bool cache_has_tag(struct store *s, enum object kind, int64_t object,
                   const char *name)
{
    return db_int(s, 0, "SELECT count(*) FROM tag WHERE kind = ?1"
                  " AND object = ?2 AND name = ?3", "sis", object_name(kind),
                  object, name) > 0;
}
