#!/bin/sh
# What a job is said to come to before it is paid, against what it came to:
# three recipes at the built-in teacher and at a scripted one, each without
# earlier calls to go by, and once more with them.
. "$srcdir/cli/lib.sh"
XDG_CONFIG_HOME=$HOME/config
export XDG_CONFIG_HOME
config=config/stillroom/config
mkdir -p config/stillroom

# The scripted one: lists where a list is asked for, ratings where answers
# are judged, else a sentence.
{
    for k in 1 2 3 4 5; do
        printf 'match: Go on with tasks\n'
        for i in 1 2 3 4 5 6 7 8; do
            echo "$i. ship$k$i town$i$k, river$k$i mountain$i$k poem$k$i?"
        done
        echo %%
    done
    printf 'It is 42.\n%%%%\n'
} > replies
scripted --replies replies
{
    printf '[teacher scripted]\nurl = http://127.0.0.1:%s/v1\nmodel = ok\n' \
        "$port"
    printf 'price_in = 2\nprice_out = 10\n'
} > "$config"
chmod 600 "$config"

# field NAME TEXT: a number of a line of JSON
field() { echo "$2" | sed -n "s/.*\"$1\":\([0-9.e-]*\)[,}].*/\1/p"; }

# near NAME SAID CAME: within a factor of two
near() {
    is "$1: said $2, came $3" 1 "$(awk "BEGIN {
        print ($2 <= 2 * $3 && $3 <= 2 * $2) }")"
}

# compare NAME OPTION ...: the estimate, then the job
compare() {
    name=$1
    shift
    said=$($S "$@" --dry-run --json)
    came=$($S "$@" --json | sed 's/"why":.*//')
    near "$name: calls" \
        "$(awk "BEGIN { print $(field calls_first "$said") + \
            $(field calls_then "$said") }")" "$(field calls "$came")"
    near "$name: tokens in" "$(field tokens_in "$said")" \
        "$(field tokens_in "$came")"
    near "$name: tokens out" "$(field tokens_out "$said")" \
        "$(field tokens_out "$came")"
    near "$name: money" "$(field cost "$said")" "$(field cost "$came")"
}

for teacher in builtin scripted; do
    rm -rf stillroom.db stillroom.runs
    $S init > /dev/null
    $S import "$top_srcdir/data/demo-seeds.jsonl" > /dev/null
    for again in "" " again"; do
        compare "$teacher label$again" expand --recipe label \
            --teacher $teacher --prompts 10 --answers 2 --seed 3
        compare "$teacher selfinstruct$again" expand --recipe selfinstruct \
            --teacher $teacher --prompts 40 --seed 4
    done
done
for teacher in builtin; do
    compare "$teacher rank" rank --teacher $teacher --prompts 8
done
text=$($S expand --recipe label --teacher scripted --prompts 4 --dry-run)
has "money in the dry run" ", \$0.0" "$text"
finish
