#!/bin/sh
# A near figure that is approximate says so wherever it is shown: on the screen,
# in lists, as JSON, on the card of an export; one that is exact does not.
. "$srcdir/pty/lib.sh"
command -v sqlite3 > /dev/null || { echo "skipped: no sqlite3"; exit 77; }
"$S" init n.db > /dev/null
"$S" import --store n.db "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
"$S" expand --store n.db --prompts 2 --seed 5 --split train > /dev/null
sqlite3 n.db "UPDATE check_result SET figure = .61, verdict = 1,
    rough = iif(sample = 1, 1, NULL), against_seed = 1, against_sample = NULL
    WHERE name = 'near'"
drives "on the screen" "$scripts/near.script"
list() { "$S" review --store n.db --filter "id:$1" ${2:+"$2"} 2> /dev/null; }
has "in a list" "1  pending    ≈0.61" "$(list 1)"
has "an exact one" "2  pending     0.61" "$(list 2)"
has "as JSON" '"near":0.61,"approximate":true' "$(list 1 --json)"
has "an exact one as JSON" '"near":0.61,"approximate":false' "$(list 2 --json)"
has "of one sample" "near           ≈0.61" "$("$S" show 1 --store n.db)"
"$S" review --store n.db --accept 1,2 > /dev/null
has "an export" "1 sample   near was looked for among a part" \
    "$("$S" export --store n.db out)"
has "its card" "| approximate | 1 |" "$(cat out/README.md)"
finish
