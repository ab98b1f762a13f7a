#include "model/learn/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "config.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE

static const unsigned refused[] = {
    __NR_socket, __NR_socketpair, __NR_connect, __NR_bind, __NR_listen,
    __NR_accept, __NR_accept4, __NR_execve, __NR_execveat,
    __NR_process_vm_readv, __NR_process_vm_writev, __NR_io_uring_setup,
    __NR_bpf, __NR_mount, __NR_pidfd_getfd,
#ifndef WITH_SANITIZERS /* whose search for leaks stops the threads by it */
    __NR_ptrace,
#endif
};

enum { X32 = 0x40000000 }; /* the other numbering of x86-64 */

/* Loads the call's number, having seen that the architecture is ours; then a
 * line for each that is refused. */
static size_t build(struct sock_filter *f)
{
    const unsigned n = COUNT(refused);
    size_t k = 0;
    f[k++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    f[k++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                          ARCHITECTURE, 1, 0);
    f[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                                          SECCOMP_RET_KILL_PROCESS);
    f[k++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    f[k++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32,
                                          (unsigned char)(n + 1), 0);
    for (unsigned i = 0; i < n; i++)
        f[k++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, refused[i], (unsigned char)(n - i), 0);
    f[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    f[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                                          SECCOMP_RET_ERRNO | EPERM);
    return k;
}

bool sandbox_enter(void)
{
    struct sock_filter f[COUNT(refused) + 8];
    struct sock_fprog program = {.len = (unsigned short)build(f), .filter = f};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#else

bool sandbox_enter(void)
{
    return false;
}

#endif
