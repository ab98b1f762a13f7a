#include "model/net/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"

enum { HEADER_MAX = 16 << 20 };

/* ---- Reading ------------------------------------------------------------ */

static bool read_at(int fd, void *p, size_t n, uint64_t offset)
{
    char *at = p;
    while (n > 0) {
        ssize_t got = pread(fd, at, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

static uint64_t type_size(const char *name, enum st_type *type)
{
    static const struct {
        const char *name;
        enum st_type type;
        uint64_t size;
    } types[] = {
        {"F32", ST_F32, 4},    {"F16", ST_F16, 2},   {"BF16", ST_BF16, 2},
        {"F64", ST_OTHER, 8},  {"I64", ST_OTHER, 8}, {"U64", ST_OTHER, 8},
        {"I32", ST_OTHER, 4},  {"U32", ST_OTHER, 4}, {"I16", ST_OTHER, 2},
        {"U16", ST_OTHER, 2},  {"I8", ST_OTHER, 1},  {"U8", ST_OTHER, 1},
        {"BOOL", ST_OTHER, 1}, {"F8_E4M3", ST_OTHER, 1},
        {"F8_E5M2", ST_OTHER, 1},
    };
    for (size_t i = 0; i < COUNT(types); i++)
        if (!strcmp(name, types[i].name)) {
            *type = types[i].type;
            return types[i].size;
        }
    return 0;
}

/* A whole number from 0 to 2^53. */
static bool whole(const json *j, uint64_t *out)
{
    double v = json_number(j, -1);
    if (!(v >= 0 && v <= 9007199254740992.0) || v != floor(v))
        return false;
    *out = (uint64_t)v;
    return true;
}

static bool read_shape(const json *shape, struct st_tensor *t)
{
    if (!json_is_array(shape))
        return false;
    t->count = 1;
    for (const json *d = json_first(shape); d; d = json_next(d)) {
        if (t->rank == ST_RANK || !whole(d, &t->shape[t->rank]) ||
            __builtin_mul_overflow(t->count, t->shape[t->rank], &t->count))
            return false;
        t->rank++;
    }
    return true;
}

static bool read_entry(const json *j, struct st_tensor *t, struct err *e)
{
    const char *dtype = json_get_string(j, "dtype", "");
    uint64_t size = type_size(dtype, &t->type), bytes;
    if (!size)
        return err_set(e, ERR_INPUT, _("unknown dtype \"%.20s\""), dtype);
    if (!read_shape(json_get(j, "shape"), t) ||
        __builtin_mul_overflow(t->count, size, &bytes))
        return err_set(e, ERR_INPUT, _("its shape cannot be"));
    const json *o = json_get(j, "data_offsets");
    const json *a = json_is_array(o) ? json_first(o) : NULL;
    const json *b = a ? json_next(a) : NULL;
    if (!b || json_next(b) || !whole(a, &t->from) || !whole(b, &t->to) ||
        t->to < t->from)
        return err_set(e, ERR_INPUT, _("its data_offsets cannot be"));
    if (t->to - t->from != bytes)
        return err_set(e, ERR_INPUT, _("%llu bytes for a shape that takes "
                                       "%llu"),
                       (unsigned long long)(t->to - t->from),
                       (unsigned long long)bytes);
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const struct st_tensor *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* Without overlap and gap from 0 to `size`. */
static bool check_cover(struct st_file *f, uint64_t size, struct err *e)
{
    uint64_t at = 0;
    if (f->n)
        qsort(f->at, f->n, sizeof *f->at, by_offset);
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].from != at)
            return err_set(e, ERR_INPUT,
                           _("%.100s: its data overlaps another's or leaves "
                             "a gap"), f->at[i].name);
        at = f->at[i].to;
    }
    if (at != size)
        return err_set(e, ERR_INPUT, _("the tensors end at byte %llu of %llu"),
                       (unsigned long long)at, (unsigned long long)size);
    return true;
}

/* An object of texts. */
static bool read_metadata(struct st_file *f, const json *j, struct err *e)
{
    bool ok = json_is_object(j);
    for (const json *v = json_first(j); ok && v; v = json_next(v))
        ok = json_string(v) != NULL;
    const char *note = json_get_string(j, "stillroom", NULL);
    f->note = ok && note ? xstrdup(note) : NULL;
    return ok || err_set(e, ERR_INPUT, _("__metadata__ is not an object of "
                                         "texts"));
}

static bool read_header(struct st_file *f, const json *j, uint64_t size,
                        struct err *e)
{
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("the header is not an object"));
    for (const json *v = json_first(j); v; v = json_next(v)) {
        if (!strcmp(json_key(v), "__metadata__")) {
            if (!read_metadata(f, v, e))
                return false;
            continue;
        }
        struct st_tensor t = {0};
        if (!read_entry(v, &t, e))
            return err_in(e, "%.100s", json_key(v));
        t.name = xstrdup(json_key(v));
        VEC_PUSH(f, t);
    }
    return check_cover(f, size, e);
}

/* The header's text into *text (the caller frees) and its length. */
static bool read_text(struct st_file *f, uint64_t size, char **text,
                      uint64_t *n, struct err *e)
{
    uint8_t head[8];
    *n = 0;
    if (size < 8 || !read_at(f->fd, head, 8, 0))
        return err_set(e, ERR_INPUT, _("too short for a safetensors file"));
    for (int i = 7; i >= 0; i--)
        *n = *n << 8 | head[i];
    if (*n < 2 || *n > HEADER_MAX || *n > size - 8)
        return err_set(e, ERR_INPUT, _("a header of %llu bytes cannot be"),
                       (unsigned long long)*n);
    *text = xmalloc((size_t)*n);
    if (!read_at(f->fd, *text, (size_t)*n, 8))
        return err_set(e, ERR_INPUT, _("cannot be read to its end"));
    if (**text != '{')
        return err_set(e, ERR_INPUT, _("the header does not begin with {"));
    return true;
}

static bool open_checked(struct st_file *f, struct err *e)
{
    struct stat st;
    f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f->fd < 0)
        return err_sys(e, _("cannot be opened"));
    if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(e, ERR_INPUT, _("not a regular file"));
    uint64_t n, size = (uint64_t)st.st_size;
    char *text = NULL;
    bool ok = read_text(f, size, &text, &n, e);
    f->data = 8 + n;
    json *j = ok ? json_parse(text, (size_t)n, e) : NULL;
    free(text);
    ok = j && read_header(f, j, size - f->data, e);
    json_free(j);
    return ok;
}

bool st_open(struct st_file *f, const char *path, struct err *e)
{
    *f = (struct st_file){.fd = -1, .path = xstrdup(path)};
    if (open_checked(f, e))
        return true;
    err_in(e, "%s", path);
    st_close(f);
    return false;
}

void st_close(struct st_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    for (size_t i = 0; i < f->n; i++)
        free(f->at[i].name);
    free(f->at);
    free(f->note);
    free(f->path);
    *f = (struct st_file){.fd = -1};
}

const struct st_tensor *st_find(const struct st_file *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (!strcmp(f->at[i].name, name))
            return &f->at[i];
    return NULL;
}

static float from_bits(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, 4);
    return v;
}

float st_from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, m = h & 0x3ff;
    int exponent = h >> 10 & 31;
    if (exponent == 31)
        return from_bits(sign | 0x7f800000u | m << 13);
    if (exponent == 0) {
        float v = (float)m * 0x1p-24f;
        return sign ? -v : v;
    }
    return from_bits(sign | (uint32_t)(exponent + 112) << 23 | m << 13);
}

static float widen(enum st_type type, const uint8_t *p)
{
    uint16_t h;
    uint32_t w;
    if (type == ST_F32) {
        memcpy(&w, p, 4);
        return from_bits(w);
    }
    memcpy(&h, p, 2);
    return type == ST_F16 ? st_from_half(h) : from_bits((uint32_t)h << 16);
}

bool st_read(const struct st_file *f, const struct st_tensor *t, float *out,
             struct err *e)
{
    if (t->type == ST_OTHER)
        return err_set(e, ERR_REFUSED, _("%s: %.100s: a dtype that is not F32, "
                                         "F16 or BF16"), f->path, t->name);
    size_t size = t->type == ST_F32 ? 4 : 2;
    uint8_t chunk[1 << 14];
    uint64_t done = 0, at = f->data + t->from;
    while (done < t->count) {
        size_t n = sizeof chunk / size;
        n = t->count - done < n ? (size_t)(t->count - done) : n;
        if (!read_at(f->fd, chunk, n * size, at + done * size))
            return err_set(e, ERR_INPUT, _("%s: %.100s: cannot be read to its "
                                           "end"), f->path, t->name);
        for (size_t i = 0; i < n; i++) {
            float v = widen(t->type, chunk + i * size);
            if (!isfinite(v))
                return err_set(e, ERR_INPUT, _("%s: %.100s holds a value that "
                                               "is not a number or not "
                                               "finite"), f->path, t->name);
            out[done + i] = v;
        }
        done += n;
    }
    return true;
}

/* ---- Writing ------------------------------------------------------------ */

static size_t count_of(const struct st_piece *p)
{
    return p->rows * (p->cols ? p->cols : 1);
}

static void print_header(struct buf *b, const struct st_piece *piece,
                         size_t n, const char *note)
{
    struct jw w = jw_start(b);
    uint64_t at = 0;
    jw_open(&w, '{');
    jw_key(&w, "__metadata__");
    jw_open(&w, '{');
    jw_kstr(&w, "format", "pt");
    if (note)
        jw_kstr(&w, "stillroom", note);
    jw_close(&w);
    for (size_t i = 0; i < n; i++) {
        jw_key(&w, piece[i].name);
        jw_open(&w, '{');
        jw_kstr(&w, "dtype", piece[i].bf16 ? "BF16" : "F32");
        jw_key(&w, "shape");
        jw_open(&w, '[');
        jw_int(&w, (int64_t)piece[i].rows);
        if (piece[i].cols)
            jw_int(&w, (int64_t)piece[i].cols);
        jw_close(&w);
        jw_key(&w, "data_offsets");
        jw_open(&w, '[');
        jw_int(&w, (int64_t)at);
        at += (uint64_t)count_of(&piece[i]) *
              (piece[i].bf16 ? 2 : 4);
        jw_int(&w, (int64_t)at);
        jw_close(&w);
        jw_close(&w);
    }
    jw_close(&w);
    while (buf_ok(b) && b->len % 8)
        buf_putc(b, ' ');
}

/* To the nearest, ties to even; infinities and NaNs stay what they are. */
static uint16_t to_bf16(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    if ((u & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static bool write_data(int fd, const float *data, size_t n, bool bf16)
{
    uint16_t part[4096];
    if (!bf16)
        return fd_write_all(fd, data, n * sizeof *data);
    for (size_t at = 0; at < n;) {
        size_t k = 0;
        for (; k < COUNT(part) && at < n; k++)
            part[k] = to_bf16(data[at++]);
        if (!fd_write_all(fd, part, k * sizeof *part))
            return false;
    }
    return true;
}

static bool write_piece(int fd, const struct st_piece *p)
{
    size_t n = count_of(p);
    if (p->data)
        return write_data(fd, p->data, n, p->bf16);
    float *made = malloc(n * sizeof *made);
    bool ok = made && p->fill(p, made) && write_data(fd, made, n, p->bf16);
    int why = errno;
    free(made);
    errno = why;
    return ok;
}

/* Header and data; big-endian machines are not supported by the build. */
static bool write_all(int fd, const struct st_piece *piece, size_t n,
                      const char *note)
{
    struct buf b = BUF_INIT(HEADER_MAX);
    print_header(&b, piece, n, note);
    uint8_t head[8];
    for (int i = 0; i < 8; i++)
        head[i] = (uint8_t)((uint64_t)b.len >> 8 * i);
    bool ok = buf_ok(&b) && fd_write_all(fd, head, 8) &&
              fd_write_all(fd, b.data, b.len);
    for (size_t i = 0; ok && i < n; i++)
        ok = write_piece(fd, &piece[i]);
    buf_free(&b);
    return ok;
}

bool st_write(const char *path, const struct st_piece *piece, size_t n,
              const char *note, struct err *e)
{
    char *temp = xasprintf("%s.tmp", path);
    unlink(temp);
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                  0644);
    bool ok = fd >= 0 && write_all(fd, piece, n, note) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) < 0)
        ok = false;
    ok = ok && rename(temp, path) == 0;
    if (ok) {
        file_sync_folder(path);
    } else {
        int saved = errno;
        if (fd >= 0)
            unlink(temp);
        errno = saved;
        err_sys(e, _("cannot write %s"), path);
    }
    free(temp);
    return ok;
}
