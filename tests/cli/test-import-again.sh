#!/bin/sh
# Rows whose prompt or answer stands already, what is the same and what is not;
# what the usual checks find in answers that came in; labels of KTO as numbers.
. "$srcdir/cli/lib.sh"

row() { printf '%s\n' "$@" > t.jsonl; }
fresh() {
    rm -rf t.db t.runs
    $S init t.db > /dev/null
}
again() { $S import --store t.db --target t --as samples "$@" t.jsonl 2>&1; }
samples() {
    fresh
    again "$@"
}
seeds() { $S import --store t.db --target t t.jsonl 2>&1; }
one() { $S show --store t.db --json "$1"; }
count() { sqlite3 t.db "SELECT count(*) FROM $1"; }
sound() { has "fsck: $1" "0 findings" "$($S fsck --store t.db)"; }

# ---- Calls whose arguments are text ------------------------------------------

fn='"type":"function","function":{"name":"rain","arguments":'
turns() { # ARGUMENTS OF AN EARLIER TURN, OF THE ANSWER
    echo "{\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"},"\
"{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",$fn"\
"$1}}]},{\"role\":\"tool\",\"content\":\"7\",\"tool_call_id\":\"c\"},"\
"{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"d\",$fn"\
"$2}}]}]}"
}
text='"{\"at\": \"Rio\", \"n\":1.0}"' values='{"at":"Rio","n":1.0}'
row "$(turns "$text" "$text")"
has "arguments that are text" "1 sample from 1 row" "$(samples)"
before=$(count text)
for earlier in "$text" "$values"; do
    for last in "$text" "$values"; do
        row "$(turns "$earlier" "$last")"
        has "are those that are values" "1 there already" "$(again)"
    done
done
is "nothing was added" "$before 1" "$(count text) $(count candidate)"
row "$(turns '{"at":"Rio","n":2.0}' "$text")"
has "other values are another prompt" "1 sample from 1 row" "$(again)"
sound "calls"
$S review --store t.db --accept all > /dev/null
rm -rf out
$S export out --store t.db --shapes sft > /dev/null
cat out/sft/*.jsonl > t.jsonl
has "our own export is there" "2 there already" "$(again)"
row "$(turns "$text" "$text")"
has "seeds: text" "1 seed from 1 row" "$(seeds)"
row "$(turns "$values" "$values")"
has "seeds: values" "1 there already" "$(seeds)"

# ---- White space ------------------------------------------------------------

row '{"prompt":"Code?","completion":"if x:\n    a()\n    b()"}' \
    '{"prompt":"Code?","completion":"if x:\n    a()\nb()"}' \
    '{"prompt":"Code?","completion":"\nif x:\r\n    a()\r\n    b()\n\n"}' \
    '{"prompt":"Code?","completion":"if x: a() b()"}' \
    '{"prompt":"Code?","completion":"if  x:\n    a() \n    b()"}'
has "indentation and lines are part of an answer" \
    "1 sample from 5 rows" "$(samples)"
is "line ends and blanks within a line are not" 3 "$(count candidate)"
has "seeds too" "3 seeds from 5 rows" "$(seeds)"
$S order --store t.db 1 "B A C" > /dev/null
$S review --store t.db --accept all > /dev/null
rm -rf out
$S export out --store t.db --shapes dpo > /dev/null
is "such answers make pairs" 2 "$(cat out/dpo/*.jsonl | wc -l)"

# ---- Checks -----------------------------------------------------------------

row '{"prompt":"Which of these is it, then?","completions":["Yes.","  ",'\
'"<|im_start|>No.","I am sorry, no.",'\
'"Which of these is it, then? Which of these is it, then?"]}' \
    '{"prompt":"Fine?","completion":"Fine."}'
samples > /dev/null
is "what is wrong with each answer is marked" \
    "2 empty 2|3 special tokens 1|4 refusal 1|5 echo 2" \
    "$(sqlite3 t.db "SELECT c.n || ' ' || k.name || ' ' || k.verdict
        FROM check_result k JOIN candidate c ON c.id = k.candidate
        ORDER BY 1" | tr '\n' '|' | sed 's/|$//')"
has "and shown" "empty" "$($S show --store t.db 1)"
is "nothing falls for it" 2 "$(sqlite3 t.db \
    'SELECT count(*) FROM sample WHERE status = 0')"
row '{"prompt":"P?","completions":["","Good."]}'
samples > /dev/null
$S review --store t.db --accept all > /dev/null
is "an empty answer is never chosen in bulk" 2 "$(sqlite3 t.db \
    'SELECT n FROM candidate WHERE id = (SELECT chosen FROM sample)')"
sound "checks"

# ---- What a repeated row says otherwise -------------------------------------

row '{"prompt":"a","completion":"b","split":"train","grade":3,"name":"x"}' \
    '{"prompt":"a","completion":"b","split":"train","grade":3,"name":"x"}' \
    '{"prompt":"a","completion":"b","split":"test","grade":3}' \
    '{"prompt":"a","completion":"b","grade":4}' \
    '{"prompt":"a","completion":"b","name":"y"}'
out=$(samples --map score=grade --map id=name)
has "figures, split and name" "not read: grade 1, name 1, split 1" "$out"
has "they stand" "4 there already" "$out"
is "the first figure stands" "3" \
    "$(sqlite3 t.db "SELECT CAST(value AS INTEGER) FROM score")"
row '{"prompt":"a","completion":"b","grade":4}'
fails "strict refuses them" 1 "keys that are not read: grade 1" \
    again --map score=grade --strict
row '{"prompt":"p","chosen":"A","rejected":"B","score_chosen":5,'\
'"score_rejected":1,"margin":4}' \
    '{"prompt":"p","chosen":"A","rejected":"B","score_chosen":5,'\
'"score_rejected":2,"margin":3}'
has "of pairs" "not read: margin 1, score_rejected 1" "$(samples)"
row '{"prompt":"p","completions":[{"text":"A","score":1},{"text":"A",'\
'"score":2},{"text":"B","score":1}]}'
has "of one answer twice in a row" "not read: completions.score 1" \
    "$(samples)"

talk() { # MEMBERS OF THE EARLIER ANSWER, OF THE TOOL'S TURN
    echo "{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":"\
"\"assistant\",\"content\":\"A\"$1},{\"role\":\"tool\",\"content\":\"T\"$2},"\
"{\"role\":\"assistant\",\"content\":\"Z\",\"reasoning_content\":\"r\"}]}"
}
row "$(talk ',"weight":1' ',"tool_call_id":"c","name":"f"')" \
    "$(talk ',"weight":0' ',"tool_call_id":"c"')" \
    "$(talk '' ',"tool_call_id":"d","name":"f"')" \
    "$(talk '' ',"name":"g"')" \
    "$(talk ',"thinking":"hm"' '')" \
    "$(talk '' '')"
out=$(samples)
has "parts of earlier turns" "not read: messages.name 1, "\
"messages.reasoning_content 1, messages.thinking 1, "\
"messages.tool_call_id 1, messages.weight 1" "$out"
has "of a prompt that stands" "5 there already" "$out"
row "$(talk '' ',"tool_call_id":"c","name":"f"')"
has "seeds" "1 seed" "$(seeds)"
row "$(talk ',"weight":0' ',"tool_call_id":"d","name":"f"')"
has "seeds name them too" \
    "not read: messages.tool_call_id 1, messages.weight 1" "$(seeds)"
row '{"prompt":"n","completion":"<think>x</think>b","history":[["q",'\
'"<think>one</think>a"]]}' '{"prompt":"n","completion":"<think>x</think>b",'\
'"history":[["q","<think>two</think>a"]]}'
has "thinking in the text of an earlier turn" "not read: completion 1, "\
"history.... 1" "$(samples | sed 's/history[^ ]*/history..../')"

row '{"prompt":"a","completion":"b","tags":"x"}'
samples > /dev/null
row '{"prompt":"a","completion":"b","tags":"x,y"}'
again > /dev/null
has "another tag joins, and is saved" '"tags":"x y"' "$(one 1)"
has "the same ones stand" "1 there already" "$(again)"
row '{"prompt":"s","completion":"b","tags":"x"}'
seeds > /dev/null
row '{"prompt":"s","completion":"b","tags":"x,y"}'
seeds > /dev/null
has "of seeds too" "x y" "$($S seed --store t.db --target t)"

# What stands with the other mark is another sample's.
row '{"prompt":"k","completion":"A","label":true}' \
    '{"prompt":"k","completion":"B","label":false}' \
    '{"prompt":"k","completion":"A","label":false}'
samples > /dev/null
is "an answer with both marks is one of both" "A|A B" "$(sqlite3 t.db "SELECT
    group_concat(substr(body, 13, 1), ' ') FROM (SELECT sample, t.body FROM
    candidate c JOIN text t ON t.id = c.body_text ORDER BY sample, t.body)
    GROUP BY sample" | tr '\n' '|' | sed 's/|$//')"
sound "repeated rows"

# ---- Labels -----------------------------------------------------------------

kto() { # LABELS...: how their rows arrive
    n=0
    : > t.jsonl
    for label; do
        n=$((n + 1))
        echo "{\"prompt\":\"q$n\",\"completion\":\"a\",\"label\":$label}" \
            >> t.jsonl
    done
    samples > said
    sqlite3 t.db "SELECT status FROM sample ORDER BY id" | tr '\n' ' '
}
is "numbers and words are verdicts in a row of KTO" \
    "2 0 2 0 2 0 2 0 2 0 2 0 2 0 " \
    "$(kto false true 0 1 0.0 1.0 '"0"' '"1"' '"False"' '"TRUE"' '"no"' \
        '"yes"' '"bad"' '"good"')"
is "each has its word" "" "$(sed -n '/not read/p' said)"
is "other figures and words are none" "0 0 0 " "$(kto 2 -1 '"maybe"')"
has "and named" "not read: label 3" "$(cat said)"
row '{"question":"q","answer":"a","label":0}' \
    '{"messages":[{"role":"user","content":"m"},{"role":"assistant",'\
'"content":"a"}],"label":0}' '{"question":"r","answer":"a","label":"bad"}'
has "a class of a row is no verdict" "not read: label 3" "$(samples)"
is "and rejects nothing" 3 "$(sqlite3 t.db \
    'SELECT count(*) FROM sample WHERE status = 0')"
row '{"question":"q","answer":"a","kto_tag":0}' \
    '{"question":"r","answer":"a","kto_tag":1}'
samples > /dev/null
is "kto_tag always is" "2 0 " "$(sqlite3 t.db \
    'SELECT status FROM sample ORDER BY id' | tr '\n' ' ')"
printf 'prompt,completion,label\nq,a,0\nr,a,1\n' > t.csv
fresh
$S import --store t.db --target t --as samples t.csv > /dev/null
is "in CSV" "2 0 " "$(sqlite3 t.db 'SELECT status FROM sample ORDER BY id' |
    tr '\n' ' ')"
finish
