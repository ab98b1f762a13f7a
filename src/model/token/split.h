/* How a text is cut into words before merging: the pattern of GPT-2, with or
 * without every digit by itself.
 */
#ifndef MODEL_TOKEN_SPLIT_H
#define MODEL_TOKEN_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the piece that begins at s (n > 0 bytes left): one numeric
 * character, or everything up to the next one. */
size_t split_number(const char *s, size_t n);

/* The length of the word that begins at s (n > 0 bytes left), as the pattern
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * has it. Bytes that are not UTF-8 are each a sign of their own. */
size_t split_word(const char *s, size_t n);

#endif
