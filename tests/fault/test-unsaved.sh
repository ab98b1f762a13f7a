#!/bin/sh
# The store does not take what a teacher's calls brought: it stands beside the
# store, a resume takes it in, and nothing is asked or paid for twice.
. "$srcdir/cli/lib.sh"
XDG_CONFIG_HOME=$HOME/config
export XDG_CONFIG_HOME
config=config/stillroom/config
mkdir -p config/stillroom
scripted --log asked.log
: > "$config"
chmod 600 "$config"
for i in 1 2 3; do echo "{\"prompt\":\"Question $i?\"}"; done > s.jsonl
usage='"usage":{"prompt_tokens":9,"completion_tokens":2}'

# teacher NAME MODEL: a token costs a millionth
teacher() {
    printf '[teacher %s]\nurl = http://127.0.0.1:%s/v1\nmodel = %s\n' \
        "$1" "$port" "$2" >> "$config"
    printf 'price_in = 1\nprice_out = 1\nconcurrency = 3\n' >> "$config"
}

# asks TEACHER REPLY N: a job of N calls that are on their way when the store
# closes to their ends; then the reply comes. open_it opens the store again
asks() {
    rm -rf a.db a.runs reply
    $S init a.db > /dev/null
    $S import --store a.db s.jsonl > /dev/null
    : > asked.log
    mkdir -p -m 700 a.runs/j1
    $S expand --store a.db --recipe label --teacher "$1" --prompts "$3" \
        --detach > /dev/null
    for i in $(seq 1 300); do
        [ "$(grep -c . asked.log)" = "$3" ] && break
        sleep 0.1
    done
    sqlite3 -cmd '.timeout 10000' a.db "CREATE TRIGGER closed
        BEFORE UPDATE OF cost ON call
        BEGIN SELECT RAISE(ABORT, 'there is no room'); END"
    [ -z "$4" ] || mkdir "$4"
    cp "$2" part && mv part reply
}
open_it() { sqlite3 a.db "DROP TRIGGER closed"; }

# within PART: what the job says of itself in $json, as soon as it has PART (a
# store that is closed has another schema, and is not opened anew)
within() {
    for i in $(seq 1 300); do
        json=$(cat a.runs/j1/status.json 2> /dev/null)
        case "$json" in *"$1"*) break ;; esac
        sleep 0.1
    done
}
resume() {
    open_it
    $S runs resume j1 --store a.db > /dev/null
    within '"state":"done"'
}

# ---- Answers ----
cat > yes.reply <<END
{"choices":[{"message":{"content":"An \"answer\".\n","reasoning":"hm"}}],$usage}
END
teacher good "await=$PWD/reply"
asks good yes.reply 3
within '"state":"failed"'
has "the store takes nothing" "3 replies stand in $PWD/a.runs/j1/unsaved:" \
    "$json"
has "and why is said" "there is no room" "$json"
has "and what helps" "stillroom runs resume j1" "$json"
is "nobody else reads it" 600 "$(stat -c %a a.runs/j1/unsaved)"
is "the store has none of it" "3|0.0" \
    "$(sqlite3 a.db "SELECT count(*), total(cost) FROM call
    WHERE state = 'sent'")"
resume
has "resumed: all are answered" '"answered":3' "$json"
is "resumed: once asked, and paid" "3 3|33" "$(grep -c . asked.log) $(sqlite3 \
    a.db "SELECT count(*), CAST(round(sum(cost) * 1e6) AS INT) FROM call")"
has "resumed: answers as they came" \
    '"answer":{"content":"An \"answer\".","reasoning_content":"hm"}' \
    "$($S show 1 --json --store a.db)"
is "resumed: the reply as it came" "$(cat yes.reply)" \
    "$(sqlite3 a.db "SELECT CAST(body AS TEXT) FROM text
    WHERE id = (SELECT reply_text FROM call WHERE id = 1)")"
is "resumed: nothing is left" "" "$(ls a.runs/j1 | grep unsaved)"
has "resumed: whole" " 0 findings" "$($S fsck --store a.db)"

# ---- An attempt that failed, and was paid ----
echo "{\"choices\":[{\"message\":{\"content\":\"\"}}],$usage}" > no.reply
teacher late "await=$PWD/reply,file=$PWD/yes.reply"
asks late no.reply 1
within '"state":"failed"'
has "an attempt is not taken" "1 reply stands in" "$json"
is "nor tried again in vain" 1 "$(grep -c . asked.log)"
resume
is "resumed: each attempt, and its cost" "failed 11
answered 11" "$(sqlite3 a.db "SELECT state || ' ' || CAST(round(cost * 1e6)
    AS INT) FROM call ORDER BY id")"
has "resumed: whole again" " 0 findings" "$($S fsck --store a.db)"

# ---- No room beside it, either ----
asks good yes.reply 3 a.runs/j1/unsaved
within "wait for room"
has "it waits for room" "wait for room" "$json"
rmdir a.runs/j1/unsaved
within '"state":"failed"'
has "and takes it" "3 replies stand in" "$json"
resume
has "resumed: all of them" '"answered":3' "$json"
is "resumed: asked once" 3 "$(grep -c . asked.log)"
echo "{" > a.runs/j1/unsaved
$S runs resume j1 --store a.db > /dev/null
within "is damaged"
has "a file that cannot be read is said" "is damaged" "$json"
is "and stays" "{" "$(cat a.runs/j1/unsaved)"
finish
