#include "teacher/request.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

static const char *const names[PARAM_COUNT] = {
    [PARAM_TEMPERATURE] = "temperature",
    [PARAM_TOP_P] = "top_p",
    [PARAM_PRESENCE] = "presence_penalty",
    [PARAM_MAX_TOKENS] = "max_tokens",
    [PARAM_STOP] = "stop",
    [PARAM_SEED] = "seed",
    [PARAM_N] = "n",
    [PARAM_LOGPROBS] = "logprobs",
    [PARAM_TOOLS] = "tools",
    [PARAM_USAGE] = "stream_options"};

static void write_message(struct jw *w, const struct message *m)
{
    jw_open(w, '{');
    jw_kstr(w, "role", role_name(m->role));
    jw_kstr(w, "content", *m->content || !m->tool_calls ? m->content : NULL);
    if (m->tool_calls) {
        jw_key(w, "tool_calls");
        jw_raw(w, m->tool_calls);
    }
    if (m->tool_call_id)
        jw_kstr(w, "tool_call_id", m->tool_call_id);
    if (m->name)
        jw_kstr(w, "name", m->name);
    jw_close(w);
}

static void write_stop(struct jw *w, const char *const *stop)
{
    jw_key(w, "stop");
    jw_open(w, '[');
    for (size_t i = 0; stop[i]; i++)
        jw_str(w, stop[i]);
    jw_close(w);
}

static void write_param(struct jw *w, const struct ask *a, enum param p)
{
    switch (p) {
    case PARAM_TEMPERATURE: jw_knum(w, names[p], a->temperature); break;
    case PARAM_TOP_P: jw_knum(w, names[p], a->top_p); break;
    case PARAM_PRESENCE: jw_knum(w, names[p], a->presence_penalty); break;
    case PARAM_MAX_TOKENS: jw_kint(w, names[p], a->max_tokens); break;
    case PARAM_STOP: write_stop(w, a->stop); break;
    case PARAM_SEED: jw_kint(w, names[p], a->seed); break;
    case PARAM_N: jw_kint(w, names[p], a->n); break;
    case PARAM_LOGPROBS:
        jw_kbool(w, names[p], true);
        jw_kint(w, "top_logprobs", a->top_logprobs);
        break;
    case PARAM_TOOLS:
        jw_key(w, names[p]);
        jw_raw(w, a->tools);
        break;
    case PARAM_USAGE:
        jw_key(w, names[p]);
        jw_raw(w, "{\"include_usage\":true}");
        break;
    case PARAM_COUNT: break;
    }
}

void request_write(struct buf *out, const struct ask *a, const char *model,
                   unsigned refused)
{
    struct jw w = jw_start(out);
    unsigned has = a->has | (a->stream ? HAS(PARAM_USAGE) : 0);
    jw_open(&w, '{');
    jw_kstr(&w, "model", model);
    jw_key(&w, "messages");
    jw_open(&w, '[');
    for (size_t i = 0; i < a->chat->n; i++)
        write_message(&w, &a->chat->at[i]);
    jw_close(&w);
    for (enum param p = 0; p < PARAM_COUNT; p++)
        if (has & ~refused & HAS(p))
            write_param(&w, a, p);
    if (has & refused & HAS(PARAM_MAX_TOKENS))
        jw_kint(&w, "max_completion_tokens", a->max_tokens);
    if (a->stream)
        jw_kbool(&w, "stream", true);
    jw_close(&w);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* True where `name` stands in the text as a word of its own. */
static bool mentions(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = text; (p = strstr(p, name)); p++)
        if ((p == text || !is_word(p[-1])) && !is_word(p[n]))
            return true;
    return false;
}

/* The phrases by which endpoints refuse a parameter, as against its value:
 * OpenAI ("Unsupported parameter", "does not support 0.2 with this model"),
 * pydantic ("extra_forbidden", "Extra inputs are not permitted"), Mistral,
 * Groq and others ("property 'x' is unsupported"). */
static bool refuses(const char *text)
{
    static const char *const phrases[] = {
        "unsupported", "not support",   "unrecognized",   "unknown",
        "unexpected",  "extra_forbid",  "extra inputs",   "not permitted",
        "not allowed", "is deprecated", "cannot be used", "unavailable"};
    for (size_t i = 0; i < COUNT(phrases); i++)
        if (strcasestr(text, phrases[i]))
            return true;
    return false;
}

unsigned request_refused(const char *error, const char *param, unsigned sent)
{
    const unsigned learnable =
        HAS(PARAM_TEMPERATURE) | HAS(PARAM_TOP_P) | HAS(PARAM_PRESENCE) |
        HAS(PARAM_MAX_TOKENS) | HAS(PARAM_STOP) | HAS(PARAM_SEED) |
        HAS(PARAM_USAGE);
    unsigned found = 0;
    if (!refuses(error))
        return 0;
    for (enum param p = 0; p < PARAM_COUNT; p++) {
        if (!(sent & learnable & HAS(p)))
            continue;
        if (param && !strcmp(param, names[p]))
            return HAS(p);
        if (mentions(error, names[p]))
            found |= HAS(p);
    }
    return found;
}
