/* An index of prompts kept in a file beside the store (NAME.runs/near-T), so
 * that nobody has to read all prompts again. It is a cache: what is missing,
 * damaged or not of this store is made anew from the store. It holds keys and
 * hashes of words, no text; as words can be guessed from these, a purge
 * removes it.
 *
 * The file: the words of each prompt, then the prompts (struct near_doc), then
 * by the first bits of their numbers the terms with their lists, the table of
 * these buckets, a checksum for each block of all that, and a trailer. A block
 * is checked when it is read. In memory are the prompts, the tables and a
 * number of blocks.
 */
#ifndef VERBS_NEAR_FILE_H
#define VERBS_NEAR_FILE_H

#include "base/err.h"
#include "base/sha256.h"
#include "domain/rouge.h"

/* What a file holds: all prompts of a target's seeds and samples up to these
 * ids, as they were at that decision. */
struct near_cover {
    char store[40];
    int64_t target, seed, sample, seq;
    uint8_t hash[SHA_SIZE]; /* of the decision */
};

struct near_file;

/* NULL where there is none or it is damaged. Freed with near_file_close. */
struct near_file *near_file_open(const char *path);
void near_file_close(struct near_file **f);
/* Borrowed. */
const struct near_cover *near_file_cover(const struct near_file *f);
const struct near_below *near_file_below(const struct near_file *f);

/* Passes over every prompt whose bit (by its number, 64 to a word) is not
 * set. */
void near_file_keep(struct near_file *f, const uint64_t *bits);
/* The number of a key: seeds (below 0) come first, then samples, each by their
 * ids. False where it is not there. */
bool near_file_find(const struct near_file *f, int64_t key, size_t *number);

/* Writes one: prompts in the order above, then the end, which puts the file in
 * its place (0600); nothing is there before, and nothing is left where it
 * fails. near_write_end frees, NULL cover: gives it up. */
struct near_writer;
struct near_writer *near_write_begin(const char *path, struct err *e);
void near_write(struct near_writer *w, int64_t key, const char *text);
bool near_write_end(struct near_writer **w, const struct near_cover *cover,
                    struct err *e);

#endif
