/* Seals: a digest over a row as it came, so that a later change of the row is
 * seen and named. The list of sealed tables with their columns stands here
 * once; inserting and fsck both read it.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct store;

#define SEAL_SIZE 16

/* id, table, the sealed columns beside id and born. SHA(x) stands for a
 * text's SHA-256, so that a seal is over what is read, not over a row number.
 * FIRST(...) is the value that a cached column was born with: what the first
 * change found there, else what it still holds. */
#define SEALED(X)                                                             \
    X(TARGET, target, "name, " SHA(FIRST(target, text, doc_text)))            \
    X(SEED, seed,                                                             \
      "target, kind, " SHA("messages_text") ", " SHA("answer_text") ", "      \
      SHA("raw_text") ", job, origin, line, hash, "                           \
      FIRST(seed, split, split))                                              \
    X(SAMPLE, sample,                                                         \
      "target, job, call, item, seed, origin, line, "                         \
      SHA(FIRST(sample, prompt, prompt_text)) ", "                            \
      FIRST(sample, split, split))                                            \
    X(CANDIDATE, candidate,                                                   \
      "sample, n, source, who, call, parent, " SHA("prompt_text") ", "        \
      SHA("body_text") ", hash")                                              \
    X(SCORE, score,                                                           \
      "candidate, aspect, value, " SHA("reason_text") ", call, who")          \
    X(CHECK, check_result,                                                    \
      "sample, candidate, name, figure, bound, verdict, against_sample, "     \
      "against_seed")                                                         \
    X(DRAW, draw, "call, role, seed, sample")

#define SHA(column) "(SELECT sha256 FROM text WHERE text.id = " column ")"
#define FIRST(table, field, column)                                           \
    "coalesce((SELECT old FROM change WHERE change.object = " #table ".id"    \
    " AND change.kind = '" #table "' AND change.field = '" #field "'"         \
    " ORDER BY change.decision, change.n LIMIT 1), " #table "." #column ")"

#define SEAL_ENUM(id, ...) SEAL_##id,
enum sealed { SEALED(SEAL_ENUM) SEAL_COUNT };
#undef SEAL_ENUM

/* The table's name. */
const char *seal_table(enum sealed t);
/* "SELECT id, born, seal, seal(id, born, ...) FROM table ORDER BY id" */
const char *seal_scan_sql(enum sealed t);

/* Teaches the connection the SQL function seal(...): the first 16 bytes of
 * SHA-256 over its arguments, each with its type and length. */
bool seal_register(struct store *s, struct err *e);

/* Seals the row just inserted; writes the seal to out. */
bool seal_row(struct store *s, enum sealed t, int64_t id,
              uint8_t out[SEAL_SIZE], struct err *e);

#endif
