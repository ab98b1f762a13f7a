#include <stdio.h>

#include "base/paths.h"
#include "base/sig.h"

int main(void)
{
    sig_start();
    paths_init_lang();
    return 0;
}
