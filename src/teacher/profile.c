#include "teacher/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ini.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"

#define NAME_BYTES 64

struct profile profile_new(const char *name)
{
    return (struct profile){.name = xstrdup(name), .concurrency = 8,
                            .first_byte = 120, .silence = 60, .whole = 1800};
}

void profile_free(struct profile *p)
{
    free(p->name);
    free(p->url);
    free(p->model);
    free(p->key_env);
    free(p->key_command);
    free(p->key_file);
    free(p->ca_file);
    free(p->serve);
    *p = (struct profile){0};
}

void profiles_free(struct profiles *ps)
{
    for (size_t i = 0; i < ps->n; i++)
        profile_free(&ps->at[i]);
    VEC_FREE(ps);
}

const struct profile *profile_find(const struct profiles *ps,
                                   const char *name)
{
    for (size_t i = 0; i < ps->n; i++)
        if (!strcmp(ps->at[i].name, name))
            return &ps->at[i];
    return NULL;
}

/* ---- Values -------------------------------------------------------------- */

static bool read_number(const char **s, double low, double high, double *out)
{
    char *end;
    errno = 0;
    double v = strtod(*s, &end);
    if (end == *s || errno || !isfinite(v) || v < low || v > high)
        return false;
    *out = v;
    *s = end + strspn(end, " \t");
    return true;
}

static bool set_price(double *out, const char *value, struct err *e)
{
    const char *at = value;
    if (read_number(&at, 0, 1e9, out) && !*at)
        return true;
    return err_set(e, ERR_INPUT, _("\"%s\" is not a price"), value);
}

static bool set_concurrency(struct profile *p, const char *value,
                            struct err *e)
{
    double v;
    const char *at = value;
    if (!read_number(&at, 1, 1024, &v) || *at || v != floor(v))
        return err_set(e, ERR_INPUT,
                       _("concurrency is a number from 1 to 1024"));
    p->concurrency = (int)v;
    return true;
}

static bool set_timeouts(struct profile *p, const char *value, struct err *e)
{
    double *const out[] = {&p->first_byte, &p->silence, &p->whole};
    const char *at = value;
    for (size_t i = 0; i < COUNT(out); i++)
        if (!read_number(&at, 0.001, 86400, out[i]))
            at = "?";
    if (!*at)
        return true;
    return err_set(e, ERR_INPUT, _("timeouts are three numbers of seconds: "
                                   "first byte, silence, whole"));
}

static bool set_flag(bool *out, const char *value, struct err *e)
{
    *out = !strcasecmp(value, "yes");
    if (*out || !strcasecmp(value, "no"))
        return true;
    return err_set(e, ERR_INPUT, _("\"%s\" is neither yes nor no"), value);
}

/* The text member that a key of the section sets, NULL for other keys. */
static char **text_member(struct profile *p, const char *key)
{
    const struct {
        const char *key;
        char **member;
    } texts[] = {{"url", &p->url},
                 {"model", &p->model},
                 {"key_env", &p->key_env},
                 {"key_command", &p->key_command},
                 {"key_file", &p->key_file},
                 {"ca_file", &p->ca_file},
                 {"serve", &p->serve}};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (!strcmp(texts[i].key, key))
            return texts[i].member;
    return NULL;
}

/* Of a file's name "~/" is the home folder. The caller frees. */
static char *text_value(const char *key, const char *value)
{
    size_t n = strlen(key);
    const char *home = getenv("HOME");
    bool file = n > 5 && !strcmp(key + n - 5, "_file");
    if (file && home && !strncmp(value, "~/", 2))
        return path_join(home, value + 2);
    return xstrdup(value);
}

static bool set_text(char **member, const char *key, const char *value,
                     struct err *e)
{
    if (!*value)
        return err_set(e, ERR_INPUT, _("%s is empty"), key);
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return err_set(e, ERR_INPUT, _("%s holds a control character"),
                           key);
    free(*member);
    *member = text_value(key, value);
    return true;
}

bool profile_set(struct profile *p, const char *key, const char *value,
                 struct err *e)
{
    char **member = text_member(p, key);
    if (member)
        return set_text(member, key, value, e);
    if (!strcmp(key, "price_in"))
        return set_price(&p->price_in, value, e);
    if (!strcmp(key, "price_out"))
        return set_price(&p->price_out, value, e);
    if (!strcmp(key, "concurrency"))
        return set_concurrency(p, value, e);
    if (!strcmp(key, "timeouts"))
        return set_timeouts(p, value, e);
    if (!strcmp(key, "plain_http"))
        return set_flag(&p->plain_http, value, e);
    return err_set(e, ERR_INPUT, _("unknown key \"%s\" of a teacher"), key);
}

/* ---- Addresses ----------------------------------------------------------- */

/* The host of an http or https url, with its length; NULL for others. */
static const char *url_host(const char *url, size_t *n)
{
    const char *at = !strncmp(url, "https://", 8)  ? url + 8
                     : !strncmp(url, "http://", 7) ? url + 7
                                                   : NULL;
    if (!at)
        return NULL;
    *n = *at == '[' ? strcspn(at, "]/?#") + 1 : strcspn(at, ":/?#");
    return at;
}

bool url_is_loopback(const char *url)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    size_t n;
    const char *host = url_host(url, &n);
    for (size_t i = 0; host && i < COUNT(names); i++)
        if (strlen(names[i]) == n && !strncasecmp(host, names[i], n))
            return true;
    return false;
}

static bool check_unix(const char *path, struct err *e)
{
    if (*path == '/')
        return true;
    return err_set(e, ERR_INPUT, _("unix: wants a full path to a socket"));
}

bool url_check(const char *url, bool plain, struct err *e)
{
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f)
            return err_set(e, ERR_INPUT,
                           _("the url holds a blank or a control character"));
    if (!strncmp(url, "unix:", 5))
        return check_unix(url + 5, e);
    size_t n;
    const char *host = url_host(url, &n);
    if (!host)
        return err_set(e, ERR_INPUT, _("the url begins neither with https:// "
                                       "nor with unix:"));
    if (n == 0)
        return err_set(e, ERR_INPUT, _("the url names no host"));
    if (memchr(host, '@', strcspn(host, "/?#")))
        return err_set(e, ERR_REFUSED, _("the url holds a user or password; "
                                         "a key belongs in key_env, "
                                         "key_command or key_file"));
    if (strpbrk(host, "?#"))
        return err_set(e, ERR_INPUT, _("the url holds a query"));
    if (url[4] == ':' && !plain && !url_is_loopback(url))
        return err_set(e, ERR_REFUSED, _("http to another host sends key and "
                                         "text unencrypted; plain_http = yes "
                                         "allows it"));
    return true;
}

static bool check_name(const char *name, struct err *e)
{
    size_t n = strlen(name);
    bool ok = n > 0 && n <= NAME_BYTES;
    for (size_t i = 0; i < n; i++)
        ok = ok && (unsigned char)name[i] > 0x20 && name[i] != 0x7f &&
             !strchr("[];#\"'/\\", name[i]);
    if (ok)
        return true;
    return err_set(e, ERR_INPUT, _("a teacher's name is 1 to %d letters, "
                                   "digits and signs without blanks"),
                   NAME_BYTES);
}

bool profile_check(const struct profile *p, struct err *e)
{
    if (!check_name(p->name, e))
        return false;
    int sources = !!p->key_env + !!p->key_command + !!p->key_file;
    if (!p->url == !p->serve)
        err_set(e, ERR_INPUT, _("it needs a url or a serve line, one of the "
                                "two"));
    else if (sources > 1)
        err_set(e, ERR_INPUT, _("more than one of key_env, key_command and "
                                "key_file"));
    else if (p->serve && sources)
        err_set(e, ERR_INPUT, _("a server of our own takes no key"));
    else if (p->url && !p->model)
        err_set(e, ERR_INPUT, _("no model"));
    else if (!p->url || url_check(p->url, p->plain_http, e))
        return true;
    return err_in(e, _("teacher %s"), p->name);
}

/* ---- The config ---------------------------------------------------------- */

struct reading {
    struct profiles *ps;
    VEC(char *) seen; /* "SECTION\nKEY" of teacher sections */
};

static bool is_foreign(const char *section)
{
    return !strcmp(section, "ui") || !strcmp(section, "defaults") ||
           !strncmp(section, "keys ", 5);
}

/* The section's profile; made at its first key. */
static struct profile *section_profile(struct profiles *ps, const char *name)
{
    for (size_t i = 0; i < ps->n; i++)
        if (!strcmp(ps->at[i].name, name))
            return &ps->at[i];
    VEC_PUSH(ps, profile_new(name));
    return &ps->at[ps->n - 1];
}

/* False where the key stood in this section before. */
static bool note_key(struct reading *r, const char *section, const char *key)
{
    char *mark = xasprintf("%s\n%s", section, key);
    for (size_t i = 0; i < r->seen.n; i++) {
        if (!strcmp(r->seen.at[i], mark)) {
            free(mark);
            return false;
        }
    }
    VEC_PUSH(&r->seen, mark);
    return true;
}

static bool on_pair(void *ctx, const char *section, const char *key,
                    const char *value, struct err *e)
{
    struct reading *r = ctx;
    if (is_foreign(section))
        return true;
    if (strncmp(section, "teacher ", 8))
        return err_set(e, ERR_INPUT, *section
                           ? _("unknown section [%s]")
                           : _("a line before the first [section]"), section);
    const char *name = section + 8 + strspn(section + 8, " \t");
    if (!check_name(name, e))
        return false;
    if (!note_key(r, name, key))
        return err_set(e, ERR_INPUT, _("%s stands twice in [%s]"), key,
                       section);
    struct profile *p = section_profile(r->ps, name);
    if (!profile_set(p, key, value, e))
        return false;
    if (!strcmp(key, "url") && !url_check(value, true, e))
        return false;
    return true;
}

static bool check_all(const struct profiles *ps, const char *path,
                      struct err *e)
{
    for (size_t i = 0; i < ps->n; i++)
        if (!profile_check(&ps->at[i], e))
            return err_in(e, "%s", path);
    return true;
}

/* A config names commands to run: nobody else may write it. */
static bool safe_file(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR || err_sys(e, "%s", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return err_set(e, ERR_REFUSED, _("%s belongs to another user"), path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(e, ERR_REFUSED, _("%s can be written by others; "
                                         "chmod 600 mends it"), path);
    return true;
}

static void add_builtin(struct profiles *ps)
{
    if (profile_find(ps, "builtin"))
        return;
    struct profile p = profile_new("builtin");
    p.serve = xstrdup("stillroom-model serve builtin");
    p.model = xstrdup("builtin");
    p.concurrency = 32; /* a program beside us: answers in milliseconds */
    VEC_PUSH(ps, p);
}

/* The user's config where path is NULL; the caller frees. */
static char *config_path(const char *path, struct err *e)
{
    char *own = path ? xstrdup(path) : paths_config("config");
    if (!own)
        err_set(e, ERR_SYSTEM, _("no home folder for the config: HOME and "
                                 "XDG_CONFIG_HOME are unset"));
    return own;
}

static bool read_config(const char *path, struct profiles *ps, struct err *e)
{
    struct reading r = {.ps = ps};
    bool ok = safe_file(path, e) && ini_read(path, on_pair, &r, e) &&
              check_all(ps, path, e);
    for (size_t i = 0; i < r.seen.n; i++)
        free(r.seen.at[i]);
    VEC_FREE(&r.seen);
    return ok;
}

bool profiles_load(const char *path, struct profiles *ps, struct err *e)
{
    *ps = (struct profiles){0};
    char *own = config_path(path, e);
    bool ok = own && read_config(own, ps, e);
    free(own);
    if (ok)
        add_builtin(ps);
    else
        profiles_free(ps);
    return ok;
}

/* ---- Writing ------------------------------------------------------------- */

static void print_text(struct buf *out, const char *key, const char *value)
{
    if (value)
        buf_printf(out, "%-11s = %s\n", key, value);
}

void profile_print(const struct profile *p, struct buf *out)
{
    struct profile d = profile_new(p->name);
    buf_printf(out, "[teacher %s]\n", p->name);
    print_text(out, "url", p->url);
    print_text(out, "serve", p->serve);
    print_text(out, "model", p->model);
    print_text(out, "key_env", p->key_env);
    print_text(out, "key_command", p->key_command);
    print_text(out, "key_file", p->key_file);
    print_text(out, "ca_file", p->ca_file);
    if (p->price_in != 0 || p->price_out != 0)
        buf_printf(out, "price_in    = %.10g\nprice_out   = %.10g\n",
                   p->price_in, p->price_out);
    if (p->concurrency != d.concurrency)
        buf_printf(out, "concurrency = %d\n", p->concurrency);
    if (p->first_byte != d.first_byte || p->silence != d.silence ||
        p->whole != d.whole)
        buf_printf(out, "timeouts    = %.10g %.10g %.10g\n", p->first_byte,
                   p->silence, p->whole);
    if (p->plain_http)
        buf_puts(out, "plain_http  = yes\n");
    profile_free(&d);
}

/* What inih would read back otherwise: a comment inside a value. */
static bool writable(const struct profile *p, struct err *e)
{
    const char *const values[] = {p->url, p->model, p->key_env,
                                  p->key_command, p->key_file, p->ca_file,
                                  p->serve};
    for (size_t i = 0; i < COUNT(values); i++)
        if (values[i] && (strstr(values[i], " ;") || *values[i] == ';'))
            return err_set(e, ERR_INPUT, _("a blank with ; behind it begins "
                                           "a comment in the config"));
    return true;
}

static bool append_text(const char *path, const struct buf *text,
                        struct err *e)
{
    char *dir = path_dir(path);
    bool ok = dir_make(dir, 0700, e);
    free(dir);
    if (!ok)
        return false;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    ok = fd >= 0 && fd_write_all(fd, buf_str(text), text->len) &&
         fsync(fd) == 0;
    if (!ok)
        err_sys(e, _("cannot write %s"), path);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The separator that the new section needs behind what the file holds. */
static bool start_text(const char *path, struct buf *text, struct err *e)
{
    struct buf old = BUF_INIT((size_t)1 << 20);
    bool ok = !file_exists(path) || file_read(path, old.max, &old, e);
    if (ok && old.len)
        buf_puts(text, old.data[old.len - 1] == '\n' ? "\n" : "\n\n");
    buf_free(&old);
    return ok;
}

static bool append_to(const char *path, const struct profile *p,
                      struct err *e)
{
    struct profiles there = {0};
    struct buf text = BUF_INIT(0);
    bool ok = read_config(path, &there, e);
    if (ok && profile_find(&there, p->name))
        ok = err_set(e, ERR_REFUSED, _("%s has a teacher %s already"), path,
                     p->name);
    ok = ok && start_text(path, &text, e);
    if (ok)
        profile_print(p, &text);
    ok = ok && append_text(path, &text, e);
    buf_free(&text);
    profiles_free(&there);
    return ok;
}

bool profile_append(const char *path, const struct profile *p, struct err *e)
{
    char *own = config_path(path, e);
    bool ok = own && profile_check(p, e) && writable(p, e) &&
              append_to(own, p, e);
    free(own);
    return ok;
}
