#!/bin/sh
# `show`: every kind of object for people and as JSON, and its texts byte for
# byte.
. "$srcdir/cli/lib.sh"
mkdir -p "$HOME/.config/stillroom"

# A teacher that thinks, whose replies are known to the byte.
printf '{"choices":[{"message":{"role":"assistant","content":"%s",' \
    'a **dozen**\n\tof them' > reply
printf '"reasoning_content":"two sixes"},"finish_reason":"stop"}],' >> reply
printf '"usage":{"prompt_tokens":11,"completion_tokens":5}}' >> reply
printf '{"choices":[]}' > nothing
scripted
for model in reply nothing; do
    cat << X
[teacher $model]
url = http://127.0.0.1:$port/v1
model = file=$PWD/$model
price_in = 1
price_out = 2
X
done > "$HOME/.config/stillroom/config"

printf '{"prompt":"How many eggs are 2 boxes of 6?"}\n' > seeds.jsonl
printf '%s\n' '{"messages":[{"role":"system","content":"Be brief."},
{"role":"user","content":"And é?"},{"role":"assistant","content":"É."}]}' |
    tr -d '\n' > chat.jsonl
$S init > /dev/null
$S import seeds.jsonl --target eggs > /dev/null
$S expand --recipe label --teacher reply --prompts 1 > said 2>&1
$S import --as samples --target eggs chat.jsonl > /dev/null
$S review --accept 1 > /dev/null
$S export out > /dev/null

# ---- A call -----------------------------------------------------------------

call=$($S show c1)
for part in "c1  answered" "job         j1" "tokens in   11" "and out     5" \
    "finish      stop" "samples     1" "--- prompt" "2 boxes of 6" \
    "--- thinking" "two sixes" "--- answer" "--- reply, as it came" \
    '"usage"'; do
    has "a call shows $part" "$part" "$call"
done
has "as JSON" '"state":"answered"' "$($S show c1 --json)"
has "with its reply as a string" '"reply":"{\"choices\"' "$($S show --json c1)"
# same NAME FILE COMMAND...: it prints the bytes of FILE, and not one more
same() {
    name=$1 file=$2
    shift 2
    "$@" > got 2> said
    if cmp -s "$file" got; then
        is "$name" same same
    else
        is "$name" "$(cat "$file")" "$(cat got said)"
    fi
}
same "the reply is as it came" reply $S show c1 --raw reply
printf 'a **dozen**\n\tof them' > want
same "the answer" want $S show c1 --raw answer
same "and the sample's" want $S show 1 --raw answer
printf 'two sixes' > want
same "the thinking" want $S show c1 --raw thinking
same "and the sample's" want $S show 1 --raw thinking
has "people see that there is some" "[9 characters of thinking" "$($S show 1)"
has "and whose a check is" "A empty" "$($S show 1)"
printf 'How many eggs are 2 boxes of 6?' > want
same "the prompt" want $S show 1 --raw prompt
same "a seed's" want $S show s1 --raw prompt
has "and the call's" "2 boxes of 6?" "$($S show c1 --raw prompt)"
printf 'And é?' > want
same "behind a system message" want $S show 2 --raw prompt
has "which people see" "system: Be brief." "$($S show 2)"

# ---- What came to nothing ---------------------------------------------------

$S expand --recipe label --teacher nothing --prompts 1 > said 2>&1
bad=$(sqlite3 stillroom.db "SELECT max(id) FROM call")
has "why a call came to nothing" "trouble" "$($S show "c$bad")"
same "its reply is kept" nothing $S show "c$bad" --raw reply
has "its job names it" "c$bad" "$($S show j2)"
has "and says why" "$(sqlite3 stillroom.db \
    "SELECT trouble FROM call WHERE id = $bad")" "$($S show j2)"

# ---- The others -------------------------------------------------------------

has "a job" "recipe      label" "$($S show j1)"
has "a job's calls" "calls       c1" "$($S show j1)"
has "a job's cost" '"cost":2.1e-05' "$($S show j1 --json)"
has "a job's recipe" '"name"' "$($S show j1 --raw recipe_file)"
has "a seed" "s1  " "$($S show s1)"
act=d$(sqlite3 stillroom.db "SELECT seq FROM decision WHERE kind = 'accept'")
has "a decision" "sample 1 status: pending > accepted" "$($S show "$act")"
has "a decision as JSON" '"changes":[{"kind":"sample"' \
    "$($S show --json "$act")"
has "an export" "out" "$($S show x1)"
has "an export's lock" '"lock":{' "$($S show x1 --json)"
has "a text" "bytes" "$($S show t1)"
has "a target by its name" "seeds       1" "$($S show eggs)"
has "several" "c1  answered" "$($S show s1 c1)"
is "a list" 2 "$($S show 1,2 | grep -c '^[12]  ')"
is "a range" 2 "$($S show 1-2 | grep -c '^[12]  ')"
for thing in 1 s1 c1 j1 d1 x1 t1 eggs; do
    $S show --json $thing > got
    is "$thing is one object" 1 "$(grep -c '^{.*}$' got)"
done
for thing in 99 s99 c99 d99 j99 r99 x99 t99; do
    fails "no $thing" 1 "there is no" $S show $thing
done
fails "a text that it never has" 2 "reply" $S show c1 --raw colour
fails "a text that it has not" 1 "c$bad has no answer" \
    $S show "c$bad" --raw answer
fails "neither number nor name" 2 "frob" $S show frob

# A training, told in the store alone.
sqlite3 stillroom.db "INSERT INTO run(target, filter, as_of, student,
    objective, args_json, seed, state, started, ended, figures_json)
    VALUES(1, 'tag:x', 3, 'nano', 'sft', '{}', 7, 'failed', 1000, 2000,
    '{\"exact\":0.5}')"
has "a run" "r1  failed" "$($S show r1)"
has "a run's filter" "filter      tag:x" "$($S show r1)"
has "a run as JSON" '"figures":{"exact":0.5}' "$($S show r1 --json)"
has "runs by their ids" '{"id":"r1",' "$($S runs --json)"
has "jobs too" '{"id":"j1",' "$($S runs --json)"
has "runs have a heading" "so far" "$($S runs 2>&1 | head -n 1)"
finish
