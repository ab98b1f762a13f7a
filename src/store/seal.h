/* Seals: digests over rows, so that a change of a row that was not made by
 * this program is seen and named. The tables with their columns stand here
 * once; inserting, changing and fsck all read them.
 *
 *   int64_t id = act_bring(&a, SEAL_DRAW, &e, "isII", call, role, 3, 0);
 *   int64_t job = log_add(s, SEAL_RUN, &e, "...", ...);
 *   log_set(s, SEAL_CALL, call, "state at", &e, "si", "sent", now);
 *
 * Rows that a decision brings never change (caches of the journal excepted).
 * Rows of the log do: their seal is made anew in the statement that changes
 * them, and the ledger (store/ledger.h) holds how many there are and the sum
 * of their seals, so that none is taken away or put in unseen.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct store;

#define SEAL_SIZE 16

/* id, table, its key (NULL: its first columns), its columns in the order in
 * which values are given and sealed:
 *   name          sealed as it is
 *   #name         a text's id: sealed by the text's SHA-256, so that a seal
 *                 is over what is read, not over a row number
 *   name=field    a cache of the journal: sealed as the row was born, which
 *                 the first change found there (else: what it holds)
 *   -name         given, not sealed: fsck makes it again from the others
 *   +name         came later: sealed where it is not NULL, so that the seals
 *                 of before stand */
#define BROUGHT(X)                                                            \
    X(TARGET, target, "id", "name #doc_text=text")                            \
    X(SEED, seed, "id",                                                       \
      "target kind #messages_text #answer_text #raw_text job origin line "    \
      "hash split=split")                                                     \
    X(SAMPLE, sample, "id",                                                   \
      "target job call item seed origin line #prompt_text=prompt "            \
      "split=split -prompt_hash")                                             \
    X(CANDIDATE, candidate, "id",                                             \
      "sample n source who call parent #prompt_text #body_text hash")         \
    X(SCORE, score, "id", "candidate aspect value #reason_text call who")     \
    X(CHECK, check_result, "id",                                              \
      "sample candidate name figure bound verdict against_sample "            \
      "against_seed +rough")                                                  \
    X(DRAW, draw, "id", "call role seed sample")                              \
    X(STORE, store, "rowid", "id salt created")
#define LOGGED(X)                                                             \
    X(RECIPE, recipe, "id", "name version #file_text")                        \
    X(JOB, job, "id",                                                         \
      "kind target recipe teacher who args_json spend_max state started "     \
      "ended")                                                                \
    X(CALL, call, "id",                                                       \
      "job step n attempt from_call from_item sample #prompt_text "           \
      "params_json state http #reply_text #answer_text trouble tokens_in "    \
      "tokens_out cost ms finish at #thinking_text")                          \
    X(RUN, run, "id",                                                         \
      "target filter as_of student objective args_json seed snapshot_sha "    \
      "state started ended figures_json")                                     \
    X(EXPORT, export, "id",                                                   \
      "target filter as_of seed student version lock_json path at")           \
    X(MEMBER, member, NULL,                                                   \
      "kind owner shape row split sample candidate hash")                     \
    X(DRAFT, draft, NULL, "who kind object field body at")
/* In the ledger too, under seals that stand in no column: by id and SHA-256,
 * by seq and hash. */
#define COUNTED(X)                                                            \
    X(TEXT, text, "id", "sha256") X(DECISION, decision, "seq", "hash")
#define SEALED(X) BROUGHT(X) LOGGED(X) COUNTED(X)

#define SEAL_ENUM(id, ...) SEAL_##id,
enum sealed { SEALED(SEAL_ENUM) SEAL_COUNT };
#undef SEAL_ENUM
#define SEAL_ONE(...) +1
#define BROUGHT_COUNT (0 BROUGHT(SEAL_ONE))
/* the first table that is not in the log */
#define LOGGED_COUNT (BROUGHT_COUNT LOGGED(SEAL_ONE))
#define LEDGER_COUNT (SEAL_COUNT - BROUGHT_COUNT)

/* The table's name. */
const char *seal_table(enum sealed t);

/* Every row of the table with its seal as it stands and as it should be.
 * Brought: key, born, seal, seal again, in order of the key. Others: what
 * names the row, seal (NULL where it has no column), seal again. Borrowed. */
const char *seal_scan_sql(struct store *s, enum sealed t);
/* Seals every row of a table of the log and puts it into the ledger. */
bool seal_table_anew(struct store *s, enum sealed t, struct err *e);

/* Teaches the connection its SQL functions: seal(...), the first 16 bytes of
 * SHA-256 over its arguments, each with its type and length; log_seal(...),
 * the same behind the store's id; keep(table, old, new), which gives back the
 * new seal and enters the change in the ledger. */
bool seal_register(struct store *s, struct err *e);

/* Inserts a row that the decision `born` brings; values as db_run's, in the
 * order of the columns. Its id, 0 on failure; its seal to out. */
int64_t seal_insert(struct store *s, enum sealed t, int64_t born,
                    uint8_t out[SEAL_SIZE], struct err *e,
                    const char *format, va_list *values);

/* Inserts a row of the log; its id (1 where it has none), 0 on failure. */
int64_t log_add(struct store *s, enum sealed t, struct err *e,
                const char *format, ...);
/* The same over the row with its key, where there is one. */
bool log_put(struct store *s, enum sealed t, struct err *e,
             const char *format, ...);
/* Changes the named columns of a row of the log; `columns` is a literal. */
bool log_set(struct store *s, enum sealed t, int64_t id, const char *columns,
             struct err *e, const char *format, ...);
/* Takes a row of the log away, by its rowid. */
bool log_drop(struct store *s, enum sealed t, int64_t rowid, struct err *e);

/* Gives up the statements that were made. */
void seal_forget(struct store *s);

#endif
