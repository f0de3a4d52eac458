/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_LABEL_H
#define WHET_EDGE_PIPELINE_LABEL_H

/* Names of what stages find: files of them, and settings that choose some. */

#include "edge/pipe/labels.h"
#include "edge/pipeline/kind.h"

/* Labels of a file, kept with the pipeline; path NULL: none. */
EDGE_MUST whet_status pl_labels(const pl_node *n, const char *path, const pipe_labels **out, whet_err *err);
bool pl_has_label(const pipe_labels *l, const char *name);

/* open of what chooses by label: E_DATA at the node's line when stages of the pipeline find things, and none of them
 * has a name. */
EDGE_MUST whet_status pl_labels_known(const pl_node *n, const conf_strs *chosen, whet_err *err);
/* Is a label (NULL: none) among the chosen ones? An empty choice is all. */
bool pl_chosen(const conf_strs *chosen, const char *label);

#endif
