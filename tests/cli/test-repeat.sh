#!/bin/sh
# Steps that run over what comes of them: rounds, turns. A pass begins with its
# number and with what it carries; what did not go back is the last.
. "$srcdir/cli/recipes.sh"
rows_of_seeds() {
    seed "How many legs has a spider?" 8
}
self() { recipe "$1" "\"kind\":\"self\",$2"; }
# Rounds of rewriting: each new prompt is rewritten again, and answered.
evol() { # evol REPEAT
    self evol "\"steps\":[{\"name\":\"rewrite\",\"over\":\"seed\",
\"each\":{\"how\":{\"values\":[\"harder\",\"longer\"],\"draw\":1}},$1
$(user '{{pass}}, {{how}}: {{input}}'),\"parse\":{\"as\":\"answer\"},
\"make\":{\"as\":\"sample\",\"prompt\":\"{{answer}}\"},
\"checks\":[{\"name\":\"near\",\"limit\":0.9}]},
{\"name\":\"answers\",\"over\":\"items of rewrite\",
$(user 'Reply to {{input}}'),\"parse\":{\"as\":\"answer\"}}]"
}
fresh
evol '"repeat":{"over":"items of rewrite","max":3},'
replies << 'END'
match: er: How many legs has a spider?
Count the legs of two spiders.
%%
match: er: Count the legs of two spiders.
Count the legs of two spiders and a beetle that lost one.
%%
match: er: Count the legs of two spiders and a beetle
How do eight legs move without a brain of their own?
%%
match: Reply to
So it is.
%%
END
has "what three rounds come to" '"calls_first":1,"calls_then":5,' \
    "$(ask evol --dry-run --json | tr -d ' ')"
out=$(ask evol)
has "three rounds" "j1 done" "$out"
is "each rewrites the one before" "answered:3" "$(states 1)"
is "and each is answered" "answered:3" "$(states 2)"
has "a pass knows its number" "3, " "$(grep 'a beetle that lost' asked.log |
    grep -o '"prompt":"[123], [a-z]*er: Count the legs of two spiders and')"
is "three samples that count for the seed" "1 1 1" \
    "$(sql "SELECT group_concat(seed, ' ') FROM sample")"
is "made by one another's calls" "1 2" "$(sql "SELECT group_concat(from_call,
    ' ') FROM call WHERE step = 1 AND from_call > 0")"
has "fsck" "0 findings" "$($S fsck)"

# until: an item that passes does not go back.
fresh
evol '"repeat":{"over":"items of rewrite","max":3,
"until":{"answer":"Count the legs of two spiders."}},'
ask evol > /dev/null
is "until" "answered:1" "$(states 1)"

# A prompt that a check failed is not rewritten.
fresh
evol '"repeat":{"over":"items of rewrite","max":3},'
sed -i 's/"limit":0.9/"limit":0.01/' \
    "$HOME/.config/stillroom/recipes/evol.json"
ask evol > /dev/null
is "what fell does not go back" "answered:1" "$(states 1)"

# Turns of a dialogue: what was said is carried, and the last turn is kept.
fresh
talk() { # talk REPEAT LAST
    self talk "\"steps\":[{\"name\":\"user\",\"over\":\"seed\",
\"repeat\":{\"over\":\"items of assistant\",$1
\"carry\":{\"talk\":\"{{talk}}U: {{user.answer}} A: {{answer}} \"}},
$(user '{{talk}}You ask ({{pass}}) of {{prompt}}'),
\"parse\":{\"as\":\"answer\"},\"make\":[]},
{\"name\":\"assistant\",\"over\":\"items of user\",
$(user '{{talk}}U: {{answer}} You reply'),\"parse\":{\"as\":\"answer\"},
\"make\":[]},
{\"name\":\"keep\",\"over\":\"$2items of assistant\",
$(user 'A title for: {{talk}}U: {{user.answer}}'),
\"parse\":{\"as\":\"answer\"},
\"make\":{\"as\":\"sample\",\"prompt\":\"{{talk}}U: {{user.answer}}\",
\"answer\":\"{{assistant.answer}}\"}}]"
}
talk '"max":3,' 'last '
replies << 'END'
match: You ask (1)
Why eight?
%%
match: You ask (2)
And ants?
%%
match: You ask (3)
Thanks.
%%
match: U: Thanks. You reply
Goodbye.
%%
match: U: And ants? You reply
Six.
%%
match: U: Why eight? You reply
They always had.
%%
match: A title for
Legs
%%
END
out=$(ask talk)
has "a dialogue" "j1 done" "$out"
is "three turns of each, one end" "answered:3 answered:3 answered:1" \
    "$(states 1) $(states 2) $(states 3)"
is "with all that was said" \
    "U: Why eight? A: They always had. U: And ants? A: Six. U: Thanks." \
    "$(sql "SELECT json_extract(t.body, '$[0].content') FROM sample s
    JOIN text t ON t.id = s.prompt_text")"
has "fsck again" "0 findings" "$($S fsck)"
fresh
talk '"max":9,"until":{"answer":"Six."},' 'last '
ask talk > /dev/null
is "until somebody says so" "answered:2 answered:2 answered:1" \
    "$(states 1) $(states 2) $(states 3)"
fresh
talk '"max":2,' ''
ask talk > /dev/null
is "every turn is kept where the last is not asked for" "answered:2" \
    "$(states 3)"

# What a pass carries is a text like others: a purge empties it.
# shellcheck disable=SC2046 # two words
$S purge --yes $(sql "SELECT group_concat(id, ' ') FROM sample") > /dev/null
is "what was carried is purged" 0 "$(sql "SELECT count(*) FROM text
    WHERE body LIKE '%They always had%'")"
is "and stands in no parameters" 0 "$(sql "SELECT count(*) FROM call
    WHERE params_json LIKE '%They always had%'")"

# It goes on where it was when it died in the second round.
fresh
evol '"repeat":{"over":"items of rewrite","max":3},'
replies stall,ok << 'END'
match: er: How many legs has a spider?
Count the legs of two spiders.
%%
match: er: Count the legs of two spiders.
Count the legs of two spiders and a beetle that lost one.
%%
match: er: Count the legs of two spiders and a beetle
How do eight legs move without a brain of their own?
%%
match: Reply to
So it is.
%%
END
$S expand --teacher t --recipe evol --detach > /dev/null 2>&1
sent() { [ "$(sql "SELECT count(*) FROM call WHERE state = 'sent'")" = 1 ]; }
eventually 60 sent || is "the first is on its way" yes no
kill_job stall,ok ok
goes_on
is "all three rounds" "answered:3 lost:1" "$(states 1)"

# What would never end, or run, is refused.
refused() { # refused NAME SENTENCE REPEAT
    evol "\"repeat\":{$3},"
    fails "$1" 1 "$2" $S expand --teacher t --recipe evol
}
refused "a loop without an end" "repeat: max: how many passes" \
    '"over":"items of rewrite"'
refused "too many passes" "repeat: max: expected a number from 2 to 16" \
    '"over":"items of rewrite","max":99'
refused "a step that there is not" '"moon" is not this step, nor does it come' \
    '"over":"items of moon","max":2'
refused "a name that the pass has" \
    'carry: the field "pass" is there already' \
    '"over":"items of rewrite","max":2,"carry":{"pass":"x"}'
refused "a name that a list has" \
    'carry: the field "how" is there already' \
    '"over":"items of rewrite","max":2,"carry":{"how":"x"}'
refused "what it carries must be there" \
    "carry: x: there is no placeholder {{colour}}" \
    '"over":"items of rewrite","max":2,"carry":{"x":"{{colour}}"}'
refused "until what is not there" 'until: where: no item has a field "colour"' \
    '"over":"items of rewrite","max":2,"until":{"colour":"x"}'
finish
