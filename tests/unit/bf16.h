/* Numbers as bfloat16 has them, for tests and benches. */
#ifndef UNIT_BF16_H
#define UNIT_BF16_H

#include <stddef.h>
#include <stdint.h>

#include "model/net/real.h"

/* Cuts each to what bfloat16 holds. */
static inline void round_to_bf16(real *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        union {
            float f;
            uint32_t bits;
        } v = {(float)x[i]};
        v.bits &= 0xffff0000;
        x[i] = (real)v.f;
    }
}

#endif
