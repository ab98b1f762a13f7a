#!/bin/sh
# An export is killed at every system call that changes something: a bundle
# that stands is whole and noted in the store, an earlier one stays until the
# new one takes its place, and what was left is cleared away by the next.
. "$srcdir/cli/lib.sh"
if ! strace -o /dev/null true 2> /dev/null; then
    echo "skipped: no strace"
    exit 77
fi
points=${KILL_POINTS:-200}
[ "$STILLROOM_CHECK" = short ] && points=12
$S init > /dev/null
for i in 1 2 3; do
    printf '{"question":"Q%s?","answer":"%s"}\n' $i $i
done > q.jsonl
$S import --as samples --target t q.jsonl > /dev/null
$S review --accept 1,2 > /dev/null
tar cf fresh.tar stillroom.db stillroom.runs
$S export whole > /dev/null
$S export old > /dev/null
cp whole/prov/lock.json one.json
$S review --accept 3 > /dev/null
tar cf later.tar stillroom.db stillroom.runs

# The bundle's files have the hashes of its lock.
is_whole() {
    sed 's/{"path"/\
&/g' "$1/prov/lock.json" | sed -n \
        's/^{"path":"\([^"]*\)",.*"sha256":"\([0-9a-f]*\)".*/\2  \1/p' \
        > sums
    (cd "$1" && sha256sum -c --quiet ../sums) > /dev/null 2>&1
}

# examine NAME ARCHIVE: after a kill
examine() {
    if [ -d out ]; then
        is_whole out || is "$1: a whole bundle" whole broken
        noted=$($S stat --json | sed 's/.*"exports":\([0-9]*\).*/\1/')
        fresh=$2
        cmp -s out/prov/lock.json one.json && [ "$2" = 3 ] && fresh=2
        [ "$noted" -ge "$fresh" ] ||
            is "$1: a bundle that is noted" "$fresh" "$noted"
    elif [ "$2" = 3 ]; then
        is "$1: the earlier bundle stays" there gone
    fi
    $S export out --replace > said 2>&1 || is "$1: the next one" 0 "$?"
    left=$(ls -d out.* 2> /dev/null)
    [ -z "$left" ] || is "$1: nothing is left" "" "$left"
}

killed=0
# kill_at_each ARCHIVE NOTED: with an earlier bundle in out where it is noted
kill_at_each() {
    for call in rename renameat2 fdatasync fsync mkdir openat unlinkat rmdir \
        pwrite64 write; do
        n=1
        while [ $n -le "$points" ]; do
            rm -rf out out.* stillroom.db* stillroom.runs
            tar xf "$1"
            [ "$2" = 3 ] && cp -r old out
            strace -qq -o /dev/null -e inject=$call:signal=KILL:when=$n \
                "$S" export out --replace > /dev/null 2>&1
            [ $? = 137 ] || break
            examine "$call $n of $1" "$2"
            killed=$((killed + 1))
            n=$((n + 1))
        done
    done
}
kill_at_each fresh.tar 1
kill_at_each later.tar 3

# Where two names cannot be exchanged, the earlier bundle is set aside before
# the new one takes its place: killed in between, the next one puts it back.
aside=0 n=1
while [ $n -le "$points" ]; do
    rm -rf out out.* stillroom.db* stillroom.runs
    tar xf later.tar
    cp -r old out
    strace -qq -o /dev/null -e inject=renameat2:error=EINVAL \
        -e inject=rename:signal=KILL:when=$n \
        "$S" export out --replace > /dev/null 2>&1
    [ $? = 137 ] || break
    if ! [ -d out ]; then
        aside=$((aside + 1))
        $S export out > said 2>&1
        is "it asks as if nothing had happened" 1 "$?"
        has "what was set aside is named" "out.old-" \
            "$(cat said)"
        is "and is back" "" "$(cmp out/prov/lock.json one.json 2>&1)"
    fi
    examine "in steps, rename $n" 3
    killed=$((killed + 1))
    n=$((n + 1))
done
is "it was killed in between" 1 "$aside"
echo "killed $killed times"
[ $killed -gt 20 ] || is "there was something to kill" yes no
finish
