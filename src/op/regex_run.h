/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_REGEX_RUN_H
#define WHET_OP_REGEX_RUN_H

/* Instructions of regex programs. The first ones take a character; those after them go on without one. */
enum {
  RX_CHAR,         /* it is c */
  RX_FOLD,         /* it is c in some case; c is the lower case of its upper case */
  RX_ANY,          /* any */
  RX_ANY_BUT_LINE, /* any but a line feed */
  RX_CLASS,        /* it is in class c */
  RX_NOP,
  RX_SPLIT, /* both x and y */
  RX_JUMP,  /* x */
  RX_BEGIN, /* at the begin of the text ... */
  RX_END,
  RX_LINE_BEGIN,
  RX_LINE_END,
  RX_WORD, /* between a character of \w and another */
  RX_NO_WORD,
  RX_MATCH
};

#endif
