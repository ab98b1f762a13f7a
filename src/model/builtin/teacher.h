/* The built-in teacher: a program that poses problems, answers them, errs on
 * purpose and judges answers. It shows the mechanism of distillation without
 * key or network. Errors are mostly misconceptions: on inputs with a
 * family's trigger it makes the family's named mistake with probability
 * `wrong`; elsewhere one character slips with probability `slips`.
 */
#ifndef BUILTIN_TEACHER_H
#define BUILTIN_TEACHER_H

#include "domain/chat.h"
#include "model/builtin/grammar.h"
#include "recipe/recipe.h"

struct teacher {
    const struct families *families;
    uint64_t seed;
    double wrong; /* P(mistake | trigger), .7 */
    double slips; /* P(slip) elsewhere, .05 */
    double judge; /* P(its verdict on an answer is right), .9 */
};

enum fate { FATE_RIGHT, FATE_MISTAKEN, FATE_SLIPPED };

/* Adds the right answer. */
void teacher_truth(const struct problem *p, struct buf *out);

/* Adds the teacher's answer and tells what became of it. */
enum fate teacher_solve(const struct teacher *t, const struct problem *p,
                        struct rng *r, struct buf *out);

/* True where the answer's final part equals the truth's, exactly but for
 * white space. */
bool teacher_right(const struct problem *p, const char *answer);

/* Poses a problem of the family and language: never one that is held out. */
void teacher_pose(const struct family *f, size_t lang, struct rng *r,
                  struct problem *p, struct buf *prompt);

/* Answers messages. With a step it finds what stood in the step's templates
 * and writes what the step's parser reads: problems of the demonstrations'
 * families, answers, or ratings. Without (NULL), or where the messages are
 * not of the step, it answers the last user message as a plain question. What
 * no family recognises gets one sentence that says what it can do. The reply
 * is a function of the teacher's seed and rates, the messages, the step and
 * `counter`. */
void teacher_reply(const struct teacher *t, const struct recipe_step *step,
                   const struct chat *messages, uint64_t counter,
                   struct buf *out);

#endif
