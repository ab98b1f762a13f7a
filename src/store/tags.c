#include "store/tags.h"

#include "store/db.h"

#include "base/buf.h"

static char *joined(struct rows *r, char with)
{
    struct buf b = BUF_INIT(0);
    while (rows_next(r, NULL)) {
        if (b.len)
            buf_putc(&b, with);
        buf_puts(&b, rows_text(r, 0));
    }
    rows_done(r);
    return buf_take(&b);
}

char *tags_of(struct store *s, enum object kind, int64_t object)
{
    struct rows r;
    if (!db_query(s, &r, NULL, "SELECT name FROM tag WHERE kind = ?1"
                  " AND object = ?2 ORDER BY name", "si", object_name(kind),
                  object))
        return xstrdup("");
    return joined(&r, ' ');
}

char *note_of(struct store *s, enum object kind, int64_t object)
{
    return db_text(s, "SELECT body FROM text WHERE id = (SELECT body_text"
                   " FROM note WHERE kind = ?1 AND object = ?2)", "si",
                   object_name(kind), object);
}

int rating_of(struct store *s, enum object kind, int64_t object)
{
    return (int)db_int(s, 0, "SELECT value FROM rating WHERE kind = ?1"
                       " AND object = ?2", "si", object_name(kind), object);
}

char *tags_all(struct store *s)
{
    struct rows r;
    if (!db_query(s, &r, NULL, "SELECT name FROM tag GROUP BY name"
                  " ORDER BY count(*) DESC, name LIMIT 500", ""))
        return xstrdup("");
    return joined(&r, '\n');
}
