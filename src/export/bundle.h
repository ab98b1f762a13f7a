/* A bundle: a folder of files that other trainers read, made whole beside
 * its target and renamed at the end.
 *
 *   DIR/README.md              card of the Hugging Face hub
 *   DIR/dataset_info.json      LLaMA-Factory's index
 *   DIR/SHAPE/SPLIT.jsonl      only shapes and splits that have rows
 *   DIR/lf/SHAPE_SPLIT.jsonl   the same rows for LLaMA-Factory
 *   DIR/prov/rows.jsonl        one line a row: where it came from
 *   DIR/prov/lock.json         what was asked, counts, hashes; not of itself
 *
 * Every byte is a function of the options and the rows, in the order in which
 * they come: no clock, no locale, no path is in any file.
 */
#ifndef EXPORT_BUNDLE_H
#define EXPORT_BUNDLE_H

#include "base/err.h"
#include "export/report.h"

/* Grows with every change of what is written for the same rows. */
#define EXPORT_VERSION 2

struct export_options {
    const char *dir;        /* NULL: dry, nothing is written */
    bool replace;         /* an earlier bundle may be replaced */
    bool leave_wrong;       /* wrong rows are left out, not refused */
    const id_list *leave;   /* samples left out; NULL: none */
    int64_t max_words;      /* 0: no limit */
    double near;            /* warn from this ROUGE-L on; 0: not looked at */
    /* what the card and the lock say */
    const char *target, *description, *filter, *store_id;
    const char *languages;  /* JSON array of strings, or NULL */
    const char *system;     /* as asked: keep, drop or a text; NULL: not */
    enum thinking thinking;
    bool list_tools;
    int64_t as_of, seed;
};

struct bundle;

/* Opens a bundle: with a `dir` its files go into a folder beside it, dry they
 * are only counted. Refuses a target that holds anything but, with
 * `replace`, an earlier bundle. The report is emptied here, filled by what
 * follows, also on failure, and the caller's to free. NULL on failure. */
struct bundle *bundle_open(const struct export_options *o,
                           struct export_report *report, struct err *e);

/* Checks a row and writes it; the rows of a sample come together. */
bool bundle_add(struct bundle *b, const struct export_row *row,
                struct err *e);

/* Writes the rest. Wrong rows that are not left out refuse (ERR_REFUSED,
 * naming samples) unless dry. */
bool bundle_finish(struct bundle *b, struct err *e);

/* Puts the finished folder in place of its target. On failure the target is
 * what it was, and the folder stays beside it, named in the error. */
bool bundle_publish(struct bundle *b, struct err *e);

/* Removes from the disk what was not published. */
void bundle_free(struct bundle **b);

#endif
