/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_RUN_STATE_H
#define WHET_RUN_STATE_H

/* Variables: what lives in sessions from run to run. Every session has memory for each variable of its program; those that
 * the file calls resources can be shared by sessions of several signatures. */

#include "run/session.h"

/* Memory for the variables of s's program, at their first values; resources from s->state where it has them. */
WHET_MUST whet_status whet__state_attach(whet_session *s, whet_err *err);
/* Let go of the memory. */
void whet__state_detach(whet_session *s);

#endif
