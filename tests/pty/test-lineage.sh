#!/bin/sh
# The lineage of a sample, what Rank says of an order beside the judge's, and
# what y copies.
. "$srcdir/pty/lib.sh"
unset TMUX STY

lineage_store() {
    "$S" init l.db > /dev/null
    "$S" target --store l.db --as ana --add word-problems > /dev/null
    "$S" import --store l.db "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
    "$S" expand --store l.db --recipe selfinstruct --teacher builtin \
        --prompts 64 --answers 2 > l.log 2>&1 ||
        is "a job ran" 0 "$(cat l.log)"
    cp l.db r.db
    cp -r l.runs r.runs
    "$S" expand --store r.db --recipe rank --teacher builtin --prompts 4 \
        > l.log 2>&1 || is "a job of ratings ran" 0 "$(cat l.log)"
    "$S" review --store l.db --as ana --accept 1-100 > /dev/null
    "$S" train --store l.db --epochs 1 > l.log 2>&1 ||
        is "a student was trained" 0 "$(cat l.log)"
    "$S" export --store l.db out > l.log 2>&1 ||
        is "a bundle was written" 0 "$(cat l.log)"
}

# row PROMPT ANSWER
row() {
    printf '{"prompt":"%s","completion":"%s"}\n' "$1" "$2"
}

# many COUNT TEXT
many() {
    awk -v n="$1" -v t="$2" 'BEGIN { while (n-- > 0) printf "%s", t }'
}

copy_store() {
    {
        row one "Say $(many 96 a)"
        row two "$(many 80000 a)"
        row three "$(many 600000 a)"
        row four "$(many 262143 é)aé"
        row five "Say it"
    } > copy.jsonl
    text_store c.db copy.jsonl
    "$S" review --store c.db --accept 5 > /dev/null
}

lineage_store
drives "lineage" "$scripts/lineage.script"
drives "the order and the judge's" "$scripts/rank.script"
copy_store
drives "what y copies" "$scripts/copy.script"
drives "within tmux and screen" "$scripts/copy-within.script"
rm -rf .local v.db v.runs
"$S" init v.db > /dev/null
"$S" import --store v.db "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
"$S" expand --store v.db --recipe majority --prompts 6 --seed 1 \
    --split train > /dev/null 2>&1
cat > voted.script <<'SCRIPT'
run v.db
keys 3 l
has seeds                  s
has builtin
keys G k
has , of c
has votes:
keys Q
exit 0
SCRIPT
drives "what was worked out, of which calls" voted.script
finish
