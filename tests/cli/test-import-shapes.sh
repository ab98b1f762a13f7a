#!/bin/sh
# Import: rows in every shape of the field, what they become, what is said of
# the rest.
. "$srcdir/cli/lib.sh"

row() { printf '%s\n' "$@" > t.jsonl; }
fresh() {
    rm -rf t.db t.runs
    $S init t.db > /dev/null
}
# samples OPTIONS...: t.jsonl into a fresh store; what was said
samples() {
    fresh
    $S import --store t.db --target t --as samples "$@" t.jsonl 2>&1
}
seeds() {
    fresh
    $S import --store t.db --target t "$@" t.jsonl 2>&1
}
# member NAME ID: that member of what show prints, compact
one() { $S show --store t.db --json "$1"; }
answers() {
    one "$1" | sed 's/"answer":/\n&/g' |
        sed -n 's/^"answer":\(.*\)}[],].*/\1/p' | sed 's/}*,*$/}/'
}
accepted() {
    rm -rf out
    $S review --store t.db --filter status:pending --accept all > /dev/null
    $S export --store t.db out > /dev/null
}

# ---- Answers by any name ----------------------------------------------------

for pair in prompt:completion prompt:answer prompt:response prompt:output \
    instruction:output instruction:response question:answer query:response \
    problem:solution input:output; do
    row "{\"${pair%:*}\":\"Which?\",\"${pair#*:}\":\"That one\"}"
    has "$pair" "1 sample from 1 row" "$(samples)"
    has "$pair: the answer" '"content":"That one"' "$(one 1)"
done
row '{"instruction":"Who?","context":"Rui led.","response":"Rui"}'
has "Dolly" "1 sample " "$(samples)"
has "Dolly: its context" 'Who?\n\nRui led.' "$(one 1)"
row '{"instruction":"Third?","input":"","output":"C","history":[["First?",'\
'"A"],["Second?","B"]]}'
has "alpaca's history" "1 sample " "$(samples)"
has "alpaca's history: turns" '"content":"First?"},{"role":"assistant",'\
'"content":"A"},{"role":"user","content":"Second?"}' "$(one 1)"
row '{"instruction":"Sum","input":{"a":1},"output":"1"}'
has "an input that is no text" '"input" is not text' "$(samples)"
row '{"prompt":"a","completion":"b","score":NaN}'
has "NaN where nobody reads" "not read: score 1" "$(samples)"
row '{"prompt":"a","completion":NaN}' '{"prompt":"c","completion":"d"}'
has "NaN where one reads" 'line 1: "completion" is NaN' "$(samples)"

# ---- Conversations ----------------------------------------------------------

for role in human Human USER prompter user; do
    for said in gpt chatgpt bing bard Assistant ASSISTANT bot model; do
        printf '{"conversations":[{"from":"%s","value":"%s %s"},' \
            $role $role $said
        printf '{"from":"%s","value":"Yes"}]}\n' $said
    done
done > t.jsonl
has "roles of the field in any case" "40 samples from 40 rows" "$(samples)"
row '{"messages":[{"role":"frager","content":"Q"},{"role":"antworter",'\
'"content":"A"}]}'
has "an unknown role is named" 'message 1: unknown role "frager"' "$(samples)"
has "a role of one's own" "1 sample " "$(samples --map role:user=frager \
    --map role:assistant=antworter)"
row '[{"role":"user","content":"bare"},{"role":"assistant","content":"list"}]' \
    '{"conversation":[{"role":"user","content":"one"},{"role":"assistant",'\
'"content":"A"}]}' \
    '{"dialog":[{"role":"user","content":"two"},{"role":"assistant",'\
'"content":"B"}]}' \
    '{"conversation":[{"input":"three","output":"C"}]}' \
    '{"messages":"[{\"role\":\"user\",\"content\":\"four\"},'\
'{\"role\":\"assistant\",\"content\":\"D\"}]"}'
has "conversations by other names" "5 samples from 5 rows" "$(samples)"
row '{"messages":[{"role":"user","content":"River?"},{"role":"assistant",'\
'"content":"Ebro"}]}' \
    '{"conversations":[{"from":"human","value":"Lake?"},{"from":"gpt",'\
'"value":"Ohrid"}]}' \
    '{"instruction":"Sea?","output":"Azov"}'
has "each row by its own shape" "3 samples from 3 rows of shape mixed" \
    "$(samples)"
row '{"messages":[{"role":"user","content":"hi"},{"role":"assistant",'\
'"content":"bad","weight":0},{"role":"user","content":"again"},'\
'{"role":"assistant","content":"good"}]}'
samples > /dev/null
has "a weight of 0 is a mark" '"content":"bad","train":false' "$(one 1)"
accepted
is "and trains nothing" 0 "$(cat out/sft_pc/*.jsonl | grep -c "\
"'"completion":[^]]*bad')"
row '{"messages":[{"role":"user","content":"hi"},{"role":"assistant",'\
'"content":""},{"role":"user","content":"more"},{"role":"assistant",'\
'"content":"yes"}]}'
has "a turn without text" "message 2: the assistant's turn has no text" \
    "$(samples)"
row '{"messages":[{"role":"user","content":" "},{"role":"assistant",'\
'"content":"yes"}]}'
has "a prompt without text" "message 1: the user's turn has no text" \
    "$(samples)"
row '{"system":"Be brief","messages":[{"role":"system","content":"Be kind"},'\
'{"role":"user","content":"hi"},{"role":"assistant","content":"yo"}]}'
has "two system texts" 'two system texts: "system" and message 1' "$(samples)"
row '{"messages":[{"role":"system","content":"A"},{"role":"user",'\
'"content":"hi"},{"role":"system","content":"B"},{"role":"user",'\
'"content":"ho"},{"role":"assistant","content":"yo"}]}'
has "a late system turn" "message 3: a system turn that is not first" \
    "$(samples)"
row '{"system":"Same","messages":[{"role":"system","content":"Same"},'\
'{"role":"user","content":"hi"},{"role":"assistant","content":"yo"}]}'
has "the same system text twice is one" "1 sample " "$(samples)"

# ---- Thinking and tools -----------------------------------------------------

for key in reasoning reasoning_content thinking; do
    row "{\"prompt\":\"Q\",\"completion\":\"A\",\"$key\":\"hm\"}"
    samples > /dev/null
    has "$key in a column" '"content":"A","reasoning_content":"hm"' "$(one 1)"
    row "{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},"\
"{\"role\":\"assistant\",\"content\":\"A\",\"$key\":\"hm\"}]}"
    samples > /dev/null
    has "$key in a message" '"content":"A","reasoning_content":"hm"' "$(one 1)"
done
row '{"prompt":"Q","completion":"<think>hm</think>A"}'
samples > /dev/null
has "thinking in the text" '"content":"A","reasoning_content":"hm"' "$(one 1)"
call='{"id":"c","type":"function","function":{"name":"f",'\
'"arguments":{"id":12345678901234567890,"big":9007199254740993,"x":1.0}}}'
row "{\"tools\":[{\"name\":\"f\"}],\"messages\":[{\"role\":\"user\","\
"\"content\":\"go\"},{\"role\":\"assistant\",\"content\":null,"\
"\"tool_calls\":[$call]}]}"
has "calls" "1 sample " "$(samples)"
has "tools are kept" '"tools":[{"name":"f"}]' "$(one 1)"
has "numbers as they were written" '{"id":12345678901234567890,'\
'"big":9007199254740993,"x":1.0}' "$(one 1)"
text=$(printf '%s' "[$call]" | sed 's/"/\\"/g')
row "{\"messages\":[{\"role\":\"user\",\"content\":\"go\"},"\
"{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":\"$text\"}]}"
samples > /dev/null
has "calls in a string" "$call" "$(one 1)"
row '{"messages":[{"role":"user","content":"go"},{"role":"assistant",'\
'"content":null,"function_call":{"name":"f","arguments":"{}"}}]}'
samples > /dev/null
has "the old function_call" '"function":{"name":"f","arguments":"{}"}' \
    "$(one 1)"
row '{"conversations":[{"from":"human","value":"W?"},{"from":"function_call",'\
'"value":"{\"name\":\"w\",\"arguments\":{\"c\":\"Faro\"}}"},'\
'{"from":"observation","value":"21"},{"from":"gpt","value":"21 degrees"}],'\
'"tools":"[{\"name\":\"w\"}]"}'
samples > /dev/null
has "calls as turns" '"function":{"name":"w","arguments":{"c":"Faro"}}' \
    "$(one 1)"
has "tools in a string" '"tools":[{"name":"w"}]' "$(one 1)"
row '{"messages":[{"role":"user","content":"go"},{"role":"assistant",'\
'"content":"","tool_calls":"f(1)"}]}'
has "calls that are none" 'message 2: "tool_calls" is neither a list' \
    "$(samples)"
# a store of schema 1 kept numbers as doubles print
row '{"messages":[{"role":"user","content":"go"},{"role":"assistant",'\
'"content":null,"tool_calls":[{"a":1.2345678901234567e+19,"b":1}]}]}'
samples > /dev/null
row '{"messages":[{"role":"user","content":"go"},{"role":"assistant",'\
'"content":null,"tool_calls":[{"a":12345678901234567890,"b":1.0}]}]}'
has "what stands rounded is found" "0 samples from 1 row of shape messages "\
"(0 blank, 0 bad, 1 there" "$($S import --store t.db --as samples t.jsonl)"

# ---- Preferences and marks --------------------------------------------------

pair='"chosen":[{"role":"assistant","content":"5"}],'\
'"rejected":[{"role":"assistant","content":"6"}]'
want='"chosen":[{"role":"assistant","content":"5"}],'\
'"rejected":[{"role":"assistant","content":"6"}]'
for form in '{"prompt":"2+3?","chosen":"5","rejected":"6"}' \
    "{\"prompt\":[{\"role\":\"user\",\"content\":\"2+3?\"}],$pair}" \
    '{"chosen":[{"role":"user","content":"2+3?"},{"role":"assistant",'\
'"content":"5"}],"rejected":[{"role":"user","content":"2+3?"},'\
'{"role":"assistant","content":"6"}]}' \
    '{"chosen":"\n\nHuman: 2+3?\n\nAssistant: 5",'\
'"rejected":"\n\nHuman: 2+3?\n\nAssistant: 6"}' \
    '{"conversations":[{"from":"human","value":"2+3?"}],'\
'"chosen":{"from":"gpt","value":"5"},"rejected":{"from":"gpt","value":"6"}}' \
    '{"prompt":"2+3?","completions":[{"response":"6","overall_score":1},'\
'{"response":"5","overall_score":2}]}' \
    '{"prompt":"2+3?","generations":["6","5"],"ratings":[1,2]}' \
    '{"prompt":"2+3?","answers":[{"answer":"6","rank":2},{"answer":"5",'\
'"rank":1}]}' \
    '{"message_tree_id":"a","prompt":{"text":"2+3?","role":"prompter",'\
'"replies":[{"text":"6","role":"assistant","rank":1,"replies":[]},{"text":"5",'\
'"role":"assistant","rank":0,"replies":[]}]}}'; do
    row "$form"
    has "one sample: $form" "1 sample from 1 row" "$(samples)"
    is "pending" 1 "$($S review --store t.db --filter status:pending \
        --json | grep -o '"id":' | wc -l)"
    is "an order by import" 1 "$($S log --store t.db --json |
        grep -c '"who":"import","kind":"order"')"
    accepted
    has "its pair" "\"content\":\"2+3?\"}],$want" "$(cat out/dpo/*.jsonl)"
    has "fsck" "0 findings" "$($S fsck --store t.db)"
done
row '{"prompt":"2+3?","chosen":"5","rejected":"6","score_chosen":9,'\
'"score_rejected":2}'
has "as a seed the rejected is named" \
    "not read: rejected 1, score_chosen 1, score_rejected 1" "$(seeds)"
has "and the chosen is the answer" '"answer":{"content":"5"}' "$(one s1)"
row '{"prompt":"2+3?","chosen":"5","rejected":"6","score_chosen":4,'\
'"score_rejected":4}'
samples > /dev/null
accepted
is "equal scores tie: no pair" no "$([ -d out/dpo ] && echo yes || echo no)"
row '{"prompt":"Q","chosen":"A","rejected":"B"}' \
    '{"prompt":"Q","chosen":"A","rejected":"C"}' \
    '{"prompt":"Q","chosen":"B","rejected":"A"}'
has "an order that contradicts is left out, and said" \
    "line 3: its order is left out" "$(samples)"
accepted
is "pairs of one prompt join" 2 "$(cat out/dpo/*.jsonl | wc -l)"
row '{"prompt":"2+3?","completion":"6","label":false}' \
    '{"prompt":"2+4?","completion":"6","label":true}' \
    '{"prompt":"2+4?","completion":"7","kto_tag":false}'
has "marks" "2 samples marked as false arrived rejected" "$(samples)"
is "a false row is rejected by import" 2 "$($S review --store t.db \
    --filter 'status:rejected who:import reason:label' --json |
    grep -o '"id":' | wc -l)"
accepted
is "kto has them as they came" 'false false true' "$(cat out/kto/*.jsonl |
    sed 's/.*"label":\([a-z]*\).*/\1/' | sort | tr '\n' ' ' | sed 's/ $//')"
row '{"prompt":"2+3?","completion":"6","label":false}'
has "as a seed a false answer is not shown" "not read: completion 1, label 1" \
    "$(seeds)"

# ---- Several answers, and the same again ------------------------------------

row '{"prompt":"2+3?","completion":"5"}' '{"prompt":"2+3?","completion":"five"}'
has "two answers to one prompt" "1 sample from 2 rows" "$(samples)"
is "are candidates of one sample" 2 "$(answers 1 | wc -l)"
row '{"prompt":"2+3?","completion":"5"}' '{"prompt":"2+3?","completion":"V"}'
has "what stands adds nothing" "0 samples from 2 rows of shape completion (0 "\
"blank, 0 bad, 1 there already)" "$($S import --store t.db --as samples "\
"t.jsonl)"
is "another answer joins" 3 "$(answers 1 | wc -l)"
has "fsck" "0 findings" "$($S fsck --store t.db)"

# ---- Mapping ----------------------------------------------------------------

row '{"ask":{"text":"Q"},"say":"A","why":"hm","n":7,"good":1}'
has "any field, dotted columns" "1 sample " "$(samples --map prompt=ask.text \
    --map answer=say --map reasoning=why --map id=n --map label=good)"
has "mapped: all of it" '"content":"A","reasoning_content":"hm"' "$(one 1)"
has "mapped: the row's own name" '"origin":"t.jsonl#7"' "$(one 1)"
row '{"prompt":"Q","reply":"A"}'
has "the answer alone" "1 sample " "$(samples --map answer=reply)"
fails "a column that no row has" 1 'no row has a column "replay"' \
    $S import --store t.db --map answer=replay t.jsonl
fails "no such field" 2 "a field of messages, prompt" \
    $S import --store t.db --map asnwer=x t.jsonl
row '{"prompt":"Q","answer":"A","tags":"funny,short"}'
samples > /dev/null
has "tags parted by commas" '"tags":"funny short"' "$(one 1)"
for split in train:training valid:val valid:eval valid:dev valid:validation \
    test:Test; do
    row "{\"prompt\":\"Q\",\"answer\":\"A\",\"split\":\"${split#*:}\"}"
    samples > /dev/null
    has "split ${split#*:}" "\"split\":\"${split%:*}\"" "$(one 1)"
done

# ---- The same words, not the same answer ------------------------------------

row '{"prompt":"a","completions":["<think>one</think>42","<think>two</think>'\
'42"]}' '{"prompt":"a","completion":"<think>three</think>42"}' \
    '{"prompt":"a","completion":"<think>two</think>42"}' \
    '{"prompt":"a","completion":"42"}'
has "answers that differ in thinking" "1 sample from 4 rows" "$(samples)"
for t in one two three; do
    has "thinking $t" "\"reasoning_content\":\"$t\"" "$(one 1)"
done
is "what stands adds nothing" 3 "$(sqlite3 t.db \
    'SELECT count(*) FROM candidate')"
has "seeds too" "3 seeds from 3 rows" "$(
    row '{"prompt":"a","completion":"<think>one</think>42"}' \
        '{"prompt":"a","completion":"<think>two</think>42"}' \
        '{"prompt":"a","completion":"<think>three</think>42"}'
    seeds)"
turn='{"messages":[{"role":"user","content":"a"},{"role":"assistant",'\
'"content":"I look","tool_calls":[{"function":{"name":"@","arguments":{}}}]}]}'
row "$turn" "$turn" > /dev/null
sed '1s/@/find/; 2s/@/erase/' t.jsonl > u.jsonl
mv u.jsonl t.jsonl
has "answers that differ in calls" "1 sample from 2 rows" "$(samples)"
has "a call" '"name":"find"' "$(one 1)"
sed 's/"arguments":{}/"arguments":"{}"/' t.jsonl > u.jsonl
has "arguments as text are the same" "2 there already" \
    "$($S import --store t.db --target t --as samples u.jsonl)"
has "another" '"name":"erase"' "$(one 1)"

# ---- Answers that are messages ----------------------------------------------

said='"role":"assistant","content":"A"'
row "{\"prompt\":\"a\",\"completion\":{$said,\"weight\":0}}" \
    "{\"prompt\":\"b\",\"completions\":[{$said,\"train\":false}]}" \
    '{"prompt":"c","completion":{"role":"user","content":"A"}}' \
    '{"messages":[{"role":"user","content":"d"},{"role":"assistant",'\
'"content":"A","weight":"0"}]}'
out=$(samples)
for key in completion completions; do
    has "$key marked as not to train on" \
        "$key: the last answer is marked as not to be trained on" "$out"
done
has "an answer of the user's" \
    "line 3: completion: the answer does not end with" "$out"
has "a mark as text" "line 4: the last answer is marked" "$out"
row "{\"prompt\":\"a\",\"generations\":[{$said,\"tool_calls\":[{\"function\":"\
"{\"name\":\"f\",\"arguments\":{}}}]},{$said,\"reasoning\":\"hm\"}]}"
has "messages in a list" "1 sample" "$(samples)"
has "their calls" '"name":"f"' "$(one 1)"
has "their thinking" '"reasoning_content":"hm"' "$(one 1)"
row '{"prompt":{"text":"Q","role":"prompter","replies":[{"text":"again",'\
'"role":"prompter","replies":[{"text":"A","role":"assistant"}]},{"text":'\
'"B","role":"assistant","replies":[{"text":"tail","role":"prompter"}]}]}}'
has "a tree's unanswered turn" "not read: prompt.replies.replies 1" \
    "$(samples)"
is "a user's reply is no answer" "A B" "$(sqlite3 t.db "SELECT group_concat(
    json_extract(body, '\$.content'), ' ') FROM (SELECT body FROM candidate
    JOIN text t ON t.id = body_text ORDER BY body)")"

# ---- What was not read ------------------------------------------------------

row '{"prompt":"a","completion":"b","history_of":"x","meta":{"k":1}}' \
    '{"messages":[{"role":"user","content":"c","speed":2},{"role":"assistant",'\
'"content":"d"}],"meta":null}' \
    '{"prompt":"e","completion":"f","history_of":"y"}'
has "keys with counts" "not read: history_of 2, messages.speed 1, meta 1" \
    "$(samples)"
fresh
has "in JSON" '"not_read":{"history_of":2,"messages.speed":1,"meta":1}' \
    "$($S import --store t.db --json --as samples t.jsonl)"
before=$($S stat --store t.db --json)
fails "strict refuses them" 1 "keys that are not read: history_of 1" \
    $S import --store t.db --strict --target s t.jsonl
has "dry run" "nothing was written" \
    "$($S import --store t.db --dry-run --target new t.jsonl)"
is "neither wrote anything" "$before" "$($S stat --store t.db --json)"
row '{"prompt":"a","completion":5,"n":1.0}' 'junk' '{"prompt":"b",'\
'"completion":"c"}'
$S import --store t.db --as samples --rejects no.jsonl t.jsonl > /dev/null 2>&1
is "refused rows as they came" '{"line":1,'\
'"reason":"\"completion\" is not text","row":{"prompt":"a","completion":5,'\
'"n":1.0}} {"line":2,"reason":"byte 1: not a JSON value","text":"junk"}'\
'' "$(tr '\n' ' ' < no.jsonl | sed 's/ $//')"
fails "and never over a file" 1 "File exists" \
    $S import --store t.db --rejects no.jsonl t.jsonl

# ---- There and back ---------------------------------------------------------

sed 's/@/"role":/g' > t.jsonl << 'END'
{"messages":[{@"system","content":"S"},{@"user","content":"Q1"},
 {@"assistant","content":"A1","reasoning_content":"hm"}]}
{"messages":[{@"user","content":"Q2"},{@"assistant","content":"A","weight":0},
 {@"user","content":"Q3"},{@"assistant","content":"A3"}]}
{"tools":[{"name":"w","parameters":{"big":12345678901234567890}}],
 "messages":[{@"user","content":"W?"},{@"assistant","content":null,
 "tool_calls":[{"id":"c","type":"function","function":{"name":"w",
 "arguments":{"x":1.0}}}]},{@"tool","content":"21","tool_call_id":"c"},
 {@"assistant","content":"21 degrees"}]}
{"prompt":"p","chosen":"A","rejected":"B"}
{"prompt":"k","completion":"B","label":false}
END
has "rows over several lines" "5 samples from 5 rows" "$(samples)"
accepted
rm -rf first
cp -r out first
for shape in sft sft_pc dpo kto; do
    cat first/$shape/*.jsonl > t.jsonl
    samples > /dev/null
    accepted
    is "$shape: export, import, export: the same rows" "" \
        "$(sort t.jsonl > a; cat out/$shape/*.jsonl | sort | diff a -)"
done
finish
