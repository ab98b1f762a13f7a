#include "verbs/order.h"

#include "store/text.h"

enum decided verb_order(struct store *s, const char *who, int64_t sample,
                        const struct order *order, int64_t first,
                        int64_t base_seq, struct other *other,
                        struct err *e)
{
    struct act a = {0};
    char text[ORDER_MAX * 3];
    if (!act_begin(s, &a, "order", who, "", base_seq, e))
        return DECIDED_NOT;
    if (!decide_is_first(&a, sample, other, e)) {
        act_cancel(&a);
        return DECIDED_CONFLICT;
    }
    int64_t id = text_puts(s, order_print(order, text), e);
    bool ok = id &&
              act_change(&a, OBJECT_SAMPLE, sample, FIELD_ORDER, id, e) &&
              act_change(&a, OBJECT_SAMPLE, sample, FIELD_STATUS,
                         STATUS_ACCEPTED, e) &&
              act_change(&a, OBJECT_SAMPLE, sample, FIELD_CHOSEN, first, e);
    if (!ok) {
        act_cancel(&a);
        return DECIDED_NOT;
    }
    return decided_of(act_commit(&a, e));
}
