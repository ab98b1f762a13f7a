#!/bin/sh
# A teacher's job from beginning to end: asked, kept, read, checked; killed
# and resumed; refused, limited, and a teacher that misbehaves.
. "$srcdir/cli/lib.sh"
mkdir -p "$HOME/.config/stillroom"
config=$HOME/.config/stillroom/config
printf '{"description":"d","near_limit":0.97}\n' > t.json
fresh() {
    rm -rf stillroom.db* stillroom.runs
    $S init > /dev/null
    $S target --add demo --from t.json
    $S import "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
}
count() { $S stat --json | sed "s/.*\"$1\":\([0-9]*\).*/\1/"; }

fresh
before=$(sha256sum stillroom.db)
has "the dry run shows the first prompt" "the first prompt" \
    "$($S expand --prompts 16 --dry-run)"
is "and writes nothing" "$before" "$(sha256sum stillroom.db)"
out=$($S expand --try --prompts 16 --seed 3 --json)
has "one call is tried" '"step":"selfinstruct/prompts","error":null' "$out"
has "and checked" '"found":8,' "$out"
out=$($S expand --try --prompts 16 --seed 3)
has "and shown" "--- the reply:
9. " "$out"
has "and not stored" "nothing was stored" "$out"
is "which is so" "$before" "$(sha256sum stillroom.db)"
fails "one of nothing" 1 "two answers" $S rank --try
out=$($S expand --prompts 40 --answers 2 --seed 5)
has "expand" "j1 done: 85 of 85 calls answered" "$out"
is "two answers each" 80 "$(count candidates)"
has "rank" "j2 done" "$($S rank --prompts 10)"
has "scores are found" "selfinst" "$($S review --filter 'judge>0' --list 1)"
has "alpaca20" "done" "$($S expand --recipe alpaca20 --prompts 20)"
has "label with reasons" "done" "$($S expand --recipe label-why --prompts 3)"
has "runs" "alpaca20" "$($S runs)"
has "show a seed's draw in the lineage of numbers" '"drawn":' \
    "$($S seed --json)"
fails "no such recipe" 1 "nope" $S expand --recipe nope
fails "no such teacher" 1 "no teacher nobody" \
    $S expand --prompts 8 --teacher nobody
has "withdraw" "withdrawn: 40 samples" "$($S runs drop j1)"
is "they are out of sight" 0 "$($S review --filter job:1 | wc -l)"
$S undo > /dev/null
is "undo brings them back" 40 "$($S review --filter job:1 | wc -l)"
has "whole" " 0 findings" "$($S fsck)"

# Those that have one answer stand before those with two, and are no inputs.
fresh
$S expand --prompts 16 --seed 5 > /dev/null
$S expand --prompts 8 --answers 2 --seed 6 > /dev/null
is "two answers, by the filter" 8 "$($S review --filter 'answers>1' | wc -l)"
has "as many as were asked for" "j3 done: 4 of 4 calls" \
    "$($S rank --prompts 4)"
has "the rest, then" "j4 done: 4 of 4 calls" "$($S rank --prompts 9)"
fails "and no more" 1 "nothing here has two answers" $S rank --prompts 9

# Another random seed, other samples; the same one, the same.
fresh
$S expand --prompts 16 --seed 5 > /dev/null
one=$($S review --list 100 | cut -c 43- | sort)
fresh
$S expand --prompts 16 --seed 5 > /dev/null
is "the same seed" "$one" "$($S review --list 100 | cut -c 43- | sort)"
fresh
$S expand --prompts 16 --seed 6 > /dev/null
[ "$one" != "$($S review --list 100 | cut -c 43- | sort)" ] ||
    is "another seed" "other samples" "the same"

# kill -9 in the middle: nothing answered is asked again, R goes on.
fresh
$S expand --prompts 400 --seed 3 --detach > /dev/null
i=0
while [ $i -lt 5 ]; do
    i=$((i + 1))
    sleep 0.3
    pkill -KILL -f "stillroom job 1 --store $PWD" 2> /dev/null ||
        pkill -KILL -f "job 1 --store .*$(basename "$PWD")" 2> /dev/null
    has "kill $i: whole" " 0 findings" "$($S fsck | sed 's/^head.*//')"
    $S runs resume j1 2> /dev/null
done
over() { # resumed once more where what was killed last was not yet gone
    case "$($S runs)" in
    *running* | *starting*) return 1 ;;
    *interrupted*)
        $S runs resume j1 2> /dev/null
        return 1
        ;;
    esac
}
eventually 120 over
has "it ends" "done" "$($S runs)"
twice=$(sqlite3 stillroom.db "SELECT count(*) FROM (SELECT 1 FROM call WHERE \
    state = 'answered' GROUP BY step, n HAVING count(*) > 1)")
is "no call is answered twice" 0 "$twice"
has "whole after all" " 0 findings" "$($S fsck)"
no_server() { ! pgrep -f "serve builtin.*$(basename "$PWD")"; }
eventually 30 no_server || is "no server is left" none "$(no_server)"

# A scripted teacher that misbehaves.
scripted --log asked.log
url=127.0.0.1:$port
teacher() {
    {
        printf '[teacher %s]\nurl = http://%s/v1\nmodel = %s\n' \
            "$1" "$url" "$2"
        printf 'price_in = 1\nprice_out = 1\nkey_env = SENTINEL_KEY\n'
    } >> "$config"
}
SENTINEL_KEY=sk-sentinel-4711
export SENTINEL_KEY
: > "$config"
chmod 600 "$config"
teacher down "401"
teacher junk "html"
teacher good "ok"
fresh
fails "unauthorised" 1 "401" $S expand --prompts 8 --teacher down
out=$($S expand --prompts 8 --teacher junk 2>&1)
has "HTML is an error" "failed" "$out"
out=$($S expand --prompts 80 --teacher good --stop-at 0.0001 2>&1)
has "the spending limit ends it" "j3" "$out"
teacher mixed "500,ok,400"
$S expand --recipe label --prompts 3 --answers 2 --teacher mixed \
    > /dev/null 2>&1

# What a job counts as it goes is what its calls say.
for j in 1 2 3 4; do
    told=
    for k in calls planned sent answered unparsed failed lost cancelled \
        tokens_in tokens_out; do
        told="$told $(sed "s/.*\"$k\":\([0-9]*\).*/\1/" \
            stillroom.runs/j$j/status.json)"
    done
    is "j$j counts as its calls do" "$told" " $(sqlite3 -separator ' ' \
        stillroom.db "SELECT count(*), sum(state = 'planned'),
        sum(state = 'sent'), sum(state = 'answered'),
        sum(state = 'unparsed'), sum(state = 'failed'),
        sum(state = 'lost'), sum(state = 'cancelled'),
        (SELECT coalesce(sum(tokens_in), 0) FROM call WHERE job = $j),
        (SELECT coalesce(sum(tokens_out), 0) FROM call WHERE job = $j)
        FROM call c WHERE job = $j AND NOT EXISTS(SELECT 1 FROM call l
        WHERE l.job = c.job
        AND l.step = c.step AND l.n = c.n AND l.attempt > c.attempt)")"
done
left=$(grep -rl "sk-sentinel-4711" stillroom.db stillroom.runs "$config" \
    2> /dev/null)
is "the key is nowhere" "" "$left"
has "whole at the end" " 0 findings" "$($S fsck)"
finish
