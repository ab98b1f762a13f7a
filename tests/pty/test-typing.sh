#!/bin/sh
# What is typed: the welcome screen's paths, prompts, forms.
. "$srcdir/pty/lib.sh"
FIX=$fixtures
export FIX S
for script in begin lines forms; do
    rm -f stillroom.db
    sample_store t.db
    drives "$script" "$scripts/$script.script"
done
finish
