#!/bin/sh
# Every count that the program shows, against SQL of this file's own over the
# store: one store that has all kinds of things in it.
. "$srcdir/cli/lib.sh"
command -v sqlite3 > /dev/null || { echo "skipped: no sqlite3"; exit 77; }
mkdir -p "$HOME/.config/stillroom"
sql() { sqlite3 stillroom.db "$1"; }

# ---- The store --------------------------------------------------------------

scripted
for name in answers refuses breaks babbles; do
    case $name in
    answers) model=ok ;;
    refuses) model=401 ;;
    breaks) model=500,500,500,ok ;;
    babbles) model=html ;;
    esac
    printf '[teacher %s]\nurl = http://127.0.0.1:%s/v1\nmodel = %s\n' \
        $name "$port" $model
    printf 'price_in = 1\nprice_out = 2\n'
done > "$HOME/.config/stillroom/config"

printf '{"description":"d","near_limit":0.97}\n' > t.json
$S init > /dev/null
$S target --add one --from t.json
$S target --add two
$S target --add bare
$S import --target one "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
head -n 12 "$top_srcdir/data/demo-seeds.jsonl" > some.jsonl
$S import --target two some.jsonl > /dev/null
i=0
while [ $i -lt 60 ]; do
    i=$((i + 1))
    printf '{"messages":[{"role":"user","content":"How many are %s?"},' $i
    [ $((i % 6)) = 0 ] && printf '%s,%s,' \
        '{"role":"assistant","content":"Boxes?"}' \
        '{"role":"user","content":"Yes."}'
    printf '{"role":"assistant","content":"answer %s"}]}\n' $((i % 50))
done > rows.jsonl
$S import --target two --as samples rows.jsonl > /dev/null
$S import --target two --as samples rows.jsonl > /dev/null
$S expand --target one --prompts 40 --answers 2 --seed 5 > /dev/null
$S rank --target one --prompts 10 > /dev/null
for name in answers refuses breaks babbles; do
    $S expand --target two --recipe label --teacher $name --prompts 4 \
        > said 2>&1
done
$S expand --target one --prompts 16 --seed 6 > /dev/null
$S runs drop j7 > /dev/null
$S expand --target one --prompts 16 --seed 7 > /dev/null
$S runs drop j8 > /dev/null
$S undo > /dev/null
one() { sql "SELECT id FROM sample WHERE target = 1 AND live AND status = 0
    ORDER BY id LIMIT 1 OFFSET $1"; }
two() { sql "SELECT id FROM sample WHERE target = 2 AND live AND status = 0
    ORDER BY id LIMIT 1 OFFSET $1"; }
printf 'A better answer\n' > answer
$S review --edit "$(one 3)" --answer answer > /dev/null
printf 'The best answer\n' > answer
$S review --edit "$(one 3)" --answer answer > /dev/null
$S review --edit "$(two 2)" --answer answer > /dev/null
$S review --target one --accept "$(one 0)-$(one 20)" > /dev/null
$S review --target two --accept "$(two 0)-$(two 20)" > /dev/null
$S undo > /dev/null
$S redo > /dev/null
$S review --reject "$(two 0)" --reason wrong > /dev/null
$S review --reject "$(two 0)" --reason "off topic" > /dev/null
$S review --reject "$(two 0)" --reason duplicate > /dev/null
$S review --reject "$(two 0)" > /dev/null
$S review --reject "$(two 0)" --reason wrong > /dev/null
$S undo > /dev/null
$S review --defer "$(one 0),$(two 0)" > /dev/null
$S review --tag odd --on "$(one 1)" > /dev/null
$S seed --tag odd s1,s3 > /dev/null
$S export --target two first > /dev/null
$S purge --yes "$(two 1)" s7 > /dev/null 2>&1
$S train --target one --tokens 500 > /dev/null
$S export --target one second > /dev/null

has "the store is whole" " 0 findings" "$($S fsck)"
for what in "job WHERE state = 'done'" "sample WHERE NOT live" \
    "call WHERE state = 'failed'" "decision WHERE kind = 'undo'" \
    "decision WHERE kind = 'purge'" "decision WHERE kind = 'redo'" \
    "sample WHERE status = 3" "text WHERE purged" "run" "member"; do
    [ "$(sql "SELECT count(*) FROM $what")" != 0 ] ||
        is "the store has a $what" some none
done

# ---- stat -------------------------------------------------------------------

# figure KEY JSON: the number behind "KEY":
figure() { printf '%s' "$2" | sed "s/.*\"$1\":\\([-0-9.e+]*\\).*/\\1/"; }
stat=$($S stat --json)
told=$($S stat)
is "targets" "$(sql 'SELECT count(*) FROM target')" "$(figure targets "$stat")"
is "seeds" "$(sql 'SELECT sum(live) FROM seed')" "$(figure seeds "$stat")"
k=0
for name in pending accepted rejected deferred; do
    n=$(sql "SELECT count(*) FROM sample WHERE live = 1 AND status = $k")
    is "$name" "$n" "$(figure $name "$stat")"
    has "$name, told" "$name $n" "$(echo "$told" | tr -s ' ')"
    k=$((k + 1))
done
is "candidates of samples in sight" \
    "$(sql 'SELECT count(*) FROM candidate JOIN sample s ON s.id = sample
        WHERE candidate.live AND s.live')" "$(figure candidates "$stat")"
for table in decision job run export; do
    n=$(sql "SELECT count(*) FROM $table")
    is "${table}s" "$n" "$(figure ${table}s "$stat")"
    has "${table}s, told" "${table}s: $n" "$told"
done

is "a range is what is in sight" "$(sql 'SELECT sum(live) FROM sample')" \
    "$(figure samples "$($S review --accept 1-1000000 --dry-run --json)")"

# ---- Calls ------------------------------------------------------------------

# The newest attempt of each call that was planned.
newest="(SELECT job, state, max(attempt) FROM call GROUP BY job, step, n)"
runs=$($S runs --json)
for job in $(sql 'SELECT id FROM job'); do
    line=$(echo "$runs" | grep "\"id\":\"j$job\"")
    is "j$job: calls" "$(sql "SELECT count(*) FROM $newest WHERE job = $job")" \
        "$(figure calls "$line")"
    for state in planned sent answered unparsed failed lost cancelled; do
        is "j$job: $state" "$(sql "SELECT count(*) FROM $newest
            WHERE job = $job AND state = '$state'")" \
            "$(figure $state "$line")"
    done
    is "j$job: cost" "$(sql "SELECT printf('%.9f', total(cost)) FROM call
        WHERE job = $job")" "$(printf '%.9f' "$(figure cost "$line")")"
    is "j$job: show says the same" \
        "$(figure answered "$line") $(figure failed "$line")" \
        "$(job=$($S show j$job --json)
           echo "$(figure answered "$job") $(figure failed "$job")")"
done
is "answered, of all" "$(sql "SELECT count(*) FROM $newest
    WHERE state IN ('answered', 'unparsed')")" "$(echo "$stat" |
    sed 's/.*"calls":{[^}]*"answered":\([0-9]*\).*/\1/')"
is "failed, of all" "$(sql "SELECT count(*) FROM $newest
    WHERE state IN ('failed', 'lost')")" "$(echo "$stat" |
    sed 's/.*"calls":{[^}]*"failed":\([0-9]*\).*/\1/')"

# ---- Targets ----------------------------------------------------------------

targets=$($S target --json)
people=$($S target 2> /dev/null | tr -s ' ')
for id in 1 2 3; do
    name=$(sql "SELECT name FROM target WHERE id = $id")
    line=$(echo "$targets" | tr '{' '\n' | grep "\"name\":\"$name\"")
    row=$name
    n=$(sql "SELECT count(*) FROM seed WHERE target = $id AND live")
    is "$name: seeds" "$n" "$(figure seeds "$line")"
    row="$row $n"
    k=0
    for status in pending accepted rejected deferred; do
        n=$(sql "SELECT count(*) FROM sample WHERE target = $id AND live
            AND status = $k")
        is "$name: $status" "$n" "$(figure $status "$line")"
        row="$row $n"
        k=$((k + 1))
    done
    has "$name, told" "$row" "$people"
    is "$name: review lists as many" \
        "$(sql "SELECT count(*) FROM sample WHERE target = $id AND live")" \
        "$($S review --target "$name" --filter '' --list 100000 | wc -l)"
done

# ---- Seeds ------------------------------------------------------------------

$S seed --target one --json | tr '{' '\n' | grep '"id"' |
    awk -F '[:,]' '{ print $2 "|" $6 "|" $8 }' > got
sql "SELECT id, (SELECT count(*) FROM draw WHERE seed = d.id),
    (SELECT count(*) FROM sample WHERE seed = d.id AND live)
    FROM seed d WHERE target = 1 AND live ORDER BY id" > want
is "seeds: drawn and made" "" "$(diff want got)"
is "seeds: some are drawn" some "$(grep -q '|[1-9]' got && echo some)"

# ---- The journal ------------------------------------------------------------

$S log --n 100000 --json |
    sed 's/.*"seq":\([0-9]*\),.*"changes":\([0-9]*\).*/\1|\2/' | sort -n > got
sql "SELECT seq, (SELECT count(*) FROM change WHERE decision = d.seq)
    + (SELECT count(*) FROM target WHERE born = d.seq)
    + (SELECT count(*) FROM seed WHERE born = d.seq)
    + (SELECT count(*) FROM draw WHERE born = d.seq)
    + (SELECT count(*) FROM sample WHERE born = d.seq)
    + (SELECT count(*) FROM candidate WHERE born = d.seq)
    + (SELECT count(*) FROM score WHERE born = d.seq)
    + (SELECT count(*) FROM check_result WHERE born = d.seq)
    FROM decision d ORDER BY seq" > want
is "rows of each decision" "" "$(diff want got | head -n 3)"
is "the last act, shown" "$(tail -n 1 want | sed 's/.*|//')" \
    "$(figure rows "$($S show --json "d$(tail -n 1 want | sed 's/|.*//')")")"

# ---- Export's dry run -------------------------------------------------------

# rows SHAPE SPLIT: what the dry run counts
rows() { echo "$dry" | sed "s/.*\"$1\":{\\([^}]*\\)}.*/\\1/" |
    sed "s/.*\"$2\":\\([0-9]*\\).*/\\1/"; }
k=0
for split in train valid test; do
    for target in one two; do
        dry=$($S export --target $target --dry-run --json)
        is "$target: sft, $split" "$(sql "SELECT count(*) FROM sample
            WHERE target = (SELECT id FROM target WHERE name = '$target')
            AND live AND status = 1 AND split = $k")" "$(rows sft $split)"
        false=$(sql "SELECT count(*) FROM sample s
            WHERE target = (SELECT id FROM target WHERE name = '$target')
            AND live AND status = 2 AND split = $k AND
            (SELECT who <> 'check' AND reason IN ('wrong', 'off topic',
              'format', 'style', 'unsafe') FROM decision
              WHERE seq = (SELECT max(decision) FROM change WHERE
                kind = 'sample' AND object = s.id AND field = 'status'))")
        is "$target: kto, $split" $(($(rows sft $split) + ${false:-0})) \
            "$(rows kto $split)"
    done
    k=$((k + 1))
done
dry=$($S export --target one --dry-run --json)
is "pairs of edits: each edit on the way to what was accepted" \
    "$(sql "WITH RECURSIVE way(id) AS (SELECT chosen FROM sample
        WHERE target = 1 AND live AND status = 1 UNION ALL
        SELECT parent FROM candidate c JOIN way ON c.id = way.id
        WHERE parent > 0)
        SELECT count(*) FROM way JOIN candidate USING(id)
        WHERE parent > 0")" "$(figure edit_pairs "$dry")"
is "samples" "$(sql "SELECT count(DISTINCT sample) FROM member m
    JOIN export x ON x.id = m.owner AND m.kind = 'export'
    WHERE x.id = (SELECT max(id) FROM export)")" "$(echo "$dry" |
        sed 's/.*"export":[0-9]*,"samples":\([0-9]*\).*/\1/')"
is "nothing has changed since the export" "0 0 0" \
    "$(figure new "$dry") $(figure gone "$dry") $(figure changed "$dry")"
finish
