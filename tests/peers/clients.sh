#!/bin/sh
# The clients that people use (`openai`, `litellm`) against our server, with
# what they send by themselves. Skips without them (STILLROOM_PYTHON names a
# Python that has one).
#
# Last seen with openai 3.57.0 and litellm 1.110.2: all is taken.
python=${STILLROOM_PYTHON:-python3}
if ! "$python" -c '' 2> /dev/null; then
    echo "skipped: no Python (STILLROOM_PYTHON names one)"
    exit 77
fi
exec "$python" "$srcdir/peers/clients_check.py" \
    "$top_builddir/src/stillroom-model"
