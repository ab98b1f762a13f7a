#!/bin/sh
# Hostile text through every view: the terminal gets no control byte of it
# (the driver's sieve reads the raw stream), and outside the text's own box
# the screen equals that of a harmless twin.
. "$srcdir/pty/lib.sh"
mkdir -p bad good
text_store bad/t.db "$fixtures/hostile.jsonl"
text_store good/t.db "$fixtures/harmless.jsonl"
"$S" import --store bad/t.db "$fixtures/hostile.jsonl" > /dev/null
"$S" import --store good/t.db "$fixtures/harmless.jsonl" > /dev/null

# compare VIEW-KEY BOXES EDGE: one item after the other, then all zoomed
compare() {
    items=$(seq 11)
    printf '%s\n' "sh rm -rf .local" "run good/t.db" "keys $1"
    for item in $items; do
        printf '%s\n' "slot $item" keep "keys j"
    done
    printf '%s\n' "keys Q" "exit 0" "sh rm -rf .local" "run bad/t.db" "keys $1"
    for item in $items; do
        printf '%s\n' "slot $item" "same $2" "$3" "keys h" "same $2" \
            "keys h y l q : Esc j"
    done
    printf '%s\n' "keys g Enter$(printf ' PgDn%.0s' $items)" "keys Q" "exit 0" \
        restored
}
compare 3 "15 3 4 4 37 3 43 4 0 8 80 14" "edge 17 8 14" > review.script
compare 2 "37 3 43 8 0 12 80 10" "edge 17 12 10" > seeds.script
for signs in C.UTF-8 C; do
    drives "review, $signs" -e LC_ALL=$signs review.script
done
drives "seeds" seeds.script

cat > other.script <<'X'
size 40 12
sh rm -rf .local
run bad/t.db
keys 3 j j j j j j j j j j Tab k k k Q
exit 0
size 120 30
sh rm -rf .local
run bad/t.db
keys 3 j j j j j j j j j j k k k 2 j j j j j j M Q
exit 0
size 80 24
start show --store bad/t.db 1 2 3 4 5 6 7 8 9 10 11
exit 0
start review --store bad/t.db
exit 0
start seed --store bad/t.db
exit 0
start log --store bad/t.db
exit 0
X
drives "other sizes, and batch output on a terminal" other.script

has "what is stored is unchanged" 'h1 Escape \u001b[2J\u001b[31mred' \
    "$($S review --store bad/t.db --filter id:1 --json)"
out=$($S import --store good/t.db --as samples "$fixtures/not-utf8.jsonl" 2>&1)
has "bytes that are not UTF-8 are refused, by their line" "line 2" "$out"
has "one good row came in" "1 sample " "$out"
finish
