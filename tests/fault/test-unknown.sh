#!/bin/sh
# The disk fails while a decision is saved, and from then on: what is said is
# never "not saved" of what is there, nor "saved" of what is not.
. "$srcdir/cli/lib.sh"
strace -o /dev/null true 2> /dev/null || {
    echo "skipped: ptrace is refused here"
    exit 77
}
ASAN_OPTIONS=detect_leaks=0 # which does not go with strace
export ASAN_OPTIONS
"$S" init > /dev/null
"$S" target --add texts
printf '{"prompt":"P","completion":"A"}\n' > rows.jsonl
"$S" import --as samples rows.jsonl > /dev/null
tar cf fresh.tar stillroom.db stillroom.runs
strace -qq -e trace=openat -o opened "$S" review --accept 1 > /dev/null
first=$(grep -n 'stillroom.db"' opened | head -n 1 | cut -d: -f1)
last=$(wc -l < opened)
seen_unknown=0 seen_found=0
for open in $(seq "$first" "$last") 1000; do
    for sync in 1 2 3 4 5 6; do
        rm -rf stillroom.db* stillroom.runs
        tar xf fresh.tar
        out=$(strace -qq -o /dev/null \
            -e inject=fdatasync,fsync:error=EIO:when=$sync+ \
            -e inject=openat:error=EIO:when="$open"+ \
            "$S" review --accept 1 2>&1)
        code=$?
        is_there=$(sqlite3 stillroom.db "SELECT status FROM sample" 2>&1)
        case "$out" in
        *"could not be looked up"*)
            seen_unknown=$((seen_unknown + 1))
            is "open $open, sync $sync: unknown is no success" 1 "$code" ;;
        *"1 accepted"* | *"saved as d"*)
            case "$out" in *"saved as d"*) seen_found=1 ;; esac
            is "open $open, sync $sync: saved" "1 0" "$is_there $code" ;;
        *)
            is "open $open, sync $sync: not saved ($out)" "0 1" \
                "$is_there $code" ;;
        esac
    done
done > points
grep -A2 '^not ok' points && failed=1
echo "$(wc -l < points) points"
[ $seen_unknown -gt 0 ] || is "some cannot be looked up" some none
[ $seen_found = 1 ] || is "some are looked up and found" some none
finish
