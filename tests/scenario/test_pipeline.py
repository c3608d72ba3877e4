#!/usr/bin/env python3
"""tests/scenario/test_pipeline.py: spec/pipeline.md, live.

The order of the checks, and what each refusal looks like, through a plugin
with a route for each way a call can end (tests/plugins/pipeline).
"""

import contextlib
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        run, temporary_folder, wait_until)

PLUGIN = "tests/plugins/pipeline"
HOSTS = {"worker": {"drafts": True}, "communities": [{"id": "palace"}]}
RESIDENT = "resident:r1"  # who Daemon.call is by default
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@contextlib.contextmanager
def pipeline(**config):
    """A daemon with the plugin enabled in the community demo."""
    with Daemon(config=dict(HOSTS, **config)) as d:
        d.enable(d.source(PLUGIN))
        yield d


def refused(answer, status, code):
    """Fail unless the answer is that problem, whole; its JSON."""
    tap.equal((answer.status, answer.code), (status, code), answer)
    problem = answer.json
    tap.equal(problem["type"], "urn:linli:problem:" + code)
    tap.equal(problem["status"], status)
    for member in ("title", "trace_id", "retryable"):
        tap.equal(member in problem, True, member)
    tap.equal(answer.headers["traceparent"].split("-")[1],
              problem["trace_id"])
    return problem


def test_route():
    with pipeline() as d:
        for path in ("/v1/c/demo/nothing/me", "/v1/c/nowhere/pipeline/me",
                     "/v1/c/demo/pipeline/nothing", "/v1/c/demo/pipeline",
                     "/v1/c/demo/pipeline/things", "/v1/c/demo/pipeline/me/",
                     "/v1/c/demo", "/v1/c/", "/nothing", "/",
                     "/v1/c/palace/pipeline/me"):
            problem = refused(d.http("GET", path, as_=RESIDENT), 404,
                              "request/not-found")
            tap.equal(problem["instance"], path)
        for method, path, allow in (
                ("PUT", "/me", "GET, POST"), ("GET", "/write", "POST"),
                ("POST", "/things/1", "PUT, DELETE")):
            answer = d.call("pipeline", path, method=method, key="k")
            refused(answer, 405, "request/method")
            tap.equal(sorted(answer.headers["allow"].split(", ")),
                      sorted(allow.split(", ")))
        refused(d.call("pipeline", "/things/%zz", method="PUT", key="k"),
                400, "request/malformed")
        refused(d.call("pipeline", "/me?" + "x" * 9000, method="GET"), 414,
                "request/uri-too-long")
        # What is installed is told before who asks; 423 needs no token.
        d.linli_ok("plugin", "disable", "pipeline")
        answer = d.http("GET", "/v1/c/demo/pipeline/me")
        tap.equal(refused(answer, 423, "plugin/disabled")["retryable"], True)


def test_authenticate():
    with pipeline() as d:
        path = "/v1/c/demo/pipeline/me"
        expired = d.token(RESIDENT, claims={"iat": 1000, "exp": 2000})
        stranger = d.token(RESIDENT, claims={"iss": "https://elsewhere"})
        for header, code in (
                (None, "auth/missing"), ("Basic d2FuZzpwaW4=", "auth/missing"),
                ("Bearer", "auth/invalid"), ("Bearer x.y.z", "auth/invalid"),
                ("Bearer " + d.token(RESIDENT)[:-4] + "AAAA", "auth/invalid"),
                ("Bearer " + stranger, "auth/invalid"),
                ("Bearer " + expired, "auth/expired")):
            headers = {} if header is None else {"Authorization": header}
            answer = d.http("GET", path, headers=headers)
            refused(answer, 401, code)
            tap.contains(answer.headers.get("www-authenticate", ""), "Bearer")
        # Another community's caller learns nothing, whatever it is.
        for role in (RESIDENT, "operator:o", "app:a"):
            refused(d.http("GET", path, as_=role, community="palace"), 404,
                    "request/not-found")
        refused(d.call("pipeline", "/staff", as_=RESIDENT), 403,
                "auth/forbidden")
        answer = d.call("pipeline", "/staff", as_="operator:o")
        refused(answer, 403, "auth/forbidden")
        tap.equal(answer.json["detail"], "this route takes staff")
        tap.equal(d.call("pipeline", "/staff", as_="staff:li").status, 200)


def test_idempotency_key():
    with pipeline() as d:
        for method, path in (("POST", "/write"), ("PUT", "/things/7"),
                             ("DELETE", "/things/7")):
            refused(d.call("pipeline", path, method=method), 400,
                    "request/idempotency-key")
            refused(d.call("pipeline", path, method=method, key=""), 400,
                    "request/idempotency-key")
            answer = d.call("pipeline", path, method=method, key="k-1")
            tap.equal(answer.status // 100, 2, answer)
        for key in ("a b", "x" * 129, "\u00e9".encode("utf-8")):
            refused(d.call("pipeline", "/write", key=key), 400,
                    "request/idempotency-key")
            # Where none is needed, a bad one is still a mistake.
            refused(d.call("pipeline", "/any", key=key), 400,
                    "request/idempotency-key")
        tap.equal(d.call("pipeline", "/write", key="x" * 128).status, 201)
        tap.equal(d.call("pipeline", "/any").status, 200)
        tap.equal(d.call("pipeline", "/me", method="GET").status, 200)


def test_bodies():
    with pipeline() as d:
        deep = "[" * 17 + "]" * 17
        for body, kind, code in (
                ("{}", "text/plain", "request/content-type"),
                ("{}", "application/jsonp", "request/content-type"),
                ("{}", "", "request/content-type"),
                ("{", "application/json", "request/json"),
                ("{} {}", "application/json", "request/json"),
                ("{'a':1}", "application/json", "request/json"),
                ('{"a":1,"a":2}', "application/json", "request/json"),
                ('{"a":1,"\\u0061":2}', "application/json", "request/json"),
                (deep, "application/json", "request/json"),
                (b'"\xff"', "application/json", "request/json"),
                (b'"\xc0\x80"', "application/json", "request/json"),
                ('"\\ud800"', "application/json", "request/json"),
                ("\ufeff{}", "application/json", "request/json"),
                ("NaN", "application/json", "request/json")):
            answer = d.call("pipeline", "/any", body,
                            headers={"Content-Type": kind})
            refused(answer, 400, code)
        fine = "[" * 16 + "]" * 16
        for kind in ("application/json", "Application/JSON; charset=utf-8"):
            answer = d.call("pipeline", "/small", fine,
                            headers={"Content-Type": kind})
            tap.equal(answer.status, 200, answer)
        tap.equal(d.call("pipeline", "/small", '"%s"' % ("x" * 62)).status,
                  200)
        problem = refused(d.call("pipeline", "/small", '"%s"' % ("x" * 63)),
                          413, "request/too-large")
        tap.contains(problem["detail"], "64")
        refused(d.call("pipeline", "/any", '"%s"' % ("x" * (1 << 20))), 413,
                "request/too-large")


def test_schema():
    with pipeline() as d:
        for body, errors in (
                ({}, {("", "required")}),
                ({"name": "", "hours": 25},
                 {("/name", "minLength"), ("/hours", "maximum")}),
                ({"name": "a", "hours": 1.5}, {("/hours", "type")}),
                ({"name": "a", "hours": 1, "lines": [{"id": 1}, {}]},
                 {("/lines/1", "required")}),
                ({"name": "a", "hours": 1, "nmae": 2},
                 {("/nmae", "additionalProperties")}),
                ([], {("", "type")})):
            problem = refused(d.call("pipeline", "/checked", body), 422,
                              "request/invalid")
            got = {(e["pointer"], e["rule"]) for e in problem["errors"]}
            tap.equal(got, errors, problem)
            for error in problem["errors"]:
                tap.equal(len(error["detail"]) > 0, True, error)
        # A route with a schema has a body.
        refused(d.call("pipeline", "/checked"), 422, "request/invalid")
        answer = d.call("pipeline", "/checked", {"name": "a", "hours": 24.0})
        tap.equal(answer.status, 200, answer)


def test_rate_limit():
    with pipeline(rate_limit={"per_s": 1, "burst": 3}) as d:
        other = d.token(RESIDENT, ttl_s=601)
        for who in (RESIDENT, "resident:li", "resident:zhao"):
            d.token(who)  # a bucket fills while linli makes one
        answers = [d.call("pipeline", "/any") for _ in range(4)]
        tap.equal([a.status for a in answers[:3]], [200] * 3)
        last = answers[3]
        problem = refused(last, 429, "request/rate-limited")
        tap.equal(problem["retryable"], True)
        tap.equal(last.headers["retry-after"], "1")
        tap.equal(last.headers["ratelimit"], '"caller";r=0;t=1')
        tap.equal(last.headers["ratelimit-policy"], '"caller";q=3;w=3')
        # The bucket is the caller's, not the plugin's and not the token's.
        tap.equal(d.call("pipeline", "/any", as_="resident:li").status, 200)
        answer = d.http("POST", "/v1/c/demo/pipeline/any",
                        headers={"Authorization": "Bearer " + other})
        tap.equal(answer.status, 429, answer)
        # Refused before the limit is asked: costs nothing.
        for _ in range(5):
            tap.equal(d.call("pipeline", "/staff", as_="resident:zhao")
                      .status, 403)
        tap.equal(d.call("pipeline", "/any", as_="resident:zhao").status,
                  200)


def test_order():
    """Each request breaks several rules; the first in the order answers."""
    with pipeline(rate_limit={"per_s": 1, "burst": 1}) as d:
        used = "resident:used"
        tap.equal(d.call("pipeline", "/any", as_=used).status, 200)
        big = '{"x":"%s' % ("x" * 100)
        for path, kwargs, status in (
                ("/nothing", {"as_": None, "body": big}, 404),
                ("/things/%zz", {"as_": None, "method": "PUT"}, 400),
                ("/write", {"as_": None}, 401),
                ("/staff", {"as_": used, "key": "a b"}, 403),
                ("/write", {"as_": used, "body": big}, 400),
                ("/small", {"as_": used, "body": big}, 429),
                ("/small", {"as_": "resident:fresh", "body": big,
                            "headers": {"Content-Type": "text/plain"}}, 413),
                ("/any", {"as_": "resident:newer", "body": big,
                          "headers": {"Content-Type": "text/plain"}}, 400),
                ("/checked", {"as_": "resident:third", "body": big}, 400)):
            answer = d.call("pipeline", path, **kwargs)
            tap.equal(answer.status, status, (path, kwargs, answer))


def logged(d, trace_id):
    """The log's lines of one call."""
    return [line for line in d.log_lines() if line.get("trace_id") == trace_id]


def test_plugin_errors_do_not_leak():
    with pipeline() as d:
        answer = d.call("pipeline", "/boom")
        problem = refused(answer, 500, "plugin/error")
        tap.equal(problem["retryable"], False)
        for hidden in ("pin", "1234", "main.lua", "no place"):
            tap.equal(hidden in answer.text, False, hidden)
        lines = logged(d, problem["trace_id"])
        tap.equal([line["code"] for line in lines],
                  ["plugin.log", "plugin/error"], lines)
        tap.equal(lines[0]["msg"], "about to fail")
        tap.equal(re.search(r"main\.lua:\d+: no place", lines[1]["msg"])
                  is not None, True, lines)
        for line in lines:
            tap.equal((line["plugin"], line["version"], line["community"]),
                      ("pipeline", "1.0.0", "demo"))


def test_problems_of_the_plugin():
    with pipeline() as d:
        for language, title in (("zh-CN,zh;q=0.9", "车位已满"),
                                ("en-GB", "The lot is full"),
                                ("fr", "The lot is full")):
            answer = d.call("pipeline", "/full",
                            headers={"Accept-Language": language})
            problem = refused(answer, 409, "pipeline/full")
            tap.equal(problem["title"], title)
            tap.equal(problem["detail"], "lot p1 has 0 places")
            tap.equal(problem["retryable"], False)
        for path in ("/undeclared", "/pretends"):
            answer = d.call("pipeline", path)
            problem = refused(answer, 500, "plugin/error")
            tap.equal("4711" in answer.text or "nobody" in answer.text, False)
            lines = logged(d, problem["trace_id"])
            tap.equal(len(lines), 1, lines)
        for status in (200, 299, 400, 409, 500, 599):
            answer = d.call("pipeline", "/returns", {"status": status})
            tap.equal((answer.status, answer.json),
                      (status, {"word": "mine"}))
        for status in (100, 199, 600, "200", None):
            refused(d.call("pipeline", "/returns", {"status": status}), 500,
                    "plugin/error")


def test_wall_limit():
    with pipeline() as d:
        answer = d.call("pipeline", "/wait")
        problem = refused(answer, 504, "sandbox/timeout")
        tap.equal(problem["retryable"], True)
        # It was cancelled, not killed: the worker goes on.
        plugin = d.plugins_json()["items"][0]
        tap.equal((plugin["restarts"], plugin["last_error"]), (0, None))
        tap.equal(d.call("pipeline", "/any").status, 200)


SPIN_C = """
int spin(int n) { volatile int i = n; while (i != 0) { } return 0; }
"""
SPIN_LUA = """
local p = require("linli").plugin()
p:post("/run", function() return 200, {} end)
p:post("/spin", function() return 200, { n = native.spin(1) } end)
return p
"""


def spin_folder(parent):
    """A plugin whose C function never returns: no soft stop ends it."""
    routes = [{"method": "POST", "path": path, "caller": ["resident"],
               "safe": True} for path in ("/run", "/spin")]
    folder = plugin_folder(
        parent, probe_manifest(
            "spin", routes=routes, limits={"burst_ms": 100},
            native={"library": "spin.so", "functions": {
                "spin": {"returns": "i32", "args": ["i32"]}}}),
        main__lua=SPIN_LUA)
    with open(os.path.join(parent, "spin.c"), "w", encoding="ascii") as f:
        f.write(SPIN_C)
    done = run(["cc", "-shared", "-fPIC", "-O1", "-nostdlib",
                "-Wl,-z,noexecstack", os.path.join(parent, "spin.c"), "-o",
                os.path.join(folder, "spin.so")])
    tap.equal(done.code, 0, done)
    return folder


def test_burst_kills_count_against_their_caller():
    """Three calls of a caller that hold a worker until it is killed: the
    fourth on that route has to wait, and nobody else."""
    with temporary_folder() as folder, Daemon() as d:
        d.enable(spin_folder(folder))
        for _ in range(3):
            refused(d.call("spin", "/spin"), 504, "sandbox/timeout")
        answer = d.call("spin", "/spin")
        refused(answer, 429, "request/rate-limited")
        tap.equal(1 <= int(answer.headers["retry-after"]) <= 20, True,
                  answer.headers)
        tap.equal(d.call("spin", "/run").status, 200)
        refused(d.call("spin", "/spin", as_="resident:li"), 504,
                "sandbox/timeout")
        # Booked when the kernel has let the process go, after the answer.
        tap.equal(wait_until(lambda: d.plugins_json()["items"][0]["restarts"]
                             == 4), True, "restarts")
        tap.equal(d.plugins_json()["items"][0]["breaker"], "closed")


def test_pids():
    with pipeline() as d, temporary_folder() as folder:
        manifest = probe_manifest("other", routes=[
            {"method": "POST", "path": "/me", "caller": ["resident"],
             "safe": True}])
        other = plugin_folder(
            folder, manifest,
            main__lua='local p = require("linli").plugin()\n'
                      'p:post("/me", function(call) return 200, '
                      '{resident = call.resident.id} end)\nreturn p\n')
        d.enable(other)
        d.enable(d.source(PLUGIN), community="palace")
        here = d.call("pipeline", "/me").json
        ids = [here["resident"],
               d.call("pipeline", "/me", as_="resident:li").json["resident"],
               d.call("other", "/me").json["resident"],
               d.call("pipeline", "/me", community="palace")
               .json["resident"]]
        tap.equal(len(set(ids)), 4, ids)
        for one in ids:
            tap.equal(re.fullmatch(r"[0-9a-f]{32}", one) is not None, True,
                      one)
        tap.equal(here["id"], here["resident"])
        again = d.token(RESIDENT, ttl_s=602)
        answer = d.http("POST", "/v1/c/demo/pipeline/me",
                        headers={"Authorization": "Bearer " + again})
        tap.equal(answer.json["resident"], ids[0], "with another token")
        # A new version of the plugin knows its residents by the same names.
        d.enable(d.source(PLUGIN))
        tap.equal(d.call("pipeline", "/me").json["resident"], ids[0])
        for role, kind in (("staff:li", "staff"), ("app:shop", "app")):
            seen = d.call("pipeline", "/me", method="GET", as_=role).json
            tap.equal((seen["kind"], seen["id"], seen.get("resident")),
                      (kind, role.split(":")[1], None))


def test_what_a_call_is_told():
    config = {"communities": [{"id": "palace", "zone": "Europe/London"}]}
    with pipeline(**config) as d:
        d.enable(d.source(PLUGIN), community="palace")
        parent = "00-%s-00f067aa0ba902b7-01" % TRACE
        answer = d.call("pipeline", "/me?a=1&b=%20", method="GET",
                        headers={"traceparent": parent,
                                 "Accept-Language": "en;q=0.5, zh-HK"})
        seen = answer.json
        tap.equal((seen["locale"], seen["zone"], seen["trace_id"]),
                  ("zh-CN", "Asia/Shanghai", TRACE))
        tap.equal(seen["query"], {"a": "1", "b": " "})
        tap.equal(seen["roles"], [])
        version, trace_id, span, flags = \
            answer.headers["traceparent"].split("-")
        tap.equal((version, trace_id, flags), ("00", TRACE, "01"))
        tap.equal(span != "00f067aa0ba902b7", True)
        seen = d.call("pipeline", "/me", method="GET", community="palace",
                      headers={"traceparent": "00-bad"}).json
        tap.equal((seen["locale"], seen["zone"]), ("en", "Europe/London"))
        tap.equal(seen["trace_id"] == TRACE, False)


def test_configuration_is_judged_when_enabled():
    with Daemon() as d:
        for config, where in (({"lots": [{"places": 2}, {"places": 0}]},
                               "/lots/1/places"),
                              ({"lost": []}, "/lost"),
                              ({"lots": {}}, "/lots")):
            done = d.enable_fails(d.source(PLUGIN), config=config)
            tap.contains(done.err, "plugin/config")
            tap.contains(done.err, where)
        refused(d.call("pipeline", "/me"), 404, "request/not-found")
        d.enable(d.source(PLUGIN), config={"lots": [{"places": 1}]})
        # A configuration that is refused changes nothing that serves.
        d.enable_fails(d.source(PLUGIN), config={"lots": 1})
        tap.equal(d.call("pipeline", "/any").status, 200)
        plugin = d.plugins_json()["items"][0]
        tap.equal((plugin["state"], plugin["last_error"]["code"]),
                  ("enabled", "plugin/config"))


def test_admin():
    with pipeline() as d:
        base = "/v1/c/demo/admin"
        for path in ("/plugins", "/workers"):
            answer = d.http("GET", base + path)
            refused(answer, 401, "auth/missing")
            tap.contains(answer.headers.get("www-authenticate", ""), "Bearer")
            refused(d.http("GET", base + path, as_="staff:li"), 403,
                    "auth/forbidden")
            refused(d.http("GET", base + path, as_="operator:o",
                           community="palace"), 404, "request/not-found")
            tap.equal(d.http("GET", base + path, as_="operator:o").status,
                      200)
        answer = d.http("DELETE", base + "/plugins", as_="operator:o")
        refused(answer, 405, "request/method")
        tap.equal(answer.headers["allow"], "GET, POST")
        answer = d.http("POST", "/healthz", body={})
        refused(answer, 405, "request/method")
        tap.equal(answer.headers["allow"], "GET")
        folder = d.source(PLUGIN)
        for body, kind, status in (
                ({"path": folder, "confg": {}}, "application/json", 422),
                ({}, "application/json", 422),
                ({"path": 5}, "application/json", 422),
                ([], "application/json", 422),
                ("{", "application/json", 400),
                (json.dumps({"path": folder}), "text/plain", 400),
                ({"path": folder, "config": []}, "application/json", 422)):
            answer = d.http("POST", base + "/plugins", body=body,
                            as_="operator:o", headers={"Content-Type": kind})
            tap.equal(answer.status, status, (body, answer))
        refused(d.http("POST", base + "/plugins/nothing/disable",
                       as_="operator:o"), 404, "request/not-found")


def test_metrics_count_outcomes():
    with pipeline() as d:
        d.call("pipeline", "/any")
        d.call("pipeline", "/boom")
        d.call("pipeline", "/wait")
        d.call("pipeline", "/checked", {})
        text = d.http("GET", "/metrics").text
        for outcome in ("ok", "error", "timeout", "refused"):
            line = re.search(
                r'^linli_calls_total\{[^}]*outcome="%s"[^}]*\} (\d+)$'
                % outcome, text, re.M)
            tap.equal(line is not None and int(line.group(1)) >= 1, True,
                      outcome)
        for secret in ("r1", "1234"):
            tap.equal(secret in text, False, secret)


if __name__ == "__main__":
    tap.main()
