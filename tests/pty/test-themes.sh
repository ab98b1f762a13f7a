#!/bin/sh
# Themes: by :set and by the config, the user's own before the shipped ones,
# mistakes with file and line; a diff that a theme tells by colour alone, or a
# terminal that shows no more of it, has its marks.
. "$srcdir/pty/lib.sh"
sample_store t.db
sample_store other.db
mine=.config/stillroom/themes
mkdir -p $mine
printf 'del = plain | red\nadd = plain | green\n' > $mine/mine.theme
printf 'ok = plain | blue\n\nbad = rouge\n' > $mine/broken.theme
cat > themes.script <<'SCRIPT'
run t.db
keys 3 g i
wait Typing
type  Now
keys Esc Space d :
has 31 Now
type set theme 
keys Tab
wait broken   default   high-contrast   light   mine
keys ^U
type set theme mine
keys Enter
wait 31 {+Now+}
keys :
type set theme light
keys Enter
wait 31 Now
keys Q
exit 0
restored
SCRIPT
cat > more.script <<'SCRIPT'
run other.db
keys :
type set theme high
keys Tab Enter
hasnt high
keys :
type set theme nosuch
keys Enter
wait no theme is named nosuch; there are: broken, default, high-contrast,
keys Esc :
type set theme broken
keys Enter
wait ~/.config/stillroom/themes/broken.theme line 3: "rouge"
keys Esc Q
exit 0
restored
SCRIPT
cat > config.script <<'SCRIPT'
run other.db
wait broken.theme line 3:
keys Q
exit 0
SCRIPT
drives "by :set" themes.script
drives "mistakes, and completion" more.script
printf '[ui]\ntheme = broken\n' > .config/stillroom/config
drives "by the config" config.script
printf '[ui]\ntheme = nosuch\n' > .config/stillroom/config
sed 's/broken.theme line 3:/config line 2: no theme is named nosuch/' \
    config.script > nosuch.script
drives "no such theme" nosuch.script
finish
