#!/bin/sh
# The speed of training and the share of the matrix products in it, as JSON
# lines: nano as shipped, and the wider one that the target is set for (at
# least half of the step in products).
set -eu
model=${top_builddir:-../..}/src/stillroom-model
dir=$(mktemp -d "${TMPDIR:-/tmp}/bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
awk 'BEGIN {
    for (i = 0; i < 4000; i++)
        printf "{\"id\":%d,\"prompt\":[{\"role\":\"user\",\"content\":\"Sort " \
            "from low to high: %d, %d, %d.\"}],\"answer\":{\"content\":" \
            "\"%d, %d, %d\"}}\n", i, i % 90 + 10, i * 7 % 90 + 10,
            i * 13 % 90 + 10, i % 50 + 10, i % 30 + 20, i % 40 + 30
}' > "$dir/rows"

# bench NAME SHAPE...
bench() {
    name=$1
    shift
    "$model" new "$dir/$name" --rows "$dir/rows" "$@" > "$dir/log"
    "$model" train "$dir/$name" --rows "$dir/rows" --out "$dir/$name.run" \
        --steps 100 >> "$dir/log"
    printf '{"bench":"train","name":"%s",%s}\n' "$name" "$(
        grep -o '"\(parameters\|tokens\|tokens_per_second\|gemm_share\)":[0-9.]*' \
            "$dir/$name.run/figures.json" | head -4 | paste -sd,)"
}
bench nano
bench nano192 --hidden 192 --layers 5 --heads 3 --kv-heads 1 --ffn 512

# ---- the step beside PyTorch's, in turns; without one, ours alone
# turns SHAPE WHAT ROWS TOKENS STEPS [medium]; theirs is then autocast to bf16
step=${top_builddir:-../..}/tests/bench/step
peer=$(dirname "$0")/step_torch.py
turns() {
    : > "$dir/ours"
    : > "$dir/theirs"
    for round in 1 2 3; do
        "$step" "$@" | tee -a "$dir/ours"
        test -z "${STILLROOM_PYTHON-}" ||
            "$STILLROOM_PYTHON" "$peer" $(echo "$@" | sed s/medium/bf16/) \
                2> /dev/null |
            tee -a "$dir/theirs"
    done
    test ! -s "$dir/theirs" ||
        printf '{"bench":"step","shape":"%s","what":"%s%s","ratio":%s}\n' \
            "$1" "$2" "${6+, medium}" "$(echo "$(middle ours) $(middle theirs)" |
                awk '{ printf "%.2f", $1 / $2 }')"
}
middle() {
    sed 's/.*"tokens_per_second": *\([0-9]*\).*/\1/' "$dir/$1" | sort -n |
        sed -n 2p
}
# ---- answers, one and sixteen at once, weights in fp32 and in bfloat16, in
# turns with llama.cpp: STILLROOM_LLAMA="llama-batched-bench F32.gguf BF16.gguf"
# of that shape (without sampling)
llama() {
    set -- "$1" "$2" ${STILLROOM_LLAMA-}
    test $# = 5 || return 0
    test "$2" = bf16 && gguf=$5 || gguf=$4
    "$3" -m "$gguf" -t 2 -c 4096 -npp 100 -ntg 60 -npl "$1" 2> /dev/null |
        awk -F'|' -v w="$2" '$2 + 0 == 100 {
            printf "{\"bench\":\"decode\",\"by\":\"llama.cpp\",\"streams\":%d," \
                "\"weights\":\"%s\",\"tokens_per_second\":%.1f}\n", $4,
                w == "" ? "fp32" : w, $9
        }'
}
for round in 1 2 3; do
    for streams in 1 16; do
        for weights in "" bf16; do
            "${step%step}decode" 135M $streams 60 $weights
            llama $streams "$weights"
        done
    done
    env -u OPENBLAS_CORETYPE STILLROOM_GEMM=openblas-alone \
        "${step%step}decode" 135M 16 60
done
turns nano full 4 256 20
turns 135M full 4 256 3
turns 135M full 4 256 3 medium
turns 135M lora 4 256 3
turns 135M lora 1 512 3
turns 135M lora 1 4096 1
turns 0.5B full 1 512 1
