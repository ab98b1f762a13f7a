/* Jobs and private servers. The program is its own job: `test_jobs job DIR
 * MODE` is what the tests start. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/proc.h"
#include "base/sig.h"
#include "base/status.h"
#include "jobs/env.h"
#include "jobs/job.h"
#include "jobs/server.h"
#include "teacher/client.h"
#include "teacher/key.h"

#define PATIENCE 30000

/* ---- As a job ------------------------------------------------------------ */

static char *faulty_teacher(void)
{
    return xasprintf("%s/tests/fault/faulty-teacher",
                     getenv("top_builddir"));
}

/* Starts a server and is killed with it running. */
static void serve_and_die(const char *dir)
{
    struct err e = {0};
    char *line = faulty_teacher();
    struct server_plan plan = {.line = line, .job_dir = dir};
    struct server *s = server_start(&plan, &e);
    printf("%s\n", s ? server_socket(s) : e.text);
    fflush(stdout);
    raise(SIGKILL);
}

/* Reads its key and says where it can still be found. */
static void use_key(void)
{
    struct err e = {0};
    struct key k;
    struct profile p = profile_new("t");
    struct buf environ_now = BUF_INIT(0);
    struct rlimit core;
    p.key_env = xstrdup("MY_API_KEY");
    int fd = open("/proc/self/environ", O_RDONLY); /* later it is root's */
    bool ok = key_load(&k, &p, &e);
    char chunk[4096];
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) > 0;)
        buf_add(&environ_now, chunk, (size_t)n);
    close(fd);
    getrlimit(RLIMIT_CORE, &core);
    printf("%s %s %s %s\n", ok ? "loaded" : e.text,
           environ_now.len ? "read" : "unread",
           memmem(environ_now.data, environ_now.len, "kept-secret", 11)
               ? "leaked" : "wiped",
           core.rlim_max == 0 ? "no-core" : "core");
    fflush(stdout);
    buf_free(&environ_now);
    key_free(&k);
    profile_free(&p);
}

/* Waits for a server that never answers. */
static int wait_in_vain(struct job_self *j)
{
    struct err e = {0};
    struct server_plan plan = {.line = "sh -c 'exec sleep 20'",
                               .job_dir = j->dir};
    struct server *s = server_start(&plan, &e);
    bool told = !s && e.code == ERR_CANCEL;
    return !job_end(j, told ? "stopped" : "failed", e.text, NULL, &e);
}

static int as_job(const char *dir, const char *mode)
{
    extern char **environ;
    struct err e = {0};
    struct job_self j;
    if (!job_begin(&j, dir, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    if (!strcmp(mode, "key"))
        use_key();
    for (char **v = environ; *v; v++)
        printf("%s\n", *v);
    fflush(stdout);
    if (!strcmp(mode, "serve"))
        serve_and_die(dir);
    if (!strcmp(mode, "vain"))
        return wait_in_vain(&j);
    if (!strcmp(mode, "crash"))
        raise(SIGKILL);
    must(strcmp(mode, "fault"));
    for (int i = 0; !strcmp(mode, "wait"); i++) {
        char *figures = xasprintf("{\"turn\":%d}", i);
        job_report(&j, figures, false, &e);
        free(figures);
        if (sig_next() == SIGTERM)
            return !job_end(&j, "stopped", NULL, NULL, &e);
        clock_sleep(10);
    }
    return !job_end(&j, "done", NULL, "{\"made\":7}", &e);
}

/* ---- As its watcher ------------------------------------------------------ */

static char *fresh_dir(const char *name)
{
    return path_join(getenv("HOME"), name);
}

static pid_t launch(const char *dir, const char *mode, const char *keep,
                    struct err *e)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    const char *argv[] = {self, "job", dir, mode, NULL};
    const char *keeps[] = {keep, NULL};
    struct job_plan plan = {.dir = dir, .argv = argv, .keep = keeps};
    return job_start(&plan, e);
}

/* Waits until the job is in this state; the caller frees the view. */
static struct job_view until(const char *dir, enum job_state state)
{
    int64_t end = clock_mono() + PATIENCE;
    for (;;) {
        struct job_view v = job_look(dir);
        if (v.state == state)
            return v;
        if (clock_mono() > end)
            fail_msg("state %d, not %d", v.state, state);
        job_view_free(&v);
        clock_sleep(5);
    }
}

static char *read_log(const char *dir, const char *name)
{
    struct buf b = BUF_INIT(0);
    struct err e = {0};
    char *path = path_join(dir, name);
    assert_ok(file_read(path, (size_t)1 << 20, &b, &e), e);
    free(path);
    return buf_take(&b);
}

static void test_junk(void **state)
{
    (void)state;
    static const char *const junk[] = {"", "running", "{\"state\":7}",
                                       "{\"state\":\"well\"}", "[]", "{",
                                       "\xff\xfe"};
    char *dir = fresh_dir("store.runs/r1");
    assert_true(dir_make(dir, 0700, NULL));
    char *path = path_join(dir, "status.json");
    for (size_t i = 0; i < COUNT(junk); i++) {
        assert_true(file_replace(path, junk[i], strlen(junk[i]), 0600, false,
                                 NULL));
        struct job_view v = job_look(dir);
        if (v.state != JOB_JUNK)
            fail_msg("\"%s\" is state %d", junk[i], v.state);
        assert_string_equal(job_state_word(&v, "running"), "unreadable");
        assert_string_equal(job_state_word(&v, "done"), "done");
        assert_null(v.status);
        job_view_free(&v);
    }
    free(path);
    free(dir);
}

static void test_done(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = fresh_dir("store.runs/j1");
    struct job_view v = job_look(dir);
    assert_int_equal(v.state, JOB_NONE);
    job_view_free(&v);
    pid_t pid = launch(dir, "done", NULL, &e);
    if (pid < 0)
        fail_msg("%s", e.text);
    v = until(dir, JOB_ENDED);
    assert_string_equal(json_get_string(v.status, "state", ""), "done");
    assert_int_equal(json_get_int(json_get(v.status, "figures"), "made", 0),
                     7);
    assert_int_equal(v.pid, pid);
    job_view_free(&v);
    struct stat st;
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    char *log = path_join(dir, "log");
    assert_int_equal(stat(log, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    free(log);
    free(dir);
}

static void test_stop(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = fresh_dir("j2");
    pid_t pid = launch(dir, "wait", NULL, &e);
    assert_true(pid > 0);
    assert_true(status_locked(dir)); /* from the first moment on */
    assert_int_equal(launch(dir, "wait", NULL, &e), -1);
    assert_int_equal(e.code, ERR_BUSY);
    struct job_view v = until(dir, JOB_RUNNING);
    assert_int_equal(v.pid, pid);
    assert_int_equal(getsid(pid), pid);
    job_view_free(&v);
    assert_ok(job_stop(dir, &e), e);
    v = until(dir, JOB_ENDED);
    assert_string_equal(json_get_string(v.status, "state", ""), "stopped");
    job_view_free(&v);
    assert_false(job_stop(dir, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    free(dir);
}

static void test_interrupted(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = fresh_dir("j3");
    assert_true(launch(dir, "crash", NULL, &e) > 0);
    struct job_view v = until(dir, JOB_INTERRUPTED);
    job_view_free(&v);
    assert_false(job_stop(dir, &e));
    /* one that finds a fault in itself says which */
    assert_true(launch(dir, "fault", NULL, &e) > 0);
    v = until(dir, JOB_INTERRUPTED);
    assert_non_null(strstr(json_get_string(v.status, "error", ""),
                           "strcmp(mode, \"fault\")"));
    job_view_free(&v);
    /* and it can be started again */
    assert_true(launch(dir, "done", NULL, &e) > 0);
    v = until(dir, JOB_ENDED);
    job_view_free(&v);
    free(dir);
}

/* A job is stopped at once also while its server is starting. */
static void test_stop_early(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = fresh_dir("j8"), *log;
    assert_true(launch(dir, "vain", NULL, &e) > 0);
    struct job_view v = until(dir, JOB_RUNNING);
    job_view_free(&v);
    log = path_join(dir, "server.log");
    while (!file_exists(log))
        clock_sleep(5);
    assert_ok(job_stop(dir, &e), e);
    v = until(dir, JOB_ENDED);
    assert_string_equal(json_get_string(v.status, "state", ""), "stopped");
    job_view_free(&v);
    free(log);
    free(dir);
}

/* A status with somebody else's pid stops nobody. */
static void test_stale_pid(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = fresh_dir("j4");
    assert_ok(dir_make(dir, 0700, &e), e);
    int lock = status_lock(dir, &e);
    struct buf b = BUF_INIT(0);
    buf_printf(&b, "{\"state\":\"running\",\"pid\":%ld,\"born\":1}",
               (long)getpid());
    assert_ok(status_write(dir, &b, &e), e);
    assert_false(job_stop(dir, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    struct job_view v = job_look(dir);
    assert_int_equal(v.state, JOB_RUNNING);
    job_view_free(&v);
    close(lock);
    v = job_look(dir);
    assert_int_equal(v.state, JOB_INTERRUPTED);
    job_view_free(&v);
    buf_free(&b);
    free(dir);
}

static void test_program_missing(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = fresh_dir("j5");
    const char *argv[] = {"/nowhere/at/all", NULL};
    struct job_plan plan = {.dir = dir, .argv = argv};
    assert_int_equal(job_start(&plan, &e), -1);
    assert_non_null(strstr(e.text, "/nowhere/at/all"));
    assert_false(status_locked(dir));
    free(dir);
}

static void test_env(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = fresh_dir("j6");
    setenv("MY_API_KEY", "kept-secret", 1);
    setenv("OTHER_API_KEY", "other-secret", 1);
    setenv("HF_TOKEN", "token-secret", 1);
    setenv("PLAIN", "plain-value", 1);
    assert_true(launch(dir, "done", "MY_API_KEY", &e) > 0);
    struct job_view v = until(dir, JOB_ENDED);
    job_view_free(&v);
    char *log = read_log(dir, "log");
    assert_non_null(strstr(log, "MY_API_KEY=kept-secret"));
    assert_non_null(strstr(log, "PLAIN=plain-value"));
    assert_null(strstr(log, "other-secret"));
    assert_null(strstr(log, "token-secret"));
    assert_null(strstr(log, "STILLROOM_LOCK_FD"));
    free(log);
    const char *also[] = {"PLAIN", NULL};
    char **drop = env_secrets(also, NULL);
    int found = 0;
    for (size_t i = 0; drop[i]; i++)
        found += !strcmp(drop[i], "PLAIN") || !strcmp(drop[i], "MY_API_KEY");
    assert_int_equal(found, 2);
    proc_free_argv(drop);
    free(dir);
}

static void test_key_is_wiped(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = fresh_dir("j7");
    setenv("MY_API_KEY", "kept-secret", 1);
    assert_true(launch(dir, "key", "MY_API_KEY", &e) > 0);
    struct job_view v = until(dir, JOB_ENDED);
    job_view_free(&v);
    char *log = read_log(dir, "log");
    assert_non_null(strstr(log, "loaded read wiped no-core\n"));
    assert_null(strstr(log, "kept-secret"));
    free(log);
    free(dir);
}

/* ---- Servers ------------------------------------------------------------- */

static bool on_answer(void *ctx, const struct news *n)
{
    if (n->kind == NEWS_END && n->result->state == ASK_ANSWERED)
        *(bool *)ctx = true;
    return true;
}

static bool ask_once(const char *socket)
{
    struct err e = {0};
    struct loop *l = loop_new();
    struct profile p = profile_new("own");
    struct chat chat = {0};
    bool answered = false;
    p.serve = xstrdup("as started");
    p.model = xstrdup("m");
    chat_add(&chat, ROLE_USER, "are you there?");
    struct ask a = {.chat = &chat, .stream = true};
    struct client *c = client_new(l, &p, socket, &e);
    if (!c)
        fail_msg("%s", e.text);
    client_ask(c, &a, on_answer, &answered);
    int64_t end = clock_mono() + PATIENCE;
    while (client_pending(c) && clock_mono() < end)
        loop_once(l, 100);
    client_free(&c);
    loop_free(&l);
    chat_free(&chat);
    profile_free(&p);
    return answered;
}

static void serve_in(const char *name)
{
    struct err e = {0};
    char *line = faulty_teacher(), *job_dir = fresh_dir(name);
    struct server_plan plan = {.line = line, .job_dir = job_dir};
    assert_ok(dir_make(job_dir, 0700, &e), e);
    struct server *s = server_start(&plan, &e);
    if (!s)
        fail_msg("%s", e.text);
    struct server *second = server_start(&plan, &e); /* one job, two servers */
    if (!second)
        fail_msg("%s", e.text);
    char *socket = xstrdup(server_socket(s));
    assert_true(server_alive(s));
    assert_true(ask_once(socket));
    assert_true(ask_once(server_socket(second)));
    server_stop(&second);
    server_stop(&s);
    assert_null(s);
    assert_false(file_exists(socket));
    free(socket);
    free(job_dir);
    free(line);
}

static void test_server(void **state)
{
    (void)state;
    struct err e = {0};
    char *runtime = fresh_dir("runtime"), *stale, *kept;
    unsetenv("XDG_RUNTIME_DIR");
    serve_in("server-job");
    serve_in("server-job-in-a-folder-whose-name-is-so-long-that-a-socket-in-"
             "it-has-no-address-of-its-own-at-all");
    assert_ok(dir_make(runtime, 0700, &e), e);
    stale = path_join(runtime, "stillroom-999999999/x");
    kept = path_join(runtime, "stillroom-1");
    assert_ok(dir_make(stale, 0700, &e), e);
    assert_ok(dir_make(kept, 0700, &e), e);
    setenv("XDG_RUNTIME_DIR", runtime, 1);
    serve_in("server-job-3");
    char *own = paths_runtime();
    assert_false(file_exists(own));
    assert_false(file_exists(stale));
    assert_true(file_exists(kept));
    unsetenv("XDG_RUNTIME_DIR");
    free(own);
    free(stale);
    free(kept);
    free(runtime);
}

static void test_server_fails(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
        int patience_ms;
    } rows[] = {
        {"/nowhere/server", "cannot start /nowhere/server", PATIENCE},
        {"sh -c 'echo out of luck >&2; exit 3'", "out of luck", PATIENCE},
        {"sh -c 'exec sleep 5'", "no answer", 300},
        {"'open quote", "cannot be read", PATIENCE},
    };
    char *dir = fresh_dir("failing");
    struct err e = {0};
    assert_ok(dir_make(dir, 0700, &e), e);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct server_plan plan = {.line = rows[i].line, .job_dir = dir,
                                   .patience_ms = rows[i].patience_ms};
        assert_null(server_start(&plan, &e));
        if (!strstr(e.text, rows[i].says))
            fail_msg("%s says: %s", rows[i].line, e.text);
    }
    free(dir);
}

/* True once nothing accepts on the socket any more. */
static bool falls_silent(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int64_t end = clock_mono() + PATIENCE;
    assert_true(strlen(path) < sizeof at.sun_path);
    memcpy(at.sun_path, path, strlen(path) + 1);
    while (clock_mono() < end) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool refused = connect(fd, (struct sockaddr *)&at, sizeof at) < 0;
        close(fd);
        if (refused)
            return true;
        clock_sleep(20);
    }
    return false;
}

/* kill -9 of a job takes its server with it. */
static void test_no_server_outlives(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = fresh_dir("serving");
    assert_true(launch(dir, "serve", NULL, &e) > 0);
    struct job_view v = until(dir, JOB_INTERRUPTED);
    job_view_free(&v);
    char *log = read_log(dir, "log");
    log[strlen(log) - 1] = '\0';
    const char *socket = strrchr(log, '\n') + 1;
    assert_non_null(strstr(socket, "server-1.sock"));
    assert_true(file_exists(socket));
    assert_true(falls_silent(socket));
    free(log);
    free(dir);
}

int main(int argc, char **argv)
{
    sig_start();
    if (argc == 4 && !strcmp(argv[1], "job")) {
        sig_catch(SIGTERM);
        return as_job(argv[2], argv[3]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done),
        cmocka_unit_test(test_junk),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_stop_early),
        cmocka_unit_test(test_stale_pid),
        cmocka_unit_test(test_program_missing),
        cmocka_unit_test(test_env),
        cmocka_unit_test(test_key_is_wiped),
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_server_fails),
        cmocka_unit_test(test_no_server_outlives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
