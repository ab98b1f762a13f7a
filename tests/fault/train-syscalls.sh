#!/bin/sh
# Kills a training run at every system call that changes a file, one run a
# call, and compares the resumed result with an unbroken run's. Some 200 runs:
# only in check-long.
set -eu
if test "${STILLROOM_CHECK:-}" != long; then
    echo "skipped: only in make check-long"
    exit 77
fi
if ! command -v strace > /dev/null; then
    echo "skipped: strace is not there"
    exit 77
fi
model=$top_builddir/src/stillroom-model
mkdir -p "$HOME/t"
cd "$HOME/t"
OPENBLAS_NUM_THREADS=2
export OPENBLAS_NUM_THREADS

fail() { echo "FAIL: $*" >&2; exit 1; }
hash() { sha256sum "$1" | cut -d' ' -f1; }

awk 'BEGIN {
    for (i = 0; i < 90; i++)
        printf "{\"id\":%d,\"prompt\":[{\"role\":\"user\",\"content\":" \
            "\"twice %d\"}],\"answer\":{\"content\":\"%d or so\"}}\n",
            i, i, i % 10
}' > rows
"$model" new student --rows rows --hidden 32 --layers 1 --heads 2 \
    --kv-heads 1 --ffn 32 --vocab 300 > log

# train OUT [--resume], under the command in $under
train() {
    ${under:-} "$model" train student --rows rows --valid rows --steps 8 \
        --batch-tokens 256 --eval-every 2 --out "$@" > log 2>&1
}
train whole
want=$(hash whole/model/model.safetensors)
points=0
for call in rename fsync write openat unlink mkdir rmdir; do
    n=0
    while :; do
        n=$((n + 1))
        rm -rf broken
        inject=inject=$call:signal=KILL:when=$n
        if under="strace -f -qq -o /dev/null -e trace=$call -e $inject" \
            train broken; then
            break
        fi
        points=$((points + 1))
        test $n -lt 500 || fail "$call: no end"
        train broken --resume || fail "$call $n: $(cat log)"
        test "$(hash broken/model/model.safetensors)" = "$want" ||
            fail "$call $n: other bits"
        test "$(grep -c held_out broken/curve.jsonl)" = 5 ||
            fail "$call $n: curve.jsonl"
    done
done
test $points -gt 100 || fail "only $points points"
echo "train-syscalls: killed at $points calls, same bits each time"
