#!/bin/sh
# What the line is asked to carry: the byte table of the design.
. "$srcdir/pty/lib.sh"
for term in xterm-256color tmux-256color; do
    sample_store bytes.db
    drives "bytes on $term" -e TERM=$term "$scripts/bytes.script"
done
finish
