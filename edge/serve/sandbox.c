/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel shall refuse the process once it serves: Landlock for files (Linux 5.13), seccomp for system calls.
 * Both are asked for and given up without harm where the kernel does not have them. */

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "edge/serve/server.h"

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ull << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14)
#endif

/* All that a version of Landlock can refuse. */
static uint64_t handled(long abi) {
  uint64_t all = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
                 LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                 LANDLOCK_ACCESS_FS_MAKE_SYM;
  if (abi >= 2) all |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= 3) all |= LANDLOCK_ACCESS_FS_TRUNCATE;
  return all;
}

/* Allow something below a path; a path that is not there needs nothing. */
static bool allow(int rules, const char *path, uint64_t what) {
  struct landlock_path_beneath_attr a = {.allowed_access = what, .parent_fd = open(path, O_PATH | O_CLOEXEC)};
  if (a.parent_fd < 0) return true;
  bool done = !syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
  if (!done && errno == EINVAL) { /* a file: rights of folders are not for it */
    a.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    done = !syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
  }
  close(a.parent_fd);
  return done;
}

const char *sandbox_files(const char *const *read, bool shared_memory) {
  long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return "files: this kernel has no Landlock";
  struct landlock_ruleset_attr a = {.handled_access_fs = handled(abi)};
  int rules = (int)syscall(SYS_landlock_create_ruleset, &a, sizeof a, 0);
  bool done = rules >= 0;
  for (size_t i = 0; done && read[i]; i++)
    done = allow(rules, read[i], LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
  if (done && shared_memory)
    done = allow(rules, "/dev/shm", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
  done = done && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !syscall(SYS_landlock_restrict_self, rules, 0);
  if (rules >= 0) close(rules);
  return done ? "files: only the models can be read" : "files: Landlock refused";
}

#define CALLS(X)                                                                                                    \
  X(read)                                                                                                           \
  X(write)                                                                                                          \
  X(readv)                                                                                                          \
  X(writev)                                                                                                         \
  X(pread64)                                                                                                        \
  X(pwrite64)                                                                                                       \
  X(recvfrom)                                                                                                       \
  X(recvmsg) X(sendto) X(sendmsg) X(sendfile) X(accept) X(accept4) X(close) X(shutdown) X(getsockopt) X(setsockopt) \
      X(getsockname) X(getpeername) X(epoll_ctl) X(epoll_pwait) X(epoll_create1) X(eventfd2) X(ppoll) X(pselect6)   \
          X(futex) X(nanosleep) X(clock_nanosleep) X(clock_gettime) X(clock_getres) X(gettimeofday) X(mmap)         \
              X(munmap) X(mremap) X(mprotect) X(madvise) X(brk) X(openat) X(fstat) X(newfstatat) X(statx)           \
                  X(faccessat) X(faccessat2) X(readlinkat) X(getdents64) X(lseek) X(fcntl) X(ioctl) X(dup) X(dup3)  \
                      X(inotify_add_watch) X(inotify_rm_watch) X(rt_sigaction) X(rt_sigprocmask) X(rt_sigreturn)    \
                          X(rt_sigtimedwait) X(sigaltstack) X(tgkill) X(getpid) X(gettid) X(getuid) X(geteuid)      \
                              X(getgid) X(getegid) X(exit) X(exit_group) X(clone) X(clone3) X(set_robust_list)      \
                                  X(rseq) X(set_tid_address) X(sched_getaffinity) X(sched_setaffinity)              \
                                      X(sched_setscheduler) X(sched_yield) X(getrandom) X(sysinfo) X(uname)         \
                                          X(getrusage) X(getcpu) X(membarrier) X(restart_syscall) X(prlimit64)      \
                                              X(fsync) X(mincore) X(times)
#if defined(__x86_64__)
#define OLD_CALLS(X) \
  X(poll)            \
  X(select)          \
  X(epoll_wait) X(open) X(stat) X(lstat) X(access) X(readlink) X(arch_prctl) X(time) X(getrlimit) X(dup2) X(alarm)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OLD_CALLS(X)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OLD_CALLS(X)
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#ifdef ARCHITECTURE
#define LET(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),

const char *sandbox_calls(void) {
  static struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      CALLS(LET) OLD_CALLS(LET) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA)),
  };
  struct sock_fprog program = {.len = EDGE_COUNT(filter), .filter = filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return "calls: no_new_privs is refused";
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program))
    return "calls: this kernel has no seccomp";
  return "calls: only those that serving needs";
}
#else
const char *sandbox_calls(void) { return "calls: no list for this architecture"; }
#endif
