/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLI_COMMAND_H
#define TESTS_CLI_COMMAND_H

/* Running the command whet and looking at what it says. */

#include "lib/test.h"

#include <jansson.h>

#include "lib/build.h"

/* What a run of the command left. */
typedef struct said {
  int status;      /* exit status; 128 + n for signal n */
  char *out, *err; /* standard output and standard error, terminated */
} said;

/* Run `whet WORDS`; words are parted by single spaces, %s takes a word that may hold spaces. `in` (NULL: nothing)
 * goes to its standard input. The texts live until the next call. */
said whet(const char *words, ...) __attribute__((format(printf, 1, 2)));
said whet_with_input(const void *in, size_t n, const char *words, ...) __attribute__((format(printf, 3, 4)));

/* It must have failed with this status, nothing on standard output and one line on standard error that holds `says`.
 */
void must_fail(said s, int status, const char *says);
/* It must have gone well, without a word on standard error. */
void must_pass(said s);
/* Standard output as JSON; the test fails when it is none. The caller drops the reference. */
json_t *json_of(said s);
/* The item at a path like "outputs.0.values"; the test fails when it is not there. Borrowed. */
json_t *at(json_t *j, const char *path);
double number_at(json_t *j, const char *path);
const char *text_at(json_t *j, const char *path);

/* Contents of a file, terminated; NULL when it is not there. The caller frees them. */
char *read_file(const char *path, size_t *n);
/* The demonstration's ten digits as a data set in dir, a folder for each; returns dir. */
const char *digit_folders(const char *dir);
/* How many entries a folder has; -1 when it is not there. */
int entries(const char *folder);
/* folder/name in memory that lives until the program ends. */
const char *join(const char *folder, const char *name);

/* Write an .npy file of `n` elements of `each` bytes. */
const char *write_npy(const char *folder, const char *name, const char *descr, const char *shape, const void *p,
                      size_t bytes);
/* Write a model; the bytes are freed. */
const char *write_model(const char *folder, const char *name, buf model);
/* ONNX: y = x, of a type and shape; and y = relu(x), a float32 of a shape. */
buf identity_model(int type, int rank, const int64_t *dims);
buf relu_model(int rank, const int64_t *dims);
/* TFLite: the input is the output, of int8 or uint8 (types 9, 3) with scale and zero point. */
buf quant_model(int type, float scale, int64_t zero, int rank, const int32_t *dims);

#endif
