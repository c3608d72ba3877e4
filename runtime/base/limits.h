/* base/limits.h: every bound of the runtime, with its unit and its reason.
 *
 * A bound that users meet stands in spec/limits.md too.
 */
#ifndef LL_BASE_LIMITS_H
#define LL_BASE_LIMITS_H

#include "base/limits_billing.h"
#include "base/limits_consent.h"
#include "base/limits_data.h"
#include "base/limits_services.h"

/* -- HTTP -- */
#define LL_HTTP_BODY_BYTES_MAX (1u << 20) /* spec/http.md: 413 past it */
#define LL_HTTP_TARGET_BYTES_MAX 8192     /* 414 past it */
#define LL_HTTP_HEADER_BYTES_MAX 16384    /* the header section; 431 */
#define LL_HTTP_HEADERS_MAX 64            /* fields of one request; 431 */
#define LL_HTTP_CHUNK_COST_MAX 8 /* framing bytes a body byte may cost; 431 */
#define LL_HTTP_CONNECTIONS_MAX 4096 /* further ones are closed at once */
#define LL_HTTP_PIPELINE_MAX 16      /* answers owed before we stop reading */
#define LL_HTTP_HEADER_MS 10000 /* from the first byte to the last header */
#define LL_HTTP_BODY_MS 30000   /* from the last header to the body's end */
#define LL_HTTP_IDLE_MS 60000   /* between requests of one connection */
#define LL_HTTP_WRITE_MS 30000  /* a peer that does not read its answer */
#define LL_HTTP_WRITE_STEP_BYTES 65536 /* read in that time: it goes on */
#define LL_HTTP_FINISH_MS 2000 /* last bytes and the peer's end, at a close */
#define LL_HTTP_QUEUE_BYTES_MAX 262144        /* unread: then we stop reading */
#define LL_HTTP_BUFFER_BYTES_MAX (128u << 20) /* bodies of all at once; 503 */
#define LL_HTTP_POOL_MAX 256 /* requests kept for reuse; 3 KiB and buffers */
#define LL_HTTP_RESPONSE_BYTES_MAX (4u << 20) /* of one body; 500 past it */
#define LL_ETAG_BYTES_MAX 64 /* of an entity tag, between its quotes */

/* -- metrics -- */
#define LL_METRICS_PLUGINS_MAX 256 /* plugin versions; then "_other" */

/* -- JSON that comes from outside -- */
#define LL_BODY_DEPTH_MAX 16 /* spec/http.md: 400 past it */

/* -- JSON Schema: spec/schema.md -- */
#define LL_SCHEMA_BYTES_MAX (16u << 20) /* memory of one compiled schema */
#define LL_SCHEMA_NODES_MAX 10000       /* subschemas of one schema */
#define LL_SCHEMA_IDS_MAX 256           /* its $id and $anchor */
#define LL_SCHEMA_URI_BYTES_MAX 2048    /* of one of them, resolved */
#define LL_SCHEMA_WORK_MAX 8000000      /* steps for a document, ~10 ns each */
#define LL_SCHEMA_DEPTH_MAX 256         /* subschemas in each other, judging */
#define LL_SCHEMA_PATTERN_BYTES_MAX 4096
#define LL_SCHEMA_MATCH_STEPS_MAX 100000 /* of PCRE2, for one string */
#define LL_SCHEMA_MATCH_DEPTH_MAX 10000  /* its backtracking points */
#define LL_SCHEMA_MATCH_KIB_MAX 4096     /* and their memory */

/* -- wire -- */
#define LL_FRAME_BYTES_MAX (1u << 20) /* payload of one frame */
#define LL_RING_BYTES 32768           /* power of two */
#define LL_RING_PART_BYTES 8192       /* published at once at most */
#define LL_TURN_FRAMES_MAX 64         /* read per worker and loop turn */
#define LL_TURN_BYTES_MAX 262144
#define LL_VALUE_DEPTH_MAX 16
#define LL_VALUE_NODES_MAX 10000
#define LL_WORKER_QUEUE_BYTES_MAX (4u << 20) /* waiting for ring space */
#define LL_WORKER_CALLS_MAX 256 /* open calls of one worker; then 503 */

/* -- packages -- */
#define LL_PACKAGE_FILES_MAX 256
#define LL_PACKAGE_SOURCE_BYTES_MAX (1u << 20) /* one Lua file */
#define LL_PACKAGE_BYTES_MAX (64u << 20)
#define LL_PACKAGE_PATH_BYTES_MAX 200 /* of a file, from the folder on */
#define LL_PACKAGE_DEPTH_MAX 8        /* folders in each other */
#define LL_PACKAGE_FOLDERS_MAX 64     /* all of them, the package's included */
#define LL_PACKAGE_ENTRIES_MAX 1024   /* of one folder, whatever they are */
#define LL_MANIFEST_BYTES_MAX (1u << 20)
#define LL_PLUGIN_CONFIG_BYTES_MAX (64u << 10) /* one HELLO fits a socket */
#define LL_ROUTES_MAX 256                      /* of one plugin */
#define LL_PATH_PARAMS_MAX 8

/* -- what a manifest declares: spec/manifest.md -- */
#define LL_ALERTS_MAX 64                 /* kinds that one plugin may raise */
#define LL_FEED_WHERE_MAX 4              /* members that a feed compares */
#define LL_FALLBACK_BYTES_MAX 4096       /* its body; 256 fit the arena */
#define LL_DOC_BYTES_MIN 256             /* an id and a little */
#define LL_INTERVAL_MS_MAX 3155760000000 /* of longest_ms: a century */
#define LL_RETENTION_DAYS_MAX 3650       /* ten years */
#define LL_METER_CALL_DEFAULT 1000       /* max_per_call of one that counts */
#define LL_METER_CALL_MAX 1000000000     /* units: sums of millionths fit */

/* -- tokens, spec/auth.md -- */
#define LL_TOKEN_BYTES_MAX 4096  /* leaves the other headers their room */
#define LL_TOKEN_DEPTH_MAX 8     /* claims are flat; 8 is generous */
#define LL_TOKEN_LEEWAY_MS 30000 /* two machines that both keep time */
#define LL_TOKEN_RESIDENT_MS_MAX 1800000LL /* spec/http.md: 30 minutes */
#define LL_TOKEN_OTHER_MS_MAX 43200000LL   /* staff, operator, app: a shift */
#define LL_TOKEN_DEV_MS_MAX 31622400000LL  /* tests move the clock by a year */
#define LL_TOKEN_NAME_BYTES_MAX 128        /* sub, community, household, kid */
#define LL_TOKEN_LIST_MAX 16               /* items of roles or amr */
#define LL_TOKEN_CACHE_SETS 1024 /* power of two; 8192 tokens in use */
#define LL_TOKEN_CACHE_WAYS 8    /* looked at per request at most */
#define LL_JWKS_BYTES_MAX (256u << 10)
#define LL_JWKS_KEYS_MAX 64  /* usable keys of one set */
#define LL_RSA_BITS_MIN 2048 /* RFC 7518, section 3.3 */
#define LL_RSA_BITS_MAX 8192 /* a longer one only burns the loop's time */

/* -- a call -- */
#define LL_IDEMPOTENCY_KEY_BYTES_MAX 128
#define LL_IDEMPOTENCY_KEPT_MS 86400000 /* an answer under its key: a day */
#define LL_IDEMPOTENCY_KEPT_PAYING_MS 259200000 /* where money is taken */
#define LL_WALL_MS_DEFAULT 1000
#define LL_WALL_MS_MAX 60000
#define LL_BURST_MS_DEFAULT 200
#define LL_BURST_MS_MAX 10000
#define LL_MEMORY_BYTES_DEFAULT 33554432
#define LL_MEMORY_BYTES_MIN 1048576
#define LL_MEMORY_BYTES_MAX 1073741824
#define LL_HOST_CALLS_MAX 1000 /* host calls of one run */
#define LL_RUNS_MAX 3          /* of one call: the first and two more */
#define LL_LOG_LINE_BYTES_MAX 4096
#define LL_LOG_LINE_COST_BYTES 128   /* counted for each line, beside its own */
#define LL_LOG_BYTES_PER_S_MAX 65536 /* per worker; the rest is dropped */

/* -- shared objects and native code -- */
#define LL_OBJECTS_MAX 16           /* mapped for one plugin */
#define LL_ELF_SEGMENTS_MAX 64      /* program headers; linkers write ~12 */
#define LL_ELF_NEEDED_MAX 16        /* libraries an object may need */
#define LL_ELF_DYNAMIC_MAX 256      /* entries of .dynamic; usual are ~30 */
#define LL_ELF_SYMBOLS_MAX 262144   /* of one object's dynamic table */
#define LL_ELF_RELOCS_MAX 1048576   /* of one object */
#define LL_ELF_NAME_BYTES_MAX 4096  /* a symbol's; C++ names grow long */
#define LL_ELF_VERSIONS_MAX 256     /* libc versions an object may ask for */
#define LL_PLUGIN_INTERFACES_MAX 32 /* required, or optional, of one plugin */
#define LL_PLUGIN_ANSWERS_BYTES_MAX (16u << 20) /* kept for one native call */
#define LL_REPLY_BYTES_MAX (LL_FRAME_BYTES_MAX - 1024) /* fits one frame */
#define LL_NATIVE_FUNCTIONS_MAX 64                     /* of a typed library */
#define LL_NATIVE_ARGS_MAX 16                          /* of one function */
#define LL_NATIVE_STR_BYTES_MAX (1u << 20) /* that a function returns */

/* -- Lua (spec/lua.md) -- */
#define LL_LUA_TICK_MS 10        /* of the soft limit's timer; CPU time */
#define LL_LUA_SOFT_PERCENT 60   /* of the burst limit, in CPU time */
#define LL_LUA_WALL_PERCENT 80   /* the same on the wall: before the kill */
#define LL_LUA_LOAD_MS 3000      /* to load, within LL_WORKER_START_MS */
#define LL_LUA_JSON_DEPTH_MAX 16 /* of what a handler returns */
#define LL_LUA_POOL_MAX 16       /* idle coroutines kept for the next call */
#define LL_LUA_STATES_MAX 4      /* retired ones wait for their last run */
#define LL_LUA_OVERLAP_BYTES (8u << 20) /* for a fresh state beside them */
#define LL_LUA_LIST_MAX 10000000   /* items one call to table.* may touch */
#define LL_LUA_SORT_MAX 900000     /* of table.sort: they lie on the stack */
#define LL_LUA_CLOSE_DEPTH_MAX 100 /* coroutine.close inside __close */
#define LL_LUA_TRACE_LEVELS_MAX 16 /* of a traceback in the log */
#define LL_LUA_QUERY_NAMES_MAX 64  /* names in one query string */

/* -- workers -- */
#define LL_WORKERS_MAX 64             /* of one plugin and community */
#define LL_WORKER_IDLE_WAKES_MAX 1000 /* of the host, with no frame */
#define LL_WORKER_START_MS 5000       /* exec to READY */
#define LL_WORKER_DRAIN_MS 2000       /* asked to stop, then killed */
#define LL_WORKER_IDLE_MS 300000      /* then it is drained; a call restarts */
#define LL_POOL_QUEUE_MAX 1024        /* runs that wait for a worker; 503 */
#define LL_BACKOFF_MS_FIRST 100       /* doubles with each failed start */
#define LL_BACKOFF_MS_MAX 30000
#define LL_BURST_KILLS_MAX 3 /* a minute, per route and caller; 429 */
#define LL_BREAKER_CRASHES 5 /* spec/limits.md: within a minute */
#define LL_BREAKER_WINDOW_MS 60000
#define LL_BREAKER_PROBE_MS 10000 /* between probes while it is open */
#define LL_STARTS_FAILED_MAX 5    /* in a row; then an alert tells */

/* -- seeds: spec/seed.md -- */
#define LL_SEED_DOCUMENTS_MAX 10000 /* of one; they are one transaction */
#define LL_SEED_VALUES_MAX 40000    /* of fields, in one */

/* -- what an operator asks -- */
#define LL_ADMIN_LIST_DEFAULT 100            /* items of a page */
#define LL_ADMIN_LIST_MAX 1000               /* the same, as asked for */
#define LL_ADMIN_PAGE_ROWS 1000              /* of one query of the store */
#define LL_ADMIN_PAGE_BYTES (1u << 20)       /* of its rows */
#define LL_ADMIN_TOTALS_MAX 4096             /* (plugin, meter) of one answer */
#define LL_ADMIN_SEGMENTS_MAX 10000          /* looked through for one page */
#define LL_RECONCILE_SUMS_MAX (1u << 20)     /* (series, slot); 80 MiB */
#define LL_RECONCILE_PAGE_ROWS 256           /* read in one turn of the loop */
#define LL_RECONCILE_PAGE_BYTES (256u << 10) /* 5400 records, about 1 ms */

/* -- traces: spec/replay.md -- */
#define LL_RECORD_FORMAT 1                    /* of what is written and read */
#define LL_RECORD_FILES_MAX 10000             /* of one folder; the oldest go */
#define LL_RECORD_FOLDER_BYTES_MAX (1u << 30) /* the same */
#define LL_RECORD_BYTES_MAX (4u << 20)        /* frames of one run */
#define LL_TRACE_BYTES_MAX (64u << 20) /* the text of one; 6 for a byte */
#define LL_DIFF_CELLS_MAX (4u << 20)   /* of the table of one diff; 16 MiB */

/* -- linli, spec/cli.md -- */
#define LL_CLI_WORDS_MAX 8                /* words of a command line */
#define LL_CLI_HEADERS_MAX 32             /* -H of one call */
#define LL_CLI_FILE_BYTES_MAX (1u << 20)  /* a key, a configuration */
#define LL_CLI_BODY_BYTES_MAX (16u << 20) /* lets a test meet the 413 */
#define LL_CLI_ANSWER_BYTES_MAX (64u << 20)
#define LL_CLI_CONNECT_MS 5000
#define LL_CLI_ANSWER_MS 120000 /* twice the longest wall limit */
#define LL_CLI_LONG_MS 3600000  /* a clock that goes a year, a backup */
#define LL_CLI_PAGES_MAX 10000  /* of one list */
#define LL_CLI_HEALTH_MS 5000
#define LL_CLI_TOKEN_S 300 /* life of a token that a verb makes for itself */

#endif
