#!/bin/sh
# Import: every shape, bad input named by line, counts that add up.
. "$srcdir/cli/lib.sh"
$S init > /dev/null

row() { printf '%s\n' "$1" > "$2"; }
seeds() { $S import --target "$1" --json "$2" 2>&1; }
row '{"instruction":"Name a metal.","input":"","output":"Iron."}' a.jsonl
row '{"instruction":"Add.","instances":[{"input":"1 2","output":"3"},{"input":"2 2","output":"4"}]}' s.jsonl
row '{"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Hello"},{"from":"human","value":"Bye"}]}' g.jsonl
row '{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yes"}],"tags":["x","two words"],"split":"test"}' m.jsonl
row '{"prompt":[{"role":"user","content":"Q"}],"completion":[{"role":"assistant","content":"A"}]}' p.jsonl
row '{"question":"Q?","answer":"A"}' q.jsonl
row '{"turns":["First?","Then?"],"reference":["One","Two"]}' t.jsonl
printf 'question,answer\n"a ""b""\nc",d\ne,f\n' > c.csv
printf '[\n {"question":"Q1?","answer":"A"},\n {"question":"Q2?"}\n]\n' > l.json
for f in a.jsonl:alpaca s.jsonl:selfinstruct g.jsonl:sharegpt \
    m.jsonl:messages p.jsonl:completion q.jsonl:question t.jsonl:turns \
    c.csv:question l.json:question; do
    has "$f" "\"format\":\"${f#*:}\"" "$(seeds "${f%:*}" "${f%:*}")"
done
is "one seed an instance" 2 "$($S seed --target s.jsonl | wc -l)"
has "tags" "two-words x" "$($S seed --target m.jsonl)"
has "split" "test" "$($S seed --target m.jsonl)"
has "csv quotes" '"a \"b\"\nc"' "$($S show s9 --json | tr -d '\n')"
has "turns keep their references" '"train":false' "$($S show --json s8)"

printf '%s\n' '{"question":"Q?","answer":"A"}' '{"question":5}' 'junk' '' \
    '{"question":"\u0000"}' '{"question":"a","question":"b"}' \
    '{"question":"\ud800"}' '[1]' '{"question":"Q2?","answer":"A"}' > bad.jsonl
printf '{"question":"\377"}\n' >> bad.jsonl
out=$($S import --target bad bad.jsonl 2>&1)
is "bad rows make exit code 1" 1 "$($S import --target b2 bad.jsonl >/dev/null 2>&1; echo $?)"
has "line and reason" 'bad.jsonl line 2: "question" is not text' "$out"
has "junk" "line 3: byte 1: not a JSON value" "$out"
has "NUL" "line 5: byte 20: a NUL character" "$out"
has "twice" 'line 6: the key "question" stands twice' "$out"
has "surrogate" "line 7: byte" "$out"
has "UTF-8" "bytes that are not UTF-8" "$out"
has "counts add up" "2 seeds from 10 rows of shape question (1 blank, 7 bad" \
    "$out"
before=$($S stat --json)
fails "strict" 1 "7 rows are bad, and nothing was changed" \
    $S import --target strict --strict bad.jsonl
is "strict changes nothing" "$before" "$($S stat --json)"

head -c 70000000 /dev/zero | tr '\0' x > long.jsonl
printf '\n{"question":"after the long line?"}\n' >> long.jsonl
out=$($S import --target long long.jsonl 2>&1)
has "a line of 70 MB is refused" "line 1: a line of over 64 MiB" "$out"
has "and the next one read" "1 seed from 2 rows" "$out"
junk 7 100000 > junk.bin
fails "binary junk" 1 "junk.bin" $S import --target junk junk.bin
: > empty.jsonl
fails "an empty file" 1 "is empty" $S import empty.jsonl --target x
fails "a folder" 1 "not a regular file" $S import --target x /tmp
fails "a device" 1 "not a regular file" $S import --target x /dev/zero
fails "no such file" 1 "No such file" $S import --target x nowhere.jsonl
fails "no such format" 2 "no format is named" $S import --format x q.jsonl
row '{"ask":"What?","say":"That.","lang":"en"}' odd.jsonl
fails "unknown keys" 1 "no known shape" $S import --target odd odd.jsonl
has "mapped" "1 seed " "$($S import --target odd --map prompt=ask \
    --map answer=say odd.jsonl)"
fails "a wrong map" 2 "write FIELD=COLUMN" $S import --map ask odd.jsonl
row '{"question":"no answer?"}' noanswer.jsonl
fails "samples need answers" 1 "a sample needs an answer" \
    $S import --target z --as samples noanswer.jsonl
printf '{"question":"esc \\u001b]0;x\\u0007 \\u202e","answer":"A"}' > esc.jsonl
has "escapes are kept" "1 sample " "$($S import --target esc --as samples esc.jsonl)"
if [ -d "$SHARED/data" ]; then
    for f in self-instruct-seed-tasks:175 gsm8k-train-2000:2000 \
        mt-bench-questions:80; do
        has "$f whole" "${f#*:} seeds from ${f#*:} rows" \
            "$($S import --target real "$SHARED/data/${f%:*}.jsonl")"
    done
else
    echo "skipped: no shared data"
fi
has "fsck" "0 findings" "$($S fsck)"
finish
