#!/bin/sh
# X writes a bundle, and asks before it replaces one.
. "$srcdir/pty/lib.sh"
sample_store e.db
"$S" review --store e.db --accept all > /dev/null
drives "X asks before it replaces" "$scripts/export.script"
is "each act made its export" 2 "$("$S" stat --store e.db --json |
    sed 's/.*"exports":\([0-9]*\).*/\1/')"
finish
