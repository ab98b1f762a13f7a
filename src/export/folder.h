/* The target folder of a bundle: whether it may be written, and the swap at
 * the end. Not for other rooms. */
#ifndef EXPORT_FOLDER_H
#define EXPORT_FOLDER_H

#include <stdbool.h>

#include "base/err.h"

/* `path` without slashes at its end. The caller frees. */
char *folder_name(const char *path);

/* True where a bundle may be written there: nothing stands there, or an empty
 * folder, or (with `replace`) an earlier bundle without a foreign file. */
bool folder_check(const char *path, bool replace, struct err *e);

/* Where the file system cannot exchange two names, the earlier bundle is set
 * aside (PATH.old-<pid>) before the new one takes its place. What a process
 * that was killed in between has left so is put back: its name, NULL where
 * there is none. The caller frees. */
char *folder_restore(const char *path);

/* Renames `temp` to `path`, which folder_check has allowed, replacing an
 * earlier bundle; that is then removed. On failure both are what they were. */
bool folder_publish(const char *temp, const char *path, struct err *e);

#endif
