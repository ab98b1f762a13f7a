/* What every unit test includes, in the order that cmocka wants. */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Fails with the error's text. */
#define assert_ok(call, e)                                                    \
    do {                                                                      \
        if (!(call))                                                          \
            fail_msg("%s: %s", #call, (e).text);                              \
    } while (0)

#endif
