#include "store/head.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "store/db.h"
#include "store/journal.h"

#define HEAD_MAX 300 /* bytes */
#define LOST_MAX 10000

static char *head_path(struct store *s)
{
    return path_join(s->runs_dir, "head");
}

static bool parse_hex(const char *hex, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        if (sscanf(hex + 2 * i, "%2x", &v) != 1)
            return false;
        out[i] = (uint8_t)v;
    }
    return strlen(hex) == 2 * n;
}

static bool parse(const char *text, struct tail *out)
{
    long long seq = 0, n = 0;
    char hash[2 * SHA_SIZE + 2] = "", ledger[2 * SEAL_SIZE + 2] = "";
    int got = sscanf(text, "%lld %65s %lld %33s", &seq, hash, &n, ledger);
    *out = (struct tail){.seq = seq, .n = n};
    return (got == 2 || got == 4) && parse_hex(hash, out->hash, SHA_SIZE) &&
           (got == 2 || parse_hex(ledger, out->ledger, SEAL_SIZE));
}

enum head_found head_read(struct store *s, struct tail *out)
{
    struct buf b = BUF_INIT(HEAD_MAX);
    char *path = head_path(s);
    enum head_found found = HEAD_MALFORMED;
    *out = (struct tail){0};
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (there ? st.st_size == 0 /* what a power cut leaves */
              : errno == ENOENT)
        found = HEAD_NONE;
    else if (file_read(path, HEAD_MAX, &b, NULL) && parse(buf_str(&b), out))
        found = HEAD_READ;
    free(path);
    buf_free(&b);
    return found;
}

/* Mode and group as the store has them. */
static void share(const struct store *s, const char *path, mode_t also)
{
    struct stat st, now;
    if (stat(s->path, &st) < 0 || stat(path, &now) < 0)
        return;
    if (now.st_gid != st.st_gid && lchown(path, (uid_t)-1, st.st_gid) < 0)
        return;
    chmod(path, (st.st_mode & 0666) | also);
}

void store_share(const struct store *s, const char *path)
{
    share(s, path, 0);
}

/* Whether the folder's group, which may write there, has the user in it. */
static bool admits(const struct stat *folder, const struct stat *dir)
{
    gid_t groups[256];
    int n = COUNT(groups);
    struct passwd *pw = getpwuid(dir->st_uid);
    if (!(folder->st_mode & 020))
        return false;
    /* only whoever may write to the folder has made it with its group */
    if (dir->st_gid == folder->st_gid && !(folder->st_mode & 02))
        return true;
    if (!pw || getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0)
        return false;
    for (int i = 0; i < n; i++)
        if (groups[i] == folder->st_gid)
            return true;
    return false;
}

static bool check_place(const char *path, bool folder, const struct stat *in,
                        struct err *e)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT || err_sys(e, "%s", path);
    if (S_ISLNK(st.st_mode))
        return err_set(e, ERR_REFUSED, _("%s is a link: what a store keeps "
                       "there is not read through one"), path);
    if (!S_ISDIR(st.st_mode))
        return !folder ||
               err_set(e, ERR_REFUSED, _("%s: not a folder"), path);
    if (st.st_uid == geteuid() || st.st_uid == 0 || admits(in, &st))
        return true;
    return err_set(e, ERR_REFUSED, _("%s belongs to another user (uid %u), "
                   "whom the group of its folder does not admit"), path,
                   (unsigned)st.st_uid);
}

bool runs_dir_check(const struct store *s, struct err *e)
{
    struct stat in = {0};
    char *parent = path_dir(s->path);
    stat(parent, &in);
    free(parent);
    bool ok = check_place(s->runs_dir, true, &in, e);
    DIR *d = ok ? opendir(s->runs_dir) : NULL;
    struct dirent *entry;
    while (ok && d && (entry = readdir(d))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        char *path = path_join(s->runs_dir, entry->d_name);
        ok = check_place(path, false, &in, e);
        free(path);
    }
    if (d)
        closedir(d);
    return ok;
}

bool runs_dir_make(struct store *s, struct err *e)
{
    struct stat st;
    if (lstat(s->runs_dir, &st) == 0)
        return true;
    if (!dir_make(s->runs_dir, 0700, e))
        return false;
    if (stat(s->path, &st) == 0 && st.st_mode & 020)
        share(s, s->runs_dir, S_ISGID | 0110); /* what is made in it, too */
    return true;
}

void head_write(struct store *s, const struct tail *t)
{
    char hash[2 * SHA_SIZE + 1], ledger[2 * SEAL_SIZE + 1], text[HEAD_MAX];
    struct tail other;
    if (s->keep_head || (head_read(s, &other) == HEAD_READ && other.n > t->n))
        return;
    int n = snprintf(text, sizeof text, "%lld %s %lld %s\n",
                     (long long)t->seq, sha_hex(t->hash, SHA_SIZE, hash),
                     (long long)t->n, sha_hex(t->ledger, SEAL_SIZE, ledger));
    char *path = head_path(s);
    struct stat st;
    mode_t mode = stat(s->path, &st) == 0 ? st.st_mode & 0666 : 0600;
    if (file_replace(path, text, (size_t)n, mode, false, NULL) ||
        (runs_dir_make(s, NULL) &&
         file_replace(path, text, (size_t)n, mode, false, NULL)))
        store_share(s, path);
    free(path);
    s->head_dirty = true;
}

bool head_fits(struct store *s, const struct tail *head,
               const struct tail *t, struct err *e)
{
    uint8_t hash[SHA_SIZE];
    if (head->seq > t->seq)
        return err_set(e, ERR_REFUSED, _("the store ends at d%lld, but "
                       "d%lld was saved once: decisions are lost"),
                       (long long)t->seq, (long long)head->seq);
    if (head->seq == t->seq)
        memcpy(hash, t->hash, SHA_SIZE);
    else if (head->seq && !journal_hash(s, head->seq, hash))
        memset(hash, 0, SHA_SIZE);
    if (head->seq && memcmp(hash, head->hash, SHA_SIZE))
        return err_set(e, ERR_REFUSED, _("d%lld is not the decision that was "
                       "saved: this is another store, or another end of it"),
                       (long long)head->seq);
    if (head->n > t->n)
        return err_set(e, ERR_REFUSED, P_("the store holds %lld save, but "
                                          "%lld were made: an older copy "
                                          "stands in its place",
                                          "the store holds %lld saves, but "
                                          "%lld were made: an older copy "
                                          "stands in its place",
                                          (unsigned long)t->n),
                       (long long)t->n, (long long)head->n);
    if (head->n && head->n == t->n &&
        memcmp(head->ledger, t->ledger, SEAL_SIZE))
        return err_set(e, ERR_REFUSED, _("save %lld is not the one that was "
                       "made: jobs, calls, runs or exports have been "
                       "exchanged"), (long long)t->n);
    return true;
}

bool head_set_aside(struct store *s, struct err *e)
{
    char *path = head_path(s);
    bool ok = false;
    for (int i = 1; !ok && i < LOST_MAX; i++) {
        char *to = xasprintf("%s.lost-%d", path, i);
        struct stat st;
        bool taken = lstat(to, &st) == 0;
        ok = !taken && rename(path, to) == 0;
        free(to);
        if (!ok && !taken)
            break;
    }
    if (!ok)
        err_sys(e, _("cannot set %s aside"), path);
    free(path);
    return ok;
}
