#!/bin/sh
# What a training says of the rows that are held out: free text by its loss
# alone, no figure of a handful of rows, at most a tenth of the training's
# tokens unless asked; and why a training failed, wherever one looks.
. "$srcdir/cli/lib.sh"
M="$top_builddir/src/stillroom-model"

# rows FROM N ANSWER: the answer's %d is the question's last digit
rows() {
    awk -v from="$1" -v n="$2" -v answer="$3" 'BEGIN {
        for (i = from; i < from + n; i++) {
            said = answer
            gsub(/%d/, i % 10, said)
            printf "{\"id\":%d,\"prompt\":[{\"role\":\"user\",\"content\":" \
                "\"twice %d%d\"}],\"answer\":{\"content\":\"%s\"}}\n",
                i, i % 7, i % 10, said
        }
    }'
}
free='I would say that it is %d, but who can tell.'
rows 0 300 "$free" > free.jsonl
rows 300 40 "$free" > free-valid.jsonl
rows 0 300 'it is #### %d' > sums.jsonl
rows 300 40 'it is #### %d' > sums-valid.jsonl
head -n 12 sums-valid.jsonl > few-valid.jsonl
cat free.jsonl sums.jsonl > both.jsonl
$M new student --rows both.jsonl --hidden 32 --layers 1 --heads 2 \
    --kv-heads 1 --ffn 64 --vocab 300 > /dev/null || exit 99

# train NAME ROWS ARGUMENTS...
train() {
    name=$1 kind=$2
    shift 2
    $M train student --rows "$kind.jsonl" --out "$name" --batch-tokens 512 \
        "$@" 2>&1
}
of() { sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" "$1/status.json"; }
# No more than a tenth of the training's tokens were spent on evaluations.
tenth() {
    is "$1: a tenth at most" yes "$(awk -v e="$(of "$2" evaluation_tokens)" \
        -v t="$(of "$2" tokens)" 'BEGIN { print e * 10 <= t ? "yes" : e " of " t
    }')"
}

out=$(train free free --valid free-valid.jsonl --epochs 8)
has "free text: its loss" "held-out loss" "$out"
is "free text is not marked" 0 "$(echo "$out" | grep -c right)"
is "nor in the status" "" "$(of free exact)"
is "nor in what was answered" 0 "$(grep -c right free/answers.jsonl)"
is "a few are answered for the eye" yes \
    "$([ "$(wc -l < free/answers.jsonl)" -le 8 ] && echo yes)"
is "the curve has its points" yes \
    "$([ "$(grep -c held_out_loss free/curve.jsonl)" -ge 3 ] && echo yes)"
tenth "free text" free
has "eval says so too" "free text, which nobody marks" \
    "$($M eval free/model --rows free-valid.jsonl)"

out=$(train sums sums --valid sums-valid.jsonl --epochs 20)
has "what can be told right is marked" "of 40 right" "$out"
is "in the status too" yes "$(grep -q '"exact":' sums/status.json && echo yes)"
is "looking up the nearest row would get all of them" 1.0000 \
    "$(of sums nearest_exact)"
is "which nobody can tell of free text" "" "$(of free nearest_exact)"
tenth "sums" sums

out=$(train short sums --valid sums-valid.jsonl --epochs 1)
has "a short training holds out less" "held-out rows are left out" "$out"
tenth "a short training" short
out=$(train all sums --valid sums-valid.jsonl --epochs 1 --eval-share 0)
has "unless asked" "of 40 right" "$out"
is "which leaves out none" 0 "$(echo "$out" | grep -c "left out")"
out=$(train often sums --valid sums-valid.jsonl --epochs 1 --eval-every 2)
has "a number of steps is asking" "of 40 right" "$out"

out=$(train few sums --valid few-valid.jsonl --epochs 4)
has "under 20 rows" "under 20 held-out rows: no figure is shown" "$out"
is "and none is" 0 "$(echo "$out" | grep -c 'held-out loss\|right')"
is "nor what looking up would do" "" "$(of few nearest_exact)"
is "nor in the run's files" 0 "$(cat few/status.json few/curve.jsonl \
    few/figures.json | grep -c 'held_out_loss\|"exact":[0-9]')"

# ---- the same from a store
samples() {
    awk -v part="$1" -v n="$2" 'BEGIN {
        for (i = 0; i < n; i++)
            printf "{\"prompt\":\"%s %d?\",\"completion\":\"#### %d\"," \
                "\"split\":\"%s\"}\n", part, i, i % 10, part
    }'
}
{ samples train 60; samples valid 5; } > samples.jsonl
$S init > /dev/null
$S import --as samples --target sums samples.jsonl > /dev/null
$S review --filter 'status:pending' --accept all > /dev/null
out=$($S train --student student --epochs 1 2>&1)
is "a training ends well" 0 "$?"
has "it says how few are held out" \
    "under 20 held-out rows: no figure is shown" "$out"
is "and shows no figure" 0 "$(echo "$out" | grep -c 'exact\|held out [0-9]')"
out=$($S runs)
has "runs says the same" "under 20 held-out rows" "$out"
is "without a figure" 0 "$(echo "$out" | grep -c 'exact')"
has "show says the same" "under 20 held-out rows" "$($S show r1)"
is "no figure as JSON" 0 "$($S runs --json | grep -c 'exact\|held_out_loss')"

# ---- a training that cannot be written leaves no words behind
mkdir -p stillroom.runs/r2/valid.jsonl/taken
fails "held-out rows that cannot be written" 1 "valid.jsonl" \
    $S train --student student --epochs 1
is "leave nothing" "r1" "$(ls stillroom.runs | grep '^r')"
is "and are no run" 1 "$($S runs --json | grep -c '"id":"r')"

# ---- a training that fails before its first step says why
cp -r student plain
sed 's/"chat_template"/"no_template"/' student/tokenizer_config.json \
    > plain/tokenizer_config.json
rm -f plain/chat_template.jinja
out=$($S train --student plain --epochs 1 2>&1)
is "no chat template: exit code" 1 "$?"
has "the reason is said" "chat template" "$out"
has "it has failed" "r2 failed" "$out"
is "and was not interrupted" 0 "$(echo "$out" | grep -c interrupted)"
out=$($S runs | grep r2)
has "runs: failed" "failed" "$out"
has "runs: why" "chat template" "$out"
has "show: why" "chat template" "$($S show r2)"
has "as JSON" '"why":' "$($S runs --json | grep '"r2"')"

cp -r student broken
echo '{' > broken/config.json
out=$($S train --student broken --epochs 1 2>&1)
is "a broken student: exit code" 1 "$?"
has "a broken student: the reason" "config.json" "$out"
has "a broken student has failed" "failed" "$($S runs | grep r3)"

# One that is killed before it has said a word (the folder's own lock is free
# and the status says starting) has failed by what its log says last.
mkdir -p stillroom.runs/r2
printf 'stillroom-model: it fell over a stone\n' > stillroom.runs/r2/log
printf '{"state":"starting","at":1}\n' > stillroom.runs/r2/status.json
sqlite3 stillroom.db "UPDATE run SET state='running' WHERE id=2" 2> /dev/null &&
    has "a training without a word" "it fell over a stone" "$($S runs)"
finish
