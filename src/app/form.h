/* Forms: a few fields and buttons that stand where the item stood. A form
 * that was closed is kept and comes back as it was. */
#ifndef APP_FORM_H
#define APP_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/line.h"
#include "base/err.h"
#include "base/mem.h"

enum form_kind { FORM_NONE, FORM_EXPAND, FORM_TRAIN, FORM_TEACHER };

enum field_kind {
    FIELD_PICK,   /* one of choices: Left and Right */
    FIELD_NUMBER, /* digits, perhaps a decimal sign; may be empty */
    FIELD_LINE    /* any text */
};

struct form_field {
    enum field_kind kind;
    const char *name;     /* as the command line's option */
    const char *label;    /* untranslated; of the gutter */
    char value[FIELD_BYTES + 1]; /* FIELD_PICK: the choice's name */
    char note[100];       /* behind it; translated */
    VEC(char *) choices;
    size_t choice;
    int width;            /* of a typed field's box */
    bool path;            /* ~/ at its beginning becomes $HOME/ */
};

/* One of an estimate's figures; where there is no room for all of them, the
 * one with the highest rank goes first. */
struct form_figure {
    const char *title; /* untranslated */
    int rank;
    char value[40];
};

#define FORM_FIGURES 6
#define FORM_FIELDS 8
#define FORM_BUTTONS 3

struct form {
    enum form_kind kind;
    struct form_field fields[FORM_FIELDS];
    size_t n_fields;
    const char *buttons[FORM_BUTTONS]; /* untranslated */
    size_t n_buttons, main; /* main: the one that FORM_START presses */
    size_t at; /* fields, then buttons */
    struct line typing; /* the value of the field that has the cursor */
    bool fresh; /* nothing was typed since it came here: a digit replaces */
    bool tried; /* facts and preview are of a call that was tried */
    bool open, stale; /* stale: a value changed since the facts were made */
    char price[60]; /* behind the main button's name; "": nothing */
    /* what stands below the fields */
    const char *facts_label, *preview_label; /* untranslated */
    struct form_figure figures[FORM_FIGURES]; /* above the facts */
    size_t n_figures;
    char facts[5][200];
    char *preview; /* a long text with its heading in preview_title */
    char preview_title[60];
    int scroll;
};

void form_free(struct form *f);
/* Opens it with the cursor in the first field. */
void form_enter(struct form *f);
struct form_field *form_add(struct form *f, enum field_kind kind,
                            const char *name, const char *label,
                            const char *value);
void form_choice(struct form_field *x, const char *name);
/* Chooses by name; the first one where it is not there. */
void form_pick(struct form_field *x, const char *name);
/* The field of that name, NULL where there is none; its value, "". */
struct form_field *form_field(struct form *f, const char *name);
const char *form_value(const struct form *f, const char *name);
/* The number typed in a field, or `otherwise` where it is empty or none. */
double form_number(const struct form *f, const char *name, double otherwise);
/* Sets fields from "--recipe label --prompts=20 answers=2"; false with a
 * sentence where a word is no field, or its value none of its choices: the
 * fields before it are set. */
bool form_set(struct form *f, const char *args, struct err *e);
/* Puts pasted text into the field that has the cursor; false where it takes
 * none, or not as much. */
bool form_paste(struct form *f, const char *text);

enum form_event {
    FORM_IGNORED, FORM_MOVED, FORM_CHANGED, FORM_PRESSED, FORM_CLOSED
};
/* One key; FORM_START presses the main button from wherever the cursor is.
 * After FORM_PRESSED the button is f->at - f->n_fields. */
#define FORM_START "^S"
enum form_event form_key(struct form *f, const char *key);

#endif
