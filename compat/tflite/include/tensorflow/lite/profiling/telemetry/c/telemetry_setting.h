/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_PROFILING_TELEMETRY_C_TELEMETRY_SETTING_H_
#define TENSORFLOW_LITE_PROFILING_TELEMETRY_C_TELEMETRY_SETTING_H_

/* What a telemetry profiler is told about an interpreter. whet tells nothing, so that there is none of these: they answer NULL and 0. */

#include "tensorflow/lite/c/common.h"

#ifdef __cplusplus
extern "C" {
#endif
typedef struct TfLiteTelemetryConversionMetadata TfLiteTelemetryConversionMetadata;
typedef struct TfLiteTelemetryInterpreterSettings TfLiteTelemetryInterpreterSettings;
typedef struct TfLiteTelemetrySubgraphInfo TfLiteTelemetrySubgraphInfo;
typedef struct TfLiteTelemetryGpuDelegateSettings TfLiteTelemetryGpuDelegateSettings;

TFL_CAPI_EXPORT extern const int32_t *TfLiteTelemetryConversionMetadataGetModelOptimizationModes(
    const TfLiteTelemetryConversionMetadata *metadata);
TFL_CAPI_EXPORT extern size_t TfLiteTelemetryConversionMetadataGetNumModelOptimizationModes(
    const TfLiteTelemetryConversionMetadata *metadata);
TFL_CAPI_EXPORT extern const TfLiteTelemetryConversionMetadata *TfLiteTelemetryInterpreterSettingsGetConversionMetadata(
    const TfLiteTelemetryInterpreterSettings *settings);
TFL_CAPI_EXPORT extern size_t TfLiteTelemetryInterpreterSettingsGetNumSubgraphInfo(
    const TfLiteTelemetryInterpreterSettings *settings);
TFL_CAPI_EXPORT extern const TfLiteTelemetrySubgraphInfo *TfLiteTelemetryInterpreterSettingsGetSubgraphInfo(
    const TfLiteTelemetryInterpreterSettings *settings);
TFL_CAPI_EXPORT extern size_t TfLiteTelemetrySubgraphInfoGetNumQuantizations(TfLiteTelemetrySubgraphInfo *info);
TFL_CAPI_EXPORT extern const TfLiteQuantization *TfLiteTelemetrySubgraphInfoGetQuantizations(
    TfLiteTelemetrySubgraphInfo *info);
TFL_CAPI_EXPORT extern const char *TfLiteTelemetryGpuDelegateSettingsGetBackend(
    const TfLiteTelemetryGpuDelegateSettings *settings);
TFL_CAPI_EXPORT extern size_t TfLiteTelemetryGpuDelegateSettingsGetNumNodesDelegated(
    const TfLiteTelemetryGpuDelegateSettings *settings);
#ifdef __cplusplus
}
#endif
#endif
