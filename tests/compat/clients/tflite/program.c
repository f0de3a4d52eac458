/* SPDX-License-Identifier: Apache-2.0 */
/* The classic program of TensorFlow Lite's C interface, and an operator of its own: program MODEL. Prints what it
 * sees. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/lite/c/c_api.h"
#include "tensorflow/lite/c/c_api_experimental.h"
#include "tensorflow/lite/c/c_api_opaque.h"

_Static_assert(kTfLiteBuiltinAdd == 0 && kTfLiteBuiltinCustom == 32 &&
                   kTfLiteBuiltinPlaceholderForGreaterOpCodes == 127 && kTfLiteBuiltinReduceWindow == 205,
               "numbers of operators");

#ifdef NEWER /* the names of releases from 2.17 on */
#define TfLiteRegistrationExternal TfLiteOperator
#define TfLiteRegistrationExternalCreate(code, name, version) TfLiteOperatorCreate(code, name, version, NULL)
#define TfLiteRegistrationExternalSetInit TfLiteOperatorSetInit
#define TfLiteRegistrationExternalGetBuiltInCode TfLiteOperatorGetBuiltInCode
#define TfLiteRegistrationExternalGetCustomName TfLiteOperatorGetCustomName
#define TfLiteRegistrationExternalGetVersion TfLiteOperatorGetVersion
#define TfLiteRegistrationExternalDelete TfLiteOperatorDelete
#define TfLiteInterpreterOptionsAddRegistrationExternal TfLiteInterpreterOptionsAddOperator
#endif

static void print_tensor(const char *what, const TfLiteTensor *t) {
  TfLiteQuantizationParams q = TfLiteTensorQuantizationParams(t);
  printf("%s %s: %s, %zu bytes, scale %g, zero point %d, [", what, TfLiteTensorName(t),
         TfLiteTypeGetName(TfLiteTensorType(t)), TfLiteTensorByteSize(t), (double)q.scale, q.zero_point);
  for (int i = 0; i < TfLiteTensorNumDims(t); i++) printf(i ? " %d" : "%d", TfLiteTensorDim(t, i));
  printf("]\n");
}

static void listen(void *user, const char *format, va_list ap) {
  (void)user;
  (void)format;
  (void)ap;
}

static int classic(TfLiteModel *model) {
  TfLiteInterpreterOptions *options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetNumThreads(options, 1);
  TfLiteInterpreterOptionsSetErrorReporter(options, listen, NULL);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(model, options);
  TfLiteInterpreterOptionsDelete(options);
  if (!it) return 1;
  int n_in = TfLiteInterpreterGetInputTensorCount(it), n_out = TfLiteInterpreterGetOutputTensorCount(it);
  printf("%d inputs, %d outputs, early invoke %d\n", n_in, n_out, TfLiteInterpreterInvoke(it) != kTfLiteOk);
  if (TfLiteInterpreterAllocateTensors(it) != kTfLiteOk) return 1;
  for (int i = 0; i < n_in; i++) {
    TfLiteTensor *x = TfLiteInterpreterGetInputTensor(it, i);
    size_t bytes = TfLiteTensorByteSize(x);
    print_tensor("input", x);
    unsigned char *in = malloc(bytes);
    for (size_t k = 0; k < bytes; k++) in[k] = TfLiteTensorType(x) == kTfLiteFloat32 ? 0 : (unsigned char)(k * 37);
    for (size_t k = 0; TfLiteTensorType(x) == kTfLiteFloat32 && k < bytes / 4; k++)
      memcpy(in + 4 * k, &(float){(float)(k % 11) / 11}, 4);
    printf("copy %d, too short %d\n", TfLiteTensorCopyFromBuffer(x, in, bytes),
           TfLiteTensorCopyFromBuffer(x, in, bytes - 1) != kTfLiteOk);
    free(in);
  }
  printf("invoke %d\n", TfLiteInterpreterInvoke(it));
  for (int i = 0; i < n_out; i++) {
    const TfLiteTensor *y = TfLiteInterpreterGetOutputTensor(it, i);
    size_t bytes = TfLiteTensorByteSize(y);
    unsigned char *out = malloc(bytes);
    print_tensor("output", y);
    if (TfLiteTensorCopyToBuffer(y, out, bytes) != kTfLiteOk) return 1;
    bool floats = TfLiteTensorType(y) == kTfLiteFloat32;
    for (size_t k = 0; !floats && k < bytes; k++) printf("%02x", out[k]);
    for (size_t k = 0; floats && k < bytes / 4; k++) printf(" %.6f", (double)((float *)out)[k]);
    printf("\n");
    free(out);
  }
  TfLiteInterpreterDelete(it);
  return 0;
}

static void *init(TfLiteOpaqueContext *c, const char *buffer, size_t n) {
  (void)c;
  (void)buffer;
  (void)n;
  return NULL;
}

/* A registration keeps what it was made with, and goes with nothing left behind. */
static int registered(TfLiteModel *model) {
  TfLiteRegistrationExternal *r = TfLiteRegistrationExternalCreate(kTfLiteBuiltinCustom, "Tens", 3);
  TfLiteInterpreterOptions *options = TfLiteInterpreterOptionsCreate();
  TfLiteRegistrationExternalSetInit(r, init);
  printf("registration %d %s %d\n", TfLiteRegistrationExternalGetBuiltInCode(r),
         TfLiteRegistrationExternalGetCustomName(r), TfLiteRegistrationExternalGetVersion(r));
  TfLiteInterpreterOptionsAddRegistrationExternal(options, r);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(model, options);
  printf("interpreter %d\n", it != NULL);
  TfLiteInterpreterDelete(it);
  TfLiteInterpreterOptionsDelete(options);
  TfLiteRegistrationExternalDelete(r);
  return 0;
}

int main(int argc, char **argv) {
  TfLiteModel *model = argc == 2 ? TfLiteModelCreateFromFile(argv[1]) : NULL;
  if (!model) return fprintf(stderr, "cannot read the model\n"), 1;
  int status = classic(model) || registered(model);
  TfLiteModelDelete(model);
  return status;
}
