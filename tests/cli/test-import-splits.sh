#!/bin/sh
# Seeds: splits are dealt as they arrive, however they come, and stay.
. "$srcdir/cli/lib.sh"

rows() {
    i=$1
    while [ "$i" -le "$2" ]; do
        printf '{"question":"%s number %s?","answer":"%s"}\n' "$3" "$i" "$i"
        i=$((i + 1))
    done
}
splits() {
    for s in train valid test; do
        $S seed --store "$1" --filter "split:$s" --json | grep -o '"id":' |
            wc -l
    done | tr '\n' ' '
}

for n in 1 2 3 4; do
    $S init a$n.db > /dev/null
    rows 1 12 "Store $n" > t.jsonl
    $S import --store a$n.db t.jsonl > /dev/null
    is "one import of twelve, store $n" "6 3 3 " "$(splits a$n.db)"
done
has "fsck" "0 findings" "$($S fsck --store a1.db)"
$S init b.db > /dev/null
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
    rows $n $n One > t.jsonl
    $S import --store b.db --target t t.jsonl > /dev/null
done
is "twelve imports of one" "6 3 3 " "$(splits b.db)"
$S init c.db > /dev/null
$S target --store c.db --add t > /dev/null
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
    $S seed --store c.db --add "By hand $n?" --answer $n > /dev/null
done
is "twelve by hand" "6 3 3 " "$(splits c.db)"
has "fsck" "0 findings" "$($S fsck --store c.db)"
before=$($S seed --store b.db --json)
rows 13 100 More > t.jsonl
$S import --store b.db t.jsonl > /dev/null
is "a hundred" "90 5 5 " "$(splits b.db)"
for id in 1 5 12; do
    one=$(printf '%s' "$before" | tr '{' '\n' | grep "\"id\":$id,")
    has "an issued split stays (s$id)" "${one%%\}*}" \
        "$($S seed --store b.db --json | tr '{' '\n' | grep "\"id\":$id,")"
done
rows 1 200 Dealt > t.jsonl
dealt() { # dealt NAME: which rows of the 200 go to which split, as one word
    $S init "$1.db" > /dev/null
    $S import --store "$1.db" t.jsonl > /dev/null
    $S seed --store "$1.db" --json | grep -o '"split":"[a-z]*"' | tr -d '\n'
}
one=$(dealt e)
is "a salt that is given deals alike" "$one" "$(dealt f)"
unset STILLROOM_SALT
[ "$one" != "$(dealt g)" ] || is "chance deals by itself" other same
[ "$(dealt h)" != "$(dealt i)" ] || is "each store by its own" other same
rows 1 3 Own | sed 's/}/,"split":"valid"}/' > t.jsonl
$S init d.db > /dev/null
$S import --store d.db t.jsonl > /dev/null
is "a split of one's own goes before" "0 3 0 " "$(splits d.db)"
rows 4 12 Own > t.jsonl
$S import --store d.db --target t t.jsonl > /dev/null
is "and counts" "6 3 3 " "$(splits d.db)"
finish
