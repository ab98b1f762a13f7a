/* What an export comes to: counts, findings, files and members. The bundle
 * fills it, the card, the lock and whoever asked read it.
 */
#ifndef EXPORT_REPORT_H
#define EXPORT_REPORT_H

#include "export/row.h"

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
    char *swept;        /* folders that killed exports had left; NULL: none */
    char *restored;     /* the earlier bundle, which one of these had set
                           aside, was put back from there; NULL: none */
    int64_t compared;   /* prompts held against others, for near */
};

/* The rows of all splits of a shape. */
int64_t export_rows(const struct export_report *r, enum shape s);
/* The most rows that a shape has. */
int64_t export_most_rows(const struct export_report *r);

/* Notes that a check found something in the sample's row: each once. */
void report_find(struct export_report *r, enum row_check c, int64_t sample);
bool report_has_findings(const struct export_report *r);
/* Notes that a row is not written: for a check, or (-1) because it was asked
 * for. */
void report_leave(struct export_report *r, const struct export_row *row,
                  int check);

void export_report_free(struct export_report *r);

#endif
