#!/bin/sh
# $EDITOR: what it leaves is taken whole or not at all.
. "$srcdir/pty/lib.sh"
export S
editor() { # NAME, its body on stdin
    { echo '#!/bin/sh'; cat; } > "ed-$1"
    chmod +x "ed-$1"
}
echo 'echo changed > "$1"; exit 3' | editor fails
printf '%s\n' 'printf "\377\376" > "$1"' | editor junk
printf '%s\n' 'printf "a\000b" > "$1"' | editor nul
echo 'true' | editor same
echo 'rm "$1"' | editor gone
echo 'echo "What is 8 x 8?" > "$1"' | editor seed
editor asks <<'X'
cp "$1" seen
stat -c %a "$1" > mode
env > env-seen
printf 'really? '
read -r _
sed 's/31/thirty-two/' seen > "$1"
X
sample_store t.db
mkdir -p config/stillroom
printf '[teacher x]\nurl = https://x.test/v1\nmodel = m\nkey_env = X_KEY\n' \
    > config/stillroom/config
drives "editors" -e XDG_CONFIG_HOME="$PWD/config" -e X_KEY=SECRET \
    "$scripts/editor.script"
has "the store is whole" " 0 findings" "$("$S" fsck --store t.db)"
finish
