#include "export/card.h"

#include <string.h>

#include "export/lock.h"

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
    if (export_rows(r, SHAPE_KTO) && !r->false_rows)
        buf_puts(out, "\nLabels: all true. Without a false row kto has "
                      "nothing to compare with: train on sft_pc, or reject "
                      "some answers as wrong.\n");
    else if (export_rows(r, SHAPE_KTO))
        buf_printf(out, "\nLabels: %lld true, %lld false. False are only "
                   "answers that a person rejected as wrong, off topic, "
                   "format, style, unsafe or all bad, or that arrived "
                   "labelled so.\n",
                   (long long)(export_rows(r, SHAPE_KTO) - r->false_rows),
                   (long long)r->false_rows);
}

/* How each trainer reads a shape, with the one setting that it wants; what
 * tests/peers/trainers.sh tries of it, the card says. */
static const struct {
    enum shape shape;
    const char *trainer, *how;
} loading[] = {
    {SHAPE_SFT, "TRL", "`--dataset_name DIR --dataset_config sft`; trains the "
                       "prompt too, unless `assistant_only_loss: true`"},
    {SHAPE_SFT, "LLaMA-Factory", "`dataset_dir: DIR`, `dataset: sft_train`"},
    {SHAPE_SFT, "Axolotl", "`path: DIR/sft/train.jsonl`, `ds_type: json`, "
                           "`type: chat_template`; for turns marked `train`, "
                           "`message_field_training: train`; of a "
                           "call's arguments those without a value are "
                           "lost"},
    {SHAPE_SFT, "MLX-LM", "`--data DIR/sft --mask-prompt`, which trains the "
                          "last turn alone"},
    {SHAPE_SFT, "NeMo RL", "`dataset_name: openai_format`, `data_path: "
                           "DIR/sft/train.jsonl`, `use_preserving_dataset: "
                           "true`; trains every answer, marked or not"},
    {SHAPE_SFT, "Unsloth", "`load_dataset(DIR, \"sft\")` to `SFTTrainer` with "
                           "`assistant_only_loss=True`; on its command line "
                           "`--local-dataset DIR/sft/train.jsonl "
                           "--train-on-completions`, where of a call's "
                           "arguments those without a value and digits past "
                           "64 bits are lost"},
    {SHAPE_SFT_PC, "TRL", "`--dataset_config sft_pc`; trains the completion "
                          "only, by itself"},
    {SHAPE_SFT_PC, "LLaMA-Factory", "`dataset: sft_pc_train`, "
                                    "`mask_history: true`"},
    {SHAPE_SFT_PC, "Unsloth", "`load_dataset(DIR, \"sft_pc\")` to "
                              "`SFTTrainer`; trains the completion only, by "
                              "itself"},
    {SHAPE_DPO, "TRL", "`--dataset_config dpo`"},
    {SHAPE_DPO, "LLaMA-Factory", "`stage: dpo`, `dataset: dpo_train`"},
    {SHAPE_DPO, "Axolotl", "`rl: dpo`, `type: chat_template.default`, "
                           "`field_messages: prompt`; tool calls are lost "
                           "there"},
    {SHAPE_KTO, "TRL", "`--dataset_config kto`, "
                       "`per_device_train_batch_size` of 2 or more"},
    {SHAPE_KTO, "LLaMA-Factory", "`stage: kto`, `dataset: kto_train`"}};

static void write_loading(const struct export_report *r, struct buf *out)
{
    buf_puts(out, "\n## Loading\n\nDIR is this folder. `datasets` reads a "
                  "subset with `load_dataset(DIR, \"sft\")`; where rows "
                  "have tools, version 4.7 or later. LLaMA-Factory's own "
                  "files are in `" TURNS_DIR "/`, which "
                  "`dataset_info.json` names: thinking stands in the text "
                  "there, and of a turn that calls tools the calls alone.\n\n"
                  "| subset | trainer | how |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < COUNT(loading); i++)
        if (export_rows(r, loading[i].shape))
            buf_printf(out, "| %s | %s | %s |\n",
                       shape_name(loading[i].shape), loading[i].trainer,
                       loading[i].how);
    buf_puts(out, "\nRows with `tools` have them as JSON text unless the "
                  "export was made with `--tools list`, which MLX-LM, NeMo RL "
                  "and, for sft_pc, Unsloth want there; the others read "
                  "both. MLX-LM trains on sft alone, NeMo RL's pairs are rows "
                  "of another shape.\n\nTried: rows of each kind, read by "
                  "the trainers' own code; of Axolotl, MLX-LM, NeMo RL and "
                  "Unsloth what is trained was held against the row. trl "
                  "1.16 with datasets 5.2; Axolotl 0.19 and Unsloth 2026.10 "
                  "with datasets 4.8; MLX-LM 0.32; LLaMA-Factory and NeMo RL "
                  "as of August 2026.\n");
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
    buf_puts(out, o->thinking == THINKING_KEEP
                      ? "\nThinking, where there is some, stands in the "
                        "text between `<think>` and `</think>`.\n"
                  : o->thinking == THINKING_FIELD
                      ? "\nThinking, where there is some, is "
                        "`reasoning_content`.\n"
                      : "\nThinking was left out.\n");
    if (o->system) {
        buf_puts(out, "\nSystem message: ");
        put_plain(out, o->system);
        buf_putc(out, '\n');
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
    write_loading(r, out);
    write_origin(o, by, out);
    write_checks(r, out);
}
