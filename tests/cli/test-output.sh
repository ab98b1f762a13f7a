#!/bin/sh
# Hidden characters of a text reach nobody's terminal: escaped in JSON, marks
# in what people read, into a pipe or not. What is stored and exported is as
# it was.
. "$srcdir/cli/lib.sh"
M=$top_builddir/src/stillroom-model
# a CSI of C1, an OSC 52, a bidi override, a zero-width space, a tag above the
# first plane, a private character, DEL, and an emoji, which stays
hidden=$(printf 'a\302\233b\033]52;c;eA==\007c\342\200\256d\342\200\213e')
hidden=$hidden$(printf '\363\240\201\201f\356\200\200g\177h \360\237\230\200')
quoted='a\u009bb\u001b]52;c;eA==\u0007c\u202ed\u200be\udb40\udc41f'
quoted=$quoted'\ue000g\u007fh '$(printf '\360\237\230\200')
printf '%s\n' "{\"prompt\":\"P $quoted\",\"completion\":\"A $quoted\"}" \
    > rows.jsonl
"$S" init > /dev/null
"$S" target --add texts
"$S" import --as samples rows.jsonl > /dev/null
"$S" review --accept 1 > /dev/null
"$S" seed --add "S $hidden" --answer "T $hidden" > /dev/null

# clean NAME FILE: no hidden character stands in it, and it is not empty
clean() {
    is "$1: says something" yes "$([ -s "$2" ] && echo yes)"
    if LC_ALL=C grep -aq "$(printf '[\001-\010\013-\037\177]')" "$2" ||
        LC_ALL=C grep -aq "$(printf '\302[\200-\237]\\|\342\200[\213\256]')" \
            "$2" ||
        LC_ALL=C grep -aq "$(printf '\363\240\\|\356\200\200')" "$2"; then
        is "$1: clean" "no hidden character" "$(cat -v "$2")"
    fi
}
for what in "show 1" "show s1" "review --filter id>0" seed log; do
    # shellcheck disable=SC2086
    "$S" $what > out 2>&1
    clean "$what" out
    # shellcheck disable=SC2086
    "$S" $what --json > out 2>&1
    clean "$what --json" out
done
"$S" review --filter "$hidden:" --reject all > out 2>&1
clean "an error" out
"$S" import "$hidden" > out 2>&1
clean "a file's name" out
"$S" target --store "$hidden" > out 2>&1
clean "a store's name" out

has "JSON reads back as it was" "\"P $quoted\"" "$("$S" show 1 --json)"
has "people see marks and emoji" "$(printf 'a\342\200\2719B\342\200\272b')" \
    "$("$S" show 1)"
has "and whole emoji" "$(printf '\360\237\230\200')" "$("$S" show 1)"
is "--raw gives the bytes" "P $hidden" "$("$S" show 1 --raw prompt)"
"$S" export bundle > out 2>&1
is "an export has the bytes" yes "$(LC_ALL=C grep -aq \
    "$(printf 'c\342\200\256d\342\200\213e\363\240')" -r bundle &&
    echo yes)"

# The model program's answers are JSON too.
printf '%s\n' "{\"messages\":[{\"role\":\"user\",\"content\":\"$quoted\"}]}" \
    > in.jsonl
head -n 20 "$top_srcdir/data/demo-seeds.jsonl" > learn.jsonl
"$M" new small --rows learn.jsonl > out 2>&1 || is "a model" made "$(cat out)"
"$M" render small < in.jsonl > out 2>&1
clean "render" out
has "render, in JSON" 'c\u202ed' "$(cat out)"
finish
