/* What an endpoint says of a failure, in whatever shape it says it: its text,
 * the parameter it names, and the HTTP status that would be its kin; and the
 * replies of other protocols. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "teacher/reply.h"

#define ERROR_BYTES 4096 /* of a text that tells of an error */
#define DEPTH 6          /* of errors inside errors */
#define LIST 8           /* errors of a list that are told */

/* ---- The text ------------------------------------------------------------ */

/* Where errors keep their text: OpenAI and most others, Zhipu and pydantic,
 * FastAPI, errors in errors, Cloudflare, Baidu, MiniMax, RFC 9457, gateways. */
static const char *const text_keys[] = {
    "message", "msg",       "detail",     "error",       "errors",
    "Message", "error_msg", "status_msg", "base_resp",   "title",
    "fault",   "faultstring", "error_description"};

static bool tell(struct buf *out, const json *v, int depth);

/* A page is told by its title, or by its text without tags. */
static void tell_page(struct buf *out, const char *s)
{
    const char *title = strcasestr(s, "<title");
    const char *end = title ? strcasestr(title, "</title") : NULL;
    size_t start = out->len;
    bool tag = false;
    s = title && end ? title : s;
    end = title && end ? end : s + strlen(s);
    for (; s < end && out->len - start < 200; s++) {
        if (*s == '<')
            tag = true;
        else if (*s == '>')
            tag = false;
        else if (!tag && !isspace((unsigned char)*s))
            buf_putc(out, *s);
        if (out->len > start && out->data[out->len - 1] != ' ' &&
            (*s == '>' || isspace((unsigned char)*s)))
            buf_putc(out, ' ');
    }
    while (out->len > start && out->data[out->len - 1] == ' ')
        buf_drop(out, 1);
}

/* A text as it is; JSON or a page inside it by what they say. */
static void tell_text(struct buf *out, const char *s, size_t n, int depth)
{
    size_t used, skip = 0;
    while (skip < n && isspace((unsigned char)s[skip]))
        skip++;
    char first = skip < n ? s[skip] : '\0';
    if (first == '<') {
        char *page = xstrndup(s + skip, n - skip);
        tell_page(out, page);
        free(page);
        return;
    }
    json *j = (first == '{' || first == '[') && depth < DEPTH
                  ? json_parse_odd(s + skip, n - skip, JSON_ODD, &used, NULL)
                  : NULL;
    if (!j || !tell(out, j, depth + 1))
        buf_add(out, s + skip,
                n - skip < ERROR_BYTES ? n - skip : ERROR_BYTES);
    json_free(j);
}

static bool tell_list(struct buf *out, const json *list, int depth)
{
    size_t start = out->len;
    int n = 0;
    for (const json *v = json_first(list); v && n < LIST; v = json_next(v)) {
        size_t before = out->len;
        if (before > start)
            buf_puts(out, "; ");
        if (tell(out, v, depth + 1))
            n++;
        else
            buf_drop(out, out->len - before);
    }
    return out->len > start;
}

/* pydantic's "loc": the place that a sentence is about. */
static void tell_place(struct buf *out, const json *loc)
{
    const char *sign = "";
    for (const json *v = json_first(loc); v; v = json_next(v)) {
        if (json_is_string(v))
            buf_printf(out, "%s%s", sign, json_string(v));
        else
            buf_printf(out, "%s%g", sign, json_number(v, 0));
        sign = ".";
    }
    if (*sign)
        buf_puts(out, ": ");
}

/* OpenRouter: what the provider behind it said, and which one that is. */
static void tell_provider(struct buf *out, const json *metadata, int depth)
{
    const char *name = json_get_string(metadata, "provider_name", NULL);
    size_t before = out->len;
    buf_puts(out, ": ");
    if (!tell(out, json_get(metadata, "raw"), depth + 1) &&
        !tell(out, json_get(metadata, "reasons"), depth + 1))
        buf_drop(out, out->len - before);
    if (name)
        buf_printf(out, " (%s)", name);
}

static bool tell_object(struct buf *out, const json *v, int depth)
{
    size_t start = out->len;
    tell_place(out, json_get(v, "loc"));
    size_t place = out->len;
    for (size_t i = 0; i < COUNT(text_keys) && out->len == place; i++)
        tell(out, json_get(v, text_keys[i]), depth + 1);
    if (out->len == place) {
        buf_drop(out, place - start);
        return false;
    }
    const json *metadata = json_get(v, "metadata");
    if (metadata)
        tell_provider(out, metadata, depth);
    return true;
}

/* Appends what a value says of an error; false where that is nothing. */
static bool tell(struct buf *out, const json *v, int depth)
{
    const char *text = json_string(v);
    if (depth > DEPTH)
        return false;
    if (text && *text)
        tell_text(out, text, strlen(text), depth);
    if (text)
        return *text != '\0';
    return json_is_array(v)    ? tell_list(out, v, depth)
           : json_is_object(v) ? tell_object(out, v, depth)
                               : false;
}

/* ---- The status ---------------------------------------------------------- */

/* Words for what HTTP has a number for, written small and without signs;
 * `text`: they are taken from a sentence, too. */
static const struct {
    const char *word;
    int status;
    bool text;
} words[] = {
    {"insufficientquota", 402, false},   {"insufficientbalance", 402, true},
    {"insufficientcredit", 402, true},   {"billing", 402, false},
    {"ratelimit", 429, true},            {"toomanyrequests", 429, true},
    {"resourceexhausted", 429, false},   {"throttl", 429, false},
    {"overload", 503, true},             {"serviceunavailable", 503, true},
    {"unavailable", 503, false},         {"capacity", 503, false},
    {"gatewaytimeout", 504, true},       {"deadlineexceeded", 504, false},
    {"timeout", 504, false},             {"timedout", 504, false},
    {"badgateway", 502, true},           {"servererror", 500, true},
    {"internal", 500, false},            {"apierror", 500, false},
    {"invalidapikey", 401, false},       {"authentication", 401, false},
    {"unauthorized", 401, false},        {"unauthenticated", 401, false},
    {"permission", 403, false},          {"forbidden", 403, false},
};

static int status_of_words(const char *s, bool text)
{
    struct buf b = BUF_INIT(ERROR_BYTES);
    int status = 0;
    for (; *s; s++)
        if (isalnum((unsigned char)*s))
            buf_putc(&b, (char)tolower((unsigned char)*s));
    for (size_t i = 0; i < COUNT(words) && !status; i++)
        if ((!text || words[i].text) && strstr(buf_str(&b), words[i].word))
            status = words[i].status;
    buf_free(&b);
    return status;
}

/* The status that an object names, as a number or (`by_word`) as a word. */
static int status_in(const json *v, bool by_word)
{
    static const char *const keys[] = {"code", "status", "status_code",
                                       "http_code", "type", "error_type"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        const char *text = json_get_string(v, keys[i], NULL);
        int64_t n = text ? strtol(text, NULL, 10) : json_get_int(v, keys[i], 0);
        int status = n >= 400 && n <= 599 ? (int)n
                     : by_word && text    ? status_of_words(text, false)
                                          : 0;
        if (status)
            return status;
    }
    return 0;
}

static int find_status(const json *outer, const json *inner, const char *text)
{
    for (int by_word = 0; by_word < 2; by_word++) {
        int status = status_in(inner, by_word);
        status = status ? status : status_in(outer, by_word);
        if (status)
            return status;
    }
    return status_of_words(text, true);
}

/* ---- Other protocols ----------------------------------------------------- */

enum kind { LIST_OF, OBJECT_OF, TEXT_OF };

/* Told by a member of this kind, beside another one (or NULL). Their answers
 * are not read, as their streams, calls and ends are each a protocol more. */
static const struct {
    const char *key;
    enum kind kind;
    const char *with;
    struct foreign is;
} forms[] = {
    {"candidates", LIST_OF, NULL,
     {"Gemini (generateContent)",
      "https://generativelanguage.googleapis.com/v1beta/openai"}},
    {"output", LIST_OF, NULL,
     {"OpenAI's Responses", "https://api.openai.com/v1"}},
    {"response", OBJECT_OF, "type",
     {"OpenAI's Responses", "https://api.openai.com/v1"}},
    {"content", LIST_OF, "role",
     {"Anthropic (Messages)", "https://api.anthropic.com/v1"}},
    {"message", OBJECT_OF, "type",
     {"Anthropic (Messages)", "https://api.anthropic.com/v1"}},
    {"message", OBJECT_OF, "done",
     {"Ollama (/api/chat)", "http://HOST:11434/v1"}},
    {"response", TEXT_OF, "done",
     {"Ollama (/api/generate)", "http://HOST:11434/v1"}},
    {"message", OBJECT_OF, "finish_reason",
     {"Cohere (/v2/chat)", "https://api.cohere.ai/compatibility/v1"}},
    {"content", TEXT_OF, "stop",
     {"llama.cpp (/completion)", "http://HOST:8080/v1"}},
    {"generated_text", TEXT_OF, NULL,
     {"Text Generation Inference (/generate)", "http://HOST:PORT/v1"}},
};

const struct foreign *reply_foreign(const json *j)
{
    if (json_get(j, "choices"))
        return NULL;
    for (size_t i = 0; i < COUNT(forms); i++) {
        const json *v = json_get(j, forms[i].key);
        bool is[] = {[LIST_OF] = json_is_array(v),
                     [OBJECT_OF] = json_is_object(v),
                     [TEXT_OF] = json_is_string(v)};
        if (is[forms[i].kind] &&
            (!forms[i].with || json_get(j, forms[i].with)))
            return &forms[i].is;
    }
    return NULL;
}

bool reply_say_foreign(const struct foreign *f, struct err *e)
{
    return err_set(e, ERR_USAGE, _("the reply is in the form of %s, not of "
                                   "chat completions: is the url right? It "
                                   "should be like %s"), f->name, f->url);
}

/* ---- The face ------------------------------------------------------------ */

static void set(char **member, char *value)
{
    free(*member);
    *member = value;
}

bool reply_take_error(const json *j, struct reply *r)
{
    struct buf b = BUF_INIT(16 * ERROR_BYTES);
    const json *outer = json_is_array(j) ? json_first(j) : j;
    const json *inner = json_get(outer, "error");
    inner = json_is_array(inner) ? json_first(inner) : inner;
    bool found = tell(&b, j, 0) && b.len;
    if (!found && json_first(inner)) { /* it has no words */
        json_print(&b, inner);
        found = true;
    }
    if (found) {
        const char *param = json_get_string(inner, "param", NULL);
        param = param ? param : json_get_string(outer, "param", NULL);
        set(&r->error, xstrdup(buf_str(&b)));
        set(&r->error_param, param ? xstrdup(param) : NULL);
        r->error_status = find_status(outer, inner, r->error);
    }
    buf_free(&b);
    return found;
}

void reply_parse_error(const char *body, size_t n, struct reply *r)
{
    size_t used;
    json *j = json_parse_odd(body ? body : "", n, JSON_ODD, &used, NULL);
    bool found = j && reply_take_error(j, r);
    json_free(j);
    if (found)
        return;
    struct buf b = BUF_INIT(16 * ERROR_BYTES);
    tell_text(&b, body ? body : "", n, 0);
    set(&r->error, xstrdup(buf_str(&b)));
    buf_free(&b);
}
