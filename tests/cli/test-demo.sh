#!/bin/sh
# A short demonstration: the object it prints, and that it cannot be faked:
# another random seed brings other samples, no held-out problem stands in what
# was trained on, and a recipe in other words works as well.
recipes=$(cd "$top_srcdir/data/recipes" && pwd)
. "$srcdir/cli/lib.sh"
M="$top_builddir/src/stillroom-model"
OPENBLAS_NUM_THREADS=2
export OPENBLAS_NUM_THREADS

# demo STORE ARGS...: a short one
demo() {
    name=$1
    shift
    $S demo --batch --json --store "$name.db" --prompts 200 \
        --tokens 3000 --problems 100 "$@" \
        > "$name.json" 2> "$name.log" || cat "$name.log"
}
# prompts FILE...: of rows, one a line
prompts() {
    sed 's/.*"prompt":\(\[.*\]\),"answer".*/\1/' "$@" | sort -u
}
# key NAME FILE: a whole number of the object
key() { sed "s/.*\"$1\":\([0-9]*\).*/\1/" "$2"; }

demo one --seed 1
is "one line" 1 "$(wc -l < one.json)"
f='-?[0-9.]+'
share="\{\"mean\":$f,\"low\":$f,\"high\":$f,\"n\":100\}"
set="\{\"before\":$share,\"curated\":$share,\"everything\":$share,"
set="$set\"teacher\":$share,\"nearest_row\":$share\}"
shape="\"seeds\":48,\"generated\":$f,\"accepted\":$f,\"rejected\":$f"
shape="$shape,\"curator\":\{\"precision\":$f,\"recall\":$f,"
shape="$shape\"triggered\":($f|null)\},\"exact_match\":$set,"
shape="$shape\"exact_match_new_forms\":$set,\"exported\":$f,"
is "the object" 1 "$(grep -cE "^\{$shape\"seconds\":$f\}\$" one.json)"
is "accepted and rejected are all" "$(key generated one.json)" \
    $(($(key accepted one.json) + $(key rejected one.json)))
is "exported" 1 $(($(key exported one.json) > 100))
is "a bundle" 1 "$(ls one.runs/demo/export-1 | grep -c README)"
for n in 1 2 3 4 5 6; do
    has "act $n is told" "act $n of 6" "$(cat one.log)"
done
has "no findings" " 0 findings" "$($S fsck --store one.db)"
has "the controls were taken back" "\"accepted\":$(key accepted one.json)," \
    "$($S stat --store one.db --json)"

has "a question by hand" '"teacher":"3000"' \
    "$($S runs ask r1 "How many mL are 3 L?" --json --store one.db)"
fails "of a job" 2 "ask a run" $S runs ask j1 hello --store one.db
fails "of no run" 1 "r99" $S runs ask r99 hello --store one.db

# ---- r1 is curated, r2 everything: from the same prompts
prompts one.runs/r1/rows.jsonl > curated
prompts one.runs/r2/rows.jsonl > everything
is "curated rows are of everything" "$(wc -l < curated)" \
    "$(comm -12 curated everything | wc -l)"
is "and fewer" 1 $(($(wc -l < curated) < $(wc -l < everything)))

# ---- held out
for s in H1 H2; do
    "$M" problems --set $s --count 100 --seed 1 > $s.jsonl
    prompts $s.jsonl > held
    is "$s: 100 problems" 100 "$(wc -l < held)"
    is "$s: those the student was asked" 100 \
        "$(prompts one.runs/demo/$s.jsonl | comm -12 - held | wc -l)"
    is "$s: none was trained on" 0 \
        "$(prompts one.runs/*/rows.jsonl one.runs/nano/t1.rows/rows.jsonl |
            comm -12 - held | wc -l)"
done

# ---- another seed
demo two --seed 2 --arms everything
prompts two.runs/r1/rows.jsonl > other
is "another seed, other samples" 0 "$(comm -12 everything other | wc -l)"
is "an arm that was not run is absent" 0 "$(grep -c curated two.json)"

# ---- the recipe in other words: a user's own goes over the shipped one
words='{{count}} exercises follow; write numbers {{first}} to {{last}}, bare.'
mkdir -p "$HOME/.config/stillroom/recipes"
sed -e 's/"version": *3/"version": 4/' \
    -e "s/Here are {{count}} tasks of the set\. [^\"]*/$words/" \
    "$recipes/selfinstruct.json" \
    > "$HOME/.config/stillroom/recipes/selfinstruct.json"
demo three --arms seeds
has "in other words" "exercises follow; write numbers" \
    "$($S expand --store three.db --target word-problems --prompts 8 --dry-run)"
is "made as many" 1 $(($(key generated three.json) > 150))
is "of which most are right" 1 \
    "$(sed 's/.*"precision":\([0-9.]*\).*/\1/' three.json |
        awk '{print ($1 > .8)}')"

# ---- what a training would take
has "parameters" "parameters" "$($S train --store one.db --estimate)"
cost=$($S train --store one.db --estimate --json --epochs 2)
for key in parameters trained memory_bytes tokens_per_second seconds; do
    is "the estimate says $key" 1 "$(echo "$cost" | grep -c "\"$key\":[0-9]")"
done
has "it fits" '"fits":true' "$cost"
fails "LoRA of nano" 1 "nano begins from nothing" \
    $S train --store one.db --estimate --lora 8
fails "no student" 1 "no-such/config.json" \
    $S train --store one.db --estimate --student no-such
is "no words are left behind" "" "$(ls -d one.runs/estimate.* 2> /dev/null)"

# ---- mistakes, and Ctrl-C
fails "no arm" 2 '"some" is no arm' $S demo --batch --arms some
fails "a store that is there" 1 "exists already" \
    $S demo --batch --store one.db
mkdir tmp
TMPDIR=$HOME/tmp timeout -s INT 3 $S demo --batch --prompts 4000 > out 2> err
has "stopped" "stopped" "$(cat err)"
is "nothing is left" "" "$(ls tmp)"
for moment in .7 1.1 1.5 2; do # while a job or a run is being born, too
    TMPDIR=$HOME/tmp timeout -s INT $moment $S demo --batch --prompts 60 \
        > out 2> err
    is "stopped after $moment s, nothing is left" "" "$(ls tmp)"
done
has "the store of the screen" "/.local/share/stillroom/demo/demo.db" \
    "$($S demo)"
has "with its seeds, once" "seeds: 48," \
    "$($S stat --store "$($S demo)")"
finish
