#!/bin/sh
# Students' files as others write them: GGUF types by their names, models in
# several files, adapters whose patterns are regular expressions, added tokens
# that go through the normalizers before they are looked for.
. "$srcdir/cli/lib.sh"
M="$top_builddir/src/stillroom-model"

# ---- added tokens (SHARED may not be there: the tokenizer is made here)
mkdir -p words
cat > words/tokenizer.json << 'EOF'
{"version": "1.0", "normalizer": {"type": "Lowercase"},
 "pre_tokenizer": null, "post_processor": null, "decoder": null,
 "added_tokens": [
  {"id": 9, "content": "AB", "normalized": true, "special": false,
   "lstrip": false, "rstrip": false, "single_word": false},
  {"id": 10, "content": "CD", "normalized": false, "special": false,
   "lstrip": false, "rstrip": false, "single_word": false},
  {"id": 11, "content": "E", "normalized": true, "special": false,
   "lstrip": true, "rstrip": true, "single_word": true}],
 "model": {"type": "BPE", "unk_token": "u", "fuse_unk": false,
  "byte_fallback": false, "merges": [],
  "vocab": {"u": 0, "a": 1, "b": 2, "c": 3, "d": 4, " ": 5, "e": 6, "x": 7,
   "_": 8}}}
EOF
echo '{}' > words/tokenizer_config.json
ids() { printf '"%s"\n' "$1" | $M tokenize words; }
is "a normalized token is looked for as it is written there" \
    "[7,9,9,9,7]" "$(ids xABabaBx)"
is "one that is not stands for itself" "[10,3,4]" "$(ids CDcd)"
is "a single word, with the blanks around it" "[7,11,7]" "$(ids 'x  e x')"
is "not inside a word" "[7,6,7,6,8]" "$(ids 'xexE_')"
sed 's/"Lowercase"/"Replace", "pattern": {"Regex": "."}, "content": ""/' \
    words/tokenizer.json > bare.json
mkdir -p bare && mv bare.json bare/tokenizer.json
echo '{}' > bare/tokenizer_config.json
fails "a token of which nothing is left" 1 "leave nothing of it" \
    $M tokenize bare

cases=$SHARED/cases
if ! test -d "$cases"; then
    echo "skipped the rest: no ../shared/cases"
    finish
    exit
fi
is "the library's ids on its own file" "[1,410,444,504,423,295,433,505,422]
[1,410,444,512,348]" "$(printf '"x<mark>y"\n"x <mark> y"\n' |
    $M tokenize "$cases/49-added-token-normalized")"

# ---- GGUF
k=$cases/50-gguf-k-quant-message/k.gguf
out=$($M convert "$k" k 2>&1)
is "a type that is not read: exit code" 1 "$?"
has "its name, and what is read" "Q4_K is not read; F32, F16, Q4_0" "$out"
is "the file is named once" 1 "$(echo "$out" | grep -o 'k\.gguf' | wc -l)"
is "and nothing is written" no "$(test -e k && echo yes || echo no)"
cp "$cases"/52-gguf-sharded/*.gguf .
chmod u+w ./*.gguf
is "a model in two files" "14800 parameters" \
    "$($M convert m-00001-of-00002.gguf whole | sed 's/^whole: //')"
has "which answers" logprobs "$(echo '{"ids":[1,30,40]}' | $M score whole)"
fails "its second file" 1 "read through its first" \
    $M convert m-00002-of-00002.gguf second
cp m-00001-of-00002.gguf n-00001-of-00002.gguf
fails "the second is missing" 1 "n-00002-of-00002.gguf" \
    $M convert n-00001-of-00002.gguf lone
cp m-00001-of-00002.gguf n-00002-of-00002.gguf
fails "the second is another" 1 "it is not part 2 of 2" \
    $M convert n-00001-of-00002.gguf lone
cp m-00001-of-00002.gguf n.gguf
fails "its name does not say where the others are" 1 "read through its first" \
    $M convert n.gguf lone

# ---- adapters
base=$SHARED/models/stories260k
mkdir -p by-regex by-name
for to in by-regex by-name; do
    cp "$cases"/53-adapter-rank_pattern-regex/adapter_* $to
    chmod u+w $to/*
done
sed -i 's/".*\\\\.layers.*q_proj": 2,/"layers.1.self_attn.q_proj": 2,\
    "layers.3.self_attn.q_proj": 2,/' by-name/adapter_config.json
score() {
    echo '{"ids":[1,403,407,261]}' | $M score "$base" --adapter "$1" 2>&1 |
        grep logprobs
}
is "no pattern is left in the second" 0 \
    "$(grep -c '\[13\]' by-name/adapter_config.json)"
is "a regular expression is what it matches" "$(score by-name)" \
    "$(score by-regex)"
has "and it scores" logprobs "$(score by-regex)"
sed -i 's/\[13\]/[7-9]/' by-regex/adapter_config.json
is "it is not taken for everything" no \
    "$(test "$(score by-name)" = "$(score by-regex)" && echo yes || echo no)"
sed -i 's/\[7-9\]/[13/' by-regex/adapter_config.json
has "one that is none" "is no regular expression" \
    "$(echo '{"ids":[1,2]}' | $M score "$base" --adapter by-regex 2>&1)"
finish
