/* Random numbers: a seeded generator whose sequence is the same on every
 * machine (xoshiro256**, seeded by splitmix64; Blackman and Vigna 2018), and
 * the system's own for ids. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

/* Starts the sequence that belongs to `seed`; the next 64 bits of it. */
void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
/* Evenly from 0 to n-1; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Evenly from [0, 1). */
double rng_unit(struct rng *r);
/* Standard normal (Box-Muller). */
double rng_normal(struct rng *r);
/* Fills p from the system's generator. */
void rng_system(void *p, size_t n);

#endif
