#include "verbs/asked.h"

/* Calls of before had no other maker than the one that they came from. */
struct asked asked_read(const struct call *c, const json *params)
{
    return (struct asked){
        .text = json_get_int(params, "prompt", 0),
        .seed = json_get_int(params, "seed_row", 0),
        .call = json_get_int(params, "made", c->from_call),
        .item = json_get_int(params, "made_item", c->from_item),
        .near = near_found_read(params)};
}

void asked_write(const struct asked *a, struct jw *w)
{
    if (!a->text)
        return;
    jw_kint(w, "prompt", a->text);
    jw_kint(w, "seed_row", a->seed);
    jw_kint(w, "made", a->call);
    jw_kint(w, "made_item", a->item);
    near_found_write(&a->near, w);
}
