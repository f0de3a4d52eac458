/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_STATUS_H
#define WHET_STATUS_H

/* Status codes and the error record.
 *
 * Every fallible function returns a whet_status: 0 is success, negative is failure. Functions that take a
 * `whet_err *` write the first failure there (NULL is allowed); its text says where: file offset, node index
 * and name, operator, tensor, expected, got. Nothing is written on success. */

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, text, http_status, exit_code): the one list from which all others come. */
#define WHET_STATUS_MAP(X)                                                                            \
  X(OK, 0, "done", 200, 0)                                                                            \
  X(E_MEMORY, -1, "out of memory", 503, 1)                                                            \
  X(E_LIMIT, -2, "a limit that the caller set would be passed", 503, 1)                               \
  X(E_IO, -3, "a file cannot be read or written", 500, 1)                                             \
  X(E_FORMAT, -4, "bytes are not a valid file of this format", 400, 1)                                \
  X(E_UNSUPPORTED, -5, "a named feature is not there", 501, 1)                                        \
  X(E_SHAPE, -6, "a shape does not fit", 400, 1)                                                      \
  X(E_TYPE, -7, "an element type does not fit", 400, 1)                                               \
  X(E_NAME, -8, "no such name", 404, 1)                                                               \
  X(E_DATA, -9, "a value is out of range", 400, 1)                                                    \
  X(E_MISUSE, -10, "a function was called with wrong arguments or in the wrong state", 500, 2)        \
  X(E_CANCELLED, -11, "cancelled", 499, 1)                                                            \
  X(E_DEADLINE, -12, "the deadline passed", 504, 1)                                                   \
  X(E_SYSTEM, -13, "the operating system refused", 500, 1)                                            \
  X(E_INTERNAL, -14, "a fault of whet itself", 500, 1)

typedef enum whet_status {
#define WHET_STATUS_ENUM(name, value, text, http, exit) WHET_##name = value,
  WHET_STATUS_MAP(WHET_STATUS_ENUM)
#undef WHET_STATUS_ENUM
  WHET_STATUS_FORCE_INT = 0x7fffffff
} whet_status;

/* The first failure: its code and one line of text, always terminated. Caller owned. */
typedef struct whet_err {
  whet_status code;
  char text[2000];
} whet_err;

#ifndef WHET_API
#if defined(__GNUC__)
#define WHET_API __attribute__((visibility("default")))
#else
#define WHET_API
#endif
#endif

/* The name of a status ("E_SHAPE"), a short text, and the numbers that a server and a command answer with.
 * Any thread; never NULL; unknown codes answer as E_INTERNAL. */
WHET_API const char *whet_status_name(whet_status s);
WHET_API const char *whet_status_text(whet_status s);
WHET_API int whet_status_http(whet_status s);
WHET_API int whet_status_exit(whet_status s);

#ifdef __cplusplus
}
#endif
#endif
