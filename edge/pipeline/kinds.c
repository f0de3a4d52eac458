/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of what there is. */

#include "edge/pipeline/kind.h"

const pl_kind *const pl_sources[] = {
#define SOURCE(name) &pl_source_##name,
#include "sources.def"
    NULL};
const pl_kind *const pl_stages[] = {
#define STAGE(name) &pl_stage_##name,
#include "stages.def"
    NULL};
const pl_kind *const pl_sinks[] = {
#define SINK(name) &pl_sink_##name,
#include "sinks.def"
    NULL};
