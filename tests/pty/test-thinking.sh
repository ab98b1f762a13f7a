#!/bin/sh
# Review folds what was thought before an answer; w opens it.
. "$srcdir/pty/lib.sh"
cat > rows.jsonl <<'END'
{"messages":[{"role":"user","content":"Capital of Portugal?"},
{"role":"assistant","content":"Lisbon.","reasoning_content":"so it is"}]}
END
tr -d '\n' < rows.jsonl > t.jsonl
text_store t.db t.jsonl
has "it is stored apart" '"reasoning_content":"so it is"' \
    "$("$S" show 1 --json --store t.db)"
drives "thinking" "$scripts/thinking.script"
text_store small.db t.jsonl
sed "s/^size.*/size 40 12/; s/t[.]db/small.db/" \
    "$scripts/thinking.script" > small
drives "thinking where there is no gutter" small
finish
