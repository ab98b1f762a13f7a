#include "model/learn/adamw.h"

#include "base/assert.h"

HOT static void update(real *w, real *m, real *v, real *g, size_t n,
                       real keep, real rate, real b1, real b2, real c2,
                       real eps, real scale)
{
    SIMD()
    for (size_t i = 0; i < n; i++) {
        real d = g[i] * scale;
        g[i] = 0;
        m[i] = b1 * m[i] + (1 - b1) * d;
        v[i] = b2 * v[i] + (1 - b2) * d * d;
        w[i] = w[i] * keep - rate * m[i] / ((real)sqrtf((float)v[i]) * c2 +
                                            eps);
    }
}

void adamw_update(const struct adamw *a, struct llama *model, real *m, real *v,
                  real *g, size_t lo, size_t hi)
{
    must(a->step >= 1); /* else the moments are divided by 0 */
    double c1 = 1 - pow(a->beta1, (double)a->step);
    double c2 = 1 / sqrt(1 - pow(a->beta2, (double)a->step));
    for (size_t i = 0; i < model->n_weights; i++) {
        const struct weight *w = &model->weight[i];
        if (w->offset < model->first)
            continue;
        size_t from = w->offset - model->first;
        size_t to = from + w->rows * (w->cols ? w->cols : 1);
        from = from < lo ? lo : from;
        to = to > hi ? hi : to;
        if (from >= to)
            continue;
        must(from >= lo && to <= hi);
        double keep = w->cols ? 1 - a->rate * a->decay : 1;
        update(llama_at(model, model->first) + from, m + from, v + from,
               g + from, to - from, (real)keep, (real)(a->rate / c1),
               (real)a->beta1, (real)a->beta2, (real)c2, (real)a->eps,
               (real)a->scale);
    }
}

HOT double adamw_squares(const real *g, size_t n)
{
    double sum = 0;
    SIMD(reduction(+ : sum))
    for (size_t i = 0; i < n; i++)
        sum += (double)g[i] * (double)g[i];
    return sum;
}

double rate_at(enum schedule kind, double peak, double floor, int64_t warm,
               int64_t steps, int64_t step)
{
    if (step < warm)
        return peak * (double)step / (double)warm;
    double left = (double)(steps - warm), done = (double)(step - warm);
    double x = left > 0 ? done / left : 1;
    double high = kind == SCHEDULE_CONSTANT ? 1
                  : kind == SCHEDULE_LINEAR
                      ? 1 - x
                      : .5 * (1 + cos(3.14159265358979 * x));
    return peak * (floor + (1 - floor) * high);
}
