#!/bin/sh
# What endpoints really send, one reply a store: the bytes stand here, the
# scripted teacher sends them.
. "$srcdir/cli/lib.sh"
XDG_CONFIG_HOME=$HOME/config
export XDG_CONFIG_HOME
config=config/stillroom/config
mkdir -p config/stillroom
scripted --log asked.log
echo '{"prompt":"Capital of Portugal?"}' > s.jsonl
: > "$config"
chmod 600 "$config"

# teacher NAME MODEL: what the scripted teacher does stands in its model
teacher() {
    printf '[teacher %s]\nurl = http://127.0.0.1:%s/v1\nmodel = %s\n' \
        "$1" "$port" "$2" >> "$config"
}

# fresh: a.db anew with the seeds of s.jsonl, made once of each such file
fresh() {
    rm -rf a.db a.runs
    if ! cmp -s s.jsonl made.jsonl; then
        rm -rf made.db made.runs
        cp s.jsonl made.jsonl
        $S init made.db > /dev/null
        $S import --store made.db s.jsonl > /dev/null
    fi
    cp made.db a.db
    cp -r made.runs a.runs
}

# ask TEACHER: the seeds labelled; the job's last line in $out
ask() {
    fresh
    out=$($S expand --store a.db --recipe label --teacher "$1" --prompts 1 \
        2>&1)
    code=$?
}

# reply NAME < BYTES: a teacher that sends these bytes, asked
reply() {
    cat > "$1.reply"
    teacher "$1" "file=$PWD/$1.reply"
    ask "$1"
    got=$($S show 1 --json --store a.db 2> /dev/null)
}

# answers NAME ANSWER: the only candidate is this, and it waits for review
answers() {
    has "$1: its answer" "\"answer\":$2}]" "$got"
    has "$1: pending" '"status":"pending"' "$got"
    is "$1: exit code" 0 "$code"
}

# chunk DELTA [REST]: one event of a stream
chunk() {
    printf 'data: {"choices":[{"index":0,"delta":%s%s}]}\n\n' "$1" "$2"
}
stop=',"finish_reason":"stop"'

# ---- Reasoning ----
reply apart <<END
$(chunk '{"role":"assistant","content":""}'
chunk '{"reasoning_content":"h"}'
chunk '{"reasoning_content":"m"}'
chunk '{"reasoning":"","content":null}'
chunk '{"content":"Lisbon."}'
chunk '{}' "$stop")

data: [DONE]
END
answers apart '{"content":"Lisbon.","reasoning_content":"hm"}'

reply unopened <<'END'
{"choices":[{"message":{"content":"hm\n</think>\n\nLisbon."},
"finish_reason":"stop"}]}
END
answers unopened '{"content":"Lisbon.","reasoning_content":"hm"}'

# ---- Whole, cut off, or not an answer ----
lisbon='{"content":"Lisbon."}'
usage='"usage":{"prompt_tokens":9,"completion_tokens":2}'
reply no-done <<END
$(chunk '{"role":"assistant","content":""}'
chunk '{"content":"Lisbon."}'
chunk '{}' "$stop")

data: {"choices":[],$usage}

END
answers no-done "$lisbon"
reply no-reason <<END
{"choices":[{"message":$lisbon,"finish_reason":null}],$usage}
END
answers no-reason "$lisbon"
reply keepalive <<END
data: : keepalive

event: ping
data: {"type":"ping"}

$(chunk "$lisbon" "$stop")

data: [DONE]

END
answers keepalive "$lisbon"
printf 'data: {"choices":[{"delta":{"content":"\360\237"}}]}\n\n%s\n\n%s\n\n' \
    "$(printf 'data: {"choices":[{"delta":{"content":"\230\200"}}]}')" \
    "$(chunk '{}' "$stop")" | sed 's/^$//' > half.in
reply half < half.in
answers half '{"content":"😀"}'
reply nan <<END
{"choices":[{"message":$lisbon,"finish_reason":"stop",
"logprobs":{"content":[{"token":"L","logprob":NaN}]}}],$usage}
END
answers nan "$lisbon"
reply limit <<END
{"choices":[{"message":$lisbon,"finish_reason":"MAX_TOKENS"}]}
END
has "limit: rejected" '"status":"rejected"' "$got"
has "limit: as cut off" '"name":"cut off","figure":1' "$got"
reply native-limit <<END
{"choices":[{"message":$lisbon,"finish_reason":"stop",
"native_finish_reason":"MAX_TOKENS"}]}
END
has "native-limit: as cut off" '"name":"cut off","figure":1' "$got"
{
    chunk "$lisbon"
    printf 'data: {"choices":[],%s}\n\n' "$usage"
} > usage.reply
reply usage-ends < usage.reply
answers usage-ends "$lisbon"
chunk "$lisbon" "$stop" > whole.reply
for before in whole usage; do
    teacher "$before-break" "file-break=$PWD/$before.reply"
    $S teacher check "$before-break" > out 2>&1
    is "$before, then a broken line: exit code" \
        "$([ $before = usage ] && echo 1 || echo 0)" $?
done
has "a broken line behind usage is no end" "no whole answer" "$(cat out)"
printf 'data: [DONE]\n\n' > nothing.reply
echo "{\"choices\":[{\"message\":$lisbon}]}" > then.reply
teacher nothing "file=$PWD/nothing.reply,file=$PWD/then.reply"
ask nothing
has "nothing, then an answer" "1 of 1 call answered, 1 found" "$out"

# unread NAME REASON < BYTES: the reply is kept, and why it gave nothing
unread() {
    reply "$1"
    has "$1: unparsed" "1 unparsed: $2" "$out"
}
unread thinking 'the reply is only thinking, without an answer' <<'END'
{"choices":[{"message":{"content":"<think>hm</think>\n"},
"finish_reason":"stop"}]}
END
unread broken-off 'the reply was cut off while it thought' <<'END'
{"choices":[{"message":{"content":null,"reasoning_content":"hm, so"},
"finish_reason":"length"}]}
END

unread calls 'the reply only calls tools, without an answer' <<END
{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1",
"type":"function","function":{"name":"f","arguments":"{}"}}]},
"finish_reason":"tool_calls"}],$usage}
END
is "calls: asked once, and counted" "1|9|2" \
    "$(sqlite3 a.db 'SELECT count(*), sum(tokens_in), sum(tokens_out)
    FROM call')"

# ---- Another protocol ----
cat > gemini.reply <<'END'
{"candidates":[{"content":{"parts":[{"text":"Lisbon."}],"role":"model"},
"finishReason":"STOP"}],
"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2}}
END
printf '[teacher gemini]\nurl = http://127.0.0.1:%s/v1\nmodel = file=%s\n' \
    "$port" "$PWD/gemini.reply" >> "$config"
printf 'price_in = 1\nprice_out = 1\nconcurrency = 1\n' >> "$config"
is "another protocol: said" \
    "the reply is in the form of Gemini (generateContent), not of chat\
 completions: is the url right? It should be like\
 https://generativelanguage.googleapis.com/v1beta/openai" \
    "$($S teacher check gemini 2>&1 | sed -n 's/.*\(the reply is\)/\1/p')"
for i in 1 2 3; do echo "{\"prompt\":\"Question $i?\"}"; done > three.jsonl
$S init g.db > /dev/null
$S import --store g.db three.jsonl > /dev/null
: > asked.log
out=$($S expand --store g.db --recipe label --teacher gemini --prompts 3 2>&1)
is "another protocol: exit code" 1 $?
has "another protocol: the job's end" "the url right?" "$out"
is "another protocol: asked once" 1 "$(grep -c gemini asked.log)"
is "another protocol: what it took" "9|2" \
    "$(sqlite3 g.db 'SELECT sum(tokens_in), sum(tokens_out) FROM call')"

# ---- The endpoint's own words ----
# says NAME PART < BYTES: the reply fails, and this is why
says() {
    reply "$1"
    has "$1: its words" "$2" "$out"
    is "$1: exit code" 1 "$code"
}
says object 'max context is 4096' <<END
{"object": "error", "message": "max context is 4096", "code": 400}
END
says provider 'Provider returned error: one image (P)' <<END
{"error":{"message":"Provider returned error","code":400,"metadata":{
"raw":"{\"error\":{\"message\":\"one image\"}}","provider_name":"P"}}}
END
says page 'HTML), not JSON: is the url right? "Log in"' <<END
<!DOCTYPE html><html><head><title>Log in</title></head></html>
END
says list 'body.seed: Extra inputs are not welcome' <<END
{"detail":[{"loc":["body","seed"],"msg":"Extra inputs are not welcome"}]}
END
echo 'event: error
data: {"message":"boom","type":"server_error"}
' > boom.reply
teacher boom "file=$PWD/boom.reply,file=$PWD/then.reply"
ask boom
has "an error event is asked again" "1 of 1 call answered" "$out"

# ---- What a job says of itself ----
for i in 1 2 3 4 5 6; do echo "{\"prompt\":\"Question $i?\"}"; done > s.jsonl
# run TEACHER [OPTION ...]: the seeds labelled
run() {
    fresh
    out=$($S expand --store a.db --teacher "$@" 2>&1)
    code=$?
}
echo '{"error":{"message":"no such thing","code":400}}' > no.reply
echo '{"choices":[{"message":{"content":"An answer."}}]}' > yes.reply
teacher broken "file=$PWD/no.reply"
run broken --recipe label --prompts 2
is "all failed: exit code" 1 "$code"
has "all failed: counted with the reason" \
    "2 failed: the teacher broke off: no such thing" "$out"
cat > bad.reply <<END
{"choices":[{"message":{"content":"Not in the form."}}],$usage}
END
teacher loose "file=$PWD/bad.reply"
run loose --recipe label-why --prompts 3
has "unparsed: counted with the reason" \
    '3 unparsed: no line of the reply begins with "Answer:"' "$out"
is "unparsed: exit code" 0 "$code"
has "unparsed: in runs, too" \
    '3 unparsed: no line of the reply begins with "Answer:"' \
    "$($S runs --store a.db)"
json=$($S runs --store a.db --json)
has "runs --json: id" '"id":"j1"' "$json"
has "runs --json: why" '"why":[{"state":"unparsed","calls":3,' "$json"
json=$($S expand --store a.db --teacher loose --recipe label-why --prompts 1 \
    --json)
has "expand --json" '{"id":"j2","state":"done","error":null,"calls":1,' "$json"
printf '{"choices":[{"message":{"content":"%s"}}]}' \
    '1. One more?\n2. Another one?\n3. Question 1?' > few.reply
teacher few "file=$PWD/few.reply"
run few --recipe selfinstruct --prompts 24 --split train
has "fell short" "it fell short: " "$out"
has "of how many" " of 24 new prompts (" "$out"

teacher plenty ok
run plenty --recipe label --prompts 9
has "fewer inputs than asked for" \
    "no more than 6 of 9 were there to ask about" "$out"

# ---- Money ----
# spent LIMIT: a job of many calls under a limit; $cost, the dearest call
spent() {
    run "$1" --recipe label --prompts 6 --answers 8 --stop-at "$2"
    cost=$($S runs --store a.db --json | sed 's/.*"cost":\([^,]*\).*/\1/')
}
teacher dear ok
printf 'price_in = 100\nprice_out = 100\nconcurrency = 4\n' >> "$config"
for limit in 0.0095 0.02 0.033; do
    spent dear $limit
    most=$($S show c1-c48 --json --store a.db 2> /dev/null |
        sed -n 's/.*"cost":\([0-9.e-]*\).*/\1/p' | sort -g | tail -1)
    ok=$(awk "BEGIN { print ($cost <= $limit && $limit - $cost < $most) }")
    is "limit $limit: spent $cost, dearest $most" 1 "$ok"
    has "limit $limit: said" "the spending limit was reached" "$out"
done

# ---- teacher check ----
checks() {
    out=$($S teacher check "$1" 2>&1)
    is "check $1: exit code" "$2" "$?"
    has "check $1" "$3" "$out"
}
echo '{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}' > e.reply
teacher says-nothing "file=$PWD/e.reply"
checks says-nothing 1 'the answer is empty (it ended with "stop")'
checks thinking 1 "the reply is only thinking"
checks nothing 1 "a reply without an answer"
checks unopened 0 "answers in"
is "check unopened: without what it thought" "" "$(echo "$out" | grep hm)"

# ---- A long answer is no silence, at a server of our own, too ----
export PATH="$top_builddir/tests/fault:$PATH"
printf '[teacher drip]\nserve = %s\nmodel = drip=400\ntimeouts = 2 2 60\n' \
    "faulty-teacher" >> "$config"
ask drip
has "a long answer" "1 of 1 call answered" "$out"
is "was asked for once" 1 "$(sqlite3 a.db 'SELECT count(*) FROM call')"

# ---- Killed and resumed once: nothing is lost for good ----
# hung: three requests wait for a file that is not there yet, and what the
# others brought is in the store
hung() {
    [ "$(grep -c "\"before\":$answered," asked.log)" = 3 ] &&
        [ "$(sqlite3 a.db "SELECT count(*) FROM call WHERE state = 'sent'" \
            2> /dev/null)" = 3 ]
}
over() {
    json=$($S runs --store a.db --json)
    case "$json" in *'"state":"done"'*) ;; *) return 1 ;; esac
}
lost=0 first=
for answered in 0 1 2 3; do # of each prompt's four, before one hangs
    teacher hangs$answered "${first}await=$PWD/go,ok"
    echo 'concurrency = 3' >> "$config"
    first=ok,$first
    rm -f go
    : > asked.log
    fresh
    $S expand --store a.db --recipe label --teacher hangs$answered \
        --prompts 6 --answers 4 --detach > /dev/null
    eventually 60 hung || is "with $answered: they hang" yes no
    pkill -KILL -f "job 1 --store $PWD/a.db"
    cp yes.reply go
    eventually 30 $S runs resume j1 --store a.db > /dev/null 2>&1
    eventually 60 over
    has "killed with $answered answered: all" \
        '"calls":24,"planned":0,"sent":0,"answered":24' "$json"
    has "killed with $answered answered: whole" " 0 findings" \
        "$($S fsck --store a.db)"
    lost=$((lost + $(sqlite3 a.db "SELECT count(*) FROM call
        WHERE state = 'lost'")))
done
is "what was on its way is counted as lost" 12 $lost
finish
