/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_WHET_H
#define WHET_WHET_H

/* The core of whet: open a model, make a program for this machine, run sessions.
 *
 *   whet_session *s; whet_err e;
 *   if (whet_session_open("digits.tflite", NULL, NULL, &s, &e)) { puts(e.text); return 1; }
 *   float *x = whet_session_input(s, 0, NULL, &e);      // fill it
 *   if (whet_session_run(s, NULL, &e)) { puts(e.text); return 1; }
 *   const float *y = whet_session_output(s, 0, NULL, &e);
 *   whet_session_close(&s);
 */

#include "whet/custom.h"
#include "whet/kernels.h"
#include "whet/model.h"
#include "whet/pool.h"
#include "whet/program.h"
#include "whet/session.h"
#include "whet/source.h"
#include "whet/status.h"
#include "whet/types.h"
#include "whet/value.h"

#endif
