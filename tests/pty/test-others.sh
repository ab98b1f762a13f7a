#!/bin/sh
# What ends, is decided elsewhere or typed ahead changes nothing that is typed
# or asked.
. "$srcdir/pty/lib.sh"
export S
sample_store e.db
"$S" target --store e.db --as ana --add other > /dev/null
for f in many more; do
    awk -v f=$f 'BEGIN { for (i = 1; i <= 40000; i++)
        printf "{\"instruction\":\"What comes behind %s %d?\"," \
            "\"output\":\"%d\"}\n", f, i, i + 1 }' > $f.jsonl
done
drives "jobs that end" "$scripts/ends.script"
esc=$(printf '\033')
sed "s/<open>/$esc[200~/g; s/<close>/$esc[201~/g" "$scripts/pastes.script" \
    > pastes.script
drives "pastes while it is busy" pastes.script
rm -rf .local
sample_store h.db
drives "decisions ahead" "$scripts/ahead.script"
"$S" init r.db > /dev/null &&
    "$S" target --store r.db --as ana --add words > /dev/null &&
    "$S" import --store r.db "$top_srcdir/data/demo-seeds.jsonl" > /dev/null &&
    "$S" expand --store r.db --recipe selfinstruct --teacher builtin \
        --prompts 12 --answers 2 > made.log 2>&1 &&
    "$S" expand --store r.db --recipe rank --teacher builtin --prompts 6 \
        > made.log 2>&1 || is "samples to rank" "" "$(cat made.log)"
rm -rf .local
drives "others while ranking" "$scripts/rank-others.script"
finish
