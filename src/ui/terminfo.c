/* Apart, because <term.h> defines macros with everyday names. */
#include <curses.h>
#include <term.h>
#include <stdbool.h>

bool terminfo_can_move(const char *name);

bool terminfo_can_move(const char *name)
{
    int why = 0;
    return setupterm(name, 1, &why) == OK && cursor_address &&
           cursor_address != (char *)-1;
}
