/* A store of a few decided samples, and bundles made of it. */
#ifndef UNIT_BUNDLES_H
#define UNIT_BUNDLES_H

#include "unit/test.h"

#include "export/bundle.h"
#include "store/export.h"
#include "verbs/export.h"

extern struct err e;
extern struct store *s; /* of the test that runs */
extern int64_t target;

int fresh_store(void **state);
int close_store(void **state);
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fresh_store, close_store)

/* A path that no test has had; the caller frees. */
char *temp_path(const char *name);

/* A sample with these answers (NULL-ended); its id. */
int64_t add(const char *question, enum split split,
            const char *const *answers);
#define ADD(question, split, ...)                                             \
    add(question, split, (const char *const[]){__VA_ARGS__, NULL})
/* One whose prompt and answer are canonical JSON; accepted. */
int64_t add_json(const char *prompt, const char *body);

void decide(int64_t id, enum status to, const char *who, const char *reason);
void put_order(int64_t id, const char *text);
int64_t candidate_id(int64_t sample, size_t i);

struct export_form form(const char *dir);
/* Exports everything into a new folder, which the caller frees. */
char *export_all(struct export_report *r);
/* The file's text; the caller frees. "" where there is none. */
char *slurp(const char *dir, const char *name);
void assert_file(const char *dir, const char *name, const char *want);
size_t lines_with(const char *text, const char *part);

#endif
