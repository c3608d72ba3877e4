#!/usr/bin/env python3
"""tests/scenario/test_http.py: linlid on the wire: spec/http.md, live.

http_cases/cases.def is the table that the unit tests of the parser read;
here its bytes go to a daemon, whole and in two pieces.
"""

import ast
import json
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import linli_test  # noqa: E402
import tap  # noqa: E402
from linli_test import Daemon, read_all  # noqa: E402

STRING = r'"(?:[^"\\]|\\.)*"'
CASE = re.compile(r'\bC\((%s),\s*(\d+),\s*(\d+),((?:\s*%s)+)\)'
                  % (STRING, STRING))


def cases():
    """[(name, handled, refusal, bytes)] of cases.def."""
    path = os.path.join(tap.source_folder(), "tests", "scenario",
                        "http_cases", "cases.def")
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    found = []
    for name, handled, refusal, strings in CASE.findall(text):
        data = "".join(ast.literal_eval(s)
                       for s in re.findall(STRING, strings))
        found.append((ast.literal_eval(name), int(handled), int(refusal),
                      data.encode("latin-1")))
    assert len(found) == len(re.findall(r"\bC\(", text)), "a case is not read"
    return found


def statuses(raw):
    """The statuses of all final answers; a body may speak of HTTP/1.1."""
    return [int(s) for s in re.findall(
        rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\nDate: ", raw)]


def judge(name, handled, refusal, raw):
    """What is wrong with an answer to a case, or None."""
    got = statuses(raw)
    # What is handled may well be 404 or 405: it is one answer each.
    wanted = handled + (1 if refusal else 0)
    if len(got) != wanted or (refusal and got[-1] != refusal):
        return "%s: %d answers and %d wanted, got %r" \
            % (name, handled, refusal, got)
    if refusal and not raw.count(b"Connection: close\r\n"):
        return "%s: the refusal does not close" % name
    return None


def test_each_case_is_read_one_way():
    with Daemon() as d:
        wrong = [judge(n, h, r, d.raw(data, shut=True))
                 for n, h, r, data in cases()]
        wrong = [w for w in wrong if w]
        assert not wrong, "\n".join(wrong)
        tap.equal(d.http("GET", "/healthz").status, 200)


def test_each_refusal_comes_without_the_clients_end():
    """A client that waits gets its 4xx and the end at once, not a timeout."""
    with Daemon() as d:
        for name, handled, refusal, data in cases():
            if refusal == 0 or name == "tls-hello":
                continue
            with d.socket(5.0) as s:
                began = time.monotonic()
                s.sendall(data)
                wrong = judge(name, handled, refusal, read_all(s))
                assert not wrong, wrong
                assert time.monotonic() - began < 4, name


def test_pieces_change_nothing():
    with Daemon() as d:
        for name, handled, refusal, data in cases():
            for at in (1, len(data) // 2, len(data) - 1):
                with d.socket(5.0) as s:
                    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    s.sendall(data[:at])
                    time.sleep(0.002)
                    try:
                        s.sendall(data[at:])
                        s.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass  # refused and closed before the second piece
                    wrong = judge(name, handled, refusal, read_all(s))
                assert not wrong, "at %d: %s" % (at, wrong)


def test_hundred_requests_in_one_piece():
    """More than may be owed at once: all are answered, in order."""
    with Daemon() as d:
        ask = b"".join(b"GET /x%d HTTP/1.1\r\nHost: a\r\n\r\n" % i
                       for i in range(100))
        raw = d.raw(ask, shut=True)
        found = re.findall(rb'"instance":"/x(\d+)"', raw)
        tap.equal([int(n) for n in found], list(range(100)))
        tap.equal(len(statuses(raw)), 100)


def test_bounds():
    with Daemon() as d:
        head = b"GET /%s HTTP/1.1\r\nHost: a\r\n%s\r\n"
        for want, target, fields in [
                (414, b"a" * 8192, b""),
                (414, b"a" * 60000, b""),
                (431, b"a", b"X: " + b"y" * 16384 + b"\r\n"),
                (431, b"a", b"X: y\r\n" * 64),
                (404, b"a" * 8191, b""),
                (404, b"a", b"X: y\r\n" * 63)]:
            got = statuses(d.raw(head % (target, fields), shut=True))
            tap.equal(got, [want], "%d and %d bytes"
                      % (len(target), len(fields)))
        post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
        tap.equal(statuses(d.raw(post % 1048577)), [413])
        tap.equal(statuses(d.raw(post % 1048576 + b"a" * 1048576,
                                 shut=True)), [404])


def test_problems_speak_two_languages():
    with Daemon() as d:
        for wanted, tag, title in [
                ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "资源不存在"),
                ("en", "en", "There is no such thing here"),
                ("fr", "en", "There is no such thing here")]:
            answer = d.http("GET", "/v1/c/demo/nothing/here",
                            headers={"Accept-Language": wanted})
            tap.equal(answer.status, 404)
            tap.equal(answer.headers["content-type"],
                      "application/problem+json")
            problem = answer.json
            tap.equal(problem["title"], title)
            tap.equal(problem["code"], "request/not-found")
            tap.equal(problem["type"], "urn:linli:problem:request/not-found")
            tap.equal(problem["status"], 404)
            tap.equal(problem["instance"], "/v1/c/demo/nothing/here")
            tap.equal(problem["retryable"], False)
            assert problem["trace_id"] in answer.headers["traceparent"]
            tap.equal(answer.headers["content-language"], tag)


def test_a_trace_is_kept():
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    with Daemon() as d:
        answer = d.http("GET", "/v1/c/demo/nothing", headers={
            "traceparent": "00-%s-%s-01" % (trace, span)})
        tap.equal(answer.json["trace_id"], trace)
        assert trace in answer.headers["traceparent"]
        assert span not in answer.headers["traceparent"]
        answer = d.http("GET", "/v1/c/demo/nothing", headers={
            "traceparent": "00-%s-%s-01" % ("0" * 32, span)})
        assert answer.json["trace_id"] not in (trace, "0" * 32)


def test_metrics_are_prometheus_text():
    line = re.compile(r'[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})?'
                      r' (\d+(\.\d+)?|\+Inf)')
    with Daemon() as d:
        d.http("GET", "/healthz")
        answer = d.http("GET", "/metrics")
        tap.equal(answer.status, 200)
        assert answer.headers["content-type"].startswith("text/plain")
        families = set()
        for text in answer.text.splitlines():
            if text.startswith("# TYPE "):
                family = text.split()[2]
                assert family not in families, "twice: " + family
                families.add(family)
            elif not text.startswith("#"):
                assert line.fullmatch(text), text
        for family in ("linli_http_requests_total", "linli_calls_total",
                       "linli_call_duration_seconds"):
            assert family in families, family


def lookup(document, pointer):
    """What a JSON pointer leads to; KeyError if to nothing."""
    for step in pointer.split("/")[1:]:
        document = document[step.replace("~1", "/").replace("~0", "~")]
    return document


def references(value):
    """Every $ref of a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_openapi_describes_what_is_enabled():
    with Daemon() as d:
        d.enable(d.source("plugins/parking"), community="demo")
        document = d.http("GET", "/openapi.json").json
        tap.equal(document["openapi"], "3.1.0")
        for ref in references(document):
            assert lookup(document, ref[1:]) is not None, ref
        for name in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
            assert "get" in document["paths"][name]
        with open(d.source("plugins/parking/plugin.json"),
                  encoding="utf-8") as f:
            manifest = json.load(f)
        for route in manifest["routes"]:
            path = "/v1/c/{community}/parking" + re.sub(
                r":(\w+)", r"{\1}", route["path"])
            assert route["method"].lower() in document["paths"][path], path


if __name__ == "__main__":
    linli_test.main()
