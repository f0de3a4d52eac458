/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_LINKAGE_H
#define WHET_CLI_LINKAGE_H

/* What a program or library asks of others: the dynamic part of an ELF file (System V ABI, chapters 4 and 5; symbol
 * versions as the Linux Standard Base has them). Files are not trusted: every offset is checked. */

#include "base/base.h"

typedef struct elf_symbol {
  const char *name;
  const char *version, *library; /* of which library which version is asked for; "" where none is named */
  bool defined;                  /* the file has it itself */
} elf_symbol;

typedef struct elf_file {
  int bits; /* 32, 64 */
  bool big_endian;
  const char *machine; /* "x86-64" */
  bool program;        /* no library */
  const char **needed; /* libraries that are loaded with it */
  size_t n_needed;
  const elf_symbol *symbol; /* dynamic symbols that have names */
  size_t n_symbol;
} elf_file;

/* Read n bytes at p, which outlive *out; the rest of *out is kept to the end of the process. A file that is linked
 * with nothing has no libraries and no symbols. E_DATA says where the file is wrong. */
WHET_MUST whet_status cli_elf_read(const uint8_t *p, size_t n, elf_file *out, whet_err *err);

#endif
