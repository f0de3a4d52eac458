/* SPDX-License-Identifier: Apache-2.0 */
/* Telemetry: whet reports nothing, so that what a profiler would be told is never there. */

#include "tensorflow/lite/profiling/telemetry/c/telemetry_setting.h"

#include "shim.h"

void TfLiteInterpreterOptionsSetTelemetryProfiler(TfLiteInterpreterOptions *o,
                                                  struct TfLiteTelemetryProfilerStruct *p) {
  (void)o, (void)p;
}

const int32_t *TfLiteTelemetryConversionMetadataGetModelOptimizationModes(
    const TfLiteTelemetryConversionMetadata *m) {
  return (void)m, NULL;
}
size_t TfLiteTelemetryConversionMetadataGetNumModelOptimizationModes(const TfLiteTelemetryConversionMetadata *m) {
  return (void)m, 0;
}
const TfLiteTelemetryConversionMetadata *TfLiteTelemetryInterpreterSettingsGetConversionMetadata(
    const TfLiteTelemetryInterpreterSettings *s) {
  return (void)s, NULL;
}
size_t TfLiteTelemetryInterpreterSettingsGetNumSubgraphInfo(const TfLiteTelemetryInterpreterSettings *s) {
  return (void)s, 0;
}
const TfLiteTelemetrySubgraphInfo *TfLiteTelemetryInterpreterSettingsGetSubgraphInfo(
    const TfLiteTelemetryInterpreterSettings *s) {
  return (void)s, NULL;
}
size_t TfLiteTelemetrySubgraphInfoGetNumQuantizations(TfLiteTelemetrySubgraphInfo *i) { return (void)i, 0; }
const TfLiteQuantization *TfLiteTelemetrySubgraphInfoGetQuantizations(TfLiteTelemetrySubgraphInfo *i) {
  return (void)i, NULL;
}
const char *TfLiteTelemetryGpuDelegateSettingsGetBackend(const TfLiteTelemetryGpuDelegateSettings *s) {
  return (void)s, NULL;
}
size_t TfLiteTelemetryGpuDelegateSettingsGetNumNodesDelegated(const TfLiteTelemetryGpuDelegateSettings *s) {
  return (void)s, 0;
}
