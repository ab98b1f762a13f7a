/* What the searches for like prompts share: one step of the longest common
 * subsequence, bit by bit (Hyyrö 2004), and how many words two texts of given
 * lengths have to share for an F (rouge.h).
 */
#ifndef DOMAIN_LCS_H
#define DOMAIN_LCS_H

#include <stddef.h>
#include <stdint.h>

/* Blocks of 64 bits that a text of n words takes. */
#define LCS_BLOCKS(n) (((n) + 63) / 64)

/* Before the first word, all bits of v set; then one step for each word of
 * the other text, `mask` having a bit where it stands in ours. */
void lcs_step(uint64_t *v, const uint64_t *mask, size_t blocks);
/* The length that has come of it; n words are ours. */
size_t lcs_length(const uint64_t *v, size_t n);

/* How many words texts of n and m words have to share to reach f, or to pass
 * it. May be more than either has. */
size_t lcs_to_reach(double f, size_t n, size_t m);
size_t lcs_to_pass(double f, size_t n, size_t m);

#endif
