/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_MOMENTS_H
#define WHET_COMPRESS_MOMENTS_H

/* Mean and covariance of the rows that products take in, over the samples. */

#include "compress/job.h"

/* Memory for every product of the job: means for all, covariances while they are small enough. */
WHET_MUST whet_status whet__moments_open(whet_job *j);
/* How many rows are wanted in all. */
int64_t whet__moments_rows(const whet_weighted *p);
/* Where the next row of a group goes; then it counts. */
float *whet__moments_row(whet_weighted *p, int64_t group);
void whet__moments_add(whet_weighted *p, int64_t group);
/* Sums become means and covariances. */
void whet__moments_finish(whet_job *j);

#endif
