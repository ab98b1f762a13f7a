#include "model/learn/need.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "model/learn/pack.h"

enum { SMALL_RANK = 16 }; /* of the LoRA that is offered instead */

struct need need_of(const struct llama *m, const struct settings *s,
                    int64_t longest, int workers)
{
    struct work_shape shape = {
        pack_room(m, s->recompute, longest, s->batch_tokens), (int)longest,
        workers, s->recompute};
    int64_t one = sizeof(real), frozen = (int64_t)(m->n - llama_trained(m));
    if (m->w16)
        frozen = frozen * (int64_t)sizeof *m->w16 / one;
    return (struct need){(frozen + (int64_t)llama_trained(m)) * one,
                         3 * (int64_t)llama_trained(m) * one,
                         (int64_t)work_bytes(m, &shape)};
}

/* The number behind `name` in a file of lines, or the file's only one where
 * name is NULL; -1 where there is none. */
static int64_t number_in(const char *path, const char *name)
{
    char line[200];
    int64_t value = -1;
    FILE *f = fopen(path, "re");
    while (f && value < 0 && fgets(line, sizeof line, f)) {
        size_t n = name ? strlen(name) : 0;
        char *end;
        if (name && strncmp(line, name, n))
            continue;
        long long v = strtoll(line + n, &end, 10);
        value = end == line + n ? -1 : v;
    }
    if (f)
        fclose(f);
    return value;
}

int64_t need_available(void)
{
    int64_t kb = number_in("/proc/meminfo", "MemAvailable:");
    int64_t most = number_in("/sys/fs/cgroup/memory.max", NULL);
    int64_t used = number_in("/sys/fs/cgroup/memory.current", NULL);
    int64_t all = kb < 0 ? -1 : kb * 1024;
    if (most > 0 && used >= 0 && (all < 0 || most - used < all))
        all = most > used ? most - used : 0;
    return all;
}

static double gigabytes(int64_t bytes)
{
    return (double)bytes / 1e9;
}

/* What gradient, moments and pass take with other settings. */
static int64_t instead(const struct llama *m, struct settings s,
                       int64_t longest, int workers, bool pairs)
{
    const struct config *c = &m->config;
    s.recompute = true;
    struct need n = need_of(m, &s, longest, workers);
    if (!pairs)
        return n.trained + n.pass;
    /* inputs and outputs of every linear layer; a pair, its gradient and its
     * moments */
    int64_t sides = (int64_t)c->layers *
                    (6 * c->hidden + 2 * config_q(c) + 2 * config_kv(c) +
                     config_up(c) + c->ffn);
    return 4 * SMALL_RANK * sides * (int64_t)sizeof(real) + n.pass;
}

bool need_fits(const struct llama *m, const struct settings *s,
               int64_t longest, int workers, int64_t available,
               struct err *e)
{
    struct need n = need_of(m, s, longest, workers);
    int64_t wanted = n.trained + n.pass;
    struct buf b = BUF_INIT(0);
    if (available < 0 || wanted <= available)
        return true;
    int64_t less = instead(m, *s, longest, workers, false);
    int64_t pairs = instead(m, *s, longest, workers, true);
    if (!s->recompute && less <= available)
        buf_printf(&b, _("; --recompute needs %.1f"), gigabytes(less));
    if (!s->lora && pairs <= available)
        buf_printf(&b, _("; --lora 16 --recompute needs %.1f"),
                   gigabytes(pairs));
    if (!b.len)
        buf_puts(&b, _("; shorter rows (--context) need less"));
    err_set(e, ERR_MEMORY, _("this training needs %.1f GB beside the weights, "
                             "%.1f are free%s"), gigabytes(wanted),
            gigabytes(available), buf_str(&b));
    buf_free(&b);
    return false;
}
