/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TESTS_CUT_VFS_H
#define WHET_TESTS_CUT_VFS_H

/* A file layer for SQLite on which the power can be cut: what was written since a file's last sync is then partly
 * there, sector by sector, as on a disk with a cache. */

#include <stdbool.h>
#include <stdint.h>

/* Register it under the name "cut". */
void cut_register(void);
/* The power goes off at the n-th write or sync from now; 0: never. From then on every call fails. */
void cut_at(int64_t n);
bool cut_is_off(void);
/* Once all is closed: lose what was not synced, as the seed draws it, and switch on again. */
void cut_lose(uint64_t seed);
/* A disk of so many bytes in all files that are opened from now on, and the outbox's reserve: writes past it fail as
 * full. 0: no bound. */
void cut_disk(int64_t bytes);

#endif
