#!/bin/sh
# Export from a shell: the same bytes twice, refusals by id, failures that
# leave nothing. Every subset of such a bundle was loaded once with the real
# loader, datasets 5.2.0 (load_dataset(DIR, SUBSET)): 397 rows of sft and of
# sft_pc, 1 of dpo, 399 of kto, the counts of lock.json, split by split.
. "$srcdir/cli/lib.sh"
$S init > /dev/null
i=0
while [ $i -lt 60 ]; do
    echo "{\"question\":\"How much is $i and seven?\",\"answer\":\"It is $((i + 7)).\",\"split\":\"$(
        case $i in *7) echo test ;; *8) echo valid ;; *) echo train ;; esac)\"}"
    i=$((i + 1))
done > q.jsonl
$S import --as samples --target sums q.jsonl > /dev/null
fails "nothing accepted" 1 "nothing to export" $S export out
fails "no folder named" 2 "name one folder" $S export
fails "no such shape" 2 '"rm" is no shape' $S export out --shapes sft,rm
$S review --accept all > /dev/null
$S review --reject 3,4 --reason wrong > /dev/null
$S review --reject 5 --reason duplicate > /dev/null
printf 'No.' > a.txt
$S review --edit 6 --answer a.txt > /dev/null

has "a dry run" "nothing is written" "$($S export --dry-run)"
is "and it wrote nothing" "" "$(ls | grep out)"
has "export" "x1" "$($S export out)"
has "again" "since x1: 0 rows new, 0 gone, 0 changed" "$($S export again)"
is "the same bytes" "" "$(diff -r out again)"
is "in Portuguese too" "" "$(LANGUAGE=pt_BR $S export third > /dev/null
    diff -r out third)"
lock=out/prov/lock.json
bad=0
for f in $(cd out && find . -type f ! -name lock.json | sed 's,^\./,,'); do
    sum=$(sha256sum "out/$f" | cut -d' ' -f1)
    grep -q "\"path\":\"$f\",.*\"sha256\":\"$sum\"" $lock || bad=$f
done
is "every file is in the lock with its hash" 0 "$bad"
is "no clock" "" "$(grep -rE '20[0-9][0-9]-|"(at|born|time)"' out)"
is "no null" "" "$(grep -rlw null out)"
is "false only what a person found wrong" 2 \
    "$(cat out/kto/*.jsonl | grep -c '"label":false')"
is "an edit is a pair" 1 "$(cat out/dpo/*.jsonl | wc -l)"
cat out/sft/test.jsonl out/sft/valid.jsonl | while read -r row; do
    grep -qF "$row" out/sft/train.jsonl && echo leak
done > leaks
is "nothing held out is in train" "" "$(cat leaks)"
is "a row of provenance for each row" \
    "$(cat out/sft/* out/sft_pc/* out/dpo/* out/kto/* | wc -l)" \
    "$(wc -l < out/prov/rows.jsonl)"

fails "an earlier bundle" 1 "--replace" $S export out
$S review --reject 10 --reason style > /dev/null
has "replaced" "since x3: 0 rows new, 5 gone, 1 changed" \
    "$($S export --leave-out 11 --replace out)"
has "since an earlier one" "since x3: 0 rows new, 5 gone, 1 changed" \
    "$($S export --dry-run --leave-out 11 --since x3)"
has "since the newest" "since x4: 0 rows new, 0 gone, 0 changed" \
    "$($S export --dry-run --leave-out 11)"
fails "since none" 1 "x9" $S export --dry-run --since x9
fails "since nonsense" 2 "often" $S export --dry-run --since often
sh -c 'mkdir out.tmp-$$ && echo part > out.tmp-$$/rows'
$S export --leave-out 11 --replace out > /dev/null
is "what a killed export left is swept" "" "$(ls -d out.tmp-* 2> /dev/null)"
has "left out on request" '"sample":11,"candidate":11,"shape":"sft","why":"asked"' \
    "$(cat $lock)"
is "no traces beside it" "" "$(ls | grep -E 'tmp|old')"
echo mine > out/mine.txt
fails "a file of somebody's" 1 "mine.txt" $S export --replace out
is "is still there" mine "$(cat out/mine.txt)"

printf ' ' > blank.txt
$S review --edit 12 --answer blank.txt > /dev/null
fails "a wrong row" 1 "12 (empty)" $S export bad
is "is not written" "" "$(ls | grep bad)"
has "is left out" "3 rows left out" "$($S export bad --leave-out wrong)"
has "and the lock says so" '"sample":12,"candidate":62,"shape":"sft","why":"empty"' \
    "$(cat bad/prov/lock.json)"
$S review --reject 12 --reason wrong > /dev/null

fails "no parent folder" 1 "No such file" $S export no/where
ln -s out link
fails "a link" 1 "is a link" $S export link --replace
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null &&
    chmod 711 "$HOME" && setpriv --reuid=65534 --clear-groups test -x "$S"
then
    nobody() { setpriv --reuid=65534 --clear-groups "$S" "$@"; }
    mkdir shut theirs
    cp stillroom.db shut/
    cp stillroom.db theirs/
    chmod 644 shut/stillroom.db
    chown -R 65534 theirs
    fails "a folder that may not be written" 1 "Permission denied" \
        nobody export --store theirs/stillroom.db shut/out
    is "stays as it was" "stillroom.db" "$(ls shut)"
    has "a store that may not be written" "not noted in the store" \
        "$(nobody export --store shut/stillroom.db theirs/out 2>&1)"
else
    echo "skipped: needs root and setpriv"
fi
mkdir small
if mount -t tmpfs -o size=8k tmpfs small 2> /dev/null; then
    fails "a full disk" 1 "No space left" $S export small/out
    is "nothing is left on it" "" "$(ls small)"
    umount small
else
    echo "skipped: no mount"
fi
has "fsck" "0 findings" "$($S fsck)"
finish
