/* Which variables a child must not see: whatever looks like a secret, unless
 * it is named. A job keeps its own teacher's key; servers, trainers and
 * editors keep none.
 */
#ifndef JOBS_ENV_H
#define JOBS_ENV_H

/* The names in our environment that hold KEY, TOKEN, SECRET, PASSW or
 * CREDENTIAL, and those in `also`, without those in `keep` (both NULL-ended,
 * may be NULL); as proc.drop_env wants them. The caller frees with
 * proc_free_argv. */
char **env_secrets(const char *const also[], const char *const keep[]);

#endif
