/* A training reads rows and writes its folder: from here on the process makes
 * no socket, starts no program and looks into no other process. */
#ifndef MODEL_LEARN_SANDBOX_H
#define MODEL_LEARN_SANDBOX_H

#include <stdbool.h>

/* For all threads, for good (a seccomp filter). False where the kernel, or
 * this kind of processor, has none; then nothing has changed. */
bool sandbox_enter(void);

#endif
