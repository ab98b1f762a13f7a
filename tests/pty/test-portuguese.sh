#!/bin/sh
# The screen in Portuguese: one word for one thing, words that agree, nothing
# left in English, nothing cut at 80 columns; one of a thing is one of it.
. "$srcdir/pty/lib.sh"
sample_store t.db
"$S" import --store t.db --target word-problems \
    "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
"$S" expand --store t.db --target word-problems --recipe selfinstruct \
    --teacher builtin --prompts 12 --answers 2 > expand.log 2>&1 ||
    is "a job ran" 0 "$(cat expand.log)"
"$S" expand --store t.db --target word-problems --recipe rank \
    --teacher builtin --prompts 6 > rank.log 2>&1 ||
    is "a job of ratings ran" 0 "$(cat rank.log)"
cat > portuguese.script <<'SCRIPT'
run t.db
keys 3 g
wait pendentes, mais antigas primeiro   1 de 
keys x
wait o fora do tema
keys Esc l
wait j descer  Enter abrir
has q voltar
keys q 4
wait fonte    oculta
has = empatar
keys b
wait ajuda certa segue
keys 5
wait chamadas, em curso 0
has falharam
keys 2
wait div.    usos feit. mant.
has FEITAS
keys E
wait expandir: 
has todas as divisões
keys Esc T
wait SORTEIO
keys Esc :
wait Tab completar  Enter executar  Esc sair
keys Esc ?
wait / buscar, Enter fazer, q voltar
keys q Q
exit 0
restored
SCRIPT
drives "the screen" -e LC_ALL -e LANG=pt_BR.UTF-8 portuguese.script
rm -rf empty
mkdir empty
cat > welcome.script <<'SCRIPT'
run
wait professor
keys t
wait as duas coisas se aprendem da primeira
keys Esc Q
exit 0
SCRIPT
cd empty || exit 99
drives "presets" -e LC_ALL -e LANG=pt_BR.UTF-8 ../welcome.script
cd ..

pt() {
    LC_ALL='' LANG=pt_BR.UTF-8 "$S" "$@"
}
"$S" init one.db > /dev/null
"$S" target --store one.db --add law > /dev/null
has "one is one" "1 decision, " "$("$S" fsck one.db)"
has "none are many" ": 0 findings" "$("$S" fsck one.db)"
has "one in Portuguese" "1 decisão, " "$(pt fsck one.db)"
has "none is one there" ": 0 achado" "$(pt fsck one.db)"
echo '{"prompt":"Is it?","completion":"Yes."}' > one.jsonl
"$S" import --store one.db --as samples one.jsonl > /dev/null
has "and two are two" "decisões, " "$(pt fsck one.db)"

# Words that the glossary at the head of the catalogue has another for.
other='estudante|em voo|rank LoRA|semente aleat|modelo pronto'
is "no other words" "" "$(grep -nE "^msgstr.*($other)" \
    "$top_srcdir/po/pt_BR.po")"
finish
