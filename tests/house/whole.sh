#!/bin/sh
# The suite is whole: without cmocka there are no unit tests, without libvterm
# the screen is not tried, and that is no success.
code=0
for library in $LEFT_OUT; do
    echo "not ok - configured without $library: its tests were not run;" \
        "install lib${library#lib}-dev and configure again"
    code=1
done
exit $code
