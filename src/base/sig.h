/* Signals to a self-pipe: the handlers write one byte and nothing else, the
 * one poll loop reads them. The only user of sigaction for caught signals. */
#ifndef BASE_SIG_H
#define BASE_SIG_H

#include <stdbool.h>

/* Ignores SIGPIPE and SIGXFSZ and reopens missing standard descriptors on
 * /dev/null. Call first in main, before anything is opened. */
void sig_start(void);

/* Catches a signal from now on. */
void sig_catch(int signo);
/* Gives it back to the system's default. */
void sig_release(int signo);

/* The descriptor to poll for reading. */
int sig_fd(void);

/* The next signal that came, 0 where there is none. */
int sig_next(void);

#endif
