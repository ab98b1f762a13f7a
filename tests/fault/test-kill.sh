#!/bin/sh
# Decisions are killed at every system call; what was acknowledged must be
# there, once, and the store must be whole. Needs ptrace (strace); without it
# the loop over system calls is skipped and said so, and random kills remain.
. "$srcdir/cli/lib.sh"
if [ "$STILLROOM_CHECK" = short ]; then
    echo "skipped: a short check leaves the kill loops out"
    exit 77
fi
points=${KILL_POINTS:-1000}
[ "$STILLROOM_CHECK" = long ] && points=100000
$S init > /dev/null
for i in 1 2 3; do
    printf '{"question":"Q%s?","answer":"%s"}\n' $i $i
done > q.jsonl
$S import --as samples q.jsonl > /dev/null
tar cf fresh.tar stillroom.db stillroom.runs

# After a kill: acknowledged (the output says so) implies stored; else it is
# there or it is not. A sample's state is its status and number of answers.
examine() { # NAME OUTPUT SAID SAMPLE BEFORE AFTER
    got=$($S show "$4" --json 2>&1)
    state=$(echo "$got" | sed 's/.*"status":"\([a-z]*\)".*/\1/')
    state=$state$(echo "$got" | grep -o '"parent":' | wc -l)
    case "$2" in
    *"$3"*) is "$1: acknowledged and kept" "$6" "$state" ;;
    *) [ "$state" = "$5" ] || is "$1: one of two states" "$6" "$state" ;;
    esac
    found=$($S fsck 2>&1)
    case "$found" in
    *" 0 findings"*) ;;
    *"head: "*) ;; # killed between the commit and the rename: an older head
    *) is "$1: fsck" "0 findings" "$found" ;;
    esac
    left=$(find . -name '*.tmp-*' | wc -l)
    if [ "$left" != 0 ] && [ "$left" -gt 1 ]; then
        is "$1: no temporaries pile up" 1 "$left"
    fi
}

restore() {
    rm -rf stillroom.db* stillroom.runs
    tar xf fresh.tar
}

# Every call of one decision, each a run of its own.
kill_at_each() { # SAID SAMPLE BEFORE AFTER COMMAND...
    said=$1 sample=$2 before=$3 after=$4
    shift 4
    for call in openat pread64 pwrite64 fdatasync fsync ftruncate rename \
        fcntl write close lseek unlink; do
        n=1
        while [ $killed -lt "$points" ]; do
            restore
            out=$(strace -qq -o /dev/null \
                -e inject=$call:signal=KILL:when=$n "$S" "$@" 2> /dev/null)
            code=$?
            [ $code = 137 ] || break
            examine "$5 $call $n" "$out" "$said" "$sample" "$before" "$after"
            killed=$((killed + 1))
            n=$((n + 1))
        done
    done
}

if strace -o /dev/null true 2> /dev/null; then
    killed=0
    printf 'one, or so\n' > answer
    kill_at_each "1 accepted" 1 pending1 accepted1 review --accept 1
    accepts=$killed
    kill_at_each "2 rejected" 2 pending1 rejected1 \
        review --reject 2 --reason wrong
    kill_at_each "3 edited" 3 pending1 pending2 \
        review --edit 3 --answer answer
    echo "killed at $killed system calls, $accepts of them while accepting"
    [ $killed -gt 180 ] || is "enough points" "over 180" "$killed"
else
    echo "skipped: ptrace is refused here, so no kills at system calls"
fi

# 60 random moments of a loop of decisions and undos.
# gone: no process of the loop is left; one that nobody waits for is none
gone() {
    ps -eo pgid=,stat= | awk -v loop="$loop" \
        '$1 == loop && $2 !~ /^Z/ { left = 1 } END { exit left }'
}
i=0
while [ $i -lt 60 ]; do
    i=$((i + 1))
    restore
    setsid sh -c 'while "$1" review --accept 1 && "$1" undo; do :; done' \
        - "$S" > out 2> /dev/null &
    loop=$!
    sleep "0.0$((i % 10 * 7 + 10))"
    kill -KILL -- -$loop 2> /dev/null || kill -KILL $loop 2> /dev/null
    wait $loop 2> /dev/null
    eventually 30 gone || is "moment $i: the loop is gone" yes no
    said=$(grep -c accepted out)
    kept=$($S log --n 1000 | grep -c accept)
    if [ "$kept" -lt "$said" ] || [ "$kept" -gt $((said + 1)) ]; then
        is "moment $i: acts that were acknowledged are kept" "$said" "$kept"
    fi
    has "moment $i: whole" " 0 findings" "$($S fsck 2>&1)"
done
finish
