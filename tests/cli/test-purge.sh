#!/bin/sh
# Purging: the words are nowhere in the store's files afterwards, the chain
# still checks, and what others use stays unless told.
. "$srcdir/cli/lib.sh"

$S init >/dev/null
cat > q.jsonl <<'X'
{"question":"Where does Zacarias Quimby live today?","answer":"On the hill"}
{"question":"How many eggs are 2 boxes of 6?","answer":"a dozen of them"}
{"question":"How many eggs are 4 boxes of 3?","answer":"a dozen of them"}
X
$S import q.jsonl >/dev/null
$S import --as samples q.jsonl >/dev/null
printf 'Beside the Quimbyan well\n' > answer
$S review --edit 1 --answer answer >/dev/null
$S review --accept 1 >/dev/null
$S review --accept 2 >/dev/null
$S review --accept 3 >/dev/null
$S export out >/dev/null
held() { grep -aic quimby stillroom.db; }

fails "no such sample" 1 "there is no 99" $S purge 99
fails "nothing named" 2 "name samples" $S purge
has "a dry run says so" "nothing is written: 1 text " "$($S purge 1)"
has "the seed's own use is kept" "used by seed 1" "$($S purge 1)"
is "a dry run writes nothing" "1" "$($S review --filter quimby | wc -l)"

out=$($S purge --yes 1 s1)
has "both" "(samples: 1, seeds: 1)" "$out"
has "the export is named" "export 1 holds it still" "$out"
is "the words are gone from the file" 0 "$(held)"
is "and from the index" 0 "$($S review --filter quimby | wc -l)"
has "fsck" "0 findings" "$($S fsck)"
is "it is out of sight" 2 "$($S review --filter status:accepted | wc -l)"
has "show still answers" "1  accepted" "$($S show 1)"
fails "purged twice" 1 "nothing left" $S purge --yes 1
fails "no undo" 1 "a purge cannot be taken back" \
    $S undo "d$($S log --json | sed -n 's/.*"seq":\([0-9]*\).*"purge".*/\1/p' |
        head -1)"
fails "nor of what was before" 1 "was purged" $S undo d4
has "undo passes it over" "undone: d6" "$($S undo)"
$S redo >/dev/null

has "it does not come in again" "was purged on" \
    "$($S import --as samples q.jsonl 2>&1)"
is "not one word" 0 "$(held)"
has "unless restored" "1 sample " \
    "$($S import --restore --as samples q.jsonl)"
is "found again" 1 "$($S review --filter quimby | wc -l)"
has "fsck after restore" "0 findings" "$($S fsck)"

has "another sample's answer is kept" "used by sample 3" "$($S purge 2)"
$S purge --everywhere --yes 2 >/dev/null
is "everywhere" 0 "$(grep -ac 'dozen of them' stillroom.db)"
has "fsck after everywhere" "0 findings" "$($S fsck)"

# A purged answer that comes to a sample that stands: refused, and the sample
# keeps its words.
$S init w.db >/dev/null
echo '{"prompt":"old house","completion":"the secret that is purged"}' > w.jsonl
echo '{"prompt":"cook rice","completion":"with water"}' >> w.jsonl
$S import --store w.db --as samples --target t w.jsonl >/dev/null
$S purge --store w.db --yes 1 >/dev/null
echo '{"prompt":"cook rice","completion":"the secret that is purged"}' > w.jsonl
echo '{"prompt":"all new","completion":"its answer"}' >> w.jsonl
has "an answer that was purged is refused" "line 1: this text was purged" \
    "$($S import --store w.db --as samples w.jsonl 2>&1)"
has "fsck after it" "0 findings" "$($S fsck w.db)"

# A teacher that answers the same again.
printf '{"description":"d","near_limit":0.97}\n' > t.json
T="--store t.db"
$S init t.db >/dev/null
$S target $T --add demo --from t.json >/dev/null
$S import $T "$top_srcdir/data/demo-seeds.jsonl" >/dev/null
ask() { $S expand $T --prompts 8 --seed 5; }
listed() { $S review $T --filter '' | wc -l; }
ask >/dev/null
n=$(listed)
id=$($S review $T --filter '' | awk 'NR == 3 { print $1 }')
$S purge $T --yes "$id" >/dev/null
has "the job runs" "done" "$(ask)"
has "a purged prompt does not come back" "nothing left" \
    "$($S purge $T --yes "$id" 2>&1)"
is "nor anything else twice" $((n - 1)) "$(listed)"
has "fsck after a job" "0 findings" "$($S fsck $T)"
finish
