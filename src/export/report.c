#include "export/report.h"

int64_t export_rows(const struct export_report *r, enum shape s)
{
    int64_t n = 0;
    for (int k = 0; k < SPLIT_COUNT; k++)
        n += r->rows[s][k];
    return n;
}

int64_t export_most_rows(const struct export_report *r)
{
    int64_t most = 0;
    for (int s = 0; s < SHAPE_COUNT; s++) {
        int64_t n = export_rows(r, (enum shape)s);
        most = n > most ? n : most;
    }
    return most;
}

void report_find(struct export_report *r, enum row_check c, int64_t sample)
{
    id_list *l = &r->found[c].samples;
    if (!l->n || l->at[l->n - 1] != sample)
        VEC_PUSH(l, sample);
}

bool report_has_findings(const struct export_report *r)
{
    for (int i = 0; i < ROW_CHECK_COUNT; i++)
        if (r->found[i].samples.n)
            return true;
    return false;
}

void report_leave(struct export_report *r, const struct export_row *row,
                  int check)
{
    struct export_left l = {row->shape, row->sample, row->candidate, check};
    VEC_PUSH(&r->left, l);
}

void export_report_free(struct export_report *r)
{
    for (int i = 0; i < ROW_CHECK_COUNT; i++)
        VEC_FREE(&r->found[i].samples);
    for (size_t i = 0; i < r->files.n; i++)
        free(r->files.at[i].path);
    VEC_FREE(&r->files);
    VEC_FREE(&r->left);
    VEC_FREE(&r->members);
    free(r->lock);
    free(r->swept);
    free(r->restored);
    *r = (struct export_report){0};
}
