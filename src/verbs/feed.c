/* The calls of the steps that live on an item. */
#include <stdlib.h>

#include "base/lang.h"
#include "store/text.h"
#include "verbs/arrival.h"

/* The parameters of the k-th call of a step for an item. */
static void call_params(const struct arrival *x, const struct arriving *it,
                        int64_t place, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kint(&w, "split", x->split);
    asked_write(&it->asked, &w);
    jw_kint(&w, "seed", (json_get_int(x->params, "seed", 1) +
                         (int64_t)it->item->index * 31 + place * 7 + 1) &
                            0x7fffffff);
    if (json_get(x->params, "temperature"))
        jw_knum(&w, "temperature",
                json_get_number(x->params, "temperature", 0));
    jw_close(&w);
}

/* The messages of a step for the item, as a text of the store; 0 on failure. */
static int64_t render(struct arrival *x, const struct recipe_step *s,
                      const struct arriving *it, struct err *e)
{
    struct recipe_bindings b = {.chain = &it->chain};
    struct chat prompt = {0}, asked;
    struct buf text = BUF_INIT(0);
    char *own = it->asked.text ? text_get(x->v->s, it->asked.text, NULL) : NULL;
    int64_t id = 0;
    target_bind(&x->v->words, &b);
    bool ok = !it->asked.text || (own && chat_parse(own, &prompt, e));
    b.prompt = own && ok ? &prompt : NULL;
    if (ok && recipe_render(s, &b, &asked, e)) {
        chat_print(&asked, &text);
        chat_free(&asked);
        id = text_put(x->v->s, buf_str(&text), text.len, e);
    }
    chat_free(&prompt);
    buf_free(&text);
    free(own);
    return id;
}

/* All calls of one step; `place` counts those for this item. */
static bool plan_step(struct arrival *x, const struct recipe_step *s,
                      const struct arriving *it, int64_t *place,
                      struct err *e)
{
    struct arrivals *v = x->v;
    int64_t step = s - v->r->steps + 1;
    size_t times = recipe_times(s, (size_t)v->answers);
    int64_t rendered = render(x, s, it, e);
    bool ok = rendered != 0;
    for (size_t k = 0; ok && k < times; k++, ++*place) {
        struct buf params = BUF_INIT(0);
        call_params(x, it, *place, &params);
        struct call c = {.job = v->job.id, .step = step, .attempt = 1,
                         .n = call_next_n(v->s, v->job.id, step),
                         .from_call = x->call.id,
                         .from_item = (int64_t)it->item->index,
                         .prompt_text = rendered,
                         .params = (char *)(uintptr_t)buf_str(&params)};
        int64_t id = call_add(v->s, &c, e);
        ok = id != 0;
        if (ok)
            VEC_PUSH(x->planned, id);
        buf_free(&params);
    }
    return ok;
}

bool feed(struct arrival *x, const struct arriving *it, struct err *e)
{
    const struct recipe *r = x->v->r;
    int64_t place = 0;
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct recipe_step *s = &r->steps[i];
        if (recipe_lives_on(s, x->step) && recipe_passes(s, &it->chain) &&
            !plan_step(x, s, it, &place, e))
            return false;
    }
    return true;
}
