#!/bin/sh
# What was not on the screen to its end is not decided unasked.
. "$srcdir/pty/lib.sh"
export S
rows() { # three samples: a long prompt, a long answer, and a short one
    awk 'BEGIN {
        p = a = ""
        for (i = 1; i <= 40; i++)
            p = p "line " i " of the prompt.\\n"
        for (i = 1; i <= 60; i++)
            a = a "answer row " i ".\\n"
        m = "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}," \
            "{\"role\":\"assistant\",\"content\":\"%s\"}]}\n"
        printf m, p, "Here is the answer\047s own end."
        printf m, "a short prompt?", a
        printf m, "2 + 2?", "4"
    }'
}
rows > rows.jsonl
text_store long.db rows.jsonl
sample_store t.db
drives "unseen" "$scripts/unseen.script"
finish
