#!/bin/sh
# What replies become: prompts that repeat, answers of which some fail their
# checks, what stands for a sample where nobody names an answer, and which
# checks of a recipe run.
. "$srcdir/cli/recipes.sh"
rows_of_seeds() {
    for q in "How many legs has a spider?" "Which metal floats on water?"; do
        printf '{"prompt":"%s","split":"train"}\n' "$q"
    done
}
# recipe NAME JSON: a person's own
recipe() {
    printf '%s\n' "$2" > "$HOME/.config/stillroom/recipes/$1.json"
}

# Two equal prompts in one reply: neither is near the other, both answers land
# in one sample.
fresh
replies << 'END'
match: Go on with tasks
3. What is the capital of Portugal?
4. What is the capital of Portugal?
5. Name the largest ocean.
6. What  is the capital of Portugal?
%%
match: Portugal
Lisbon.
%%
match: ocean
The Pacific.
%%
END
out=$($S expand --teacher t --prompts 8 --answers 2 --split train 2>&1)
has "a prompt that repeats" "j1 done" "$out"
has "what was asked for and is not there is said" \
    "items 7 to 10 are not there" \
    "$(sql "SELECT trouble FROM call WHERE step = 1")"
is "is one sample" 2 "$(sql "SELECT count(*) FROM sample")"
is "with the answers of each" 6 "$(sql "SELECT count(*) FROM candidate c \
    JOIN sample x ON x.id = c.sample JOIN text p ON p.id = x.prompt_text \
    WHERE p.body LIKE '%Portugal%'")"
fell="SELECT count(*) FROM sample WHERE status = 2"
is "and nothing fell" 0 "$(sql "$fell")"

# A call that is tried again has what it drew: its items go on behind them, and
# count for their seed.
fresh
replies 500,ok << 'END'
match: Go on with tasks
3. What is the capital of Portugal?
4. Name the largest ocean.
%%
match: Portugal
Lisbon.
%%
match: ocean
The Pacific.
%%
END
$S expand --teacher t --prompts 8 --split train --seed 1 > /dev/null 2>&1
is "a second attempt is read as the first" 2 \
    "$(sql "SELECT count(*) FROM sample")"
is "and counts for a seed" 0 "$(sql "SELECT count(*) FROM sample
    WHERE coalesce(seed, 0) = 0")"
is "and shows what it drew" 2 "$($S show \
    "c$(sql 'SELECT min(call) FROM sample')" --json |
    sed 's/.*"drew_seeds":.\([0-9,]*\).*/\1/' | tr ',' '\n' | grep -c .)"
fresh
replies << 'END'
match: Go on with tasks
3. What is the capital of Portugal?
4. What is the capital of Portugal?
5. Name the largest ocean.
6. What  is the capital of Portugal?
%%
match: Portugal
Lisbon.
%%
match: ocean
The Pacific.
%%
END
$S expand --teacher t --prompts 8 --answers 2 --split train > /dev/null 2>&1

# Again: they join the samples that stand, without a look at near.
$S expand --teacher t --prompts 8 --answers 1 --split train > /dev/null 2>&1
is "once more, no new sample" 2 "$(sql "SELECT count(*) FROM sample")"
is "but more answers" 12 "$(sql "SELECT count(*) FROM candidate")"
is "not one of them is rejected" 0 "$(sql "$fell")"

$S runs drop j2 > /dev/null
is "dropped, the answers that it added go" 8 \
    "$(sql "SELECT count(*) FROM candidate WHERE live")"
$S undo > /dev/null
is "and come back" 12 "$(sql "SELECT count(*) FROM candidate WHERE live")"

# What a person rejected stays so, and still gets its answers.
$S review --reject 1 --reason wrong > /dev/null
$S expand --teacher t --prompts 8 --answers 1 --split train > /dev/null 2>&1
is "a person's rejection stands" 2 \
    "$(sql "SELECT status FROM sample WHERE id = 1")"
is "answers came all the same" 16 "$(sql "SELECT count(*) FROM candidate")"
has "whole" " 0 findings" "$($S fsck)"

# All answers are checked: one that is empty does not cost the good one, and a
# sample falls when none is left, whichever came first.
fresh
cat > label.txt << 'END'
match: spider
How many legs has a spider? You ask.
%%
match: spider
Eight.
%%
match: floats
Which metal floats on water? You ask.
%%
END
replies < label.txt
$S expand --teacher t --recipe label --answers 2 > /dev/null 2>&1
is "one good answer is enough" "0 2" \
    "$(sql "SELECT status, (SELECT count(*) FROM candidate WHERE sample = \
    x.id) FROM sample x JOIN text p ON p.id = x.prompt_text \
    WHERE body LIKE '%spider%'" | tr '|' ' ')"
is "none is not" "2" "$(sql "SELECT status FROM sample x JOIN text p \
    ON p.id = x.prompt_text WHERE body LIKE '%floats%'")"
is "what fell is found by its check" 1 \
    "$($S review --filter 'who:check reason:echo' --json | grep -c '"id"')"
good=$(sql "SELECT c.id FROM candidate c JOIN text t ON t.id = c.body_text \
    WHERE t.body LIKE '%Eight%'")
bulk=$($S review --filter 'status:pending or status:rejected' --accept all)
has "in bulk, what passes" "1 accepted" "$bulk"
has "and what has nothing is counted" "1 left out" "$bulk"
is "the answer that passes stands for it" "$good" \
    "$(sql "SELECT chosen FROM sample WHERE status = 1")"
replies << 'END'
match: floats
Sodium.
%%
match: spider
Eight, of course.
%%
END
$S expand --teacher t --recipe label > /dev/null 2>&1
is "a good answer brings it back" 0 "$(sql "SELECT status FROM sample x \
    JOIN text p ON p.id = x.prompt_text WHERE body LIKE '%floats%'")"
has "whole" " 0 findings" "$($S fsck)"

# What an import added to samples that stood is taken back with the rest.
fresh
printf '{"prompt":"p","completion":"one"}\n' > a.jsonl
printf '{"prompt":"p","chosen":"two","rejected":"three"}\n' > b.jsonl
printf '{"prompt":"q","completion":"four"}\n' >> b.jsonl
$S import --as samples a.jsonl > /dev/null
$S import --as samples b.jsonl > /dev/null
live="SELECT count(*) FROM candidate c JOIN sample x ON x.id = c.sample
    WHERE c.live AND x.live"
is "answers to one that stood" 4 "$(sql "$live")"
arrived=$(sql "SELECT max(born) FROM candidate")
$S undo "d$arrived" > /dev/null
is "are taken back with what came" 1 "$(sql "$live")"
$S undo > /dev/null
is "and brought again" 4 "$(sql "$live")"
has "whole" " 0 findings" "$($S fsck)"
accepted=$(sql "SELECT c.id FROM candidate c JOIN text t ON t.id = c.body_text
    WHERE t.body LIKE '%two%'")
$S review --accept 1 > /dev/null
if [ "$(sql "SELECT chosen FROM sample WHERE id = 1")" = "$accepted" ]; then
    fails "not from under a decision" 1 "was accepted" $S undo "d$arrived"
fi

# An empty answer never stands for a sample by itself, checked or not.
fresh
printf '{"prompt":"p","responses":["","good"]}\n' > e.jsonl
printf '{"prompt":"q","responses":["",""]}\n' >> e.jsonl
$S import --as samples e.jsonl > /dev/null 2>&1
$S review --filter status:pending --accept all > /dev/null
is "the answer that says something" good "$(sql "SELECT \
    json_extract(t.body, '\$.content') FROM sample x JOIN candidate c \
    ON c.id = x.chosen JOIN text t ON t.id = c.body_text \
    WHERE x.status = 1" | sort -u)"

# The reason belongs to the decision that stands.
fresh
printf '{"prompt":"p one","completion":"a one"}\n' > s.jsonl
$S import --as samples s.jsonl > /dev/null
$S review --reject 1 --reason wrong > /dev/null
$S review --accept 1 > /dev/null
$S undo > /dev/null
is "after an undo the old reason stands" 1 \
    "$($S review --filter reason:wrong --json | grep -c '"id"')"
$S redo > /dev/null
is "after a redo it does not" 0 \
    "$($S review --filter reason:wrong --json | grep -c '"id"')"

# Another's tag is no obstacle, another's decision is.
$S --as ana review --tag x --on 1 2> /dev/null ||
    $S review --as ana --tag x --on 1 > /dev/null
has "undo beside another's tag" "undone" "$($S undo 2>&1)"

# What a recipe lists is what runs.
fresh
step='"messages":[{"insert":"prompt"}],"parse":{"as":"answer"}'
head='"version":1,"kind":"label","about":"a","steps":[{"name":"a","over":
"prompt"'
recipe bare "{\"name\":\"bare\",$head,$step}]}"
replies << 'END'
How many legs has a spider? As an AI I do not know.
%%
END
$S expand --teacher t --recipe bare > /dev/null 2>&1
is "no checks, no verdicts" 0 "$(sql "SELECT count(*) FROM check_result")"
is "and nothing falls" 0 "$(sql "$fell")"
fresh
recipe lens "{\"name\":\"lens\",$head,$step,\"checks\":[\
{\"name\":\"length\",\"min\":3,\"max\":5},{\"name\":\"echo\",\"limit\":400}]}]}"
replies << 'END'
How many legs has a spider? I wonder.
%%
END
$S expand --teacher t --recipe lens > /dev/null 2>&1
is "length by its own figures" "length|8.0|5.0|1" \
    "$(sql "SELECT name, figure, bound, verdict FROM check_result \
    WHERE name = 'length' LIMIT 1" | head -n 1)"
is "echo by its own limit" 0 "$(sql "SELECT max(verdict) FROM check_result \
    WHERE name = 'echo'")"
is "and no other check" 2 \
    "$(sql "SELECT count(DISTINCT name) FROM check_result")"

# Special tokens in an answer are marked.
fresh
replies << 'END'
Eight.<|im_end|>
%%
END
$S expand --teacher t --recipe label > /dev/null 2>&1
is "special tokens warn" "1" "$(sql "SELECT DISTINCT verdict FROM check_result \
    WHERE name = 'special tokens'")"
is "and are found" 2 "$($S review --filter 'check:"special tokens"' --json |
    grep -c '"id"')"

# What the engine cannot do is refused when the file is read.
three='{"name":"c","over":"prompt",'$step'}'
recipe three "{\"name\":\"three\",$head,$step},{\"name\":\"b\",\"over\":\
\"prompt\",$step},$three]}"
fails "a step that is never asked" 1 "steps[1]: it would never be asked" \
    $S expand --teacher t --recipe three
recipe alone '{"name":"alone","version":1,"kind":"expand","about":"a","draw":
{"seeds":2},"steps":[{"name":"p","over":"draw","wanted":2,"messages":[{"role":
"user","text":"{{#demonstrations}}{{n}}. {{prompt}}{{/demonstrations}}"}],
"parse":{"as":"numbered"}}]}'
fails "prompts that nobody answers" 1 "steps[0]: it makes prompts" \
    $S expand --teacher t --recipe alone --prompts 4
recipe near "{\"name\":\"near\",$head,$step,\"checks\":[{\"name\":\"near\"}]}]}"
fails "a check of what is not made" 1 "checks[0]: near is about prompts" \
    $S expand --teacher t --recipe near
names='"checks":[{"name":"cut_off"}]'
recipe old "{\"name\":\"old\",$head,$step,$names}]}"
has "the old spelling is read" "done" \
    "$($S expand --teacher t --recipe old --answers 1 2>&1)"

# A penalty that a recipe gives is sent.
recipe pen "{\"name\":\"pen\",$head,$step,\"decode\":{\"presence_penalty\":\
0.5}}]}"
$S expand --teacher t --recipe pen > /dev/null 2>&1
has "presence penalty" '\"presence_penalty\":0.5' "$(tail -n 1 asked.log)"

# Demonstrations with answers come from seeds that have one.
rm -rf stillroom.db* stillroom.runs
$S init > /dev/null
{
    printf '{"prompt":"Name one of the many seas.","completion":"Baltic"}\n'
    printf '{"prompt":"This one has none."}\n'
} > s.jsonl
$S import s.jsonl > /dev/null
recipe withanswers '{"name":"withanswers","version":1,"kind":"expand","about":
{"en":"a","pt_BR":"b"},"draw":{"seeds":2,"answers":true},"steps":[{"name":"p",
"over":"draw","wanted":1,"messages":[{"role":"user","text":
"{{#demonstrations}}{{prompt}} {{answer}}{{/demonstrations}}"}],"parse":
{"as":"triples"}}]}'
out=$($S expand --recipe withanswers --prompts 4 --dry-run 2>&1)
has "drawn with its answer" "Baltic" "$out"
case $out in *"has none"*) is "never one without" "" "has none" ;; esac

# A prompt is held against those that are kept, not against one that fell.
replies << 'END'
match: seas
1. Instruction: Put red and blue and green in order.
Output: One.
2. Instruction: Put red and blue and green near me.
Output: Two.
3. Instruction: Put red and blue or white near me.
Output: Three.
%%
END
recipe chain '{"name":"chain","version":1,"kind":"expand","about":{"en":"a",
"pt_BR":"b"},"draw":{"seeds":1},"steps":[{"name":"p","over":"draw","wanted":3,
"messages":[{"role":"user","text":"{{#demonstrations}}seas{{/demonstrations}}"
}],"parse":{"as":"triples"},"checks":[{"name":"near","limit":0.7}]}]}'
$S expand --teacher t --recipe chain --prompts 3 > /dev/null 2>&1
is "near to one that fell is not near" "0 2 0" \
    "$(sql "SELECT status FROM sample" | tr '\n' ' ' | sed 's/ $//')"

# One that fell is held against a prompt whose answers are on their way: it
# names the sample that comes of it once that is there.
fresh
replies << 'END'
match: Go on with tasks
3. Put red and blue and green in order today.
4. Put red and blue and green in order now.
%%
match: Put red
Blue, green, red.
%%
END
$S expand --teacher t --prompts 8 --answers 1 --split train > /dev/null 2>&1
is "the second one fell, before the first one was there" "2 0" \
    "$(sql "SELECT status FROM sample" | tr '\n' ' ' | sed 's/ $//')"
has "which is its neighbour" '"verdict":"fail","against_sample":2' \
    "$($S show 1 --json)"
has "and the store is whole" " 0 findings" "$($S fsck)"

# Calls are dealt to the splits, at least one each.
rm -rf stillroom.db* stillroom.runs
$S init > /dev/null
for s in train valid test; do
    printf '{"prompt":"A prompt of %s and more","split":"%s"}\n' $s $s
done > s.jsonl
$S import s.jsonl > /dev/null
$S expand --prompts 160 --teacher builtin > /dev/null 2>&1
is "90/5/5, at least one each" "18 1 1" "$(sql "SELECT count(*) FROM call \
    WHERE step = 1 GROUP BY json_extract(params_json, '\$.split') \
    ORDER BY json_extract(params_json, '\$.split')" | tr '\n' ' ' |
    sed 's/ $//')"
finish
