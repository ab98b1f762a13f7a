/* The Rank view's state: answers of one sample to be put in order, blind
 * first. */
#ifndef APP_RANK_H
#define APP_RANK_H

#include "app/list.h"
#include "domain/order.h"
#include "store/sample.h"

/* An order that was given to a sample and is not written yet. */
struct given {
    int64_t sample, answers; /* the sum of their ids */
    struct order order;
};

struct rank_state {
    ids queue;       /* samples that a judge scored and nobody ordered */
    size_t at;       /* in the queue */
    struct list list; /* 1 .. n: the letters */
    struct sample now;
    size_t shown[ORDER_MAX]; /* letter i shows candidates.at[shown[i]] */
    struct order order;      /* places by letter */
    bool touched;            /* the person has given an order */
    VEC(struct given) given; /* to samples that were left since */
    bool blind;
    bool diff;            /* the answer stands as a diff, see rank_other */
    int scroll;           /* of the texts, in rows */
    size_t scroll_of;     /* the letter whose text that is */
    bool beside;          /* all texts are side by side, and scroll so */
    bool ends[ORDER_MAX]; /* by letter: its text's end is in the picture */
    bool read[ORDER_MAX]; /* it was on the screen */
    int64_t seen;
};

/* One letter's judge figures. */
struct judged {
    double mean;          /* NAN: none */
    int place;            /* by the mean */
    size_t n;
    const struct score *scores[8]; /* by aspect */
};
struct app;
struct judged rank_judged(const struct app *a, size_t letter);
/* The letter that the one under the cursor is held against: of those placed
 * best among the others, the first. */
size_t rank_other(const struct app *a);
/* What the picture shows to its end is read, once it is on the screen. */
void rank_painted(struct app *a);
/* Keys of the question whether an order is kept that was not touched, or of
 * answers that were not read. */
bool rank_order_key(struct app *a, const char *key);


#endif
