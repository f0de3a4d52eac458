/* SPDX-License-Identifier: Apache-2.0 */
/* What a program over libwhet.so gets: apart MODEL [FOLDER]. One line for each of
 *
 *   level LEVEL     the highest in use                     wide N          rows for AVX-512 and above that are there
 *   lack TEXT       why those are not                      steps N         steps of the model's plan that are such
 * rows mapped N        whether their library is mapped        output BYTES    what the model gives for a pattern, in
 * hexadecimal
 *
 * It first goes to FOLDER, and asks for the CPU from several threads at once, which must get one answer. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <whet/whet.h>

enum { THREADS = 8 };
static pthread_barrier_t start;

/* The level, as static text; NULL where the library fails. */
static void *level(void *unused) {
  whet_cpu_info cpu = {.size = sizeof cpu};
  pthread_barrier_wait(&start);
  return whet_cpu(NULL, &cpu, NULL) ? NULL : (void *)cpu.level;
}

/* Whether a kernel's name is that of a row for AVX-512 and above. */
static int wide(const char *name) {
  return strstr(name, "__avx512_") || strstr(name, "__vnni_") || strstr(name, "__bf16_") || strstr(name, "__amx_");
}

/* Whether a file of that name is mapped. */
static int mapped(const char *name) {
  char line[4096];
  int found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) found |= strstr(line, name) != NULL;
  if (maps) fclose(maps);
  return found;
}

int main(int argc, char **argv) {
  pthread_t thread[THREADS];
  void *answer[THREADS];
  whet_cpu_info cpu = {.size = sizeof cpu};
  whet_kernel_info kernel = {.size = sizeof kernel};
  whet_step_info step = {.size = sizeof step};
  whet_session *session = NULL;
  whet_err err = {0};
  size_t bytes, n = 0;

  if (argc < 2 || (argc > 2 && chdir(argv[2]))) return 2;
  pthread_barrier_init(&start, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, level, NULL);
  for (int i = 0; i < THREADS; i++) pthread_join(thread[i], &answer[i]);
  if (whet_cpu(NULL, &cpu, &err)) goto fail;
  for (int i = 0; i < THREADS; i++)
    if (!answer[i] || strcmp(answer[i], cpu.level)) return printf("thread %d had another answer\n", i), 1;
  for (size_t i = 0; !whet_kernel(i, NULL, &kernel, NULL); i++) n += wide(kernel.name) != 0;
  printf("level %s\nlack %s\nmapped %d\nwide %zu\n", cpu.level, cpu.lack, mapped("libwhet_avx512"), n);

  if (whet_session_open(argv[1], NULL, NULL, &session, &err)) goto fail;
  unsigned char *x = whet_session_input(session, 0, &bytes, &err);
  if (!x) goto fail;
  for (size_t i = 0; i < bytes; i++) x[i] = (unsigned char)(i * i / 7);
  if (whet_session_run(session, NULL, &err)) goto fail;
  n = 0;
  for (size_t i = 0; i < whet_session_steps(session); i++)
    if (!whet_session_step(session, i, &step)) n += wide(step.kernel) != 0;
  printf("steps %zu\noutput ", n);
  const unsigned char *y = whet_session_output(session, 0, &bytes, &err);
  if (!y) goto fail;
  for (size_t i = 0; i < bytes; i++) printf("%02x", y[i]);
  printf("\n");
  whet_session_close(&session);
  return 0;
fail:
  printf("%s\n", err.text);
  whet_session_close(&session);
  return 1;
}
