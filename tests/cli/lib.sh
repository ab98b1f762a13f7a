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

finish() { [ "$failed" = 0 ]; }
