#!/bin/sh
# Every view and every question against its golden, in three sizes, with and
# without UTF-8 and colours. UPDATE=1 writes the goldens anew.
. "$srcdir/pty/lib.sh"

# screen SIZE SIGNS PEN SCRIPT
screen() {
    sample_store small.db
    rm -rf acts.db acts.runs
    cp small.db acts.db
    cp -r small.runs acts.runs
    case $2 in
    ascii) signs=C ;;
    *) signs=C.UTF-8 ;;
    esac
    case $3 in
    mono) pen=NO_COLOR=1 ;;
    *) pen=NO_COLOR ;;
    esac
    drives "$4 $1 $2 $3" -k "$1-$2-$3" -s "$1" -e "LC_ALL=$signs" -e "$pen" \
        "$scripts/$4.script"
}

# judged_store: one sample with three answers, which the built-in judge scored
judged_store() {
    rm -rf .local judged.db judged.runs
    printf '{"prompt":"%s","response":"%s"}\n' \
        "Task: 95.2 dm is how many cm? Be brief." "952 cm" \
        "Task: 95.2 dm is how many cm? Be brief." "That is 9.52 cm." \
        "Task: 95.2 dm is how many cm? Be brief." \
        "A decimetre has 10 cm, so 95.2 dm have 95.2 x 10 = 952 cm." \
        > judged.jsonl
    "$S" init judged.db > /dev/null &&
        "$S" import --store judged.db --target lengths --as samples \
            judged.jsonl > /dev/null &&
        "$S" rank --store judged.db --seed 1 > /dev/null 2>&1 ||
        is "a sample that a judge scored" 0 1
}

for view in views acts; do
    screen 80x24 utf8 colour $view
    screen 80x24 ascii mono $view
    screen 40x12 utf8 colour $view
    screen 40x12 ascii mono $view
    screen 120x30 utf8 colour $view
    screen 120x30 ascii mono $view
done
for size in 60x16 100x10 100x30 120x36 160x48 200x60; do
    screen $size utf8 mono views
done
screen 80x24 utf8 mono views
for size in 40x12 60x16 80x24 100x30 120x36 160x48; do
    judged_store
    drives "judged $size" -k "$size-utf8-mono" -s "$size" -e NO_COLOR=1 \
        "$scripts/judged.script"
done
judged_store
drives "judged in Portuguese" -k 80x24-pt -s 80x24 -e LC_ALL=pt_BR.UTF-8 \
    -e NO_COLOR=1 "$scripts/judged.script"
screen 80x24 ascii colour views
finish
