#include "base/sig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int ends[2] = {-1, -1};

static void handler(int signo)
{
    int saved = errno;
    unsigned char b = (unsigned char)signo;
    ssize_t ignored = write(ends[1], &b, 1);
    (void)ignored;
    errno = saved;
}

static void set(int signo, void (*fn)(int))
{
    struct sigaction sa = {.sa_handler = fn, .sa_flags = SA_RESTART};
    sigemptyset(&sa.sa_mask);
    sigaction(signo, &sa, NULL);
}

void sig_start(void)
{
    int fd;
    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= 2)
        ;
    if (fd > 2)
        close(fd);
    set(SIGPIPE, SIG_IGN);
    set(SIGXFSZ, SIG_IGN);
}

void sig_catch(int signo)
{
    if (ends[0] < 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return;
    set(signo, handler);
}

void sig_release(int signo)
{
    set(signo, SIG_DFL);
}

int sig_fd(void)
{
    return ends[0];
}

int sig_next(void)
{
    unsigned char b;
    return ends[0] >= 0 && read(ends[0], &b, 1) == 1 ? b : 0;
}
