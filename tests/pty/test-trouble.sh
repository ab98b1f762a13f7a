#!/bin/sh
# Runs and Targets on stores whose calls, jobs and trainings are written to be
# told: what failed and why, what is spent and will be, what trainings came to.
. "$srcdir/pty/lib.sh"
command -v sqlite3 > /dev/null || { echo "skipped: no sqlite3"; exit 77; }
command -v flock > /dev/null || { echo "skipped: no flock"; exit 77; }

# A job of six calls: two answered, one not parsed, one that failed,
# one lost, one left.
"$S" init t.db > /dev/null &&
    "$S" target --store t.db --as ana --add word-problems > /dev/null &&
    "$S" import --store t.db "$fixtures/seeds.jsonl" > /dev/null &&
    "$S" expand --store t.db --recipe label --teacher builtin --prompts 6 \
        > made.log 2>&1 || is "a job" "" "$(cat made.log)"
is "of six calls" 6 "$(sqlite3 t.db 'SELECT count(*) FROM call')"
sqlite3 t.db "UPDATE call SET cost = .05, tokens_in = 700, tokens_out = 90;
    UPDATE call SET state = 'unparsed', trouble = 'item 9 missing'
        WHERE id = 3;
    UPDATE call SET state = 'failed', http = 429, attempt = 2, cost = 0,
        trouble = 'too many requests', reply_text = NULL WHERE id = 4;
    UPDATE call SET state = 'planned', cost = 0, tokens_in = 0,
        tokens_out = 0, reply_text = NULL WHERE id > 4;
    UPDATE call SET state = 'lost', http = NULL WHERE id = 5;
    UPDATE job SET state = 'failed', spend_max = 1"
drives "a job's trouble" "$scripts/trouble.script"

# It goes on, as far as its folder says: with a limit, and without one.
status() {
    cat > t.runs/j1/status.json << END
{"state":"$1","pid":1,"at":1,"figures":{"calls":6,"planned":2,"sent":0,
"in_flight":1,"found":9,"passed":7,"fails":{"near":2},"cost":0.4}}
END
}
lives() {
    status running
    sqlite3 t.db "UPDATE job SET state = 'running', spend_max = $2"
    rm -rf .local
    (
        flock -n 9 || exit 1
        drives "$1" "$scripts/$3.script"
        exit "$failed"
    ) 9< t.runs/j1 || failed=$((failed + 1))
}
lives "what it may spend, of a limit" 1 spends
sed 's/0.60 more/0.20 more/' "$scripts/spends.script" > less.script
scripts=. lives "what it may spend, without one" NULL less
status "done"
sqlite3 t.db "UPDATE job SET state = 'done'"

# Eight trainings, of which one failed and one marked too few answers.
n=0
for exact in 0.05 0.12 0.3 0.01 0.5 0.7 0.9 1.0; do
    n=$((n + 1))
    echo "INSERT INTO run VALUES($n, 1, 'status:accepted', $n, 'nano', 'sft',
        '{}', 1, NULL, 'done', 1, 2, '{\"marked\":40,\"exact\":$exact}',
        NULL);"
done | sqlite3 t.db
sqlite3 t.db "UPDATE run SET state = 'failed' WHERE id = 1;
    UPDATE run SET figures_json = '{\"marked\":4,\"exact\":1}' WHERE id = 3"
"$S" review --store t.db --accept 1-3 > /dev/null
"$S" review --store t.db --reject 4 > /dev/null
rm -rf .local
drives "what trainings came to" "$scripts/targets.script"
finish
