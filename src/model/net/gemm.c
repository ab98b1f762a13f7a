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

typedef void gemm_fn(bool ta, bool tb, int m, int n, int k, real alpha,
                     const real *a, int lda, const real *b, int ldb, real beta,
                     real *c, int ldc);

#ifdef REAL_IS_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif

static void openblas(bool ta, bool tb, int m, int n, int k, real alpha,
                     const real *a, int lda, const real *b, int ldb, real beta,
                     real *c, int ldc)
{
    GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans,
         tb ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta,
         c, ldc);
}

#ifdef REAL_IS_DOUBLE /* our own are for work, not for tests */
#define packed_can(name) false
#define packed_use(name) (void)(name)
#endif

static const struct backend {
    const char *name;
    gemm_fn *gemm;
} backends[] = {
    {"openblas", openblas},
#ifndef REAL_IS_DOUBLE
    {"avx2", packed_gemm},
    {"avx512", packed_gemm},
    {"avx512bf16", packed_gemm},
#endif
};

static const struct backend *backend = &backends[0];

bool gemm_use(const char *name)
{
    for (size_t i = 0; i < COUNT(backends); i++)
        if (!strcmp(name, backends[i].name) && (!i || packed_can(name))) {
            backend = &backends[i];
            packed_use(name);
            return true;
        }
    return false;
}

const char *gemm_backend(void)
{
    return backend->name;
}

void gemm(bool ta, bool tb, int m, int n, int k, real alpha, const real *a,
          int lda, const real *b, int ldb, real beta, real *c, int ldc)
{
    double from = now();
    if (m <= FEW_ROWS && !ta)
        few_gemm(tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else
        backend->gemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    seconds += now() - from;
}

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

void gemm_share(const struct team *t, bool ta, bool tb, int m, int n, int k,
                real alpha, const real *a, int lda, const real *b, int ldb,
                real beta, real *c, int ldc)
{
    bool rows = cost(largest(m, TEAM_ROWS, t->of), n) <
                cost(m, largest(n, TEAM_COLUMNS, t->of));
    int lo, hi;
    team_share(t, rows ? m : n, rows ? TEAM_ROWS : TEAM_COLUMNS, &lo, &hi);
    size_t at = (size_t)lo;
    if (!rows || ta)
        team_wait(t);
    if (lo < hi && rows)
        gemm(ta, tb, hi - lo, n, k, alpha,
             a + (ta ? at : at * (size_t)lda), lda, b, ldb, beta,
             c + at * (size_t)ldc, ldc);
    else if (lo < hi)
        gemm(ta, tb, m, hi - lo, k, alpha, a, lda,
             b + (tb ? at * (size_t)ldb : at), ldb, beta, c + at, ldc);
    if (!rows || ta)
        team_wait(t);
}

void gemm_share_half(const struct team *t, int m, int n, int k, const real *a,
                     const uint16_t *b, real *c)
{
    double from = now();
    int lo, hi;
    team_share(t, n, TEAM_COLUMNS, &lo, &hi);
    team_wait(t);
    if (lo < hi)
        few_half(m, hi - lo, k, a, k, b + (size_t)lo * (size_t)k, k, c + lo,
                 n);
    seconds += now() - from;
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

enum { M = 37, N = 29, K = 53 };

/* One product with every element known, transposed as asked. */
static bool agrees(bool ta, bool tb)
{
    static real a[M * K], b[K * N], c[M * N];
    for (int i = 0; i < M * K; i++)
        a[i] = (real)((i * 7) % 31 - 15) / 16;
    for (int i = 0; i < K * N; i++)
        b[i] = (real)((i * 5) % 29 - 14) / 16;
    for (int i = 0; i < M * N; i++)
        c[i] = 1;
    gemm(ta, tb, M, N, K, 1, a, ta ? M : K, b, tb ? K : N, 2, c, N);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            double want = 2;
            for (int k = 0; k < K; k++)
                want += (double)a[ta ? k * M + i : i * K + k] *
                        (double)b[tb ? j * K + k : k * N + j];
            if (!(fabs(want - (double)c[i * N + j]) < 1e-4))
                return false;
        }
    return true;
}

bool gemm_precision(enum gemm_precision p)
{
    return p != GEMM_MEDIUM || !strcmp(backend->name, "avx512bf16") ||
           (!strcmp(backend->name, "avx512") && gemm_use("avx512bf16"));
}

/* The fastest that this processor can run, or the one that is asked for. */
static bool choose(struct err *e)
{
    const char *asked = getenv("STILLROOM_GEMM");
    if (asked && *asked)
        return gemm_use(asked) ||
               err_set(e, ERR_USAGE, _("STILLROOM_GEMM: %s is no back end for "
                                       "products on this machine (openblas, "
                                       "avx2, avx512)"), asked);
    if (!gemm_use("avx512"))
        gemm_use("openblas");
    return true;
}

bool gemm_start(struct err *e)
{
    if (!choose(e))
        return false;
    if (backend == &backends[0])
        pin_kernel();
    openblas_set_num_threads(1);
    if (!agrees(false, false) || !agrees(false, true) || !agrees(true, false))
        return err_set(e, ERR_SYSTEM,
                       _("products come out wrong on this machine (%s, kernel "
                         "%s); set STILLROOM_GEMM to another back end"),
                       gemm_library(), gemm_kernel());
    return true;
}

const char *gemm_kernel(void)
{
    static const char *const loops[] = {"default", "default", "avx2",
                                        "avx512f"};
    static char name[80];
    snprintf(name, sizeof name, "%s+%s",
             backend == &backends[0] ? openblas_get_corename() : backend->name,
             loops[HOT_CLONES ? cpu_class() : 0]);
    return name;
}

const char *gemm_library(void)
{
    static char name[60];
    int a = 0, b = 0, c = 0;
    if (backend != &backends[0])
        return PACKAGE_STRING;
    if (sscanf(openblas_get_config(), "OpenBLAS %d.%d.%d", &a, &b, &c) != 3)
        return "OpenBLAS";
    snprintf(name, sizeof name, "OpenBLAS %d.%d.%d", a, b, c);
    return name;
}
