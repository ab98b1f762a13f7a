#!/bin/sh
# What may come between a job of several steps and its end: a purge of what it
# made, a retry that comes too late, results longer than a reply may be.
. "$srcdir/cli/recipes.sh"
sql() { sqlite3 -cmd '.timeout 5000' stillroom.db "$1"; }
rows_of_seeds() {
    seed "How many legs has a spider?" 8
    seed "How many legs has an ant?" 6
}
self() { recipe "$1" "\"kind\":\"self\",$2"; }
answer='"parse":{"as":"answer","rationale":true}'
whole='"parse":{"as":"answer"}'

# A purge empties the results of its own calls, not those of other jobs: the
# same again is worked out as before.
fresh
self right "\"steps\":[{\"name\":\"tries\",\"over\":\"seed\",\"times\":2,
$(user '{{prompt}}'),$answer,\"make\":[]},
{\"name\":\"right\",\"over\":\"items of tries\",
\"do\":{\"as\":\"verify\",\"answer\":\"answer\",\"expected\":\"seed.answer\"},
\"make\":{\"as\":\"candidate\",\"where\":{\"right\":\"yes\"},
\"answer\":\"{{answer}}\",\"reasoning\":\"{{reasoning}}\"}}]"
replies << 'END'
match: spider
Four pairs.
Answer: 8
%%
match: ant
Three pairs.
Answer: 6
%%
END
ask right > /dev/null
$S purge --yes 1 > /dev/null
is "the others' results stand" 2 "$(sql "SELECT count(*) FROM call c JOIN text t
    ON t.id = c.answer_text WHERE c.step = 2 AND t.body IS NOT NULL")"
out=$(ask right)
has "the same again after a purge" "j2 done" "$out"
is "is worked out" "worked out:4 worked out:4" "$(sql "SELECT
    group_concat(n, ' ') FROM (SELECT state || ':' || count(*) n FROM call
    WHERE step = 2 GROUP BY job)")"
has "fsck" "0 findings" "$($S fsck)"

# A job that is gone on with after a purge asks what is left of it.
fresh
self judge "\"steps\":[{\"name\":\"answers\",\"over\":\"seed\",\"times\":2,
$(user '{{prompt}}'),$answer},
{\"name\":\"judge\",\"over\":\"items of answers\",\"by\":\"prompt\",
\"messages\":[{\"role\":\"user\",\"text\":[\"Rate: {{prompt}}\",
\"{{#candidates}}{{letter}}. {{answer}}\",\"{{/candidates}}\"]}],
\"parse\":{\"as\":\"ratings\",\"aspects\":[{\"name\":\"help\",
\"text\":\"h\"}]}}]"
replies ok,400,ok << 'END'
match: Rate
A help: 5 - best
B help: 3 - so so
%%
match: spider
Four pairs.
Answer: 8
%%
match: ant
Three pairs.
Answer: 6
%%
END
ask judge > /dev/null
is "one answer each, and none to compare" "answered:2 failed:2 /" \
    "$(states 1) /$(states 2)"
$S purge --yes 1 > /dev/null
sed -i 's/ok,400,ok/ok/' "$config"
goes_on
is "the other prompt's are judged" "answered:1" "$(states 2)"
has "fsck after it" "0 findings" "$($S fsck)"

# Words that were purged are not asked for again; the job goes on without.
fresh
self fix "\"steps\":[{\"name\":\"a\",\"over\":\"seed\",$(user '{{prompt}}'),
$whole,\"make\":[]},{\"name\":\"b\",\"over\":\"items of a\",
$(user 'Fix this: {{a.answer}}'),$whole}]"
replies << 'END'
match: Fix
Repaired, it says so and so.
%%
match: spider
Some first answer of a spider.
%%
Some first answer of an ant.
%%
END
ask fix > /dev/null
$S purge --yes 1 > /dev/null
out=$(ask fix)
has "what was purged stops no job" "j2 done" "$out"
has "and is said" "purged" \
    "$(sql "SELECT trouble FROM call WHERE job = 2")"

# A failed call of which nothing could come any more is not asked again.
fresh
self majority "\"steps\":[{\"name\":\"tries\",\"over\":\"seed\",\"times\":3,
$(user '{{prompt}}'),$answer,\"make\":[]},
{\"name\":\"most\",\"over\":\"items of tries\",\"by\":\"prompt\",
\"do\":{\"as\":\"vote\",\"field\":\"answer\"},
\"make\":{\"as\":\"candidate\",\"answer\":\"{{answer}}\"}}]"
replies ok,ok,400 << 'END'
match: spider
Four pairs.
Answer: 8
%%
match: ant
Three pairs.
Answer: 6
%%
END
ask majority > /dev/null
is "groups go on without what failed" "worked out:2" "$(states 2)"
sed -i 's/ok,ok,400/ok/' "$config"
goes_on
is "a retry would come too late" "answered:4 failed:2" "$(states 1)"
is "and no group goes on twice" "worked out:2" "$(states 2)"

# One that makes something of its own is, and that it came late is said.
fresh
replies ok,ok,400,ok << 'END'
match: Rate
A help: 5 - best
B help: 3 - so so
%%
match: spider
Four pairs.
Answer: 8
%%
match: ant
Three pairs.
Answer: 6
%%
END
sed -i 's/"times":2/"times":3/' "$HOME/.config/stillroom/recipes/judge.json"
ask judge > /dev/null
is "judged without what failed" "answered:2" "$(states 2)"
sed -i 's/ok,ok,400,ok/ok/' "$config"
goes_on
is "its answer is there" 6 "$(sql "SELECT count(*) FROM candidate")"
is "and what came late is said" 2 "$(sql "SELECT count(*) FROM call
    WHERE trouble = 'it came after its group had gone on'")"
is "the judge is not asked twice" "answered:2" "$(states 2)"

# Results of a vote that are longer than a reply may be are read whole.
fresh
self long "\"steps\":[{\"name\":\"tries\",\"over\":\"seed\",\"times\":10,
$(user '{{prompt}}'),$answer,\"make\":[]},
{\"name\":\"most\",\"over\":\"items of tries\",\"by\":\"prompt\",
\"do\":{\"as\":\"vote\",\"field\":\"answer\"},
\"make\":{\"as\":\"candidate\",\"answer\":\"{{answer}}\",
\"reasoning\":\"{{reasoning}}\"}}]"
{
    awk 'BEGIN { for (i = 0; i < 20000; i++) printf "word %d ", i }'
    printf '\nAnswer: 8\n%%%%\n'
} > long.txt
replies < long.txt
ask long > /dev/null
is "a long vote" 20 "$(sql "SELECT count(*) FROM candidate")"

# Recipes that cannot do what they say are refused.
refused() { # refused NAME SENTENCE STEPS
    self refused "\"steps\":[$3]"
    fails "$1" 1 "$2" $S expand --teacher t --recipe refused
}
tries="{\"name\":\"a\",\"over\":\"seed\",\"times\":2,$(user x),$whole,
\"repeat\":{\"over\":\"items of b\",\"max\":2},\"make\":[]}"
refused "a loop through a group" "repeat: it goes through a group" \
    "$tries,{\"name\":\"b\",\"over\":\"items of a\",\"by\":\"prompt\",
\"messages\":[{\"role\":\"user\",\"text\":\"{{#candidates}}x{{/candidates}}\"}],
$whole}"
refused "a score of nobody" "json does not read which answer is scored" \
    "{\"name\":\"a\",\"over\":\"seed\",$(user x),$whole},{\"name\":\"b\",
\"over\":\"items of a\",\"by\":\"prompt\",\"messages\":[{\"role\":\"user\",
\"text\":\"{{#candidates}}x{{/candidates}}\"}],
\"parse\":{\"as\":\"json\",\"fields\":[\"best\"]},
\"make\":{\"as\":\"score\",\"candidate\":\"{{best}}\",\"aspect\":\"help\",
\"value\":\"5\"}}"
refused "a name that means what was there" \
    "seed and sample are what was there" \
    "{\"name\":\"seed\",\"over\":\"seed\",$(user x),$whole}"
fails "more than a job may have" 1 "at most 1000000 prompts" \
    $S expand --teacher t --recipe label --dry-run --prompts 999999999999999999
finish
