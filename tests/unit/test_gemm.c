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

static void products_are_right(void **state)
{
    (void)state;
    static const int sizes[] = {1, 2, 3, 7, 16, 31, 64, 130};
    for (size_t i = 0; i < COUNT(sizes) * COUNT(sizes) * COUNT(sizes); i++) {
        int m = sizes[i % 8], n = sizes[i / 8 % 8], k = sizes[i / 64];
        one_product(m, n, k, false, false);
        one_product(m, n, k, false, true);
        one_product(m, n, k, true, false);
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
        cmocka_unit_test(a_wrong_guess_is_mended_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
