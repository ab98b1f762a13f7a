#!/bin/sh
# Import: files as they come, packed, in other encodings, broken in the middle.
. "$srcdir/cli/lib.sh"

# take OPTIONS... FILE: into a fresh store; what was said
take() {
    rm -rf t.db t.runs
    $S init t.db > /dev/null
    $S import --store t.db --target t "$@" 2>&1
}
prompts() { $S seed --store t.db --target t | sed 's/.*  //' | tr '\n' ' '; }
prompt() { $S show --store t.db --json "$1"; }

# ---- JSON -------------------------------------------------------------------

printf '[{"prompt":"a"}]\n[{"prompt":"b"},{"prompt":"c"}]\n' > t.jsonl
has "lines of lists" "3 seeds from 3 rows" "$(take t.jsonl)"
printf '{"prompt":"a"}{"prompt":"b"}\n{"prompt":"c"},\n\n{"prompt":\n  "d"\n}'\
'\n' \
    > t.jsonl
has "several values, over several lines" "4 seeds from 5 rows of shape "\
"completion (1 blank, 0 bad" "$(take t.jsonl)"
printf '{"prompt":"a","x":[1,\n{"prompt":"b"}\n{"prompt":"c"}'\
' junk\n{"prompt":"d"}\n' \
    > t.jsonl
out=$(take t.jsonl)
has "a row that is cut off costs itself alone" "3 seeds from 5 rows" "$out"
has "it is named" "line 1: byte" "$out"
has "so is what follows a value" "line 3: byte 1: not a JSON value" "$out"
printf '[\n {"prompt":"a"},\n {"prompt":"b",},\n {"prompt":"c"}\n]\n' > t.json
out=$(take t.json)
has "an array that breaks says that it ends there" \
    "line 3: byte 15: a key in quotes was expected; what follows in this list "\
"was not read" "$out"
printf '[{"prompt":"a"},{"prompt":"b"}\n' > t.json
has "an array that is not closed" "the list is not closed" "$(take t.json)"
printf '{\n "version": "1",\n "train": [\n  {\n   "prompt": "a"\n  }\n ],'\
'\n "test": [{"prompt":"b"}]\n}\n' > t.json
out=$(take t.json)
has "an object that holds lists" "2 seeds from 2 rows" "$out"
has "says which" "read as: rows of the list in train, test" "$out"
has "and what it left" "not read: version 1" "$out"
has "a list's name is its split" '"split":"test"' "$(prompt s2)"
head -c 300000 /dev/zero | tr '\0' x > long
{ printf '[{"prompt":"'; cat long; printf '"},{"prompt":"b"}]'; } > t.json
has "rows larger than what is read at once" "2 seeds from 2 rows" \
    "$(take t.json)"

# ---- CSV --------------------------------------------------------------------

for sign in ';' '|' '\t' ','; do
    printf "prompt${sign}completion\nsay, yes${sign}b\n" |
        sed '/,,/!{/,b$/s/, / /}' > t.csv
    has "the sign is found: $sign" "1 seed from 1 row" "$(take t.csv)"
done
printf 'prompt^completion\na^b\n' > t.csv
has "another is named" "1 seed " "$(take --delimiter '^' t.csv)"
fails "a sign is one character" 2 "--delimiter takes one" \
    $S import --delimiter ab t.csv
printf 'sep=;\nprompt;completion\na,1;b\n' > t.csv
has "a spreadsheet's first line" "1 seed " "$(take t.csv)"
printf 'prompt,completion\r"a ""q""",b\rc,d\r' > t.csv
has "lines that end with CR" "2 seeds from 2 rows" "$(take t.csv)"
printf 'prompt,completion\r\na,b\r\n"c\r\nd",e\r\n' > t.csv
has "with CR and LF" "2 seeds from 2 rows" "$(take t.csv)"
printf 'prompt,completion\n"say \\"NO\\" now",ok\nnext,row\n' > t.csv
out=$(take t.csv)
has "quotes after backslashes" "2 seeds from 2 rows" "$out"
has "are said" "1 row with quotes after backslashes" "$out"
has "and read" 'say \"NO\" now' "$(prompt s1)"
printf 'prompt,completion\n"C:\\temp\\",ok\n"a\\\\b",c\n' > t.csv
take t.csv > /dev/null
has "a backslash that is none of these stays" 'C:\\temp\\' "$(prompt s1)"
printf 'prompt,completion\nA 5" disk,old\nA tape,older\n' > t.csv
has "a quote inside an unquoted field is text" "2 seeds from 2 rows" \
    "$(take t.csv)"
has "kept" 'A 5\" disk' "$(prompt s1)"
printf 'prompt,completion\n"open,x\nnext,"c"\n"a" b,d\nlast,ok\n' > t.csv
out=$(take t.csv)
has "a stray quote names its row" 'line 2: a quote inside the quoted column "'\
'prompt"' "$out"
has "the next ones are read" "2 seeds from 4 rows of shape completion (0 "\
"blank, 2 bad" "$out"
printf 'prompt,completion\n"never closed,x\nnext,c\nlast,ok\n' > t.csv
out=$(take t.csv)
has "so does one that is never closed" 'line 2: the quote that opens the colu'\
'mn "prompt" is never closed' "$out"
has "the next ones too" "2 seeds from 3 rows" "$out"
printf 'messages,tags\n"[{""role"":""user"",""content"":""hi""},'\
'{""role"":""assistant"",""content"":""yo""}]","x, y"\n' > t.csv
has "JSON in a cell" "1 seed " "$(take t.csv)"
printf 'prompt,completion\na,b,c\nd,e\n' > t.csv
has "too many fields" "line 2: 3 fields, the header has 2" "$(take t.csv)"

# ---- Bytes ------------------------------------------------------------------

printf '{"prompt":"a\303\247\303\243o \360\237\230\200"}\n{"prompt":"b"}\n' \
    > t.jsonl
printf 'prompt;completion\na\303\247\303\243o;b\n' > u.csv
if command -v iconv > /dev/null; then
    for order in UTF-16LE UTF-16BE; do
        iconv -f UTF-8 -t $order t.jsonl > bare.jsonl
        { [ $order = UTF-16LE ] && printf '\377\376' || printf '\376\377'
          cat bare.jsonl; } > marked.jsonl
        for f in bare marked; do
            out=$(take $f.jsonl)
            has "$order, $f" "2 seeds from 2 rows" "$out"
            has "is said" "read as: UTF-16" "$out"
            has "and right" 'ação 😀' "$(prompt s1)"
        done
    done
    { printf '\377\376'; iconv -f UTF-8 -t UTF-16LE u.csv; } > v.csv
    has "CSV as UTF-16" "1 seed " "$(take v.csv)"
fi
printf '\377\376{\0"\0p\0r\0o\0m\0p\0t\0"\0:\0"\0\0\330"\0}\0\n\0' > half.jsonl
has "half a pair" "bytes that are not UTF-8" "$(take half.jsonl)"
{ printf '\357\273\277'; cat t.jsonl; } > bom.jsonl
has "UTF-8 with a mark" "2 seeds" "$(take bom.jsonl)"
gzip -c t.jsonl > t.jsonl.gz
out=$(take t.jsonl.gz)
has "gzip" "2 seeds from 2 rows" "$out"
has "is said" "read as: gzip" "$out"
printf '{"prompt":"c"}\n' | gzip -c >> t.jsonl.gz
has "several streams in one file" "3 seeds" "$(take t.jsonl.gz)"
gzip -c u.csv > u.csv.gz
has "CSV in gzip" "1 seed " "$(take u.csv.gz)"
cp t.jsonl.gz named-otherwise
has "told by its bytes" "3 seeds" "$(take named-otherwise)"
head -c 40 t.jsonl.gz > cut.jsonl.gz
fails "cut off: nothing is taken" 1 "cannot be unpacked (it is cut off)" \
    take cut.jsonl.gz
if command -v zstd > /dev/null; then
    zstd -q -c t.jsonl > t.jsonl.zst
    has "zstd" "2 seeds from 2 rows" "$(take t.jsonl.zst)"
    head -c 1100000000 /dev/zero | zstd -q -c > bomb.jsonl.zst
    fails "a ceiling on what unpacks" 1 "unpacks to over 1024 MiB" \
        take bomb.jsonl.zst
fi
while read -r name magic; do
    # shellcheck disable=SC2059
    printf "$magic and more" > "x.$name"
    fails "$name is named" 1 "is $name, which is not read; this makes what "\
"is:" \
        take "x.$name"
done << 'END'
Parquet PAR1
zip PK\003\004
xz \3757zXZ\000
bzip2 BZh91
Arrow ARROW1
END
fails "with its line" 1 "xz -dk 'x.xz'" take x.xz
finish
