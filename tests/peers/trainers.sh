#!/bin/sh
# A bundle of every shape, with tools, calls, thinking and turns that are not
# trained, as the trainers read it: each file through the real `datasets`, each
# row through trl's own formatting; LLaMA-Factory's converter and Axolotl's
# strategy for pairs where STILLROOM_LLAMAFACTORY and STILLROOM_AXOLOTL name
# their sources (the folders `src`). Skips without trl (STILLROOM_PYTHON names
# a Python that has it).
#
# Last seen with trl 1.16.0, datasets 5.2.0, transformers 5.24.0, LLaMA-Factory
# of 18 August 2026, Axolotl 0.18.0: all rows read, none skipped.
python=${STILLROOM_PYTHON:-python3}
if ! "$python" -c 'import trl, datasets' 2> /dev/null; then
    echo "skipped: no Python with trl (STILLROOM_PYTHON names one)"
    exit 77
fi
check=$(cd "$srcdir" && pwd)/peers/trainers_check.py
. "$srcdir/cli/lib.sh"
"$python" "$check" --rows > rows.jsonl
$S init > /dev/null
$S import --as samples --target t rows.jsonl > /dev/null
printf 'Better.' > better
$S review --accept all > /dev/null
for id in 1 2 3 4 5; do
    $S review --edit $id --answer better > /dev/null
done
$S review --reject 6,7 --reason wrong > /dev/null
for how in keep field drop; do
    $S export out-$how --thinking $how > /dev/null
    is "thinking $how" "all rows read" \
        "$("$python" "$check" out-$how 2>&1 | tail -1)"
done
finish
