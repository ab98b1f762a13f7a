#!/bin/sh
# Keys, sizes, signals and terminals that are none.
. "$srcdir/pty/lib.sh"
export S
for script in keys sizes signals; do
    sample_store t.db
    drives "$script" "$scripts/$script.script"
    has "$script: the store is whole" " 0 findings" "$("$S" fsck --store t.db)"
done

drives "welcome" "$scripts/welcome.script"
drives "teacher" "$scripts/teacher.script"
drives "config" "$scripts/config.script"
drives "work" "$scripts/work.script"
drives "import" "$scripts/import.script"
rm -f stillroom.db

fails "no terminal" 1 "there is no terminal here" "$S" t.db
none() { # NAME PART ENV...
    name=$1 part=$2
    shift 2
    printf '%s\n' "start t.db" "wait $part" "exit 1" restored > none.script
    drives "$name" "$@" none.script
}
none "TERM unset" '$TERM is not set' -e TERM
none "TERM empty" '$TERM is not set' -e TERM=
none "a dumb terminal" 'cannot place' -e TERM=dumb
none "an unknown terminal" 'none-such' -e TERM=none-such
none "a hostile TERM" 'cannot' "-e" "TERM=../../../etc/passwd"
for term in vt100 linux screen tmux-256color; do
    printf '%s\n' "sh rm -rf .local" "run t.db" "keys j k 2 1 3 Q" "exit 0" \
        > term.script
    drives "TERM=$term" -e TERM=$term term.script
done
finish
