/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_MEDIA_MEDIA_H
#define WHET_MEDIA_MEDIA_H

/* What the codecs share. They use whet's public headers only. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "whet/media.h"

/* Record an error and answer its code. */
__attribute__((format(printf, 3, 4))) whet_status media_fail(whet_err *err, whet_status code, const char *fmt, ...);

#endif
