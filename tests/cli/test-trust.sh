#!/bin/sh
# What the store says of itself is so: a loss is seen and not written over, an
# older store is taken up with what was taken on trust said, foreign folders
# are refused.
. "$srcdir/cli/lib.sh"
fixtures=$top_srcdir/tests/fixtures
n=0 holder=
fresh() { # a store with three decisions of its own, in a folder of its own
    n=$((n + 1))
    mkdir "$HOME/s$n" && cd "$HOME/s$n" || exit 99
    $S init > /dev/null
    $S target --add texts
    $S import --as samples "$fixtures/samples.jsonl" > /dev/null
}
head_seq() { cut -d' ' -f1 stillroom.runs/head; }

# ---- A head that is ahead of its store ----
fresh
cp stillroom.db older
$S review --accept 1,2,3 > /dev/null
was=$(cat stillroom.runs/head)
cp older stillroom.db
has "fsck sees the loss" "decisions are lost" "$($S fsck 2> /dev/null)"
fails "an act is refused" 1 "decisions are lost" $S review --accept 4
is "the head is as it was" "$was" "$(cat stillroom.runs/head)"
has "fsck sees it still" "decisions are lost" "$($S fsck 2> /dev/null)"
has "reading goes on" '"samples":' "$($S stat --json 2> /dev/null)"
has "with the sentence" "Nothing is written to it unless" \
    "$($S stat 2>&1 > /dev/null)"
fails "a draft of a target too" 1 "not saved" $S target --add more
fails "and an import" 1 "--after-loss" \
    $S import --as samples "$fixtures/samples.jsonl"
has "after the loss" "accepted" "$($S review --accept 4 --after-loss)"
is "the old head is kept" "$was" "$(cat stillroom.runs/head.lost-1)"
has "whole" " 0 findings" "$($S fsck)"
has "and goes on without asking" "accepted" "$($S review --accept 5 2>&1)"
is "nothing is said any more" "" "$($S stat 2>&1 > /dev/null)"
cp older stillroom.db
$S review --accept 4 --after-loss > /dev/null
is "a second loss, a second head" 1 \
    "$(ls stillroom.runs | grep -c 'head.lost-2')"

# Another store in its place, at the same position.
fresh
cp stillroom.db one
$S review --accept 1 > /dev/null
was=$(cat stillroom.runs/head)
cp one stillroom.db
mv stillroom.runs away
$S review --reject 1 --reason wrong > /dev/null
rm -r stillroom.runs
mv away stillroom.runs
fails "another end of it" 1 "not the decision that was saved" \
    $S review --accept 2
is "is not written over" "$was" "$(cat stillroom.runs/head)"
$S review --accept 2 --after-loss > /dev/null
fails "a head that goes on from another" 0 " 0 findings" $S fsck

# What is no decision counts too: a job that was lost with an older copy.
fresh
$S review --accept 1 > /dev/null
cp stillroom.db older
$S export bundle > /dev/null
cp older stillroom.db
fails "a lost export" 1 "an older copy stands in its place" \
    $S review --accept 2

# An older head is normal; so is a store that was copied alone.
fresh
cp stillroom.runs/head earlier
$S review --accept 1 > /dev/null
cp earlier stillroom.runs/head
has "an older head" " 0 findings" "$($S fsck)"
$S review --accept 2 > /dev/null
has "is carried on" " 0 findings" "$($S fsck)"
mkdir alone
cp stillroom.db alone/
fails "a store alone" 0 "nothing to compare" $S fsck alone/stillroom.db
has "can be written" "accepted" \
    "$($S review --accept 3 --store alone/stillroom.db 2>&1)"
is "and is compared from then on" "" \
    "$($S fsck alone/stillroom.db | grep compare)"
echo junk > stillroom.runs/head
fails "a head that is none" 1 "malformed" $S fsck
$S review --accept 3 > /dev/null
is "is kept" junk "$(cat stillroom.runs/head.lost-1)"

# ---- A store of schema 1 ----
mkdir "$HOME/old" && cd "$HOME/old" && mkdir stillroom.runs || exit 99
cp "$fixtures/store-v1.db" stillroom.db
cp "$fixtures/store-v1.head" stillroom.runs/head
chmod 600 stillroom.db
said=$($S stat 2>&1 > /dev/null)
has "it says what was taken on trust" "taken on trust" "$said"
has "which tables, how many rows" \
    "recipe 2, job 2, call 10, run 1, export 1, member 21, draft 2" "$said"
is "the copy is kept" "1 35" "$(sqlite3 -separator ' ' \
    stillroom.db.before-v2 "SELECT user_version, (SELECT count(*) \
    FROM decision) FROM pragma_user_version")"
is "once" "" "$($S stat 2>&1 > /dev/null)"
out=$($S fsck)
has "fsck says it too" "as nothing sealed it before: recipe 2" "$out"
has "and has no finding" " 0 findings" "$out"
has "in the journal by its name" '"kind":"seal"' "$($S log --json)"
has "it is nobody's act" "undone: d34" "$($S undo --as ana)"
# put back, worked on and taken up again beside the copy of the first time
mv stillroom.db.before-v2 stillroom.db && echo other > stillroom.db.before-v2
: > stillroom.db.before-v2.2.part # what a kill leaves of a copy
cp "$fixtures/store-v1.head" stillroom.runs/head
has "a copy that stands there is not taken for the new one" \
    "as it was: stillroom.db.before-v2.2)" "$($S stat 2>&1 > /dev/null)"
is "the new one is whole" "$(sqlite3 "$fixtures/store-v1.db" .dump | cksum)" \
    "$(sqlite3 stillroom.db.before-v2.2 .dump | cksum)"
is "and nothing else is left" \
    "stillroom.db.before-v2 stillroom.db.before-v2.2" "$(echo *before*)"
# by several at once: one does it
mv stillroom.db.before-v2.2 stillroom.db && rm stillroom.db.before-v2
cp "$fixtures/store-v1.head" stillroom.runs/head
for i in 1 2 3 4; do
    "$S" stat > "said$i" 2>&1 &
done
wait
is "taken up by one of several" 1 "$(cat said? | grep -c "taken up")"
is "the others go on" "" "$(grep -h '^stillroom: [^ ]* [^w]' said?)"
is "one decision, one copy" "1 stillroom.db.before-v2" \
    "$($S log --json | grep -c '"kind":"seal"') $(echo *before*)"
has "and all is well" " 0 findings" "$($S fsck)"
cd "$HOME" || exit 99
# the same where it lost its end before
mkdir lost && cd lost && mkdir stillroom.runs || exit 99
cp "$fixtures/store-v1.db" stillroom.db
chmod 600 stillroom.db
echo "99 $(printf '%064d' 7)" > stillroom.runs/head
has "a lost end is seen when it is taken up" "d99 was saved once" \
    "$($S stat 2>&1 > /dev/null)"
fails "and refused" 1 "d99 was saved once" $S review --accept 3
is "the head stays" "99" "$(head_seq)"

# ---- What is said, and when ----
fresh
if command -v sqlite3 > /dev/null; then
    mkdir "$HOME/busy" && cp -R stillroom.db stillroom.runs "$HOME/busy/"
    # held for longer than a command waits: said so, by its name where it has
    # one; the answer is looked at below
    is_held() { ! sqlite3 stillroom.db 'BEGIN IMMEDIATE' 2> /dev/null; }
    hold stillroom.db EXCLUSIVE "$HOME/let-go" &
    holder=$!
    eventually 30 is_held
    "$S" review --accept 1 --store "$PWD/stillroom.db" > "$HOME/held" 2>&1 &
    held=$!
    "$S" fsck --store "$PWD/stillroom.db" > "$HOME/held-fsck" 2>&1 &
    checked=$!

    # held for writing alone, where only the word index has to wait
    hold "$HOME/busy/stillroom.db" IMMEDIATE "$HOME/let-go" &
    writer=$!
    is_busy() { ! sqlite3 "$HOME/busy/stillroom.db" 'BEGIN IMMEDIATE' \
        2> /dev/null; }
    eventually 30 is_busy
    "$S" fsck --store "$HOME/busy/stillroom.db" > "$HOME/busy-fsck" 2>&1 &
    busy=$!

    # read for longer than that while a job's reply is on its way: the job
    # waits, and keeps what was paid; looked at below, too
    config=$HOME/.config/stillroom/config
    mkdir -p "$HOME/paid" "$HOME/.config/stillroom" && cd "$HOME/paid" ||
        exit 99
    scripted
    printf '[teacher slow]\nurl = http://127.0.0.1:%s/v1\nmodel = %s\n' \
        "$port" sleep=2000 > "$config"
    chmod 600 "$config"
    echo '{"prompt":"Which metal floats?"}' > q.jsonl
    $S init > /dev/null && $S import --target t q.jsonl > /dev/null
    "$S" expand --teacher slow --recipe label --store "$PWD/stillroom.db" \
        > "$HOME/paid.out" 2>&1 &
    paid=$!
    is_sent() { [ "$(sqlite3 stillroom.db 'SELECT state FROM call' \
        2> /dev/null)" = sent ]; }
    eventually 30 is_sent
    { echo 'BEGIN; SELECT * FROM call;'; sleep 14; } |
        sqlite3 stillroom.db > /dev/null & # ends by itself
fi
fresh
if strace -o /dev/null true 2> /dev/null; then
    strace -qq -e trace=write -o writes "$S" review --accept 1,2,3 | cat \
        > /dev/null
    is "each act is acknowledged before the next begins" 3 \
        "$(grep -c '^write(1, ' writes)"
fi

# ---- Where it stands ----
mkdir "$HOME/real" && ln -s real "$HOME/through" && cd "$HOME" || exit 99
$S init through/a.db > /dev/null
has "below a folder that is a link" '"decisions":0' \
    "$($S stat --json --store through/a.db)"
$S target --add x --store through/a.db
has "it is written" " 0 findings" "$($S fsck through/a.db)"
ln -s a.db real/link.db
fails "a link itself" 1 "is a link" $S stat real/link.db

fresh
mkdir elsewhere
mv stillroom.runs elsewhere/
ln -s elsewhere/stillroom.runs stillroom.runs
fails "a folder that is a link" 1 "is a link" $S stat
rm stillroom.runs && mv elsewhere/stillroom.runs .
mkdir elsewhere/j1 && ln -s ../elsewhere/j1 stillroom.runs/j1
fails "a job's folder that is a link" 1 "j1 is a link" $S stat
rm stillroom.runs/j1
rm stillroom.db-journal
mkfifo stillroom.db-journal
fails "a FIFO as the journal" 1 "db-journal is not a file" timeout 5 $S stat
rm stillroom.db-journal

if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
    mkdir stillroom.runs/r1 && chown 54321 stillroom.runs/r1
    fails "a run's folder of another user" 1 "belongs to another user" $S stat
    rmdir stillroom.runs/r1
    chown 54321 stillroom.runs
    fails "a folder of another user" 1 "belongs to another user (uid 54321)" \
        $S stat
    chown 0 stillroom.runs
    has "one's own" '"samples":' "$($S stat --json)"

    # Two curators, whom the group of the folder admits.
    home=$(mktemp -d /tmp/stillroom-shared.XXXXXX)
    trap 'rm -rf "$home"; kill $server' EXIT
    chmod 711 "$home"
    mkdir "$home/both" && chgrp 54300 "$home/both" &&
        chmod 2770 "$home/both" && cd "$home/both" || exit 99
    as() {
        uid=$1
        shift
        setpriv --reuid="$uid" --regid="$uid" --groups=54300 env \
            HOME="$home/both" "$@"
    }
    cp "$S" "$home/stillroom"
    cp "$fixtures/samples.jsonl" "$home/"
    ours=$S S=$home/stillroom
    if as 54321 "$S" --version > /dev/null; then
        as 54321 "$S" init > /dev/null
        chmod 660 stillroom.db
        as 54321 "$S" target --add texts
        as 54321 "$S" import --as samples "$home/samples.jsonl" > /dev/null
        as 54321 "$S" review --accept 1 > /dev/null
        has "a second curator" "accepted" \
            "$(as 54322 "$S" review --accept 2 2>&1)"
        is "the head keeps mode and group" "660 54300" \
            "$(stat -c '%a %g' stillroom.runs/head)"
        has "the first one reads it" " 0 findings" \
            "$(as 54321 "$S" fsck 2>&1)"
        has "and goes on" "accepted" \
            "$(as 54321 "$S" review --accept 3 2>&1)"
    else
        echo "skipped: two users: the build cannot be run by others"
    fi
    S=$ours
    cd "$HOME" || exit 99
fi
if [ -n "$holder" ]; then
    wait "$held"
    is "a held store: refused" 1 "$?"
    has "a held store: said so" "was held for 10 s by another process" \
        "$(cat "$HOME/held")"
    wait "$checked"
    is "fsck of a held store: refused" 1 "$?"
    wait "$busy"
    is "fsck of one that is written to: refused" 1 "$?"
    : > "$HOME/let-go"
    wait "$writer"
    for f in held busy; do
        has "fsck, $f: said so" "was held for 10 s by another process" \
            "$(cat "$HOME/$f-fsck")"
        is "fsck, $f: no finding" "" "$(grep damaged "$HOME/$f-fsck")"
    done
    wait "$holder"
    wait "$paid"
    has "a job waits for its store" "j1 done: 1 of 1 call answered" \
        "$(cat "$HOME/paid.out")"
fi
finish
