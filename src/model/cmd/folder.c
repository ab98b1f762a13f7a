#include "model/cmd/folder.h"

#include <stdio.h>

#include "base/lang.h"
#include "base/say.h"
#include "model/learn/student.h"
#include "model/net/adapter.h"
#include "model/net/gemm.h"

void folder_warn(const char *dir, const struct config *c)
{
    if (*c->unknown)
        say(stderr, _("stillroom-model: %s/config.json: not known and "
                      "ignored: %s\n"), dir, c->unknown);
}

void folder_warn_adapter(const char *dir)
{
    if (!adapter_is_signed(dir))
        say(stderr, _("stillroom-model: %s does not say which weights it is "
                      "for; only shapes were checked\n"), dir);
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
    if (adapter)
        folder_warn_adapter(adapter);
    llama_lean(*m);
    if (!t || (*t = student_tokenizer(dir, *m, e)))
        return true;
    llama_free(m);
    return false;
}
