"""Answers and logs far larger than a ring: the plugin waits, nobody dies."""

import concurrent.futures

import tap
from linli_test import Daemon

BYTES = 900_000   # close to the largest frame
CALLS = 24        # together five times what a worker may hold back
LINES = 3000      # 12 MB of log in one call


def test_many_large_answers_at_once():
    with Daemon(config={"rate_limit": "off"}) as d:
        d.enable(d.source("tests/plugins/bulk"), community="demo")

        def one(_):
            return d.http("GET", "/v1/c/demo/bulk/bytes/%d" % BYTES,
                          as_="resident:r1")

        with concurrent.futures.ThreadPoolExecutor(CALLS) as pool:
            answers = list(pool.map(one, range(CALLS)))
        tap.equal([a.status for a in answers], [200] * CALLS, "statuses")
        tap.equal({len(a.json["data"]) for a in answers}, {BYTES}, "sizes")
        tap.equal(restarts(d), 0, "restarts")


def test_a_flood_of_log_lines():
    with Daemon(config={"rate_limit": "off"}) as d:
        d.enable(d.source("tests/plugins/bulk"), community="demo")
        answer = d.http("GET", "/v1/c/demo/bulk/lines/%d" % LINES,
                        as_="resident:r1")
        tap.equal(answer.status, 200, "status")
        tap.equal(restarts(d), 0, "restarts")


def restarts(d):
    """Restarts of the only plugin."""
    answer = d.http("GET", "/v1/c/demo/admin/plugins", as_="operator:o1")
    return answer.json["items"][0]["restarts"]


tap.main()
