#!/bin/sh
# Keys that decide nothing are never lost.
. "$srcdir/pty/lib.sh"
for i in $(seq 1000); do
    echo "{\"instruction\":\"What is $i + 1?\",\"output\":\"$((i + 1))\"}"
done > many.jsonl
text_store many.db many.jsonl
drives "bursts" "$scripts/bursts.script"
if command -v sqlite3 > /dev/null; then
    is_held() { ! sqlite3 many.db 'BEGIN IMMEDIATE' 2> /dev/null; }
    rm -f let-go
    # a reader alone: the screen can open, and nothing can be written
    hold many.db IMMEDIATE let-go &
    holder=$!
    eventually 30 is_held
    drives "held" "$scripts/held.script"
    : > let-go
    wait "$holder"
    rm -f let-go
    hold many.db IMMEDIATE let-go &
    holder=$!
    eventually 30 is_held
    drives "Esc" "$scripts/esc.script"
    : > let-go
    wait "$holder"
else
    echo "skipped: no sqlite3 to hold a store with"
fi
finish
