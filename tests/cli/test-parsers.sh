#!/bin/sh
# Each parser in a recipe: what it gives stands in the templates, the
# conditions and the sinks of the steps, and its settings are refused by name.
. "$srcdir/cli/recipes.sh"
answer='"parse":{"as":"answer"}'
# step NAME OVER REST: a step as JSON
step() { printf '{"name":"%s","over":"%s",%s}' "$1" "$2" "$3"; }
# made: prompt and answer of each sample, a line each
made() {
    sql "SELECT json_extract(p.body, '\$[0].content') || ' = ' ||
        json_extract(a.body, '\$.content') FROM sample s
        JOIN text p ON p.id = s.prompt_text
        JOIN candidate c ON c.sample = s.id JOIN text a ON a.id = c.body_text
        ORDER BY 1"
}

# ---- verdict ----------------------------------------------------------------
fresh
recipe judge "\"kind\":\"label\",\"steps\":[
$(step judge seed "$(user 'Is it true? {{prompt}} {{answer}}'),
 \"parse\":{\"as\":\"verdict\",\"labels\":[\"yes\",\"no\"]},
 \"make\":{\"as\":\"sample\",\"prompt\":\"{{prompt}}\",
  \"answer\":\"{{verdict}}: {{reason}}\"}"),
$(step fix 'items of judge' "\"where\":{\"verdict\":\"no\"},
 $(user 'Mend it: {{judge.reason}} ({{verdict}})'),$answer")]"
replies << 'END'
match: spider
It has eight.

**Verdict:** Yes.
%%
match: metal
Verdict: NO - lithium floats, eight is no metal
%%
match: Mend it
Lithium.
%%
END
has "a judge and its verdicts" "j1 done" "$(ask judge --answers 1)"
is "two are judged, one is mended" "2 1" "$(calls 1) $(calls 2)"
has "with verdict and reason" \
    "Mend it: lithium floats, eight is no metal (no)" "$(cat asked.log)"
is "what is made of them" "How many legs has a spider? = yes: It has eight.
Which metal floats on water? = Lithium.
Which metal floats on water? = no: lithium floats, eight is no metal" "$(made)"

# ---- fields -----------------------------------------------------------------
fresh
recipe fields "\"kind\":\"expand\",\"draw\":{\"seeds\":2},\"steps\":[
$(step tasks draw "\"wanted\":2,
 $(user '{{#demonstrations}}{{prompt}}{{/demonstrations}} {{wanted}} more?'),
 \"parse\":{\"as\":\"fields\",\"fields\":{\"level\":\"Level:\",
  \"task\":\"Task:\",\"note\":\"Note:\"},\"optional\":[\"note\"]}"),
$(step answers 'items of tasks' "\"where\":{\"level\":\"hard\"},
 $(user 'Solve: {{task}}{{#note}} ({{note}}){{/note}}'),$answer,
 \"make\":{\"as\":\"sample\",\"prompt\":\"{{task}}\",
  \"answer\":\"{{answer}}\"}")]"
replies << 'END'
match: more?
**Task 1**
Level: easy
Task: Add 1 and 1.

**Task 2**
Level: hard
Task: Factor 391.
Note: two primes
%%
match: Solve
17 and 23.
%%
END
has "labelled lines" "j1 done" "$(ask fields --prompts 2 --answers 1)"
is "a condition on one of them" "1 1" "$(calls 1) $(calls 2)"
has "the others in a template" "Solve: Factor 391. (two primes)" \
    "$(cat asked.log)"
is "and in a sink" "Factor 391. = 17 and 23." "$(made)"

# ---- json -------------------------------------------------------------------
fresh
recipe json "\"kind\":\"expand\",\"draw\":{\"seeds\":2},\"steps\":[
$(step tasks draw "\"wanted\":3,
 $(user '{{#demonstrations}}{{prompt}}{{/demonstrations}} As JSON.'),
 \"parse\":{\"as\":\"json\",\"fields\":[\"q\",\"level\",\"tags\"],
  \"optional\":[\"tags\"],\"schema\":{\"required\":[\"q\"],
   \"properties\":{\"level\":{\"type\":\"integer\",\"maximum\":9}}}}"),
$(step answers 'items of tasks' "\"where\":{\"level\":{\"min\":3}},
 $(user '{{q}} {{tags}}'),$answer,
 \"make\":{\"as\":\"sample\",\"prompt\":\"{{q}}\",
  \"answer\":\"{{answer}} ({{level}})\"}")]"
replies << 'END'
match: As JSON
Here you are:
```json
[{"q": "What floats?", "level": 4, "tags": ["metals",]},
 {"q": "What sinks?", "level": 2},
 {"q": "What flies?", "level": 12}]
```
%%
match: What floats
Lithium.
%%
END
has "a list of objects" "j1 done" "$(ask json --prompts 3 --answers 1)"
is "numbers are compared" "1 1" "$(calls 1) $(calls 2)"
has "a list stands as JSON" 'What floats? [\"metals\"]' "$(cat asked.log)"
is "what is made of them" "What floats? = Lithium. (4)" "$(made)"

# ---- preference and ranking -------------------------------------------------
# two: a store with one prompt and two answers to it
two() {
    rm -rf stillroom.db* stillroom.runs
    $S init > /dev/null
    head -1 seeds.jsonl > seed.jsonl
    $S import seed.jsonl > /dev/null
    recipe two "\"kind\":\"label\",\"steps\":[
$(step a seed "\"times\":2,$(user '{{prompt}}'),$answer")]"
    replies << 'END'
match: spider
Eight legs.
%%
match: spider
Six legs, as any insect.
%%
END
    ask two > /dev/null
}
shows=$(user '{{input}} {{#candidates}}{{letter}}={{answer}} {{/candidates}}')
two
recipe prefer "\"kind\":\"feedback\",\"steps\":[
$(step compare candidates "$shows,\"parse\":{\"as\":\"preference\"},
 \"make\":{\"as\":\"score\",\"candidate\":\"{{candidate}}\",
  \"aspect\":\"better\",\"value\":\"1\",\"reason\":\"{{reason}}\"}"),
$(step why 'items of compare' "\"where\":{\"preference\":{\"not\":\"tie\"}},
 $(user 'Say it better: {{compare.reason}}'),$answer")]"
replies << 'END'
match: A=Eight
Preference: A, spiders have eight.
%%
match: B=Eight
Preference: B, spiders have eight.
%%
match: Say it better
Eight legs, four on each side.
%%
END
has "a preference" "j2 done" "$(ask prefer)"
is "is of the answer, wherever it was shown" "Eight legs." \
    "$(sql "SELECT json_extract(t.body, '\$.content') FROM score v
    JOIN candidate c ON c.id = v.candidate JOIN text t ON t.id = c.body_text
    WHERE v.aspect = 'better'")"
has "its reason stands in a template" "Say it better: spiders have eight." \
    "$(cat asked.log)"
two
replies << 'END'
match: A=
Preference: tie
%%
END
has "a tie" "j2 done" "$(ask prefer)"
is "is a score of neither, and no reason is asked for" "0 0" \
    "$(sql "SELECT count(*) FROM score") $(sql "SELECT count(*) FROM call
    WHERE job = 2 AND step = 2")"
two
recipe rank-all "\"kind\":\"feedback\",\"steps\":[
$(step order candidates "$shows,\"parse\":{\"as\":\"ranking\"},
 \"make\":{\"as\":\"score\",\"candidate\":\"{{candidate}}\",
  \"aspect\":\"place\",\"value\":\"{{rank}}\"}")]"
replies << 'END'
match: A=Eight
A > B
%%
match: B=Eight
1. B
2. A
%%
END
has "a ranking" "j2 done" "$(ask rank-all)"
is "has a place for each" "1.0 Eight legs.
2.0 Six legs, as any insect." "$(sql "SELECT v.value || ' ' ||
    json_extract(t.body, '\$.content') FROM score v
    JOIN candidate c ON c.id = v.candidate JOIN text t ON t.id = c.body_text
    WHERE v.aspect = 'place' ORDER BY v.value")"
for p in preference ranking; do
    recipe other "\"kind\":\"label\",\"steps\":[
$(step a seed "$(user x),\"parse\":{\"as\":\"$p\"}")]"
    fails "$p of nothing that was shown" 1 \
        "over: $p is about answers that were shown: expected candidates" \
        $S expand --teacher t --recipe other
done

# ---- critique, quotes, code, turns, react -----------------------------------
fresh
recipe critique "\"kind\":\"self\",\"steps\":[
$(step mend seed "$(user '{{prompt}} {{answer}}'),
 \"parse\":{\"as\":\"critique\"},
 \"make\":{\"as\":\"sample\",\"prompt\":\"{{prompt}}\",
  \"answer\":\"{{answer}}\",\"reasoning\":\"{{critique}}\"}"),
$(step more 'items of mend' "\"where\":{\"critique\":{\"not\":\"Fine.\"}},
 $(user 'Was it met? {{mend.critique}} | {{mend.answer}}'),$answer")]"
replies << 'END'
match: spider
Critique: Fine.

Rewrite: Eight.
%%
match: metal
**Critique:** no metal is named

**Rewrite:** Lithium floats.
%%
match: Was it met
Yes.
%%
END
has "points and a rewrite" "j1 done" "$(ask critique --answers 1)"
is "a condition on the points" "2 1" "$(calls 1) $(calls 2)"
has "both in a template" "no metal is named | Lithium floats." \
    "$(cat asked.log)"
has "and in a sink" "Which metal floats on water? = Lithium floats." "$(made)"

fresh
recipe quotes "\"kind\":\"label\",\"steps\":[
$(step cite seed "$(user 'Quote from: {{prompt}}'),
 \"parse\":{\"as\":\"quotes\",\"source\":\"prompt\"},
 \"make\":{\"as\":\"sample\",\"prompt\":\"{{prompt}}\",
  \"answer\":\"{{answer}}\"}"),
$(step check 'items of cite' "\"where\":{\"quotes\":{\"not\":\"\"}},
 $(user 'Where: {{quotes}}'),$answer")]"
replies << 'END'
match: Quote from: How
It asks "How many legs" there are.
%%
match: Quote from: Which
It asks "which wood floats".
%%
match: Where
There.
%%
END
has "quotations" "j1 done" "$(ask quotes --answers 1)"
is "one that does not stand there falls" \
    "quotation 1 does not stand in the source" \
    "$(sql "SELECT trouble FROM call WHERE trouble IS NOT NULL")"
has "the other's place in a template" '\"start\":0,\"end\":13' \
    "$(cat asked.log)"
has "and its answer in a sink" 'It asks "How many legs" there are.' "$(made)"

fresh
recipe code "\"kind\":\"label\",\"steps\":[
$(step write seed "$(user 'Program: {{prompt}}'),
 \"parse\":{\"as\":\"code\",\"language\":[\"python\",\"py\"]},
 \"make\":{\"as\":\"sample\",\"prompt\":\"{{prompt}}\",
  \"answer\":\"{{code}}\"}"),
$(step read 'items of write' "\"where\":{\"code\":\"print(8)\"},
 $(user 'Explain {{code}} {{text}}'),$answer")]"
replies << 'END'
match: spider
Sure:
```python
print(8)
```
%%
match: metal
```py
print("Li")
```
%%
match: Explain
It prints eight.
%%
END
has "code" "j1 done" "$(ask code --answers 1)"
has "and what is said of it" "Explain print(8) Sure:" "$(cat asked.log)"
has "in a sink" 'Which metal floats on water? = print("Li")' "$(made)"

fresh
recipe turns "\"kind\":\"curate\",\"steps\":[
$(step talk seed "$(user 'Talk about {{prompt}}'),
 \"parse\":{\"as\":\"turns\",\"user\":\"Child:\",
  \"assistant\":\"Teacher:\"}"),
$(step sum 'items of talk' "\"where\":{\"messages\":{\"not\":\"\"}},
 $(user 'Sum up {{messages}}'),$answer,
 \"make\":{\"as\":\"sample\",\"prompt\":\"{{messages}}\",
  \"answer\":\"{{answer}}\"}")]"
replies << 'END'
match: spider
**Child:** How many legs?
**Teacher:** Eight.
%%
match: metal
Teacher: Listen.
%%
match: Sum up
A lesson.
%%
END
has "a dialogue" "j1 done" "$(ask turns --answers 1)"
is "that its user begins" "the dialogue does not begin with the user" \
    "$(sql "SELECT trouble FROM call WHERE trouble IS NOT NULL")"
is "stands as messages" '[{"role":"user","content":"How many legs?"},'\
'{"role":"assistant","content":"Eight."}] = A lesson.' "$(made)"

fresh
recipe react "\"kind\":\"self\",\"steps\":[
$(step act seed "$(user 'Do: {{prompt}}'),\"parse\":{\"as\":\"react\"}"),
$(step look 'items of act' "\"where\":{\"action\":\"search\"},
 $(user 'Find {{input}} for {{thought}}'),$answer"),
$(step end 'items of act' "\"where\":{\"act.answer\":{\"not\":\"\"}},
 $(user 'Check {{act.answer}}'),$answer,
 \"make\":{\"as\":\"sample\",\"prompt\":\"{{prompt}}\",
  \"answer\":\"{{act.answer}}\"}")]"
replies << 'END'
match: Do: How
Thought: I know that.
Final Answer: Eight legs.
%%
match: Do: Which
Thought: I must look.
Action: search[light metals]
Observation: lithium
%%
match: Find
Lithium.
%%
match: Check
Right.
%%
END
has "a step of a trajectory" "j1 done" "$(ask react --answers 1)"
is "acts once, and answers once" "2 1 1" "$(calls 1) $(calls 2) $(calls 3)"
has "its input and thought in a template" \
    "Find light metals for I must look." "$(cat asked.log)"
has "its answer in a sink" "How many legs has a spider? = Eight legs." "$(made)"

# ---- Settings ---------------------------------------------------------------
# refused NAME SENTENCE PARSE
refused() {
    recipe refused "\"kind\":\"label\",\"steps\":[
$(step a seed "$(user x),\"parse\":{$3}")]"
    fails "$1" 1 "steps[0]: parse: $2" \
        $S expand --teacher t --recipe refused
}
refused "one label" "labels: expected a list of 2 to 32 texts" \
    '"as":"verdict","labels":["yes"]'
refused "a label twice" 'labels: "YES" stands there twice' \
    '"as":"verdict","labels":["yes","YES"]'
refused "a setting that there is not" 'unknown key "label"' \
    '"as":"verdict","label":["yes","no"]'
refused "no fields" "fields: expected 1 to 16 fields" '"as":"json"'
refused "a field twice" "fields: a stands there twice" \
    '"as":"json","fields":["a","a"]'
refused "a name that is none" "fields: use a-z, 0-9, - and _" \
    '"as":"fields","fields":{"A b":"A:"}'
refused "labels left out" "fields: expected an object of field to label" \
    '"as":"fields","fields":["a"]'
refused "optional, and no field" "optional: not among the fields" \
    '"as":"json","fields":["a"],"optional":["b"]'
refused "nothing that must be there" "optional: every field is" \
    '"as":"json","fields":["a"],"optional":["a"]'
refused "a source that is not there" \
    'source: the items have no field "text"' '"as":"quotes","source":"text"'
refused "no source" "source is missing" '"as":"quotes"'
refused "one label for two roles" "user, assistant: the same label" \
    '"as":"turns","user":"X:","assistant":"X:"'
refused "one label for two parts" "action, input: the same label" \
    '"as":"react","input":"Action:"'
refused "a language that is no word" "language: expected a word" \
    '"as":"code","language":"C and D"'
refused "no such setting of a critique" 'unknown key "rewrite"' \
    '"as":"critique","rewrite":"New:"'
refused "a keyword that is not known" \
    'schema: /properties/a: unknown keyword "pattern"' \
    '"as":"json","fields":["a"],
     "schema":{"properties":{"a":{"pattern":"x"}}}'
refused "a keyword with a wrong value" \
    "schema: /items: type: expected object, array" \
    '"as":"json","fields":["a"],"schema":{"items":{"type":"text"}}'
finish
