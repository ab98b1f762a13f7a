#include "domain/lcs.h"

void lcs_step(uint64_t *v, const uint64_t *mask, size_t blocks)
{
    uint64_t carry = 0;
    for (size_t k = 0; k < blocks; k++) {
        uint64_t u = v[k] & mask[k];
        uint64_t sum = v[k] + u;
        uint64_t over = sum < u;
        sum += carry;
        over |= sum < carry;
        v[k] = sum | (v[k] & ~mask[k]);
        carry = over;
    }
}

size_t lcs_length(const uint64_t *v, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += !(v[i / 64] >> (i % 64) & 1);
    return len;
}

/* Ratios of whole numbers this small differ by far more than the slack. */

size_t lcs_to_reach(double f, size_t n, size_t m)
{
    double half = f * (double)(n + m) / 2 - 1e-9;
    return half <= 0 ? 0 : (size_t)half + 1;
}

size_t lcs_to_pass(double f, size_t n, size_t m)
{
    return (size_t)(f * (double)(n + m) / 2 + 1e-9) + 1;
}
