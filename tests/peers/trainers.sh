#!/bin/sh
# A bundle of every shape, with tools, calls, thinking and turns that are not
# trained, as the trainers read them: each file through the real `datasets`,
# each row through trl's own formatting; and what each trains of the rows, held
# against what they say, where it is there: MLX-LM's own loader where the Python
# has mlx_lm; LLaMA-Factory's converter, Axolotl's strategies, Unsloth's and
# NeMo RL's preparation where STILLROOM_LLAMAFACTORY, STILLROOM_AXOLOTL,
# STILLROOM_UNSLOTH and STILLROOM_NEMO name the folders that hold their
# packages. Skips without trl (STILLROOM_PYTHON names a Python that has it).
#
# Last seen, all rows read and none skipped, with trl 1.16.0, datasets 5.2.0,
# transformers 5.24.0 and NeMo RL of 22 August 2026; and with trl 1.9.0,
# datasets 4.8.4, transformers 5.16.1, Axolotl 0.19.0, Unsloth 2026.10.9,
# MLX-LM 0.32.2 and LLaMA-Factory of 18 August 2026.
python=${STILLROOM_PYTHON:-python3}
if ! "$python" -c 'import trl, datasets' 2> /dev/null; then
    echo "skipped: no Python with trl (STILLROOM_PYTHON names one)"
    exit 77
fi
check=$(cd "$srcdir" && pwd)/peers/trainers_check.py
TOKENIZER=$(cd "$srcdir" && pwd)/../../shared/models/tokenizers/qwen3
export TOKENIZER
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
$S export out-list --tools list > /dev/null
is "tools as a list" "all rows read" \
    "$("$python" "$check" out-list 2>&1 | tail -1)"
finish
