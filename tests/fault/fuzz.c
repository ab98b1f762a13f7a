/* What a student's files may say, broken at random: the headers of safetensors
 * and GGUF, tokenizer.json, and chat templates. Nothing may crash, hang or
 * read where it may not; what comes out does not matter.
 *
 *   fault/fuzz TIMES SEED TOKENIZER_DIR TEMPLATES.jsonl
 *
 * breaks a good beginning TIMES over for each. Built with -DFUZZ=0 .. 3 and
 * clang's -fsanitize=fuzzer the same targets are libFuzzer's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/net/gguf.h"
#include "model/net/safetensors.h"
#include "model/token/template.h"
#include "model/token/tokenizer.h"

/* ---- Targets ------------------------------------------------------------ */

/* A file without a name, by its path; *fd is closed by the caller. */
static char *as_file(const uint8_t *data, size_t n, int *fd)
{
    *fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (*fd < 0 || write(*fd, data, n) != (ssize_t)n)
        die("no room for a file in memory");
    return xasprintf("/proc/self/fd/%d", *fd);
}

static void target_safetensors(const uint8_t *data, size_t n)
{
    struct st_file f;
    struct err e;
    int fd;
    char *path = as_file(data, n, &fd);
    if (st_open(&f, path, &e)) {
        for (size_t i = 0; i < f.n; i++) {
            float *x = xcalloc(f.at[i].count + 1, sizeof *x);
            st_read(&f, &f.at[i], x, &e);
            free(x);
        }
        st_close(&f);
    }
    free(path);
    close(fd);
}

static void target_gguf(const uint8_t *data, size_t n)
{
    struct gguf g;
    struct err e;
    int fd;
    char *path = as_file(data, n, &fd);
    if (gguf_open(&g, path, &e)) {
        free(gguf_text(&g, "general.architecture"));
        for (size_t i = 0; i < g.n_values; i++) {
            uint64_t at = 0;
            size_t len;
            while (gguf_next(&g.value[i], &at, &len))
                ;
        }
        gguf_close(&g);
    }
    free(path);
    close(fd);
}

static const char *tokenizer_dir; /* where tokenizer.json is written anew */

static void target_tokenizer(const uint8_t *data, size_t n)
{
    struct err e;
    char *path = path_join(tokenizer_dir, "tokenizer.json");
    if (!file_replace(path, (const char *)data, n, 0600, false, &e))
        die("cannot write");
    struct tokenizer *t = tokenizer_load(tokenizer_dir, &e);
    if (t) {
        static const char text[] = "Two  words\n<|end|> \xc3\xa9 123";
        struct tokens k = {0};
        struct buf b = BUF_INIT(1 << 16);
        int32_t id = 0;
        tokenizer_encode(t, text, sizeof text - 1, true, &k);
        for (size_t i = 0; i < k.n; i++) {
            id = k.at[i].id;
            tokenizer_decode(t, &id, 1, true, &b);
        }
        buf_free(&b);
        VEC_FREE(&k);
    }
    tokenizer_free(&t);
    free(path);
}

static void target_template(const uint8_t *data, size_t n)
{
    static const char *const plain[] = {"<|end|>", "<|user|>", "<|assistant|>",
                                        NULL};
    static const char in[] =
        "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":"
        "\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
        "\"a\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
        "\"f\",\"parameters\":{}}}],\"add_generation_prompt\":true}";
    struct err e;
    char *text = xstrndup((const char *)data, n);
    struct tokenizer *t = tokenizer_new(plain);
    t->eos = 0;
    tokenizer_set_template(t, text);
    struct rendered r = {.text = BUF_INIT(0)};
    json *j = json_parse(in, sizeof in - 1, &e);
    template_render_json(t, j, &(struct template_how){0}, &r, &e);
    rendered_free(&r);
    json_free(j);
    tokenizer_free(&t);
    free(text);
}

#ifdef FUZZ

static void (*const targets[])(const uint8_t *, size_t) = {
    target_safetensors, target_gguf, target_tokenizer, target_template};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (!tokenizer_dir && !(tokenizer_dir = getenv("FUZZ_DIR")))
        die("FUZZ_DIR names a folder for tokenizer.json");
    targets[FUZZ](data, n);
    return 0;
}

#else

/* ---- Good beginnings ---------------------------------------------------- */

static void put(struct buf *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_putc(b, (char)(v >> 8 * i));
}

static void put_text(struct buf *b, const char *s)
{
    put(b, strlen(s), 8);
    buf_puts(b, s);
}

static void good_safetensors(struct buf *b)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\","
        "\"shape\":[2,3],\"data_offsets\":[0,24]},\"b\":{\"dtype\":\"BF16\","
        "\"shape\":[4],\"data_offsets\":[24,32]}}";
    put(b, sizeof header - 1, 8);
    buf_puts(b, header);
    for (int i = 0; i < 32; i++)
        buf_putc(b, (char)i);
}

static void good_gguf(struct buf *b)
{
    buf_puts(b, "GGUF");
    put(b, 3, 4);
    put(b, 1, 8); /* tensors */
    put(b, 3, 8); /* values */
    put_text(b, "general.architecture");
    put(b, 8, 4);
    put_text(b, "llama");
    put_text(b, "llama.block_count");
    put(b, 4, 4);
    put(b, 2, 4);
    put_text(b, "tokenizer.ggml.tokens");
    put(b, 9, 4);
    put(b, 8, 4);
    put(b, 2, 8);
    put_text(b, "a");
    put_text(b, "bc");
    put_text(b, "token_embd.weight");
    put(b, 2, 4);
    put(b, 4, 8);
    put(b, 2, 8);
    put(b, 0, 4);
    put(b, 0, 8);
    while (b->len % 32)
        buf_putc(b, 0);
    for (int i = 0; i < 32; i++)
        buf_putc(b, 0);
}

/* ---- Breaking them ------------------------------------------------------ */

static struct rng rng;

static size_t below(size_t n)
{
    return n ? (size_t)rng_below(&rng, n) : 0;
}

/* A few bytes changed, or a stretch cut out, doubled or ended. */
static void break_it(struct buf *b)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, '{', '}', '"', '%',
                                  '[', ']', ',', '9', '-', 'e', ' '};
    for (size_t k = 1 + below(4); k-- && b->len;) {
        size_t at = below(b->len), n = 1 + below(16);
        n = n < b->len - at ? n : b->len - at;
        switch (below(5)) {
        case 0: b->data[at] = (char)odd[below(sizeof odd)]; break;
        case 1: b->data[at] = (char)(b->data[at] ^ 1 << below(8)); break;
        case 2:
            memmove(b->data + at, b->data + at + n, b->len - at - n);
            buf_drop(b, n);
            break;
        case 3: {
            char *copy = xstrndup("", 0);
            copy = xrealloc(copy, n);
            memcpy(copy, b->data + at, n);
            buf_add(b, copy, n);
            free(copy);
            break;
        }
        default: buf_drop(b, below(b->len / 2 + 1)); break;
        }
    }
}

static void attack(void (*target)(const uint8_t *, size_t), const char *good,
                   size_t n, int times)
{
    for (int i = 0; i < times; i++) {
        struct buf b = BUF_INIT(0);
        buf_add(&b, good, n);
        if (i)
            break_it(&b);
        target((const uint8_t *)buf_str(&b), b.len);
        buf_free(&b);
    }
}

static void attack_templates(const char *path, int times)
{
    struct buf b = BUF_INIT((size_t)64 << 20);
    struct err e;
    if (!file_read(path, (size_t)64 << 20, &b, &e))
        die("no templates");
    char *save = NULL;
    for (char *line = strtok_r(b.data, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        json *j = json_parse(line, strlen(line), &e);
        const char *t = json_get_string(j, "template", NULL);
        if (t)
            attack(target_template, t, strlen(t), times / 40 + 1);
        json_free(j);
    }
    buf_free(&b);
}

int main(int argc, char **argv)
{
    struct buf st = BUF_INIT(0), gguf = BUF_INIT(0);
    struct buf tokens = BUF_INIT((size_t)64 << 20);
    struct err e;
    if (argc != 5)
        die("fuzz TIMES SEED TOKENIZER_DIR TEMPLATES.jsonl");
    int times = atoi(argv[1]);
    rng_seed(&rng, strtoull(argv[2], NULL, 10));
    tokenizer_dir = argv[3];
    char *path = path_join(argv[3], "tokenizer.json");
    if (!file_read(path, (size_t)64 << 20, &tokens, &e))
        die("no tokenizer.json");
    good_safetensors(&st);
    good_gguf(&gguf);
    attack(target_safetensors, st.data, st.len, times);
    attack(target_gguf, gguf.data, gguf.len, times);
    attack(target_tokenizer, tokens.data, tokens.len, times / 4);
    attack_templates(argv[4], times);
    printf("%d times, nothing broke\n", times);
    buf_free(&st);
    buf_free(&gguf);
    buf_free(&tokens);
    free(path);
    return 0;
}

#endif
