/* The files of a bundle that programs read beside the rows. Not for other
 * rooms. */
#ifndef EXPORT_LOCK_H
#define EXPORT_LOCK_H

#include "export/bundle.h"

/* The folder of LLaMA-Factory's files, SHAPE_SPLIT.jsonl. */
#define TURNS_DIR "lf"

/* dataset_info.json: what LLaMA-Factory finds there, every shape and split. */
void index_write(const struct export_report *r, struct buf *out);

/* prov/lock.json. */
void lock_write(const struct export_options *o, const struct export_report *r,
                struct buf *out);

#endif
