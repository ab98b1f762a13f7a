#include "domain/status.h"

#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/sha256.h"

#define NAME(id, n, name, ...) [n] = name,
#define LABEL(id, n, name, label, ...) [n] = label,
#define MARK(id, n, name, label, mark) [n] = mark,

static const char *const status_names[] = {STATUSES(NAME)};
static const char *const status_labels[] = {STATUSES(LABEL)};
static const char *const status_marks[] = {STATUSES(MARK)};
static const char *const split_names[] = {SPLITS(NAME)};
static const char *const split_labels[] = {SPLITS(LABEL)};
static const char *const source_names[] = {SOURCES(NAME)};
static const char *const source_labels[] = {SOURCES(LABEL)};
static const char *const verdict_names[] = {VERDICTS(NAME)};
static const char *const verdict_marks[] = {VERDICTS(MARK)};

#define REASON_ROW(key, name, label, is_false) {key, name, label, is_false},
static const struct reason reason_table[] = {REASONS(REASON_ROW)};

static bool find(const char *const *names, int n, const char *name, int *out)
{
    for (int i = 0; i < n; i++) {
        if (!strcmp(names[i], name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

const char *status_name(enum status s) { return status_names[s]; }
const char *status_label(enum status s) { return _(status_labels[s]); }
const char *status_mark(enum status s) { return status_marks[s]; }
const char *split_name(enum split s) { return split_names[s]; }
const char *split_label(enum split s) { return _(split_labels[s]); }
const char *source_name(enum source s) { return source_names[s]; }
const char *source_label(enum source s) { return _(source_labels[s]); }
const char *verdict_name(enum verdict v) { return verdict_names[v]; }
const char *verdict_mark(enum verdict v) { return verdict_marks[v]; }

bool status_parse(const char *name, enum status *out)
{
    int i;
    if (!find(status_names, STATUS_COUNT, name, &i))
        return false;
    *out = (enum status)i;
    return true;
}

bool split_parse(const char *name, enum split *out)
{
    int i;
    if (!find(split_names, SPLIT_COUNT, name, &i))
        return false;
    *out = (enum split)i;
    return true;
}

const struct reason *reasons(size_t *n)
{
    *n = COUNT(reason_table);
    return reason_table;
}

const char *reason_label(const char *name)
{
    for (size_t i = 0; i < COUNT(reason_table); i++)
        if (!strcmp(reason_table[i].name, name))
            return _(reason_table[i].label);
    return !strcmp(name, REASON_ALL_BAD) ? _("all bad")
           : !strcmp(name, REASON_LABEL) ? _("label")
                                         : _(name);
}

const char *aspect_label(const char *name)
{
    static const char *const shipped[] = {
        N_("aspect|help"), N_("aspect|truth"), N_("aspect|instr")};
    for (size_t i = 0; i < COUNT(shipped); i++)
        if (!strcmp(strchr(shipped[i], '|') + 1, name))
            return C_(shipped[i]);
    return name;
}

const char *deed_label(const char *kind)
{
#define DEED_LABEL(name, label) {name, label},
    static const struct {
        const char *name, *label;
    } deeds[] = {DEEDS(DEED_LABEL)};
#undef DEED_LABEL
    for (size_t i = 0; i < COUNT(deeds); i++)
        if (!strcmp(deeds[i].name, kind))
            return _(deeds[i].label);
    return kind;
}

bool reason_is_false(const char *name)
{
    for (size_t i = 0; i < COUNT(reason_table); i++)
        if (!strcmp(reason_table[i].name, name))
            return reason_table[i].is_false;
    return reason_is_of_all(name);
}

bool reason_is_of_all(const char *name)
{
    return !strcmp(name, REASON_ALL_BAD) || !strcmp(name, REASON_LABEL);
}

enum split split_of(const void *salt, size_t salt_size, const char *content)
{
    struct sha s;
    uint8_t d[SHA_SIZE];
    sha_start(&s);
    sha_field(&s, salt, salt_size);
    sha_field(&s, content, strlen(content));
    sha_end(&s, d);
    unsigned part = ((unsigned)d[0] << 8 | d[1]) % 100;
    return part < 90 ? SPLIT_TRAIN : part < 95 ? SPLIT_VALID : SPLIT_TEST;
}

size_t split_quota(enum split s, size_t n)
{
    enum { FREE = 6, LEAST = 3, TWELVE = 12 };
    size_t share = n * 5 / 100;
    if (s == SPLIT_TRAIN)
        return n - split_quota(SPLIT_VALID, n) - split_quota(SPLIT_TEST, n);
    if (n >= TWELVE)
        return share > LEAST ? share : LEAST;
    return n <= FREE ? 0 : (n - FREE + (s == SPLIT_VALID)) / 2;
}
