/* The server's door. Connections are let in while there is room, the rest wait
 * outside, where the system queues them; and who is in has so long for what is
 * expected of them, however busy they look: a client that drips a byte now and
 * then is shown out as one that sends nothing.
 */
#ifndef SERVE_DOOR_H
#define SERVE_DOOR_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

struct door;

/* Room for so many connections, each with `first_ms` for its headers, from the
 * moment it comes in. */
struct door *door_new(size_t room, int64_t first_ms);

/* The daemon's MHD_OPTION_NOTIFY_CONNECTION; ctx is the door. */
void door_notify(void *ctx, struct MHD_Connection *c, void **guest,
                 enum MHD_ConnectionNotificationCode what);

/* Lets in who comes to the listening socket, in a thread of its own; false
 * where there is none to be had. The daemon has no socket to listen on. */
bool door_open(struct door *d, struct MHD_Daemon *m, int listening);

/* From now on the connection has so many milliseconds; 0: as many as it
 * likes. */
void door_allow(struct door *d, struct MHD_Connection *c, int64_t ms);

/* Whether more than half of the room is taken: nobody is asked to stay. */
bool door_is_crowded(struct door *d);

/* Nobody comes in any more; where it never opened this does nothing. */
void door_close(struct door *d);
/* Frees it, after the daemon has ended. */
void door_free(struct door **d);

#endif
