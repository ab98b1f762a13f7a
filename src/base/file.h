/* Files: read whole under a ceiling, read by lines, replaced atomically. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Opens a regular file for reading and says what it is; -1 with the reason. */
int file_open(const char *path, struct stat *st, struct err *e);

/* Appends the file's bytes to out. Only regular files, at most `max` bytes. */
bool file_read(const char *path, size_t max, struct buf *out, struct err *e);

/* Puts the folder that `path` stands in on the disk, as far as the system
 * lets us: after a rename. */
void file_sync_folder(const char *path);

/* Replaces `path` by n bytes: a temporary beside it (O_EXCL, `mode`), fsync
 * of file and folder where `sync`, rename. On failure nothing has changed
 * and no temporary is left. */
bool file_replace(const char *path, const void *p, size_t n, mode_t mode,
                  bool sync, struct err *e);

/* Writes all n bytes to fd, going on after short writes and EINTR. */
bool fd_write_all(int fd, const void *p, size_t n);

/* Makes the folder and its missing parents, each with `mode`. */
bool dir_make(const char *path, mode_t mode, struct err *e);

/* Removes a folder and all in it, never following a link. */
bool dir_remove(const char *path, struct err *e);

/* Removes the folders PREFIX<pid> of processes that are gone: what kill -9
 * left of a folder that was being made. Their names are appended to `names`
 * (NULL: nobody asks), between blanks. */
void dir_sweep(const char *prefix, struct buf *names);

/* The path of one of these that is still there, NULL where there is none. The
 * caller frees. */
char *dir_left(const char *prefix);

/* Whether a file can hold a key: a regular one of this user that nobody else
 * can read. */
bool file_is_secret(const char *path, struct err *e);

/* Whether anything stands at that path, links followed. */
bool file_exists(const char *path);

/* Both parts with one slash between; `b` alone where it is absolute. The
 * caller frees. */
char *path_join(const char *a, const char *b);

/* The part behind the last slash, borrowed. */
const char *path_base(const char *path);

/* The folder part, "." where there is none. The caller frees. */
char *path_dir(const char *path);

/* A reader by lines for files of any size: memory is bounded by the longest
 * line that is allowed. CR before LF is dropped; a byte order mark at the
 * start of the file is dropped. */
struct lines {
    int fd;
    char *chunk;
    size_t at, filled;
    struct buf line;
    uint64_t number; /* of the line in `line`, from 1 */
    uint64_t offset; /* of its first byte */
    uint64_t next;   /* offset of the next one */
    bool too_long;   /* it was over the ceiling: `line` holds its beginning */
    bool failed;     /* reading broke off; errno-like text in the err */
};

/* Opens a file to be read line by line; longer lines than `max_line` bytes
 * are reported, not kept. lines_close ends it. */
bool lines_open(struct lines *l, const char *path, size_t max_line,
                struct err *e);
/* Reads from an open descriptor of any kind (lines_close closes it). */
void lines_from(struct lines *l, int fd, size_t max_line);
/* The next line into l->line (without its end); false at the end of the file
 * or where reading failed (then l->failed and e are set). */
bool lines_next(struct lines *l, struct err *e);
void lines_close(struct lines *l);

#endif
