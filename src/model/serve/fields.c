#include "model/serve/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "base/mem.h"

enum { CHAT = 1, TEXT = 2, BOTH = CHAT | TEXT };

/* `neutral`: JSON values with a blank between two, or one of the kinds below;
 * NULL: it is honoured, and request.c reads it. */
#define ANY_TEXT "text"
#define ANY_FLAG "flag"
#define ANY_OBJECT "object"

static const struct field {
    const char *name;
    int of;
    const char *neutral;
} fields[] = {
    {"model", BOTH, NULL},
    {"messages", CHAT, NULL},
    {"prompt", TEXT, NULL},
    {"echo", TEXT, NULL},
    {"stream", BOTH, NULL},
    {"stream_options", BOTH, NULL},
    {"n", BOTH, NULL},
    {"max_tokens", BOTH, NULL},
    {"max_completion_tokens", BOTH, NULL},
    {"temperature", BOTH, NULL},
    {"top_p", BOTH, NULL},
    {"top_k", BOTH, NULL},
    {"min_p", BOTH, NULL},
    {"frequency_penalty", BOTH, NULL},
    {"presence_penalty", BOTH, NULL},
    {"repetition_penalty", BOTH, NULL},
    {"logit_bias", BOTH, NULL},
    {"stop", BOTH, NULL},
    {"seed", BOTH, NULL},
    {"logprobs", BOTH, NULL},
    {"top_logprobs", CHAT, NULL},
    {"stillroom_top_logprobs", CHAT, NULL},
    {"response_format", BOTH, NULL},
    {"tools", BOTH, NULL},
    {"chat_template_kwargs", BOTH, NULL},
    /* OpenAI's own, as clients send them */
    {"user", BOTH, ANY_TEXT},
    {"safety_identifier", BOTH, ANY_TEXT},
    {"prompt_cache_key", BOTH, ANY_TEXT},
    {"prompt_cache_retention", BOTH, ANY_TEXT},
    {"metadata", BOTH, ANY_OBJECT},
    {"store", BOTH, "false"},
    {"best_of", TEXT, "1"},
    {"suffix", TEXT, "\"\""},
    {"service_tier", BOTH, "\"auto\" \"default\""},
    {"reasoning_effort", BOTH, ANY_TEXT},
    {"verbosity", CHAT, "\"medium\""},
    {"modalities", CHAT, "[\"text\"]"},
    {"parallel_tool_calls", CHAT, ANY_FLAG},
    {"tool_choice", CHAT, "\"none\" \"auto\""},
    {"functions", CHAT, "[]"},
    {"function_call", CHAT, "\"none\" \"auto\""},
    /* vLLM's, SGLang's and llama.cpp's */
    {"cache_prompt", BOTH, ANY_FLAG},
    {"return_progress", BOTH, "false"},
    {"timings_per_token", BOTH, "false"},
    {"add_generation_prompt", CHAT, "true"},
    {"continue_final_message", CHAT, "false"},
    {"ignore_eos", BOTH, "false"},
    {"min_tokens", BOTH, "0"},
    {"stop_token_ids", BOTH, "[]"},
    {"include_stop_str_in_output", BOTH, "false"},
    {"skip_special_tokens", BOTH, "true"},
    {"spaces_between_special_tokens", BOTH, "true"},
    {"use_beam_search", BOTH, "false"},
    {"length_penalty", BOTH, "1"},
    {"repeat_penalty", BOTH, "1"},
    {"typical_p", BOTH, "1"},
    {"mirostat", BOTH, "0"},
};

/* One word of `neutral`, as long as n says. */
static bool is_that(const json *v, const char *word, size_t n)
{
    struct buf b = BUF_INIT(64);
    if (json_is_number(v))
        return json_number(v, -1) == strtod(word, NULL) && *word != '"';
    json_print(&b, v);
    bool same = buf_ok(&b) && b.len == n && !memcmp(buf_str(&b), word, n);
    buf_free(&b);
    return same;
}

static bool is_neutral(const json *v, const char *neutral)
{
    if (!strcmp(neutral, ANY_TEXT))
        return json_is_string(v);
    if (!strcmp(neutral, ANY_FLAG))
        return json_is_bool(v);
    if (!strcmp(neutral, ANY_OBJECT))
        return json_is_object(v);
    for (const char *at = neutral; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (is_that(v, at, n))
            return true;
        at += n;
    }
    return false;
}

static bool refuse(const struct field *f, struct err *e)
{
    const char *what = !strcmp(f->neutral, ANY_TEXT)     ? _("a text")
                       : !strcmp(f->neutral, ANY_FLAG)   ? _("true or false")
                       : !strcmp(f->neutral, ANY_OBJECT) ? _("an object")
                                                         : f->neutral;
    return err_set(e, ERR_INPUT, _("%s: nothing is served here but %s"),
                   f->name, what);
}

static const struct field *find(const char *name, int of)
{
    for (size_t i = 0; i < COUNT(fields); i++)
        if (fields[i].of & of && !strcmp(fields[i].name, name))
            return &fields[i];
    return NULL;
}

bool fields_check(const json *request, bool text, struct err *e)
{
    for (const json *v = json_first(request); v; v = json_next(v)) {
        const struct field *f = find(json_key(v), text ? TEXT : CHAT);
        if (json_is_null(v))
            continue;
        if (!f)
            return err_set(e, ERR_INPUT, _("%.40s is not served here"),
                           json_key(v));
        if (f->neutral && !is_neutral(v, f->neutral))
            return refuse(f, e);
    }
    return true;
}
