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
refused "a keyword that is not known" \
    'schema: /properties/a: unknown keyword "pattern"' \
    '"as":"json","fields":["a"],
     "schema":{"properties":{"a":{"pattern":"x"}}}'
refused "a keyword with a wrong value" \
    "schema: /items: type: expected object, array" \
    '"as":"json","fields":["a"],"schema":{"items":{"type":"text"}}'
finish
