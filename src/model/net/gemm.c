#include "model/net/gemm.h"

#include <cblas.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/net/gemm_amx.h"
#include "model/net/gemm_few.h"
#include "model/net/gemm_packed.h"

static _Thread_local double seconds;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double gemm_seconds(void)
{
    return seconds;
}

/* ---- Back ends ---------------------------------------------------------- */

#ifdef REAL_IS_DOUBLE /* our own are for work, not for tests */
#define GEMM cblas_dgemm
#define ASKED NULL
#define packed_find(name) NULL
#define packed_gemm(kernel, ...) (void)(kernel)
#define packed_bf16(kernel, ...) (void)(kernel)
#define amx_few_bf16 NULL
#define soft_few_bf16 NULL
#else
#define GEMM cblas_sgemm
#define ASKED getenv("STILLROOM_GEMM")
#endif

/* A few rows by bfloat16; false: not at this size. */
typedef bool bf16_fn(int m, int n, int k, const real *a, int lda,
                     const uint16_t *b, int ldb, real *c, int ldc);

/* What each kind of processor has for each precision, the fastest first: for
 * products, and for those that have to be exact. amx is behind avx512 in all
 * of them as it stands: a third of its rate in training. */
static const struct family {
    const char *name;
    struct {
        const char *usual, *exact;
    } by[GEMM_MEDIUM + 1];
    bf16_fn *bf16;
    bool by_name; /* only for who asks for it: slower, or a reference */
    bool alone;   /* without our loops for a few rows */
} families[] = {
    {.name = "amx",
     .by = {{"avx512", "avx512"}, {"amx", "amx-whole"},
            {"amx-bf16", "amx-bf16"}},
     .bf16 = amx_few_bf16, .by_name = true},
    {.name = "avx512",
     .by = {{"avx512", "avx512"}, {"avx512", "avx512"},
            {"avx512bf16", "avx512bf16"}}},
    {.name = "openblas",
     .by = {{"openblas", "openblas"}, {"openblas", "openblas"}}},
    {.name = "avx2", .by = {{"avx2", "avx2"}, {"avx2", "avx2"}},
     .by_name = true},
    {.name = "emulated",
     .by = {{"openblas", "openblas"}, {"emulated", "emulated-whole"},
            {"emulated-bf16", "emulated-bf16"}},
     .bf16 = soft_few_bf16, .by_name = true},
    {.name = "openblas-alone",
     .by = {{"openblas", "openblas"}, {"openblas", "openblas"}},
     .by_name = true, .alone = true},
};

enum { PLAIN = 2 }; /* the family of every processor */

const char *const gemm_precisions[] = {[GEMM_HIGHEST] = "highest",
                                       [GEMM_HIGH] = "high",
                                       [GEMM_MEDIUM] = "medium"};

static const struct family *family = &families[PLAIN];
static enum gemm_precision precision;
static const char *backend = "openblas";

/* What products run on; NULL is OpenBLAS. */
static const struct kernel *usual, *exact;

static bool find_kernel(const char *name, const struct kernel **to)
{
    *to = NULL;
    if (name && strcmp(name, "openblas"))
        *to = packed_find(name);
    return name && (*to || !strcmp(name, "openblas"));
}

bool gemm_precision(enum gemm_precision p)
{
    const struct kernel *a, *b;
    if (!find_kernel(family->by[p].usual, &a) ||
        !find_kernel(family->by[p].exact, &b))
        return false;
    usual = a;
    exact = b;
    precision = p;
    backend = family->by[p].usual;
    return true;
}

bool gemm_use(const char *name)
{
    const struct family *was = family;
    for (size_t i = 0; i < COUNT(families); i++)
        if (!strcmp(name, families[i].name)) {
            family = &families[i];
            if (gemm_precision(GEMM_HIGH) && gemm_precision(GEMM_HIGHEST))
                return true;
        }
    family = was;
    return false;
}

enum gemm_precision gemm_precision_now(void)
{
    return precision;
}

const char *gemm_backend(void)
{
    return backend;
}

static void product(const struct kernel *by, bool ta, bool tb, int m, int n,
                    int k, real alpha, const real *a, int lda, const real *b,
                    int ldb, real beta, real *c, int ldc)
{
    double from = now();
    if (m <= GEMM_FEW && !ta && !family->alone)
        few_gemm(tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else if (by)
        packed_gemm(by, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else
        GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans,
             tb ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb,
             beta, c, ldc);
    seconds += now() - from;
}

void gemm(bool ta, bool tb, int m, int n, int k, real alpha, const real *a,
          int lda, const real *b, int ldb, real beta, real *c, int ldc)
{
    product(usual, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void gemm_exact(bool ta, bool tb, int m, int n, int k, real alpha,
                const real *a, int lda, const real *b, int ldb, real beta,
                real *c, int ldc)
{
    product(exact, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

typedef void gemm_fn(bool ta, bool tb, int m, int n, int k, real alpha,
                     const real *a, int lda, const real *b, int ldb, real beta,
                     real *c, int ldc);

/* What a share of m x n costs, in elements of C: the sums, and the packing of
 * both operands. */
static double cost(int m, int n)
{
    return (double)m * n + 16. * (m + n);
}

enum { TEAM_COLUMNS = 48 }; /* whole panels of our own kernels */

/* The largest share when so many units are dealt out. */
static int largest(int n, int unit, int of)
{
    int units = (n + unit - 1) / unit, most = (units + of - 1) / of * unit;
    return most < n ? most : n;
}

/* This worker's share lo..hi-1 of C[m, n]: true where it is rows. */
static bool deal_out(const struct team *t, int m, int n, int *lo, int *hi)
{
    int unit = team_unit(m);
    bool rows = cost(largest(m, unit, t->of), n) <
                cost(m, largest(n, TEAM_COLUMNS, t->of));
    team_share(t, rows ? m : n, rows ? unit : TEAM_COLUMNS, lo, hi);
    return rows;
}

static void share(const struct team *t, gemm_fn *fn, bool ta, bool tb, int m,
                  int n, int k, real alpha, const real *a, int lda,
                  const real *b, int ldb, real beta, real *c, int ldc)
{
    int lo, hi;
    bool rows = deal_out(t, m, n, &lo, &hi);
    size_t at = (size_t)lo;
    if (!rows || ta)
        team_wait(t);
    if (lo < hi && rows)
        fn(ta, tb, hi - lo, n, k, alpha,
           a + (ta ? at : at * (size_t)lda), lda, b, ldb, beta,
           c + at * (size_t)ldc, ldc);
    else if (lo < hi)
        fn(ta, tb, m, hi - lo, k, alpha, a, lda,
           b + (tb ? at * (size_t)ldb : at), ldb, beta, c + at, ldc);
    if (!rows || ta)
        team_wait(t);
}

void gemm_share(const struct team *t, bool ta, bool tb, int m, int n, int k,
                real alpha, const real *a, int lda, const real *b, int ldb,
                real beta, real *c, int ldc)
{
    share(t, gemm, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void gemm_share_exact(const struct team *t, bool ta, bool tb, int m, int n,
                      int k, real alpha, const real *a, int lda, const real *b,
                      int ldb, real beta, real *c, int ldc)
{
    share(t, gemm_exact, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

/* ---- B in bfloat16 ------------------------------------------------------ */

enum { WIDENED = 1 << 20 }; /* elements of B at a time */

/* Part by part, for a library that has no such products. */
static void widened(bool tb, int m, int n, int k, const real *a, int lda,
                    const uint16_t *b, int ldb, real *c, int ldc)
{
    int all = tb ? n : k, width = tb ? k : n;
    int most = WIDENED / width > 1 ? WIDENED / width : 1;
    real *wide = xmalloc((size_t)(most < all ? most : all) * (size_t)width *
                         sizeof *wide);
    for (int at = 0; at < all; at += most) {
        int rows = all - at < most ? all - at : most;
        for (int i = 0; i < rows; i++)
            few_widen(wide + (size_t)i * (size_t)width,
                      b + (size_t)(at + i) * (size_t)ldb, (size_t)width);
        if (tb)
            product(NULL, false, true, m, rows, k, 1, a, lda, wide, k, 0,
                    c + at, ldc);
        else
            product(NULL, false, false, m, n, rows, 1, a + at, lda, wide, n,
                    at > 0, c, ldc);
    }
    free(wide);
}

static void bf16_product(const struct kernel *by, bool tb, int m, int n, int k,
                         const real *a, int lda, const uint16_t *b, int ldb,
                         real *c, int ldc)
{
    double from = now();
    if (tb && m <= GEMM_FEW) {
        if (!family->bf16 || !family->bf16(m, n, k, a, lda, b, ldb, c, ldc))
            few_bf16(m, n, k, a, lda, b, ldb, c, ldc);
    } else if (by && m > GEMM_FEW) {
        packed_bf16(by, tb, m, n, k, a, lda, b, ldb, c, ldc);
    } else {
        widened(tb, m, n, k, a, lda, b, ldb, c, ldc);
        return; /* which has counted its seconds */
    }
    seconds += now() - from;
}

bool gemm_has_bf16(void)
{
    return usual && exact;
}

void gemm_share_bf16(const struct team *t, bool is_exact, bool tb, int m,
                     int n, int k, const real *a, const uint16_t *b, real *c)
{
    const struct kernel *by = is_exact ? exact : usual;
    int lo, hi, ldb = tb ? k : n;
    bool rows = deal_out(t, m, n, &lo, &hi);
    size_t at = (size_t)lo;
    if (!rows)
        team_wait(t);
    if (lo < hi && rows)
        bf16_product(by, tb, hi - lo, n, k, a + at * (size_t)k, k, b, ldb,
                     c + at * (size_t)n, n);
    else if (lo < hi)
        bf16_product(by, tb, m, hi - lo, k, a, k,
                     b + (tb ? at * (size_t)ldb : at), ldb, c + at, n);
    if (!rows)
        team_wait(t);
}

/* ---- Choosing the kernel ------------------------------------------------ */

/* 0: SSE, 1: AVX, 2: AVX2 with FMA, 3: AVX-512. */
static int cpu_class(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return 3;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return 2;
    return __builtin_cpu_supports("avx") ? 1 : 0;
#else
    return 0;
#endif
}

/* The class of one of OpenBLAS's kernels; what is not known ranks high, so
 * that it is left alone. */
static int kernel_class(const char *name)
{
    static const struct {
        const char *name;
        int class;
    } known[] = {
        {"Katmai", 0},      {"Coppermine", 0}, {"Northwood", 0},
        {"Prescott", 0},    {"Banias", 0},     {"Atom", 0},
        {"Core2", 0},       {"Penryn", 0},     {"Dunnington", 0},
        {"Nehalem", 0},     {"Athlon", 0},     {"Opteron", 0},
        {"Opteron_SSE3", 0}, {"Barcelona", 0}, {"Nano", 0},
        {"Bobcat", 0},      {"Sandybridge", 1}, {"Bulldozer", 1},
        {"Piledriver", 1},  {"Steamroller", 1}, {"Excavator", 2},
        {"Haswell", 2},     {"Zen", 2},
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (!strcmp(name, known[i].name))
            return known[i].class;
    return 9;
}

/* Starts this program anew with the same arguments; returns on failure. */
static void start_anew(void)
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    struct buf b = BUF_INIT((size_t)4 << 20);
    char chunk[4096];
    ssize_t n;
    while (fd >= 0 && (n = read(fd, chunk, sizeof chunk)) > 0)
        buf_add(&b, chunk, (size_t)n);
    if (fd >= 0)
        close(fd);
    VEC(char *) argv = {0};
    for (size_t at = 0; at < b.len; at += strlen(b.data + at) + 1)
        VEC_PUSH(&argv, b.data + at);
    VEC_PUSH(&argv, NULL);
    if (argv.n > 1)
        execv("/proc/self/exe", argv.at);
    VEC_FREE(&argv);
    buf_free(&b);
}

static void pin_kernel(void)
{
    static const char *const best[] = {NULL, "Sandybridge", "Haswell",
                                       "SkylakeX"};
    int cpu = cpu_class();
    if (getenv("OPENBLAS_CORETYPE") ||
        kernel_class(openblas_get_corename()) >= cpu)
        return;
    if (setenv("OPENBLAS_CORETYPE", best[cpu], 0) == 0)
        start_anew();
}

/* ---- Trusting it -------------------------------------------------------- */

enum { M = 37, N = 29, K = 53, FEW = 3 };

static real some(int i)
{
    return (real)((i * 7) % 31 - 15) / 17;
}

/* One product with every element known, transposed as asked, off by at most
 * `off` of its terms' sizes. */
static bool agrees(gemm_fn *fn, bool ta, bool tb, double off)
{
    static real a[M * K], b[K * N], c[M * N];
    for (int i = 0; i < M * K; i++)
        a[i] = some(i);
    for (int i = 0; i < K * N; i++)
        b[i] = some(3 * i + 1);
    for (int i = 0; i < M * N; i++)
        c[i] = 1;
    fn(ta, tb, M, N, K, 1, a, ta ? M : K, b, tb ? K : N, 2, c, N);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            double want = 2, size = 2;
            for (int k = 0; k < K; k++) {
                double x = (double)a[ta ? k * M + i : i * K + k];
                double y = (double)b[tb ? j * K + k : k * N + j];
                want += x * y;
                size += fabs(x * y);
            }
            if (!(fabs(want - (double)c[i * N + j]) <= off * size))
                return false;
        }
    return true;
}

static bool all_agree(double usually, double exactly)
{
    for (int t = 0; t < 3; t++)
        if (!agrees(gemm, t == 2, t == 1, usually) ||
            !agrees(gemm_exact, t == 2, t == 1, exactly))
            return false;
    return true;
}

/* A few rows by numbers that bfloat16 holds. */
static bool few_agree(void)
{
    static real a[FEW * K], c[FEW * N];
    static uint16_t ones[N * K];
    for (int i = 0; i < FEW * K; i++)
        a[i] = some(i);
    for (int i = 0; i < N * K; i++)
        ones[i] = i % 3 ? 0x3f80 : 0xbf80; /* 1 and -1 */
    if (!family->bf16 || !family->bf16(FEW, N, K, a, K, ones, K, c, N))
        return true;
    for (int i = 0; i < FEW * N; i++) {
        double want = 0;
        for (int k = 0; k < K; k++)
            want += (double)a[i / N * K + k] *
                    ((i % N * K + k) % 3 ? 1 : -1);
        if (!(fabs(want - (double)c[i]) < 1e-5))
            return false;
    }
    return true;
}

/* At every precision that it has; leaves it at fp32. */
static bool is_right(void)
{
    if (gemm_precision(GEMM_MEDIUM) && !all_agree(1e-2, 1e-2))
        return false;
    return gemm_precision(GEMM_HIGH) && all_agree(1e-5, 1e-6) &&
           gemm_precision(GEMM_HIGHEST) && all_agree(1e-6, 1e-6) &&
           few_agree();
}

/* The family of that name: whether its products come out right. */
static bool try(const char *name)
{
    if (!gemm_use(name))
        return false;
    if (!usual)
        pin_kernel();
    openblas_set_num_threads(1);
    return is_right();
}

bool gemm_start(struct err *e)
{
    const char *asked = ASKED;
    if (asked && *asked) {
        if (try(asked))
            return true;
        if (strcmp(family->name, asked))
            return err_set(e, ERR_USAGE,
                           _("STILLROOM_GEMM: %s is no back end for products "
                             "on this machine"), asked);
    }
    for (size_t i = 0; !(asked && *asked) && i < COUNT(families); i++)
        if (!families[i].by_name && try(families[i].name))
            return true;
    return err_set(e, ERR_SYSTEM,
                   _("products come out wrong on this machine (%s, kernel %s); "
                     "set STILLROOM_GEMM to another back end"),
                   gemm_library(), gemm_kernel());
}

const char *gemm_kernel(void)
{
    static const char *const loops[] = {"default", "default", "avx2",
                                        "avx512f"};
    static char name[80];
    snprintf(name, sizeof name, "%s+%s",
             usual ? backend : openblas_get_corename(),
             loops[HOT_CLONES ? cpu_class() : 0]);
    return name;
}

const char *gemm_left_out(void)
{
    return packed_find("amx") && strncmp(backend, "amx", 3) ? "amx" : NULL;
}

const char *gemm_library(void)
{
    static char name[60];
    int a = 0, b = 0, c = 0;
    if (usual)
        return PACKAGE_STRING;
    if (sscanf(openblas_get_config(), "OpenBLAS %d.%d.%d", &a, &b, &c) != 3)
        return "OpenBLAS";
    snprintf(name, sizeof name, "OpenBLAS %d.%d.%d", a, b, c);
    return name;
}
