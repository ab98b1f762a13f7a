#!/bin/sh
# Training through the program: it learns, survives kill -9 with the same
# bits, refuses to resume where it should, and stops as asked.
set -eu
model=$top_builddir/src/stillroom-model
dir=$HOME/t
mkdir -p "$dir"
cd "$dir"
OPENBLAS_NUM_THREADS=2
export OPENBLAS_NUM_THREADS

fail() { echo "FAIL: $*" >&2; exit 1; }
hash() { sha256sum "$1" | cut -d' ' -f1; }

# Rows whose answer repeats the last digit of the question.
rows() {
    awk -v from="$1" -v n="$2" 'BEGIN {
        for (i = from; i < from + n; i++)
            printf "{\"id\":%d,\"prompt\":[{\"role\":\"user\",\"content\":" \
                "\"twice %d%d\"}],\"answer\":{\"content\":\"%d or so\"}}\n",
                i, i % 7, i % 10, i % 10
    }'
}
rows 0 300 > rows.jsonl
rows 300 30 > valid.jsonl
"$model" new student --rows rows.jsonl --hidden 64 --layers 2 --heads 2 \
    --kv-heads 1 --ffn 128 --vocab 300 > /dev/null

train() {
    out=$1
    shift
    ${run:-} "$model" train student --rows rows.jsonl --valid valid.jsonl \
        --out "$out" --steps 240 --batch-tokens 512 --eval-every 16 \
        --dropout 0.05 "$@"
}

# ---- it learns, and an unbroken run is the measure of the broken one
began=$(date +%s%N)
train whole > said
took=$(($(date +%s%N) - began))
grep -q '240 steps, held-out loss .* 30 of 30 right' said || fail "$(cat said)"
grep -q '"state":"done"' whole/status.json || fail "not done"
grep -q '"exact":1' whole/status.json || fail "did not learn: $(
    cat whole/status.json)"
test "$(wc -l < whole/answers.jsonl)" = 30 || fail "answers.jsonl"
test -f whole/figures.json || fail "no figures.json"
test "$(ls whole/checkpoints | grep -c step)" = 2 || fail "checkpoints"
test -f whole/checkpoints/best.safetensors || fail "no best checkpoint"
want=$(hash whole/model/model.safetensors)
"$model" eval whole/model --rows valid.jsonl | grep -q '30 right' ||
    fail "eval"
answer=$("$model" generate whole/model --messages \
    '[{"role":"user","content":"twice 36"}]')
test "$answer" = "6 or so" || fail "generate said $answer"

# ---- a checkpoint whose bits have changed is passed over for the one before
cp -r whole rotten
newest=$(ls rotten/checkpoints/step-* | tail -1)
size=$(wc -c < "$newest")
byte=$(tail -c +$((size / 2 + 1)) "$newest" | head -c 1 | od -An -tu1)
printf "\\$(printf %o $(((byte + 1) % 256)))" |
    dd of="$newest" bs=1 seek=$((size / 2)) conv=notrunc 2> /dev/null
train rotten --resume > said || fail "$(cat said)"
test "$(hash rotten/model/model.safetensors)" = "$want" ||
    fail "other bits after a damaged checkpoint"

# ---- a rate that nothing survives is said, not trained to the end
if train wild --rate 1 --clip 0 --warmup 0 --decay 0 2> why; then
    fail "went on at a rate of 1: $(tail -3 wild/curve.jsonl)"
fi
grep -q 'has exploded: above 8' why || fail "said $(cat why)"
grep -q '"state":"failed"' wild/status.json || fail "$(cat wild/status.json)"

# ---- from scratch is from where `new` began with the same seed
"$model" train whole/model --rows rows.jsonl --valid valid.jsonl --out anew \
    --steps 240 --batch-tokens 512 --eval-every 100 --dropout 0.05 \
    --from-scratch > /dev/null
test "$(hash anew/model/model.safetensors)" = "$want" || fail "from scratch"

# ---- killed at 60 random moments (200 in a long check), over as many runs as
# that takes, each ends with the same bits (a short check leaves this out)
kills=0
broken=0

# Parts of what the whole took, longer and longer, so that a machine that has
# become slower gets on too.
delay() {
    awk -v n="$1" -v seed="$kills$broken" -v took="$took" 'BEGIN {
        srand(seed); print took / 1e9 * (.05 + rand() / 4 + n * n / 2000) }'
}

break_one() {
    dir=broken$broken
    n=0
    until grep -q '"state":"done"' $dir/status.json 2> /dev/null; do
        n=$((n + 1))
        test $n -lt 60 || fail "no progress under kills"
        timeout -s KILL "$(delay $n)" "$model" train student --rows rows.jsonl \
            --valid valid.jsonl --out $dir --steps 240 --batch-tokens 512 \
            --eval-every 16 --dropout 0.05 --resume > /dev/null 2>&1 ||
            kills=$((kills + 1))
    done
    test "$(hash $dir/model/model.safetensors)" = "$want" ||
        fail "other bits after $kills kills"
    test "$(grep -c held_out $dir/curve.jsonl)" = 16 || fail "curve"
    test "$(hash $dir/answers.jsonl)" = "$(hash whole/answers.jsonl)" ||
        fail "other answers"
    rm -r "$dir"
}

case ${STILLROOM_CHECK:-} in
short) enough=0 ;;
long) enough=200 ;;
*) enough=60 ;;
esac
while test $kills -lt $enough; do
    broken=$((broken + 1))
    break_one
done

# ---- stopped by SIGTERM, with a checkpoint; SIGHUP changes nothing
run=exec train stopped > stop.log 2>&1 &
pid=$!
until grep -q '"step":[1-9]' stopped/status.json 2> /dev/null; do
    sleep 0.02
done
kill -HUP $pid
kill -TERM $pid
wait $pid || fail "SIGTERM: exit $?"
if grep -q '"state":"stopped"' stopped/status.json; then
    grep -q resume stop.log || fail "said nothing"
    # ---- which another number of threads may not continue
    if OPENBLAS_NUM_THREADS=1 train stopped --resume 2> why; then
        fail "resumed with other threads"
    fi
    grep -q 'other-host' why || fail "did not say why: $(cat why)"
    if test "$(uname -m)" = x86_64; then
        if STILLROOM_GEMM=openblas OPENBLAS_CORETYPE=Prescott \
            train stopped --resume 2> why; then
            fail "resumed with another kernel"
        fi
        grep -q Prescott why || fail "$(cat why)"
    fi
    # ---- nor other settings, nor other rows, nor a new beginning
    if train stopped --resume --rate 0.5 2> why; then fail "other rate"; fi
    grep -q 'rate was 0.003' why || fail "$(cat why)"
    if train stopped 2> why; then fail "began anew over a run"; fi
    grep -q 'holds a run' why || fail "$(cat why)"
    mv rows.jsonl kept
    sed 1d kept > rows.jsonl
    if train stopped --resume 2> why; then fail "other rows"; fi
    grep -q 'rows have changed' why || fail "$(cat why)"
    mv kept rows.jsonl
    grep -q '"state":"stopped"' stopped/status.json || fail "status changed"
    cp -r stopped forced
    train stopped --resume > /dev/null
    test "$(hash stopped/model/model.safetensors)" = "$want" ||
        fail "other bits after SIGTERM"
    OPENBLAS_NUM_THREADS=1 train forced --resume --other-host > said
    grep -q '"bit_identical":false' forced/figures.json ||
        fail "other host not marked"
else
    echo "the run ended before it could be stopped"
fi

# ---- where the held-out rows say something else, its patience ends, and the
# weights are those of the lowest held-out loss
sed 's/"content":"[0-9] or so"/"content":"4 or so"/' valid.jsonl > four.jsonl
"$model" train student --rows rows.jsonl --valid four.jsonl --out early \
    --steps 240 --batch-tokens 512 --eval-every 8 --dropout 0.05 \
    --patience 3 > said
grep -q 'ended early at step' said || fail "$(cat said)"
least=$(sed -n 's/.*"held_out_loss":\([0-9.]*\).*/\1/p' early/curve.jsonl |
    sort -n | head -1)
grep -q "\"held_out_loss\":$least" early/status.json || fail "not the best"
"$model" eval early/model --rows four.jsonl |
    grep -q "held-out loss $(printf %.4f "$least")" || fail "not its weights"
grep -q '"early":true' early/figures.json || fail "figures do not say"

# ---- LoRA: only the pairs are trained and kept in checkpoints; killed, the
# same bits; the adapter and the folded student answer alike
pairs() {
    out=$1
    shift
    "$model" train whole/model --rows rows.jsonl --valid valid.jsonl \
        --out "$out" --steps 60 --batch-tokens 512 --eval-every 10 \
        --lora 4 --rate 0.001 "$@"
}
pairs lora > /dev/null
test "$(stat -c %s lora/checkpoints/best.safetensors)" -lt \
    "$(stat -c %s lora/model/model.safetensors)" || fail "no small checkpoint"
"$model" train whole/model --rows rows.jsonl \
    --valid valid.jsonl --out cut --steps 60 --batch-tokens 512 \
    --eval-every 10 --lora 4 --rate 0.001 > /dev/null 2>&1 &
pid=$! # (timeout -s KILL would return before it is gone)
sleep 0.1
kill -KILL $pid 2> /dev/null || true
wait $pid || true
pairs cut --resume > /dev/null
for f in model/model adapter/adapter_model; do
    test "$(hash cut/$f.safetensors)" = "$(hash lora/$f.safetensors)" ||
        fail "other bits of $f"
done
"$model" eval whole/model --adapter lora/adapter --rows valid.jsonl > beside
"$model" eval lora/model --rows valid.jsonl > folded
cmp beside folded || fail "the folded student answers otherwise"

# ---- two trainers do not share a folder
run=exec train locked --steps 1000000 > /dev/null 2>&1 &
pid=$!
until test -f locked/status.json; do sleep 0.02; done
if train locked --resume 2> why; then fail "two in one folder"; fi
kill -KILL $pid
wait $pid 2> /dev/null || true
grep -q 'another process' why || fail "$(cat why)"

# ---- a loss that is not a number ends at the last good checkpoint
if "$model" train student --rows rows.jsonl --valid valid.jsonl --out nan \
    --steps 60 --rate 1 --clip 0 --decay 10 --warmup 0 2> why; then
    fail "a run that explodes was done"
fi
grep -q '"state":"failed".*"why":"the loss is not' nan/status.json ||
    fail "not marked as failed: $(cat nan/status.json)"

# ---- mistakes get one sentence
wrong() {
    code=$1 part=$2
    shift 2
    if "$model" "$@" > /dev/null 2> why; then got=0; else got=$?; fi
    test $got = "$code" || fail "$*: exit $got instead of $code"
    test "$(wc -l < why)" = 1 || fail "$*: $(cat why)"
    grep -q -- "$part" why || fail "$*: $(cat why)"
}
wrong 2 'no --rows' train student --out x
wrong 2 'only one' train student --rows rows.jsonl --out x --steps 3 --epochs 2
wrong 2 'needs a value' train student --rows rows.jsonl --out x --rate fast
wrong 2 'needs --valid' train student --rows rows.jsonl --out x --patience 2
wrong 2 'no module' train student --rows rows.jsonl --out x --lora 4 \
    --lora-targets q_prj
wrong 2 'from 1 to 256' train student --rows rows.jsonl --out y --lora 999
wrong 2 'need --lora' train student --rows rows.jsonl --out x --rslora
wrong 1 'No such file' train absent --rows rows.jsonl --out x
echo junk > junk
wrong 1 'junk, line 1' train student --rows junk --out x
wrong 2 'more than' train student --rows rows.jsonl --out x --context 9999
wrong 1 'a student already' new student --rows rows.jsonl
wrong 2 'give --adapter' merge student --out other
wrong 1 'adapter_config.json' merge student --adapter student --out other
wrong 1 'there already' merge student --adapter x --out stopped
wrong 1 'adapter_config.json' eval student --rows rows.jsonl --adapter absent
wrong 2 'multiple' new other --rows rows.jsonl --hidden 33
echo "train: $kills kills in $broken runs, same bits"
