#!/bin/sh
# Hidden characters on row 23 are marks, quotes in its commands are quoted.
. "$srcdir/pty/lib.sh"
bidi=$(printf '\342\200\256')
sample_store t.db
printf '%s\n' '{"question":"Is it?","a\u001b[2J\u009b7m\u202eb\u200b":1}' \
    > "f$bidi.jsonl"
sed "s/<bidi>/$bidi/g" "$scripts/said.script" > said.script
drives "row 23" said.script
is "the reason is as it was typed" "it isn't \\u202eso" "$("$S" log \
    --store t.db --json | sed -n 's/.*"reason":"\(it[^"]*\)".*/\1/p')"
# what is longer than its row is read whole in M, at every width
cat > whole.script <<'SCRIPT'
run t.db
keys 3 g :
type reject too much was said of it by those who would not leave it, ever
keys Enter
wait rejected: too much
keys M
wait leave it, ever
has ever'
resize 40 12
wait what was said
hasnt leave it
keys Tab End
wait ever'
keys Q
exit 0
restored
SCRIPT
rm -rf .local
drives "the whole of a message" whole.script
finish
