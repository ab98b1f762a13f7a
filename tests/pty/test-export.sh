#!/bin/sh
# X writes a bundle, and asks before it replaces one; the rows that are shown.
. "$srcdir/pty/lib.sh"
sample_store e.db
"$S" review --store e.db --accept all > /dev/null
drives "X asks before it replaces" "$scripts/export.script"
is "each act made its export" 3 "$("$S" stat --store e.db --json |
    sed 's/.*"exports":\([0-9]*\).*/\1/')"

# row_store: accepted are 1, 2 with its edit, 3, and 4, which says nothing;
# 5 is a false one
row_store() {
    for row in one:1 two:'the worse' three:3 four:4 five:badly; do
        printf '{"prompt":"%s","completion":"%s"}\n' "${row%%:*}" "${row#*:}"
    done | sed 's/}$/,"split":"train"}/' > rows.jsonl
    text_store r.db rows.jsonl
    "$S" review --store r.db --accept 1,2,3,4 > /dev/null
    "$S" review --store r.db --reject 5 --reason wrong > /dev/null
    echo "the better" > better.txt
    printf ' ' > blank.txt
    "$S" review --store r.db --edit 2 --answer better.txt > /dev/null &&
        "$S" review --store r.db --edit 4 --answer blank.txt > /dev/null ||
        is "answers are edited" 0 1
}

row_store
drives "rows of each shape" "$scripts/export-rows.script"
finish
