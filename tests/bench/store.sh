#!/bin/sh
# What the store and the screen are asked for at size, as JSON lines: ROWS
# (100,000) Alpaca-shaped rows imported as samples, with index and duplicate
# check; fsck, stat and a filter over them; and the first paint, from the start
# of the program to the Review screen, seven times.
set -eu
stillroom=${top_builddir:-../..}/src/stillroom rows=${ROWS:-100000}
dir=$(mktemp -d "${TMPDIR:-/tmp}/bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
data=$(cd "$(dirname "$0")/../../data" && pwd)
export STILLROOM_DATA="${STILLROOM_DATA:-$data}"
awk -v rows="$rows" 'BEGIN {
    srand(1)
    n = split("river stone lamp winter garden engine letter bridge copper " \
        "market island ladder silver basket window thunder paper harbour " \
        "meadow candle orchard violin pepper glacier", w, " ")
    for (i = 1; i <= rows; i++) {
        text = ""
        for (j = 0; j < 40; j++)
            text = text " " w[int(rand() * n) + 1]
        printf "{\"instruction\":\"Tell me about the %s and the %s, %d\"," \
            "\"input\":\"\",\"output\":\"%s.\"}\n", w[i % n + 1],
            w[int(i / n) % n + 1], i, substr(text, 2)
    }
}' > "$dir/rows.jsonl"

# timed NAME COMMAND...
timed() {
    name=$1
    shift
    from=$(date +%s%3N)
    "$@" > /dev/null
    printf '{"bench":"store","name":"%s","rows":%d,"ms":%d}\n' "$name" "$rows" \
        $(($(date +%s%3N) - from))
}
"$stillroom" init "$dir/s.db" > /dev/null
"$stillroom" target --store "$dir/s.db" --add t > /dev/null
timed import "$stillroom" import --store "$dir/s.db" --as samples \
    "$dir/rows.jsonl"
timed fsck "$stillroom" fsck --store "$dir/s.db"
timed stat "$stillroom" stat --store "$dir/s.db"
timed filter "$stillroom" review --store "$dir/s.db" --list 1 \
    --filter 'status:pending violin'
[ -x pty/drive ] || exit 0
for _ in 1 2 3 4 5 6 7; do
    printf 'start %s\ntook first-paint a accept\n' "$dir/s.db"
done > "$dir/paint.script"
pty/drive "$dir/paint.script" | grep '^{'
