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
finish
