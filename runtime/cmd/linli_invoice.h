/* cmd/linli_invoice.h: the verbs of `linli invoice`; linli_invoice.c. */
#ifndef LL_CMD_LINLI_INVOICE_H
#define LL_CMD_LINLI_INVOICE_H

#include "cmd/linli_cli.h"

/* Takes lines of a final one back, or all that is left. */
linli_status ll_cli_invoice_credit(struct ll_cli *cli, struct ll_err *err);
/* Makes a draft final. */
linli_status ll_cli_invoice_finalize(struct ll_cli *cli, struct ll_err *err);
/* Lists them. */
linli_status ll_cli_invoice_list(struct ll_cli *cli, struct ll_err *err);
/* Prints what a subscription's running period comes to. */
linli_status ll_cli_invoice_preview(struct ll_cli *cli, struct ll_err *err);
/* Prints one. */
linli_status ll_cli_invoice_show(struct ll_cli *cli, struct ll_err *err);
/* Gives up what is due of one. */
linli_status ll_cli_invoice_write_off(struct ll_cli *cli, struct ll_err *err);

#endif
