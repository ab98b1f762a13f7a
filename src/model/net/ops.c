#include "model/net/ops.h"

#include <string.h>

HOT void embed_backward(real *dw, const real *dx, const int32_t *ids, int T,
                        int h, int lo, int hi)
{
    for (int t = 0; t < T; t++) {
        real *to = dw + (size_t)ids[t] * (size_t)h;
        const real *from = dx + (size_t)t * (size_t)h;
        SIMD()
        for (int i = lo; i < hi; i++)
            to[i] += from[i];
    }
}

HOT void scale_by(real *x, double by, size_t n)
{
    real f = (real)by;
    SIMD()
    for (size_t i = 0; i < n; i++)
        x[i] *= f;
}

/* 1/sqrt(mean(x^2) + eps) of one row. */
static inline real row_rstd(const real *x, int h, double eps)
{
    real sum = 0;
    SIMD(reduction(+ : sum))
    for (int i = 0; i < h; i++)
        sum += x[i] * x[i];
    return (real)(1 / sqrt((double)sum / h + eps));
}

HOT void rms_forward(real *y, real *rstd, const real *x, const real *gain,
                     real plus, int T, int h, double eps)
{
    for (int t = 0; t < T; t++, x += h, y += h) {
        real r = rstd[t] = row_rstd(x, h, eps);
        SIMD()
        for (int i = 0; i < h; i++)
            y[i] = x[i] * r * (gain[i] + plus);
    }
}

HOT void rms_backward(real *dx, const real *dy, const real *x,
                      const real *gain, real plus, const real *rstd, int T,
                      int h)
{
    for (int t = 0; t < T; t++, x += h, dx += h, dy += h) {
        real r = rstd[t], sum = 0;
        SIMD(reduction(+ : sum))
        for (int i = 0; i < h; i++)
            sum += dy[i] * (gain[i] + plus) * x[i];
        real c = r * r * r * sum / (real)h;
        SIMD()
        for (int i = 0; i < h; i++)
            dx[i] += dy[i] * (gain[i] + plus) * r - x[i] * c;
    }
}

HOT void rms_gain_backward(real *dgain, const real *dy, const real *x,
                           const real *rstd, int T, int h, int lo, int hi)
{
    for (int t = 0; t < T; t++, x += h, dy += h) {
        real r = rstd[t];
        SIMD()
        for (int i = lo; i < hi; i++)
            dgain[i] += dy[i] * x[i] * r;
    }
}

void rms_heads_forward(real *x, int ld, real *rstd, const real *gain,
                       real plus, int T, int heads, int d, double eps)
{
    for (int t = 0; t < T; t++)
        for (int h = 0; h < heads; h++) {
            real *row = x + (size_t)t * (size_t)ld + (size_t)(h * d);
            rms_forward(row, rstd + t * heads + h, row, gain, plus, 1, d,
                        eps);
        }
}

void rms_heads_backward(real *dx, int ld, const real *raw, int ldr,
                        const real *gain, real plus, const real *rstd, int T,
                        int heads, int d)
{
    for (int t = 0; t < T; t++)
        for (int h = 0; h < heads; h++) {
            real *row = dx + (size_t)t * (size_t)ld + (size_t)(h * d);
            const real *x = raw + (size_t)t * (size_t)ldr + (size_t)(h * d);
            real r = rstd[t * heads + h], sum = 0;
            for (int i = 0; i < d; i++)
                sum += row[i] * (gain[i] + plus) * x[i];
            real c = r * r * r * sum / (real)d;
            for (int i = 0; i < d; i++)
                row[i] = row[i] * (gain[i] + plus) * r - x[i] * c;
        }
}

void rms_heads_gain_backward(real *dgain, const real *dy, int ld,
                             const real *raw, int ldr, const real *rstd,
                             int T, int heads, int d, int lo, int hi)
{
    for (int t = 0; t < T; t++)
        for (int h = 0; h < heads; h++) {
            const real *row = dy + (size_t)t * (size_t)ld + (size_t)(h * d);
            const real *x = raw + (size_t)t * (size_t)ldr + (size_t)(h * d);
            real r = rstd[t * heads + h];
            for (int i = lo; i < hi; i++)
                dgain[i] += row[i] * x[i] * r;
        }
}

HOT void layer_norm_forward(real *y, real *mean, real *rstd, const real *x,
                            const real *gain, const real *bias, int T, int h,
                            double eps)
{
    for (int t = 0; t < T; t++, x += h, y += h) {
        double sum = 0, square = 0;
        SIMD(reduction(+ : sum))
        for (int i = 0; i < h; i++)
            sum += (double)x[i];
        double m = sum / h;
        SIMD(reduction(+ : square))
        for (int i = 0; i < h; i++)
            square += ((double)x[i] - m) * ((double)x[i] - m);
        real r = rstd[t] = (real)(1 / sqrt(square / h + eps));
        real mid = mean[t] = (real)m;
        SIMD()
        for (int i = 0; i < h; i++)
            y[i] = (x[i] - mid) * r * gain[i] + bias[i];
    }
}

HOT void layer_norm_backward(real *dx, const real *dy, const real *x,
                             const real *gain, const real *mean,
                             const real *rstd, int T, int h)
{
    for (int t = 0; t < T; t++, x += h, dx += h, dy += h) {
        real r = rstd[t], m = mean[t], sum = 0, dot = 0;
        SIMD(reduction(+ : sum, dot))
        for (int i = 0; i < h; i++) {
            sum += dy[i] * gain[i];
            dot += dy[i] * gain[i] * (x[i] - m) * r;
        }
        sum /= (real)h;
        dot /= (real)h;
        SIMD()
        for (int i = 0; i < h; i++) {
            real n = (x[i] - m) * r;
            dx[i] += (dy[i] * gain[i] - sum - n * dot) * r;
        }
    }
}

HOT void layer_norm_gain_backward(real *dgain, real *dbias, const real *dy,
                                  const real *x, const real *mean,
                                  const real *rstd, int T, int h, int lo,
                                  int hi)
{
    for (int t = 0; t < T; t++, x += h, dy += h) {
        real r = rstd[t], m = mean[t];
        SIMD()
        for (int i = lo; i < hi; i++) {
            dgain[i] += dy[i] * ((x[i] - m) * r);
            dbias[i] += dy[i];
        }
    }
}

void bias_forward(real *x, const real *b, int T, int w)
{
    for (int t = 0; t < T; t++)
        add_to(x + (size_t)t * (size_t)w, b, (size_t)w);
}

void bias_backward(real *db, const real *dx, int T, int w, int lo, int hi)
{
    for (int t = 0; t < T; t++)
        add_to(db + lo, dx + (size_t)t * (size_t)w + lo, (size_t)(hi - lo));
}

void rope_tables(real *cosine, real *sine, int positions, int d,
                 const float *inverse)
{
    for (int i = 0; i < d / 2; i++) {
        for (int p = 0; p < positions; p++) {
            float angle = (float)p * inverse[i];
            cosine[(size_t)p * (size_t)(d / 2) + (size_t)i] =
                (real)cos((double)angle);
            sine[(size_t)p * (size_t)(d / 2) + (size_t)i] =
                (real)sin((double)angle);
        }
    }
}

/* One head's halves a and b, turned by the angles of one position. */
static inline void turn(real *a, real *b, const real *c, const real *s,
                        real sign, int half)
{
    SIMD()
    for (int i = 0; i < half; i++) {
        real x = a[i], y = b[i], z = sign * s[i];
        a[i] = x * c[i] - y * z;
        b[i] = y * c[i] + x * z;
    }
}

HOT static void rotate(real *x, int ld, const int32_t *pos, int T, int heads,
                       int d, const real *cosine, const real *sine, real sign)
{
    int half = d / 2;
    for (int t = 0; t < T; t++) {
        const real *c = cosine + (size_t)pos[t] * (size_t)half;
        const real *s = sine + (size_t)pos[t] * (size_t)half;
        for (int h = 0; h < heads; h++) {
            real *a = x + (size_t)t * (size_t)ld + (size_t)(h * d);
            turn(a, a + half, c, s, sign, half);
        }
    }
}

void rope_forward(real *x, int ld, const int32_t *pos, int T, int heads,
                  int d, const real *cosine, const real *sine)
{
    rotate(x, ld, pos, T, heads, d, cosine, sine, 1);
}

void rope_backward(real *dx, int ld, const int32_t *pos, int T, int heads,
                   int d, const real *cosine, const real *sine)
{
    rotate(dx, ld, pos, T, heads, d, cosine, sine, -1);
}

HOT void swiglu_forward(real *a, const real *gu, int T, int f)
{
    for (int t = 0; t < T; t++, a += f, gu += 2 * f) {
        const real *g = gu, *u = gu + f;
        SIMD()
        for (int i = 0; i < f; i++)
            a[i] = g[i] / (1 + real_exp(-g[i])) * u[i];
    }
}

HOT void swiglu_backward(real *dgu, const real *da, const real *gu, int T,
                         int f)
{
    for (int t = 0; t < T; t++, da += f, gu += 2 * f, dgu += 2 * f) {
        const real *g = gu, *u = gu + f;
        real *dg = dgu, *du = dgu + f;
        SIMD()
        for (int i = 0; i < f; i++) {
            real s = 1 / (1 + real_exp(-g[i]));
            du[i] = da[i] * g[i] * s;
            dg[i] = da[i] * u[i] * s * (1 + g[i] * (1 - s));
        }
    }
}

/* GELU and its derivative at x. */
static inline real gelu(enum activation k, real x, real *slope)
{
    if (k == ACT_GELU_ERF) {
        double cdf = .5 * (1 + erf((double)x * M_SQRT1_2));
        double pdf = .3989422804014327 * exp(-.5 * (double)x * (double)x);
        *slope = (real)(cdf + (double)x * pdf);
        return (real)((double)x * cdf);
    }
    double z = .7978845608028654 * ((double)x + .044715 * (double)x *
                                                    (double)x * (double)x);
    double t = tanh(z);
    double dz = .7978845608028654 * (1 + 3 * .044715 * (double)x * (double)x);
    *slope = (real)(.5 * (1 + t) + .5 * (double)x * (1 - t * t) * dz);
    return (real)(.5 * (double)x * (1 + t));
}

void act_forward(enum activation k, bool gated, real *a, const real *u, int T,
                 int f)
{
    real slope;
    if (k == ACT_SILU && gated) {
        swiglu_forward(a, u, T, f);
        return;
    }
    for (int t = 0; t < T; t++, a += f, u += gated ? 2 * f : f)
        for (int i = 0; i < f; i++)
            a[i] = gelu(k, u[i], &slope) * (gated ? u[f + i] : 1);
}

void act_backward(enum activation k, bool gated, real *du, const real *da,
                  const real *u, int T, int f)
{
    int w = gated ? 2 * f : f;
    if (k == ACT_SILU && gated) {
        swiglu_backward(du, da, u, T, f);
        return;
    }
    for (int t = 0; t < T; t++, da += f, u += w, du += w)
        for (int i = 0; i < f; i++) {
            real slope, g = gelu(k, u[i], &slope);
            du[i] = da[i] * slope * (gated ? u[f + i] : 1);
            if (gated)
                du[f + i] = da[i] * g;
        }
}

HOT void add_to(real *x, const real *y, size_t n)
{
    SIMD()
    for (size_t i = 0; i < n; i++)
        x[i] += y[i];
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void drop(real *x, int T, int width, double p, uint64_t key, int64_t first,
          const int32_t *row)
{
    if (p <= 0)
        return;
    real up = (real)(1 / (1 - p));
    uint64_t limit = (uint64_t)(p * 18446744073709551616.0);
    for (int t = 0; t < T; t++, x += width) {
        uint64_t at = key + (uint64_t)(first + (row ? row[t] : t)) *
                                (uint64_t)width;
        for (int i = 0; i < width; i++) {
            uint64_t bits = mix((at + (uint64_t)i) * 0x9e3779b97f4a7c15u);
            x[i] = bits < limit ? 0 : x[i] * up;
        }
    }
}

void keep_rows(real *x, const int32_t *row, int n, int width)
{
    for (int i = 0; i < n; i++)
        memmove(x + (size_t)i * (size_t)width,
                x + (size_t)row[i] * (size_t)width,
                (size_t)width * sizeof *x);
}

void spread_rows(real *x, const int32_t *row, int n, int T, int width)
{
    size_t size = (size_t)width * sizeof *x;
    for (int t = T - 1; t >= 0; t--) {
        real *to = x + (size_t)t * (size_t)width;
        if (n > 0 && row[n - 1] == t)
            memmove(to, x + (size_t)--n * (size_t)width, size);
        else
            memset(to, 0, size);
    }
}

HOT real row_max(const real *x, int n)
{
    real m[8]; /* eight at a time, a form that compilers know */
    int i = 0;
    for (int j = 0; j < 8; j++)
        m[j] = x[0];
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++)
            m[j] = x[i + j] > m[j] ? x[i + j] : m[j];
    for (; i < n; i++)
        m[0] = x[i] > m[0] ? x[i] : m[0];
    for (int j = 1; j < 8; j++)
        m[0] = m[j] > m[0] ? m[j] : m[0];
    return m[0];
}

HOT double softmax_loss(real *logits, int V, int target, real scale, int *top)
{
    real max = row_max(logits, V), at_target = logits[target], sum = 0;
    *top = 0;
    while (*top < V - 1 && logits[*top] < max)
        ++*top;
    SIMD(reduction(+ : sum))
    for (int i = 0; i < V; i++) {
        logits[i] = real_exp(logits[i] - max);
        sum += logits[i];
    }
    real by = scale / sum;
    SIMD()
    for (int i = 0; i < V; i++)
        logits[i] *= by;
    logits[target] -= scale;
    return (double)(at_target - max) - log((double)sum);
}
