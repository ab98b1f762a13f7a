#!/bin/sh
# The question for a reason shows every key at every width, those of a
# person's own reasons too.
. "$srcdir/pty/lib.sh"
sample_store t.db
cat > wide.script <<'SCRIPT'
run t.db
keys 3 g x
wait Reject 1?  w wrong  d duplicate  o off topic  f format  s style  z unsafe
has x no reason  + new reason  Esc keep it
keys .
has Reject 1?
keys w a x
has x no reason  . wrong again  + new reason  Esc keep it
keys .
wait rejected: wrong
keys Q
exit 0
SCRIPT
cat > narrow.script <<'SCRIPT'
run t.db
keys 3 g x
wait w wrong  d duplicate  o off topic
has f format  s style  z unsafe  x + Esc
keys z
wait rejected: unsafe
keys Q
exit 0
SCRIPT
cat > own.script <<'SCRIPT'
run t.db
keys 3 g :
type reject too much to read for anyone
keys Enter
wait rejected: too much
keys g x
wait z unsafe  t too m
has x . + Esc
keys t
wait rejected: too much
keys Q
exit 0
SCRIPT
cat > portuguese.script <<'SCRIPT'
run t.db
keys 3 g x
wait w errada
has z risco
keys Esc Q
exit 0
SCRIPT
rm -rf .local
drives "80 columns" wide.script
rm -rf .local
drives "40 columns, in Portuguese" -s 40x12 -e LC_ALL \
    -e LANG=pt_BR.UTF-8 portuguese.script
rm -rf .local
drives "40 columns" -s 40x12 narrow.script
rm -rf .local
drives "a reason of one's own" -s 40x12 own.script
finish
