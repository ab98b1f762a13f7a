#!/bin/sh
# Export, import, export: each shape comes back row by row, with tools, calls,
# thinking, turns that are not trained, orders and marks.
. "$srcdir/cli/lib.sh"
$S init > /dev/null
fn='"function":{"name":"rain"'
tools="\"tools\":[{\"type\":\"function\",$fn,\"parameters\":{}}}]"
asked='{"role":"user","content":' said='{"role":"assistant","content":'
calls="\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",$fn"
# ROW...: its parts on one line
row() { printf '%s' "$@"; echo; }
{
    row "{\"messages\":[$asked\"Plain?\"},$said\"Yes.\"}]}"
    row '{"messages":[{"role":"system","content":"Own."},' \
        "$asked\"Hard?\"},$said\"No.\",\"reasoning_content\":\"hm\n\nwell\"}]}"
    row "{\"messages\":[$asked\"Rain?\"},$said\"\",$calls,\"arguments\":" \
        '"{\"n\": 12345678901234567890, \"x\":1.0}"}},' \
        "{\"id\":\"c2\",\"type\":\"function\",$fn,\"arguments\":{}}}]}," \
        '{"role":"tool","content":"7","tool_call_id":"c1"},' \
        '{"role":"tool","content":"8","tool_call_id":"c2","name":"rain"},' \
        "$said\"Seven.\"}],$tools}"
    row "{\"messages\":[$asked\"Call?\"},$said\"\",$calls,\"arguments\":" \
        "{\"n\":1.50}}}],\"reasoning_content\":\"so it is\"}],$tools}"
    row "{\"messages\":[$asked\"First?\"},$said\"Bad.\",\"weight\":0}," \
        "$asked\"Then?\"},$said\"Good.\"}]}"
    row "{\"messages\":[$asked\"A?\"},$said\"One.\"},$asked\"B?\"}," \
        "$said\"Two.\"}]}"
    row "{\"messages\":[$asked\"False?\"},$said\"It is.\"}]}"
} > rows.jsonl
$S import --as samples --target t rows.jsonl > /dev/null
printf 'Better.' > better
$S review --accept 1-6 > /dev/null
$S review --edit 1 --answer better > /dev/null
$S review --edit 6 --answer better > /dev/null
$S order 6 "B A" > /dev/null
$S review --reject 7 --reason wrong > /dev/null
cp stillroom.db first.db

# rows DIR SHAPE
rows() { cat "$1/$2"/*.jsonl | sort; }
for thinking in keep field; do
    for shape in sft sft_pc dpo kto; do
        rm -rf out back b.db b.runs
        $S export out --shapes $shape --thinking $thinking > /dev/null
        $S init b.db > /dev/null
        $S import --store b.db --as samples --target t out/$shape/*.jsonl \
            > /dev/null
        $S review --store b.db --accept all > /dev/null
        $S export back --store b.db --shapes $shape --thinking $thinking \
            > /dev/null
        is "$shape comes back, thinking $thinking" "$(rows out $shape)" \
            "$(rows back $shape)"
        has "it has rows" '"role"' "$(rows back $shape)"
        has "all of them" "0 findings" "$($S fsck --store b.db)"
    done
done
finish
