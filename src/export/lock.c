#include "export/lock.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"

/* ---- dataset_info.json -------------------------------------------------- */

/* The columns of a shape that are named as LLaMA-Factory names them; roles
 * are ShareGPT's, which it takes where no tags are given. */
static void put_columns(struct jw *w, enum shape s)
{
    jw_kstr(w, "messages", "conversations");
    jw_kstr(w, "system", "system");
    jw_kstr(w, "tools", "tools");
    if (s == SHAPE_DPO) {
        jw_kstr(w, "chosen", "chosen");
        jw_kstr(w, "rejected", "rejected");
    }
    if (s == SHAPE_KTO)
        jw_kstr(w, "kto_tag", "kto_tag");
}

static void put_entry(struct jw *w, enum shape s, enum split k)
{
    char name[60];
    snprintf(name, sizeof name, "%s_%s", shape_name(s), split_name(k));
    jw_key(w, name);
    jw_open(w, '{');
    snprintf(name, sizeof name, TURNS_DIR "/%s_%s.jsonl", shape_name(s),
             split_name(k));
    jw_kstr(w, "file_name", name);
    jw_kstr(w, "formatting", "sharegpt");
    if (s == SHAPE_DPO)
        jw_kbool(w, "ranking", true);
    jw_key(w, "columns");
    jw_open(w, '{');
    put_columns(w, s);
    jw_close(w);
    jw_close(w);
}

void index_write(const struct export_report *r, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    for (int s = 0; s < SHAPE_COUNT; s++)
        for (int k = 0; k < SPLIT_COUNT; k++)
            if (r->rows[s][k])
                put_entry(&w, (enum shape)s, (enum split)k);
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
    jw_kstr(&w, "thinking", thinking_name(o->thinking));
    if (o->list_tools)
        jw_kstr(&w, "tools", "list");
    if (o->system)
        jw_kstr(&w, "system", o->system);
    lock_counts(&w, r);
    lock_files(&w, r);
    lock_found(&w, r);
    lock_left(&w, r);
    jw_close(&w);
    buf_putc(out, '\n');
}
