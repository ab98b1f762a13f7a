#include "model/net/gguf.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/net/safetensors.h"

#define HEADER_MAX ((uint64_t)128 << 20)
#define MOST ((uint64_t)1 << 24) /* values, tensors, elements of an array */

enum {
    U8, I8, U16, I16, U32, I32, F32, BOOL, TEXT, ARRAY, U64, I64, F64, TYPES
};

static const size_t type_size[TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/* ---- The header --------------------------------------------------------- */

/* Where reading stands; `bad` from the first length that cannot be. */
struct cursor {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static const uint8_t *take(struct cursor *c, uint64_t n)
{
    const uint8_t *at = c->at;
    if (c->bad || n > c->left) {
        c->bad = true;
        return NULL;
    }
    c->at += n;
    c->left -= (size_t)n;
    return at;
}

static uint64_t whole(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

static uint64_t take_int(struct cursor *c, size_t n)
{
    const uint8_t *p = take(c, n);
    return p ? whole(p, n) : 0;
}

static char *take_text(struct cursor *c)
{
    uint64_t n = take_int(c, 8);
    const uint8_t *p = take(c, n);
    if (p && memchr(p, 0, (size_t)n))
        c->bad = true;
    return c->bad ? NULL : xstrndup((const char *)p, (size_t)n);
}

static void skip_array(struct cursor *c, struct gguf_value *v)
{
    v->of = (int)take_int(c, 4);
    v->n = take_int(c, 8);
    v->at = c->at;
    c->bad = c->bad || v->of < 0 || v->of >= TYPES || v->of == ARRAY ||
             v->n > MOST;
    if (!c->bad && v->of != TEXT)
        take(c, v->n * type_size[v->of]);
    for (uint64_t i = 0; !c->bad && v->of == TEXT && i < v->n; i++)
        take(c, take_int(c, 8));
}

static void take_value(struct cursor *c, struct gguf_value *v)
{
    v->key = take_text(c);
    v->type = (int)take_int(c, 4);
    if (v->type < 0 || v->type >= TYPES) {
        c->bad = true;
    } else if (v->type == ARRAY) {
        skip_array(c, v);
    } else if (v->type == TEXT) {
        v->n = take_int(c, 8);
        v->at = take(c, v->n);
    } else {
        v->at = take(c, type_size[v->type]);
    }
}

/* ggml's types by the format's numbers: their names, and elements and bytes of
 * a block of those that are read (0: not read). */
static const struct tensor_type {
    const char *name;
    int elements, bytes;
} tensor_types[] = {
    [0] = {"F32", 1, 4}, [1] = {"F16", 1, 2}, [30] = {"BF16", 1, 2},
    [8] = {"Q8_0", 32, 34}, [2] = {"Q4_0", 32, 18}, [3] = {"Q4_1", 32, 20},
    [6] = {"Q5_0", 32, 22}, [7] = {"Q5_1", 32, 24},
    [4] = {"Q4_2", 0, 0}, [5] = {"Q4_3", 0, 0}, [9] = {"Q8_1", 0, 0},
    [10] = {"Q2_K", 0, 0}, [11] = {"Q3_K", 0, 0}, [12] = {"Q4_K", 0, 0},
    [13] = {"Q5_K", 0, 0}, [14] = {"Q6_K", 0, 0}, [15] = {"Q8_K", 0, 0},
    [16] = {"IQ2_XXS", 0, 0}, [17] = {"IQ2_XS", 0, 0},
    [18] = {"IQ3_XXS", 0, 0}, [19] = {"IQ1_S", 0, 0}, [20] = {"IQ4_NL", 0, 0},
    [21] = {"IQ3_S", 0, 0}, [22] = {"IQ2_S", 0, 0}, [23] = {"IQ4_XS", 0, 0},
    [24] = {"I8", 0, 0}, [25] = {"I16", 0, 0}, [26] = {"I32", 0, 0},
    [27] = {"I64", 0, 0}, [28] = {"F64", 0, 0}, [29] = {"IQ1_M", 0, 0},
    [31] = {"Q4_0_4_4", 0, 0}, [32] = {"Q4_0_4_8", 0, 0},
    [33] = {"Q4_0_8_8", 0, 0}, [34] = {"TQ1_0", 0, 0}, [35] = {"TQ2_0", 0, 0},
    [36] = {"IQ4_NL_4_4", 0, 0}, [37] = {"IQ4_NL_4_8", 0, 0},
    [38] = {"IQ4_NL_8_8", 0, 0}, [39] = {"MXFP4", 0, 0},
    [40] = {"NVFP4", 0, 0},
};

/* Elements and bytes of a block of the type; false where it is not read. */
static bool block_of(int type, uint64_t *elements, uint64_t *bytes)
{
    if (type < 0 || (size_t)type >= COUNT(tensor_types) ||
        !tensor_types[type].elements)
        return false;
    *elements = (uint64_t)tensor_types[type].elements;
    *bytes = (uint64_t)tensor_types[type].bytes;
    return true;
}

/* "Q4_K is not read; F32, F16 ... are". */
static bool refuse_type(const struct gguf_tensor *t, struct err *e)
{
    struct buf read = BUF_INIT(0);
    bool known = t->type >= 0 && (size_t)t->type < COUNT(tensor_types);
    for (size_t i = 0; i < COUNT(tensor_types); i++)
        if (tensor_types[i].elements)
            buf_printf(&read, "%s%s", read.len ? ", " : "",
                       tensor_types[i].name);
    if (known)
        err_set(e, ERR_REFUSED, _("%.200s: %s is not read; %s are"), t->name,
                tensor_types[t->type].name, buf_str(&read));
    else
        err_set(e, ERR_REFUSED, _("%.200s: it has type %d, which nobody has "
                                  "named yet; %s are read"), t->name, t->type,
                buf_str(&read));
    buf_free(&read);
    return false;
}

static void take_tensor(struct cursor *c, struct gguf_tensor *t)
{
    t->name = take_text(c);
    uint64_t rank = take_int(c, 4), per = 1, bytes = 0;
    t->count = 1;
    c->bad = c->bad || rank < 1 || rank > GGUF_RANK;
    t->rank = c->bad ? 1 : (int)rank;
    for (int i = 0; !c->bad && i < t->rank; i++) {
        t->shape[i] = take_int(c, 8);
        c->bad = c->bad || !t->shape[i] ||
                 t->shape[i] > ((uint64_t)1 << 40) / t->count;
        t->count *= c->bad ? 1 : t->shape[i];
    }
    t->type = (int)take_int(c, 4);
    t->from = take_int(c, 8);
    if (!c->bad && block_of(t->type, &per, &bytes)) {
        c->bad = t->shape[0] % per != 0;
        t->bytes = t->count / per * bytes;
    }
}

static int by_place(const void *x, const void *y)
{
    const struct gguf_tensor *a = x, *b = y;
    return a->from < b->from ? -1 : a->from > b->from;
}

/* From offsets behind the header to those in the file; within it and apart
 * from each other. */
static bool place(struct gguf *g, uint64_t header, uint64_t size)
{
    double align = gguf_number(g, "general.alignment", 32);
    if (!(align >= 1 && align <= 1 << 20) || align != floor(align))
        return false;
    uint64_t a = (uint64_t)align, end = 0;
    header = (header + a - 1) / a * a;
    qsort(g->tensor, g->n_tensors, sizeof *g->tensor, by_place);
    for (size_t i = 0; i < g->n_tensors; i++) {
        struct gguf_tensor *t = &g->tensor[i];
        if (t->from % a || t->from > size || header > size ||
            t->from < end || t->bytes > size - header ||
            t->from > size - header - t->bytes)
            return false;
        end = t->from + t->bytes;
        t->from += header;
    }
    return true;
}

static bool parse(struct gguf *g, uint64_t size, struct err *e)
{
    struct cursor c = {(const uint8_t *)g->header.data, g->header.len, false};
    const uint8_t *magic = take(&c, 4);
    if (!magic || memcmp(magic, "GGUF", 4))
        return err_set(e, ERR_INPUT, _("no GGUF file"));
    uint64_t version = take_int(&c, 4);
    if (version != 2 && version != 3)
        return err_set(e, ERR_REFUSED, _("a GGUF file of version %llu; 2 and "
                                         "3 are read"),
                       (unsigned long long)version);
    uint64_t tensors = take_int(&c, 8), values = take_int(&c, 8);
    /* the shortest value and tensor take more bytes than this */
    if (tensors > c.left / 16 || values > c.left / 12)
        c.bad = true;
    if (!c.bad) {
        g->value = xcalloc((size_t)values + 1, sizeof *g->value);
        g->tensor = xcalloc((size_t)tensors + 1, sizeof *g->tensor);
    }
    while (!c.bad && g->n_values < values)
        take_value(&c, &g->value[g->n_values++]);
    while (!c.bad && g->n_tensors < tensors)
        take_tensor(&c, &g->tensor[g->n_tensors++]);
    if (c.bad || !place(g, g->header.len - c.left, size))
        return err_set(e, ERR_INPUT, _("the header is damaged or the file is "
                                       "cut"));
    return true;
}

static bool read_header(struct gguf *g, uint64_t size, struct err *e)
{
    uint64_t want = size < HEADER_MAX ? size : HEADER_MAX;
    char part[65536];
    g->header = (struct buf)BUF_INIT(0);
    while (g->header.len < want) {
        uint64_t left = want - g->header.len;
        ssize_t n = read(g->fd, part,
                         left < sizeof part ? (size_t)left : sizeof part);
        if (n <= 0)
            return n == 0 || err_sys(e, "%s", g->path);
        buf_add(&g->header, part, (size_t)n);
    }
    return true;
}

static bool open_file(struct gguf *g, const char *path, struct err *e)
{
    struct stat st;
    *g = (struct gguf){.path = xstrdup(path)};
    g->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = g->fd >= 0 && fstat(g->fd, &st) == 0;
    if (!ok)
        err_sys(e, "%s", path);
    else if (!S_ISREG(st.st_mode))
        ok = err_set(e, ERR_INPUT, _("%s is no file"), path);
    else if (!read_header(g, (uint64_t)st.st_size, e))
        ok = false;
    else if (!parse(g, (uint64_t)st.st_size, e))
        ok = err_in(e, "%s", path);
    for (size_t i = 0; ok && i < g->n_tensors; i++)
        g->tensor[i].fd = g->fd;
    if (!ok)
        gguf_close(g);
    return ok;
}

/* ---- Models in several files -------------------------------------------- */

enum { MOST_PARTS = 999 };

/* The name of part `no` of `count`, from 0, where the path is that of the
 * first: NAME-00001-of-0000N.gguf. NULL where it is not; the caller frees. */
static char *part_name(const char *path, int no, int count)
{
    char *end = xasprintf("-%05d-of-%05d.gguf", 1, count);
    size_t n = strlen(path), tail = strlen(end);
    bool first = n > tail && !strcmp(path + n - tail, end);
    free(end);
    return first ? xasprintf("%.*s-%05d-of-%05d.gguf", (int)(n - tail), path,
                             no + 1, count)
                 : NULL;
}

/* Takes over the tensors of a part. */
static void add_tensors(struct gguf *g, struct gguf *part)
{
    size_t n = g->n_tensors + part->n_tensors;
    g->tensor = xrealloc(g->tensor, (n + 1) * sizeof *g->tensor);
    if (part->n_tensors)
        memcpy(g->tensor + g->n_tensors, part->tensor,
               part->n_tensors * sizeof *g->tensor);
    g->n_tensors = n;
    part->n_tensors = 0; /* their names are ours now */
}

static bool open_part(struct gguf *g, int no, int count, struct err *e)
{
    struct gguf *part = &g->parts[g->n_parts];
    char *name = part_name(g->path, no, count);
    bool ok = name ? open_file(part, name, e)
                   : err_set(e, ERR_REFUSED, _("%s: a model in %d parts is "
                                               "read through its first, "
                                               "NAME-00001-of-%05d.gguf"),
                             g->path, count, count);
    g->n_parts += ok;
    if (ok && (gguf_number(part, "split.no", -1) != no ||
               gguf_number(part, "split.count", -1) != count))
        ok = err_set(e, ERR_INPUT, _("%s: it is not part %d of %d"), name,
                     no + 1, count);
    if (ok)
        add_tensors(g, part);
    free(name);
    return ok;
}

bool gguf_open(struct gguf *g, const char *path, struct err *e)
{
    if (!open_file(g, path, e))
        return false;
    double count = gguf_number(g, "split.count", 1);
    bool ok = count <= MOST_PARTS ||
              err_set(e, ERR_REFUSED, _("%s: more than %d parts"), path,
                      MOST_PARTS);
    if (ok && count > 1)
        g->parts = xcalloc((size_t)count, sizeof *g->parts);
    for (int i = 1; ok && i < count; i++)
        ok = open_part(g, i, (int)count, e);
    double all = gguf_number(g, "split.tensors.count", (double)g->n_tensors);
    if (ok && all != (double)g->n_tensors)
        ok = err_set(e, ERR_INPUT, _("%s: its parts have %zu tensors of %.0f"),
                     path, g->n_tensors, all);
    if (!ok)
        gguf_close(g);
    return ok;
}

void gguf_close(struct gguf *g)
{
    for (size_t i = 0; i < g->n_values; i++)
        free(g->value[i].key);
    for (size_t i = 0; i < g->n_tensors; i++)
        free(g->tensor[i].name);
    for (size_t i = 0; i < g->n_parts; i++)
        gguf_close(&g->parts[i]);
    free(g->parts);
    free(g->value);
    free(g->tensor);
    free(g->path);
    buf_free(&g->header);
    if (g->fd >= 0)
        close(g->fd);
    *g = (struct gguf){.fd = -1};
}

/* ---- Values ------------------------------------------------------------- */

const struct gguf_value *gguf_find(const struct gguf *g, const char *key)
{
    for (size_t i = 0; i < g->n_values; i++)
        if (!strcmp(g->value[i].key, key))
            return &g->value[i];
    return NULL;
}

static double number_at(int type, const uint8_t *p)
{
    float f;
    double d;
    switch (type) {
    case U8: case BOOL: return p[0];
    case I8: return (int8_t)p[0];
    case U16: return (double)whole(p, 2);
    case I16: return (int16_t)whole(p, 2);
    case U32: return (double)whole(p, 4);
    case I32: return (int32_t)whole(p, 4);
    case U64: return (double)whole(p, 8);
    case I64: return (double)(int64_t)whole(p, 8);
    case F32: memcpy(&f, p, 4); return (double)f;
    case F64: memcpy(&d, p, 8); return d;
    default: return NAN;
    }
}

double gguf_number(const struct gguf *g, const char *key, double otherwise)
{
    const struct gguf_value *v = gguf_find(g, key);
    double x = v && v->type != TEXT && v->type != ARRAY
                   ? number_at(v->type, v->at) : NAN;
    return isfinite(x) ? x : otherwise;
}

char *gguf_text(const struct gguf *g, const char *key)
{
    const struct gguf_value *v = gguf_find(g, key);
    if (!v || v->type != TEXT || memchr(v->at, 0, (size_t)v->n))
        return NULL;
    return xstrndup((const char *)v->at, (size_t)v->n);
}

double gguf_number_at(const struct gguf_value *v, uint64_t i, double otherwise)
{
    if (!v || v->type != ARRAY || v->of == TEXT || i >= v->n)
        return otherwise;
    double x = number_at(v->of, v->at + i * type_size[v->of]);
    return isfinite(x) ? x : otherwise;
}

int64_t gguf_int_at(const struct gguf_value *v, uint64_t i,
                    int64_t otherwise)
{
    double x = gguf_number_at(v, i, NAN);
    return fabs(x) < 9e18 && x <= floor(x) ? (int64_t)x : otherwise;
}

const char *gguf_next(const struct gguf_value *v, uint64_t *at, size_t *n)
{
    if (!v || v->type != ARRAY || v->of != TEXT)
        return NULL;
    /* *at: which one, above its place in bytes */
    uint64_t i = *at >> 32, place = *at & 0xffffffff;
    if (i >= v->n)
        return NULL;
    *n = (size_t)whole(v->at + place, 8);
    *at = (i + 1) << 32 | (place + 8 + *n);
    return (const char *)v->at + place + 8;
}

/* ---- Tensors ------------------------------------------------------------ */

const struct gguf_tensor *gguf_tensor(const struct gguf *g, const char *name)
{
    for (size_t i = 0; i < g->n_tensors; i++)
        if (!strcmp(g->tensor[i].name, name))
            return &g->tensor[i];
    return NULL;
}

static float half_at(const uint8_t *p)
{
    return st_from_half((uint16_t)whole(p, 2));
}

/* One block of the type, ggml's layouts (ggml-quants.c): scale, minimum,
 * fifth bits, then low and high nibbles of elements i and i + 16. */
static void widen_block(int type, const uint8_t *p, float *out)
{
    bool five = type == 6 || type == 7, minimum = type == 3 || type == 7;
    float d = half_at(p), m = minimum ? half_at(p + 2) : 0;
    const uint8_t *at = p + (minimum ? 4 : 2);
    uint32_t high = five ? (uint32_t)whole(at, 4) : 0;
    int middle = minimum ? 0 : five ? 16 : 8;
    at += five ? 4 : 0;
    for (int i = 0; i < 16; i++) {
        int lo = at[i] & 15, hi = at[i] >> 4;
        lo |= (int)(high >> i & 1) << 4;
        hi |= (int)(high >> (i + 16) & 1) << 4;
        out[i] = (float)(lo - middle) * d + m;
        out[i + 16] = (float)(hi - middle) * d + m;
    }
}

static void widen(int type, const uint8_t *p, uint64_t blocks, float *out)
{
    uint64_t per = 1, bytes = 1;
    block_of(type, &per, &bytes);
    for (uint64_t b = 0; b < blocks; b++, p += bytes, out += per) {
        if (type == 0) {
            memcpy(out, p, 4);
        } else if (type == 1) {
            *out = half_at(p);
        } else if (type == 30) {
            uint32_t bits = (uint32_t)whole(p, 2) << 16;
            memcpy(out, &bits, 4);
        } else if (type == 8) {
            float d = half_at(p);
            for (int i = 0; i < 32; i++)
                out[i] = (float)(int8_t)p[2 + i] * d;
        } else {
            widen_block(type, p, out);
        }
    }
}

bool gguf_read(const struct gguf_tensor *t, float *out, struct err *e)
{
    uint64_t per, bytes;
    if (!block_of(t->type, &per, &bytes))
        return refuse_type(t, e);
    uint8_t part[4096 * 8];
    uint64_t most = sizeof part / bytes, blocks = t->count / per, at = 0;
    for (uint64_t n; at < blocks; at += n) {
        n = blocks - at < most ? blocks - at : most;
        if (pread(t->fd, part, (size_t)(n * bytes),
                  (off_t)(t->from + at * bytes)) != (ssize_t)(n * bytes))
            return err_set(e, ERR_INPUT, _("%s cannot be read"), t->name);
        widen(t->type, part, n, out + at * per);
    }
    for (uint64_t i = 0; i < t->count; i++)
        if (!isfinite(out[i]))
            return err_set(e, ERR_INPUT, _("%s: element %llu is no number"),
                           t->name, (unsigned long long)i);
    return true;
}
