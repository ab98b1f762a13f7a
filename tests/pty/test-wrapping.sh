#!/bin/sh
# What is wrapped of a list's item goes on under its text, also while it is
# typed, with the cursor where the typing is; emoji of several pictures are
# whole and hide nothing.
. "$srcdir/pty/lib.sh"
zwj=$(printf '\342\200\215')
family=$(printf '\360\237\221\250%s\360\237\221\251%s\360\237\221\247' \
    "$zwj" "$zwj")
item='Gather the contract, the receipt of the fine and the deed of'
item="$item handover of the keys."
cat > rows.jsonl <<ROWS
{"prompt":"What do I bring?",
 "completion":"Bring:\n\n1. $item\n- one\n\nThe $family goes."}
{"prompt":"And a$zwj?","completion":"A joiner alone."}
ROWS
text_store t.db rows.jsonl
sed "s/<edge>/│/; s/<family>/$(echo "$family" | sed "s/$zwj//g")/" \
    > wrap.script <<'SCRIPT'
run t.db
keys 3 g
wait  1. Gather the contract, the receipt of the fine and the deed
has <edge>    of handover of the keys.
has The <family> goes.
hasnt hidden
keys i
wait Typing
keys Up Up Up End
cursor 46 15
type  And more words until the line is full, then on
wait <edge>    of handover of the keys. And more words until the line
has <edge>    full, then on
cursor 35 16
keys Home
cursor 19 14
keys Esc
wait accept it
keys u j
wait And a‹200D›
has hidden
keys Q
exit 0
restored
SCRIPT
drives "80 columns" wrap.script
cat > narrow.script <<'SCRIPT'
run t.db
keys 3 g
wait 1. Gather the contract, the receipt
wait    the fine and the deed of handover of
keys i
wait Typing
keys Up Up Up End
type  More
wait    the keys. More
keys Esc u Q
exit 0
restored
SCRIPT
rm -rf .local
drives "40 columns" -s 40x12 narrow.script
finish
