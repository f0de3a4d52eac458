/* SPDX-License-Identifier: Apache-2.0 */
/* base/cores: quotas in made-up hierarchies of both cgroup versions, and the CPU set of this process. */

#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/target.h"
#include "lib/test.h"

/* Write a file in a folder below d that is made with its parents. */
static void put(const char *d, const char *folder, const char *file, const char *text) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s", d, folder);
  for (char *p = path + strlen(d) + 1; *p; p++)
    if (*p == '/') {
      *p = 0;
      mkdir(path, 0777);
      *p = '/';
    }
  mkdir(path, 0777);
  test_write(path, file, text, strlen(text));
}

static long quota(const char *d, const char *groups) {
  return whet__cgroup_quota(test_write(d, "groups", groups, strlen(groups)), d);
}

static void version_2(void **state) {
  const char *d = test_folder();
  assert_int_equal(quota(d, "0::/\n"), 0);
  put(d, "/a/b", "cpu.max", "150000 100000\n");
  put(d, "/a", "cpu.max", "max 100000\n");
  assert_int_equal(quota(d, "0::/a/b\n"), 1500);
  assert_int_equal(quota(d, "0::/a\n"), 0);
  assert_int_equal(quota(d, "0::/a/b/c/d\n"), 1500); /* a group without files of its own */
  put(d, "/a", "cpu.max", "50000 100000\n");         /* the group above is stricter */
  assert_int_equal(quota(d, "0::/a/b\n"), 500);
  put(d, "/a", "cpu.max", "400000 100000\n");
  assert_int_equal(quota(d, "0::/a/b\n"), 1500);
  assert_int_equal(quota(d, "0::/not/here\n"), 0);
  put(d, "/", "cpu.max", "100 100000\n"); /* in a container the top is our own group */
  assert_int_equal(quota(d, "0::/not/here\n"), 1);
  assert_int_equal(whet__cgroup_quota("/none", d), 1);
  assert_int_equal(quota(d, "0::/../..\n"), 1);
}

static void version_1(void **state) {
  const char *d = test_folder();
  put(d, "/cpu/docker/1f", "cpu.cfs_quota_us", "250000\n");
  put(d, "/cpu/docker/1f", "cpu.cfs_period_us", "100000\n");
  assert_int_equal(quota(d, "9:memory:/docker/1f\n4:cpu,cpuacct:/docker/1f\n1:name=systemd:/\n"), 2500);
  assert_int_equal(quota(d, "9:memory:/docker/1f\n4:cpuset:/docker/1f\n"), 0);
  put(d, "/cpu/docker/1f", "cpu.cfs_quota_us", "-1\n");
  assert_int_equal(quota(d, "4:cpu,cpuacct:/docker/1f\n"), 0);
}

static void garbage(void **state) {
  const char *d = test_folder();
  const char *bad[] = {"",   "max", "0 0", "-5 100000", "100 -1", "99999999999999999999 1", "1 99999999999999999999",
                       "x y"};
  for (size_t i = 0; i < WHET_COUNT(bad); i++) {
    put(d, "/g", "cpu.max", bad[i]);
    assert_int_equal(quota(d, "0::/g\n"), 0);
  }
  assert_int_equal(quota(d, "\n::\n0:\n0::\n:::::\nno colon"), 0);
}

static void cpu_set(void **state) {
  cpu_set_t all, one;
  assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
  int n = whet__target_cores();
  assert_true(n >= 1 && n <= CPU_COUNT(&all));
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
    if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  assert_int_equal(whet__target_cores(), 1);
  sched_setaffinity(0, sizeof all, &all);
  assert_int_equal(whet__target_cores(), n);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(version_2), cmocka_unit_test(version_1),
                                     cmocka_unit_test(garbage), cmocka_unit_test(cpu_set)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
