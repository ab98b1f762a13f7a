#include "model/token/json_prefix.h"

#include <string.h>

enum {
    OPENING, /* { is to come */
    VALUE, FIRST_VALUE, /* the latter: or ] */
    FIRST_KEY, KEY,     /* the former: or } */
    COLON, BEHIND,      /* , or what closes */
    TEXT, ESCAPE, HEX,
    MINUS, ZERO, WHOLE, POINT, PART, POWER, POWER_SIGN, POWER_PART,
    WORD, DONE
};

static bool to(struct json_prefix *j, int place)
{
    j->place = (uint8_t)place;
    return true;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool open_one(struct json_prefix *j, bool object)
{
    if (j->depth == JSON_PREFIX_DEPTH)
        return false;
    j->object[j->depth++] = object;
    return to(j, object ? FIRST_KEY : FIRST_VALUE);
}

static bool close_one(struct json_prefix *j, bool object)
{
    if (!j->depth || j->object[j->depth - 1] != object)
        return false;
    return to(j, --j->depth ? BEHIND : DONE);
}

static bool open_text(struct json_prefix *j, bool key)
{
    j->key = key;
    return to(j, TEXT);
}

static bool word(struct json_prefix *j, const char *rest)
{
    j->rest = rest;
    return to(j, WORD);
}

static bool value(struct json_prefix *j, char c)
{
    switch (c) {
    case '{': return open_one(j, true);
    case '[': return open_one(j, false);
    case '"': return open_text(j, false);
    case '-': return to(j, MINUS);
    case '0': return to(j, ZERO);
    case 't': return word(j, "rue");
    case 'f': return word(j, "alse");
    case 'n': return word(j, "ull");
    default: return digit(c) && to(j, WHOLE);
    }
}

static bool behind(struct json_prefix *j, char c)
{
    bool object = j->object[j->depth - 1];
    if (c == ',')
        return to(j, object ? KEY : VALUE);
    return (c == '}' || c == ']') && close_one(j, c == '}');
}

static bool text(struct json_prefix *j, char c)
{
    if (c == '"')
        return to(j, j->key ? COLON : BEHIND);
    if (c == '\\')
        return to(j, ESCAPE);
    return (unsigned char)c >= 0x20;
}

static bool escape(struct json_prefix *j, char c)
{
    j->hex = 0;
    if (c == 'u')
        return to(j, HEX);
    return c && strchr("\"\\/bfnrt", c) && to(j, TEXT);
}

static bool hex(struct json_prefix *j, char c)
{
    bool is = digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    return is && (++j->hex < 4 || to(j, TEXT));
}

/* A number's part; where c is none of it the number has ended. */
static bool number(struct json_prefix *j, char c)
{
    bool e = c == 'e' || c == 'E';
    switch (j->place) {
    case MINUS: return digit(c) && to(j, c == '0' ? ZERO : WHOLE);
    case POINT: return digit(c) && to(j, PART);
    case POWER_SIGN: return digit(c) && to(j, POWER_PART);
    case POWER:
        return digit(c) ? to(j, POWER_PART)
                        : (c == '+' || c == '-') && to(j, POWER_SIGN);
    case ZERO:
    case WHOLE:
        if (c == '.')
            return to(j, POINT);
        if (digit(c))
            return j->place == WHOLE;
        break;
    default:
        if (digit(c))
            return true;
        break;
    }
    if (e && j->place != POWER_PART)
        return to(j, POWER);
    to(j, BEHIND);
    return behind(j, c);
}

static bool blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Where blanks may stand. */
static bool between(struct json_prefix *j, char c)
{
    if (blank(c))
        return j->place != OPENING && ++j->blanks <= JSON_PREFIX_BLANKS;
    j->blanks = 0;
    switch (j->place) {
    case OPENING: return c == '{' && open_one(j, true);
    case VALUE: return value(j, c);
    case FIRST_VALUE: return c == ']' ? close_one(j, false) : value(j, c);
    case FIRST_KEY:
        return c == '}' ? close_one(j, true) : c == '"' && open_text(j, true);
    case KEY: return c == '"' && open_text(j, true);
    case COLON: return c == ':' && to(j, VALUE);
    case BEHIND: return behind(j, c);
    default: return false;
    }
}

static bool feed(struct json_prefix *j, char c)
{
    switch (j->place) {
    case TEXT: return text(j, c);
    case ESCAPE: return escape(j, c);
    case HEX: return hex(j, c);
    case WORD:
        if (!*j->rest) {
            to(j, BEHIND);
            return feed(j, c);
        }
        return *j->rest++ == c;
    case MINUS: case ZERO: case WHOLE: case POINT: case PART: case POWER:
    case POWER_SIGN: case POWER_PART:
        if (blank(c) && j->place != MINUS && j->place != POINT &&
            j->place != POWER && j->place != POWER_SIGN)
            return to(j, BEHIND) && feed(j, c);
        return number(j, c);
    default: return between(j, c);
    }
}

bool json_prefix_feed(struct json_prefix *j, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!feed(j, s[i]))
            return false;
    return true;
}

bool json_prefix_done(const struct json_prefix *j)
{
    return j->place == DONE;
}
