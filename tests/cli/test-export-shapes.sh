#!/bin/sh
# What goes out of a store stands in the files: tools, thinking, the system
# message, marks, in every shape and in LLaMA-Factory's columns; and what a
# killed export leaves is cleared away by name.
. "$srcdir/cli/lib.sh"
$S init > /dev/null
printf '{"name":"law","description":"Law.","system":"Be brief."}' > t.json
$S target --add law --from t.json > /dev/null
fn='"function":{"name":"rain"' nr='{"n":12345678901234567890}'
tool="{\"type\":\"function\",$fn,\"parameters\":{\"properties\":{}}}}"
asked='{"role":"user","content":' said='{"role":"assistant","content":'
cat > rows.jsonl << END
{"messages":[$asked"Plain?"},$said"Yes."}]}
$(printf '%s' '{"messages":[{"role":"system","content":"Own."},' \
    "$asked\"Hard?\"},$said\"No.\",\"reasoning_content\":\"hm\"}]}")
$(printf '%s' "{\"messages\":[$asked\"Rain?\"},$said\"\"," \
    "\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",$fn," \
    '"arguments":"{\"n\":12345678901234567890}"}}]},' \
    '{"role":"tool","content":"7","tool_call_id":"c1"},' \
    "$said\"Seven.\"}],\"tools\":[$tool]}")
$(printf '%s' "{\"messages\":[$asked\"First?\"},$said\"Bad.\",\"weight\":0}," \
    "$asked\"Then?\"},$said\"Good.\"}]}")
END
$S import --as samples --target law rows.jsonl > /dev/null
$S review --accept all > /dev/null

has "kto without a false row says so" "kto has no false row" \
    "$($S export out)"
all=$(cat out/sft/*.jsonl)
has "calls, arguments as an object" \
    "\"id\":\"c1\",\"type\":\"function\",$fn,\"arguments\":$nr}}]}" \
    "$all"
has "what the tool said" \
    '{"role":"tool","content":"7","tool_call_id":"c1"}' "$all"
has "the definitions" '"tools":"[{\"type\":\"function\",' "$all"
has "a turn that is not trained" '"content":"Bad.","train":false}' "$all"
has "thinking, kept" '"content":"<think>\nhm\n</think>\n\nNo."' "$all"
is "what is not to be trained is no completion" 0 \
    "$(cat out/sft_pc/*.jsonl | grep -c '"completion":.*Bad')"
$S export field --thinking field > /dev/null
has "thinking as a field" '"content":"No.","reasoning_content":"hm"}' \
    "$(cat field/kto/*.jsonl)"
has "dropped, and said" "the thinking is left out" \
    "$($S export drop --thinking drop)"
is "it is gone" 0 "$(cat drop/*/*.jsonl | grep -c hm)"
has "on the card too" "| reasoning | 1 | the thinking is left out" \
    "$(cat drop/README.md)"
fails "another word" 2 'none of keep, drop, field' \
    $S export no --thinking maybe

$S export list --tools list > /dev/null
has "the definitions as they are" '"tools":[{"type":"function","function":{' \
    "$(cat list/sft/*.jsonl)"
shapes=$(cat list/sft/*.jsonl list/sft_pc/*.jsonl list/kto/*.jsonl)
is "in every shape, of each turn" "4 0" "$(echo "$shapes" |
    grep -c '"tools":\[') $(echo "$shapes" | grep -c '"tools":"')"
has "the card says who wants that" 'made with `--tools list`' \
    "$(cat out/README.md)"
has "the lock says so" '"tools":"list"' "$(cat list/prov/lock.json)"
is "LLaMA-Factory's stay text" 0 "$(cat list/lf/*.jsonl | grep -c '"tools":\[')"
is "the same rows but for them" "$(cat out/sft/*.jsonl | grep -v tools)" \
    "$(cat list/sft/*.jsonl | grep -v tools)"
fails "neither" 2 'none of text, list' $S export no --tools yes

is "no system message but their own" 1 \
    "$(cat out/sft/*.jsonl | grep -c '"role":"system"')"
$S export keep --system keep > /dev/null
is "the target's where there is none" "3 1" \
    "$(cat keep/sft/*.jsonl | grep -c 'Be brief') $(cat keep/sft/*.jsonl |
        grep -c 'Own')"
$S export none --system drop > /dev/null
is "none" 0 "$(cat none/*/*.jsonl | grep -c '"role":"system"')"
$S export mine --system 'Mine.' > /dev/null
is "one of my own" "4 4" \
    "$(cat mine/kto/*.jsonl | grep -c '"content":"Mine."') $(
        cat mine/lf/sft_t*.jsonl mine/lf/sft_v*.jsonl 2> /dev/null |
            grep -c '"system":"Mine."')"

index=$(cat out/dataset_info.json)
for shape in sft sft_pc kto; do
    has "the index has $shape" "lf/${shape}_" "$index"
done
has "marks in their column" '"kto_tag":"kto_tag"' "$index"
printf 'No.' > a.txt
$S review --edit 1 --answer a.txt > /dev/null
$S export pairs > /dev/null
columns='"messages":"conversations","system":"system","tools":"tools"'
has "pairs are a ranking" '"ranking":true,"columns":{'"$columns"',"chosen":' \
    "$(cat pairs/dataset_info.json)"
has "in turns" '"chosen":{"from":"gpt","value":"No."},"rejected":{"from":' \
    "$(cat pairs/lf/dpo_*.jsonl)"
rows=$(cat pairs/lf/sft_*.jsonl)
has "calls, in turns" '"from":"function_call","value":"[{\"name\":\"rain\",' \
    "$rows"
has "what they brought" '"}]"},{"from":"observation","value":"7"}' \
    "$(echo "$rows" | sed 's/\\"n\\":[0-9]*}/"/')"
for f in $(sed 's/"file_name"/\
&/g' pairs/dataset_info.json | sed -n 's/^"file_name":"\([^"]*\)".*/\1/p'); do
    [ -s "pairs/$f" ] || echo "$f"
done > missing
is "every file of the index is there" "" "$(cat missing)"

for trainer in TRL LLaMA-Factory Axolotl MLX-LM 'NeMo RL' Unsloth; do
    has "the card has $trainer" "| sft | $trainer |" "$(cat pairs/README.md)"
done
has "Axolotl's one setting for pairs" 'field_messages: prompt' \
    "$(cat pairs/README.md)"

sh -c 'mkdir pairs.tmp-$$ pairs.old-$$ && echo part > pairs.tmp-$$/rows'
has "what a killed export left is named" "pairs.tmp-" \
    "$($S export pairs --replace)"
is "and gone" "" "$(ls -d pairs.tmp-* pairs.old-* 2> /dev/null)"
has "fsck" "0 findings" "$($S fsck)"
finish
