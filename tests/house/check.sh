#!/bin/sh
# The rules of the house (design, section 4), read off the sources: what a
# room includes, lengths, banned calls, comments, tables. A violation that
# stands in tests/house/known is shown and not counted; that list only
# shrinks. `sh house/check.sh potfiles` prints what po/POTFILES.in has to hold.
LC_ALL=C.UTF-8
export LC_ALL
: "${srcdir:?}" "${top_srcdir:?}"
known=$(cd "$srcdir" && pwd)/house/known
cd "$top_srcdir" || exit 99
found=${TMPDIR:-/tmp}/house.$$
trap 'rm -f "$found"' EXIT
sources=$(find src -name '*.[ch]' ! -name config.h | sort)
tables=$(find src -name '*.def' | sort)
ours=$(find tests -name '*.[ch]' -o -name '*.sh' | sort)

# Who may include whom. base is open to all, and every room to itself.
rooms='
domain:
store: domain
formats: domain
recipe: domain
teacher: domain
jobs: domain
export: formats domain
verbs: store formats recipe teacher jobs export domain
demo: verbs store formats recipe teacher jobs export domain
cli: demo verbs store formats recipe teacher jobs export domain
app: demo verbs store formats recipe teacher jobs export domain
ui: app domain
model/net:
model/token: domain
model/learn: model/net model/token formats domain
model/builtin: recipe domain
model/serve: model/net model/token model/learn model/builtin
model/serve: formats recipe domain
model/cmd: model model/net model/token model/learn model/builtin model/serve
model/cmd: formats recipe domain
'

# Whose alone a library's header is.
owners='
sqlite3.h store/
curl/curl.h teacher/
cJSON.h base/json.c
cjson/cJSON.h base/json.c
curses.h ui/
ncurses.h ui/
term.h ui/terminfo.c
cblas.h model/net/gemm.c
microhttpd.h model/serve/
zlib.h formats/source.c
zstd.h formats/source.c
'

includes() {
    # shellcheck disable=SC2086
    grep -n '^# *include' $sources $tables | awk -v rooms="$rooms" \
        -v owners="$owners" '
    function room(path,    parts) {
        split(path, parts, "/")
        if (parts[1] == "model" && parts[2] !~ /\./)
            return parts[1] "/" parts[2]
        return parts[1]
    }
    BEGIN {
        n = split(rooms, line, "\n")
        for (i = 1; i <= n; i++) {
            m = split(line[i], word, " ")
            for (k = 2; k <= m; k++)
                may[substr(word[1], 1, length(word[1]) - 1), word[k]] = 1
        }
        n = split(owners, line, "\n")
        for (i = 1; i <= n; i++)
            if (split(line[i], word, " ") == 2)
                owner[word[1]] = word[2]
    }
    {
        split($0, at, ":")
        file = substr(at[1], 5)
        header = $0
        sub(/^[^<"]*[<"]/, "", header)
        sub(/[>"].*$/, "", header)
        system_header = $0 ~ /</
        if (header in owner && system_header &&
            index(file, owner[header]) != 1)
            print at[1] ": " header " is for " owner[header] " alone"
        if (system_header || file !~ /\// || header !~ /\// )
            next
        from = room(file)
        to = room(header)
        if (to != from && to != "base" && !((from, to) in may))
            print at[1] ": " from " may not include " header
    }'
}

# A test without a line passes.
empty() {
    # shellcheck disable=SC2086
    find $sources $tables $ours -empty | sed 's/$/: is empty/'
}

# What a test reads is in the tarball: scripts are listed by name.
shipped() {
    for file in tests/pty/*.script; do
        grep -qF "${file#tests/} " tests/Makefile.am ||
            echo "$file: is not in tests/Makefile.am"
    done
}

lengths() {
    # shellcheck disable=SC2086
    wc -l $sources $ours | awk '$2 != "total" && $1 > 800 {
        print $2 ": " $1 " lines, over 800" }'
    # shellcheck disable=SC2086
    grep -l '^.\{81,\}' $sources $tables $ours |
        sed 's/$/: has lines over 80 columns/'
    # shellcheck disable=SC2086
    awk 'FNR == 1 { open = 0 }
        /^[a-zA-Z_].*\(/ { name = $0; sub(/\(.*/, "", name)
                           sub(/.*[ *]/, "", name) }
        /^{/ { open = FNR }
        /^}/ { if (open && FNR - open - 1 > 100)
                   print FILENAME ": " name " has " FNR - open - 1 " lines"
               open = 0 }' $sources $ours
}

banned='strcpy|strcat|sprintf|vsprintf|gets|strtok|system|popen'
banned="$banned|tmpnam|mktemp|alloca"

banned() {
    # shellcheck disable=SC2086
    grep -nE "\\b($banned) ?\(" $sources | awk -F: '{
        code = $0
        sub(/^[^:]*:[^:]*:/, "", code)
        if (code !~ /^ *(\*|\/\*)/)
            print $1 ": a banned call: " code }'
    # shellcheck disable=SC2086
    grep -nE '(TO''DO|FIX''ME)' $sources $tables $ours |
        awk -F: '{ print $1 ": unfinished: " $3 }'
}

# A block of lines that declares functions has a comment above the first; what
# the name says already (_free, _done, _close) needs none.
comments() {
    for h in $(find src -name '*.h' ! -name config.h | sort); do
        awk '
        function close_block() {
            if (name && !said && name !~ /_(free|done|close)$/)
                print FILENAME ": no comment above " name
            name = ""
            said = 0
        }
        /^ *$/ { close_block(); next }
        /\/\*/ { if (!name) said = 1 }
        /^[a-zA-Z_][^(=]*[ *]\**[a-z_0-9]+\(.*/ && !/^(typedef|static)/ {
            if (!name) { name = $0; sub(/\(.*/, "", name)
                         sub(/.*[ *]/, "", name) }
        }
        END { close_block() }' "$h"
    done
}

potfiles() {
    # shellcheck disable=SC2086
    grep -lE '(^|[^A-Za-z0-9_])(_|N_|ROW_|P_)\(("|$)' $sources $tables | sort
}

translations() {
    potfiles > "$found.pot"
    grep -v '^#' po/POTFILES.in | sort | diff - "$found.pot" |
        sed -n 's/^> \(.*\)/\1: is not in po\/POTFILES.in/p
                s/^< \(.*\)/po\/POTFILES.in: \1 has nothing to translate/p'
    rm -f "$found.pot"
}

# Every text has its Portuguese.
untranslated() {
    command -v msgmerge > /dev/null || return 0
    # shellcheck disable=SC2046
    xgettext -C -k_ -kN_ -kC_ -kROW_ -kP_:1,2 --from-code=UTF-8 \
        -o "$found.pot" $(grep -v '^#' po/POTFILES.in) 2> /dev/null
    msgmerge -q --no-fuzzy-matching -o "$found.po" po/pt_BR.po "$found.pot"
    msgattrib --untranslated --no-wrap "$found.po" |
        sed -n '/^msgid ""$/d; s/^msgid \(.*\)/po\/pt_BR.po: lacks \1/p'
    rm -f "$found.pot" "$found.po"
}

# A text that has a row of 80 columns to itself stands on it in every language.
rows() {
    command -v msgmerge > /dev/null || return 0
    # shellcheck disable=SC2046
    xgettext -C -k -kROW_ --from-code=UTF-8 -o "$found.pot" \
        $(grep -v '^#' po/POTFILES.in) 2> /dev/null
    msgmerge -q --no-fuzzy-matching -o "$found.po" po/pt_BR.po "$found.pot"
    msgattrib --no-obsolete --no-wrap "$found.po" |
        sed -n '1,/^$/d; s/^msg[a-z]* "\(.*\)"$/\1/p' |
        sed 's/%s/Iniciar/' | while IFS= read -r row; do
        [ "$(printf '%s' "$row" | wc -L)" -le 78 ] ||
            echo "over 78 cells: $row"
    done
    rm -f "$found.pot" "$found.po"
}

# What a shipped recipe says of itself stands there in every language.
recipes() {
    for f in data/recipes/*.json; do
        for l in en $(grep -v '^#' po/LINGUAS); do
            sed -n '/"about"/,/}/p' "$f" | grep -q "\"$l\": \"" ||
                echo "$f: about: lacks $l"
        done
    done
}

# A key means one thing in a view.
keys() {
    tr '\n' ' ' < src/app/actions.def | sed 's/ACTION(/\
ACTION(/g' | awk '
    /^ACTION\([A-Z0-9_]+, "/ {
        id = $0; sub(/^ACTION\(/, "", id); sub(/,.*/, "", id)
        split($0, part, "\"")
        views = part[5]; sub(/N_\(.*/, "", views)
        n = split(part[4], key, " ")
        for (i = 1; i <= n; i++) {
            k = key[i]
            all[k] = all[k] " " id "=" views
        }
    }
    END {
        for (k in all) {
            n = split(all[k], use, / [A-Z0-9_]+=/)
            for (i = 2; i <= n; i++)
                for (j = i + 1; j <= n; j++)
                    if (meet(use[i], use[j]))
                        print "src/app/actions.def: the key " k \
                              " has two meanings in one view"
        }
    }
    function meet(a, b,    v, m, q) {
        if (a ~ /ALL/ || b ~ /ALL/)
            return 1
        m = split(a, v, /[ |,]+/)
        for (q = 1; q <= m; q++)
            if (v[q] != "" && index(b, v[q]))
                return 1
        return 0
    }'
}

readme() {
    sed -n 's/^SUB("\([a-z-]*\)".*/\1/p' src/cli/subcommands.def |
        while read -r name; do
            grep -q "stillroom $name\\b" README ||
                echo "README: says nothing of \`stillroom $name\`"
        done
}

# Every subcommand stands in its program's man page.
manuals() {
    for pair in stillroom.1:src/cli/subcommands.def \
        stillroom-model.1:src/model/commands.def; do
        sed -n 's/^[CS][MU][DB]("*\([a-z-]*\)"*, .*/\1/p' "${pair#*:}" |
            while read -r name; do
                grep -q "^\.It Cm.*\b$name\b" "man/${pair%%:*}" ||
                    echo "man/${pair%%:*}: says nothing of $name"
            done
    done
}

# What the compiler left, one archive a room (built programs only): a room
# links what it may include; a function that is not static is called by another
# file, or by its own; a name stands in one program only, or in a room of both.
built=${top_builddir:-.}/src
objects() {
    [ -e "$built/libbase.a" ] || return 0
    nm -A -g "$built"/lib*.a "$built"/main.o "$built"/model_main.o \
        2> /dev/null | awk -v rooms="$rooms" '
    function room(archive) {
        sub(/.*\//, "", archive)
        if (archive !~ /^lib/)
            return "main"
        gsub(/^lib|\.a$/, "", archive)
        return archive
    }
    BEGIN {
        n = split(rooms, line, "\n")
        for (i = 1; i <= n; i++) {
            m = split(line[i], word, " ")
            from = word[1]
            gsub(/model\/|:/, "", from)
            for (k = 2; k <= m; k++) {
                to = word[k]
                sub(/model\//, "", to)
                may[from, to] = 1
            }
        }
        n = split("cli app ui demo verbs store formats teacher jobs export",
                  word, " ")
        for (i = 1; i <= n; i++)
            program[word[i]] = 1
        n = split("net token learn builtin serve cmd", word, " ")
        for (i = 1; i <= n; i++)
            program[word[i]] = 2
    }
    # where what room r links stands: in its own program, or in a room of both
    function stands(r, name) {
        return (program[r], name) in home ? home[program[r], name] \
                                          : home[0, name]
    }
    NF < 3 { next }
    {
        split($1, at, ":")
        r = room(at[1])
        file = at[2]
        name = $NF
        kind = $(NF - 1)
    }
    r == "net64" { next }
    kind == "U" { uses[r, name] = 1; used[name] = 1; next }
    kind ~ /^[TDRBC]$/ && r != "main" {
        if (name in first && first[name] != r)
            print "src: " name " stands in two rooms: " first[name] " and " r
        first[name] = r
        home[program[r] + 0, name] = r
        if (kind == "T")
            file_of[name] = file
    }
    END {
        for (key in uses) {
            split(key, part, SUBSEP)
            to = stands(part[1], part[2])
            if (to && to != part[1] && to != "base" && part[1] != "main" &&
                !((part[1], to) in may))
                print "src: " part[1] " links " part[2] " of " to
        }
        for (name in file_of)
            if (!(name in used))
                print "? " first[name] " " file_of[name] " " name
    }' | while read -r mark where file name rest; do
        if [ "$mark" != "?" ]; then
            echo "$mark $where $file $name $rest"
            continue
        fi
        source=$(find src -path "*/$where/*" -name "$(echo "$file" |
            sed 's/.*_a-//; s/\.o$/.c/')")
        [ "$(grep -cw "$name" "$source")" -gt 1 ] ||
            echo "$source: nobody calls $name"
    done | sort | sed 's/ *$//'
}

# Pages that mandoc finds nothing wrong with, where it is there.
lint() {
    command -v mandoc > /dev/null || return 0
    mandoc -Tlint -W warning man/*.[1-9] 2> /dev/null | sed 's/^mandoc: //'
}

# stillroom(1) has the options that the program has.
options() {
    program=${top_builddir:-.}/src/stillroom
    [ -x "$program" ] || return 0
    sh man/options.sh "$program" src/cli/subcommands.def > "$found.made"
    sed -n '/^\.\\" options: begin/,/^\.\\" options: end/{//!p}' \
        man/stillroom.1 | cmp -s - "$found.made" ||
        echo "man/stillroom.1: not the options of --help: make -C man options"
    rm -f "$found.made"
}

if [ "$1" = potfiles ]; then
    potfiles
    exit
fi
{
    includes; empty; shipped; lengths; banned
    comments; translations; untranslated; rows
    recipes
    keys
    readme
    manuals
    options
    lint
    objects
} > "$found"
while read -r line; do
    grep -qxF "$line" "$known" && echo "known: $line"
done < "$found"
new=$(grep -vxFf "$known" "$found")
mended=$(grep -v '^#' "$known" | grep -vxFf "$found")
[ -e "$built/libbase.a" ] ||
    mended=$(echo "$mended" | grep -v ' links \| calls \| stands in two')
[ -z "$mended" ] ||
    echo "$mended" | sed 's/^/not ok - mended, take it out of known: /'
[ -z "$new" ] || echo "$new" | sed 's/^/not ok - /'
[ -z "$new$mended" ]
