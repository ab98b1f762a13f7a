/* Problems, marks and students' answers, asked of `stillroom-model` in
 * children: what the demonstration is judged by. None of it enters a store.
 */
#ifndef DEMO_MARKS_H
#define DEMO_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

/* A row whose answer is right or wrong. The strings are owned. */
struct mark {
    char *prompt; /* canonical messages */
    char *answer; /* canonical body; of a problem: the truth */
    char *truth;  /* as text; NULL for a problem, or where none is known */
    bool right, trigger;
};

typedef VEC(struct mark) mark_list;

void marks_free(mark_list *m);

/* Appends a row to mark: {"id":N,"prompt":[...],"answer":{...}}. */
void marks_row(struct buf *rows, int64_t id, const char *prompt,
               const char *answer);

/* `problems`: count problems of a set (H1, H2) with their answers, none
 * twice; with `teacher` the erring teacher's answers to the same ones, and
 * whether each is right. */
bool marks_problems(const char *set, int64_t count, int64_t seed,
                    bool teacher, mark_list *out, struct err *e);

/* `solve`: marks rows, in their order. */
bool marks_solve(const struct buf *rows, mark_list *out, struct err *e);

/* `eval`: a student's greedy answers to the problems, marked; `file` is
 * written with the problems and left there. */
bool marks_student(const char *student, const mark_list *problems,
                   const char *file, mark_list *out, struct err *e);

/* For each problem the answer of the training row whose prompt is most like
 * it, marked. Likeness is Dice's coefficient over the sets of trigrams of
 * bytes of the last user message; of equals the first. `rows` is a file of
 * training rows. */
bool marks_nearest(const char *rows, const mark_list *problems,
                   mark_list *out, struct err *e);

#endif
