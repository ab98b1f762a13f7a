#!/bin/sh
# Keys that can do nothing leave row 24 and say why on row 23; row 2 leaves out
# whole what does not fit; what a job took back is counted.
po=$(cd "$top_srcdir" && pwd)/po/pt_BR.gmo
. "$srcdir/pty/lib.sh"
"$S" init e.db > /dev/null
cat > empty.script <<'SCRIPT'
run e.db
keys 1
wait no target yet
hasnt Enter open
hasnt e edit
hasnt E expand
keys e
wait no target yet; + makes one
keys E
wait no target yet; + makes one
hasnt RECIPE
keys 2 t
wait there is no seed here
keys Q
exit 0
SCRIPT
drives "an empty store" empty.script
sample_store t.db
cat > none.script <<'SCRIPT'
size 60 16
run t.db
keys 2
wait 6 seeds
hasnt ne…
keys 6
wait nothing is accepted yet
hasnt X write
keys X
wait nothing is accepted yet; 3 opens Review
keys 3 g d
wait there is nothing to compare it with
hasnt d diff
keys Q
exit 0
SCRIPT
rm -rf .local
drives "a small one" none.script
awk 'BEGIN {
    for (i = 1; i <= 1010; i++)
        printf "{\"prompt\":\"number %d?\",\"completion\":\"%d\"}\n", i, i
}' > many.jsonl
text_store m.db many.jsonl
mkdir -p data/locale/pt_BR/LC_MESSAGES
cp "$po" data/locale/pt_BR/LC_MESSAGES/stillroom.mo
cat > back.script <<'SCRIPT'
run m.db
keys 3 * Space
wait Y do it
keys Y
wait 1,010 deferred as d
keys u
wait undone: defer of 1010 samples
keys 5
wait j2  undo
has 1,010 samples
has taken back
hasnt R resume
hasnt next
keys R
wait it is done: there is nothing to go on with
keys 3 * Space
wait Y do it
keys Y
wait 1,010 deferred as d
keys Q
exit 0
SCRIPT
rm -rf .local
drives "a job that takes back" back.script
cat > many.pt <<'SCRIPT'
run m.db
keys 5
wait j3
has 1.010 decididas
keys 3 f ^U
type status:deferred
keys Enter * a
wait Y
keys Y
wait 1.010 aceitas
keys Q
exit 0
SCRIPT
rm -rf .local
drives "and in Portuguese" -e STILLROOM_DATA="$PWD/data" \
    -e LANG=pt_BR.UTF-8 -e LC_ALL -e LANGUAGE many.pt
finish
