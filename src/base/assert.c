#include "base/assert.h"

#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"

void must_fail(const char *file, int line, const char *expression)
{
    struct err e;
    err_set(&e, ERR_SYSTEM, _("a fault in this program: %s:%d: \"%s\" does "
                              "not hold; nothing more was written"), file,
            line, expression);
    last_acts(e.text);
    say_err(program_invocation_short_name, &e);
    _exit(1);
}
