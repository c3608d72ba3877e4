#!/usr/bin/env python3
"""tests/scenario/test_dev.py: what belongs to the whole host: who may ask it,
and a virtual clock, over a live linlid.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, failing_start, read_all,  # noqa: E402
                        statuses)

CLOCK = "/v1/dev/clock"
ADVANCE = "/v1/dev/clock/advance"
PATHS = (("GET", CLOCK), ("PUT", CLOCK), ("POST", ADVANCE),
         ("POST", "/v1/dev/seed"), ("POST", "/v1/host/backup"),
         ("GET", "/v1/dev/none"), ("GET", "/v1/host/"))
HOUR = 3600000


def host(d, method, path, body=None, token=None, **more):
    """One request with the admin token."""
    return d.http(method, path, body, headers=dict(
        {"Authorization": "Bearer " + (token or d.ready["admin_token"])},
        **more))


def refused(answer, status, code):
    """The answer is that refusal."""
    tap.equal((answer.status, answer.code), (status, code), answer)


def virtual():
    """A linlid with a virtual clock."""
    return Daemon(options=["--clock=virtual"])


def test_who_may_ask():
    with virtual() as d:
        admin = d.ready["admin_token"]
        for method, path in PATHS:
            answer = d.http(method, path, {} if method != "GET" else None)
            refused(answer, 401, "auth/missing")
            tap.equal(answer.headers["www-authenticate"], "Bearer")
            for wrong in (d.token("operator:demo"), admin[:-1], admin + "x",
                          admin[:-1] + ("a" if admin[-1] != "a" else "b"),
                          admin.swapcase()):
                refused(host(d, method, path, token=wrong), 401,
                        "auth/invalid")
        # The admin token is nobody in a community.
        refused(host(d, "GET", "/v1/c/demo/admin/plugins"), 401,
                "auth/invalid")
        refused(host(d, "GET", "/v1/dev/none"), 404, "request/not-found")
        refused(host(d, "GET", "/v1/dev/clock/"), 404, "request/not-found")
        for method, path, allow in (("POST", CLOCK, "GET, PUT"),
                                    ("GET", ADVANCE, "POST"),
                                    ("GET", "/v1/dev/seed", "POST"),
                                    ("DELETE", "/v1/host/backup", "POST")):
            answer = host(d, method, path)
            refused(answer, 405, "request/method")
            tap.equal(answer.headers["allow"], allow)


def test_the_clock_stands_and_goes():
    with virtual() as d:
        begun = host(d, "GET", CLOCK).json
        tap.equal(abs(begun["ms"] - time.time() * 1000) < 60000, True)
        time.sleep(0.05)
        tap.equal(host(d, "GET", CLOCK).json, begun)
        later = begun["ms"] + 3 * HOUR
        answer = host(d, "PUT", CLOCK, {"now": later})
        tap.equal((answer.status, answer.json["ms"]), (200, later))
        answer = host(d, "PUT", CLOCK, {"now": answer.json["now"]})
        tap.equal((answer.status, answer.json["ms"]), (200, later))
        answer = host(d, "POST", ADVANCE, {"ms": 90000})
        tap.equal((answer.status, answer.json["ms"]), (200, later + 90000))
        tap.equal(host(d, "POST", ADVANCE, {"ms": 0}).json["ms"],
                  later + 90000)
        refused(host(d, "PUT", CLOCK, {"now": later}), 409,
                "clock/backwards")
        # The year 9999 is the last.
        end = 253402300799999
        refused(host(d, "POST", ADVANCE, {"ms": end}), 422,
                "request/invalid")
        tap.equal(host(d, "GET", CLOCK).json["ms"], later + 90000)
        answer = host(d, "PUT", CLOCK, {"now": end})
        tap.equal(answer.json, {"now": "9999-12-31T23:59:59.999Z", "ms": end})
        refused(host(d, "POST", ADVANCE, {"ms": 1}), 422, "request/invalid")


def test_bodies():
    with virtual() as d:
        for path, method, good in ((CLOCK, "PUT", "now"),
                                   (ADVANCE, "POST", "ms"),
                                   ("/v1/host/backup", "POST", "path")):
            for body in ({}, [], None, {good: None}, {good: {}},
                         {good: True}, {good: 1.5}, {good: "x"}, {good: -1,
                         "more": 1}, {"other": 1}):
                refused(host(d, method, path, json.dumps(body)), 422,
                        "request/invalid")
            refused(host(d, method, path, "{"), 400, "request/json")
            refused(host(d, method, path, '{"%s":1,"%s":1}' % (good, good)),
                    400, "request/json")
            refused(host(d, method, path), 400, "request/content-type")
            refused(host(d, method, path, "{}", **{
                "Content-Type": "text/plain"}), 400, "request/content-type")
        refused(host(d, "POST", ADVANCE, {"ms": -1}), 422, "request/invalid")
        refused(host(d, "POST", "/v1/host/backup", {"path": "copy"}), 422,
                "request/invalid")
        refused(host(d, "POST", "/v1/host/backup", {"path": "/" + "x" * 4096}),
                422, "request/invalid")


def test_a_real_clock_is_not_set():
    for mode, status, code in (
            ("development", 409, "clock/real"),
            ("production", 404, "request/not-found")):
        with Daemon(mode=mode) as d:
            with open(os.path.join(d.data, "linlid.json"),
                      encoding="utf-8") as f:
                token = json.load(f)["admin_token"]
            for method, path, body in (
                    ("GET", CLOCK, None),
                    ("PUT", CLOCK, {"now": 4102444800000}),
                    ("POST", ADVANCE, {"ms": 1})):
                refused(host(d, method, path, body, token), status, code)
            if mode == "production":
                refused(host(d, "POST", "/v1/dev/seed", {}, token), 404,
                        "request/not-found")
            done = d.linli("clock", "get")
            tap.equal(done.code, 1)
            tap.contains(done.err, "error[%s]" % code)


def test_callers_live_by_it():
    """Tokens of before are old; linli makes new ones by the same clock."""
    with virtual() as d:
        d.enable(d.source("examples/hello-lua"))
        before = d.token("resident:r1", ttl_s=600)
        asked = ("GET", "/v1/c/demo/hello/hello")
        bearer = {"Authorization": "Bearer " + before}
        tap.equal(d.http(*asked, headers=bearer).status, 200)
        now = d.linli_ok("clock", "advance", "400d").out.strip()
        tap.equal(now, d.linli_ok("clock", "get").out.strip())
        refused(d.http(*asked, headers=bearer), 401, "auth/expired")
        tap.equal(d.call("hello", "/hello", method="GET").status, 200)
        d.linli_ok("call", "GET", "hello/hello", "--as", "resident:r2")
        d.linli_ok("plugin", "list")
        # What linlid writes is of that day, too.
        d.enable(d.source("examples/hello-lua"))
        tap.equal(d.log_lines()[-1]["ts"], now)
        year = int(now[:4]) + 1
        tap.equal(d.linli_ok("clock", "set", "%d-01-01T08:00:00+08:00"
                             % year).out, "%d-01-01T00:00:00.000Z\n" % year)
        done = d.linli("clock", "set", "0")
        tap.equal(done.code, 1)
        tap.contains(done.err, "error[clock/backwards]")


def test_a_year_keeps_the_operator():
    """operator_token is good for what a test moves the clock by."""
    with virtual() as d:
        bearer = {"Authorization": "Bearer " + d.ready["operator_token"]}
        d.enable(d.source("examples/hello-lua"))
        for days, status in ((365, 200), (2, 401)):
            d.linli_ok("clock", "advance", "%dd" % days)
            tap.equal(d.http("GET", "/v1/c/demo/admin/plugins",
                             headers=bearer).status, status)


def test_requests_in_one_breath():
    """Pipelined, the answers come in the order of the requests."""
    with virtual() as d:
        head = ("POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
                "Content-Type: application/json\r\nContent-Length: %%d\r\n"
                % (ADVANCE, d.ready["admin_token"]))
        body = '{"ms":1000}'
        begun = host(d, "GET", CLOCK).json["ms"]
        with d.socket() as s:
            one = head % len(body) + "\r\n" + body
            last = head % len(body) + "Connection: close\r\n\r\n" + body
            s.sendall((one * 9 + last).encode("ascii"))
            raw = read_all(s)
        tap.equal(statuses(raw), [200] * 10)
        tap.equal(host(d, "GET", CLOCK).json["ms"], begun + 10000)


def test_a_real_clock_that_is_behind():
    """Data of days to come is not gone on with as if it were of today."""
    with virtual() as d:
        d.linli_ok("clock", "advance", "3d")
        d.stop()
        done = failing_start((), data=d.data, mode="development")
        tap.contains(done.err, "clock/behind", "stderr")
        tap.contains(done.err, "--clock=virtual", "the fix")
        d.restart()
    with Daemon(options=["--clock=virtual"]) as d:
        d.stop()
        d.options = []
        d.restart()  # nothing was moved


if __name__ == "__main__":
    tap.main()
