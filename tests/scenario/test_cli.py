#!/usr/bin/env python3
"""tests/scenario/test_cli.py: linli against a stand-in for linlid.

The stand-in answers what a case wants and keeps what it was sent, so that
every refusal and every header can be seen without a runtime behind it.
"""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import program, run, temporary_folder  # noqa: E402

# RFC 8037, appendix A: a private key that everybody knows.
DEV_KEY = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
DEV_KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

PARKING = {"id": "parking", "version": "1.0.0", "state": "enabled",
           "workers": [{"pid": 41, "state": "ready"},
                       {"pid": 42, "state": "ready"}],
           "restarts": 3, "hash": "00",
           "last_error": {"code": "sandbox/crashed",
                          "message": "killed\x1b[2J by signal 11",
                          "at": "2026-01-01T00:00:00Z"}}


class Handler(http.server.BaseHTTPRequestHandler):
    """Keeps each request; answers with what the stand-in holds ready."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        stand_in = self.server.stand_in
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        if self.path == "/healthz":
            status, kind, content = stand_in.health
        else:
            stand_in.seen.append((self.command, self.path, self.headers,
                                  body))
            status, kind, content = stand_in.replies.get(
                self.path, stand_in.reply)
        content = content if isinstance(content, bytes) \
            else json.dumps(content).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Twice", "a")
        self.send_header("x-twice", "b")
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

    def log_message(self, *_):
        """Nothing: stderr belongs to the cases."""


class StandIn:
    """A stand-in for linlid and its data directory; use it in a `with`."""

    def __init__(self, key=DEV_KEY, pid=None, state=None):
        self.seen, self.key, self.pid = [], key, pid or os.getpid()
        self.state = state or {}
        self.replies = {}
        self.health = (200, "application/json", {"status": "ok"})
        self.reply = (200, "application/json", {"hello": "world"})

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.data = self.stack.enter_context(temporary_folder())
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.stand_in = self
        thread = threading.Thread(target=self.server.serve_forever,
                                  args=(0.01,))
        thread.start()
        self.stack.callback(thread.join)
        self.stack.callback(self.server.server_close)
        self.stack.callback(self.server.shutdown)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.write("linlid.json", json.dumps(dict(
            self.state, url=self.url, pid=self.pid)))
        if self.key is not None:
            self.write("dev.key", self.key)
        return self

    def __exit__(self, *_):
        self.stack.close()

    def write(self, name, text):
        """Put a file into the data directory; returns its path."""
        path = os.path.join(self.data, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def linli(self, *words, stdin=None, env=None):
        """Run linli on this data directory."""
        return run([program("linli"), "--data=" + self.data] + list(words),
                   stdin=stdin, env=env)

    def last(self):
        """The one request that was seen since the last look."""
        tap.equal(len(self.seen), 1, "requests seen")
        return self.seen.pop()


def parts(token):
    """Header and claims of a JWT, unverified."""
    return [json.loads(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4)))
            for p in token.split(".")[:2]]


def fails(done, code, exit_code, *texts):
    """The run failed so, told it on stderr, and left stdout alone."""
    tap.equal(done.code, exit_code, "exit status of %r" % (done,))
    tap.contains(done.err, "error[%s]" % code)
    for text in texts:
        tap.contains(done.err, text)


def test_token():
    with StandIn() as s:
        done = s.linli("token", "--as", "resident:r1", "--community", "north",
                       "--ttl", "60", "--claims",
                       '{"roles":["owner"],"elder":true}')
        tap.equal(done.code, 0, repr(done))
        header, claims = parts(done.out.strip())
        tap.equal(header, {"alg": "EdDSA", "typ": "JWT", "kid": DEV_KID})
        tap.equal(claims["exp"] - claims["iat"], 60)
        tap.equal({k: claims[k] for k in claims if k not in ("exp", "iat")},
                  {"iss": "linli-development", "sub": "r1",
                   "kind": "resident", "community": "north",
                   "roles": ["owner"], "elder": True})
        as_json = s.linli("token", "--as", "app:shop", "--json").json
        tap.equal(parts(as_json["token"])[1]["community"], "demo")
        # A claim given wins, wrong ones too: tests need wrong tokens.
        wrong = s.linli("token", "--as", "staff:s", "--claims", '{"exp":1}')
        tap.equal(parts(wrong.out)[1]["exp"], 1)
        tap.equal(s.seen, [], "requests for a token")


VIRTUAL = {"clock": "virtual", "admin_token": "t" * 43}
NOW_MS = 4102444800123  # 2100-01-01T00:00:00.123Z
CLOCK = (200, "application/json", {"now": "2100-01-01T00:00:00.123Z",
                                   "ms": NOW_MS})


def test_token_of_a_virtual_clock():
    """Tokens are valid by the time that linlid goes by."""
    with StandIn(state=VIRTUAL) as s:
        s.replies["/v1/dev/clock"] = CLOCK
        done = s.linli("token", "--as", "resident:r1", "--ttl", "60")
        tap.equal(done.code, 0, repr(done))
        claims = parts(done.out)[1]
        tap.equal((claims["iat"], claims["exp"]),
                  (NOW_MS // 1000, NOW_MS // 1000 + 60))
        method, path, headers, _ = s.last()
        tap.equal((method, path, headers["Authorization"]),
                  ("GET", "/v1/dev/clock", "Bearer " + "t" * 43))
        s.linli("call", "GET", "/x", "--as", "resident:r1")
        tap.equal([seen[1] for seen in s.seen], ["/v1/dev/clock", "/x"])
        token = s.seen.pop()[2]["Authorization"].split(" ")[1]
        tap.equal(parts(token)[1]["iat"], NOW_MS // 1000)
        s.seen.clear()
        # Another linlid's time is not this one's; and its token stays here.
        done = s.linli("token", "--as", "resident:r1", "--url", s.url)
        tap.equal(abs(parts(done.out)[1]["iat"] - time.time()) < 60, True)
        tap.equal(s.seen, [])
        s.replies["/v1/dev/clock"] = (401, "application/problem+json",
                                      {"code": "auth/invalid", "title": "t"})
        fails(s.linli("token", "--as", "resident:r1"), "auth/invalid", 1)
        s.replies["/v1/dev/clock"] = (200, "application/json", {})
        fails(s.linli("token", "--as", "resident:r1"), "cli/refused", 2,
              "what time it is")
    with StandIn(state=VIRTUAL, pid=2 ** 22 + 1) as s:
        fails(s.linli("token", "--as", "resident:r1"), "cli/no-daemon", 3)
        tap.equal(s.seen, [])
    # What no linlid has left behind has no clock of its own.
    with StandIn() as s:
        os.remove(os.path.join(s.data, "linlid.json"))
        tap.equal(s.linli("token", "--as", "resident:r1").code, 0)


def test_token_refusals():
    with StandIn() as s:
        for words, text in (
                ((), "needs --as"),
                (("--as", "r1"), "resident:ID"),
                (("--as", "admin:r1"), "resident:ID"),
                (("--as", "device:d1"), "a device has no token"),
                (("--as", "resident:"), "1 to 128 bytes"),
                (("--as", "resident:" + "r" * 129), "1 to 128 bytes"),
                (("--as", "resident:r", "--ttl", "0"), "--ttl takes"),
                (("--as", "resident:r", "--ttl", "1h"), "--ttl takes"),
                (("--as", "resident:r", "--ttl", "31622401"), "--ttl takes"),
                (("--as", "resident:r", "--claims", "[]"), "JSON object"),
                (("--as", "resident:r", "--claims", "{"), "--claims: "),
                (("--as", "resident:r", "--lang", "fr"), "zh or en"),
                (("--as", "resident:r", "--community", ""), "is empty")):
            fails(s.linli("token", *words), "usage", 2, text)
        big = json.dumps({"pad": "p" * 4096})
        fails(s.linli("token", "--as", "resident:r", "--claims", big),
              "auth/dev-key", 2, "larger than 4096")


def test_without_a_key():
    with StandIn(key=None) as s:
        fails(s.linli("token", "--as", "resident:r"), "auth/dev-key", 2,
              "dev.key", "--mode=development")
    with StandIn(key="no pem") as s:
        fails(s.linli("token", "--as", "resident:r"), "auth/dev-key", 2,
              "dev.key", "not one private key")


def test_call():
    with StandIn() as s:
        done = s.linli("call", "get", "/v1/c/north/parking/lots?a=b%20c",
                       "--as", "resident:r1")
        tap.equal((done.code, done.out, done.err),
                  (0, '{"hello": "world"}\n', ""))
        method, path, headers, body = s.last()
        tap.equal((method, path, body),
                  ("GET", "/v1/c/north/parking/lots?a=b%20c", b""))
        scheme, token = headers["Authorization"].split(" ")
        tap.equal(scheme, "Bearer")
        claims = parts(token)[1]
        tap.equal((claims["sub"], claims["kind"], claims["community"]),
                  ("r1", "resident", "north"))
        tap.equal(headers["Idempotency-Key"], None)
        # Without --as nobody is anybody.
        tap.equal(s.linli("call", "GET", "/openapi.json").code, 0)
        tap.equal(s.last()[2]["Authorization"], None)
        # --community over the path's: the way to try a foreign token.
        s.linli("call", "GET", "/v1/c/north/x", "--as", "resident:r",
                "--community", "south")
        token = s.last()[2]["Authorization"].split(" ")[1]
        tap.equal(parts(token)[1]["community"], "south")
        # The language is one of ours, or the one that -H asks for.
        s.linli("call", "GET", "/x", "--lang", "en")
        tap.equal(s.last()[2].get_all("Accept-Language"), ["en"])
        s.linli("call", "GET", "/x", "-H", "accept-language: fr")
        tap.equal(s.last()[2].get_all("Accept-Language"), ["fr"])
        # A path without '/' stands below the community; dots stay.
        s.linli("call", "GET", "parking/../x", "--community", "north")
        tap.equal(s.last()[1], "/v1/c/north/parking/../x")


def test_call_bodies():
    with StandIn() as s:
        path = s.write("order.json", '{"a":1}')
        for given, stdin, sent in (('{"b":"王"}', None, '{"b":"王"}'),
                                   ("@" + path, None, '{"a":1}'),
                                   ("@-", "from stdin", "from stdin"),
                                   ("", None, "")):
            done = s.linli("call", "POST", "/x", "-d", given, "--key", "k",
                           stdin=stdin)
            tap.equal(done.code, 0, repr(done))
            _, _, headers, body = s.last()
            tap.equal(body.decode("utf-8"), sent)
            tap.equal(headers["Content-Type"], "application/json")
            tap.equal(headers["Content-Length"], str(len(body)))
        s.linli("call", "POST", "/x", "-d", "a,b", "-H", "Content-Type: text/csv",
                "-H", "X-A: 1", "-H", "X-B: 2", "--key", "k")
        _, _, headers, _ = s.last()
        tap.equal((headers["Content-Type"], headers["X-A"], headers["X-B"]),
                  ("text/csv", "1", "2"))
        fails(s.linli("call", "POST", "/x", "-d", "@/no/such"), "cli/file", 2,
              "/no/such")
        fails(s.linli("call", "POST", "/x", "-d", "@" + s.data), "cli/file",
              2, s.data)
        tap.equal(s.seen, [])


def test_call_keys():
    with StandIn() as s:
        keys = set()
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            done = s.linli("call", method, "/x")
            key = s.last()[2]["Idempotency-Key"]
            tap.equal(len(key), 32)
            tap.equal(done.err, "Idempotency-Key: %s\n" % key)
            keys.add(key)
        tap.equal(len(keys), 4, "different keys")
        done = s.linli("call", "POST", "/x", "--key", "mine")
        tap.equal((done.err, s.last()[2]["Idempotency-Key"]), ("", "mine"))
        s.linli("call", "POST", "/x", "-H", "idempotency-key: theirs")
        tap.equal(s.last()[2]["Idempotency-Key"], "theirs")
        s.linli("call", "GET", "/x", "--key", "mine")
        tap.equal(s.last()[2]["Idempotency-Key"], "mine")


def test_call_if_match():
    with StandIn() as s:
        for given, sent in (("7", '"7"'), ('"7"', '"7"'), ("*", "*"),
                            ("a-b_c", '"a-b_c"')):
            done = s.linli("call", "PUT", "/x", "--if-match", given, "--key",
                           "k")
            tap.equal(done.code, 0, repr(done))
            tap.equal(s.last()[2]["If-Match"], sent)
        for words in (("--if-match", ""), ("--if-match", '""'),
                      ("--if-match", 'a"b'), ("--if-match", "a b"),
                      ("--if-match", "a\nB: c"),
                      ("--if-match", "7", "-H", "if-match: 7")):
            fails(s.linli("call", "PUT", "/x", "--key", "k", *words),
                  "usage", 2, "--if-match")
        tap.equal(s.seen, [])


def signature(headers, method, target, body, key):
    """The parts of a Linli-Signature that is right; spec/devices.md."""
    found = re.fullmatch(
        r"device=([^,]+),ts=([0-9]+),nonce=([0-9a-f]{32}),"
        r"sig=([0-9a-f]{64})", headers["Linli-Signature"])
    tap.equal(found is not None, True, headers["Linli-Signature"])
    device, at, nonce, sig = found.groups()
    text = "\n".join((method, target, at, nonce,
                      hashlib.sha256(body).hexdigest()))
    tap.equal(sig, hmac.new(key, text.encode("utf-8"),
                            hashlib.sha256).hexdigest())
    return device, int(at), nonce


def test_call_as_a_device():
    key = bytes(range(32))
    with StandIn() as s:
        done = s.linli("call", "get", "parking/gates/g1/commands?after=3",
                       "--as", "device:gate-1", "--device-key", key.hex())
        tap.equal((done.code, done.err), (0, ""))
        _, path, headers, _ = s.last()
        tap.equal(headers["Authorization"], None)
        device, at, first = signature(
            headers, "GET", "/v1/c/demo/parking/gates/g1/commands?after=3",
            b"", key)
        tap.equal((device, abs(at - time.time()) < 60), ("gate-1", True))
        path = s.write("key", key.hex().upper() + "\n")
        s.linli("call", "POST", "/v1/c/demo/x", "--as", "device:g", "-d",
                '{"a":"王"}', "--device-key=@" + path, "--key", "k")
        _, _, headers, body = s.last()
        nonce = signature(headers, "POST", "/v1/c/demo/x", body, key)[2]
        tap.equal(nonce != first, True, "a nonce of its own")
        for words, text in (
                (("--as", "device:d"), "needs --device-key"),
                (("--as", "device:", "--device-key", "00"), "device's id"),
                (("--as", "device:a,b", "--device-key", "00"), "device's id"),
                (("--as", "device:a b", "--device-key", "00"), "device's id"),
                (("--as", "device:" + "d" * 129, "--device-key", "00"),
                 "device's id"),
                (("--as", "device:d", "--device-key", ""), "two hex digits"),
                (("--as", "device:d", "--device-key", "0"), "two hex digits"),
                (("--as", "device:d", "--device-key", "0x"),
                 "two hex digits"),
                (("--as", "device:d", "--device-key", "00" * 15),
                 "16 to 64 bytes"),
                (("--as", "device:d", "--device-key", "00" * 65),
                 "two hex digits"),
                (("--as", "resident:r", "--device-key", "00"),
                 "--device-key is for"),
                (("--device-key", "00"), "--device-key is for"),
                (("--as", "device:d", "--token-file", "t"),
                 "which is meant")):
            fails(s.linli("call", "GET", "/x", *words), "usage", 2, text)
        tap.equal(s.seen, [])
    with StandIn(state=VIRTUAL) as s:
        s.replies["/v1/dev/clock"] = CLOCK
        s.linli("call", "GET", "/x", "--as", "device:d", "--device-key",
                "00" * 16)
        _, path, headers, _ = s.seen.pop()
        tap.equal(signature(headers, "GET", path, b"", bytes(16))[1],
                  NOW_MS // 1000)


def test_call_shapes():
    with StandIn() as s:
        done = s.linli("call", "GET", "/x", "-i")
        tap.contains(done.out, "HTTP/1.1 200 OK\n")
        tap.contains(done.out, '\n\n{"hello": "world"}\n')
        answer = s.linli("call", "GET", "/x", "--json").json
        tap.equal((answer["status"], answer["body"]),
                  (200, {"hello": "world"}))
        tap.equal(answer["headers"]["content-type"], "application/json")
        tap.equal(answer["headers"]["x-twice"], "a, b")
        s.reply = (200, "text/plain", b"plain \xff")
        tap.equal(s.linli("call", "GET", "/x", "--json").json["body"],
                  "plain \ufffd")
        s.reply = (204, "application/json", b"")
        tap.equal(s.linli("call", "GET", "/x", "--json").json["body"], None)
        tap.equal(s.linli("call", "HEAD", "/x").out, "")
        s.reply = (302, "application/json", b"{}")
        s.seen.clear()
        done = s.linli("call", "GET", "/x", "--as", "resident:r")
        tap.equal((done.code, len(s.seen)), (0, 1), "a redirect not followed")


def test_call_refused():
    problem = {"type": "urn:linli:problem:parking/full", "status": 409,
               "title": "The lot is full\x1b[2J", "code": "parking/full",
               "detail": "lot p1", "trace_id": "0" * 32}
    with StandIn() as s:
        s.reply = (409, "application/problem+json", problem)
        done = s.linli("call", "GET", "/x")
        tap.equal(json.loads(done.out), problem)
        fails(done, "parking/full", 1, "The lot is full?[2J", "lot p1")
        told = json.loads(s.linli("call", "GET", "/x", "--json").err)
        tap.equal((told["error"]["code"], told["error"]["detail"]),
                  ("parking/full", "lot p1"))
        # One of ours: its own words, in the language asked for.
        s.reply = (401, "application/problem+json",
                   dict(problem, code="auth/expired"))
        done = s.linli("call", "GET", "/x", "--lang", "zh")
        fails(done, "auth/expired", 1, "令牌已过期")
        s.reply = (502, "text/html", b"<h1>no</h1>")
        fails(s.linli("call", "GET", "/x"), "cli/refused", 1, "502",
              "--> GET %s/x" % s.url)
        s.reply = (500, "application/problem+json", b"{broken")
        fails(s.linli("call", "GET", "/x"), "cli/refused", 1, "500")


def test_call_reason():
    """What linlid logged of the call is told to whoever may read the log."""
    trace = "ab" * 16

    def line(**members):
        return json.dumps(dict({"ts": "2026-01-01T00:00:00Z"}, **members))

    with StandIn() as s:
        s.reply = (500, "application/problem+json",
                   {"code": "plugin/error", "status": 500, "title": "t",
                    "trace_id": trace, "fix": "Report the trace_id"})
        fails(s.linli("call", "GET", "/x"), "plugin/error", 1,
              "Report the trace_id")
        s.write("linlid.log", "x" * 300000 + "\n" + "\n".join((
            line(code="plugin.log", trace_id=trace, msg="its own words"),
            line(code="plugin/error", trace_id="cd" * 16, msg="another's"),
            line(code="plugin/error", trace_id=trace,
                 msg="main.lua:7: \x1b[2Jno such lot\n  main.lua:7: in"),
            line(code="plugin.log", trace_id=trace, msg="more words"),
            '{"half')))
        done = s.linli("call", "GET", "/x")
        fails(done, "plugin/error", 1, "main.lua:7: ?[2Jno such lot\n",
              "grep %s %s/linlid.log" % (trace, s.data))
        for text in ("words", "another's", "Report the"):
            tap.equal(text in done.err, False, text)
        # Another linlid's log says nothing about a call to this one.
        fails(s.linli("call", "GET", "/x", "--url", s.url), "plugin/error",
              1, "Report the trace_id")
        s.reply = (422, "application/problem+json",
                   dict(s.reply[2], code="request/invalid"))
        tap.equal("main.lua" in s.linli("call", "GET", "/x").err, False)


def test_call_ambiguous():
    with StandIn() as s:
        for words, text in (
                (("G3T", "/x"), "METHOD is a word"),
                (("", "/x"), "METHOD is a word"),
                (("GETGETGETGETGETGET", "/x"), "METHOD is a word"),
                (("GET", "/x", "-H", "novalue"), "NAME: VALUE"),
                (("GET", "/x", "-H", "A: b\r\nC: d"), "NAME: VALUE"),
                (("POST", "/x", "--key", "a\r\nB: c"), "one line"),
                (("POST", "/x", "--key", "a", "-H", "Idempotency-Key: b"),
                 "both given"),
                (("GET", "/x", "--as", "resident:r", "-H",
                  "authorization: Bearer x"), "which is meant"),
                (("GET", "/x", "--as", "resident:r", "--token-file", "f"),
                 "which is meant"),
                (("GET", "/x", "--url", "file:///etc/passwd"), "http://"),
                (("GET", "/x", "--url", "gopher://127.0.0.1"), "http://")):
            fails(s.linli("call", *words), "usage", 2, text)
        tap.equal(s.seen, [])


def test_token_file():
    with StandIn(key=None) as s:
        path = s.write("token", "a.b.c\n")
        s.linli("call", "GET", "/x", "--token-file", path)
        tap.equal(s.last()[2]["Authorization"], "Bearer a.b.c")
        s.reply = (200, "application/json", {"items": []})
        done = s.linli("plugin", "list", "--token-file", "-", stdin="d.e.f\n")
        tap.equal(done.code, 0, repr(done))
        tap.equal(s.last()[2]["Authorization"], "Bearer d.e.f")
        path = s.write("token", "a.b.c\r\nX-Other: 1\n")
        fails(s.linli("call", "GET", "/x", "--token-file", path), "usage", 2,
              "one line")


def test_no_environment():
    """A proxy in the environment must not see a token."""
    with StandIn() as s:
        env = dict(os.environ, http_proxy="http://127.0.0.1:9",
                   HTTP_PROXY="http://127.0.0.1:9",
                   all_proxy="http://127.0.0.1:9", no_proxy="")
        done = s.linli("call", "GET", "/x", "--as", "resident:r", env=env)
        tap.equal(done.code, 0, repr(done))
        tap.equal(len(s.seen), 1)


def test_no_daemon():
    with temporary_folder() as data:
        done = run([program("linli"), "call", "GET", "/x", "--data=" + data])
        fails(done, "cli/no-daemon", 3, "linlid.json", "未找到")
        done = run([program("linli"), "call", "GET", "/x", "--json",
                    "--data=" + data])
        tap.equal((done.code, done.out), (3, ""))
        tap.equal(json.loads(done.err)["error"]["code"], "cli/no-daemon")
        for text in ("", "{", "[]", "{}", '{"url":7,"pid":1}',
                     '{"url":"http://127.0.0.1:1"}'):
            with open(os.path.join(data, "linlid.json"), "w",
                      encoding="utf-8") as f:
                f.write(text)
            done = run([program("linli"), "plugin", "list", "--data=" + data])
            fails(done, "cli/no-daemon", 3, "linlid.json")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # and nobody listens
        url = "http://127.0.0.1:%d" % s.getsockname()[1]
        done = run([program("linli"), "call", "GET", "/x", "--url", url])
        fails(done, "cli/no-daemon", 3, url)


def test_stale_state():
    """A token goes only to the process that wrote the file."""
    with StandIn(pid=2 ** 22 + 1) as s:  # past any pid of Linux
        fails(s.linli("call", "GET", "/x", "--as", "resident:r"),
              "cli/no-daemon", 3, "no longer answers")
        tap.equal(s.seen, [])
    with StandIn() as s:
        s.health = (200, "application/json", {"pid": 1})
        fails(s.linli("plugin", "list"), "cli/no-daemon", 3)
        s.health = (404, "text/html", b"nginx")
        fails(s.linli("plugin", "list"), "cli/no-daemon", 3)
        tap.equal(s.seen, [])
        s.health = (200, "application/json", {"pid": os.getpid()})
        s.reply = (200, "application/json", {"items": []})
        tap.equal(s.linli("plugin", "list").code, 0)


def test_plugin_list():
    with StandIn() as s:
        s.reply = (200, "application/json",
                   {"items": [PARKING, dict(PARKING, id="bare", workers=[],
                                            last_error=None)]})
        done = s.linli("plugin", "list", "--community", "a/b")
        tap.equal(done.code, 0, repr(done))
        tap.equal(s.last()[:2], ("GET", "/v1/c/a%2Fb/admin/plugins"))
        lines = done.out.splitlines()
        tap.equal(len(lines), 3)
        tap.equal(lines[1].split()[:6],
                  ["parking", "1.0.0", "enabled", "41", "42", "3"])
        tap.contains(lines[1], "sandbox/crashed: killed?[2J by signal 11")
        tap.equal(lines[2].split(), ["bare", "1.0.0", "enabled", "-", "3",
                                     "-"])
        tap.equal(s.linli("plugin", "list", "--json").json["items"][0],
                  PARKING)
        claims = parts(s.last()[2]["Authorization"].split(" ")[1])[1]
        tap.equal((claims["kind"], claims["community"]),
                  ("operator", "demo"))


def test_plugin_enable_and_disable():
    with StandIn() as s:
        s.reply = (201, "application/json", PARKING)
        folder = os.path.join(s.data, "plugin")
        os.mkdir(folder)
        config = s.write("config.json", '{"rate": 1.50, "big": 1}')
        os.symlink(folder, os.path.join(s.data, "link"))
        done = s.linli("plugin", "enable", os.path.join(s.data, "link"),
                       "--config", config)
        tap.equal(done.out, "parking 1.0.0: enabled (demo)\n")
        method, path, headers, body = s.last()
        tap.equal((method, path), ("POST", "/v1/c/demo/admin/plugins"))
        tap.equal(headers["Content-Type"], "application/json")
        tap.equal(json.loads(body), {"path": os.path.realpath(folder),
                                     "config": {"rate": 1.5, "big": 1}})
        s.reply = (200, "application/json", dict(PARKING, state="disabled"))
        done = s.linli("plugin", "disable", "park ing/..")
        tap.equal(done.out, "parking 1.0.0: disabled (demo)\n")
        tap.equal(s.last()[:2],
                  ("POST", "/v1/c/demo/admin/plugins/park%20ing%2F../disable"))


def test_plugin_refusals():
    with StandIn() as s:
        folder = os.path.join(s.data, "plugin")
        os.mkdir(folder)
        fails(s.linli("plugin", "enable", folder + "x"), "cli/file", 2,
              folder + "x")
        for text, code in (("[1]", "plugin/config"), ("{", "request/json")):
            config = s.write("config.json", text)
            fails(s.linli("plugin", "enable", folder, "--config", config),
                  code, 2, "config.json")
        tap.equal(s.seen, [])
        s.reply = (422, "application/problem+json",
                   {"status": 422, "code": "manifest/invalid",
                    "title": "x", "errors": [
                        {"pointer": "/routes/0/path", "rule": "pattern",
                         "detail": "must begin with /"}]})
        fails(s.linli("plugin", "enable", folder), "manifest/invalid", 1,
              "/routes/0/path", "must begin with /", "插件清单")
        s.reply = (200, "application/json", b"{not json")
        tap.equal(s.linli("plugin", "list").code, 2)


def test_clock():
    with StandIn(state=VIRTUAL) as s:
        s.reply = CLOCK
        for words, asked in (
                (("get",), ("GET", "", None)),
                (("set", "2100-01-01T08:00:00+08:00"),
                 ("PUT", "", {"now": 4102444800000})),
                (("set", "5"), ("PUT", "", {"now": 5})),
                (("set", "--", "-5"), ("PUT", "", {"now": -5})),
                (("advance", "1d2h"), ("POST", "/advance", {"ms": 93600000})),
                (("advance", "0s"), ("POST", "/advance", {"ms": 0}))):
            done = s.linli("clock", *words)
            tap.equal((done.code, done.out),
                      (0, "2100-01-01T00:00:00.123Z\n"), repr(done))
            method, path, headers, body = s.last()
            tap.equal((method, path, json.loads(body) if body else None),
                      (asked[0], "/v1/dev/clock" + asked[1], asked[2]))
            tap.equal(headers["Authorization"], "Bearer " + "t" * 43)
        tap.equal(s.linli("clock", "get", "--json").json["ms"], NOW_MS)
        s.seen.clear()
        for words in (("set", "tomorrow"), ("set", "2026-02-30T00:00:00Z"),
                      ("set", "2100-01-01"), ("advance", "1w"),
                      ("advance", "15"), ("advance", "--", "-1s"),
                      ("advance", "99999999999d")):
            fails(s.linli("clock", *words), "usage", 2, "time")
        tap.equal(s.seen, [])
        s.reply = (409, "application/problem+json",
                   {"code": "clock/real", "title": "x"})
        fails(s.linli("clock", "get"), "clock/real", 1, "--clock=virtual")
        # The admin token goes to nobody else; a file may hold one for them.
        s.seen.clear()
        fails(s.linli("clock", "get", "--url", s.url), "usage", 2,
              "--token-file")
        tap.equal(s.seen, [])
        s.reply = CLOCK
        path = s.write("token", "theirs\n")
        tap.equal(s.linli("clock", "get", "--url", s.url, "--token-file",
                          path).code, 0)
        tap.equal(s.last()[2]["Authorization"], "Bearer theirs")
    with StandIn() as s:  # of an older linlid: its file has no admin token
        fails(s.linli("clock", "get"), "usage", 2, "admin token")
        tap.equal(s.seen, [])


def test_seed():
    with StandIn(state=VIRTUAL) as s:
        s.reply = (200, "application/json", {"documents": 12, "plugins": 3})
        path = s.write("seed.json", '{"a": 1}')
        for given, stdin in ((path, None), ("-", '{"a": 1}')):
            done = s.linli("seed", given, "--lang", "en", stdin=stdin)
            tap.equal((done.code, done.out),
                      (0, "12 documents, 3 plugins\n"), repr(done))
            method, where, headers, body = s.last()
            tap.equal((method, where, body),
                      ("POST", "/v1/dev/seed", b'{"a": 1}'))
            tap.equal((headers["Authorization"], headers["Content-Type"]),
                      ("Bearer " + "t" * 43, "application/json"))
        fails(s.linli("seed", path + "x"), "cli/file", 2, path + "x")
        tap.equal(s.seen, [])
        s.reply = (422, "application/problem+json",
                   {"code": "seed/invalid", "title": "x",
                    "detail": "/plugins/0: no such folder"})
        fails(s.linli("seed", path), "seed/invalid", 1, "/plugins/0")


def test_backup():
    with StandIn(state=VIRTUAL) as s:
        s.reply = (200, "application/json",
                   {"path": "/b/copy", "bytes": 4096, "commit": 7})
        folder = os.path.realpath(s.data)
        for given, cwd, sent in (
                (os.path.join(s.data, "copy"), None, folder + "/copy"),
                ("copy", folder, folder + "/copy"),
                ("./a/../copy", folder, None),
                ("../x", folder, os.path.dirname(folder) + "/x"),
                ("/copy", None, "/copy")):
            done = run([program("linli"), "backup", given, "--lang=en",
                        "--data=" + folder], cwd=cwd)
            if sent is None:  # as the shell would see it: a is not there
                fails(done, "cli/file", 2, given)
                continue
            tap.equal(done.code, 0, repr(done))
            tap.contains(done.out, "/b/copy: 4096 bytes, commit 7\n")
            tap.contains(done.out, "linli.key")
            method, where, headers, body = s.last()
            tap.equal((method, where, json.loads(body)),
                      ("POST", "/v1/host/backup", {"path": sent}))
            tap.equal(headers["Authorization"], "Bearer " + "t" * 43)
        for given in ("", "a/", "/"):
            fails(s.linli("backup", given), "usage", 2, "names no file")
        tap.equal(s.seen, [])


def bucket(number):
    """One item of admin/usage."""
    return {"bucket": number, "slot": "2026-03-02T01:00:00.000Z",
            "plugin": "parking", "meter": "parking.session",
            "quantity": "0.5", "count": 1, "first_lsn": 1, "last_lsn": 1}


def test_usage():
    totals = [{"plugin": "parking", "meter": "parking.session",
               "quantity": "12.5", "count": 25},
              {"plugin": "p\x1b", "meter": "王", "quantity": "-1",
               "count": 1}]
    first = {"items": [bucket(1), bucket(2)], "totals": totals,
             "next_cursor": "2 &"}
    with StandIn() as s:
        s.reply = (200, "application/json", first)
        done = s.linli("usage", "--plugin", "park&x", "--from",
                       "2026-03-02T00:00:00Z", "--to", "1772496000000")
        tap.equal(done.code, 0, repr(done))
        tap.equal(s.last()[1], "/v1/c/demo/admin/usage?limit=1000"
                  "&plugin=park%26x&from=1772409600000&to=1772496000000")
        lines = done.out.splitlines()
        tap.equal(len(lines), 3)
        tap.equal(lines[1].split(),
                  ["parking", "parking.session", "12.5", "25"])
        tap.equal(lines[2].split(), ["p?", "王", "-1", "1"])
        where = "/v1/c/no%2Frth/admin/usage?limit=1000"
        s.replies[where + "&cursor=2%20%26"] = (
            200, "application/json",
            {"items": [bucket(3)], "next_cursor": None})
        done = s.linli("usage", "--json", "--community", "no/rth")
        tap.equal(done.json, {"items": [bucket(1), bucket(2), bucket(3)],
                              "totals": totals})
        tap.equal([seen[1] for seen in s.seen],
                  [where, where + "&cursor=2%20%26"])
        claims = parts(s.seen[1][2]["Authorization"].split(" ")[1])[1]
        tap.equal((claims["kind"], claims["community"]),
                  ("operator", "no/rth"))
        s.seen.clear()
        # A token that is read from stdin is good for every page.
        tap.equal(s.linli("usage", "--json", "--token-file", "-",
                          "--community", "no/rth", stdin="a.b").code, 0)
        tap.equal([seen[2]["Authorization"] for seen in s.seen],
                  ["Bearer a.b"] * 2)
        s.seen.clear()
        fails(s.linli("usage", "--from", "monday"), "usage", 2, "--from")
        tap.equal(s.seen, [])


def test_alerts():
    alert = {"id": 9, "kind": "parking.anomaly", "plugin": "parking",
             "subject": None, "at": "2026-03-02T01:00:00.000Z",
             "trace_id": "0" * 32, "state": "open", "data": {"a": "\x1b"}}
    with StandIn() as s:
        s.reply = (200, "application/json",
                   {"items": [alert], "next_cursor": "9"})
        where = "/v1/c/demo/admin/alerts?limit=1000&kind=parking.anomaly"
        s.replies[where + "&cursor=9"] = (
            200, "application/json",
            {"items": [dict(alert, id=8, subject="ab" * 16)],
             "next_cursor": None})
        done = s.linli("alerts", "--kind", "parking.anomaly")
        tap.equal([seen[1] for seen in s.seen], [where, where + "&cursor=9"])
        lines = done.out.splitlines()
        tap.equal((done.code, len(lines)), (0, 3), repr(done))
        tap.equal(lines[1].split(), ["9", "2026-03-02T01:00:00.000Z",
                                     "parking.anomaly", "parking", "open",
                                     '{"a":"\\u001b"}'])
        tap.contains(lines[2], " " + "ab" * 16 + " ")
        done = s.linli("alerts", "--kind", "parking.anomaly", "--json")
        tap.equal([item["id"] for item in done.json["items"]], [9, 8])


def test_reconcile():
    with StandIn() as s:
        s.reply = (200, "application/json",
                   {"segments": 2, "records": 30, "buckets": 4, "ok": True})
        done = s.linli("reconcile", "--lang", "en")
        tap.equal((done.code, done.out), (
            0, "segments 2, records 30, buckets 4\ninvoices 0, "
            "rated again 0, bills 0, statements 0\nthey agree\n"))
        tap.equal(s.last()[:2], ("GET", "/v1/c/demo/admin/reconcile"))
        bad = dict(s.reply[2], ok=False,
                   first_bad={"bucket": 3, "what": "its count is off"})
        s.reply = (200, "application/json", bad)
        done = s.linli("reconcile")
        fails(done, "store/corrupt", 1, "bucket 3", "its count is off")
        done = s.linli("reconcile", "--json")
        tap.equal((done.code, done.json), (1, bad))
        bad["first_bad"] = {"lsn": 12, "what": "its hash"}
        fails(s.linli("reconcile"), "store/corrupt", 1, "LSN 12")


def test_explain_help_version():
    linli = program("linli")
    done = run([linli, "explain", "auth/expired", "--lang", "en"])
    tap.equal(done.code, 0)
    tap.contains(done.out, "The token has expired")
    fails(run([linli, "explain", "auth/expird"]), "usage", 2,
          "did you mean auth/expired?")
    codes = [row["code"] for row in run([linli, "explain", "--json"])
             .json["items"]]
    tap.equal(len(codes), len(set(codes)))
    for code in codes:
        done = run([linli, "explain", code, "--json"])
        tap.equal((done.code, done.json["code"]), (0, code))
    for words in (["help"], ["--help"], ["help", "call"], ["call", "-h"],
                  ["help", "plugin"], ["help", "plugin", "list"],
                  ["help", "clock"], ["usage", "--help"]):
        done = run([linli] + words)
        tap.equal((done.code, done.err), (0, ""), repr(words))
    fails(run([linli, "help", "nothing"]), "usage", 2)
    fails(run([linli]), "usage", 2, "linli help")
    tap.contains(run([linli, "version", "--json"]).json["openssl"], "3.")


def test_doctor():
    with StandIn() as s:
        done = s.linli("doctor", "--json")
        found = {item["what"]: item for item in done.json["items"]}
        tap.equal(found["linlid"]["text"], s.url)
        tap.equal(found["dev.key"]["verdict"], "ok")
        tap.equal(found["data"]["verdict"], "ok")
        bad = [i for i in found.values() if i["verdict"] == "bad"]
        tap.equal(done.code, 2 if bad else 0, repr(bad))
        if os.path.exists(program("linli-worker")):
            tap.contains(found["sandbox"]["text"], "seccomp")
        else:
            tap.equal(found["worker"]["verdict"], "bad")
        tap.contains(s.linli("doctor").out, "worker")
    done = run([program("linli"), "doctor", "--data=/dev/null"])
    fails(done, "cli/doctor", 2)
    tap.contains(done.out, "/dev/null is not a folder that we may write")


if __name__ == "__main__":
    tap.main()
