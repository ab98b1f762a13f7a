# Sourced by the tests of this folder: stores of a fixed content under a
# frozen clock, and the driver. shellcheck shell=sh
fixtures=$(cd "$srcdir" && pwd)/fixtures
scripts=$(cd "$srcdir" && pwd)/pty
screens=$(cd "$srcdir" && pwd)/screens
drive=$(pwd)/pty/drive
if [ ! -x "$drive" ]; then
    echo "skipped: built without libvterm"
    exit 77
fi
. "$srcdir/cli/lib.sh"
STILLROOM_NOW=1795528920 # 24 Nov 2026, 14:02
TERM=xterm-256color
export STILLROOM_NOW TERM top_builddir
unset COLUMNS LINES ESCDELAY

# sample_store FILE: seven samples, one of them rejected by its mark, and six
# seeds
sample_store() {
    rm -rf "$1" "${1%.db}.runs" .local
    "$S" init "$1" > /dev/null &&
        "$S" target --store "$1" --as ana --add word-problems > /dev/null &&
        "$S" import --store "$1" "$fixtures/seeds.jsonl" > /dev/null &&
        "$S" import --store "$1" --as samples "$fixtures/samples.jsonl" \
            > /dev/null || is "the store $1 is made" 0 1
}

# text_store FILE ROWS: a store of the samples in ROWS
text_store() {
    "$S" init "$1" > /dev/null &&
        "$S" target --store "$1" --as ana --add texts > /dev/null &&
        "$S" import --store "$1" --as samples "$2" > /dev/null ||
        is "the store $1 is made" 0 1
}

# long_rows: three samples: a long prompt, a long answer, and a short one
long_rows() {
    awk 'BEGIN {
        p = a = ""
        for (i = 1; i <= 40; i++)
            p = p "line " i " of the prompt.\\n"
        for (i = 1; i <= 60; i++)
            a = a "answer row " i ".\\n"
        m = "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}," \
            "{\"role\":\"assistant\",\"content\":\"%s\"}]," \
            "\"split\":\"train\"}\n"
        printf m, p, "Here is the answer\047s own end."
        printf m, "a short prompt?", a
        printf m, "2 + 2?", "4"
    }'
}
# drives NAME OPTIONS...: runs the driver, counts a failure
drives() {
    name=$1
    shift
    "$drive" -g "$screens" "$@" || {
        echo "not ok - $name"
        failed=$((failed + 1))
    }
}
