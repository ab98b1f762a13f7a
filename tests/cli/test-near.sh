#!/bin/sh
# The index of prompts that new ones are held against: of a target with many it
# is kept in a file beside the store, which changes no result, whatever became
# of it or of the store since.
. "$srcdir/cli/lib.sh"
mkdir -p "$HOME/.config/stillroom"
config=$HOME/.config/stillroom/config
sql() { sqlite3 stillroom.db "$1"; }
file=stillroom.runs/near-1

# 5,200 prompts of 60 words, more than are kept in memory alone.
$S init > /dev/null
printf '{"prompt":"%s","split":"train"}\n' "How many legs has a spider?" \
    "Which metal floats on water?" > seeds.jsonl
$S import seeds.jsonl > /dev/null
awk 'BEGIN {
    srand(4)
    for (i = 1; i <= 5200; i++) {
        text = ""
        for (k = 1; k <= 60; k++)
            text = text " w" int(rand() * 3000)
        printf "{\"prompt\":\"%s\",\"completion\":\"a\"}\n", substr(text, 2)
    }
}' > s.jsonl
$S import --as samples s.jsonl > /dev/null

# like N FROM: a prompt that has all but N words of a sample
like() {
    sed -n "$1{s/.*prompt\":\"//;s/\",.*//;p}" s.jsonl |
        awk -v n="$2" -v s="x$1x" \
            '{ for (k = 1; k <= n; k++) $k = s k; print }'
}
# replies FILE: the scripted teacher makes these prompts, and answers them
replies() {
    {
        echo 'match: Go on with tasks'
        awk '{ print NR + 2 ". " $0 }' "$1"
        printf '%%%%\nan answer\n%%%%\n'
    } > replies.txt
    scripted --log asked.log --replies replies.txt
    printf '[teacher t]\nurl = http://127.0.0.1:%s/v1\nmodel = ok\n' \
        "$port" > "$config"
    printf 'concurrency = 1\n' >> "$config"
    chmod 600 "$config"
}
ask() {
    $S expand --teacher t --prompts 4 --answers 1 --split train 2>&1
}
# The first job over them leaves the index beside the store.
echo 'Nothing like anything else' > alone.txt
replies alone.txt
chmod 640 stillroom.db
has "a job over many prompts" "j1 done" "$(ask)"
is "leaves an index for whom the store is shared with" 640 \
    "$(stat -c %a $file)"
chmod 600 stillroom.db
is "and nothing beside it" 1 "$(find stillroom.runs -name 'near-*' | wc -l)"

mkdir as-it-was
cp -R stillroom.db stillroom.runs as-it-was
again() {
    rm -rf stillroom.db* stillroom.runs
    cp -R as-it-was/* .
}
# What near finds of these, as figure, sample, seed and verdict, looked for
# once without the file.
{
    like 4000 20
    like 17 3
    like 5100 50
    echo 'How many wings has a spider?'
} > like.txt
replies like.txt
found() {
    sql "SELECT round(figure, 4), against_sample, against_seed, verdict
        FROM check_result WHERE name = 'near' AND sample > 5201
        ORDER BY figure"
}
wanted="0.1667|5100||0
0.6667|4000||1
0.8333||1|2
0.95|17||2"
size=$(stat -c %s $file)
ask > /dev/null
is "what is near, with the file" "$wanted" "$(found)"
again
rm $file
ask > /dev/null
is "and without" "$wanted" "$(found)"

# No prompt is read that is in the file: one that cannot be read there does no
# harm, and without the file it ends the job.
again
sql "UPDATE text SET body = 'x' WHERE id = (SELECT prompt_text FROM sample
    WHERE id = 77)"
has "what is in the file is not read" "j2 done" "$(ask)"
is "and found all the same" "$wanted" "$(found)"
again
rm $file
sql "UPDATE text SET body = 'x' WHERE id = (SELECT prompt_text FROM sample
    WHERE id = 77)"
out=$(ask)
has "a prompt that cannot be read ends a job" "j2 failed" "$out"
has "with a sentence" "77: its prompt cannot be read" "$out"
is "and nothing came in" 5201 "$(sql "SELECT count(*) FROM sample")"
again
rm $file
sql "UPDATE text SET body = NULL WHERE id = (SELECT prompt_text FROM sample
    WHERE id = 78)"
has "nor one that is not there" "78: its prompt is not there" "$(ask)"

# Damaged anywhere, cut short, or of another store, it is as if it were not
# there. What is seen before it is used is replaced.
for at in 100 $((size / 5)) $((size / 2)) $((size - 90000)) \
    $((size - 70000)) $((size - 3000)) $((size - 20)); do
    again
    printf 'damaged!' | dd of=$file bs=1 seek="$at" conv=notrunc 2> /dev/null
    ask > /dev/null
    is "damaged at $at" "$wanted" "$(found)"
done
for n in 0 5000 $((size - 1)); do
    again
    head -c "$n" as-it-was/$file > $file
    ask > /dev/null
    is "of $n bytes" "$wanted" "$(found)"
    is "and whole again" "" "$(find $file -size -"$n"c)"
done
again
mv $file other
mkdir $file
ask > /dev/null
is "where none can be" "$wanted" "$(found)"
again
cp $file stillroom.runs/near-2
$S target --add other > /dev/null
printf '{"prompt":"Quite alone","split":"train"}\n' > alone.jsonl
$S import --target other alone.jsonl > /dev/null
$S expand --target other --teacher t --prompts 4 --answers 1 \
    --split train > /dev/null 2>&1
is "of another target" 0 "$(sql "SELECT count(against_sample) FROM
    check_result WHERE sample > 5201")"

# What became of prompts since.
again
$S review --reject 17 --reason wrong > /dev/null
ask > /dev/null
is "one that was rejected is near nobody" 0 \
    "$(sql "SELECT count(*) FROM check_result WHERE against_sample = 17")"
again
$S review --reject 17,4000 --reason wrong > /dev/null
rm $file
replies alone.txt
ask > /dev/null # writes the file anew
is "whatever is rejected" "$size" "$(stat -c %s $file)"
$S review --reopen 17,4000 > /dev/null
replies like.txt
ask > /dev/null
is "one that was opened again is near" "$wanted" "$(found)"

# A purge takes it away, and one of before is of no use.
again
cp $file $file.4194304
$S purge 4000 --yes > /dev/null
is "purged" 0 "$(find stillroom.runs -name 'near-*' | wc -l)"
cp as-it-was/$file $file
ask > /dev/null
is "nobody is near what was purged" 0 \
    "$(sql "SELECT count(*) FROM check_result WHERE against_sample = 4000")"
has "whole" " 0 findings" "$($S fsck)"
finish
