#!/bin/sh
# A job whose teacher is a student: the folder of a model that was trained
# here, served by the job itself on a socket of its own.
. "$srcdir/cli/lib.sh"
M="$top_builddir/src/stillroom-model"
XDG_CONFIG_HOME=$HOME/config
export XDG_CONFIG_HOME

awk 'BEGIN { for (i = 0; i < 300; i++)
    printf "{\"id\":%d,\"prompt\":[{\"role\":\"user\",\"content\":\"twice " \
        "%d%d\"}],\"answer\":{\"content\":\"%d or so\"}}\n",
        i, i % 7, i % 10, i % 10 }' > rows.jsonl
$M new nano --rows rows.jsonl --hidden 64 --layers 2 --heads 2 \
    --kv-heads 1 --ffn 128 --vocab 300 > /dev/null || exit 99
$M train nano --rows rows.jsonl --valid rows.jsonl --out run --steps 150 \
    --batch-tokens 512 --eval-every 150 > /dev/null || exit 99

mkdir -p config/stillroom
printf '[teacher %s]\nserve = stillroom-model serve ~/%s\n' \
    student run/model gone nowhere > config/stillroom/config
chmod 600 config/stillroom/config
$S init > /dev/null
for q in 36 41 52; do
    printf '{"question":"twice %s"}\n' "$q"
done > q.jsonl
$S import --target t q.jsonl > /dev/null

out=$($S expand --recipe label --teacher student --prompts 3 --answers 2 \
    --seed 1)
is "the job ends well" 0 "$?"
has "every call is answered" "6 of 6 calls answered, 6 found, 6 passed" "$out"
for i in 1 2 3; do
    text=$($S show $i)
    digit=$(echo "$text" | sed -n 's/^twice .\(.\)$/\1/p')
    has "sample $i: it says what it learnt" "$digit or so" "$text"
done
is "its socket is gone" "" "$(find . -name '*.sock')"

out=$($S expand --recipe label --teacher gone --prompts 1 2>&1)
is "a folder that is not there: exit code" 1 "$?"
has "a folder that is not there" "the server ended before it answered" "$out"
has "and which" "nowhere" "$out"
finish
