#include "model/serve/request.h"

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"

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

static bool read_figures(const json *j, struct request *r, struct err *e)
{
    double n = 1, max = 0, seed = 0, top = 0;
    bool logprobs = false;
    if (!read_whole(j, "n", 1, REQUEST_CHOICES, &n, e) ||
        !read_whole(j, "max_tokens", 1, 1e6, &max, e) ||
        !read_whole(j, "max_completion_tokens", 1, 1e6, &max, e) ||
        !read_whole(j, "seed", -9007199254740992.0, 9007199254740992.0,
                    &seed, e) ||
        !read_number(j, "temperature", 0, 2, &r->q.temperature, e) ||
        !read_number(j, "top_p", 0, 1, &r->q.top_p, e) ||
        !read_flag(j, "logprobs", &logprobs, e) ||
        !read_whole(j, "top_logprobs", 0, 20, &top, e))
        return false;
    r->n = (size_t)n;
    r->q.max_tokens = (int)max;
    r->q.seed = (int64_t)seed;
    r->q.seeded = given(j, "seed");
    r->q.logprobs = logprobs ? (int)top : -1;
    return true;
}

static bool read_all(const json *j, struct request *r, struct err *e)
{
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("the body is not an object"));
    if (json_first(json_get(j, "tools")))
        return err_set(e, ERR_INPUT, _("tools are not served here"));
    return read_messages(j, r, e) && read_figures(j, r, e) &&
           read_stop(j, r, e) && read_flag(j, "stream", &r->stream, e) &&
           read_flag(json_get(j, "stream_options"), "include_usage",
                     &r->usage, e);
}

bool request_read(struct request *r, const char *body, size_t n,
                  const char *step, struct err *e)
{
    *r = (struct request){.q = {.temperature = NAN, .top_p = NAN}};
    json *j = json_parse(body, n, e);
    if (!j)
        return err_in(e, _("the body is not JSON"));
    bool ok = read_all(j, r, e);
    json_free(j);
    r->step = step ? xstrdup(step) : NULL;
    r->q.messages = &r->messages;
    r->q.stop = r->stop;
    r->q.step = r->step;
    return ok;
}

void request_free(struct request *r)
{
    chat_free(&r->messages);
    for (size_t i = 0; i < COUNT(r->stop); i++)
        free(r->stop[i]);
    free(r->step);
    *r = (struct request){0};
}
