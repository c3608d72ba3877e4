#!/usr/bin/env python3
# test-timeout-s: 180
"""tests/scenario/test_egress.py: spec/egress.md, live."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)
from outside import (Outside, answer, certificate, endless,  # noqa: E402
                     silent)

LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/fetch", function(call)
    return call:await(linli.fetch(call.body), "got", {tag = call.body.url})
end)
p:answer("got", function(call, answer, state)
    return 200, {answer = answer, tag = state.tag}
end)
p:post("/slip", function(call)
    return call:await({fetch = call.body}, "got")
end)
return p
"""
PATHS = {
    "/hello": answer(200, {"name": "王阿姨"}, X_One="1", Set_Cookie="a=b"),
    "/text": answer(404, "没有".encode(), Content_Type="text/plain"),
    "/bytes": answer(200, b"\xff\x00\x01"),
    "/twice": b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\n"
              b"Content-Length: 0\r\n\r\n",
    "/wrong": answer(200, b"{", Content_Type="application/json"),
    "/inside": answer(302, Location="http://127.0.0.1/"),
    "/metadata": answer(302, Location="http://169.254.169.254/"),
    "/mapped": answer(307, Location="http://[::ffff:127.0.0.1]/"),
    "/away": answer(302, Location="http://evil.test/"),
    "/number": answer(302, Location="http://2130706433/"),
    "/there": answer(302, Location="/hello"),
    "/loop": answer(302, Location="/loop"),
    "/silent": silent,
    "/endless": endless(b"HTTP/1.1 200 OK\r\n\r\n", b"more " * 1000),
    "/heads": endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 100),
    "/head": endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a" * 1000),
    "/huge": answer(200, b"x" * 70000),
    "/gone": b"",
    "/large": answer(200, ["\"aa\"%d" % i for i in range(15000)]),
    "/deep": answer(200, ("[" * 13 + "]" * 13).encode(),
                    Content_Type="application/problem+json; charset=utf-8"),
    "/deeper": answer(200, ("[" * 14 + "]" * 14).encode(),
                      Content_Type="application/json"),
    "/escaped": answer(200, b"\x01" * 262144),
}
HOSTS = ["http://good.test", "https://safe.test", "http://127.0.0.1",
         "http://localhost", "http://[::1]", "http://[::ffff:127.0.0.1]",
         "http://169.254.169.254", "http://[64:ff9b::7f00:1]",
         "http://[2002:7f00:1::]", "http://0.0.0.0", "http://224.0.0.1"]


class Probe:
    """A daemon with the probe and what is outside."""

    def __init__(self, d, there):
        self.d = d
        self.there = there

    def begin(self, **request):
        """What /fetch answers."""
        return self.d.call("probe", "/fetch", request,
                           key=os.urandom(8).hex())

    def fetch(self, path, **request):
        """What the second step was given."""
        url = path if "://" in path else "http://good.test" + path
        got = self.begin(url=url, **request)
        tap.equal(got.status, 200, got)
        tap.equal(got.json["tag"], url)
        return got.json["answer"]

    def fails(self, path, code, says="", **request):
        """It ends with a code, which the log tells as well."""
        before = len(self.told(code))
        got = self.fetch(path, **request)
        tap.equal((got["ok"], got["error"]), (False, code), got)
        tap.equal(says in got["detail"], True, got)
        told = self.told(code)[before:]
        tap.equal([says in line["msg"] for line in told], [True], told)
        tap.equal((told[0]["plugin"], told[0]["community"]),
                  ("probe", "demo"))

    def told(self, code):
        """Lines of the log with a code."""
        return [line for line in self.d.log_lines()
                if line["code"] == code]


@contextlib.contextmanager
def probe(env=None, egress=None, tls=None):
    """A host with the probe; good.test and safe.test are on this machine."""
    with temporary_folder() as folder, Outside(PATHS, tls) as there:
        plugin = plugin_folder(folder, probe_manifest(
            answers=["got"], egress=HOSTS,
            routes=[{"method": "POST", "path": path, "caller": ["resident"]}
                    for path in ("/fetch", "/slip")]), main__lua=LUA)
        more = dict({"test_addresses": {"good.test:80": there.address,
                                        "safe.test:443": there.address}},
                    **(egress or {}))
        env = {name: value.format(there.address)
               for name, value in (env or {}).items()}
        with Daemon(config={"egress": more}, env=env) as d:
            d.enable(plugin)
            yield Probe(d, there)


def test_a_request_goes_out_and_its_answer_comes_back():
    with probe() as p:
        trace = "0af7651916cd43dd8448eb211c80319c"
        got = p.d.call("probe", "/fetch", {
            "url": "http://good.test/hello?q=1", "method": "POST",
            "headers": {"X-Own": "yes"}, "json": {"plate": "京A12345"}},
            key="k1", headers={"traceparent":
                               "00-%s-b7ad6b7169203331-01" % trace})
        tap.equal(got.status, 200, got)
        told = got.json["answer"]
        tap.equal((told["ok"], told["status"], told["json"]),
                  (True, 200, {"name": "王阿姨"}))
        tap.equal(told["headers"]["x-one"], "1")
        tap.equal("set-cookie" in told["headers"], False)
        sent = p.there.requests[0]
        tap.equal((sent.method, sent.path, sent.body.decode()),
                  ("POST", "/hello?q=1", '{"plate":"京A12345"}'))
        names = set(sent.headers)
        tap.equal(names, {"host", "accept", "x-own", "content-type",
                          "content-length", "idempotency-key",
                          "traceparent", "user-agent"})
        tap.equal(sent.headers["host"], "good.test")
        tap.equal(sent.headers["content-type"], "application/json")
        tap.equal(sent.headers["traceparent"].split("-")[1], trace)
        tap.equal(len(sent.headers["idempotency-key"]), 32)
        # The next has a key of its own.
        p.fetch("/hello")
        tap.equal(p.there.requests[1].headers["idempotency-key"]
                  != sent.headers["idempotency-key"], True)


def test_answers_of_all_kinds():
    with probe() as p:
        tap.equal({k: p.fetch("/text")[k] for k in ("ok", "status", "body")},
                  {"ok": True, "status": 404, "body": "没有"})
        got = p.fetch("/bytes")
        tap.equal((got["body64"], "body" in got), ("_wAB", False))
        tap.equal(p.fetch("/twice")["headers"]["x-a"], "1, 2")
        got = p.fetch("/wrong")
        tap.equal((got["body"], "json" in got), ("{", False))
        got = p.fetch("/large", max_bytes=262144)
        tap.equal((len(got["json"]), got["json"][7]), (15000, '"aa"7'))
        tap.equal("json" in p.fetch("/deep"), True)
        got = p.fetch("/deeper")
        tap.equal((got["body"], "json" in got), ("[" * 14 + "]" * 14, False))
        tap.equal(p.fetch("/there")["json"], {"name": "王阿姨"})
        tap.equal(p.fetch("/hello", method="HEAD")["body"], "")


def test_what_is_inside_is_refused_and_logged():
    """Declared, spelled, mapped, by DNS or by redirect: the address counts;
    a proxy in the environment is none."""
    proxies = {name: "http://{}" for name in (
        "http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY")}
    with probe(env=proxies) as p:
        for url, says in (
                ("http://127.0.0.1/", "loopback"),
                ("http://localhost/", "loopback"),
                ("http://[::1]/", "loopback"),
                ("http://[::ffff:127.0.0.1]/", "IPv4-mapped"),
                ("http://169.254.169.254/latest", "link-local"),
                ("http://[64:ff9b::7f00:1]/", "NAT64"),
                ("http://[2002:7f00:1::]/", "6to4"),
                ("http://0.0.0.0/", "this network"),
                ("http://224.0.0.1/", "multicast"),
                ("/inside", "loopback"),
                ("/mapped", "IPv4-mapped"),
                ("/metadata", "link-local"),
                ("/number", "decimal")):
            p.fails(url, "egress/refused", says)
        for url in ("http://evil.test/", "http://good.test:81/",
                    "https://good.test/", "http://10.0.0.1/", "/away"):
            p.fails(url, "egress/undeclared", "plugin.json")
        for url in ("http://2130706433/", "http://0x7f.1/", "http://0177.1/",
                    "http://good.test@127.0.0.1/", "ftp://good.test/"):
            p.fails(url, "egress/invalid", "the URL")
        # Only the redirects themselves were asked for.
        tap.equal(sorted(r.path for r in p.there.requests),
                  ["/away", "/inside", "/mapped", "/metadata", "/number"])


def test_a_private_address_may_be_allowed_for_one_plugin():
    with temporary_folder() as folder, Outside(PATHS) as there:
        url = "http://erp.test:%d" % there.port
        for name in ("probe", "other"):
            os.mkdir(os.path.join(folder, name))
        plugins = [plugin_folder(
            os.path.join(folder, name),
            probe_manifest(name, answers=["got"], egress=[url], routes=[
                {"method": "POST", "path": path, "caller": ["resident"]}
                for path in ("/fetch", "/slip")]), main__lua=LUA)
            for name in ("probe", "other")]
        config = {"egress": {"allow_private": [
            {"plugin": "probe", "host": "erp.test", "address": "127.0.0.1"}]}}
        with Daemon(config=config) as d:
            told = []
            for plugin, name in zip(plugins, ("probe", "other")):
                d.enable(plugin)
                got = d.call(name, "/fetch", {"url": url + "/hello"}, key=name)
                tap.equal(got.status, 200, got)
                told.append(got.json["answer"])
            tap.equal([one["ok"] for one in told], [True, False])
            tap.equal(told[1]["error"], "egress/unreachable")


def test_answers_end_at_their_limits():
    with probe() as p:
        p.fails("/silent", "egress/timeout", timeout_ms=1000)
        p.fails("/endless", "egress/too-large", "body")
        p.fails("/heads", "egress/too-large", "header")
        p.fails("/head", "egress/too-large", "header")
        p.fails("/huge", "egress/too-large", "body")
        tap.equal(len(p.fetch("/huge", max_bytes=70000)["body"]), 70000)
        got = p.fetch("/escaped", max_bytes=262144)
        tap.equal(got["error"], "egress/too-large")
        p.fails("/gone", "egress/broken")
        p.fails("/loop", "egress/too-many-redirects", "5")


def test_what_a_plugin_may_not_say():
    with probe() as p:
        for headers, says in (({"Host": "evil.test"}, "not for plugins"),
                              ({"idempotency-key": "1"}, "not for plugins"),
                              ({"X-A": "a\r\nHost: b"}, "printable"),
                              ({"X A": "1"}, "none of HTTP")):
            p.fails("/hello", "egress/invalid", says, headers=headers)
        p.fails("/hello", "egress/invalid", "no body", body="x")
        p.fails("/hello", "egress/invalid", "timeout_ms", timeout_ms=999)
        tap.equal(p.there.connections, 0)
        # Slips of the author's end the call where they stand.
        for request, says in (
                ({"urls": "x"}, "linli.fetch: 'urls' is not known"),
                ({"method": "GET"}, "linli.fetch: 'url' is missing"),
                ({"url": "x", "method": "TRACE"}, "'method' is none of"),
                ({"url": "x", "json": 1, "body": "a"}, "json and body"),
                ({"url": "x", "headers": {"a": 1}}, "names and strings"),
                ({"url": "x", "timeout_ms": 1.5}, "no integer")):
            got = p.begin(**request)
            tap.equal((got.status, got.code), (500, "plugin/error"), got)
            line = p.told("plugin/error")[-1]["msg"]
            tap.equal(says in line and "main.lua:5" in line, True, line)
        got = p.d.call("probe", "/slip", {"uri": "x"}, key="s1")
        tap.equal((got.status, got.code), (500, "plugin/error"), got)
        tap.equal("uri" in p.told("plugin/error")[-1]["msg"], True)


def test_it_survives_and_keeps_its_key():
    """kill -9 while the answer is awaited: asked again under the same key."""
    with probe() as p:
        tap.equal(p.d.http("GET", "/healthz").status, 200)
        connection = p.d.connect()
        body = b'{"url": "http://good.test/silent", "method": "POST",' \
               b'"timeout_ms": 60000}'
        connection.request("POST", "/v1/c/demo/probe/fetch", body, {
            "authorization": "Bearer " + p.d.token("resident:r1"),
            "content-type": "application/json", "idempotency-key": "kill-1"})
        tap.equal(bool(wait_until(lambda: p.there.requests, 10)), True)
        first = p.there.requests[0].headers["idempotency-key"]
        p.d.kill()
        connection.close()
        p.there.paths["/silent"] = answer(200, {"late": True})
        p.d.restart()
        tap.equal(bool(wait_until(lambda: len(p.there.requests) > 1, 20)),
                  True)
        tap.equal(p.there.requests[1].headers["idempotency-key"], first)

        def again():
            return p.d.http(
                "POST", "/v1/c/demo/probe/fetch", body,
                as_="resident:r1", headers={"idempotency-key": "kill-1"})
        tap.equal(bool(wait_until(lambda: again().status == 200, 10)), True)
        tap.equal(again().json["answer"]["json"], {"late": True})
        tap.equal(len(p.there.requests), 2)


def test_tls_is_verified():
    with temporary_folder() as folder:
        pair = certificate(folder, "safe.test")
        other = certificate(folder, "other.test")
        tap.skip_unless(pair and other, "no openssl here")
        with probe(tls=pair, egress={"ca_file": pair[0]}) as p:
            tap.equal(p.fetch("https://safe.test/hello")["json"],
                      {"name": "王阿姨"})
        with probe(tls=pair) as p:  # no authority that the system knows
            p.fails("https://safe.test/hello", "egress/tls")
            tap.equal(p.there.requests, [])
        with probe(tls=other, egress={"ca_file": other[0]}) as p:
            p.fails("https://safe.test/hello", "egress/tls")
            tap.equal(p.there.requests, [])


def test_a_drain_does_not_wait_for_the_outside():
    with probe() as p:
        got = p.d.call("probe", "/fetch", {"url": "http://good.test/hello"},
                       key="before")
        tap.equal(got.status, 200)
        p.there.paths["/hello"] = silent
        connection = p.d.connect()
        connection.request("POST", "/v1/c/demo/probe/fetch",
                           b'{"url": "http://good.test/hello"}', {
                               "authorization":
                               "Bearer " + p.d.token("resident:r1"),
                               "content-type": "application/json",
                               "idempotency-key": "drain-1"})
        tap.equal(bool(wait_until(lambda: len(p.there.requests) > 1, 10)),
                  True)
        tap.equal(p.d.stop(), 0)
        tap.equal(connection.getresponse().status, 202)


if __name__ == "__main__":
    tap.main()
