/* host/locale.h: which of Linli's two languages a caller reads. [any] */
#ifndef LL_HOST_LOCALE_H
#define LL_HOST_LOCALE_H

#include "base/defs.h"

enum ll_locale { LL_LOCALE_EN, LL_LOCALE_ZH };

/* Reads an Accept-Language value (RFC 9110, 12.5.4). Chinese of any region
 * or script counts as zh-CN, English of any as en, `*` as whichever was not
 * named. The greater q wins, the earlier at equal q; English if neither is
 * acceptable, the header is absent or a part of it cannot be read (such a
 * part is skipped). */
enum ll_locale ll_locale_pick(linli_str accept_language);

/* "en" or "zh-CN", for Content-Language. */
const char *ll_locale_tag(enum ll_locale locale);

#endif
