#include "model/cmd/folder.h"

#include <stdio.h>

#include "base/lang.h"
#include "base/say.h"
#include "model/net/adapter.h"
#include "model/net/gemm.h"

void folder_warn(const char *dir, const struct config *c)
{
    if (*c->unknown)
        say(stderr, _("stillroom-model: %s/config.json: not known and "
                      "ignored: %s\n"), dir, c->unknown);
}

bool folder_load(const char *dir, const char *adapter, struct llama **m,
                 struct tokenizer **t, struct err *e)
{
    if (t)
        *t = NULL;
    *m = gemm_start(e) ? llama_load(dir, e) : NULL;
    if (!*m)
        return false;
    folder_warn(dir, &(*m)->config);
    if (adapter && !adapter_merge(*m, adapter, e)) {
        llama_free(m);
        return false;
    }
    if (!t || (*t = tokenizer_load(dir, e))) {
        size_t vocab = (size_t)(*m)->config.vocab;
        if (!t || (*t)->n <= vocab)
            return true;
        err_set(e, ERR_INPUT, _("%s: the tokenizer has %zu tokens, the model "
                                "%zu"), dir, (*t)->n, vocab);
        tokenizer_free(t);
    }
    llama_free(m);
    return false;
}
