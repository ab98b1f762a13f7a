#include "export/card.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"

/* ---- README.md ---------------------------------------------------------- */

/* The hub's ladder. */
static const char *size_category(int64_t n)
{
    static const struct {
        int64_t under;
        const char *name;
    } ladder[] = {{1000, "n<1K"}, {10000, "1K<n<10K"},
                  {100000, "10K<n<100K"}, {1000000, "100K<n<1M"},
                  {10000000, "1M<n<10M"}};
    for (size_t i = 0; i < COUNT(ladder); i++)
        if (n < ladder[i].under)
            return ladder[i].name;
    return "10M<n<100M";
}

/* Split names of the hub: valid is called validation there. */
static const char *hub_split(int k)
{
    return k == SPLIT_VALID ? "validation" : split_name((enum split)k);
}

/* Written first of those that are there. */
static const enum shape by_default[] = {SHAPE_SFT_PC, SHAPE_SFT, SHAPE_DPO,
                                        SHAPE_KTO};

static void write_configs(const struct export_report *r, struct buf *out)
{
    bool first = true;
    buf_puts(out, "configs:\n");
    for (size_t i = 0; i < COUNT(by_default); i++) {
        enum shape s = by_default[i];
        if (!export_rows(r, s))
            continue;
        buf_printf(out, "- config_name: %s\n%s  data_files:\n",
                   shape_name(s), first ? "  default: true\n" : "");
        for (int k = 0; k < SPLIT_COUNT; k++)
            if (r->rows[s][k])
                buf_printf(out, "  - split: %s\n    path: %s/%s.jsonl\n",
                           hub_split(k), shape_name(s),
                           split_name((enum split)k));
        first = false;
    }
}

static void write_header(const struct export_options *o,
                         const struct export_report *r, struct buf *out)
{
    buf_puts(out, "---\npretty_name: ");
    json_quote(out, o->target, strlen(o->target));
    if (o->languages)
        buf_printf(out, "\nlanguage: %s", o->languages);
    buf_printf(out, "\nsize_categories: [\"%s\"]\n",
               size_category(export_most_rows(r)));
    buf_puts(out, "task_categories: [text-generation]\n"
                  "annotations_creators: [machine-generated, "
                  "expert-generated]\n");
    write_configs(r, out);
    buf_puts(out, "---\n\n");
}

static void write_counts(const struct export_report *r, struct buf *out)
{
    static const char *const what[SHAPE_COUNT] = {
        "conversations: `messages`",
        "`prompt` and `completion`; train on the completion only",
        "`prompt`, `chosen`, `rejected`",
        "`prompt`, `completion`, `label`"};
    buf_puts(out, "| subset | train | valid | test | rows |\n"
                  "| --- | ---: | ---: | ---: | --- |\n");
    for (int s = 0; s < SHAPE_COUNT; s++) {
        if (!export_rows(r, (enum shape)s))
            continue;
        buf_printf(out, "| %s |", shape_name((enum shape)s));
        for (int k = 0; k < SPLIT_COUNT; k++)
            buf_printf(out, " %lld |", (long long)r->rows[s][k]);
        buf_printf(out, " %s |\n", what[s]);
    }
    if (export_rows(r, SHAPE_DPO))
        buf_printf(out, "\nPairs: %lld from a person's order (the best "
                   "against each worse), %lld from edits (an edit beats what "
                   "it was made from). `weight` in `prov/rows.jsonl` adds up "
                   "to 1 over the pairs of a prompt.\n",
                   (long long)r->order_pairs, (long long)r->edit_pairs);
    if (export_rows(r, SHAPE_KTO))
        buf_printf(out, "\nLabels: %lld true, %lld false. False are only "
                   "answers that a person rejected as wrong, off topic, "
                   "format, style, unsafe or all bad.\n",
                   (long long)(export_rows(r, SHAPE_KTO) - r->false_rows),
                   (long long)r->false_rows);
}

/* A Markdown table's cell or line: no new lines, pipes kept apart. */
static void put_plain(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '|')
            buf_putc(out, '\\');
        buf_putc(out, (unsigned char)*s < ' ' ? ' ' : *s);
    }
}

static void write_origin(const struct export_options *o,
                         const answerers *by, struct buf *out)
{
    buf_puts(out, "\n## How it was made\n\nCurated with stillroom. Filter: ");
    put_plain(out, *o->filter ? o->filter : "everything");
    buf_printf(out, "; journal position d%lld, seed %lld, export version %d. "
               "`prov/rows.jsonl` says for each row where it came from and "
               "who decided; `prov/lock.json` has the SHA-256 of each "
               "file.\n\n| answers by | rows |\n| --- | ---: |\n",
               (long long)o->as_of, (long long)o->seed, EXPORT_VERSION);
    for (size_t i = 0; i < by->n; i++) {
        buf_puts(out, "| ");
        put_plain(out, by->at[i].name);
        buf_printf(out, " | %lld |\n", (long long)by->at[i].rows);
    }
    buf_puts(out, "\nNo licence is stated here: the terms of the teachers and "
                  "of the seeds apply.\n");
}

static void write_checks(const struct export_report *r, struct buf *out)
{
    buf_puts(out, "\n## Checks\n\n");
    buf_puts(out, report_has_findings(r) ? "| check | samples | what |\n"
                                    "| --- | ---: | --- |\n"
                                  : "No check found anything.\n");
    for (int i = 0; i < ROW_CHECK_COUNT; i++) {
        const struct export_finding *f = &r->found[i];
        enum row_check c = (enum row_check)i;
        if (!f->samples.n)
            continue;
        buf_printf(out, "| %s | %zu | %s", row_check_name(c), f->samples.n,
                   row_check_english(c));
        if (c == ROW_NEAR)
            buf_printf(out, ", %.2f to %.2f", f->low, f->high);
        if (row_check_verdict(c) == VERDICT_FAIL)
            buf_puts(out, "; left out");
        buf_puts(out, " |\n");
    }
    buf_printf(out, "\n%zu rows were left out.\n", r->left.n);
}

void card_write(const struct export_options *o, const struct export_report *r,
                const answerers *by, struct buf *out)
{
    write_header(o, r, out);
    buf_puts(out, "# ");
    put_plain(out, o->target);
    buf_puts(out, "\n\n");
    if (o->description && *o->description)
        buf_printf(out, "%s\n\n", o->description);
    write_counts(r, out);
    write_origin(o, by, out);
    write_checks(r, out);
}

/* ---- dataset_info.json -------------------------------------------------- */

void index_write(const struct export_report *r, struct buf *out)
{
    static const char *const tags[][2] = {
        {"role_tag", "role"}, {"content_tag", "content"},
        {"user_tag", "user"}, {"assistant_tag", "assistant"},
        {"system_tag", "system"}, {"observation_tag", "tool"},
        {"function_tag", "function"}};
    struct jw w = jw_start(out);
    char name[40];
    jw_open(&w, '{');
    for (int k = 0; k < SPLIT_COUNT; k++) {
        if (!r->rows[SHAPE_SFT][k])
            continue;
        const char *split = split_name((enum split)k);
        snprintf(name, sizeof name, "sft_%s", split);
        jw_key(&w, name);
        jw_open(&w, '{');
        snprintf(name, sizeof name, "sft/%s.jsonl", split);
        jw_kstr(&w, "file_name", name);
        jw_kstr(&w, "formatting", "sharegpt");
        jw_key(&w, "columns");
        jw_open(&w, '{');
        jw_kstr(&w, "messages", "messages");
        jw_close(&w);
        jw_key(&w, "tags");
        jw_open(&w, '{');
        for (size_t i = 0; i < COUNT(tags); i++)
            jw_kstr(&w, tags[i][0], tags[i][1]);
        jw_close(&w);
        jw_close(&w);
    }
    jw_close(&w);
    buf_putc(out, '\n');
}

/* ---- prov/lock.json ----------------------------------------------------- */

static void lock_counts(struct jw *w, const struct export_report *r)
{
    jw_key(w, "rows");
    jw_open(w, '{');
    for (int s = 0; s < SHAPE_COUNT; s++) {
        if (!export_rows(r, (enum shape)s))
            continue;
        jw_key(w, shape_name((enum shape)s));
        jw_open(w, '{');
        for (int k = 0; k < SPLIT_COUNT; k++)
            if (r->rows[s][k])
                jw_kint(w, split_name((enum split)k), r->rows[s][k]);
        jw_close(w);
    }
    jw_close(w);
    jw_kint(w, "samples", r->samples);
    jw_kint(w, "order_pairs", r->order_pairs);
    jw_kint(w, "edit_pairs", r->edit_pairs);
    jw_kint(w, "false_rows", r->false_rows);
}

static void lock_files(struct jw *w, const struct export_report *r)
{
    char hex[2 * SHA_SIZE + 1];
    jw_key(w, "files");
    jw_open(w, '[');
    for (size_t i = 0; i < r->files.n; i++) {
        const struct export_file *f = &r->files.at[i];
        jw_open(w, '{');
        jw_kstr(w, "path", f->path);
        if (f->rows)
            jw_kint(w, "rows", f->rows);
        jw_kint(w, "bytes", f->bytes);
        jw_kstr(w, "sha256", sha_hex(f->sha, SHA_SIZE, hex));
        jw_close(w);
    }
    jw_close(w);
}

static void lock_found(struct jw *w, const struct export_report *r)
{
    jw_key(w, "checks");
    jw_open(w, '[');
    for (int i = 0; i < ROW_CHECK_COUNT; i++) {
        enum row_check c = (enum row_check)i;
        const struct export_finding *f = &r->found[i];
        if (!f->samples.n)
            continue;
        jw_open(w, '{');
        jw_kstr(w, "check", row_check_name(c));
        jw_kstr(w, "verdict", verdict_name(row_check_verdict(c)));
        jw_key(w, "samples");
        jw_open(w, '[');
        for (size_t k = 0; k < f->samples.n; k++)
            jw_int(w, f->samples.at[k]);
        jw_close(w);
        jw_close(w);
    }
    jw_close(w);
}

static void lock_left(struct jw *w, const struct export_report *r)
{
    jw_key(w, "left_out");
    jw_open(w, '[');
    for (size_t i = 0; i < r->left.n; i++) {
        const struct export_left *l = &r->left.at[i];
        jw_open(w, '{');
        jw_kint(w, "sample", l->sample);
        jw_kint(w, "candidate", l->candidate);
        jw_kstr(w, "shape", shape_name(l->shape));
        jw_kstr(w, "why", l->check < 0
                              ? "asked"
                              : row_check_name((enum row_check)l->check));
        jw_close(w);
    }
    jw_close(w);
}

void lock_write(const struct export_options *o, const struct export_report *r,
                struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kint(&w, "stillroom_export", EXPORT_VERSION);
    jw_kstr(&w, "store", o->store_id);
    jw_kstr(&w, "target", o->target);
    jw_kstr(&w, "filter", o->filter);
    jw_kint(&w, "as_of", o->as_of);
    jw_kint(&w, "seed", o->seed);
    jw_kint(&w, "max_words", o->max_words);
    jw_knum(&w, "near", o->near);
    lock_counts(&w, r);
    lock_files(&w, r);
    lock_found(&w, r);
    lock_left(&w, r);
    jw_close(&w);
    buf_putc(out, '\n');
}
