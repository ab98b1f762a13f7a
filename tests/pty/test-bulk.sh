#!/bin/sh
# What is decided about many: the dry run shows each of its five, and the list
# keeps its cursor and what was decided before; what is left is what is
# pending, wherever the cursor is; keys that can do nothing say so.
. "$srcdir/pty/lib.sh"
awk 'BEGIN {
    for (i = 1; i <= 12; i++)
        printf "{\"prompt\":\"question %d of a dozen, and it goes on for " \
            "more cells than there are beside the gutter, TAIL?\"," \
            "\"response\":\"answer %d\"}\n", i, i
}' > rows.jsonl
cat > small.script <<'SCRIPT'
run b.db
keys 3 g a Space s s x w
wait Reject 2 samples
has 2 pending become rejected; 8 stay pending
has ALL OF THEM
hasnt five others
keys Y
wait 2 rejected
has ▸ ·    5
has ~    2
has 3 today
keys u
wait undone: reject
has ▸ ·    3
has ~    2
keys * x w
wait FIVE OF THEM
has five others
has 10 pending become rejected
hasnt TAIL
keys Esc -
hasnt FIVE
keys / ^U
type question 12
keys Enter
wait ▸ ·   12
keys n
wait the search went round
keys / ^U
type question
keys Enter
wait the search went round
keys n
wait ▸ ·    4
hasnt went round
keys Q
exit 0
SCRIPT
cat > wide.script <<'SCRIPT'
run b.db
keys 3 g
hasnt d diff
keys d
wait there is nothing to compare it with
keys a Space a Space
wait 8 left
hasnt about 0 min
keys G
has 8 left
keys * x w
wait FIVE OF THEM
has TAIL
keys Esc f ^U
type nothing here
keys Enter
wait nothing in this filter
has E expand
keys 4
wait nothing to rank
keys E
wait Start
keys Esc Q
exit 0
SCRIPT
cat > portuguese.script <<'SCRIPT'
run b.db
keys 3 g s s x w
wait Rejeitar 2 amostras
keys Y
wait 2 rejeitadas como d
keys Q
exit 0
SCRIPT
text_store b.db rows.jsonl
drives "80 columns" small.script
rm -rf .local b.db b.runs
text_store b.db rows.jsonl
drives "in Portuguese" -e LC_ALL -e LANG=pt_BR.UTF-8 portuguese.script
rm -rf .local b.db b.runs
text_store b.db rows.jsonl
drives "120 columns" -s 120x36 wide.script
finish
