#!/bin/sh
# Expand's "Try one call" on the screen: what it shows, how it is left, and
# that the store holds nothing of it.
. "$srcdir/pty/lib.sh"
scripted
mkdir -p config/stillroom
XDG_CONFIG_HOME=$HOME/config
export XDG_CONFIG_HOME
{
    printf '[teacher nobody]\nurl = http://127.0.0.1:9/v1\nmodel = m\n'
    printf '[teacher slow]\nurl = http://127.0.0.1:%s/v1\nmodel = silence\n' \
        "$port"
} > config/stillroom/config
chmod 600 config/stillroom/config
"$S" init t.db > /dev/null
"$S" import --store t.db "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
drives try "$scripts/try.script"
finish
