#!/bin/sh
# The language: taken from the environment whether or not the locale it names
# is installed, and never worth a crash.
po=$(cd "$top_srcdir" && pwd)/po/pt_BR.gmo
. "$srcdir/cli/lib.sh"

# with NAME=VALUE... COMMAND...: with nothing else that speaks of languages
with() { env -u LC_ALL -u LC_MESSAGES -u LC_CTYPE -u LANG -u LANGUAGE "$@"; }

mkdir -p data/locale/pt_BR/LC_MESSAGES
mo=data/locale/pt_BR/LC_MESSAGES/stillroom.mo
cp "$po" $mo
STILLROOM_DATA=$PWD/data
export STILLROOM_DATA

pt=LANG=pt_BR.UTF-8
has "help" "criar um acervo vazio" "$(with $pt $S --help)"
fails "an error" 1 "não há acervo" with $pt $S stat
$S init > init.out
has "stat" "alvos: 0, sementes: 0, decisões: 0" "$(with $pt $S stat)"
has "one" "1 amostra marcada como falsa chegou rejeitada" "$(
    q='{"question":"How many are 2 boxes of 6?","answer":"9","label":false}'
    echo "$q" > q.jsonl
    with $pt $S import --as samples q.jsonl)"
has "many" "2 amostras marcadas como falsas chegaram rejeitadas" "$(
    sed 's/boxes/bags/p; s/bags/nests/' q.jsonl > r.jsonl
    with $pt $S import --as samples r.jsonl)"
has "LC_ALL goes before LANG" "alvos" \
    "$(with LC_ALL=pt_BR.UTF-8 LANG=en_US.UTF-8 $S stat)"
has "LC_MESSAGES too" "alvos" \
    "$(with LC_MESSAGES=pt_BR.UTF-8 LANG=en_US.UTF-8 $S stat)"
has "LANGUAGE goes before LANG" "alvos" \
    "$(with LANGUAGE=pt_BR LANG=en_US.UTF-8 $S stat)"
has "LANGUAGE is a list" "alvos" \
    "$(with LANGUAGE=xx:pt_BR:en LANG=en_US.UTF-8 $S stat)"
has "English first in it" "targets" "$(with LANGUAGE=en:pt_BR $pt $S stat)"

has "LANG=C is English" "targets" "$(with LANG=C LANGUAGE=pt_BR $S stat)"
is "and ASCII" "" "$(with LANG=C $S --help | LC_ALL=C tr -d '\n\t -~')"
has "no language is English" "targets" "$(with $S stat)"
has "C.UTF-8 is English" "targets" "$(with LC_ALL=C.UTF-8 $pt $S stat)"
has "one that is not there is English" "targets" \
    "$(with LANG=xx_YY.UTF-8 $S stat)"

# A catalogue that is cut off or overwritten says nothing, or what it can.
xx=LANG=xx_YY.UTF-8
mkdir -p data/locale/xx/LC_MESSAGES
mo=data/locale/xx/LC_MESSAGES/stillroom.mo
cp "$po" $mo
has "any catalogue that is there" "alvos" "$(with $xx $S stat)"
size=$(wc -c < "$po")
for n in 0 1 27 28 100 2000 $((size / 2)) $((size - 1)); do
    head -c "$n" "$po" > $mo
    with $xx $S stat > out 2>&1
    is "cut off at $n bytes: exit code" 0 "$?"
done
head -c 100 "$po" > $mo
has "one of 100 bytes is English" "targets" "$(with $xx $S stat)"
for n in 1 2 3 4; do
    junk $n 5000 > $mo
    has "random bytes $n" "targets" "$(with $xx $S stat)"
    { head -c 28 "$po"; junk $n 90000; } > $mo
    with $xx $S stat > out 2>&1
    is "random bytes behind a header $n: exit code" 0 "$?"
done
finish
