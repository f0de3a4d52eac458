/* SPDX-License-Identifier: Apache-2.0 */
/* base/file: reading, mapping, staying inside a folder, writing all or nothing. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "lib/test.h"

static whet_mem k_mem;

static void open_both_ways(void **state) {
  const char *d = test_folder();
  uint8_t big[20000];
  for (size_t i = 0; i < sizeof big; i++) big[i] = (uint8_t)(i * 7);
  const size_t sizes[] = {0, 1, 4096, 20000};
  for (size_t k = 0; k < WHET_COUNT(sizes); k++)
    for (int copy = 0; copy < 2; copy++) {
      whet_file f;
      whet_err e = {0};
      assert_int_equal(whet__file_open(test_write(d, "a", big, sizes[k]), copy, &k_mem, &f, &e), WHET_OK);
      assert_non_null(f.p);
      assert_int_equal(f.n, sizes[k]);
      assert_memory_equal(f.p, big, f.n);
      assert_int_equal(f.map, copy ? 0 : f.n);
      whet__file_forget(&f, f.p, f.n); /* the kernel reads them again */
      whet__file_forget(&f, f.p + 1, SIZE_MAX);
      assert_memory_equal(f.p, big, f.n);
      whet__file_close(&f);
      assert_null(f.p);
      assert_int_equal(k_mem.used, 0);
    }
}

static void refuse(const char *path, const char *says) {
  whet_file f;
  whet_err e = {0};
  assert_int_equal(whet__file_open(path, false, &k_mem, &f, &e), WHET_E_IO);
  assert_non_null(strstr(e.text, path));
  if (!strstr(e.text, says)) fail_msg("\"%s\" does not say \"%s\"", e.text, says);
  assert_null(f.p);
  whet__file_close(&f);
}

static void what_is_no_file(void **state) {
  const char *d = test_folder(), *pipe = test_join(d, "pipe");
  refuse(d, "folder");
  refuse(test_join(d, "none"), "No such file");
  refuse("/dev/null", "device");
  assert_int_equal(mkfifo(pipe, 0600), 0);
  refuse(pipe, "pipe"); /* and does not wait for a writer */
  whet_mem small;
  whet_file f;
  whet_err e = {0};
  char big[5000] = {0};
  whet__mem_init(&small, NULL, NULL, 1000);
  assert_int_equal(whet__file_open(test_write(d, "big", big, sizeof big), true, &small, &f, &e), WHET_E_LIMIT);
  assert_int_equal(whet__file_open(test_join(d, "big"), false, &small, &f, &e),
                   WHET_OK); /* a mapping takes no memory */
  whet__file_close(&f);
}

/* One name below d/in: the status, and on success the byte that the file must hold. */
static void below(const char *folder, const char *name, whet_status want, char byte) {
  whet_file f;
  whet_err e = {0};
  whet_status s = whet__file_open_in(folder, name, false, &k_mem, &f, &e);
  if (s != want) fail_msg("\"%s\": %s (%s), expected %s", name, whet_status_name(s), e.text, whet_status_name(want));
  if (!s && f.p[0] != (uint8_t)byte) fail_msg("\"%s\" opened another file", name);
  if (s && !e.text[0]) fail_msg("\"%s\": no text", name);
  whet__file_close(&f);
}

static void confinement(void **state) {
  const char *d = test_folder();
  const char *in = test_join(d, "in");
  char name[5000];
  mkdir(in, 0777);
  mkdir(test_join(in, "sub"), 0777);
  mkdir(test_join(in, "sub/deep"), 0777);
  test_write(d, "secret", "S", 1);
  test_write(in, "a", "a", 1);
  test_write(in, "sub/b", "b", 1);
  test_write(in, "..c", "c", 1);
  assert_int_equal(symlink("sub/b", test_join(in, "good")), 0);
  assert_int_equal(symlink("../../a", test_join(in, "sub/deep/up")), 0);
  assert_int_equal(symlink("sub", test_join(in, "folder")), 0);
  assert_int_equal(symlink("good", test_join(in, "twice")), 0);
  assert_int_equal(symlink("../secret", test_join(in, "out")), 0);
  assert_int_equal(symlink("sub/../../secret", test_join(in, "sneaky")), 0);
  assert_int_equal(symlink("..", test_join(in, "parent")), 0);
  assert_int_equal(symlink(test_join(d, "secret"), test_join(in, "absolute")), 0);
  assert_int_equal(symlink("/", test_join(in, "root")), 0);
  assert_int_equal(symlink("loop", test_join(in, "loop")), 0);
  assert_int_equal(symlink("none", test_join(in, "broken")), 0);

  below(in, "a", WHET_OK, 'a');
  below(in, "./a", WHET_OK, 'a');
  below(in, "sub/b", WHET_OK, 'b');
  below(in, "sub//./b", WHET_OK, 'b');
  below(in, "..c", WHET_OK, 'c'); /* a name, not a way up */
  below(in, "good", WHET_OK, 'b');
  below(in, "twice", WHET_OK, 'b');
  below(in, "folder/b", WHET_OK, 'b');
  below(in, "sub/deep/up", WHET_OK, 'a'); /* a link that climbs but stays inside */

  below(in, "", WHET_E_DATA, 0);
  below(in, "/etc/passwd", WHET_E_DATA, 0);
  below(in, test_join(d, "secret"), WHET_E_DATA, 0);
  below(in, "../secret", WHET_E_DATA, 0);
  below(in, "sub/../a", WHET_E_DATA, 0); /* even though it stays: nobody needs it */
  below(in, "sub/..", WHET_E_DATA, 0);
  below(in, "..", WHET_E_DATA, 0);
  below(in, "out", WHET_E_DATA, 0);
  below(in, "sneaky", WHET_E_DATA, 0);
  below(in, "parent/secret", WHET_E_DATA, 0);
  below(in, "absolute", WHET_E_DATA, 0);
  below(in, "root/etc/passwd", WHET_E_DATA, 0);
  below(in, "loop", WHET_E_IO, 0);
  below(in, "broken", WHET_E_IO, 0);
  below(in, "none", WHET_E_IO, 0);
  below(in, "a/b", WHET_E_IO, 0);
  below(in, "sub", WHET_E_IO, 0);
  below(in, ".", WHET_E_IO, 0);
  below(test_join(d, "none"), "a", WHET_E_IO, 0);
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  below(in, name, WHET_E_DATA, 0);
  name[3000] = 0;
  below(in, name, WHET_E_IO, 0);
  for (int i = 0; i < 1999; i++) memcpy(name + 2 * i, "./", 3);
  strcat(name, "a");
  below(in, name, WHET_OK, 'a');

  char here[4096]; /* the empty folder is where we stand: a model opened as "model.onnx" */
  assert_non_null(getcwd(here, sizeof here));
  assert_int_equal(chdir(in), 0);
  below("", "sub/b", WHET_OK, 'b');
  assert_int_equal(chdir(here), 0);
}

/* A descriptor lost by any way through the code above would show here. */
static void no_descriptor_is_lost(void **state) {
  int n = 0, fd = open("/dev/null", O_RDONLY);
  confinement(state);
  what_is_no_file(state);
  n = open("/dev/null", O_RDONLY);
  assert_int_equal(n, fd + 1);
  close(n);
  close(fd);
}

/* The names in a folder, joined. */
static const char *listing(const char *d) {
  static char text[1000];
  struct dirent **list;
  text[0] = 0;
  int n = scandir(d, &list, NULL, alphasort);
  for (int i = 0; i < n; i++) {
    if (list[i]->d_name[0] != '.') strcat(strcat(text, list[i]->d_name), " ");
    free(list[i]);
  }
  free(list);
  return text;
}

static void holds(const char *path, const char *want) {
  whet_file f;
  whet_err e = {0};
  assert_int_equal(whet__file_open(path, true, &k_mem, &f, &e), WHET_OK);
  assert_int_equal(f.n, strlen(want));
  assert_memory_equal(f.p, want, f.n);
  whet__file_close(&f);
}

static void writing(void **state) {
  const char *d = test_folder();
  const char *path = test_join(d, "out");
  whet_err e = {0};
  assert_int_equal(whet__file_write(path, "first", 5, &e), WHET_OK);
  holds(path, "first");
  assert_int_equal(whet__file_write(path, "2", 1, &e), WHET_OK);
  holds(path, "2");
  assert_int_equal(whet__file_write(path, NULL, 0, &e), WHET_OK);
  holds(path, "");
  assert_string_equal(listing(d), "out ");
  assert_int_equal(symlink("out", test_join(d, "link")), 0); /* a link is written through, and stays one */
  assert_int_equal(whet__file_write(test_join(d, "link"), "via", 3, &e), WHET_OK);
  holds(path, "via");
  assert_string_equal(listing(d), "link out ");

  assert_int_equal(whet__file_write(test_join(d, "none/x"), "1", 1, &e), WHET_E_IO);
  assert_non_null(strstr(e.text, "none/x"));
  e = (whet_err){0};
  assert_int_equal(whet__file_write(d, "1", 1, &e), WHET_E_IO);
  assert_non_null(strstr(e.text, "directory"));
  assert_string_equal(listing(d), "link out ");

  struct stat st;
  e = (whet_err){0};
  assert_int_equal(whet__file_write("/dev/null", "1", 1, &e), WHET_OK);
  assert_int_equal(stat("/dev/null", &st), 0);
  assert_true(S_ISCHR(st.st_mode));
  if (!access("/dev/full", W_OK)) assert_int_equal(whet__file_write("/dev/full", "1", 1, &e), WHET_E_IO);
}

int main(void) {
  whet__mem_init(&k_mem, NULL, NULL, 0);
  const struct CMUnitTest tests[] = {cmocka_unit_test(open_both_ways), cmocka_unit_test(what_is_no_file),
                                     cmocka_unit_test(confinement), cmocka_unit_test(no_descriptor_is_lost),
                                     cmocka_unit_test(writing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
