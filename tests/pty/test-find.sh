#!/bin/sh
# Finding a text, and going to a row.
. "$srcdir/pty/lib.sh"
sample_store t.db
long_rows > rows.jsonl
text_store long.db rows.jsonl
drives "find" -k 80x24 "$scripts/find.script"
finish
