#!/bin/sh
# What endpoints really send, one reply a store: the bytes stand here, the
# scripted teacher sends them.
. "$srcdir/cli/lib.sh"
XDG_CONFIG_HOME=$HOME/config
export XDG_CONFIG_HOME
config=config/stillroom/config
mkdir -p config/stillroom
"$top_builddir/tests/fault/faulty-teacher" --log asked.log > port &
server=$!
trap 'kill $server' EXIT
for i in 1 2 3 4 5 6 7 8 9 10; do [ -s port ] && break; sleep 0.1; done
echo '{"prompt":"Capital of Portugal?"}' > s.jsonl
: > "$config"
chmod 600 "$config"

# teacher NAME MODEL: what the scripted teacher does stands in its model
teacher() {
    printf '[teacher %s]\nurl = http://127.0.0.1:%s/v1\nmodel = %s\n' \
        "$1" "$(awk '{print $2}' port)" "$2" >> "$config"
}

# ask TEACHER: a store of one seed, labelled; the job's last line in $out
ask() {
    rm -rf a.db a.runs
    $S init a.db > /dev/null
    $S import --store a.db s.jsonl > /dev/null
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
finish
