#!/bin/sh
# The mouse never decides: what it clicked and scrolled leaves the store as it
# was.
. "$srcdir/pty/lib.sh"
text=$(awk 'BEGIN { for (i = 1; i <= 60; i++)
    printf "line %d of the answer\\n", i }')
for row in one two three four; do
    printf '{"prompt":"%s","completion":"%s"}\n' $row "$text"
done > mouse.jsonl
text_store m.db mouse.jsonl
was=$("$S" log --store m.db | wc -l)
drives "mouse" "$scripts/mouse.script"
is "nothing was decided" "$was" "$("$S" log --store m.db | wc -l)"
finish
