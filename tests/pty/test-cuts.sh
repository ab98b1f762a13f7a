#!/bin/sh
# What 80 columns hold whole: the names of checks in the gutter, in the other
# language too, and the figures of a job in its row.
po=$(cd "$top_srcdir" && pwd)/po/pt_BR.gmo
. "$srcdir/pty/lib.sh"
printf '{"prompt":"Say it","completion":"so <|im_end|> it is"}\n' > s.jsonl
text_store c.db s.jsonl
echo '{"prompt":"How many legs has a spider?"}' > seed.jsonl
"$S" import --store c.db seed.jsonl > /dev/null
scripted
mkdir -p .config/stillroom
printf '[teacher t]\nurl = http://127.0.0.1:%s/v1\nmodel = ok\n' "$port" \
    > .config/stillroom/config
chmod 600 .config/stillroom/config
has "a job" "j1 done" \
    "$("$S" expand --store c.db --teacher t --recipe label 2>&1)"
cat > cuts.script <<'SCRIPT'
run c.db
keys 5
wait ✓ 0 ✗
keys 3
wait !special tokens
keys Q
exit 0
SCRIPT
drives "whole" cuts.script
mkdir -p data/locale/pt_BR/LC_MESSAGES
cp "$po" data/locale/pt_BR/LC_MESSAGES/stillroom.mo
printf 'run c.db\nkeys 3\nwait !tok. especiais\nkeys Q\nexit 0\n' > cuts.pt
drives "and in Portuguese" -e STILLROOM_DATA="$PWD/data" \
    -e LANG=pt_BR.UTF-8 -e LC_ALL -e LANGUAGE cuts.pt
# a figure that is wider than its column; the five of a dry run, a row each
awk 'BEGIN {
    for (i = 1; i <= 10000; i++)
        printf "{\"prompt\":\"%s %d\",\"completion\":\"%d\"}\n",
            "How many of these many figures are there on a row as long as",
            i, i
}' > many.jsonl
rm -rf .local
text_store many.db many.jsonl
"$S" import --store many.db seed.jsonl > /dev/null
cat > many.script <<'SCRIPT'
run many.db
keys 1
wait  10,000
has     1 10,000      0
keys 3 *
wait 10,000 selected
keys Space
wait Y do it
hasnt long as 
has –  5995  How many
has –  6665  How many
keys n Q
exit 0
SCRIPT
drives "many" many.script
finish
