/* cmd/linli_invoice.h: the verbs of `linli invoice`; linli_invoice.c. */
#ifndef LL_CMD_LINLI_INVOICE_H
#define LL_CMD_LINLI_INVOICE_H

#include "cmd/linli_cli.h"

linli_status ll_cli_invoice_credit(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_invoice_finalize(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_invoice_list(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_invoice_preview(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_invoice_show(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_invoice_write_off(struct ll_cli *cli, struct ll_err *err);

#endif
