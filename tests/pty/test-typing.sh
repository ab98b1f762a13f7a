#!/bin/sh
# What is typed: the welcome screen's paths, prompts, forms.
. "$srcdir/pty/lib.sh"
FIX=$fixtures
export FIX S
cat > ed-doc <<'X'
#!/bin/sh
cp "$1" seen
[ -e same ] || cp doc "$1"
X
chmod +x ed-doc
for script in begin lines forms fields drafts; do
    rm -f stillroom.db
    sample_store t.db
    drives "$script" "$scripts/$script.script"
done
has "the store is whole" " 0 findings" "$("$S" fsck --store t.db)"
finish
