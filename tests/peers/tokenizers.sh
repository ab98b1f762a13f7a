#!/bin/sh
# Token ids of 20,000 strings a tokenizer against the `tokenizers` library on
# the same files. Skips without it (STILLROOM_PYTHON names a Python that has
# it) and without the real tokenizers in ../shared.
#
# added_check.py does the same for 60 tokenizers that it makes, with random
# normalizers and added tokens of every flag: none of 84,000 strings differ
# (seeds 1 to 7, 100 each).
#
# Last seen with tokenizers 0.23.3: none differ; ours took 0.43, 0.37 and 0.77
# of its time (GPT-2, Qwen3, stories260k), loading and JSON included.
set -eu
python=${STILLROOM_PYTHON:-python3}
if ! "$python" -c 'import tokenizers' 2> /dev/null; then
    echo "skipped: no Python with tokenizers (STILLROOM_PYTHON names one)"
    exit 77
fi
"$python" "$srcdir/peers/added_check.py" "$top_builddir/src/stillroom-model"
shared=$srcdir/../../shared
if ! test -d "$shared/models/tokenizers"; then
    echo "skipped: no ../shared/models/tokenizers"
    exit 77
fi
exec "$python" "$srcdir/peers/tokenizers_check.py" \
    "$top_builddir/src/stillroom-model" "$srcdir/../README" \
    "$srcdir/../src/store/store.c" "$srcdir/../src/ui/paint.c" \
    "$srcdir/../src/base/json.c" "$shared/data/"*.jsonl -- \
    "$shared/models/tokenizers/gpt2" "$shared/models/tokenizers/qwen3" \
    "$shared/models/stories260k"
