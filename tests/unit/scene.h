/* A stage for tests of the teacher client: one scripted teacher, scenes with
 * a real client each, and what the teacher logged. Everything fails the test
 * that it is called from.
 */
#ifndef UNIT_SCENE_H
#define UNIT_SCENE_H

#include "test.h"

#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "teacher/client.h"

/* The key that every scene sends. */
extern const char scene_secret[];

/* The scripted teacher that all tests of a program share. */
extern struct house {
    pid_t pid;
    int port;
    char *log;
} house;

/* What one ask was told. */
struct seen {
    int sent, again, ended;
    int attempts, try;
    int64_t wait; /* of the last NEWS_AGAIN */
    enum ask_state state;
    int http;
    unsigned without;
    bool echoed, veto;
    char *text, *finish, *error, *raw; /* of the first choice */
    bool complete;
    size_t choices;
    int64_t tokens_in, tokens_out;
    struct client *cancel; /* cancels all at the first NEWS_SENT */
};

struct scene {
    struct loop *loop;
    struct profile p;
    struct client *c;
    struct chat chat;
    struct ask ask;
    struct seen seen;
};

char *copy(const char *s);
void seen_free(struct seen *s);
/* The client's callback; ctx is a struct seen. */
bool on_news(void *ctx, const struct news *n);

/* Sets a scene: a client whose waits are a hundredth long. */
void open_scene(struct scene *s, const char *model, const char *prompt);
void close_scene(struct scene *s);
/* A new client for the scene, after its profile was changed. */
void renew_client(struct scene *s, const char *socket);
/* Runs the loop until nothing is pending. */
void run(struct scene *s);
/* Asks and runs. */
void ask(struct scene *s);
/* A whole scene in one call; the caller closes it. */
void play(struct scene *s, const char *model, const char *prompt);
/* The model's fault ends an ask at its first attempt, with this text. */
void fails_once(const char *model, const char *says, int http);

/* Calls back for each logged request; returns how many had this prompt. */
int logged(const char *prompt, void (*fn)(const json *, void *), void *ctx);
int requests(const char *prompt);
/* For logged: keep the last head or body in a char *. */
void keep_head(const json *j, void *ctx);
void keep_body(const json *j, void *ctx);

/* Starts a scripted teacher; `listen` NULL is a port, told in *port. */
pid_t start_teacher(const char *listen, const char *log, int *port);
/* Ends one, and nobody where it could not be started: a pid of 0 would make
 * kill() reach all that make check runs. */
void stop_teacher(pid_t pid);
/* The group's fixtures. */
int start_house(void **state);
int stop_house(void **state);

#endif
