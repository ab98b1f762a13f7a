/* Lists for people: a heading and rows in columns, measured in cells of the
 * terminal. Programs read --json, which has no heading.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/cli.h"

/* A table ends with a column of width 0, which takes the rest of the line. */
struct column {
    const char *head; /* untranslated */
    int width;        /* cells; negative: to the right */
};

/* Prints the heading on standard error, so that a pipe gets the rows alone; and
 * nothing where --json was asked for. */
void table_head(const struct cli *c, const struct column *columns);

/* Prints a row: the format's text, cut into cells at its tabs. What is wider
 * than its column moves the next ones. */
void table_row(const struct column *columns, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
