/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files, for builds without libFuzzer: arguments are files and folders; folders that are not
 * there count as empty; words that start with '-' are libFuzzer's and mean nothing here. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Give one file's bytes to the target, in a block of exactly their size so that a sanitizer sees every byte too far.
 */
static int one(const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END)) {
    fprintf(stderr, "%s: cannot be read\n", path);
    exit(2);
  }
  long n = ftell(f);
  rewind(f);
  uint8_t *p = malloc(n > 0 ? (size_t)n : 1);
  if (!p || n < 0 || fread(p, 1, (size_t)n, f) != (size_t)n) exit(2);
  fclose(f);
  LLVMFuzzerTestOneInput(p, (size_t)n);
  free(p);
  return 1;
}

int main(int argc, char **argv) {
  int done = 0;
  for (int i = 1; i < argc; i++) {
    struct stat st;
    if (argv[i][0] == '-' || stat(argv[i], &st)) continue;
    if (!S_ISDIR(st.st_mode)) {
      done += one(argv[i]);
      continue;
    }
    struct dirent **list;
    int n = scandir(argv[i], &list, NULL, alphasort);
    for (int k = 0; k < n; k++) {
      char path[4096];
      snprintf(path, sizeof path, "%s/%s", argv[i], list[k]->d_name);
      if (!stat(path, &st) && S_ISREG(st.st_mode)) done += one(path);
      free(list[k]);
    }
    if (n >= 0) free(list);
  }
  LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
  printf("%d files\n", done);
  return 0;
}
