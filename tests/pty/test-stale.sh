#!/bin/sh
# The same person at two screens: nothing is decided by what was there before.
# A list is read anew after an act that its filter may mind.
. "$srcdir/pty/lib.sh"
export S
cat > ed-late << 'END'
#!/bin/sh
[ ! -e late ] || "$S" review --store st.db --reject 5 > /dev/null
echo "Another one?" > "$1"
END
chmod +x ed-late
EDITOR=./ed-late
export EDITOR
sample_store ch.db
drives "changed" "$scripts/changed.script"
: > late
sample_store st.db
drives "stale" "$scripts/stale.script"
# An edit of the second answer stays one of the second, whoever was first.
printf '{"prompt":"Which is it?","response":"%s","split":"train"}\n' \
    "the first one" "the second one" > two.jsonl
rm -rf .local two.db
"$S" init two.db > /dev/null
"$S" import --store two.db --target t --as samples two.jsonl > /dev/null
cat > two.script <<'SCRIPT'
run two.db
keys 3 ]
wait 2 of 2
keys i
type not
keys Esc
wait Edit of answer 2
sh $S review --store two.db --as ana --reject 1 > /dev/null
keys a
wait not saved
keys a
wait accepted
keys Q
exit 0
SCRIPT
drives "an edit of the second answer" two.script
has "it is an edit of the second" '"parent":2' \
    "$("$S" show --store two.db 1 --json)"
finish
