#!/bin/sh
# A note is read where it is written: c opens with it, in Review and in Seeds,
# and where there are rows left it stands whole under the answer. A seed's
# prompt and answer are read to their ends.
. "$srcdir/pty/lib.sh"
sample_store t.db
cat > review.script <<'SCRIPT'
run t.db
keys 3 g c
type its figures are those of the seed it was made of
keys Enter
wait noted
has u undoes
has NOTE          c │ its figures are those of the seed it was made of
keys c
has note: its figures are those of the seed it was made of
keys Enter
wait nothing was changed
has NOTE          c │ its figures are those of the seed it was made of
keys c ^U Enter
wait the note is gone
hasnt NOTE
keys u
wait undone: note
has NOTE          c │ its figures are those of the seed it was made of
keys r
type 4
keys Enter
wait rated 4
has u undoes
keys Q
exit 0
SCRIPT
cat > seeds.script <<'SCRIPT'
run t.db
keys 2 g c
type from the old course
keys Enter
wait noted
has NOTE          c │ from the old course
keys c
has note: from the old course
keys Esc Q
exit 0
SCRIPT
"$S" init l.db > l.log && long_rows > rows.jsonl &&
    "$S" import --store l.db --target texts rows.jsonl > l.log ||
    is "seeds with long texts" "" "$(cat l.log)"
cat > long.script <<'SCRIPT'
run l.db
keys 2 g
wait prompt.
hasnt Here is the answer
keys Tab End
has Here is the answer
has MADE
keys j End
wait answer row 60.
has MADE
keys Q
exit 0
SCRIPT
rm -rf .local
drives "a seed is read to its end" long.script
rm -rf .local
drives "a note on a sample" -s 120x36 review.script
rm -rf .local
drives "a note on a seed" seeds.script
finish
