#!/bin/sh
# A student's files broken at random: see fuzz.c. check-long begins elsewhere
# each time; FUZZ_SEED=N goes back to one that failed.
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/fuzz-XXXXXX")
trap 'rm -rf "$dir"' EXIT
seed=1
times=2000
if test "${STILLROOM_CHECK-}" = long; then
    seed=$(date +%s)
    times=100000
fi
seed=${FUZZ_SEED-$seed}
echo '{"id":1,"prompt":[{"role":"user","content":"hello there, 12 34 hello"}],
"answer":{"content":"hello 12"}}' | tr -d '\n' > "$dir/rows.jsonl"
"${top_builddir:-..}/src/stillroom-model" new "$dir/nano" \
    --rows "$dir/rows.jsonl" --vocab 300 > /dev/null
echo "FUZZ_SEED=$seed"
./fault/fuzz $times "$seed" "$dir/nano" "${srcdir:-.}/fixtures/templates.jsonl"
