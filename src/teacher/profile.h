/* Teacher profiles: which endpoint answers, under what name, with which key,
 * at what price. They are the sections [teacher NAME] of the user's config,
 * $XDG_CONFIG_HOME/stillroom/config; [ui], [keys VIEW] and [defaults] are
 * read elsewhere and passed over here; any other section is an error. The
 * profile `builtin` is always there. A profile never holds a key, only where
 * to find it (key.h reads it).
 */
#ifndef TEACHER_PROFILE_H
#define TEACHER_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* One teacher. The strings are owned, NULL where not given. */
struct profile {
    char *name;
    char *url;         /* https://, http:// to loopback, or unix:PATH */
    char *model;       /* as the endpoint calls it; our own: may be NULL */
    char *key_env;     /* at most one of these three */
    char *key_command; /* split like a shell would, run without one */
    char *key_file;    /* 0600 and ours */
    char *ca_file;     /* certificates to trust instead of the system's */
    char *serve;       /* command line of a private server; then no url */
    double price_in, price_out; /* per million tokens, in `currency` */
    int concurrency;            /* requests in flight, 1 to 1024 */
    double first_byte, silence, whole; /* timeouts in seconds */
    bool plain_http;                   /* http to other hosts too */
};

struct profiles {
    struct profile *at;
    size_t n, cap;
};

/* A profile with the defaults and a copy of the name. */
struct profile profile_new(const char *name);
void profile_free(struct profile *p);

/* Reads the file (NULL: the user's config) and adds `builtin` where no
 * section has that name. A file that is not there is empty; one that others
 * may write is refused, since it names commands. *ps is empty after a
 * failure; the text names file and line. */
bool profiles_load(const char *path, struct profiles *ps, struct err *e);
void profiles_free(struct profiles *ps);
/* By name; NULL where there is none. Borrowed. */
const struct profile *profile_find(const struct profiles *ps,
                                   const char *name);

/* Sets one key of a section from its text. */
bool profile_set(struct profile *p, const char *key, const char *value,
                 struct err *e);
/* The rules that look at more than one key: url or serve, the url allowed,
 * one key source, a model where there is a url. */
bool profile_check(const struct profile *p, struct err *e);

/* An address that a key may be sent to: https, unix:/PATH, http to loopback
 * (anywhere where `plain`); without user, query, fragment and controls. */
bool url_check(const char *url, bool plain, struct err *e);
/* True where the url's host is this machine's loopback. */
bool url_is_loopback(const char *url);

/* Appends the section as it would stand in the config. */
void profile_print(const struct profile *p, struct buf *out);
/* Appends the section to the file (NULL: the user's config), which is made
 * with its folder (0600, 0700) where it is missing. What stands in it is not
 * touched; a name that is taken is refused. */
bool profile_append(const char *path, const struct profile *p,
                    struct err *e);

/* A known kind of endpoint, from data/presets.ini. */
struct preset {
    char *name; /* "openai" */
    char *url, *key_env, *note;
};

struct presets {
    struct preset *at;
    size_t n, cap;
};

/* Reads the shipped presets in their order; *ps is empty after a failure. */
bool presets_load(struct presets *ps, struct err *e);
void presets_free(struct presets *ps);
const struct preset *preset_find(const struct presets *ps, const char *name);

#endif
