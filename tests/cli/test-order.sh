#!/bin/sh
# A person's order at a shell: it needs no judge's, its letters are those of
# `show`, it accepts the sample with its first and makes pairs.
. "$srcdir/cli/lib.sh"
$S init > /dev/null
cat > rows.jsonl << 'END'
{"question":"Which?","answer":"Fair."}
{"question":"Alone?","answer":"Yes."}
END
$S import --as samples --target t rows.jsonl > /dev/null
printf 'Good.' > good
printf 'Bad.' > bad
$S review --edit 1 --answer good > /dev/null
$S review --edit 1 --answer bad > /dev/null
has "show prints letters" "--- B " "$($S show 1)"
has "for programs too" '"letter":"C"' "$($S show 1 --json)"
fails "no order" 2 "best first" $S order 1
fails "a letter that is not there" 2 "letters go from A to C" $S order 1 "A D"
fails "a letter twice" 2 "B stands twice" $S order 1 "B B"
fails "one answer" 1 "no two answers" $S order 2 A
fails "no such sample" 1 "9" $S order 9 "A B"
is "nothing was decided" '' "$($S review --json --filter status:accepted)"
is "an order" '{"sample":1,"order":"B A C","decision":4}' \
    "$($S order 1 "b a" --json)"
has "accepted with its first" '"status":"accepted"' "$($S show 1 --json)"
has "the first" "--- B human (chosen)" "$($S show 1)"
$S export out > /dev/null
is "the best against each worse" 2 \
    "$(cat out/dpo/*.jsonl | grep -c '"chosen":.*Good.*"rejected"')"
has "in words, with a tie" "1 ordered B A=C and accepted" \
    "$($S order 1 B A=C)"
has "undone" "d5" "$($S undo)"
$S export out --replace > /dev/null
is "is as before" 2 "$(cat out/dpo/*.jsonl | wc -l)"
has "fsck" "0 findings" "$($S fsck)"
finish
