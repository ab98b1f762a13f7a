#include "model/learn/identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/net/gemm.h"

/* Adds a file's bytes to the hash; rows may be larger than memory. */
static bool add_file(struct sha *s, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[1 << 14];
    ssize_t n = 0;
    while (fd >= 0 && ((n = read(fd, chunk, sizeof chunk)) > 0 ||
                       (n < 0 && errno == EINTR)))
        if (n > 0)
            sha_add(s, chunk, (size_t)n);
    if (fd < 0 || n < 0)
        err_sys(e, "%s", path);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && n == 0;
}

static void end(struct sha *s, char out[2 * SHA_SIZE + 1])
{
    uint8_t digest[SHA_SIZE];
    sha_end(s, digest);
    sha_hex(digest, SHA_SIZE, out);
}

static bool hash_files(char *const *path, size_t n, char *out, struct err *e)
{
    struct sha s;
    sha_start(&s);
    for (size_t i = 0; i < n; i++)
        if (!add_file(&s, path[i], e))
            return false;
    end(&s, out);
    return true;
}

static int is_part(const struct dirent *d)
{
    const char *dot = strrchr(d->d_name, '.');
    return dot && (!strcmp(dot, ".safetensors") ||
                   !strcmp(d->d_name, "config.json") ||
                   !strcmp(d->d_name, "generation_config.json") ||
                   !strcmp(dot, ".jinja") ||
                   !strncmp(d->d_name, "tokenizer", 9));
}

static bool hash_student(const char *dir, char *out, struct err *e)
{
    struct dirent **entry = NULL;
    int n = scandir(dir, &entry, is_part, alphasort);
    struct sha s;
    bool ok = n >= 0 || err_sys(e, "%s", dir);
    sha_start(&s);
    for (int i = 0; i < n; i++) {
        char *path = path_join(dir, entry[i]->d_name);
        ok = ok && add_file(&s, path, e);
        free(path);
        free(entry[i]);
    }
    free(entry);
    end(&s, out);
    return ok;
}

static bool hash_adapter(const char *dir, char *out, struct err *e)
{
    char *path[] = {path_join(dir, "adapter_config.json"),
                    path_join(dir, "adapter_model.safetensors")};
    bool ok = hash_files(path, COUNT(path), out, e);
    free(path[0]);
    free(path[1]);
    return ok;
}

void identity_kernel(struct identity *id)
{
    snprintf(id->kernel, sizeof id->kernel, "%s", gemm_kernel());
    snprintf(id->library, sizeof id->library, "%s", gemm_library());
}

bool identity_of(struct identity *id, const char *dir, const char *adapter,
                 char *const *rows, size_t n, const char *valid, int threads,
                 struct err *e)
{
    *id = (struct identity){.threads = threads};
    identity_kernel(id);
    char *one = (char *)(uintptr_t)valid;
    return hash_student(dir, id->student, e) &&
           (!adapter || hash_adapter(adapter, id->adapter, e)) &&
           hash_files(rows, n, id->rows, e) &&
           (!valid || hash_files(&one, 1, id->valid, e));
}

void identity_print(const struct identity *id, struct jw *w)
{
    jw_open(w, '{');
    jw_kstr(w, "student", id->student);
    if (*id->adapter)
        jw_kstr(w, "adapter", id->adapter);
    jw_kstr(w, "rows", id->rows);
    jw_kstr(w, "valid", id->valid);
    jw_kstr(w, "kernel", id->kernel);
    jw_kstr(w, "library", id->library);
    jw_kint(w, "threads", id->threads);
    jw_close(w);
}

bool identity_same_inputs(const struct identity *id, const json *was,
                          struct err *e)
{
    const struct {
        const char *key, *value, *what;
    } part[] = {{"student", id->student, N_("the student's files")},
                {"adapter", id->adapter, N_("the adapter's files")},
                {"rows", id->rows, N_("the rows")},
                {"valid", id->valid, N_("the held-out rows")}};
    for (size_t i = 0; i < COUNT(part); i++)
        if (strcmp(json_get_string(was, part[i].key, ""), part[i].value))
            return err_set(e, ERR_REFUSED, _("%s have changed since the run "
                                             "began"), _(part[i].what));
    return true;
}

bool identity_same_host(const struct identity *id, const json *was,
                        struct err *e)
{
    const char *kernel = json_get_string(was, "kernel", "");
    const char *library = json_get_string(was, "library", "");
    int64_t threads = json_get_int(was, "threads", 0);
    if (!strcmp(kernel, id->kernel) && !strcmp(library, id->library) &&
        threads == id->threads)
        return true;
    return err_set(e, ERR_REFUSED,
                   _("the run began with %s, kernel %s, %lld threads; here "
                     "are %s, %s, %d: the result would differ in its last "
                     "bits. --other-host goes on all the same"),
                   library, kernel, (long long)threads, id->library,
                   id->kernel, id->threads);
}
