/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_AMX_TILES_H
#define WHET_KERN_X86_AMX_TILES_H

/* The tile registers of AMX as every kernel here shares them out, and their configuration. */

#include <immintrin.h>
#include <stdint.h>

/* Registers. Four hold sums, two rows of two or one of four; numbers, as gcc spells them into assembly. */
#define C0 0
#define C1 1
#define C2 2
#define C3 3
#define A0 4
#define A1 5
#define B0 6
#define B1 7
#define TILES 8

/* Tiles of `rows` results and `step` groups of four bytes. */
static void configure(int64_t rows, int64_t step) {
  struct {
    uint8_t palette, start, spare[14];
    uint16_t bytes[16]; /* of a row */
    uint8_t rows[16];
  } c = {.palette = 1};
  for (int t = 0; t < TILES; t++) {
    c.rows[t] = (uint8_t)(t >= B0 ? step : rows);
    c.bytes[t] = (uint16_t)(t == A0 || t == A1 ? 4 * step : 64);
  }
  __asm__ volatile("" ::: "memory"); /* gcc 12 tells of the first eight bytes only */
  _tile_loadconfig(&c);
}

#endif
