/* cmd/linli_audit.h: the verbs of `linli audit`, which are all of
 * `linli-audit`. They use nothing of `cli` but its arguments, memory, data
 * directory, language and exit status. */
#ifndef LL_CMD_LINLI_AUDIT_H
#define LL_CMD_LINLI_AUDIT_H

#include "cmd/linli_cli.h"

/* The verbs. */
linli_status ll_cli_audit_key(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_audit_export(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_audit_verify(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_audit_prove(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_audit_receipt(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_audit_replay(struct ll_cli *cli, struct ll_err *err);

#endif
