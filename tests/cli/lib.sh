# Sourced by the tests of this folder: a counted check, and the programs.
# shellcheck shell=sh
S="$top_builddir/src/stillroom"
cd "$HOME" || exit 99
failed=0

# is NAME EXPECTED ACTUAL
is() {
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1"
        printf 'expected: %s\ngot:      %s\n' "$2" "$3"
        failed=$((failed + 1))
    fi
}

# has NAME PART TEXT
has() {
    case "$3" in
    *"$2"*) echo "ok - $1" ;;
    *)
        echo "not ok - $1"
        printf 'expected: ...%s...\ngot:      %s\n' "$2" "$3"
        failed=$((failed + 1))
        ;;
    esac
}

# fails NAME CODE PART COMMAND...: it must exit with CODE and say PART
fails() {
    name=$1 code=$2 part=$3
    shift 3
    out=$("$@" 2>&1)
    is "$name: exit code" "$code" "$?"
    has "$name" "$part" "$out"
}

# scripted OPTIONS...: the scripted teacher, anew: where it listens is in $port,
# and it goes when the test does
server=
trap '[ -z "$server" ] || kill "$server"' EXIT
scripted() {
    [ -z "$server" ] || kill "$server"
    : > "$HOME/listening"
    "$top_builddir/tests/fault/faulty-teacher" "$@" > "$HOME/listening" \
        2> /dev/null &
    server=$!
    eventually 30 grep -q port "$HOME/listening" || exit 99
    read -r _ port _ < "$HOME/listening"
}

# eventually SECONDS COMMAND...: true once it is, false after so long
eventually() {
    left=$(($1 * 20))
    shift
    until "$@"; do
        [ $((left -= 1)) -gt 0 ] || return 1
        sleep 0.05
    done
}

# hold STORE MODE FILE: holds the store's lock until the file is there; it
# waits for whoever looks whether it is held
hold() {
    {
        printf '.timeout 20000\nBEGIN %s;\n' "$2"
        eventually 120 test -e "$3"
    } | sqlite3 "$1"
}

# junk SEED N: so many bytes, the same each time
junk() {
    LC_ALL=C awk -v seed="$1" -v n="$2" 'BEGIN {
        x = seed
        while (n-- > 0) {
            x = (x * 16807) % 2147483647
            printf "%c", int(x / 8388608)
        }
    }'
}

finish() { [ "$failed" = 0 ]; }
