/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_MEDIA_H
#define WHET_CLI_MEDIA_H

/* Make the codecs of libwhet_media known. The library is loaded when the first picture needs it, because those that
 * it needs itself cost every start of the command milliseconds and megabytes. Answers NULL, or why it is not there.
 */
const char *cli_media_load(void);

#endif
