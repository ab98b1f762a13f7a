#include "formats/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"

#define CHUNK ((size_t)128 << 10)

enum packing { PLAIN, GZIP, ZSTD };
enum units { BYTES, LITTLE, BIG }; /* UTF-8, UTF-16 of either order */

struct byte_source {
    char *path;
    int fd;
    uint64_t size, out; /* packed bytes of the file, unpacked ones so far */
    char *in;           /* read, not yet unpacked: in[at..filled) */
    size_t at, filled;
    enum packing packing;
    z_stream gz;
    ZSTD_DStream *zs;
    bool in_frame; /* a stream or frame has begun and not ended */
    enum units units;
    struct buf half; /* unpacked bytes of a unit that is not whole yet */
    char note[40];
};

/* ---- Kinds that are not read -------------------------------------------- */

static const struct {
    const char *magic;
    size_t n, offset;
    const char *name, *command; /* %s: the file */
} foreign[] = {
#define DATASETS "python3 -c \"import datasets as d; d.Dataset."
    {"PAR1", 4, 0, "Parquet",
     DATASETS "from_parquet('%s').to_json('rows.jsonl')\""},
    {"ARROW1", 6, 0, "Arrow",
     DATASETS "from_file('%s').to_json('rows.jsonl')\""},
    {"\xff\xff\xff\xff", 4, 0, "Arrow",
     DATASETS "from_file('%s').to_json('rows.jsonl')\""},
    {"FEA1", 4, 0, "Feather",
     "python3 -c \"import pandas as p; p.read_feather('%s')"
     ".to_json('rows.jsonl', orient='records', lines=True)\""},
    {"PK\003\004", 4, 0, "zip", "unzip '%s'"},
    {"\xfd" "7zXZ", 5, 0, "xz", "xz -dk '%s'"},
    {"BZh", 3, 0, "bzip2", "bzip2 -dk '%s'"},
    {"\x04\x22\x4d\x18", 4, 0, "lz4", "lz4 -d '%s'"},
    {"7z\xbc\xaf", 4, 0, "7z", "7z x '%s'"},
    {"ustar", 5, 257, "tar", "tar xf '%s'"},
    {"SQLite format 3", 15, 0, "SQLite",
     "sqlite3 -json '%s' 'SELECT * FROM ...' > rows.json"},
    {"Obj\001", 4, 0, "Avro", "avro-tools tojson '%s' > rows.jsonl"},
};

static bool refuse_foreign(const char *path, const char *s, size_t n,
                           struct err *e)
{
    for (size_t i = 0; i < COUNT(foreign); i++) {
        if (n < foreign[i].offset + foreign[i].n ||
            memcmp(s + foreign[i].offset, foreign[i].magic, foreign[i].n))
            continue;
        const char *c = foreign[i].command, *at = strstr(c, "%s");
        return err_set(e, ERR_INPUT, _("%s is %s, which is not read; this "
                       "makes what is: %.*s%s%s"), path, foreign[i].name,
                       (int)(at - c), c, path, at + 2);
    }
    return true;
}

/* ---- Bytes -------------------------------------------------------------- */

/* Reads more packed bytes; false at the end of the file or on failure. */
static bool read_more(struct byte_source *s, struct err *e)
{
    if (s->at) {
        memmove(s->in, s->in + s->at, s->filled - s->at);
        s->filled -= s->at;
        s->at = 0;
    }
    for (;;) {
        ssize_t got = read(s->fd, s->in + s->filled, CHUNK - s->filled);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(e, "%s", s->path);
        s->filled += (size_t)got;
        return got > 0;
    }
}

static bool broken(const struct byte_source *s, const char *why, struct err *e)
{
    return err_set(e, ERR_INPUT, _("%s: what is packed in it cannot be "
                                   "unpacked (%s)"), s->path, why);
}

/* One step of unpacking from in[] into to[0..n); *got bytes came out. */
static bool unpack_gzip(struct byte_source *s, char *to, size_t n, size_t *got,
                        struct err *e)
{
    if (!s->in_frame && inflateReset(&s->gz) != Z_OK)
        return broken(s, "zlib", e);
    s->in_frame = true;
    s->gz.next_in = (Bytef *)s->in + s->at;
    s->gz.avail_in = (uInt)(s->filled - s->at);
    s->gz.next_out = (Bytef *)to;
    s->gz.avail_out = (uInt)n;
    int rc = inflate(&s->gz, Z_NO_FLUSH);
    s->at = s->filled - s->gz.avail_in;
    *got = n - s->gz.avail_out;
    s->in_frame = rc != Z_STREAM_END;
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ||
           broken(s, s->gz.msg ? s->gz.msg : "gzip", e);
}

static bool unpack_zstd(struct byte_source *s, char *to, size_t n, size_t *got,
                        struct err *e)
{
    ZSTD_inBuffer in = {s->in, s->filled, s->at};
    ZSTD_outBuffer out = {to, n, 0};
    size_t rc = ZSTD_decompressStream(s->zs, &out, &in);
    s->at = in.pos;
    *got = out.pos;
    if (ZSTD_isError(rc))
        return broken(s, ZSTD_getErrorName(rc), e);
    s->in_frame = rc != 0;
    return true;
}

static bool unpack_plain(struct byte_source *s, char *to, size_t n, size_t *got)
{
    *got = s->filled - s->at < n ? s->filled - s->at : n;
    memcpy(to, s->in + s->at, *got);
    s->at += *got;
    return true;
}

/* Up to n unpacked bytes; *got is 0 at the end. */
static bool unpack(struct byte_source *s, char *to, size_t n, size_t *got,
                   struct err *e)
{
    struct err why = {0};
    for (*got = 0; !*got;) {
        bool more = s->at < s->filled || read_more(s, &why);
        if (why.code) {
            *e = why;
            return false;
        }
        if (!more && (s->packing == PLAIN || !s->in_frame))
            return true;
        size_t was = s->at;
        bool ok = s->packing == GZIP   ? unpack_gzip(s, to, n, got, e)
                  : s->packing == ZSTD ? unpack_zstd(s, to, n, got, e)
                                       : unpack_plain(s, to, n, got);
        if (!ok)
            return false;
        if (!more && !*got && s->at == was)
            return broken(s, _("it is cut off"), e);
    }
    s->out += *got;
    return s->packing == PLAIN || s->out <= UNPACK_FREE ||
           s->out / UNPACK_RATIO <= s->size ||
           err_set(e, ERR_INPUT, _("%s: unpacks to over %llu MiB, more than "
                   "%d times its size"), s->path,
                   (unsigned long long)(UNPACK_FREE >> 20), UNPACK_RATIO);
}

/* ---- Text --------------------------------------------------------------- */

static void put_utf8(struct buf *out, uint32_t cp)
{
    if (cp < 0x80) {
        buf_putc(out, (char)cp);
        return;
    }
    int more = cp < 0x800 ? 1 : cp < 0x10000 ? 2 : 3;
    static const int lead[] = {0, 0xc0, 0xe0, 0xf0};
    buf_putc(out, (char)(lead[more] | (int)(cp >> 6 * more)));
    while (more--)
        buf_putc(out, (char)(0x80 | (cp >> 6 * more & 0x3f)));
}

/* Turns the units in s->half to UTF-8. Half a pair becomes a byte that is no
 * UTF-8, so that its row is refused. */
static void turn_units(struct byte_source *s, bool last, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)buf_str(&s->half);
    size_t i = 0, n = s->half.len;
    size_t hi = s->units != BIG, lo = !hi;
#define UNIT(k) ((uint32_t)p[(k) + hi] << 8 | p[(k) + lo])
    while (i + 2 <= n) {
        uint32_t u = UNIT(i);
        bool high = u >= 0xd800 && u < 0xdc00;
        if (high && i + 4 > n && !last)
            break;
        uint32_t v = high && i + 4 <= n ? UNIT(i + 2) : 0;
        if (high && v >= 0xdc00 && v < 0xe000) {
            put_utf8(out, 0x10000 + ((u - 0xd800) << 10) + (v - 0xdc00));
            i += 4;
            continue;
        }
        if (u >= 0xd800 && u < 0xe000)
            buf_putc(out, '\xff');
        else
            put_utf8(out, u);
        i += 2;
    }
    char rest[4];
    size_t left = n - i;
    memcpy(rest, p + i, left);
    if (last && left)
        buf_putc(out, '\xff');
    buf_clear(&s->half);
    buf_add(&s->half, rest, last ? 0 : left);
#undef UNIT
}

/* Appends some more text; *more is false at the end. */
static bool read_text(struct byte_source *s, struct buf *out, bool *more,
                      struct err *e)
{
    static char piece[CHUNK];
    size_t got;
    if (!unpack(s, piece, sizeof piece, &got, e))
        return false;
    *more = got > 0;
    if (s->units == BYTES)
        buf_add(out, piece, got);
    else {
        buf_add(&s->half, piece, got);
        turn_units(s, !got, out);
    }
    return true;
}

/* ---- Opening ------------------------------------------------------------ */

static bool starts(const struct byte_source *s, const char *magic, size_t n)
{
    return s->filled >= n && !memcmp(s->in, magic, n);
}

static bool find_packing(struct byte_source *s, struct err *e)
{
    s->gz = (z_stream){0};
    if (starts(s, "\x1f\x8b", 2)) {
        s->packing = GZIP;
        snprintf(s->note, sizeof s->note, "gzip");
        return inflateInit2(&s->gz, 15 + 16) == Z_OK || broken(s, "zlib", e);
    }
    if (starts(s, "\x28\xb5\x2f\xfd", 4)) {
        s->packing = ZSTD;
        s->zs = ZSTD_createDStream();
        snprintf(s->note, sizeof s->note, "zstd");
        return s->zs || err_set(e, ERR_MEMORY, _("out of memory"));
    }
    return true;
}

/* The order of UTF-16's bytes, with a mark or without (JSON and CSV begin with
 * ASCII); *skip is the mark's length. */
static enum units find_units(const unsigned char *p, size_t n, size_t *skip)
{
    *skip = 0;
    if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
        *skip = 3;
    if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) ||
                   (p[0] == 0xfe && p[1] == 0xff))) {
        *skip = 2;
        return p[0] == 0xff ? LITTLE : BIG;
    }
    if (n >= 4 && p[0] && !p[1] && p[2] && !p[3])
        return LITTLE;
    if (n >= 4 && !p[0] && p[1] && !p[2] && p[3])
        return BIG;
    return BYTES;
}

/* The first bytes decide. */
static bool find_text(struct window *w, struct err *e)
{
    struct byte_source *s = w->src;
    struct buf first = BUF_INIT(0);
    bool more = true;
    while (first.len < 512 && more)
        if (!read_text(s, &first, &more, e)) {
            buf_free(&first);
            return false;
        }
    size_t skip;
    s->units = find_units((const unsigned char *)buf_str(&first), first.len,
                          &skip);
    bool ok = refuse_foreign(s->path, buf_str(&first), first.len, e);
    if (ok && s->units != BYTES) {
        buf_add(&s->half, first.data + skip, first.len - skip);
        turn_units(s, !more, &w->b);
        snprintf(s->note + strlen(s->note), 12, "%sUTF-16",
                 *s->note ? ", " : "");
    } else if (ok && first.len) {
        buf_add(&w->b, first.data + skip, first.len - skip);
    }
    w->ended = !more;
    buf_free(&first);
    return ok;
}

bool window_open(struct window *w, const char *path, struct err *e)
{
    struct stat st;
    *w = (struct window){.line = 1};
    int fd = file_open(path, &st, e);
    if (fd < 0)
        return false;
    struct byte_source *s = xcalloc(1, sizeof *s);
    struct err why = {0};
    s->fd = fd;
    s->path = xstrdup(path);
    s->size = (uint64_t)st.st_size;
    s->in = xmalloc(CHUNK);
    w->src = s;
    read_more(s, &why);
    if (why.code)
        *e = why;
    if (!why.code && refuse_foreign(path, s->in, s->filled, e) &&
        find_packing(s, e) && find_text(w, e))
        return true;
    window_close(w);
    return false;
}

void window_close(struct window *w)
{
    struct byte_source *s = w->src;
    if (s) {
        close(s->fd);
        if (s->packing == GZIP)
            inflateEnd(&s->gz);
        ZSTD_freeDStream(s->zs);
        buf_free(&s->half);
        free(s->path);
        free(s->in);
        free(s);
    }
    buf_free(&w->b);
    *w = (struct window){0};
}

const char *window_note(const struct window *w)
{
    return w->src->note;
}

/* ---- The window --------------------------------------------------------- */

bool window_fill(struct window *w, struct err *e)
{
    size_t want = w->b.len - w->at, from = want;
    if (w->ended)
        return false;
    if (w->at) {
        memmove(w->b.data, w->b.data + w->at, want);
        buf_drop(&w->b, w->at);
        w->at = 0;
    }
    want = want > CHUNK ? want : CHUNK;
    bool more = true;
    while (w->b.len - from < want && more)
        if (!read_text(w->src, &w->b, &more, e))
            return false;
    w->ended = !more;
    if (!buf_ok(&w->b))
        return err_set(e, ERR_MEMORY, _("out of memory"));
    return w->b.len > from;
}

const char *window_text(const struct window *w, size_t *n)
{
    *n = w->b.len - w->at;
    return buf_str(&w->b) + w->at;
}

void window_move(struct window *w, size_t n, char end)
{
    const char *p = buf_str(&w->b) + w->at, *last = p + n;
    w->at += n;
    while (p < last && (p = memchr(p, end, (size_t)(last - p)))) {
        w->line++;
        p++;
    }
}
