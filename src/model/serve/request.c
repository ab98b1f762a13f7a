#include "model/serve/request.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/learn/engine.h"
#include "model/serve/fields.h"

static bool given(const json *j, const char *key)
{
    const json *v = json_get(j, key);
    return v && !json_is_null(v);
}

static bool read_number(const json *j, const char *key, double lo, double hi,
                        double *out, struct err *e)
{
    if (!given(j, key))
        return true;
    double v = json_number(json_get(j, key), NAN);
    if (!(v >= lo && v <= hi))
        return err_set(e, ERR_INPUT, _("%s: expected a number from %g to %g"),
                       key, lo, hi);
    *out = v;
    return true;
}

static bool read_whole(const json *j, const char *key, double lo, double hi,
                       double *out, struct err *e)
{
    double v = *out;
    if (!read_number(j, key, lo, hi, &v, e))
        return false;
    if (v != floor(v))
        return err_set(e, ERR_INPUT, _("%s: expected a whole number"), key);
    *out = v;
    return true;
}

static bool read_flag(const json *j, const char *key, bool *out,
                      struct err *e)
{
    if (given(j, key) && !json_is_bool(json_get(j, key)))
        return err_set(e, ERR_INPUT, _("%s: expected true or false"), key);
    *out = json_get_bool(j, key, *out);
    return true;
}

static bool add_stop(struct request *r, const json *v)
{
    const char *s = json_string(v);
    if (!s || r->q.n_stop == COUNT(r->stop))
        return false;
    r->stop[r->q.n_stop++] = xstrdup(s);
    return true;
}

static bool read_stop(const json *j, struct request *r, struct err *e)
{
    const json *stop = json_get(j, "stop");
    bool ok = true;
    if (!given(j, "stop"))
        return true;
    if (json_is_array(stop))
        for (const json *v = json_first(stop); ok && v; v = json_next(v))
            ok = add_stop(r, v);
    else
        ok = add_stop(r, stop);
    return ok || err_set(e, ERR_INPUT, _("stop: expected a text or a list of "
                                         "at most 4 texts"));
}

static bool read_messages(const json *j, struct request *r, struct err *e)
{
    if (!given(j, "messages"))
        return err_set(e, ERR_INPUT, _("messages is missing"));
    if (!chat_from_json(json_get(j, "messages"), &r->messages, e) ||
        !chat_check_prompt(&r->messages, e))
        return err_in(e, "messages");
    return true;
}

/* One prompt: a text or a list of ids. */
static bool add_prompt(const json *v, struct request *r)
{
    if (r->n_prompts == REQUEST_CHOICES)
        return false;
    struct prompt *p = &r->prompts[r->n_prompts++];
    if (json_string(v)) {
        p->text = xstrdup(json_string(v));
        return true;
    }
    if (!json_is_array(v))
        return false;
    p->ids = xcalloc(json_count(v) + 1, sizeof *p->ids);
    for (const json *x = json_first(v); x; x = json_next(x)) {
        double id = json_number(x, -1);
        if (!(id >= 0 && id <= INT32_MAX && id == floor(id)))
            return false;
        p->ids[p->n++] = (int32_t)id;
    }
    return true;
}

/* A text, a list of ids, or a list of texts or of lists of ids. */
static bool read_prompt(const json *j, struct request *r, struct err *e)
{
    const json *v = json_get(j, "prompt"), *first = json_first(v);
    bool many = json_is_array(v) && first &&
                (json_string(first) || json_is_array(first));
    bool ok = v != NULL;
    for (const json *x = many ? first : v; ok && x;
         x = many ? json_next(x) : NULL)
        ok = add_prompt(x, r);
    return ok || err_set(e, ERR_INPUT, _("prompt: expected a text, a list of "
                                         "token ids, or at most %d of them"),
                         REQUEST_CHOICES);
}

/* A flag beside top_logprobs in a chat, a number of alternatives else. */
static bool read_logprobs(const json *j, struct request *r, double top,
                          struct err *e)
{
    bool asked = false;
    double n = -1;
    if (r->q.text ? !read_whole(j, "logprobs", 0, ENGINE_TOP, &n, e)
                  : !read_flag(j, "logprobs", &asked, e))
        return false;
    r->q.logprobs = r->q.text ? (int)n : asked ? (int)top : -1;
    if (!r->q.text && !asked && top > 0)
        return err_set(e, ERR_INPUT, _("top_logprobs needs logprobs"));
    return true;
}

static bool read_figures(const json *j, struct request *r, struct err *e)
{
    double n = 1, max = 0, seed = 0, top = 0;
    if (!read_whole(j, "n", 1, REQUEST_CHOICES, &n, e) ||
        !read_whole(j, "max_tokens", r->q.echo ? 0 : 1, 1e6, &max, e) ||
        !read_whole(j, "max_completion_tokens", 1, 1e6, &max, e) ||
        !read_whole(j, "seed", -9007199254740992.0, 9007199254740992.0,
                    &seed, e) ||
        !read_whole(j, "top_logprobs", 0, 20, &top, e) ||
        !read_whole(j, "stillroom_top_logprobs", 0, ENGINE_TOP, &top, e) ||
        !read_logprobs(j, r, top, e))
        return false;
    r->n = (size_t)n * (r->q.text ? r->n_prompts : 1);
    if (r->n > REQUEST_CHOICES)
        return err_set(e, ERR_INPUT, _("%zu answers are more than %d"), r->n,
                       REQUEST_CHOICES);
    r->q.max_tokens = max > 0 ? (int)max : given(j, "max_tokens") ? -1 : 0;
    if (r->q.text && !r->q.max_tokens)
        r->q.max_tokens = 16; /* as the API has it */
    r->q.seed = (int64_t)seed;
    r->q.seeded = given(j, "seed");
    return true;
}

static bool read_sampling(const json *j, struct request *r, struct err *e)
{
    struct sampling *s = &r->q.sampling;
    struct penalties *p = &r->q.penalties;
    double k = s->top_k;
    if (!read_number(j, "temperature", 0, 2, &s->temperature, e) ||
        !read_number(j, "top_p", 0, 1, &s->top_p, e) ||
        !read_number(j, "min_p", 0, 1, &s->min_p, e) ||
        !read_whole(j, "top_k", 0, 1e6, &k, e) ||
        !read_number(j, "frequency_penalty", -2, 2, &p->frequency, e) ||
        !read_number(j, "presence_penalty", -2, 2, &p->presence, e) ||
        !read_number(j, "repetition_penalty", .1, 10, &p->repetition, e))
        return false;
    s->top_k = (int)k;
    return true;
}

/* {"1234": -100, ...} */
static bool read_biases(const json *j, struct request *r, struct err *e)
{
    struct penalties *p = &r->q.penalties;
    const json *all = json_get(j, "logit_bias");
    p->bias_id = r->bias_id;
    p->bias = r->bias;
    if (!given(j, "logit_bias"))
        return true;
    if (!json_is_object(all))
        return err_set(e, ERR_INPUT, _("logit_bias: expected an object"));
    for (const json *v = json_first(all); v; v = json_next(v)) {
        char *end;
        const char *key = json_key(v);
        long id = strtol(key, &end, 10);
        double by = json_number(v, NAN);
        if (end == key || *end || id < 0 || id > INT32_MAX ||
            !(fabs(by) <= 100) || p->n_bias == REQUEST_BIASES)
            return err_set(e, ERR_INPUT,
                           _("logit_bias: expected at most %d token ids with "
                             "numbers from -100 to 100"), REQUEST_BIASES);
        r->bias_id[p->n_bias] = (int32_t)id;
        r->bias[p->n_bias++] = by;
    }
    return true;
}

static bool read_format(const json *j, struct request *r, struct err *e)
{
    const json *format = json_get(j, "response_format");
    const char *type = json_get_string(format, "type", "text");
    if (given(j, "response_format") && !json_is_object(format))
        return err_set(e, ERR_INPUT, _("response_format: expected an object"));
    if (given(j, "response_format") && !json_string(json_get(format, "type")))
        return err_set(e, ERR_INPUT, _("response_format: type is missing"));
    r->q.json = !strcmp(type, "json_object");
    return r->q.json || !strcmp(type, "text") ||
           err_set(e, ERR_INPUT, _("response_format: text and json_object are "
                                   "served here, not %.40s"), type);
}

/* Variables of the chat template, as vLLM names them. */
static bool read_variables(const json *j, struct request *r, struct err *e)
{
    const json *v = json_get(j, "chat_template_kwargs");
    struct buf b = BUF_INIT(0);
    if (!given(j, "chat_template_kwargs"))
        return true;
    if (!json_is_object(v))
        return err_set(e, ERR_INPUT, _("%s: expected an object"),
                       "chat_template_kwargs");
    json_print(&b, v);
    r->variables = buf_take(&b);
    return true;
}

static bool read_stream(const json *j, struct request *r, struct err *e)
{
    const json *o = json_get(j, "stream_options");
    if (!read_flag(j, "stream", &r->stream, e))
        return false;
    if (!given(j, "stream_options"))
        return true;
    if (!json_is_object(o))
        return err_set(e, ERR_INPUT, _("%s: expected an object"),
                       "stream_options");
    for (const json *v = json_first(o); v; v = json_next(v))
        if (strcmp(json_key(v), "include_usage") &&
            strcmp(json_key(v), "include_obfuscation"))
            return err_set(e, ERR_INPUT, _("%.40s is not served here"),
                           json_key(v));
    if (!r->stream)
        return err_set(e, ERR_INPUT, _("stream_options needs stream"));
    return read_flag(o, "include_usage", &r->usage, e);
}

static bool check_kinds(const json *j, struct err *e)
{
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("the body is not an object"));
    if (given(j, "model") && !json_string(json_get(j, "model")))
        return err_set(e, ERR_INPUT, _("model: expected a text"));
    if (given(j, "tools") && !json_is_array(json_get(j, "tools")))
        return err_set(e, ERR_INPUT, _("tools: expected a list"));
    return !json_first(json_get(j, "tools")) ||
           err_set(e, ERR_INPUT, _("tools are not served here"));
}

static bool read_all(const json *j, struct request *r, struct err *e)
{
    if (!check_kinds(j, e))
        return false;
    return fields_check(j, r->q.text, e) && read_format(j, r, e) &&
           read_flag(j, "echo", &r->q.echo, e) &&
           (r->q.text ? read_prompt(j, r, e) : read_messages(j, r, e)) &&
           read_figures(j, r, e) && read_sampling(j, r, e) &&
           read_biases(j, r, e) && read_stop(j, r, e) &&
           read_stream(j, r, e) && read_variables(j, r, e);
}

bool request_read(struct request *r, const struct answerer *a, bool text,
                  const char *body, size_t n, const char *step, struct err *e)
{
    *r = (struct request){.q = {.sampling = a->sampling,
                                .penalties = {.repetition = a->repetition},
                                .text = text}};
    json *j = json_parse(body, n, e);
    if (!j)
        return err_in(e, _("the body is not JSON"));
    bool ok = read_all(j, r, e);
    const char *model = json_get_string(j, "model", NULL);
    r->model = model ? xstrdup(model) : NULL;
    json_free(j);
    r->step = step ? xstrdup(step) : NULL;
    r->q.model = r->model;
    r->q.messages = &r->messages;
    r->q.stop = r->stop;
    r->q.step = r->step;
    r->q.variables = r->variables;
    return ok;
}

void request_free(struct request *r)
{
    chat_free(&r->messages);
    for (size_t i = 0; i < COUNT(r->stop); i++)
        free(r->stop[i]);
    for (size_t i = 0; i < r->n_prompts; i++) {
        free(r->prompts[i].text);
        free(r->prompts[i].ids);
    }
    free(r->step);
    free(r->model);
    free(r->variables);
    *r = (struct request){0};
}

struct question request_question(const struct request *r, size_t i)
{
    struct question q = r->q;
    q.choice = i;
    if (q.text) {
        size_t each = r->n / r->n_prompts;
        const struct prompt *p = &r->prompts[i / each];
        q.choice = i % each;
        q.prompt = p->text;
        q.ids = p->ids;
        q.n_ids = p->n;
    }
    return q;
}
