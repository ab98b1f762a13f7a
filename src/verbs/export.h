/* Export: what was accepted becomes a bundle of files for other trainers.
 *
 * Rows come from the samples of a target that a filter names:
 *   sft, sft_pc  the chosen answer of each accepted sample; sft_pc has a row
 *                of its own for each earlier assistant turn that is trained
 *   dpo          pairs of accepted samples: by a person's order the best
 *                against each worse, and each edit on the way to the chosen
 *                answer against what it was made from (unless the order says
 *                otherwise); both under the same prompt, neither empty, equal
 *                ones tie. The weights of a prompt's pairs add up to 1
 *   kto          the chosen answers as true; as false those that a person
 *                (never a check) rejected as wrong, off topic, format, style
 *                or unsafe: the one that was shown; all bad: every one.
 *                Empty ones are passed over
 * The filter is asked of accepted and rejected samples alike, so one that
 * says status:accepted leaves kto without false rows.
 */
#ifndef VERBS_EXPORT_H
#define VERBS_EXPORT_H

#include "export/bundle.h"
#include "store/store.h"
#include "verbs/since.h"

#define EXPORT_SEED 7
#define EXPORT_WORDS 1000 /* above, a row is marked long */

struct export_form {
    int64_t target;
    const char *filter;        /* "" for everything */
    bool shapes[SHAPE_COUNT];  /* which to write */
    enum thinking thinking;
    bool list_tools;           /* tools as a list, not as JSON text */
    const char *system;        /* "keep": the target's, where a prompt has
                                  none; "drop": none; another: this one; NULL:
                                  as the prompts have it */
    int64_t seed;              /* noted in the lock, for the trainer */
    int64_t max_words;         /* 0: no limit */
    const id_list *leave;      /* samples to leave out; NULL: none */
    bool leave_wrong;          /* leave wrong rows out */
    bool replace;              /* an earlier bundle */
    int64_t since;             /* the export compared with; 0: the newest */
    const char *dir;
    bool (*stop)(void);        /* asked once a sample: true ends with
                                  ERR_CANCEL and leaves nothing; or NULL */
};

/* Counts, checks, files and bytes as verb_export would write them; writes
 * nothing. It reads every sample, some 10,000 a second: a screen runs it in a
 * child, `stillroom export --dry-run --json`. The caller frees *report with
 * export_report_free, also after a failure. */
bool verb_export_preview(struct store *s, const struct export_form *f,
                         struct export_report *report,
                         struct export_since *since, struct err *e);

/* Writes the bundle to f->dir and notes it in the store: *id gets its number,
 * 0 where the store is read-only and could not be told. Writers of the store
 * wait while it is read. As verb_export_preview in all else. */
bool verb_export(struct store *s, const struct export_form *f,
                 struct export_report *report, struct export_since *since,
                 int64_t *id, struct err *e);

#endif
