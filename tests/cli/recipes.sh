# Sourced by the tests of recipes, in the place of lib.sh: a store of two
# seeds, recipes of one's own, a teacher that answers from a file.
# shellcheck shell=sh
. "$srcdir/cli/lib.sh"
command -v sqlite3 > /dev/null || { echo "skipped: no sqlite3"; exit 77; }
mkdir -p "$HOME/.config/stillroom/recipes"
config=$HOME/.config/stillroom/config
sql() { sqlite3 stillroom.db "$1"; }
# seed PROMPT ANSWER: a row
seed() {
    printf '{"prompt":"%s","completion":"%s","split":"train"}\n' "$1" "$2"
}
rows_of_seeds() {
    seed "How many legs has a spider?" "Eight."
    seed "Which metal floats on water?" "Eight."
}
# fresh: a store of the seeds that rows_of_seeds writes
fresh() {
    rm -rf stillroom.db* stillroom.runs
    $S init > /dev/null
    rows_of_seeds > seeds.jsonl
    $S import seeds.jsonl > /dev/null
}
# replies < FILE: the scripted teacher answers with these records
replies() {
    cat > replies.txt
    scripted --log asked.log --replies replies.txt
    printf '[teacher t]\nurl = http://127.0.0.1:%s/v1\nmodel = %s\n' \
        "$port" "${1:-ok}" > "$config"
    printf 'concurrency = 1\n' >> "$config"
    chmod 600 "$config"
}
# recipe NAME REST: a person's own; REST is what stands behind its name
recipe() {
    printf '{"name":"%s","version":1,"about":"a",%s}\n' "$1" "$2" \
        > "$HOME/.config/stillroom/recipes/$1.json"
}
# ask NAME OPTIONS...: runs a recipe
ask() {
    name=$1
    shift
    $S expand --teacher t --recipe "$name" "$@" 2>&1
}
states() {
    sql "SELECT group_concat(n, ' ') FROM (SELECT state || ':' || count(*) n
        FROM call WHERE step = $1 GROUP BY state ORDER BY state)"
}
# kill_job FROM TO: kills job 1, and has its teacher do TO instead of FROM
kill_job() {
    kill -9 "$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' \
        stillroom.runs/j1/status.json)"
    sed -i "s/$1/$2/" "$config"
}
# goes_on: job 1 goes on, to its end
over() { [ "$(sql 'SELECT state FROM job')" = done ]; }
resume() { $S runs resume j1 > /dev/null 2>&1; }
goes_on() {
    eventually 60 resume || is "it goes on" yes no
    eventually 60 over || is "and ends" yes no
}
calls() { sql "SELECT count(*) FROM call WHERE step = $1"; }
user() { printf '"messages":[{"role":"user","text":"%s"}]' "$1"; }
