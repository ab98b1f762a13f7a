/* The program's language. Catalogues are read by a small reader of our own:
 * on Debian the locale asked for is often not installed, and glibc then knows
 * no translation. Texts are marked _("..."), N_("...") for tables that are
 * translated where they are shown, P_("one", "many", n), and C_("where|text")
 * where one English word is several in another language.
 */
#ifndef BASE_LANG_H
#define BASE_LANG_H

#include <stdbool.h>
#include <stddef.h>

#define _(text) lang_text(text)
#define N_(text) text
#define ROW_(text) text /* as N_: a whole row, 78 cells in every language */
#define C_(text) lang_context(text)
#define P_(one, many, n) lang_plural(one, many, n)

/* Sets the character type from the environment (falling back to C.UTF-8, or
 * to C where LC_ALL, LC_CTYPE or LANG say C or POSIX), keeps LC_NUMERIC at C,
 * and loads the catalogue of the first language of LANGUAGE, LC_ALL,
 * LC_MESSAGES, LANG that has one under `dirs` (NULL-ended; in each
 * DIR/LL/LC_MESSAGES/stillroom.mo and DIR/LL.gmo are tried). */
void lang_init(const char *const dirs[]);

/* Forgets the catalogue. */
void lang_done(void);

/* The translation, or the text itself. */
const char *lang_text(const char *text)
    __attribute__((format_arg(1)));
/* The translation, or what stands behind the first |. */
const char *lang_context(const char *text);
const char *lang_plural(const char *one, const char *many, unsigned long n)
    __attribute__((format_arg(1), format_arg(2)));

/* The language in use ("pt_BR"), "en" where there is no catalogue. */
const char *lang_name(void);

/* True where the terminal's character set is UTF-8. */
bool lang_utf8(void);

/* Writes a number with the language's signs: `decimals` digits behind the
 * sign, thousands grouped. Returns out. */
char *lang_number(char *out, size_t cap, double value, int decimals);

/* Writes a size in bytes as people read it: "1.9 MB". Returns out. */
char *lang_size(char *out, size_t cap, double bytes);

/* From now on money is shown in this currency (three capitals; USD at first);
 * false where the text is none. */
bool lang_set_currency(const char *code);
/* Writes an amount with its currency's sign in front: "$1.50". Returns out. */
char *lang_money(char *out, size_t cap, double value, int decimals);
/* The sign alone: "$". */
const char *lang_currency(void);

#endif
