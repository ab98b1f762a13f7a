#!/bin/sh
# Tags, notes and ratings as they are given on the screen: many tags at once, a
# note that is there is what its prompt begins with, what changed nothing says
# so; the answer that stands there stays.
. "$srcdir/pty/lib.sh"
sample_store t.db
cat > marks.script <<'SCRIPT'
run t.db
keys 3 g t
type alarm "two words" alarm
keys Enter
wait tag alarm "two words" alarm on 1 sample
has u undoes
has alarm
keys t
type -short
keys Enter
wait nothing was changed
hasnt u undoes
keys t
type -"tw
keys Tab
wait tag: -"two words"
keys Enter
wait tag two words taken from 1 sample
keys u
wait undone: untag two words of 1
keys c
type the hour must be given on a clock of 24
keys Enter
wait noted
has u undoes
keys c
wait note: the hour must be given on a clock of 24
keys Enter
wait nothing was changed
has the hour mus
keys c ^U Enter
wait the note is gone
hasnt the hour mus
keys r
type 2
keys Enter
wait 1 rated 2
has rated 2
keys r
wait rating 1 to 5: 2
keys ^U Enter
wait 1 is not rated any more
hasnt rated 2
keys 2 c
type of a seed
keys Enter
wait noted
keys c
wait note: of a seed
keys Esc Q
exit 0
restored
SCRIPT
drives "marks" marks.script
has "one decision for many tags" '"reason":"alarm two words alarm"' \
    "$("$S" log --store t.db --json)"
cat > two.jsonl <<'ROWS'
{"messages":[{"role":"user","content":"Which?"}],
 "chosen":"the first answer","rejected":"the second answer"}
ROWS
text_store two.db two.jsonl
cat > stays.script <<'SCRIPT'
run two.db
keys 3
wait ANSWER   1 of 2
keys ]
wait ANSWER   2 of 2
keys t
type seen
keys Enter
wait tag seen on 1 sample
has ANSWER   2 of 2
keys Q
exit 0
SCRIPT
drives "the answer stays" stays.script
sample_store t.db
cat > many.script <<'SCRIPT'
run t.db
keys 3 g t
type a1 a2 a3 a4 a5 a6 a7 a8 a9 b1 b2 b3 b4 b5 b6 b7 b8 b9 c1 c2 c3 c4 c5 c6
type  c7 c8 c9 d1 d2 d3 d4 d5 d6 d7 d8 d9
keys Enter
wait tag a1 a2
keys Q
exit 0
SCRIPT
drives "many tags" many.script
is "each is there" 1 "$("$S" review --store t.db --filter "tag:a1 tag:d9" \
    --json | grep -c '"id"')"
finish
