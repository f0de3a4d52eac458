/* SPDX-License-Identifier: Apache-2.0 */
/* A weak function for each entry of the table: those that whet has no notion of say their name. Where another file
 * defines the function, the linker takes that one. */

#include "shim.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define ORT_STATUS(name, since, ...)                                                                           \
  __attribute__((weak)) OrtStatus *API(name)(__VA_ARGS__) {                                                    \
    return fail(ORT_NOT_IMPLEMENTED, "%s is not there: whet's library for ONNX Runtime's interface has no such notion", \
                #name);                                                                                        \
  }
#define ORT_OTHER(type, name, since, ...) \
  __attribute__((weak)) type API(name)(__VA_ARGS__) { return (type)0; }
#define ORT_RELEASE(what, since) \
  __attribute__((weak)) void API(Release##what)(Ort##what * input) {}
#include "onnxruntime_c_api_functions.def"
