#!/bin/sh
# Rank's texts are read to their ends before an order of them is kept: side by
# side, below the letters and alone, with the turns before the prompt.
. "$srcdir/pty/lib.sh"
awk 'BEGIN {
    for (k = 1; k <= 2; k++) {
        a = ""
        for (i = 1; i <= 60; i++)
            a = a "step " i " of " k ".\\n"
        printf "{\"prompt\":\"Task: 95.2 dm is how many cm? Be brief.\"," \
            "\"response\":\"%sthe end of %d\"}\n", a, k
    }
}' > rows.jsonl
# rank_store: one sample with two long answers that a judge scored
rank_store() {
    rm -rf .local r.db r.runs
    "$S" init r.db > r.log &&
        "$S" import --store r.db --target t --as samples rows.jsonl > r.log &&
        "$S" rank --store r.db --prompts 1 > r.log ||
        is "a sample to rank" "" "$(cat r.log)"
}
cat > wide.script <<'SCRIPT'
run r.db
keys 4
wait PgDn
hasnt the end of 1
keys o
type BA
keys Enter a
wait A is not read to its end. Y keeps B A as your order.
keys End
wait the end of 1
has the end of 2
keys b
has judge 1
keys a
wait ordered B A and accepted
keys Q
exit 0
SCRIPT
cat > rows.script <<'SCRIPT'
run r.db
keys 4
wait step 1 of
has more
keys o
type BA
keys Enter End
wait the end of
keys a
wait B is not read to its end. Y keeps B A as your order.
keys n j
wait step 1 of
keys End
wait the end of
keys Enter
hasnt you
keys Home
wait step 1 of
keys q a
wait ordered B A and accepted
keys Q
exit 0
SCRIPT
cat > diff.script <<'SCRIPT'
run r.db
keys 4
wait step 1 of
keys :
type set diffmarks on
keys Enter d
wait against
has [-
has {+
keys End
wait the end of
has [-
keys j
wait against       A
size 120 36
wait against       A
keys d
wait PgDn
hasnt against
keys Q
exit 0
SCRIPT
cat > review.script <<'SCRIPT'
run r.db
keys 3
wait 4 Rank 1
keys Space
wait deferred
hasnt 4 Rank 1
keys Q
exit 0
SCRIPT
rank_store
drives "what Review decides is not to be ranked" review.script
rank_store
drives "side by side" -s 120x36 wide.script
rank_store
drives "one below the letters" rows.script
rank_store
drives "one against another" diff.script
cat > alone.script <<'SCRIPT'
run r.db
keys 3 :
type edit prompt
keys Enter
wait Another?
keys 4
wait step 1 of
keys d
wait there is nothing to compare it with
keys Q
exit 0
SCRIPT
printf '#!/bin/sh\necho "Another?" > "$1"\n' > ed
chmod +x ed
EDITOR=./ed
export EDITOR
rank_store
drives "an answer alone" alone.script
finish
