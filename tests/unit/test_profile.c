#include "test.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "teacher/cost.h"
#include "teacher/key.h"
#include "teacher/profile.h"

static char *temp(const char *name)
{
    return path_join(getenv("HOME"), name);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    struct err e = {0};
    assert_ok(file_replace(path, text, strlen(text), mode, false, &e), e);
    chmod(path, mode);
}

/* Loads a config of this text; on failure e tells. */
static bool load(const char *text, struct profiles *ps, struct err *e)
{
    char *path = temp("config");
    write_file(path, text, 0600);
    bool ok = profiles_load(path, ps, e);
    free(path);
    return ok;
}

static void test_reads(void **state)
{
    (void)state;
    struct profiles ps;
    struct err e = {0};
    assert_ok(load("[teacher qwen3-32b]\n"
                   "url         = https://gpu2.lan:8000/v1   ; comment\n"
                   "model       = Qwen/Qwen3-32B\n"
                   "    key_env = GPU2_KEY\n" /* indented is as good */
                   "price_in    = 0.20\n"
                   "price_out   = 0.70\n"
                   "concurrency = 32\n"
                   "timeouts    = 120 60 1800.5\n"
                   "[ui]\ntheme = default\n[keys review]\na = accept\n"
                   "[defaults]\ncurrency = USD\n"
                   "[teacher student]\n"
                   "serve = stillroom-model serve ~/models/smol\n", &ps, &e),
              e);
    assert_int_equal(ps.n, 3);
    const struct profile *p = profile_find(&ps, "qwen3-32b");
    assert_string_equal(p->url, "https://gpu2.lan:8000/v1");
    assert_string_equal(p->model, "Qwen/Qwen3-32B");
    assert_int_equal(p->concurrency, 32);
    assert_true(p->whole == 1800.5 && p->price_out == 0.7);
    assert_string_equal(profile_find(&ps, "builtin")->serve,
                        "stillroom-model serve builtin");
    assert_non_null(profile_find(&ps, "student")->serve);
    assert_null(profile_find(&ps, "nobody"));
    profiles_free(&ps);
}

static void test_absent_is_empty(void **state)
{
    (void)state;
    struct profiles ps;
    struct err e = {0};
    char *path = temp("nothing-here");
    assert_ok(profiles_load(path, &ps, &e), e);
    assert_int_equal(ps.n, 1);
    profiles_free(&ps);
    free(path);
}

static void test_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"[teacher a]\nurl = http://far.example/v1\nmodel = m\n", "plain"},
        {"[teacher a]\nurl = ftp://x/v1\nmodel = m\n", "line 2"},
        {"[teacher a]\nurl = https://u:p@x/v1\nmodel = m\n", "user"},
        {"[teacher a]\nurl = https://x/v1?key=1\nmodel = m\n", "query"},
        {"[teacher a]\nurl = https:///v1\nmodel = m\n", "no host"},
        {"[teacher a]\nurl = unix:sock\nmodel = m\n", "full path"},
        {"[teacher a]\nurl = https://x\n", "no model"},
        {"[teacher a]\nmodel = m\n", "url or a serve"},
        {"[teacher a]\nurl = https://x\nserve = y\nmodel = m\n", "one of"},
        {"[teacher a]\nurl=https://x\nmodel=m\nkey_env=A\nkey_file=/b\n",
         "more than one"},
        {"[teacher a]\nurl = https://x\nmodel = m\nmodell = y\n",
         "line 4: unknown key"},
        {"[teacher a]\nurl = https://x\nurl = https://y\n",
         "line 3: url stands twice"},
        {"[teacher a]\nconcurrency = 0\n", "line 2: concurrency"},
        {"[teacher a]\nconcurrency = 2.5\n", "concurrency"},
        {"[teacher a]\nprice_in = free\n", "price"},
        {"[teacher a]\ntimeouts = 1 2\n", "three numbers"},
        {"[teacher a]\ntimeouts = 1 2 3 4\n", "three numbers"},
        {"[teacher a]\nplain_http = maybe\n", "yes nor no"},
        {"[teacher a b]\nurl = https://x\n", "without blanks"},
        {"[teachers]\nurl = https://x\n", "line 2: unknown section"},
        {"url = https://x\n", "before the first"},
        {"[teacher a]\nmodel = m\x1b[31m\n", "control"},
        {"[teacher a]\nthis is no pair\n", "line 2"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct profiles ps;
        struct err e = {0};
        if (load(bad[i].text, &ps, &e))
            fail_msg("accepted: %s", bad[i].text);
        if (!strstr(e.text, bad[i].says))
            fail_msg("%s\nsays: %s", bad[i].text, e.text);
        assert_non_null(strstr(e.text, "config"));
        assert_int_equal(ps.n, 0);
    }
}

static void test_writable_by_others(void **state)
{
    (void)state;
    struct profiles ps;
    struct err e = {0};
    char *path = temp("open-config");
    write_file(path, "[ui]\ntheme = x\n", 0666);
    assert_false(profiles_load(path, &ps, &e));
    assert_non_null(strstr(e.text, "chmod"));
    free(path);
}

static void test_loopback(void **state)
{
    (void)state;
    struct err e;
    assert_true(url_check("http://127.0.0.1:8000/v1", false, &e));
    assert_true(url_check("http://localhost/v1", false, &e));
    assert_true(url_check("http://[::1]:8080/v1", false, &e));
    assert_true(url_check("http://far:8000/v1", true, &e));
    assert_true(url_check("unix:/run/x.sock", false, &e));
    assert_false(url_check("http://localhost.evil.example/v1", false, &e));
    assert_false(url_check("http://127.0.0.1.evil/v1", false, &e));
    assert_false(url_check("http://127.0.0.1@evil/v1", false, &e));
    assert_false(url_check("https://a\r\nX: y/v1", false, &e));
    assert_false(url_check("file:///etc/passwd", true, &e));
}

static void test_append(void **state)
{
    (void)state;
    struct err e = {0};
    struct profiles ps;
    struct buf before = BUF_INIT(0), after = BUF_INIT(0);
    char *path = temp("fresh/config");
    struct profile p = profile_new("mine");
    assert_ok(profile_set(&p, "url", "https://x.example/v1", &e), e);
    assert_ok(profile_set(&p, "model", "m", &e), e);
    assert_ok(profile_set(&p, "key_env", "K", &e), e);
    assert_ok(profile_set(&p, "price_in", "0.25", &e), e);
    assert_ok(profile_set(&p, "timeouts", "10 20 30", &e), e);
    assert_ok(profile_append(path, &p, &e), e);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(file_read(path, 9999, &before, &e));
    assert_false(profile_append(path, &p, &e));
    assert_non_null(strstr(e.text, "already"));
    free(p.name);
    p.name = xstrdup("second");
    assert_ok(profile_append(path, &p, &e), e);
    assert_true(file_read(path, 9999, &after, &e));
    assert_memory_equal(before.data, after.data, before.len);
    assert_ok(profiles_load(path, &ps, &e), e);
    assert_int_equal(ps.n, 3);
    assert_true(profile_find(&ps, "second")->silence == 20);
    assert_true(profile_find(&ps, "mine")->price_in == 0.25);
    profiles_free(&ps);
    profile_free(&p);
    buf_free(&before);
    buf_free(&after);
    free(path);
}

/* A file that lacks its last line end, with comments, stays as it is. */
static void test_append_keeps(void **state)
{
    (void)state;
    struct err e = {0};
    struct profiles ps;
    struct buf after = BUF_INIT(0);
    const char *old = "; mine\n[ui]\ntheme = x  ; odd   spacing";
    char *path = temp("kept");
    write_file(path, old, 0600);
    struct profile p = profile_new("a");
    profile_set(&p, "serve", "stillroom-model serve builtin", &e);
    assert_ok(profile_append(path, &p, &e), e);
    assert_true(file_read(path, 9999, &after, &e));
    assert_memory_equal(after.data, old, strlen(old));
    assert_ok(profiles_load(path, &ps, &e), e);
    assert_non_null(profile_find(&ps, "a"));
    profiles_free(&ps);
    profile_free(&p);
    buf_free(&after);
    free(path);
}

static void test_presets(void **state)
{
    (void)state;
    static const char *const names[] = {
        "openai",     "anthropic", "mistral",   "deepseek", "together",
        "groq",       "fireworks", "openrouter", "vllm",    "sglang",
        "llama.cpp",  "ollama",    "lmstudio",  "stillroom"};
    struct presets ps;
    struct err e = {0};
    assert_ok(presets_load(&ps, &e), e);
    assert_int_equal(ps.n, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct preset *p = preset_find(&ps, names[i]);
        assert_non_null(p);
        assert_non_null(p->note);
        assert_true(!!p->key_env == !url_is_loopback(p->url));
    }
    assert_null(preset_find(&ps, "x"));
    presets_free(&ps);
}

/* ---- Keys ---------------------------------------------------------------- */

static const char secret[] = "sk-test/1234567890abcdef";

static void test_key_sources(void **state)
{
    (void)state;
    struct err e = {0};
    struct key k;
    struct profile p = profile_new("t");
    assert_ok(key_load(&k, &p, &e), e);
    assert_null(k.form[0]);
    p.key_env = xstrdup("TEST_KEY");
    unsetenv("TEST_KEY");
    assert_false(key_load(&k, &p, &e));
    setenv("TEST_KEY", secret, 1);
    assert_ok(key_load(&k, &p, &e), e);
    assert_string_equal(k.form[0], secret);
    assert_null(getenv("TEST_KEY"));
    key_free(&k);
    setenv("TEST_KEY", "two words", 1);
    assert_false(key_load(&k, &p, &e));
    assert_null(strstr(e.text, "words"));
    free(p.key_env);
    p.key_env = NULL;
    p.key_command = xstrdup("printf '%s\\n' 'sk-from a'");
    assert_false(key_load(&k, &p, &e));
    free(p.key_command);
    p.key_command = xstrdup("printf 'sk-from-command\\n'");
    assert_ok(key_load(&k, &p, &e), e);
    assert_string_equal(k.form[0], "sk-from-command");
    key_free(&k);
    free(p.key_command);
    p.key_command = xstrdup("false");
    assert_false(key_load(&k, &p, &e));
    profile_free(&p);
}

static void test_key_file(void **state)
{
    (void)state;
    struct err e = {0};
    struct key k;
    struct profile p = profile_new("t");
    char *path = temp("key"), *link = temp("key-link");
    profile_set(&p, "key_file", "~/key", &e);
    assert_false(key_load(&k, &p, &e));
    write_file(path, "sk-in-a-file\r\n", 0644);
    assert_false(key_load(&k, &p, &e));
    assert_non_null(strstr(e.text, "read by others"));
    chmod(path, 0600);
    assert_ok(key_load(&k, &p, &e), e);
    assert_string_equal(k.form[0], "sk-in-a-file");
    key_free(&k);
    assert_int_equal(symlink(path, link), 0);
    profile_set(&p, "key_file", "~/key-link", &e);
    assert_false(key_load(&k, &p, &e));
    profile_free(&p);
    free(path);
    free(link);
}

static void redacts(const struct key *k, const char *text, const char *want)
{
    char *copy = xstrdup(text);
    assert_int_equal(key_redact_text(k, &copy), strcmp(text, want) != 0);
    assert_string_equal(copy, want);
    free(copy);
}

static void test_redact(void **state)
{
    (void)state;
    struct err e = {0};
    struct key k;
    struct profile p = profile_new("t");
    p.key_env = xstrdup("TEST_KEY");
    setenv("TEST_KEY", secret, 1);
    assert_ok(key_load(&k, &p, &e), e);
    redacts(&k, "a sk-test/1234567890abcdef b", "a [key] b");
    redacts(&k, "sk-test/1234567890abcdefsk-test/1234567890abcdef",
            "[key][key]");
    redacts(&k, "sk-test\\/1234567890abcdef", "[key]");
    redacts(&k, "sk-test%2F1234567890abcdef", "[key]");
    redacts(&k, "c2stdGVzdC8xMjM0NTY3ODkwYWJjZGVm", "[key]");
    redacts(&k, "736b2d746573742f31323334353637383930616263646566", "[key]");
    redacts(&k, "sk-test/123", "sk-test/123");
    redacts(&k, "", "");
    struct buf b = BUF_INIT(0);
    buf_puts(&b, "key sk-test/12****cdef is wrong");
    key_redact_pieces(&k, &b);
    assert_string_equal(b.data, "key [key]****cdef is wrong");
    buf_free(&b);
    key_free(&k);
    setenv("TEST_KEY", "EMPTY", 1);
    assert_ok(key_load(&k, &p, &e), e);
    redacts(&k, "the EMPTY set", "the EMPTY set");
    key_free(&k);
    profile_free(&p);
}

/* A body that holds the key in another form keeps nothing of it. */
static void test_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "c2stdGVzdC8xMjM0NTY3ODkwYWJjZGVmIGFuZCBtb3Jl",
        "dXNrLXRlc3QvMTIzNDU2Nzg5MGFiY2RlZiBhbmQgbW9yZQ==",
        "dXNzay10ZXN0LzEyMzQ1Njc4OTBhYmNkZWYgYW5kIG1vcmU=",
        "c2stdGVzdC8xMjM0NTY3ODkwYWJjZGVmIGFuZCBtb3Jl",
        "dXNrLXRlc3QvMTIzNDU2Nzg5MGFiY2RlZiBhbmQgbW9yZQ==",
        "dXNzay10ZXN0LzEyMzQ1Njc4OTBhYmNkZWYgYW5kIG1vcmU=",
        "ONVS25DFON2C6MJSGM2DKNRXHA4TAYLCMNSGKZRAMFXGIIDNN5ZGK===",
        "OVZWWLLUMVZXILZRGIZTINJWG44DSMDBMJRWIZLGEBQW4ZBANVXXEZI=",
        "OVZXG2ZNORSXG5BPGEZDGNBVGY3TQOJQMFRGGZDFMYQGC3TEEBWW64TF",
        "OVZWK43LFV2GK43UF4YTEMZUGU3DOOBZGBQWEY3EMVTCAYLOMQQG233SMU=="
         "====",
        "OVZWK4TTNMWXIZLTOQXTCMRTGQ2TMNZYHEYGCYTDMRSWMIDBNZSCA3LPOJSQ"
         "====",
        "onvs25dfon2c6mjsgm2dknrxha4taylcmnsgkzramfxgiidnn5zgk===",
        "ovzwwllumvzxilzrgiztinjwg44dsmdbmjrwizlgebqw4zbanvxxezi=",
        "ovzxg2znorsxg5bpgezdgnbvgy3tqojqmfrggzdfmyqgc3teebww64tf",
        "ovzwk43lfv2gk43uf4ytemzugu3doobzgbqwey3emvtcaylomqqg233smu=="
         "====",
        "ovzwk4ttnmwxizltoqxtcmrtgq2tmnzyheygcytdmrswmidbnzsca3lpojsq"
         "====",
        "736b2d746573742f31323334353637383930616263646566",
        "736B2D746573742F31323334353637383930616263646566",
    };
    static const char *const spellings[] = {
        "%73%6B%2D%74%65%73%74%2F%31%32%33%34%35%36%37%38%39%30%61%62"
         "%63%64%65%66",
        "%73%6b%2d%74%65%73%74%2f%31%32%33%34%35%36%37%38%39%30%61%62"
         "%63%64%65%66",
        "\\u0073\\u006b\\u002d\\u0074\\u0065\\u0073\\u0074\\u002f\\u0"
         "031\\u0032\\u0033\\u0034\\u0035\\u0036\\u0037\\u0038\\u0039"
         "\\u0030\\u0061\\u0062\\u0063\\u0064\\u0065\\u0066",
        "\\u0073\\u006B\\u002D\\u0074\\u0065\\u0073\\u0074\\u002F\\u0"
         "031\\u0032\\u0033\\u0034\\u0035\\u0036\\u0037\\u0038\\u0039"
         "\\u0030\\u0061\\u0062\\u0063\\u0064\\u0065\\u0066",
        "\\x73\\x6b\\x2d\\x74\\x65\\x73\\x74\\x2f\\x31\\x32\\x33\\x34"
         "\\x35\\x36\\x37\\x38\\x39\\x30\\x61\\x62\\x63\\x64\\x65\\x66",
        "&#115;&#107;&#45;&#116;&#101;&#115;&#116;&#47;&#49;&#50;&#51"
         ";&#52;&#53;&#54;&#55;&#56;&#57;&#48;&#97;&#98;&#99;&#100;&#1"
         "01;&#102;",
        "&#x73;&#x6B;&#x2D;&#x74;&#x65;&#x73;&#x74;&#x2F;&#x31;&#x32;"
         "&#x33;&#x34;&#x35;&#x36;&#x37;&#x38;&#x39;&#x30;&#x61;&#x62;"
         "&#x63;&#x64;&#x65;&#x66;",
        "sk-test%2f1234567890abcdef",
        "sk-test\\u002f1234567890abcdef",
    };
    struct err e = {0};
    struct key k;
    struct profile p = profile_new("t");
    p.key_env = xstrdup("TEST_KEY");
    setenv("TEST_KEY", secret, 1);
    assert_ok(key_load(&k, &p, &e), e);
    for (size_t i = 0; i < COUNT(forms); i++) {
        char *text = xasprintf("Authorization: Basic %s (refused)", forms[i]);
        bool found = key_redact_text(&k, &text);
        /* what stands around it shares a digit with it at most */
        if (!found || !strstr(text, "[key]") || strlen(text) > 70)
            fail_msg("kept: %s", text);
        free(text);
    }
    for (size_t i = 0; i < COUNT(spellings); i++)
        redacts(&k, spellings[i], "[key]");
    redacts(&k, "%41&#4;\\u00", "%41&#4;\\u00");
    key_free(&k);
    profile_free(&p);
}

/* ---- Money --------------------------------------------------------------- */

static void test_cost(void **state)
{
    (void)state;
    struct profile p = profile_new("t");
    p.price_in = 0.2;
    p.price_out = 0.7;
    assert_true(fabs(cost_of(&p, 1000000, 1000000) - 0.9) < 1e-12);
    assert_true(cost_of(&p, -1, -1) == 0);
    static const struct {
        const char *text;
        int64_t least, most; /* of the tokenizers in use */
    } texts[] = {
        {"The quick brown fox jumps over the lazy dog.", 10, 12},
        {"Qual \xc3\xa9 a capital de Portugal, e por qu\xc3\xaa?", 11, 18},
        {"\xe6\xb3\xa2\xe5\xbe\xb7\xe5\xb0\x94\xe5\x9b\xbe", 2, 6},
        {"123456789", 3, 9},
        {"for (int i = 0; i < n; i++) sum += a[i];", 17, 26},
        {"", 0, 0},
        {"        \n\n", 1, 3},
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_in_range(cost_tokens(texts[i].text), texts[i].least,
                        texts[i].most);
    struct chat chat = {0};
    chat_add(&chat, ROLE_USER, "123456789012"); /* 6 + 4 tokens, 44 at most */
    struct ask a = {.chat = &chat, .has = HAS(PARAM_MAX_TOKENS) | HAS(PARAM_N),
                    .max_tokens = 100, .n = 3};
    bool estimated;
    struct choice c = {.answer = {.content = "123456"}};
    struct reply r = {.at = &c, .n = 1, .tokens_in = 7, .tokens_out = 9};
    assert_true(fabs(cost_of_reply(&p, &a, &r, &estimated) -
                     (7 * .2 + 9 * .7) / 1e6) < 1e-12);
    assert_false(estimated);
    r.tokens_in = r.tokens_out = -1;
    assert_true(fabs(cost_of_reply(&p, &a, &r, &estimated) -
                     (10 * .2 + 3 * .7) / 1e6) < 1e-12);
    assert_true(estimated);
    r.n = 0;
    assert_true(cost_of_reply(&p, &a, &r, &estimated) == 0);
    assert_false(estimated);
    chat_free(&chat);
    profile_free(&p);
}

/* Calls of 10 tokens in and `out` out, up to three in flight, until the limit
 * ends them: it is never passed, and less than a call is left. */
static void spend(double limit, int64_t out, int64_t max_tokens)
{
    struct profile p = profile_new("t");
    struct chat chat = {0};
    struct budget b = {.limit = limit};
    double held[3], dearest = 0;
    int flying = 0, calls = 0;
    p.price_in = p.price_out = 1e6; /* a token costs 1 */
    chat_add(&chat, ROLE_USER, "123456789012");
    for (;;) {
        struct ask a = {.chat = &chat, .has = HAS(PARAM_MAX_TOKENS),
                        .max_tokens = max_tokens};
        bool taken = flying < 3 && budget_take(&b, &p, &a, &held[flying]);
        flying += taken;
        assert_true(b.spent + b.held <= limit + 1e-6);
        if (taken)
            continue;
        if (!flying)
            break;
        int64_t told = out < a.max_tokens ? out : a.max_tokens;
        budget_learn(&b, &a, 10);
        budget_settle(&b, held[--flying], (double)(10 + told));
        dearest = 10 + out;
        calls++;
    }
    assert_true(budget_over(&b));
    assert_true(b.spent <= limit + 1e-6);
    assert_true(calls > 0);
    assert_true(limit - b.spent < dearest);
    chat_free(&chat);
    profile_free(&p);
}

static void test_budget(void **state)
{
    (void)state;
    for (int out = 1; out <= 90; out += 11) {
        spend(200, out, 100);
        spend(1000, out, 100);
        spend(1003, out, 900);
        spend(5000, out, 1024);
    }
    struct profile p = profile_new("t");
    struct chat chat = {0};
    struct ask a = {.chat = &chat};
    double held;
    chat_add(&chat, ROLE_USER, "x");
    struct budget none = {.limit = -1}, small = {.limit = 1, .spent = .5};
    p.price_in = p.price_out = 1e6;
    assert_true(budget_take(&none, &p, &a, &held) && !a.has);
    assert_false(budget_take(&small, &p, &a, &held)); /* not even one */
    assert_true(budget_over(&small));
    assert_true(budget_book(&small, .5));
    assert_false(budget_book(&small, .1));
    chat_free(&chat);
    profile_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_absent_is_empty),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_writable_by_others),
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_append_keeps),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_key_sources),
        cmocka_unit_test(test_key_file),
        cmocka_unit_test(test_redact),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
