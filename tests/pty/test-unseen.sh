#!/bin/sh
# What was not on the screen to its end is not decided unasked.
. "$srcdir/pty/lib.sh"
export S
long_rows > rows.jsonl
text_store long.db rows.jsonl
sample_store t.db
drives "unseen" "$scripts/unseen.script"
rm -rf long.db long.runs .local
text_store long.db rows.jsonl
sample_store t.db
drives "return" "$scripts/return.script"
finish
