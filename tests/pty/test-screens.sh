#!/bin/sh
# Every view and every question against its golden, in three sizes, with and
# without UTF-8 and colours. UPDATE=1 writes the goldens anew.
. "$srcdir/pty/lib.sh"

# screen SIZE SIGNS PEN SCRIPT
screen() {
    sample_store small.db
    rm -rf acts.db acts.runs
    cp small.db acts.db
    cp -r small.runs acts.runs
    case $2 in
    ascii) signs=C ;;
    *) signs=C.UTF-8 ;;
    esac
    case $3 in
    mono) pen=NO_COLOR=1 ;;
    *) pen=NO_COLOR ;;
    esac
    drives "$4 $1 $2 $3" -k "$1-$2-$3" -s "$1" -e "LC_ALL=$signs" -e "$pen" \
        "$scripts/$4.script"
}

for view in views acts; do
    screen 80x24 utf8 colour $view
    screen 80x24 ascii mono $view
    screen 40x12 utf8 colour $view
    screen 40x12 ascii mono $view
    screen 120x30 utf8 colour $view
    screen 120x30 ascii mono $view
done
for size in 60x16 100x10 100x30 120x36 160x48 200x60; do
    screen $size utf8 mono views
done
screen 80x24 utf8 mono views
screen 80x24 ascii colour views
finish
