#!/bin/sh
# The arguments: words and options that nobody reads are refused by name,
# lists of numbers, headings, a reader that goes away, hints that work.
. "$srcdir/cli/lib.sh"
M="$top_builddir/src/stillroom-model"

# refused NAME WORD COMMAND...: exit code 2, and the word is named
refused() {
    name=$1 word=$2
    shift 2
    fails "$name" 2 "$word" "$@"
}

i=0
while [ $i -lt 12 ]; do
    i=$((i + 1))
    printf '{"prompt":"How many eggs are %s boxes?","completion":"%s"}\n' $i $i
done > rows.jsonl
$S init a.db > /dev/null
$S import --store a.db --as samples rows.jsonl > /dev/null
$S import --store a.db --target seeds rows.jsonl > /dev/null

# ---- The store, before or behind, by --store or as a word -----------------

$S init > /dev/null
has "here is another store" "targets: 0" "$($S stat)"
has "a word is the store" "targets: 2" "$($S stat a.db)"
has "of fsck too" "2 decisions" "$($S fsck a.db)"
is "fsck FILE reads FILE" "$($S fsck --store a.db)" "$($S fsck a.db)"
is "before the verb" "$($S stat a.db)" "$($S --store a.db stat)"
is "before it, with =" "$($S stat a.db)" "$($S --store=a.db stat)"
is "--json before the verb" "$($S stat --json a.db)" \
    "$($S --json --store a.db stat)"
is "--as before the verb" "ana" "$($S --as ana --store a.db review --accept 1 \
    > /dev/null; $S --store a.db log --json --n 1 |
    sed 's/.*"who":"\([a-z]*\)".*/\1/')"
is "the nearer one holds" "$($S stat a.db)" \
    "$($S --store none.db stat --store a.db)"
fails "a store that is not there" 1 "none.db" $S fsck none.db
fails "a store for the screen" 1 "terminal" $S ./a.db
fails "the same by option" 1 "terminal" $S --store a.db

# ---- Words that nobody reads ----------------------------------------------

for verb in expand review rank train demo redo; do
    refused "$verb takes no word" '"a.db"' $S $verb a.db
done
refused "fsck takes one store" '"b.db"' $S fsck a.db b.db
refused "or none with --store" '"b.db"' $S stat --store a.db b.db
refused "init too" '"b.db"' $S init a.db b.db
refused "log takes one" '"7"' $S log 3 7
refused "undo takes one" '"d7"' $S undo d3 d7
refused "target takes one" '"two"' $S target one two
refused "export takes one" '"b"' $S export a b
refused "runs takes three" '"x"' $S runs ask r1 why x
refused "the screen takes one" '"b.db"' $S a.db b.db
refused "no such verb" "frob" $S --store a.db frob
refused "no such option" "-x" $S stat -x
refused "nor in front" "--frob" $S --frob stat
refused "an option twice" "--accept" $S review --accept 1 --accept 2
refused "two acts at once" "--reject" $S review --accept 1 --reject 2
refused "a dry run of a tag" "--dry-run" $S review --tag x --on 1 --dry-run
refused "an answer without its edit" "--answer" $S review --answer f
refused "an answer without its seed" "--answer" $S seed --answer f
refused "no number" "nan" $S expand --temperature nan
refused "behind --, words" '"-x"' $S review -- -x
fails "a target that is not there" 1 "nope" \
    $S review --store a.db --target nope --accept 1
is "nothing was written" 3 "$($S log --json --store a.db | wc -l)"

# ---- Help, version ----------------------------------------------------------

for p in "$S" "$M"; do
    is "-h is --help" "$($p --help)" "$($p -h)"
    is "-V is --version" "$($p --version)" "$($p -V)"
    has "which names itself" "${p##*/} 0" "$($p -V)"
done
is "a verb's -h" "$($S stat --help)" "$($S stat -h)"
is "--help before the verb" "$($S stat --help)" "$($S --help stat)"
is "a verb's -V" "$($S -V)" "$($S stat -V)"
is "a model verb's -h" "$($M eval --help)" "$($M eval -h)"
has "one letter takes one dash" "d" "$($S log -n 1 --store a.db)"

# ---- Numbers ----------------------------------------------------------------

T="--store a.db --target rows"
is "a range is one act" "11 accepted d4" "$($S review $T --accept 2-99)"
has "as JSON" '"samples":4,"decision":0' \
    "$($S review $T --defer 3-6 --dry-run --json)"
has "undo as JSON" '"kind":"accept","objects":11' \
    "$($S undo --store a.db --json)"
$S redo --store a.db > /dev/null
is "and one undo" 1 "$($S undo --store a.db > /dev/null
    $S review $T --json --filter status:accepted | wc -l)"
is "ranges and numbers" 4 "$($S review $T --defer 3,5-7 > /dev/null
    $S review $T --json --filter status:deferred | wc -l)"
has "a dry run counts what is there" "3 samples" \
    "$($S review $T --accept 10-4000 --dry-run)"
is "tags too" 3 "$($S review $T --tag odd --on 1-3 &&
    $S review $T --json --filter tag:odd | wc -l)"
fails "a range of nothing" 1 "500-600" $S review $T --accept 500-600
for bad in 5-3 1- -- 1-2-3 1,,2 0 1-99999999999 9999999999999999999999-1 x; do
    refused "$bad is no list" "$bad" $S review $T "--accept=$bad"
done
is "seeds" 3 "$($S seed --store a.db --tag first s1-s2,3 &&
    $S seed --store a.db --target seeds --json --filter tag:first |
    tr '{' '\n' | grep -c '"id"')"
refused "one decision at a time" "d1,d2" $S undo --store a.db d1,d2
refused "one answer at a time" "1,2" \
    $S review $T --edit 1,2 --answer rows.jsonl

# ---- Lists ------------------------------------------------------------------

# headed NAME WORD COMMAND...: a heading for people, and none for programs
headed() {
    name=$1 word=$2
    shift 2
    has "$name has a heading" "$word" "$("$@" 2>&1 | head -n 1)"
    is "which is no row of $name" "" "$("$@" 2> /dev/null | grep "$word")"
    case $("$@" --json 2>&1 | head -c 1) in
    '{' | '[') ;;
    *) is "$name --json" "JSON" "$("$@" --json)" ;;
    esac
}
headed review "sample" $S review $T --filter ''
headed seed "split" $S seed --store a.db --target seeds
headed target "pending" $S target --store a.db
headed log "when" $S log --store a.db
is "an empty list is empty" "" "$($S review $T --filter id:4000 2>&1)"
is "columns stand under each other" 1 "$($S review $T --filter '' 2>&1 |
    awk '{ print index($0, NR == 1 ? "prompt" : "How") }' | sort -u | wc -l)"

# ---- Teachers ---------------------------------------------------------------

headed teacher "address" $S teacher list
has "our own server has a preset" "stillroom" "$($S teacher)"
T="--no-check --yes"
is "a server of our own" "serve       = stillroom-model serve builtin" \
    "$($S teacher add own --serve 'stillroom-model serve builtin' $T |
        grep serve)"
has "which the config has then" "serve builtin" \
    "$(cat "$HOME/.config/stillroom/config")"
has "and which answers" "answers in" "$($S teacher check own)"
fails "an address or a server" 1 "one of the two" \
    $S teacher add two --serve 'stillroom-model serve builtin' --url x: $T
has "a preset is written" "http://127.0.0.1:8100/v1" \
    "$($S teacher add student --preset stillroom --model student $T)"
refused "list takes no word" '"x"' $S teacher list x
refused "no such verb of teacher" '"frob"' $S teacher frob
refused "options are for add" "teacher add" $S teacher check own --url x

# ---- A reader that goes away -----------------------------------------------

i=0
while [ $i -lt 3000 ]; do
    i=$((i + 1))
    echo "{\"prompt\":\"Many words, number $i\",\"completion\":\"$i\"}"
done > many.jsonl
$S import --store a.db --target many --as samples many.jsonl > /dev/null
# gone COMMAND...: what it says beside the heading, and how it ends, when one
# line is read
gone() { { "$@" 2> said; echo $? > code; } | head -n 1 > /dev/null; }
for list in "review --list 3000 --target many" "log --n 3000 --json" \
    "seed --json --target seeds"; do
    # shellcheck disable=SC2086
    gone $S --store a.db $list
    is "no word of $list" "" "$(grep stillroom said)"
done
gone $S --store a.db review --list 3000 --target many
is "as the shell expects" 141 "$(cat code)"
gone "$M" problems --count 3000
is "nor of the model's" "141 " "$(cat code) $(cat said)"
if [ -c /dev/full ]; then
    $S stat > /dev/full 2> said
    is "a full disk is said" 1 $?
    has "with its reason" "No space" "$(cat said)"
fi
$S stat --store a.db >&- 2> said
is "a closed output is said" 1 $?
has "as what it is" "standard output cannot be written" "$(cat said)"
fails "no row is shorter than none" 2 "--max-words is 0 or more" \
    $S export --store a.db --max-words -5 out

# ---- Hints ------------------------------------------------------------------

fails "no target" 2 "stillroom target --add NAME" $S export out
hint=$($S export out 2>&1 | sed -n 's/.*`stillroom \(.*\)NAME`.*/\1/p')
# shellcheck disable=SC2086
is "the hint works" 0 "$($S $hint law > /dev/null 2>&1; echo $?)"
has "and is what was meant" "law" "$($S target)"

# Every command that a sentence names is there, with its options.
if command -v xgettext > /dev/null; then
    # shellcheck disable=SC2046
    (cd "$top_srcdir" && xgettext -C -k_ -kN_ -kC_ -kP_:1,2 --no-wrap \
        --from-code=UTF-8 -o - $(grep -v '^#' po/POTFILES.in)) |
        grep -o '`stillroom[^`]*`' | tr -d '`' | sort -u > hints
    [ -s hints ] || is "hints" "some" "none"
    while read -r program verb rest; do
        case $verb in
        -* | %*) continue ;;
        esac
        help=$("$top_builddir/src/$program" "$verb" --help 2>&1) ||
            is "\`$program $verb\`" "a command" "$help"
        for word in $rest; do
            case $word in
            --help | *%*) ;;
            --*) has "$program $verb $word" "$word" "$help" ;;
            [a-z]*) has "$program $verb $word" "$word" "$help" ;;
            esac
        done
    done < hints
fi
finish
