#!/bin/sh
# A store whose head is ahead of it, in the screen: asked, refused, gone on.
. "$srcdir/pty/lib.sh"
sample_store t.db
cp t.db older.db
"$S" review --store t.db --accept 1,2 > /dev/null
was=$(cat t.runs/head)
cp older.db t.db
drives "loss" "$scripts/loss.script"
is "the old head is kept" "$was" "$(cat t.runs/head.lost-1)"
has "the store is whole" " 0 findings" "$("$S" fsck --store t.db)"
finish
