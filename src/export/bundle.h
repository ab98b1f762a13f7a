/* A bundle: a folder of files that other trainers read, made whole beside
 * its target and renamed at the end.
 *
 *   DIR/README.md              card of the Hugging Face hub
 *   DIR/dataset_info.json      LLaMA-Factory's index (where sft is written)
 *   DIR/SHAPE/SPLIT.jsonl      only shapes and splits that have rows
 *   DIR/prov/rows.jsonl        one line a row: where it came from
 *   DIR/prov/lock.json         what was asked, counts, hashes; not of itself
 *
 * Every byte is a function of the options and the rows, in the order in which
 * they come: no clock, no locale, no path is in any file.
 */
#ifndef EXPORT_BUNDLE_H
#define EXPORT_BUNDLE_H

#include "base/err.h"
#include "export/row.h"

/* Grows with every change of what is written for the same rows. */
#define EXPORT_VERSION 1

struct export_options {
    const char *dir;        /* NULL: dry, nothing is written */
    bool overwrite;         /* an earlier bundle may be replaced */
    bool leave_wrong;       /* wrong rows are left out, not refused */
    const id_list *leave;   /* samples left out; NULL: none */
    int64_t max_words;      /* 0: no limit */
    double near;            /* warn from this ROUGE-L on; 0: not looked at */
    /* what the card and the lock say */
    const char *target, *description, *filter, *store_id;
    const char *languages;  /* JSON array of strings, or NULL */
    int64_t as_of, seed;
};

struct export_member {
    enum shape shape;
    enum split split;
    int64_t row, sample, candidate; /* row: line number in its file */
    uint8_t hash[16];               /* over split and line */
};

struct export_finding {
    id_list samples;  /* in the order of the rows, each once */
    double low, high; /* near: the figures */
};

struct export_file {
    char *path; /* within the bundle */
    int64_t rows, bytes; /* rows 0: no rows */
    uint8_t sha[32];
};

struct export_left {
    enum shape shape;
    int64_t sample, candidate;
    int check; /* enum row_check, -1: asked for */
};

struct export_report {
    int64_t rows[SHAPE_COUNT][SPLIT_COUNT];
    int64_t false_rows, order_pairs, edit_pairs;
    int64_t samples;    /* with at least one row */
    int64_t wrong_rows; /* rows that failed, left out or not */
    struct export_finding found[ROW_CHECK_COUNT];
    VEC(struct export_file) files;
    VEC(struct export_left) left;
    VEC(struct export_member) members;
    int64_t bytes;      /* of all files */
    char *lock;         /* prov/lock.json */
};

/* The rows of all splits of a shape; frees what the report holds. */
int64_t export_rows(const struct export_report *r, enum shape s);
void export_report_free(struct export_report *r);

/* The source of the rows: calls emit(to, row, e) once a row, samples in
 * ascending order, and ends with false where emit does. Called once. */
typedef bool export_emit(void *to, const struct export_row *row,
                         struct err *e);
typedef bool export_source(void *ctx, export_emit *emit, void *to,
                           struct err *e);

struct bundle;

/* Reads the source to its end and checks every row. With a `dir` it writes
 * the whole bundle into a folder beside it and hands that over in *out, to be
 * published or freed; dry it only counts, and *out is NULL. Wrong rows that
 * are not left out refuse (ERR_REFUSED, naming samples) unless dry; so does a
 * target that holds anything but, with `overwrite`, an earlier bundle. On
 * failure nothing is left on the disk. The report is filled as far as it was
 * known, also on failure; the caller frees it. */
bool bundle_make(const struct export_options *o, export_source *fn,
                 void *ctx, struct export_report *report,
                 struct bundle **out, struct err *e);

/* Puts the finished folder in place of its target. On failure the target is
 * what it was. */
bool bundle_publish(struct bundle *b, struct err *e);

/* Removes what was not published. */
void bundle_free(struct bundle **b);

#endif
