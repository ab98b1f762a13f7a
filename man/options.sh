#!/bin/sh
# Prints the OPTIONS of stillroom.1 as the program's own help has them:
#   sh man/options.sh src/stillroom src/cli/subcommands.def
# `make -C man options` puts them into the page; the house's check compares.
program=$1
LC_ALL=C
LANGUAGE=
export LC_ALL LANGUAGE
"$program" stat --help > "${TMPDIR:-/tmp}/common.$$"
trap 'rm -f "${TMPDIR:-/tmp}/common.$$"' EXIT
sed -n 's/^SUB("\([a-z-]*\)".*/\1/p' "$2" | while read -r verb; do
    "$program" "$verb" --help | grep -vxFf "${TMPDIR:-/tmp}/common.$$" |
        awk '
        function plain(s) { gsub(/\\/, "\\e", s); return s }
        NR == 1 { verb = $2 " " $3
                  sub(/^usage: /, ""); sub(/ *$/, ""); usage = $0 }
        /^  --/ {
            name = $1
            text = substr($0, 26)
            arg = substr($0, 3, 22)
            if (length($1 " " $2) > 22) {
                arg = $1 " " $2
                text = substr($0, length(arg) + 4)
            }
            sub(/^--[a-z-]* */, "", arg)
            sub(/ *$/, "", arg)
            if (!n++) {
                print ".Ss " verb
                print ".Dl " plain(usage)
                print ".Bl -tag -width Ds -compact"
            }
            print ".It Fl -" substr(name, 3) (arg == "" ? "" : " Ar " arg)
            print plain(text)
        }
        END { if (n) print ".El" }'
done | fold -s -w 78 | sed 's/ *$//'
