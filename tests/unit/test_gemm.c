/* The seam for products: all shapes and transposes against plain loops, and
 * the choice of the kernel, with a library that claims to have guessed
 * wrong. */
#include "unit/test.h"

#include <cblas.h>

static char *claimed_core(void);
#define openblas_get_corename claimed_core
#include "model/net/gemm.c"
#undef openblas_get_corename

#include "base/proc.h"

/* Prescott, until somebody says what to take. */
static char *claimed_core(void)
{
    static char wrong[] = "Prescott";
    return getenv("OPENBLAS_CORETYPE") ? openblas_get_corename() : wrong;
}

static char *self;

static void one_product(int m, int n, int k, bool ta, bool tb)
{
    size_t size = 130 * 130;
    real *a = xcalloc(size, sizeof *a), *b = xcalloc(size, sizeof *b);
    real *c = xcalloc(size, sizeof *c);
    for (size_t i = 0; i < size; i++) {
        a[i] = (real)((int)(i * 7 % 31) - 15) / 16;
        b[i] = (real)((int)(i * 5 % 29) - 14) / 16;
        c[i] = (real)(i % 3);
    }
    gemm(ta, tb, m, n, k, 2, a, ta ? m : k, b, tb ? k : n, 1, c, n);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double want = (i * n + j) % 3;
            for (int x = 0; x < k; x++)
                want += 2. * (double)a[ta ? x * m + i : i * k + x] *
                        (double)b[tb ? j * k + x : x * n + j];
            if (fabs(want - (double)c[i * n + j]) > 1e-5 * k)
                fail_msg("%d x %d x %d: %g", m, n, k, want);
        }
    free(a);
    free(b);
    free(c);
}

static const char *const names[] = {"openblas", "avx2", "avx512"};

static void products_are_right(void **state)
{
    (void)state;
    static const int sizes[] = {1, 2, 3, 7, 16, 31, 64, 130};
    for (size_t i = 0; i < COUNT(sizes) * COUNT(sizes) * COUNT(sizes); i++)
        for (size_t g = 0; g < COUNT(names); g++) {
            int m = sizes[i % 8], n = sizes[i / 8 % 8], k = sizes[i / 64];
            if (!gemm_use(names[g]))
                continue;
            one_product(m, n, k, false, false);
            one_product(m, n, k, false, true);
            one_product(m, n, k, true, false);
        }
}


/* One product of numbers that are exact in any order, held against plain
 * loops; nothing outside the result may change. */
static void check_product(bool ta, bool tb, int m, int n, int k, real beta)
{
    int lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2;
    size_t na = (size_t)lda * (size_t)(ta ? k : m);
    size_t nb = (size_t)ldb * (size_t)(tb ? n : k);
    size_t nc = (size_t)ldc * (size_t)m;
    real *a = xmalloc(na * sizeof *a), *b = xmalloc(nb * sizeof *b);
    real *c = xmalloc(nc * sizeof *c);
    for (size_t i = 0; i < na; i++)
        a[i] = (real)((int)(i * 7 % 15) - 7);
    for (size_t i = 0; i < nb; i++)
        b[i] = (real)((int)(i * 5 % 13) - 6);
    for (size_t i = 0; i < nc; i++)
        c[i] = (real)(i % 9);
    gemm(ta, tb, m, n, k, (real).5, a, lda, b, ldb, beta, c, ldc);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < ldc; j++) {
            size_t at = (size_t)i * (size_t)ldc + (size_t)j;
            double want = (double)(at % 9);
            if (j < n) {
                want *= (double)beta;
                for (int p = 0; p < k; p++)
                    want += .5 *
                            (double)a[ta ? p * lda + i : i * lda + p] *
                            (double)b[tb ? j * ldb + p : p * ldb + j];
            }
            if (fabs(want - (double)c[at]) > 1e-3)
                fail_msg("%d x %d x %d (%d %d): [%d, %d] is %g, not %g", m, n,
                         k, ta, tb, i, j, (double)c[at], want);
        }
    free(a);
    free(b);
    free(c);
}

/* Sizes around the edges of tiles, panels and blocks, by every back end. */
static void edges_are_right(void **state)
{
    (void)state;
    static const int size[][3] = {{1, 1, 1},     {1, 50, 9},   {7, 47, 15},
                                  {8, 48, 16},   {9, 49, 17},  {13, 33, 511},
                                  {5, 16, 513},  {3, 70, 1100}, {1030, 20, 24},
                                  {64, 96, 512}};
    for (size_t g = 0; g < COUNT(names); g++)
        for (size_t i = 0; gemm_use(names[g]) && i < COUNT(size); i++)
            for (int t = 0; t < 9; t++)
                check_product(t & 1, t & 2, size[i][0], size[i][1],
                              size[i][2], t < 4 ? 0 : t < 8 ? 1 : (real)-.5);
}

/* Products of what bfloat16 holds are exact up to their sums; others are off by
 * its rounding and no more. */
static void medium_rounds_once(void **state)
{
    (void)state;
    if (!gemm_use("avx512bf16"))
        skip();
    check_product(false, false, 13, 50, 17, 1); /* small whole numbers */
    check_product(true, false, 1030, 20, 24, 0);
    check_product(false, true, 64, 96, 643, 0);
    enum { ROWS = 20, COLUMNS = 50, DEEP = 301 };
    static real a[ROWS * DEEP], b[COLUMNS * DEEP], c[ROWS * COLUMNS];
    double sizes = 0;
    for (int i = 0; i < ROWS * DEEP; i++)
        a[i] = (real)sin(i * 1.7);
    for (int i = 0; i < COLUMNS * DEEP; i++)
        b[i] = (real)cos(i * .9);
    gemm(false, true, ROWS, COLUMNS, DEEP, 1, a, DEEP, b, DEEP, 0, c, COLUMNS);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        double want = 0, most = 0;
        for (int p = 0; p < DEEP; p++) {
            double x = (double)a[i / COLUMNS * DEEP + p];
            double y = (double)b[i % COLUMNS * DEEP + p];
            want += x * y;
            most += fabs(x * y);
        }
        assert_true(fabs((double)c[i] - want) < most / 128);
        sizes += fabs((double)c[i] - want);
    }
    assert_true(sizes > 1e-3); /* and it does round */
    gemm_use("openblas");
}

/* Where B is exact in bfloat16 its half size gives the same bits; and no row's
 * result depends on how many others there are. */
static void halves_and_few_rows_agree(void **state)
{
    (void)state;
    enum { COLUMNS = 53, DEEP = 133 };
    static real a[FEW_ROWS * DEEP], b[COLUMNS * DEEP];
    static real c[FEW_ROWS * COLUMNS], d[FEW_ROWS * COLUMNS];
    static uint16_t half[COLUMNS * DEEP];
    for (int i = 0; i < FEW_ROWS * DEEP; i++)
        a[i] = (real)sin(i * 1.7);
    for (int i = 0; i < COLUMNS * DEEP; i++) {
        union {
            float f;
            uint32_t bits;
        } v = {(float)cos(i * .9)};
        half[i] = (uint16_t)(v.bits >> 16);
        v.bits &= 0xffff0000;
        b[i] = (real)v.f;
    }
    few_gemm(true, FEW_ROWS, COLUMNS, DEEP, 1, a, DEEP, b, DEEP, 0, c,
             COLUMNS);
    for (int m = 1; m <= FEW_ROWS; m++) {
        few_half(m, COLUMNS, DEEP, a, DEEP, half, DEEP, d, COLUMNS);
        assert_memory_equal(c, d, (size_t)(m * COLUMNS) * sizeof *c);
        few_gemm(true, m, COLUMNS, DEEP, 1, a, DEEP, b, DEEP, 0, d, COLUMNS);
        assert_memory_equal(c, d, (size_t)(m * COLUMNS) * sizeof *c);
    }
}

/* What a child ends up with, started with OPENBLAS_CORETYPE = given. */
static char *child_core(const char *given)
{
    static const char *const drop[] = {"OPENBLAS_CORETYPE", NULL};
    const char *argv[] = {self, "child", "an argument", NULL};
    struct err e = {0};
    struct buf out = BUF_INIT(4096);
    if (given)
        setenv("OPENBLAS_CORETYPE", given, 1);
    int code = proc_capture(argv, given ? NULL : drop, NULL, &out, &e);
    unsetenv("OPENBLAS_CORETYPE");
    assert_int_equal(code, 0);
    return buf_take(&out);
}

static void a_wrong_guess_is_mended_once(void **state)
{
    (void)state;
    static const char *const best[] = {"none", "Sandybridge", "Haswell",
                                       "SkylakeX"};
    if (cpu_class() == 0)
        skip();
    setenv("STILLROOM_GEMM", "openblas", 1);
    char *want = xasprintf("%s an argument\n", best[cpu_class()]);
    char *got = child_core(NULL);
    assert_string_equal(got, want);
    free(got);
    free(want);
    got = child_core("Prescott"); /* the user's word stands */
    assert_string_equal(got, "Prescott an argument\n");
    free(got);
}

static int child(const char *argument)
{
    struct err e;
    if (!gemm_start(&e))
        return 1;
    const char *core = getenv("OPENBLAS_CORETYPE");
    printf("%s %s\n", core ? core : "none", argument);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "child"))
        return child(argv[2]);
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_right),
        cmocka_unit_test(edges_are_right),
        cmocka_unit_test(medium_rounds_once),
        cmocka_unit_test(halves_and_few_rows_agree),
        cmocka_unit_test(a_wrong_guess_is_mended_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
