/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_PAGE_H
#define WHET_CLI_PAGE_H

#include "report.h"

/* Write a page that draws the model's main graph: HTML with its style, script (cli/page/) and data inside, nothing
 * from elsewhere. One line on failure; exit status. */
WHET_MUST int cli_page_write(const cli_report *r, const char *file);

#endif
