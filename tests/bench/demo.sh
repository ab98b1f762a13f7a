#!/bin/sh
# What curation gains: whole demonstrations, one a random seed, as JSON lines,
# then the means. ARMS (everything,curated; all), SEEDS (3), TOKENS (4500000)
# and PROMPTS (20000) say what; about 6 minutes a seed with two arms on two
# cores. Each line is kept in FILE (bench-demo.jsonl) as soon as it is there;
# seeds that stand there already are not run again, and PARTS=n ends after n
# new ones, so that a long measurement can be made in parts.
set -eu
stillroom=${top_builddir:-../..}/src/stillroom
arms=${ARMS:-everything,curated} seeds=${SEEDS:-3} tokens=${TOKENS:-4500000}
prompts=${PROMPTS:-20000} file=${FILE:-bench-demo.jsonl} parts=${PARTS:-99}
head="{\"bench\":\"demo\",\"arms\":\"$arms\""
head="$head,\"tokens\":$tokens,\"prompts\":$prompts,\"seed\""
touch "$file"
seed=1
while [ "$seed" -le "$seeds" ] && [ "$parts" -gt 0 ]; do
    if ! grep -qF "$head:$seed," "$file"; then
        one=$(LC_ALL=C.UTF-8 "$stillroom" demo --batch --json --arms "$arms" \
            --seed "$seed" --tokens "$tokens" --prompts "$prompts" \
            2> "$file.log") || { cat "$file.log" >&2; exit 1; }
        # right without and with a trigger, in per cent, of each arm and set
        share='\([0-9.]*\)% without a trigger, \([0-9.]*\)% with one'
        found="s/.* \([a-z]*\): .* right on \(H.\); $share\$/"
        found="$found\"\1 \2\":[\3,\4]/p"
        triggers=$(sed -n "$found" "$file.log" | paste -sd, -)
        printf '%s:%s,"demo":%s,"triggers":{%s}}\n' "$head" "$seed" "$one" \
            "$triggers" >> "$file"
        rm -f "$file.log"
        parts=$((parts - 1))
    fi
    seed=$((seed + 1))
done
grep -F "$head:" "$file"

# The means over the seeds, in per cent, and what curated is ahead.
grep -F "$head:" "$file" | awk '
function mean(text, name,    from) {
    from = length(name) + 11
    return match(text, "\"" name "\":\\{\"mean\":[0-9.]+") \
        ? substr(text, RSTART + from, RLENGTH - from) : -1
}
{
    split("before everything random curated edits truth seeds teacher " \
        "nearest_row", names, " ")
    cut = index($0, "\"exact_match_new_forms\"")
    for (i = 1; i in names; i++) {
        h1[i] += mean(substr($0, 1, cut), names[i])
        h2[i] += mean(substr($0, cut), names[i])
    }
    n++
}
END {
    for (i = 1; i in names; i++)
        if (h1[i] >= 0) {
            printf "{\"bench\":\"demo\",\"mean_of\":%d,\"name\":\"%s\"," \
                "\"h1\":%.1f,\"h2\":%.1f}\n", n, names[i],
                100 * h1[i] / n, 100 * h2[i] / n
            at[names[i]] = i
        }
    if (("curated" in at) && ("everything" in at))
        printf "{\"bench\":\"demo\",\"mean_of\":%d,\"gap_h1\":%.1f," \
            "\"gap_h2\":%.1f}\n", n,
            100 * (h1[at["curated"]] - h1[at["everything"]]) / n,
            100 * (h2[at["curated"]] - h2[at["everything"]]) / n
}'
