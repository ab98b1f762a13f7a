/* Apart, because <term.h> defines macros with everyday names. */
#include <curses.h>
#include <term.h>
#include <stdbool.h>

#include "ui/theme.h"

bool terminfo_can_move(const char *name);

bool terminfo_can_move(const char *name)
{
    int why = 0;
    return setupterm(name, 1, &why) == OK && cursor_address &&
           cursor_address != (char *)-1;
}

unsigned terminfo_shows(unsigned attrs, bool coloured)
{
    static const unsigned bits[] = {A_STANDOUT, A_UNDERLINE, A_REVERSE,
                                    A_BLINK, A_DIM, A_BOLD};
    unsigned shown = attrs & termattrs();
    for (int i = 0; coloured && no_color_video > 0 && i < 6; i++)
        if (no_color_video & 1 << i)
            shown &= ~bits[i];
    return shown;
}
