#!/bin/sh
# The store's subcommands, as a person at a shell would use them.
. "$srcdir/cli/lib.sh"

has "init" "stillroom.db" "$($S init)"
has "an empty store is whole" " 0 findings" "$($S fsck)"
is "the store is private" 600 "$(stat -c %a stillroom.db)"
fails "init twice" 1 "exists already" $S init
fails "no store" 1 "stillroom init" $S stat --store none.db
fails "no subcommand" 2 "there is no subcommand frob" $S frob
fails "no option" 2 "there is no option --frob" $S stat --frob
fails "no number" 2 "needs a number" $S log --n many
has "help" "usage: stillroom review" "$($S review --help)"
is "help succeeds" 0 "$($S import --help >/dev/null; echo $?)"

printf '%s\n' '{"question":"How many eggs are 2 boxes of 6?","answer":"12"}' \
    '{"question":"How many eggs are 3 boxes of 6?","answer":"18"}' > q.jsonl
has "import as samples" "2 samples" "$($S import --as samples q.jsonl)"
has "again: nothing is added" "0 samples from 2 rows" \
    "$($S import --as samples q.jsonl)"
sed 's/}/,"label":false}/' q.jsonl > false.jsonl
has "marked as false: they arrive rejected" "2 samples marked as false" \
    "$($S import --as samples false.jsonl)"
is "counts" '{"targets":1,"seeds":0,"samples":{"pending":2,"accepted":0,"rejected":2,"deferred":0},"candidates":4,"calls":{"answered":0,"failed":0},"decisions":3,"jobs":0,"runs":0,"exports":0}' "$($S stat --json)"
is "an import's decision is found" "2" \
    "$($S review --filter 'who:import reason:label' | wc -l)"

is "accept" "1 accepted d4" "$($S review --accept 1)"
is "reject" "2 rejected d5" "$($S review --reject 2 --reason wrong)"
has "undo" "undone: d5 reject" "$($S undo)"
has "redo" "done again: d5 reject" "$($S redo)"
has "undo after a restart" "undone: d5" "$($S undo)"
has "show" "(chosen)" "$($S show 1)"
has "log" "accept" "$($S log)"
fails "a wrong filter says where" 2 "column 8: status is one of" \
    $S review --filter status:maybe
has "bulk dry run" "nothing is written: 1" \
    "$($S review --filter status:pending --defer all --dry-run)"
has "bulk" "1 deferred" "$($S review --filter status:pending --defer all)"
has "rui sees an old state" "decided since" \
    "$($S review --as rui --seen 3 --accept 1 2>&1)"
printf 'a dozen\n' > answer
has "edit" "1 edited" "$($S review --edit 1 --answer answer)"
has "edited is found" "accepted" "$($S review --filter 'edited:yes dozen')"
$S review --tag eggs --on 1,2
is "tag" "2" "$($S review --filter tag:eggs | wc -l)"
fails "no such sample" 1 "there is no sample 99" $S review --accept 99
has "fsck" "0 findings" "$($S fsck)"

# ---- The word index, which is made anew of the texts ----
if command -v sqlite3 > /dev/null; then
    while read -r name sql; do
        sqlite3 stillroom.db "$sql"
        fails "$name is found" 1 "stillroom fsck --reindex" $S fsck
        has "$name: made anew" " 0 findings" "$($S fsck --reindex 2>&1)"
        is "$name: filters go by it" 4 \
            "$($S review --filter 'boxes of 6' --json | grep -c '"id"')"
    done << 'END'
emptied INSERT INTO sample_words(sample_words) VALUES('delete-all')
strange INSERT INTO sample_words(rowid, prompt, answer) VALUES(1, 'x', 'y')
other-settings INSERT INTO seed_words_config VALUES('pgsz', 64)
another-form UPDATE sample_words_config SET v = 9
damaged UPDATE sample_words_data SET block = x'00' WHERE id > 10
headless UPDATE sample_words_data SET block = x'ffff' WHERE id = 10
END
    is "the journal says nothing of it" "" "$($S log --json | grep index)"
    has "as JSON" '{"remark":"the word index was made anew"}' \
        "$($S fsck --reindex --json)"
fi
finish
