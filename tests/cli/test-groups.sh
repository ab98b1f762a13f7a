#!/bin/sh
# Items that go on together: a vote, a verdict by a rule, a judge of the
# answers that the job itself brought. A group waits for its last call, whatever
# becomes of it, and is handed on once.
. "$srcdir/cli/recipes.sh"
rows_of_seeds() {
    seed "How many legs has a spider?" 8
    seed "How many legs has an ant?" 6
}
self() { recipe "$1" "\"kind\":\"self\",$2"; }
answer='"parse":{"as":"answer","rationale":true}'

# Most votes: four answers to each of two prompts.
majority() { # majority SETTINGS
    self majority "\"steps\":[{\"name\":\"tries\",\"over\":\"seed\",
\"times\":4,$(user '{{prompt}}'),$answer,\"make\":[]},
{\"name\":\"most\",\"over\":\"items of tries\",\"by\":\"prompt\",$1
\"do\":{\"as\":\"vote\",\"field\":\"answer\"$2},
\"make\":{\"as\":\"candidate\",\"answer\":\"{{answer}}\",
\"reasoning\":\"{{reasoning}} ({{votes}}, {{share}})\"}}]"
}
fresh
majority
replies << 'END'
match: spider
Four pairs.
Answer: 8
%%
match: spider
It has eight.
Answer: The answer is 8.
%%
match: spider
A guess.
Answer: 6
%%
match: spider
I counted.
Answer: 8
%%
match: ant
Three pairs.
Answer: 6
%%
match: ant
Another guess.
Answer: 8
%%
match: ant
I counted.
Answer: 6
%%
match: ant
They have six.
Answer: **6**
%%
END
has "what it will come to" '"calls_first":8,"calls_then":0,' \
    "$(ask majority --dry-run --json | tr -d ' ')"
out=$(ask majority)
has "a vote" "j1 done" "$out"
is "every try is asked" "answered:8" "$(states 1)"
is "one vote for each prompt" "worked out:2" "$(states 2)"
is "two samples" 2 "$(sql "SELECT count(*) FROM sample")"
is "with those who said the same" 3 "$(sql "SELECT count(*) FROM candidate c
    JOIN sample s ON s.id = c.sample JOIN text t ON t.id = s.prompt_text
    WHERE t.body LIKE '%spider%'")"
has "with what the vote adds" "Four pairs. (3, 0.75)" \
    "$(sql "SELECT t.body FROM candidate c JOIN text t ON t.id = c.body_text")"
is "the split is the seed's" 0 "$(sql "SELECT DISTINCT split FROM sample")"
is "each counts for its seed" "1 2" "$(sql "SELECT group_concat(seed, ' ')
    FROM (SELECT seed FROM sample ORDER BY seed)")"
has "what is worked out is no call that was asked" '"calls":8' \
    "$($S runs --json | tr -d ' ')"
has "fsck" "0 findings" "$($S fsck)"

# A share that nobody has, and groups that are too small, go nowhere.
fresh
majority "" ',"share":0.8'
ask majority > /dev/null
is "a share that none has" 0 "$(sql "SELECT count(*) FROM sample")"
has "which is said" "no answer has 80% of the votes" \
    "$(sql "SELECT trouble FROM call WHERE step = 2")"
fresh
majority '"at_least":5,'
ask majority > /dev/null
is "groups that are too small" "" "$(states 2)"

# Calls that fail, or cannot be read, are waited for and count for nothing.
fresh
majority '"at_least":1,'
replies ok,ok,400 << 'END'
match: spider
Four pairs.
Answer: 8
%%
match: spider
I do not know.
%%
END
ask majority > /dev/null
is "failed and unparsed calls end their group" "worked out:1" "$(states 2)"
is "with what there was" 1 "$(sql "SELECT count(*) FROM candidate")"

# A rule tells whether an answer is right (STaR's filter): by the gold answer.
fresh
self star "\"steps\":[{\"name\":\"tries\",\"over\":\"seed\",\"times\":2,
$(user '{{prompt}}'),$answer,\"make\":[]},
{\"name\":\"right\",\"over\":\"items of tries\",
\"do\":{\"as\":\"verify\",\"answer\":\"answer\",\"expected\":\"seed.answer\"},
\"make\":{\"as\":\"candidate\",\"where\":{\"right\":\"yes\"},
\"answer\":\"{{answer}}\",\"reasoning\":\"{{reasoning}}\"}},
{\"name\":\"hint\",\"over\":\"items of right\",\"where\":{\"right\":\"no\"},
$(user '{{prompt}} It is {{seed.answer}}, not {{tries.answer}}.'),$answer}]"
replies << 'END'
match: It is 8, not 6.
Told so.
Answer: 8
%%
match: spider
A guess.
Answer: 6
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
out=$(ask star --answers 1)
has "a rule" "j1 done" "$out"
is "every answer is held against the gold one" "worked out:4" "$(states 2)"
is "what is wrong is asked again with a hint" "answered:1" "$(states 3)"
is "right ones and the hinted one are kept" 4 \
    "$(sql "SELECT count(*) FROM candidate")"
has "fsck again" "0 findings" "$($S fsck)"

# A judge of what the job itself brought: all answers of a prompt in one call.
fresh
self judge "\"steps\":[{\"name\":\"answers\",\"over\":\"seed\",\"times\":3,
$(user '{{prompt}}'),$answer},
{\"name\":\"judge\",\"over\":\"items of answers\",\"by\":\"prompt\",
\"messages\":[{\"role\":\"user\",\"text\":[\"Rate: {{prompt}}\",
\"{{#candidates}}{{letter}}. {{answer}} since {{reasoning}}\",
\"{{/candidates}}\"]}],
\"parse\":{\"as\":\"ratings\",\"aspects\":[{\"name\":\"help\",
\"text\":\"h\"}]}}]"
replies << 'END'
match: Rate: How many legs has
A help: 5 - best
B help: 3 - so so
C help: 1 - bad
%%
match: spider
One.
Answer: 8
%%
match: spider
Two.
Answer: 6
%%
Three.
Answer: 9
%%
END
has "what a judge will come to" '"calls_first":6,"calls_then":2,' \
    "$(ask judge --dry-run --json | tr -d ' ')"
out=$(ask judge)
has "a judge in the same job" "j1 done" "$out"
is "six answers" "answered:6" "$(states 1)"
is "one call for each prompt" "answered:2" "$(states 2)"
is "scores for each answer" 6 "$(sql "SELECT count(*) FROM score")"
is "of the answer that stood there" "" "$(sql "SELECT c.id FROM candidate c
    LEFT JOIN score s ON s.candidate = c.id WHERE s.id IS NULL")"
has "with the fields of each" "since Two." "$(cat asked.log)"
has "fsck once more" "0 findings" "$($S fsck)"

# A job that dies while a group waits goes on: what waits is in the store.
fresh
majority
replies ok,ok,stall << 'END'
match: spider
Four pairs.
Answer: 8
%%
match: ant
Three pairs.
Answer: 6
%%
END
$S expand --teacher t --recipe majority --detach > /dev/null 2>&1
under_way() {
    is_now=$(sql "SELECT group_concat(state, ' ') FROM (SELECT state FROM call
        WHERE state IN ('answered', 'sent') ORDER BY n)")
    [ "$is_now" = "answered answered sent" ]
}
eventually 60 under_way || is "two answered and one on its way" yes "$is_now"
kill_job ok,ok,stall ok
is "nothing was handed on" "" "$(states 2)"
goes_on
is "every try is there" "answered:8 lost:1" "$(states 1)"
is "and each group went on once" "worked out:2" "$(states 2)"
is "whole" "4 4" "$(sql "SELECT group_concat(n, ' ') FROM (SELECT count(*) n
    FROM candidate GROUP BY sample)")"
has "fsck after it" "0 findings" "$($S fsck)"

# What would never run is refused.
refused() { # refused NAME SENTENCE STEPS
    self refused "\"steps\":[$3]"
    fails "$1" 1 "$2" $S expand --teacher t --recipe refused
}
tries="{\"name\":\"tries\",\"over\":\"seed\",$(user '{{prompt}}'),
$answer,\"make\":[]}"
over='"over":"items of tries"'
vote='"do":{"as":"vote","field":"answer"}'
made='"make":{"as":"candidate","answer":"{{answer}}"}'
refused "a group by what nobody gives" \
    'by: nothing that the items came from has a field "colour"' \
    "$tries,{\"name\":\"v\",$over,\"by\":\"colour\",$vote,$made}"
refused "a size of no group" "at_least: there is no group without by" \
    "$tries,{\"name\":\"v\",$over,\"at_least\":3,$(user x),$answer}"
refused "a vote of one" "vote is done with items together" \
    "$tries,{\"name\":\"v\",$over,$vote,$made}"
refused "a vote on what the items have not" 'no field "colour"' \
    "$tries,{\"name\":\"v\",$over,\"by\":\"prompt\",\"do\":{\"as\":\"vote\",
\"field\":\"colour\"},$made}"
refused "seeds together" "by: only items of a step are put together" \
    "{\"name\":\"v\",\"over\":\"seed\",\"by\":\"prompt\",$(user x),$answer}"
refused "a word that nobody knows" "do: as: expected one of vote, verify" \
    "$tries,{\"name\":\"v\",$over,\"do\":{\"as\":\"dance\"},$made}"
refused "messages where nobody is asked" 'unknown key "messages"' \
    "$tries,{\"name\":\"v\",$over,\"by\":\"prompt\",$vote,$made,$(user x)}"
refused "answers together that do not stand in the messages" \
    "messages: {{#candidates}} does not stand in them" \
    "$tries,{\"name\":\"v\",$over,\"by\":\"prompt\",$(user x),$answer}"
finish
