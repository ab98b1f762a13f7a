#!/bin/sh
# Recipes of several steps: every step is asked of what an earlier one
# brought, with the fields of all that it came from; what would never run is
# refused when the file is read.
. "$srcdir/cli/recipes.sh"
answer='"parse":{"as":"answer"}'

# Topics, questions about each, answers to each: three steps.
topics=$(user '{{#demonstrations}}{{prompt}} {{/demonstrations}}Topics?')
questions=$(user 'Questions about {{topic}}?')
answers=$(user '{{topics.topic}} | {{prompt}} | {{topic}}')
tree() { # tree WHERE: with a condition on the topic
    recipe tree "\"kind\":\"curate\",\"draw\":{\"seeds\":2},\"steps\":[
{\"name\":\"topics\",\"over\":\"draw\",\"wanted\":3,$topics,
 \"parse\":{\"as\":\"numbered\",\"field\":\"topic\"}},
{\"name\":\"questions\",\"over\":\"items of topics\",$1\"wanted\":2,$questions,
 \"parse\":{\"as\":\"numbered\"},\"checks\":[{\"name\":\"near\"}]},
{\"name\":\"answers\",\"over\":\"items of questions\",$answers,$answer,
 \"checks\":[{\"name\":\"empty\"}]}]"
}
fresh
tree ""
replies << 'END'
match: Topics
3. Rivers
4. Metals
5. Ships
%%
match: about Rivers
1. Name the longest river of Brazil.
2. Where does the Tagus end?
%%
match: about Metals
1. Which metal is liquid at room temperature?
2. Which metal do people take for bells?
%%
match: about Ships
1. What holds a vessel in its place?
2. Which ocean did Magellan cross first?
%%
match: Rivers | Name
The Amazon.
%%
match: Rivers | Where
In the Atlantic.
%%
match: Metals | 
Mercury.
%%
match: Ships | 
An anchor.
%%
END
out=$(ask tree --prompts 3 --answers 2)
has "a tree of three steps" "j1 done" "$out"
is "a whole reply has nothing to say" 3 "$(sql "SELECT count(*)
    FROM call WHERE step = 2 AND trouble IS NULL")"
is "topics are asked for" 1 "$(calls 1)"
is "questions for each of three" 3 "$(calls 2)"
is "answers to each of six, twice" 12 "$(calls 3)"
is "six samples" 6 "$(sql "SELECT count(*) FROM sample")"
is "with two answers each" 12 "$(sql "SELECT count(*) FROM candidate")"
is "none of them fell" 0 "$(sql "SELECT count(*) FROM sample
    WHERE status = 2")"
has "a step's own field and that of the one before" \
    "Rivers | Name the longest river of Brazil. | Rivers" \
    "$(cat asked.log)"
is "what came from where" "questions topics" "$(sql "SELECT CASE q.step
    WHEN 2 THEN 'questions' END || ' ' || CASE t.step WHEN 1 THEN 'topics' END
    FROM call a JOIN call q ON q.id = a.from_call JOIN call t
    ON t.id = q.from_call WHERE a.step = 3 LIMIT 1")"
is "a sample was made by its question's call" 2 "$(sql "SELECT DISTINCT c.step
    FROM sample s JOIN call c ON c.id = s.call")"
has "checks of its prompt ran" 6 "$(sql "SELECT count(*) FROM check_result
    WHERE name = 'near'")"
has "fsck" "0 findings" "$($S fsck)"

# where: one text, a list, none of them.
for w in '"topic":"Rivers"' '"topic":["Rivers","Nothing"]' \
    '"topic":{"not":["Metals","Ships"]}'; do
    fresh
    tree "\"where\":{$w},"
    ask tree --prompts 3 --answers 1 > /dev/null
    is "where $w" "1 2" "$(calls 2) $(calls 3)"
done
fresh
tree '"where":{"topic":"Clouds"},'
ask tree --prompts 3 --answers 1 > /dev/null
is "where nothing passes" "0 0" "$(calls 2) $(calls 3)"

# A step is asked as often as it says, else as the form says where it makes
# answers.
fresh
recipe often "\"kind\":\"label\",\"steps\":[{\"name\":\"a\",\"over\":\"seed\",
\"times\":3,$(user '{{prompt}} {{answer}}'),$answer}]"
replies << 'END'
Six.
%%
END
ask often --answers 1 > /dev/null
is "three times each" 6 "$(calls 1)"
has "with the seed's fields" "How many legs has a spider? Eight." \
    "$(cat asked.log)"

# Over samples: those that were accepted.
$S review --accept "$(sql "SELECT min(id) FROM sample")" > /dev/null
recipe again "\"kind\":\"self\",\"steps\":[{\"name\":\"a\",\"over\":\"sample\",
$(user 'Put it shorter: {{answer}}'),$answer,
\"make\":{\"as\":\"sample\",\"prompt\":\"In short: {{prompt}}\",
\"answer\":\"{{a.answer}}\"}}]"
ask again > /dev/null
is "one call for the accepted one" 1 "$(sql "SELECT count(*) FROM call
    WHERE job = 2")"
is "what is made of it is said in the file" \
    "In short: How many legs has a spider?" \
    "$(sql "SELECT json_extract(t.body, '$[0].content') FROM sample s
    JOIN text t ON t.id = s.prompt_text WHERE s.job = 2")"
has "in its split" 0 "$(sql "SELECT split FROM sample WHERE job = 2")"
fresh
fails "without accepted samples" 1 "there are no accepted samples" \
    $S expand --teacher t --recipe again

# each: every combination of its lists, or a seeded draw of some; the values
# are fields, of the step and of what comes of it.
fresh
each() { # each LISTS SIZE
    recipe each "\"kind\":\"self\",\"steps\":[{\"name\":\"a\",\"over\":\"seed\",
\"each\":{$1},$(user "{{prompt}} ({{tone}}$2)"),
$answer,\"make\":[]},{\"name\":\"b\",\"over\":\"items of a\",
$(user 'Now {{a.tone}}: {{answer}}'),$answer}]"
}
tones='"tone":["kind","stern","dry"]'
each "$tones,\"size\":[\"short\",\"long\"]" ", {{size}}"
replies << 'END'
Six.
%%
END
has "what a product comes to" '"calls_first":12,"calls_then":12,' \
    "$(ask each --dry-run --json | tr -d ' ')"
ask each > /dev/null
is "every combination" "12 12" "$(calls 1) $(calls 2)"
is "each with its own" 12 "$(sql "SELECT count(DISTINCT t.body) FROM call c
    JOIN text t ON t.id = c.prompt_text WHERE step = 1")"
has "with both" "spider? (dry, long)" "$(cat asked.log)"
has "and it comes down" "Now stern: Six." "$(cat asked.log)"
fresh
each '"tone":{"values":["kind","stern","dry"],"draw":1}'
ask each --seed 3 > /dev/null
is "a draw of one" "2 2" "$(calls 1) $(calls 2)"
drawn() {
    sql "SELECT group_concat(json_extract(t.body, '$[0].tone')) FROM call c
        JOIN text t ON t.id = json_extract(c.params_json, '$.each')
        WHERE step = 1"
}
first=$(drawn)
fresh
ask each --seed 3 > /dev/null
is "the same seed draws the same" "$first" "$(drawn)"
seen=$(for seed in 1 2 3 4 5 6 7 8; do
    fresh
    ask each --seed $seed > /dev/null
    drawn
done | sort -u | grep -c .)
[ "$seen" -gt 2 ] || is "other seeds draw others" "more than 2" "$seen"
fresh
each '"tone":[{"tone":"kind","why":"it helps"}]'
ask each > /dev/null
has "values with names of their own" "(kind)" "$(cat asked.log)"
fresh
printf '{"principles":["Be true.","Be brief."]}\n' > p.json
$S target seeds --from p.json > /dev/null
each '"tone":{"from":"principles"}'
ask each > /dev/null
is "the target's principles" 4 "$(calls 1)"
has "as they stand" "(Be brief.)" "$(cat asked.log)"
refused_each() { # refused_each NAME SENTENCE LISTS
    each "$3"
    fails "$1" 1 "$2" $S expand --teacher t --recipe each
}
refused_each "a list of nothing" "each: tone: values: expected a list of 1" \
    '"tone":[]'
refused_each "a value that is no text" \
    "each: tone: values[0]: expected a text, or an object" '"tone":[3]'
refused_each "a source that there is not" "from: expected one of principles" \
    '"tone":{"from":"moods"}'
refused_each "too many at once" "come to more than 64 for one thing" \
    "\"tone\":[$(printf '"%s",' 1 2 3 4 5 6 7 8)\"9\"],
\"size\":[$(printf '"%s",' 1 2 3 4 5 6 7)\"8\"]"

# What would never run, or names nothing, is refused when the file is read.
refused() { # refused NAME SENTENCE REST
    recipe refused "$3"
    fails "$1" 1 "$2" $S expand --teacher t --recipe refused
}
one() { printf '"kind":"label","steps":[%s]' "$1"; }
refused "items of a step that is not there" \
    'steps[0]: over: no step before this one is called "b"' \
    "$(one "{\"name\":\"a\",\"over\":\"items of b\",$(user x),$answer}")"
refused "items of itself" 'over: no step before this one is called "a"' \
    "$(one "{\"name\":\"a\",\"over\":\"items of a\",$(user x),$answer}")"
refused "a field that nobody gives" \
    "there is no placeholder {{topic}}" \
    "$(one "{\"name\":\"a\",\"over\":\"seed\",$(user '{{topic}}'),$answer}")"
refused "a field of a step that does not give it" \
    "there is no placeholder {{a.topic}}" \
    "$(one "{\"name\":\"a\",\"over\":\"seed\",$(user x),$answer},
{\"name\":\"b\",\"over\":\"items of a\",$(user '{{a.topic}}'),$answer}")"
refused "its own field before it is there" \
    "there is no placeholder {{a.answer}}" \
    "$(one "{\"name\":\"a\",\"over\":\"seed\",$(user '{{a.answer}}'),$answer}")"
refused "a condition on what is not there" \
    'where: no item has a field "topic"' \
    "$(one "{\"name\":\"a\",\"over\":\"seed\",\"where\":{\"topic\":\"x\"},
$(user x),$answer}")"
refused "a condition that says nothing" "topic: not, min or max is missing" \
    "\"kind\":\"curate\",\"draw\":{\"seeds\":1},\"steps\":[{\"name\":\"t\",
\"over\":\"draw\",\"wanted\":1,$topics,\"parse\":{\"as\":\"numbered\",
\"field\":\"topic\"}},{\"name\":\"b\",\"over\":\"items of t\",
\"where\":{\"topic\":{}},\"wanted\":1,$(user x),
\"parse\":{\"as\":\"numbered\"}}]"
refused "items that go nowhere" "steps[0]: nothing is made of what it brings" \
    "\"kind\":\"curate\",\"draw\":{\"seeds\":1},\"steps\":[{\"name\":\"t\",
\"over\":\"draw\",\"wanted\":1,$topics,\"parse\":{\"as\":\"numbered\",
\"field\":\"topic\"}}]"
refused "answers to no prompt" "steps[1]: it makes answers, and there is no" \
    "\"kind\":\"curate\",\"draw\":{\"seeds\":1},\"steps\":[{\"name\":\"t\",
\"over\":\"draw\",\"wanted\":1,$topics,\"parse\":{\"as\":\"numbered\",
\"field\":\"topic\"}},{\"name\":\"b\",\"over\":\"items of t\",$(user x),
$answer}]"
refused "a second step that starts from the store" \
    "steps[1]: it would never be asked: only the first step starts" \
    "$(one "{\"name\":\"a\",\"over\":\"seed\",$(user x),$answer},
{\"name\":\"b\",\"over\":\"seed\",$(user x),$answer}")"
refused "a key that nobody reads" "wanted: answer reads one item" \
    "$(one "{\"name\":\"a\",\"over\":\"seed\",\"wanted\":3,$(user x),$answer}")"
refused "a sink that there is not" \
    "make: as: expected one of sample, candidate" \
    "$(one "{\"name\":\"a\",\"over\":\"seed\",$(user x),$answer,
\"make\":{\"as\":\"nothing\"}}")"
refused "a key that the sink has not" 'make: unknown key "colour"' \
    "$(one "{\"name\":\"a\",\"over\":\"seed\",$(user x),$answer,
\"make\":{\"as\":\"candidate\",\"answer\":\"{{answer}}\",\"colour\":\"x\"}}")"
refused "a sink without what it must have" "make: answer is missing" \
    "$(one "{\"name\":\"a\",\"over\":\"seed\",$(user x),$answer,
\"make\":{\"as\":\"candidate\"}}")"
refused "over what there is not" \
    "over: expected one of draw, seed, sample, candidates" \
    "$(one "{\"name\":\"a\",\"over\":\"books\",$(user x),$answer}")"
finish
