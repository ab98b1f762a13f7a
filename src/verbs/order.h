/* A person's order of a sample's answers. */
#ifndef VERBS_ORDER_H
#define VERBS_ORDER_H

#include "domain/order.h"
#include "verbs/decide.h"

/* Writes the order (places by the sample's candidates, in their order) and
 * accepts the sample with its first place; of a tie `first` stands for it.
 * One decision. */
enum decided verb_order(struct store *s, const char *who, int64_t sample,
                        const struct order *order, int64_t first,
                        int64_t base_seq, struct other *other,
                        struct err *e);

#endif
