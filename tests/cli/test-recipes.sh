#!/bin/sh
# The shipped recipes of several steps, from end to end: against a teacher that
# answers as it is asked, and against the built-in one. Each step, condition and
# field of a file is what makes a row: without it the rows are others.
. "$srcdir/cli/recipes.sh"
own=$HOME/.config/stillroom/recipes
rows_of_seeds() {
    seed "How many legs has a spider?" 8
    seed "How many legs has an ant?" 6
    printf '{"prompt":"Say something of bees.","split":"train"}\n'
}
# rows: how many samples, and candidates that no check failed
rows() {
    sql "SELECT (SELECT count(*) FROM sample) || ' ' || (SELECT count(*)
        FROM candidate c WHERE NOT EXISTS(SELECT 1 FROM check_result r
        WHERE r.candidate = c.id AND r.verdict = 2))"
}
# changed NAME FROM TO: one's own copy with something else in it
changed() {
    tr '\n' ' ' < "$top_srcdir/data/recipes/$1.json" | sed "s/$2/$3/" \
        > "$own/$1.json"
}

# majority: eight tries of each seed, those that most agree on are kept.
votes() {
    fresh
    replies << 'END'
match: spider
Four pairs of legs.
Answer: 8
%%
match: spider
I only see six.
Answer: 6
%%
match: spider
Eight, as they all have.
Answer: 8
%%
match: ant
Three pairs.
Answer: 6
%%
match: bees
They fly.
Answer: They make honey.
%%
match: bees
They hum.
Answer: They live in hives.
%%
match: bees
They sting.
Answer: They die when they sting.
%%
END
}
votes
out=$(ask majority)
has "majority runs" "j1 done" "$out"
is "eight tries of each of three" 24 "$(calls 1)"
is "a vote on each" 3 "$(calls 2)"
is "what most say is kept, what nobody agrees on is not" "2 13" "$(rows)"
is "with its reasoning apart" "Four pairs of legs." \
    "$(sql "SELECT json_extract(t.body, '$.reasoning_content') FROM candidate c
    JOIN text t ON t.id = c.body_text LIMIT 1")"
changed majority '"times": 8' '"times": 4'
votes
ask majority > /dev/null
is "with fewer tries fewer agree, and half is enough" "3 9" "$(rows)"
changed majority '"share": 0.5' '"share": 0.9'
votes
ask majority > /dev/null
is "with a higher share fewer samples" "1 8" "$(rows)"
changed majority '"at_least": 3' '"at_least": 9'
votes
ask majority > /dev/null
is "with larger groups none" "0 0" "$(rows)"
rm "$own/majority.json"

# star: what is right is kept, what is wrong is asked again with the result.
fresh
replies << 'END'
match: spider
I only see six.
Answer: 6
%%
match: spider
It counts four on each side.
Answer: 8
%%
match: ant
Three pairs.
Answer: 6
%%
END
: > asked.log
out=$(ask star)
has "star runs" "j1 done" "$out"
is "seeds that have a gold answer are asked" 2 "$(calls 1)"
is "each is held against it" 2 "$(calls 2)"
is "the wrong one is asked once more" 1 "$(calls 3)"
is "and held against it" 1 "$(calls 4)"
is "both are kept" "2 2" "$(rows)"
has "the hint names the result" "The result has to be this: 8." \
    "$(cat asked.log)"
is "and it stands in no sample" 0 "$(sql "SELECT count(*) FROM sample s
    JOIN text t ON t.id = s.prompt_text WHERE t.body LIKE '%has to be%'")"
is "the rationale is that of the try that was right" \
    "It counts four on each side." "$(sql "SELECT
    json_extract(t.body, '$.reasoning_content') FROM candidate c
    JOIN text t ON t.id = c.body_text JOIN sample s ON s.id = c.sample
    JOIN text p ON p.id = s.prompt_text WHERE p.body LIKE '%spider%'")"
replies << 'END'
match: spider
I only see six.
Answer: 6
%%
match: ant
Three pairs.
Answer: 6
%%
END
fresh
ask star > /dev/null
is "what stays wrong is not kept" "1 1" "$(rows)"
changed star '"where": {"right": "no"},' ''
fresh
ask star > /dev/null
is "without its condition right ones are asked again too" 2 "$(calls 3)"
changed star '"where": {"right": "yes"},' ''
fresh
ask star > /dev/null
is "without the verdict wrong ones are kept" "2 2" "$(rows)"
rm "$own/star.json"

# The built-in teacher does both.
rm "$config"
rm -rf stillroom.db* stillroom.runs
$S init > /dev/null
$S import "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
for r in majority star; do
    out=$($S expand --teacher builtin --recipe $r --prompts 6 --seed 2 2>&1)
    has "the built-in teacher does $r" "done" "$out"
done
kept=$(sql "SELECT count(*) FROM candidate WHERE call IN (SELECT id FROM call
    WHERE job = 1)")
[ "$kept" -gt 6 ] || is "votes of the built-in teacher" "more than 6" "$kept"
kept=$(sql "SELECT count(*) FROM candidate WHERE call IN (SELECT id FROM call
    WHERE job = 2)")
[ "$kept" -gt 0 ] || is "right ones of the built-in teacher" "some" "$kept"
has "fsck" "0 findings" "$($S fsck)"

# The list, one's own over the shipped one, what is wrong, and a try without a
# teacher.
rm -f "$own"/*
has "a list" "majority          self             2" "$($S recipe)"
for f in "$top_srcdir"/data/recipes/*.json; do
    n=$(basename "$f" .json)
    has "$n stands in it" "\"name\":\"$n\"" "$($S recipe list --json)"
    has "all of $n runs" "$n: all of it runs" "$($S recipe check "$n")"
    is "$n is shown as it is" "$(cat "$f")" "$($S recipe show "$n")"
    has "each step of $n is tried" "== " "$($S recipe try "$n")"
done
changed star '"version": 1' '"version": 7'
has "one's own" "(yours)" "$($S recipe | grep star)"
has "comes first" '"version": 7' "$($S recipe show star)"
changed star '"right": "yes"' '"right": 3'
fails "what is wrong with a file" 1 "steps[1]: make: where: right: expected" \
    $S recipe check star
has "stands in the list" "right: expected a text" "$($S recipe list)"
fails "by its path" 1 "star.json: steps[1]: make" \
    $S recipe check "$own/star.json"
rm "$own/star.json"
has "fields stand as their names" "The result has to be this: ‹answer›." \
    "$($S recipe try star)"
has "what is worked out is said" "(worked out here)" "$($S recipe try star)"
printf 'Well, then.\nAnswer: 8\n' > reply.txt
is "a reply is read" "== 1
answer: 8
reasoning: Well, then." "$($S recipe try majority --reply reply.txt)"
has "as JSON" '[{"answer":"8","reasoning":"Well, then."}]' \
    "$($S recipe try majority --reply reply.txt --json)"
printf 'A help: 4 - fine.\nB help: 2 - not.\nC help: 1 - bad.\n' > reply.txt
has "of the answers that were shown" "candidate: 2" \
    "$($S recipe try rank --reply reply.txt --answers 3 2> /dev/null)"
is "and of no others" 0 "$($S recipe try rank --reply reply.txt 2> /dev/null |
    grep -c 'candidate: 2')"
fails "as many as there can be" 2 "expected 1 to 26" \
    $S recipe try rank --reply reply.txt --answers 99
printf 'Nothing.\n' > reply.txt
fails "a reply that cannot be read" 1 'begins with "Answer:"' \
    $S recipe try star --step hinted --reply reply.txt
fails "a step that there is not" 1 'no step "moon"' \
    $S recipe try star --step moon --reply reply.txt
fails "a recipe that there is not" 1 "there is no recipes/moon.json" \
    $S recipe show moon
fails "no name" 2 "name one recipe" $S recipe show
fails "an act that there is not" 2 "dance" $S recipe dance
finish
