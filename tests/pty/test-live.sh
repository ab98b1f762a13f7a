#!/bin/sh
# What other processes do while the screen is open is seen on it.
. "$srcdir/pty/lib.sh"
FIXTURES=$fixtures SEEDS=$(cd "$top_srcdir" && pwd)/data/demo-seeds.jsonl
export S FIXTURES SEEDS
"$S" init live.db > /dev/null &&
    "$S" target --store live.db --add word-problems > /dev/null
drives "live" "$scripts/live.script"
finish
