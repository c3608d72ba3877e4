# The test programs, one .c file each; scripts need no list.
# tests/unit/test_*.c: one module each.
unit_SRCS = \
  test_address.c \
  test_arbiter.c \
  test_billing_memory.c \
  test_books.c \
  test_breaker.c \
  test_checkpoint.c \
  test_checkup.c \
  test_cli.c \
  test_conf.c \
  test_consent.c \
  test_consent_law.c \
  test_consent_people.c \
  test_dictionary.c \
  test_diff.c \
  test_digest.c \
  test_docs.c \
  test_dunning.c \
  test_egress.c \
  test_elf.c \
  test_enter.c \
  test_fetch.c \
  test_ffi.c \
  test_file.c \
  test_frame.c \
  test_host.c \
  test_host_bounds.c \
  test_host_calls.c \
  test_http_parse.c \
  test_http_server.c \
  test_http_write.c \
  test_index.c \
  test_instant.c \
  test_job.c \
  test_jobs.c \
  test_json.c \
  test_json_patch.c \
  test_jwks.c \
  test_jwt.c \
  test_known.c \
  test_leaf.c \
  test_locale.c \
  test_log.c \
  test_loop.c \
  test_lua_calls.c \
  test_lua_db.c \
  test_lua_effects.c \
  test_lua_globals.c \
  test_lua_json.c \
  test_lua_limits.c \
  test_lua_order.c \
  test_lua_sdk.c \
  test_manifest.c \
  test_manifest_consent.c \
  test_manifest_data.c \
  test_manifest_egress.c \
  test_merkle.c \
  test_metrics.c \
  test_money.c \
  test_native.c \
  test_native_db.c \
  test_notify.c \
  test_notify_host.c \
  test_openapi.c \
  test_package.c \
  test_payment.c \
  test_payment_ops.c \
  test_plans.c \
  test_pool.c \
  test_pricing.c \
  test_problem_json.c \
  test_quota.c \
  test_rate.c \
  test_rating.c \
  test_reconcile.c \
  test_reindex.c \
  test_ring.c \
  test_scan.c \
  test_schema.c \
  test_secret.c \
  test_seed.c \
  test_show.c \
  test_spawn.c \
  test_store.c \
  test_store_backup.c \
  test_store_faults.c \
  test_store_gone.c \
  test_store_head.c \
  test_store_log.c \
  test_store_place.c \
  test_store_seal.c \
  test_store_usage.c \
  test_subs.c \
  test_subscription.c \
  test_sums.c \
  test_text.c \
  test_token_cache.c \
  test_tuple.c \
  test_txn.c \
  test_txn_seen.c \
  test_unread.c \
  test_unusual.c \
  test_url.c \
  test_usage.c \
  test_usage_export.c \
  test_value.c \
  test_values.c \
  test_view.c \
  test_views.c \
  test_wal_file.c \
  test_webhook.c \
  test_world.c \
  test_zone.c
# tests/conform/test_*.c: the code against spec/.
conform_SRCS = test_json_schema.c
# tests/bench/*.c: programs to measure by hand; built, so that they cannot rot.
bench_SRCS = admit_rates.c consent_rates.c \
  http_hello.c \
  invoice_rates.c \
  log_rates.c \
  price_rates.c \
  store_rates.c
# tests/fuzz/fuzz_*.c: LLVMFuzzerTestOneInput, corpora in tests/fuzz/corpus/*.
fuzz_SRCS = $(notdir $(sort $(wildcard $(srcdir)/tests/fuzz/fuzz_*.c)))

# The HTTP server alone, for wrk and curl: tests/bench/http_hello.c.
unit/http_hello: obj/tests/bench/http_hello.o obj/worker.a liblinli.a
	@mkdir -p $(@D)
	$(call say,LD )$(link_test)
tests: unit/http_hello
