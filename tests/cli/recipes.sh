# Sourced by the tests of recipes, in the place of lib.sh: a store of two
# seeds, recipes of one's own, a teacher that answers from a file.
# shellcheck shell=sh
. "$srcdir/cli/lib.sh"
command -v sqlite3 > /dev/null || { echo "skipped: no sqlite3"; exit 77; }
mkdir -p "$HOME/.config/stillroom/recipes"
config=$HOME/.config/stillroom/config
sql() { sqlite3 stillroom.db "$1"; }
fresh() {
    rm -rf stillroom.db* stillroom.runs
    $S init > /dev/null
    for q in "How many legs has a spider?" "Which metal floats on water?"; do
        printf '{"prompt":"%s","completion":"Eight.","split":"train"}\n' "$q"
    done > seeds.jsonl
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
calls() { sql "SELECT count(*) FROM call WHERE step = $1"; }
user() { printf '"messages":[{"role":"user","text":"%s"}]' "$1"; }
