/* One thing shown: its facts and texts, as lines for people, as one object for
 * programs (--json), or one of its texts as it is (--raw KEY). Whoever shows
 * says each fact once.
 */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include "cli/cli.h"

struct facts {
    struct cli *c;
    const char *raw;  /* the text that is wanted alone, or NULL */
    char name[24];    /* of the thing: "c5" */
    struct buf out, keys;
    struct jw w;
    bool known, given; /* the text of --raw: such a key; with a text */
};

/* Begins a thing; for people `name` and `title` are its first line. */
void facts_start(struct facts *f, struct cli *c, const char *raw,
                 const char *name, const char *title);
/* Prints what is left to print. False, with the reason in c->e, where --raw
 * asked for a text that is not there. */
bool facts_end(struct facts *f);

/* `label` is untranslated, NULL where people are told otherwise. They do not
 * see ids (with their letter) and times of 0, NAN, NULL or empty strings. */
void fact_int(struct facts *f, const char *key, const char *label, int64_t v);
void fact_money(struct facts *f, const char *key, const char *label,
                double v);
void fact_id(struct facts *f, const char *key, const char *label, char letter,
             int64_t id);
void fact_ids(struct facts *f, const char *key, const char *label,
              char letter, const ids *list);
void fact_time(struct facts *f, const char *key, const char *label,
               int64_t at);
void fact_str(struct facts *f, const char *key, const char *label,
              const char *s);
/* A finished JSON value, shown to people as it is. */
void fact_json(struct facts *f, const char *key, const char *label,
               const char *text);

/* A text of its own, of n bytes; NULL where there is none. */
void fact_text(struct facts *f, const char *key, const char *label,
               const char *s, size_t n);
/* Canonical messages: --raw gives the last user message. */
void fact_chat(struct facts *f, const char *key, const char *label,
               const char *messages);

#endif
