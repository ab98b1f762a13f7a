/* One of a closed set of labels, behind a marker, with its reason. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "recipe/parser.h"
#include "recipe/read.h"

#define LABELS 32
#define MARKS 32   /* characters in front of a label that are forgiven */
#define VERDICT 60 /* tokens of a verdict and its reason */

struct settings {
    char *marker; /* "Verdict:" */
    char *labels[LABELS], *folded[LABELS];
    char *list; /* all of them, for sentences */
    size_t n;
};

static bool add_label(const json *v, struct settings *own, struct err *e)
{
    const char *text = json_string(v);
    char *label = text ? uni_fold_space(text) : NULL;
    if (!label || !*label) {
        free(label);
        return err_set(e, ERR_INPUT, _("labels: an empty text"));
    }
    own->labels[own->n] = label;
    own->folded[own->n++] = uni_fold_case(label);
    for (size_t i = 0; i + 1 < own->n; i++)
        if (!strcmp(own->folded[i], own->folded[own->n - 1]))
            return err_set(e, ERR_INPUT, _("labels: \"%.40s\" stands there "
                                           "twice"), label);
    return true;
}

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    const json *labels = json_get(j, "labels");
    struct buf list = BUF_INIT(0);
    if (!read_text(j, "marker", false, &own->marker, e))
        return false;
    text_or(&own->marker, "Verdict:");
    if (!json_is_array(labels) || json_count(labels) < 2 ||
        json_count(labels) > LABELS)
        return err_set(e, ERR_INPUT, _("labels: expected a list of 2 to %d "
                                       "texts"), LABELS);
    for (const json *v = json_first(labels); v; v = json_next(v))
        if (!add_label(v, own, e))
            return false;
    for (size_t i = 0; i < own->n; i++)
        buf_printf(&list, i ? ", %s" : "%s", own->labels[i]);
    own->list = buf_take(&list);
    return true;
}

static void unload(void *settings)
{
    struct settings *own = settings;
    for (size_t i = 0; i < own->n; i++) {
        free(own->labels[i]);
        free(own->folded[i]);
    }
    free(own->list);
    free(own->marker);
    free(own);
}

/* ---- Finding a label ----------------------------------------------------- */

static bool in_word(const char *s)
{
    uint32_t cp;
    return utf8_get(s, strnlen(s, 4), &cp) &&
           (uni_kind(cp) == UNI_LETTER || uni_kind(cp) == UNI_NUMBER);
}

/* How many bytes of s are the label, 0 for none: a whole word. */
static size_t label_here(const char *s, const char *folded)
{
    size_t most = 3 * strlen(folded) + 3, i = 0;
    uint32_t cp;
    while (s[i] && s[i] != '\n' && i < most) {
        size_t n = utf8_get(s + i, strnlen(s + i, 4), &cp);
        i += n ? n : 1;
        if (in_word(s + i) && in_word(s + i - (n ? n : 1)))
            continue;
        char *piece = xstrndup(s, i), *fold = uni_fold_case(piece);
        bool same = !strcmp(fold, folded);
        free(piece);
        free(fold);
        if (same)
            return i;
    }
    return 0;
}

/* The longest label that s begins with, behind what is no word; n for none. */
static size_t find_label(const struct settings *own, const char *s,
                         const char **behind)
{
    size_t found = own->n, longest = 0, n;
    uint32_t cp;
    for (int k = 0; k < MARKS && !longest && *s && *s != '\n'; k++, s += n) {
        for (size_t i = 0; i < own->n; i++) {
            size_t len = label_here(s, own->folded[i]);
            if (len <= longest)
                continue;
            longest = len;
            found = i;
            *behind = s + len;
        }
        n = utf8_get(s, strnlen(s, 4), &cp);
        if (!n || in_word(s))
            break;
    }
    return found;
}

/* "yes / no": the form was given back, nothing is decided. */
static bool is_choice(const struct settings *own, size_t label,
                      const char *behind)
{
    const char *sign = behind + strspn(behind, " \t*_`\"'])"), *past;
    size_t other = *sign == '/' || *sign == '|'
                       ? find_label(own, sign + 1, &past) : own->n;
    return other < own->n && other != label;
}

static void add(struct parse *p, size_t label, char *reason)
{
    const struct settings *own = p->step->own;
    struct recipe_item *it = parse_add(p, 0);
    field_put(it, "verdict", own->labels[label]);
    field_take(it, "reason", reason);
}

/* A reply that is a label and nothing else. */
static bool is_label(struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    const char *behind;
    s += strspn(s, " \t\r\n");
    size_t label = find_label(own, s, &behind);
    if (label == own->n)
        return false;
    behind = parse_skip_marks(behind);
    if (behind[strspn(behind, " \t\r\n*_`")])
        return false;
    add(p, label, NULL);
    return true;
}

static void parse(struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    const char *line, *text, *behind;
    if (!parse_marked(s, own->marker, &line, &text)) {
        if (!is_label(p, s))
            parse_miss_marker(p, own->marker);
        return;
    }
    size_t label = find_label(own, parse_first_words(text), &behind);
    if (label == own->n)
        parse_miss(p, xasprintf(_("the verdict is none of %s"), own->list));
    else if (is_choice(own, label, behind))
        parse_miss(p, xstrdup(_("the verdict names more than one label")));
    else if (p->cut && !*behind)
        parse_miss(p, xstrdup(_("the verdict was cut off")));
    else
        add(p, label, parse_reason(s, line, behind));
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    const char *reason = field_get(it, "reason");
    (void)number;
    if (reason)
        buf_printf(out, "%s\n", reason);
    buf_printf(out, "%s %s\n", own->marker, parse_field(it, "verdict"));
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)s;
    (void)prompt;
    (void)answer;
    return VERDICT;
}

const struct parser parser_verdict = {
    .name = "verdict", .keys = "labels marker", .gives = "verdict reason",
    .load = load, .unload = unload, .parse = parse, .write = write_item,
    .tokens = tokens};
