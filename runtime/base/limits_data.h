/* base/limits_data.h: the bounds of what is kept: documents, events, timers,
 * devices, meters, messages, the database. Part of base/limits.h.
 */
#ifndef LL_BASE_LIMITS_DATA_H
#define LL_BASE_LIMITS_DATA_H

/* -- storage: spec/db.md -- */
#define LL_COLLECTIONS_MAX 64              /* of one plugin */
#define LL_INDEXES_MAX 16                  /* of one collection */
#define LL_INDEXES_KEPT_MAX 32             /* with the version before's */
#define LL_INDEX_FIELDS_MAX 8              /* of one index */
#define LL_KEY_STR_BYTES_MAX 256           /* of a string in an index */
#define LL_DOC_ID_BYTES_MAX 128            /* of a document's id */
#define LL_DOC_BYTES_DEFAULT 65536         /* of a document, unless declared */
#define LL_DOC_BYTES_MAX 262144            /* that a collection may declare */
#define LL_DOC_CACHE_BYTES_MAX (32u << 20) /* documents nobody holds */
#define LL_KNOWN_KEYS_MAX (1u << 20)    /* of answers, in memory, per space */
#define LL_COMMITS_SPARE_MAX 512        /* kept for the next calls */
#define LL_COMMIT_BYTES_MAX (8u << 20)  /* of one call's operations */
#define LL_QUERY_BYTES_MAX (4u << 20)   /* of one answer of the store */
#define LL_READ_SET_MAX 10000           /* documents and ranges a call reads */
#define LL_OVERLAY_BYTES_MAX (4u << 20) /* what a call writes */
#define LL_LIST_MAX 100                 /* documents of one page */
#define LL_LIST_DEFAULT 50              /* the same, unless asked for */
#define LL_OVERLAPS_MAX 1000            /* documents of one `overlaps` */
#define LL_LIST_BYTES_MAX (LL_FRAME_BYTES_MAX - 65536) /* of these */
#define LL_COUNT_MAX 10000     /* what one `count` counts */
#define LL_CONFLICTS_FREE 2    /* then it runs under its space's commit lock */
#define LL_CONFLICT_RUNS_MAX 8 /* of one call; then 503 */
#define LL_STORE_READERS_MAX 8 /* threads that read */
#define LL_METERS_MAX 64       /* of one plugin */
#define LL_TIMERS_MAX 64       /* names of timers of one plugin */
#define LL_JOBS_MAX 64         /* names of jobs of one plugin */
#define LL_ANSWERS_MAX 64      /* and of what goes on with an answer */
#define LL_AWAIT_STATE_BYTES_MAX 65536 /* that a second step is given */
#define LL_AWAIT_MS 15000         /* a caller waits for an answer; then 202 */
#define LL_AWAIT_KEPT_MS 86400000 /* what it came to */
#define LL_EVENTS_MAX 64          /* types published, or handled */
#define LL_USAGE_BUCKETS_MAX (1u << 20) /* that one batch of usage fills */

/* -- events and timers: spec/events.md, spec/timers.md -- */
#define LL_EFFECT_DATA_BYTES_MAX 65536 /* of an event, of an alert */
#define LL_EVENT_KEPT_MS 2592000000    /* 30 days, for who was away */
#define LL_FEED_WAIT_S_MAX 25          /* that a listener may ask to wait */
#define LL_FEED_PAGE_BYTES (1u << 20)  /* ends early; fits a call's arena */
#define LL_TIMER_WITH_BYTES_MAX 65536
#define LL_TIMER_AT_MS_MAX 32503680000000 /* year 3000; later is a slip */
#define LL_TASKS_OPEN_MAX 32        /* at once, of a plugin and community */
#define LL_TASK_ATTEMPTS_MAX 10     /* then it is left, with an alert */
#define LL_TASK_PAUSE_MS_FIRST 1000 /* doubles with each failure */
#define LL_TASK_PAUSE_MS_MAX 3600000
#define LL_REASON_BYTES_MAX 500 /* that an operator gives: drop, close */
#define LL_JOBS_LOOKED_MAX 1000 /* at, for one page of jobs */

/* -- devices: spec/devices.md -- */
#define LL_DEVICE_ID_BYTES_MAX 128
#define LL_DEVICE_NONCE_BYTES_MAX 64
#define LL_DEVICE_NONCE_KEPT_MS 900000 /* longer than a request is valid */
#define LL_DEVICE_SKEW_S_MAX 300       /* of its clock, either way */
#define LL_DEVICE_FALLBACK_MS 900 /* then it is answered without the plugin */
#define LL_DEVICE_LATER_MS 1000   /* from the receipt: when the rest is done */

/* -- meters and codes: spec/metering.md, spec/db.md -- */
#define LL_METER_AHEAD_MS_MAX 300000   /* of `at`, after now */
#define LL_METER_BACK_MS_MAX 259200000 /* and before it: 72 hours */
#define LL_METER_EVENT_ID_BYTES_MAX 128
#define LL_CODE_WRONG_MAX 5    /* wrong tries; then the name is locked */
#define LL_CODE_LOCK_MS 600000 /* so long */
#define LL_CODE_NAME_BYTES_MAX 128
#define LL_CODE_BYTES_MAX 128 /* of what is given, and of what is expected */

/* -- messages: spec/notify.md -- */
#define LL_NOTIFICATIONS_MAX 64           /* of one plugin */
#define LL_NOTIFY_PLACEHOLDERS_MAX 16     /* of one text */
#define LL_NOTIFY_NAME_BYTES_MAX 32       /* of a placeholder */
#define LL_NOTIFY_TEMPLATE_BYTES_MAX 1024 /* of a text as declared */
#define LL_NOTIFY_VALUE_BYTES_MAX 256     /* put in one place */
#define LL_NOTIFY_TEXT_BYTES_MAX 2048     /* of a text as sent */
#define LL_NOTIFY_KEY_BYTES_MAX 128
#define LL_NOTIFY_TRIES_MAX 3         /* of a channel, then the next */
#define LL_NOTIFY_TRIES_LAST_MAX 8    /* of the last, then it has failed */
#define LL_NOTIFY_PAUSE_MS_FIRST 1000 /* doubled with each try */
#define LL_NOTIFY_KEPT_MS 7776000000  /* 90 days, from the last try */
#define LL_GATEWAY_MS 10000           /* then it has not answered */
#define LL_GATEWAY_ANSWER_BYTES_MAX 65536
#define LL_GATEWAY_KEY_BYTES_MAX 2048
#define LL_SIM_KEPT_MS 34560000000 /* 400 days, of a simulator's messages */
#define LL_SIM_LIST_MAX 1000       /* of them, in one answer */

/* -- secrets: spec/secrets.md -- */
#define LL_SECRETS_MAX 32        /* names that one plugin declares */
#define LL_SECRET_BYTES_MAX 4096 /* of a value; a private key in PEM fits */
#define LL_SIGN_BYTES_MAX 262144 /* of a text that is signed with one */

/* -- webhooks: spec/webhooks.md -- */
#define LL_WEBHOOKS_MAX 32      /* endpoints of a community */
#define LL_WEBHOOK_TYPES_MAX 32 /* patterns of one endpoint */
#define LL_WEBHOOK_URL_BYTES_MAX 2048
#define LL_WEBHOOK_PENDING_MAX 16         /* of one endpoint, not settled */
#define LL_WEBHOOK_ATTEMPTS_MAX 20        /* of one event: some eight hours */
#define LL_WEBHOOK_OLD_KEY_MS 86400000    /* signs too, after a rotation */
#define LL_WEBHOOK_MS 15000               /* an answer takes at most */
#define LL_WEBHOOK_ANSWER_BYTES_MAX 65536 /* of which nothing is read */

/* -- the database: spec/store.md -- */
#define LL_STORE_QUEUE_MAX 16384             /* commits that wait; then 503 */
#define LL_STORE_QUEUE_BYTES_MAX (64u << 20) /* and their operations */
#define LL_STORE_BATCH_MAX 4096              /* commits of one transaction */
#define LL_STORE_BATCH_BYTES_MAX (16u << 20) /* then the batch is closed */
#define LL_STORE_LINGER_MS 5        /* that nobody waits for wait for others */
#define LL_STORE_LINGER_COMMITS 512 /* or until there are so many */
#define LL_STORE_READ_BATCH_MAX 32  /* queries that share a transaction */
#define LL_STORE_JOBS_KEPT 256      /* queries' buffers, for reuse */
#define LL_QUERY_PARAMS_BYTES_MAX 65536     /* of one query */
#define LL_QUERY_ROWS_BYTES_MAX (16u << 20) /* with the row that passed it */
#define LL_STORE_BLOB_BYTES_MAX (8u << 20)  /* of one sealed value */
#define LL_STORE_KEYS_MAX 2048        /* kept by each thread; a power of two */
#define LL_STORE_CACHE_KIB 8192       /* pages, by each connection */
#define LL_STORE_BUSY_MS 10000        /* for a lock of SQLite's */
#define LL_STORE_WAL_FRAMES 4096      /* of 4 KiB, then it is folded in */
#define LL_STORE_WAL_FRAMES_MAX 16384 /* then the writer waits for that */
#define LL_STORE_WAL_TAIL_FRAMES 1024 /* that it waits for without need */
#define LL_STORE_WAL_FRAMES_KEPT 5120 /* of its length, when it is empty */
#define LL_STORE_WAL_WIPE_BYTES (1 << 20)     /* overwritten at a time */
#define LL_STORE_WAL_GATHER_BYTES (124 << 10) /* of it, written at once */
#define LL_STORE_WAL_WAIT_MS 100              /* and that for older readers */
#define LL_STORE_WAL_GLANCE_MS 5   /* the same where there is no need */
#define LL_STORE_IDLE_MS 2000      /* without commits, then it is emptied */
#define LL_STORE_BACKUP_PAGES 1024 /* copied between two looks at the stop */
#define LL_STORE_CHECK_BYTES_MAX (32 << 20) /* checked whole at each start */
#define LL_GONE_BYTES_MAX (64u << 20)       /* of linli.gone: 1.8 M keys */
#define LL_GONE_WHOSE_BYTES_MAX 1024        /* of what names one of them */
#define LL_SEGMENT_RECORDS_MAX 65536        /* of usage, in one row */
#define LL_BUCKET_QUANTITY_MAX 4000000000000000000 /* then the next part */

#endif
