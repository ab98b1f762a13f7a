/* A model folder behind the server. */
#include "base/lang.h"
#include "model/serve/answerer.h"

struct answerer *model_answerer(const char *dir, struct err *e)
{
    err_set(e, ERR_REFUSED, _("%s: this build can serve only the built-in "
                              "teacher, not a model folder"), dir);
    return NULL;
}
