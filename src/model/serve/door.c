#include "model/serve/door.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    TICK_MS = 200, /* between two looks at who is late */
    PAUSE_MS = 100, /* where the system has no descriptors left */
    ARRIVAL_S = 1 /* from the daemon's taking a connection to its being in */
};

/* A connection that is in. Its socket has a second descriptor here: the
 * daemon's own may be closed, and its number another's, at any time. */
struct guest {
    int fd;
    int64_t until; /* monotonic ms; 0: as long as it likes */
    struct guest *next, **at;
};

struct door {
    struct MHD_Daemon *daemon;
    size_t room, inside;
    int64_t first_ms;
    struct guest *guests;
    pthread_mutex_t lock; /* of the guests, how many, and `closing` */
    pthread_cond_t came_in;
    uint64_t came; /* so many so far */
    pthread_t thread;
    int listening;
    int wake[2]; /* written to when one leaves, and at the end */
    bool open, closing;
};

struct door *door_new(size_t room, int64_t first_ms)
{
    struct door *d = xcalloc(1, sizeof *d);
    d->room = room;
    d->first_ms = first_ms;
    d->wake[0] = d->wake[1] = -1;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->came_in, NULL);
    return d;
}

static void ring(struct door *d)
{
    ssize_t ignored = write(d->wake[1], "", 1);
    (void)ignored; /* a full pipe wakes as well */
}

static void come_in(struct door *d, struct MHD_Connection *c, void **guest)
{
    struct guest *g = xcalloc(1, sizeof *g);
    int fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
                 ->connect_fd;
    g->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    g->until = clock_mono() + d->first_ms;
    pthread_mutex_lock(&d->lock);
    g->next = d->guests;
    g->at = &d->guests;
    if (g->next)
        g->next->at = &g->next;
    d->guests = g;
    d->inside++;
    d->came++;
    pthread_cond_signal(&d->came_in);
    pthread_mutex_unlock(&d->lock);
    *guest = g;
}

static void leave(struct door *d, void **guest)
{
    struct guest *g = *guest;
    if (!g)
        return;
    pthread_mutex_lock(&d->lock);
    *g->at = g->next;
    if (g->next)
        g->next->at = g->at;
    d->inside--;
    pthread_mutex_unlock(&d->lock);
    if (g->fd >= 0)
        close(g->fd);
    free(g);
    *guest = NULL;
    ring(d);
}

void door_notify(void *ctx, struct MHD_Connection *c, void **guest,
                 enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        come_in(ctx, c, guest);
    else
        leave(ctx, guest);
}

void door_allow(struct door *d, struct MHD_Connection *c, int64_t ms)
{
    struct guest *g =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
            ->socket_context;
    pthread_mutex_lock(&d->lock);
    if (g)
        g->until = ms ? clock_mono() + ms : 0;
    pthread_mutex_unlock(&d->lock);
}

bool door_is_crowded(struct door *d)
{
    pthread_mutex_lock(&d->lock);
    bool crowded = d->inside > d->room / 2;
    pthread_mutex_unlock(&d->lock);
    return crowded;
}

/* Who is late is cut off; the daemon then closes the connection. */
static void show_out(struct door *d)
{
    int64_t now = clock_mono();
    pthread_mutex_lock(&d->lock);
    for (struct guest *g = d->guests; g; g = g->next)
        if (g->until && now >= g->until && g->fd >= 0)
            shutdown(g->fd, SHUT_RDWR);
    pthread_mutex_unlock(&d->lock);
}

/* Hands a connection to the daemon and waits until it is in, so that there is
 * never more than there is room for. */
static void hand_over(struct door *d, int fd, const struct sockaddr *a,
                      socklen_t n)
{
    struct timespec until;
    pthread_mutex_lock(&d->lock);
    uint64_t before = d->came;
    pthread_mutex_unlock(&d->lock);
    if (MHD_add_connection(d->daemon, fd, a, n) != MHD_YES)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ARRIVAL_S;
    pthread_mutex_lock(&d->lock);
    while (d->came == before && !pthread_cond_timedwait(&d->came_in, &d->lock,
                                                        &until))
        ;
    pthread_mutex_unlock(&d->lock);
}

static void let_in(struct door *d)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof a;
    int fd = accept4(d->listening, (struct sockaddr *)&a, &n, SOCK_CLOEXEC);
    if (fd >= 0)
        hand_over(d, fd, (struct sockaddr *)&a, n);
    else if (errno != EAGAIN && errno != ECONNABORTED)
        clock_sleep(PAUSE_MS);
}

static void *attend(void *ctx)
{
    struct door *d = ctx;
    for (char bell[64];;) {
        pthread_mutex_lock(&d->lock);
        bool over = d->closing, full = d->inside >= d->room;
        bool empty = !d->inside;
        pthread_mutex_unlock(&d->lock);
        if (over)
            return NULL;
        struct pollfd p[] = {{d->wake[0], POLLIN, 0},
                             {full ? -1 : d->listening, POLLIN, 0}};
        poll(p, COUNT(p), empty ? -1 : TICK_MS);
        while (read(d->wake[0], bell, sizeof bell) == (ssize_t)sizeof bell)
            ;
        show_out(d);
        if (p[1].revents)
            let_in(d);
    }
}

bool door_open(struct door *d, struct MHD_Daemon *m, int listening)
{
    d->daemon = m;
    d->listening = listening;
    fcntl(listening, F_SETFL, O_NONBLOCK); /* who came may have gone again */
    if (pipe2(d->wake, O_CLOEXEC | O_NONBLOCK) < 0)
        return false;
    d->open = pthread_create(&d->thread, NULL, attend, d) == 0;
    return d->open;
}

void door_close(struct door *d)
{
    if (!d->open)
        return;
    d->open = false;
    pthread_mutex_lock(&d->lock);
    d->closing = true;
    pthread_mutex_unlock(&d->lock);
    ring(d);
    pthread_join(d->thread, NULL);
}

void door_free(struct door **d)
{
    if (!*d)
        return;
    for (size_t i = 0; i < 2; i++)
        if ((*d)->wake[i] >= 0)
            close((*d)->wake[i]);
    pthread_cond_destroy(&(*d)->came_in);
    pthread_mutex_destroy(&(*d)->lock);
    free(*d);
    *d = NULL;
}
