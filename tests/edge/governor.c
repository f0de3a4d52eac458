/* SPDX-License-Identifier: Apache-2.0 */
/* The governor of a pipeline over planted trees: each sensor down and up again, frames over steps, rates, and what is
 * said of a wrong file. The stepping alone is in power.c. */

#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/heard.h"

/* A file of the kernel's, planted. */
static void plant(const char *root, const char *name, const char *text) {
  char path[700];
  snprintf(path, sizeof path, "mkdir -p \"$(dirname '%s/%s')\"", root, name);
  assert_int_equal(system(path), 0);
  snprintf(path, sizeof path, "%s/%s.new", root, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
  char to[700];
  snprintf(to, sizeof to, "%s/%s", root, name);
  assert_int_equal(rename(path, to), 0); /* never half of it */
}

/* Give frames with the number of their place until the pipeline's counters say `what`; how many. */
static uint64_t until(whet_pipeline *p, const char *what, uint64_t from) {
  static char text[20000];
  whet_err err;
  double begun = test_seconds();
  do {
    pl_frame *f = frame_at(p, (int64_t)++from);
    assert_int_equal(pl_frame_numbers(f, WHET_F32, 2, (int64_t[]){1, 1}, &err), WHET_OK);
    *(float *)f->blob->p = (float)from;
    give(p, f);
    usleep(2000);
    whet_pipeline_stats(p, text, sizeof text);
    if (test_seconds() - begun > 20) fail_msg("never %s: %s", what, text);
  } while (!strstr(text, what));
  return from;
}

#define GOVERNED(sensor)                                                                                      \
  "governor:\n  every: 10ms\n  hold_down: 30ms\n  hold_up: 30ms\n  " sensor                                   \
  "\n  ladder: [full, small: {rate: 1000000}, events: {off: [app]}]\nstages:\n  - rungs:\n      full:\n"      \
  "        - window: {length: 4, hop: 4, rest: pad}\n        - values: {names: [a], of: most}\n      small: " \
  "[values: b]\n"                                                                                             \
  "source: app\nqueue: {size: 100000, full: block}\ndrain: 5s\nsinks: [app]\n"

/* Each sensor drives the ladder down and up again. A frame goes through the stages of one rung, and every one goes
 * somewhere: what the window held back at a step is given. */
static void governed(void **state) {
  static const struct {
    const char *yaml, *file, *good, *bad;
  } k[] = {{GOVERNED("temperature: {down: 80, up: 70}"), "sys/class/thermal/thermal_zone0/temp", "60000", "90000"},
           {GOVERNED("battery: {down: 20%, up: 30%}"), "sys/class/power_supply/BAT0/capacity", "50", "10"},
           {GOVERNED("cpu: {down: 50%, up: 20%}"), "proc/pressure/cpu", "some avg10=1.00 avg60=0",
            "some avg10=90.00 avg60=0"},
           {GOVERNED("power: {down: 10, up: 5}"), "sys/class/hwmon/hwmon0/power1_input", "2000000", "20000000"}};
  for (size_t i = 0; i < EDGE_COUNT(k); i++) {
    heard h;
    char root[600], sysfs[700], procfs[700];
    snprintf(root, sizeof root, "%s/governed%zu", test_folder(), i);
    snprintf(sysfs, sizeof sysfs, "%s/sys", root);
    snprintf(procfs, sizeof procfs, "%s/proc", root);
    plant(root, "proc/self/stat", "7 (a) S 1 1 1 0 -1 4194560 1 0 0 0 100 50 0 0 20 0 1 0 1 1 1");
    plant(root, "sys/class/power_supply/BAT0/type", "Battery\n");
    plant(root, k[i].file, k[i].good);
    whet_pipeline *p = open_under(k[i].yaml, sysfs, procfs, &h);
    uint64_t n = until(p, "\"rung\":\"full\"", 0);
    plant(root, k[i].file, k[i].bad);
    n = until(p, "\"rung\":\"events\"", n);
    plant(root, k[i].file, k[i].good);
    n = until(p, "\"rung\":\"full\",\"index\":0,\"rungs\":3", n + 5);
    char text[20000];
    whet_pipeline_stats(p, text, sizeof text);
    assert_non_null(strstr(text, "\"steps_down\":2,\"steps_up\":2"));
    n = until(p, "\"frames\":", n);
    h = finish(p, &h);
    double last = 0, x; /* number of the last frame, whichever way it went */
    size_t a = 0, b = 0, gap = 0;
    for (const char *at = h.text; (at = strstr(at, "\"values\":{\"")); at += 13) {
      bool small = at[11] == 'b';
      assert_int_equal(sscanf(at + 14, "%lf", &x), 1);
      if (x - last > (small ? 1 : 4)) gap++; /* frames of the lowest rung: the sink rests there */
      assert_true(x > last && (!small || x - last == 1 || gap));
      last = x;
      small ? b++ : a++;
    }
    if (a < 1 || b < 2 || gap != 1) fail_msg("%zu windows, %zu frames, %zu gaps: %s", a, b, gap, h.text);
    assert_int_equal((uint64_t)last, n);
    free(h.text);
  }
}

/* A live source is thinned, one that can wait is not. */
static void rates(void **state) {
  for (int live = 0; live < 2; live++) {
    heard h;
    char text[600], root[600], sysfs[700], stats[20000];
    snprintf(root, sizeof root, "%s/rates%d", test_folder(), live);
    snprintf(sysfs, sizeof sysfs, "%s/sys", root);
    plant(root, "sys/class/thermal/thermal_zone0/temp", "90000");
    snprintf(
        text, sizeof text,
        "governor: {every: 10ms, hold_down: 0, temperature: {down: 80, up: 70}, ladder: [full, slow: {rate: 50}]}\n"
        "source: app\nqueue: {size: 1000, full: %s}\ndrain: 5s\nsinks: [app]\n",
        live ? "drop-oldest" : "block");
    whet_pipeline *p = open_under(text, sysfs, NULL, &h);
    while (whet_pipeline_stats(p, stats, sizeof stats), !strstr(stats, "\"rung\":\"slow\"")) usleep(1000);
    double begun = test_seconds();
    for (int i = 0; i < 20; i++) give(p, frame_at(p, i)), usleep(1000);
    while (whet_pipeline_stats(p, stats, sizeof stats), !strstr(stats, "\"depth\":0")) usleep(1000);
    double took = test_seconds() - begun;
    const char *thin = strstr(stats, "\"thinned\":");
    assert_non_null(thin);
    h = finish(p, &h);
    if (live)
      assert_true(h.lines < 20 && h.lines + (size_t)atol(thin + 10) == 20);
    else
      assert_true(h.lines == 20 && took > 0.3);
    free(h.text);
  }
}

/* What is wrong with a governor is told by line. */
static void misgoverned(void **state) {
  static const char *const k[][2] = {
      {"governor: {ladder: [a]}\n", "text:1: ladder: expected a list of two rungs"},
      {"governor:\n  ladder: [a, b]\n", "text:2: the governor looks at nothing"},
      {"governor:\n  ladder: [a, a]\n", "text:2: ladder: the rung a stands twice"},
      {"governor:\n  ladder: [a, b]\n  heat: {down: 1, up: 1}\n", "text:3: the governor has no key \"heat\""},
      {"governor:\n  ladder: [a, b]\n  cpu: {down: 0.1, up: 0.2}\n", "text:3: cpu: up"},
      {"governor:\n  ladder: [a, b]\n  battery: {down: 30%, up: 20%}\n", "text:3: battery: up"},
      {"governor:\n  ladder: [a, b]\n  battery: {up: 20%}\n",
       "text:3: the governor's battery needs the key \"down\""},
      {"governor:\n  ladder: [a, b: {of: x}]\n  link: {down: 1min, up: 1s}\n", "text:2: a rung has no key \"of\""},
      {"governor:\n  link: {down: 1min, up: 1s}\n  ladder:\n  - a\n  - b: {off: [image]}\n",
       "text:5: b: there is no sink image"},
      {"governor:\n  link: {down: 1min, up: 1s, lowest: c}\n  ladder: [a, b]\n",
       "text:2: link: the ladder has no rung c"},
      {"governor:\n  link: {down: 1min, up: 1s}\n  ladder: [a, b]\nstages:\n- rungs:\n    a: []\n    c: []\n",
       "text:7: rungs: the governor's ladder has no rung c"},
      {"governor:\n  link: {down: 1min, up: 1s}\n  ladder: [a, b]\nstages:\n- rungs:\n    b: []\n",
       "text:6: rungs: the ladder's first rung, a, is missing"},
      {"governor:\n  link: {down: 1min, up: 1s}\n  ladder: [a, b]\nstages:\n- rungs:\n    a:\n    - blurr\n",
       "text:7: there is no stage \"blurr\""},
      {"stages:\n- rungs:\n    a: []\n", "text:2: rungs: there is no governor"}};
  for (size_t i = 0; i < EDGE_COUNT(k); i++) {
    char text[600];
    whet_err err = {0};
    whet_pipeline *p;
    snprintf(text, sizeof text, "%ssource: app\nsinks: [app]\n", k[i][0]);
    assert_int_not_equal(whet_pipeline_parse(text, strlen(text), "text", NULL, &p, &err), WHET_OK);
    if (strncmp(err.text, k[i][1], strlen(k[i][1]))) fail_msg("%s, not %s", err.text, k[i][1]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(governed), cmocka_unit_test(rates),
                                     cmocka_unit_test(misgoverned)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
