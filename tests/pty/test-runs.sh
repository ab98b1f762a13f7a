#!/bin/sh
# Runs: what a training and a job say of themselves, at 80 and 120 columns, from
# status files of a fixed content.
. "$srcdir/pty/lib.sh"

# status STATE STEP: of r2, whose curve begins high and ends low
status() {
    cat > runs.runs/r2/status.json <<END
{"state":"$1","pid":1,"born":1,"step":$2,"steps":200,"loss":0.44,
"held_out_loss":0.58,"exact":0.5,"tokens":9000,"tokens_per_second":8412,
"eta_seconds":68,"parameters":800000,"checkpoint":100,"kernel":"avx512+x",
"precision":"high","threads":2,"memory_bytes":16000000,"held_out":40,
"marked":40,"nearest_exact":0.11,"evaluation_tokens":100}
END
}

curve() {
    awk -v top="$1" 'BEGIN { for (i = 1; i <= 20; i++) {
        printf "{\"step\":%d,\"loss\":%.3f}\n", i * 10, top / i
        if (i % 5 == 0)
            printf "{\"step\":%d,\"held_out_loss\":%.3f,\"exact\":0.5}\n",
                i * 10, top / i + .1 } }'
}

answers() {
    awk 'BEGIN { for (i = 1; i <= 40; i++)
        printf "{\"id\":1,\"before\":\"b\",\"now\":\"n1\\nn2\\nn3\"," \
            "\"right\":%s,\"right_before\":%s}\n",
            i % 2 ? "true" : "false", i % 10 ? "false" : "true" }'
}

runs_store() {
    sample_store runs.db
    "$S" import --store runs.db --target word-problems \
        "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
    "$S" expand --store runs.db --target word-problems --recipe selfinstruct \
        --teacher builtin --prompts 8 > runs.log 2>&1 &&
        "$S" review --store runs.db --accept all > /dev/null &&
        "$S" train --store runs.db --target word-problems --epochs 1 \
            > runs.log 2>&1 &&
        "$S" train --store runs.db --target word-problems --epochs 2 \
            > runs.log 2>&1 || is "trainings ran" 0 "$(cat runs.log)"
    for r in r1 r2; do
        answers > runs.runs/$r/answers.jsonl
    done
    curve 4 > runs.runs/r1/curve.jsonl
    curve 3 > runs.runs/r2/curve.jsonl
    status 'done' 200
    cp runs.runs/r2/status.json runs.runs/r1/status.json
    cat > runs.runs/j1/status.json <<END
{"state":"failed","pid":1,"born":1,"at":1,"error":"the endpoint is gone",
"figures":{"calls":9,"planned":4,"sent":0,"found":96,"passed":84,
"fails":{"near":9,"duplicate":2},"warns":{"echo":3},"cost":0}}
END
}

runs_store
drives "runs at 80" "$scripts/runs.script"
drives "runs at 120" -s 120x36 "$scripts/runs-wide.script"

# what is done is not gone on with: its figures stand
cat > over.script <<'SCRIPT'
run runs.db
keys 5 g
hasnt R resume
keys R
wait it is done: there is nothing to go on with
keys Q
exit 0
SCRIPT
rm -rf .local
drives "a training that is done" over.script
"$S" runs --store runs.db resume r2 > over.log 2>&1
is "nor by a command" 1 $?
is "and says so" "stillroom: r2 is done: there is nothing to go on with" \
    "$(cat over.log)"

# who was asked last is asked again, not whom the config names first
mkdir -p .config/stillroom
printf '[teacher aaa]\nurl = http://127.0.0.1:1/v1\nmodel = m\n' \
    > .config/stillroom/config
chmod 600 .config/stillroom/config
cat > asked.script <<'SCRIPT'
run runs.db
keys 2 E
wait TEACHER         │ ◂ builtin ▸
keys Esc Q
exit 0
SCRIPT
rm -rf .local
drives "the teacher that was asked last" asked.script
rm -rf .config

# while one runs, its percent stands on the tab of every view
"$S" train --store runs.db --target word-problems --epochs 1000000 \
    --detach > runs.log 2>&1
drives "a run that runs" "$scripts/runs-alive.script"
"$S" runs --store runs.db stop r3 > /dev/null
finish
