#!/bin/sh
# Every view at every size, in both languages, on a store with jobs, a ranking
# and long names, on a small one, and on an empty one: no cell is drawn outside
# of its pane.
. "$srcdir/pty/lib.sh"

full_store() {
    sample_store full.db
    "$S" import --store full.db --target word-problems \
        "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
    "$S" target --store full.db --add \
        "a target whose name is longer than any column has room for 名前" \
        > /dev/null
    "$S" expand --store full.db --target word-problems --recipe selfinstruct \
        --teacher builtin --prompts 12 --answers 2 > expand.log 2>&1 ||
        is "a job ran" 0 "$(cat expand.log)"
    "$S" expand --store full.db --target word-problems --recipe rank \
        --teacher builtin --prompts 6 > rank.log 2>&1 ||
        is "a job of ratings ran" 0 "$(cat rank.log)"
}

# walk STORE SIZE LANGUAGE
walk() {
    rm -rf walk.db walk.runs refused .local
    cp "$1.db" walk.db
    [ ! -d "$1.runs" ] || cp -r "$1.runs" walk.runs
    drives "$1 $2 $3" -k "$1-$2-$3" -s "$2" -e "LC_ALL=$3.UTF-8" \
        -e "STILLROOM_TEST_CELLS=$PWD/refused" \
        "$scripts/walk.script"
    is "$1 at $2 in $3: cells outside of their pane" 0 "$(cat refused)"
}

full_store
sample_store small.db
"$S" init empty.db > /dev/null
for size in 80x24 40x12 60x16 100x10 100x30 120x36 160x48 200x60; do
    walk full $size pt_BR
    walk full $size en_US
done
for size in 39x7 80x24 120x36; do
    walk small $size pt_BR
    walk empty $size en_US
done
finish
