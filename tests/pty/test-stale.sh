#!/bin/sh
# The same person at two screens: nothing is decided by what was there before.
. "$srcdir/pty/lib.sh"
export S
sample_store st.db
printf '#!/bin/sh\n"$S" review --store st.db --reject 5 > /dev/null\n%s\n' \
    'echo "Another one?" > "$1"' > ed-late
chmod +x ed-late
EDITOR=./ed-late
export EDITOR
drives "stale" "$scripts/stale.script"
finish
