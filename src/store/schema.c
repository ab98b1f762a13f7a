#include "store/schema.h"

/* Columns marked (j) are caches of the journal: journal_change writes them
 * and fsck recomputes them from `change`. `born` is the seq of the decision
 * that brought the row; `seal` is over the row's other columns as they came
 * (store/seal.h): of rows with `born` the decision's changes_hash is over the
 * seals, of the others the ledger in `store`. */
const char schema_sql[] =
    "CREATE TABLE store("
    " id TEXT NOT NULL, salt BLOB NOT NULL, created INTEGER NOT NULL,"
    " born INTEGER, seal BLOB, ledger BLOB"
    ") STRICT;"

    "CREATE TABLE text("
    " id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,"
    " body ANY, purged INTEGER"
    ") STRICT;"

    "CREATE TABLE target("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " doc_text INTEGER NOT NULL REFERENCES text," /* (j) */
    " born INTEGER NOT NULL, seal BLOB"
    ") STRICT;"

    "CREATE TABLE seed("
    " id INTEGER PRIMARY KEY, target INTEGER NOT NULL REFERENCES target,"
    " kind TEXT NOT NULL, messages_text INTEGER NOT NULL REFERENCES text,"
    " answer_text INTEGER REFERENCES text, raw_text INTEGER REFERENCES text,"
    " job INTEGER, origin TEXT, line INTEGER,"
    " split INTEGER NOT NULL, live INTEGER NOT NULL DEFAULT 1," /* (j) */
    " hash BLOB NOT NULL,"
    " born INTEGER NOT NULL, seal BLOB"
    ") STRICT;"
    "CREATE INDEX seed_hash ON seed(target, hash);"

    "CREATE TABLE recipe("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL,"
    " file_text INTEGER NOT NULL REFERENCES text, seal BLOB,"
    " UNIQUE(name, file_text)"
    ") STRICT;"

    "CREATE TABLE job("
    " id INTEGER PRIMARY KEY, kind TEXT NOT NULL, target INTEGER,"
    " recipe INTEGER REFERENCES recipe, teacher TEXT, who TEXT NOT NULL,"
    " args_json TEXT NOT NULL, spend_max REAL, state TEXT NOT NULL,"
    " live INTEGER NOT NULL DEFAULT 1," /* (j) */
    " started INTEGER NOT NULL, ended INTEGER, seal BLOB"
    ") STRICT;"

    "CREATE TABLE call("
    " id INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES job,"
    " step INTEGER NOT NULL, n INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " from_call INTEGER, from_item INTEGER, sample INTEGER,"
    " prompt_text INTEGER NOT NULL REFERENCES text,"
    " params_json TEXT NOT NULL, state TEXT NOT NULL, http INTEGER,"
    " reply_text INTEGER REFERENCES text, answer_text INTEGER,"
    " trouble TEXT, tokens_in INTEGER,"
    " tokens_out INTEGER, cost REAL, ms INTEGER, finish TEXT,"
    " at INTEGER NOT NULL, thinking_text INTEGER, seal BLOB,"
    " UNIQUE(job, step, n, attempt)"
    ") STRICT;"

    "CREATE TABLE draw("
    " id INTEGER PRIMARY KEY, call INTEGER NOT NULL REFERENCES call,"
    " role TEXT NOT NULL, seed INTEGER REFERENCES seed,"
    " sample INTEGER, born INTEGER NOT NULL, seal BLOB"
    ") STRICT;"
    "CREATE INDEX draw_call ON draw(call);"
    "CREATE INDEX draw_seed ON draw(seed);"

    "CREATE TABLE sample("
    " id INTEGER PRIMARY KEY, target INTEGER NOT NULL REFERENCES target,"
    " job INTEGER, call INTEGER, item INTEGER,"
    " seed INTEGER," /* the drawn seed that its prompt is nearest to */
    " origin TEXT, line INTEGER,"
    " prompt_text INTEGER NOT NULL REFERENCES text,"        /* (j) */
    " prompt_hash BLOB NOT NULL,"                           /* (j) */
    " split INTEGER NOT NULL, status INTEGER NOT NULL DEFAULT 0," /* (j) */
    " chosen INTEGER NOT NULL DEFAULT 0,"                   /* (j) */
    " live INTEGER NOT NULL DEFAULT 1,"                     /* (j) */
    " born INTEGER NOT NULL, seal BLOB"
    ") STRICT;"
    "CREATE INDEX sample_queue ON sample(target, status, id) WHERE live;"
    "CREATE INDEX sample_prompt ON sample(target, prompt_hash);"
    "CREATE INDEX sample_job ON sample(job);"
    "CREATE INDEX sample_call ON sample(call, item);"
    "CREATE INDEX sample_seed ON sample(seed, status) WHERE live;"

    "CREATE TABLE candidate("
    " id INTEGER PRIMARY KEY, sample INTEGER NOT NULL REFERENCES sample,"
    " n INTEGER NOT NULL, source INTEGER NOT NULL, who TEXT,"
    " call INTEGER, parent INTEGER,"
    " prompt_text INTEGER NOT NULL REFERENCES text,"
    " body_text INTEGER NOT NULL REFERENCES text, hash BLOB NOT NULL,"
    " live INTEGER NOT NULL DEFAULT 1," /* (j) */
    " born INTEGER NOT NULL, seal BLOB, UNIQUE(sample, n)"
    ") STRICT;"
    "CREATE INDEX candidate_hash ON candidate(hash);"

    "CREATE TABLE score("
    " id INTEGER PRIMARY KEY,"
    " candidate INTEGER NOT NULL REFERENCES candidate, aspect TEXT NOT NULL,"
    " value REAL, reason_text INTEGER REFERENCES text, call INTEGER,"
    " who TEXT, born INTEGER NOT NULL, seal BLOB"
    ") STRICT;"
    "CREATE INDEX score_candidate ON score(candidate);"

    "CREATE TABLE check_result("
    " id INTEGER PRIMARY KEY, sample INTEGER NOT NULL REFERENCES sample,"
    " candidate INTEGER, name TEXT NOT NULL, figure REAL NOT NULL,"
    " bound REAL NOT NULL, verdict INTEGER NOT NULL, against_sample INTEGER,"
    " against_seed INTEGER, born INTEGER NOT NULL, seal BLOB, rough INTEGER"
    ") STRICT;"
    "CREATE INDEX check_sample ON check_result(sample);"

    /* by object: kind is 'sample' or 'seed' */
    "CREATE TABLE tag(" /* (j) */
    " kind TEXT NOT NULL, object INTEGER NOT NULL, name TEXT NOT NULL,"
    " PRIMARY KEY(kind, object, name)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX tag_name ON tag(name);"
    "CREATE TABLE note(" /* (j) */
    " kind TEXT NOT NULL, object INTEGER NOT NULL,"
    " body_text INTEGER NOT NULL, PRIMARY KEY(kind, object)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE rating(" /* (j) */
    " kind TEXT NOT NULL, object INTEGER NOT NULL, value INTEGER NOT NULL,"
    " PRIMARY KEY(kind, object)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE ranking(" /* (j) */
    " sample INTEGER PRIMARY KEY, order_text INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE decision("
    " seq INTEGER PRIMARY KEY, op_id BLOB NOT NULL UNIQUE,"
    " at INTEGER NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,"
    " reason TEXT NOT NULL, undoes INTEGER NOT NULL,"
    " base_seq INTEGER NOT NULL, n_changes INTEGER NOT NULL,"
    " changes_hash BLOB NOT NULL, prev_hash BLOB NOT NULL,"
    " hash BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX decision_who ON decision(who, seq);"
    "CREATE INDEX decision_undoes ON decision(undoes) WHERE undoes > 0;"
    "CREATE TABLE change("
    " decision INTEGER NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL,"
    " object INTEGER NOT NULL, field TEXT NOT NULL, old INTEGER NOT NULL,"
    " new INTEGER NOT NULL, PRIMARY KEY(decision, n)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX change_object ON change(object, kind, field, decision);"

    "CREATE TABLE draft("
    " who TEXT NOT NULL, kind TEXT NOT NULL, object INTEGER NOT NULL,"
    " field TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL,"
    " seal BLOB,"
    " PRIMARY KEY(who, kind, object, field)"
    ") STRICT;"

    "CREATE TABLE run("
    " id INTEGER PRIMARY KEY, target INTEGER NOT NULL REFERENCES target,"
    " filter TEXT NOT NULL, as_of INTEGER NOT NULL, student TEXT NOT NULL,"
    " objective TEXT NOT NULL, args_json TEXT NOT NULL,"
    " seed INTEGER NOT NULL, snapshot_sha BLOB, state TEXT NOT NULL,"
    " started INTEGER NOT NULL, ended INTEGER, figures_json TEXT, seal BLOB"
    ") STRICT;"
    "CREATE TABLE export("
    " id INTEGER PRIMARY KEY, target INTEGER NOT NULL REFERENCES target,"
    " filter TEXT NOT NULL, as_of INTEGER NOT NULL, seed INTEGER NOT NULL,"
    " student TEXT, version INTEGER NOT NULL, lock_json TEXT NOT NULL,"
    " path TEXT NOT NULL, at INTEGER NOT NULL, seal BLOB"
    ") STRICT;"
    "CREATE TABLE member("
    " kind TEXT NOT NULL, owner INTEGER NOT NULL, shape TEXT NOT NULL,"
    " split INTEGER NOT NULL, row INTEGER NOT NULL,"
    " sample INTEGER NOT NULL, candidate INTEGER NOT NULL, hash BLOB,"
    " seal BLOB,"
    " PRIMARY KEY(kind, owner, shape, split, row)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX member_sample ON member(sample);"

    /* words of prompts and answers, by the sample's or the seed's id */
    "CREATE VIRTUAL TABLE sample_words USING fts5(prompt, answer,"
    " content='', tokenize='unicode61 remove_diacritics 2');"
    "CREATE VIRTUAL TABLE seed_words USING fts5(prompt, answer,"
    " content='', tokenize='unicode61 remove_diacritics 2');";

/* ALTER TABLE writes ", " and the column behind the last one: the schema above
 * has to read the same to the letter. */
const char *const schema_migrations[STORE_VERSION] = {
    [1] = "ALTER TABLE call ADD COLUMN thinking_text INTEGER;"
          "ALTER TABLE check_result ADD COLUMN rough INTEGER;"
          "ALTER TABLE store ADD COLUMN born INTEGER;"
          "ALTER TABLE store ADD COLUMN seal BLOB;"
          "ALTER TABLE store ADD COLUMN ledger BLOB;"
          "ALTER TABLE recipe ADD COLUMN seal BLOB;"
          "ALTER TABLE job ADD COLUMN seal BLOB;"
          "ALTER TABLE call ADD COLUMN seal BLOB;"
          "ALTER TABLE draft ADD COLUMN seal BLOB;"
          "ALTER TABLE run ADD COLUMN seal BLOB;"
          "ALTER TABLE export ADD COLUMN seal BLOB;"
          "ALTER TABLE member ADD COLUMN seal BLOB;"
          /* a purged prompt has no hash any more */
          "UPDATE sample SET prompt_hash = zeroblob(32) WHERE prompt_text IN"
          " (SELECT id FROM text WHERE purged IS NOT NULL);",
};
