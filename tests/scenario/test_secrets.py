#!/usr/bin/env python3
# test-timeout-s: 120
"""tests/scenario/test_secrets.py: spec/secrets.md, live.

An operator sets a value, a plugin signs with it, and nobody finds it: not in
an answer, the log, the description, the database or a copy of it.
"""

import contextlib
import hashlib
import hmac
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)
from outside import Outside, answer  # noqa: E402

MARKER = "S3cr3t-marker-7f1e2a"  # what is looked for everywhere
ROUTES = [{"method": "POST", "path": "/sign", "caller": ["resident"],
           "safe": True},
          {"method": "POST", "path": "/name", "caller": ["resident"],
           "safe": True},
          {"method": "POST", "path": "/write", "caller": ["resident"]},
          {"method": "POST", "path": "/fetch", "caller": ["resident"]}]
PATHS = {"/hello": answer(200, {"hello": 1}),
         "/there": answer(307, Location="/hello"),
         "/away": answer(307, Location="http://other.test/hello")}
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/fetch", function(call)
    return call:await(linli.fetch(call.body), "got")
end)
p:answer("got", function(call, answer) return 200, answer end)
p:post("/name", function(call)
    return 200, {text = "Bearer " .. linli.secret("map_key")}
end)
p:post("/sign", function(call)
    return 200, {signature = call:sign(call.body)}
end)
p:post("/write", function(call)
    call.db.note:put{id = "n", text = call:sign{secret = "map_key",
                                                text = "n"}}
    return 200, {}
end)
return p
"""


def manifest(plugin_id="probe", secrets=("map_key", "other")):
    """A plugin that signs."""
    return probe_manifest(plugin_id, routes=ROUTES, secrets=list(secrets),
                          collections={"note": {}}, answers=["got"],
                          egress=["http://good.test", "http://other.test"])


@contextlib.contextmanager
def signer(**more):
    """A daemon with the plugin."""
    with temporary_folder() as folder:
        path = plugin_folder(folder, manifest(), main__lua=LUA)
        with Daemon(**more) as d:
            d.enable(path)
            yield d, folder


def expected(text, value=MARKER):
    """What HMAC-SHA256 is by another implementation."""
    return hmac.new(value.encode(), text.encode(), hashlib.sha256).hexdigest()


def sign(d, text="hello", secret="map_key", plugin="probe", **more):
    """The answer of the plugin that signs."""
    return d.call(plugin, "/sign", dict(more, secret=secret, text=text))


def secrets_path(name="", plugin="probe"):
    """The operator's path of a secret."""
    return ("/v1/c/demo/admin/plugins/%s/secrets" % plugin
            + ("/" + name if name else ""))


def put(d, name, value, as_="operator:o1", **more):
    """The operator sets one."""
    return d.http("PUT", secrets_path(name, **more), {"value": value},
                  as_=as_)


def listed(d):
    """{name: item}."""
    answer = d.http("GET", secrets_path(), as_="operator:o1")
    tap.equal(answer.status, 200, answer)
    return {i["name"]: i for i in answer.json["items"]}


def last_error(d):
    """What the log says last of the plugin's failure."""
    return [line for line in d.log_lines() if line.get("plugin") == "probe"
            and line["level"] in ("warn", "error")][-1]


def files_hold(folder, text):
    """The files below a folder that hold the text."""
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as f:
                if text.encode() in f.read():
                    found.append(path)
    return found


def test_set_sign_replace_delete():
    with signer() as (d, _):
        refused = sign(d)
        tap.equal(refused.status, 500, refused)
        tap.contains(last_error(d)["msg"], "secret/unset")
        tap.contains(last_error(d)["msg"],
                     "linli secret set probe map_key --community demo")
        d.linli_ok("secret", "set", "probe", "map_key", stdin=MARKER + "\n")
        tap.equal(sign(d).json["signature"], expected("hello"))
        tap.equal(sign(d, "", algorithm="hmac-sha256").json["signature"],
                  expected(""))
        tap.equal(sign(d, "停车" * 100).json["signature"],
                  expected("停车" * 100))
        # Replaced: used from then on.
        tap.equal(put(d, "map_key", "another").status, 200)
        tap.equal(sign(d).json["signature"], expected("hello", "another"))
        # It writes, and may sign as well.
        tap.equal(d.call("probe", "/write", {}, key="k1").status, 200)
        path = os.path.join(d.folder, "value")
        with open(path, "w", encoding="utf-8") as f:
            f.write("from a file")
        d.linli_ok("secret", "set", "probe", "map_key", "--file", path)
        tap.equal(sign(d).json["signature"], expected("hello", "from a file"))
        d.linli_ok("secret", "delete", "probe", "map_key")
        tap.equal(sign(d).status, 500)
        gone = d.linli("secret", "delete", "probe", "map_key")
        tap.equal(gone.code, 1, gone)
        tap.contains(gone.err, "request/not-found")


def test_what_the_operator_is_told():
    with signer() as (d, _):
        tap.equal({n: i["set"] for n, i in listed(d).items()},
                  {"map_key": False, "other": False})
        answer = put(d, "map_key", MARKER)
        tap.equal(answer.status, 200, answer)
        tap.equal(sorted(answer.json),
                  ["declared", "fingerprint", "name", "set", "set_at"])
        tap.equal(put(d, "other", MARKER).status, 200)
        items = listed(d)
        tap.equal(items["map_key"]["fingerprint"],
                  items["other"]["fingerprint"])
        tap.equal(len(items["map_key"]["fingerprint"]), 8)
        # It is keyed: nobody finds the value by trying.
        plain = hashlib.sha256(MARKER.encode()).hexdigest()[:8]
        tap.equal(items["map_key"]["fingerprint"] == plain, False)
        put(d, "other", "x")
        tap.equal(listed(d)["other"]["fingerprint"]
                  == items["map_key"]["fingerprint"], False)
        out = d.linli_ok("secret", "list", "probe").out
        tap.contains(out, items["map_key"]["fingerprint"])
        tap.equal(MARKER in out, False)


def test_who_may_and_what_is_refused():
    with signer() as (d, folder):
        for caller in ("resident:r1", "staff:s1", "app:a1"):
            tap.equal(put(d, "map_key", "v", as_=caller).status, 403)
        tap.equal(d.http("PUT", secrets_path("map_key"),
                         {"value": "v"}).status, 401)
        other = d.http("PUT", secrets_path("map_key"), {"value": "v"},
                       as_="operator:o1", community="elsewhere")
        tap.equal(other.status, 404)
        tap.equal(put(d, "undeclared", "v").status, 422)
        tap.contains(put(d, "undeclared", "v").json["detail"],
                     "map_key, other")
        tap.equal(put(d, "Bad-Name", "v").status, 404)
        tap.equal(put(d, "map_key", "v", plugin="nobody").status, 404)
        for value in ("", "line\nbreak", "x" * 4097, 5, None, ["a"]):
            answer = put(d, "map_key", value)
            tap.equal(answer.code, "request/invalid", value)
        for body in ({}, {"value": "v", "more": 1}, [], "x"):
            tap.equal(d.http("PUT", secrets_path("map_key"), body,
                             as_="operator:o1").code,
                      "request/json" if body == "x" else "request/invalid")
        tap.equal(d.http("POST", secrets_path("map_key"), {"value": "v"},
                         as_="operator:o1").status, 405)
        tap.equal(d.http("GET", secrets_path("map_key"),
                         as_="operator:o1").status, 405)
        tap.equal(listed(d)["map_key"]["set"], False)
        tap.equal(put(d, "map_key", "x" * 4096).status, 200)
        # Of another plugin, though of the same name.
        d.enable(plugin_folder(folder, manifest("twin"), main__lua=LUA))
        tap.equal(sign(d, plugin="twin").status, 500)
        tap.equal(put(d, "map_key", "twin's", plugin="twin").status, 200)
        tap.equal(sign(d, plugin="twin").json["signature"],
                  expected("hello", "twin's"))
        tap.equal(sign(d).json["signature"], expected("hello", "x" * 4096))
        # Undeclared, and an algorithm that is none.
        tap.equal(sign(d, secret="nowhere").status, 500)
        tap.contains(last_error(d)["msg"], "secret/undeclared")
        tap.equal(sign(d, algorithm="md5").status, 500)
        tap.contains(last_error(d)["msg"], "hmac-sha256")


def test_it_outlives_kill_and_its_version():
    with signer() as (d, folder):
        put(d, "map_key", MARKER)
        put(d, "other", "o")
        d.kill()
        d.restart()
        tap.equal(sign(d).json["signature"], expected("hello"))
        # A version without `other`: it stays, unused, until it is deleted.
        changed = dict(manifest(secrets=["map_key"]), version="1.1.0")
        d.enable(plugin_folder(folder, changed, main__lua=LUA))
        tap.equal(sign(d, secret="other").status, 500)
        tap.equal(listed(d)["other"]["declared"], False)
        tap.equal(listed(d)["other"]["set"], True)
        d.linli_ok("secret", "delete", "probe", "other")
        tap.equal("other" in listed(d), False)
        tap.equal(sign(d).json["signature"], expected("hello"))


def test_it_is_found_nowhere():
    with signer() as (d, folder):
        said = [put(d, "map_key", MARKER), sign(d),
                   put(d, "map_key", MARKER + "\n"),
                   put(d, "undeclared", MARKER),
                   d.http("PUT", secrets_path("map_key"),
                          {"value": MARKER, MARKER: 1}, as_="operator:o1"),
                   d.http("GET", secrets_path(), as_="operator:o1"),
                   d.http("GET", "/openapi.json"),
                   d.http("GET", "/metrics"),
                   d.http("GET", "/v1/c/demo/admin/plugins",
                          as_="operator:o1")]
        for one in said:
            tap.equal(MARKER in one.text, False, one)
        copy = os.path.join(folder, "copy.db")
        d.linli_ok("backup", copy)
        d.call("probe", "/write", {}, key="k1")
        tap.equal(files_hold(d.data, MARKER), [])
        tap.equal(files_hold(folder, MARKER), [])
        # It is looked for as it would be found: the name is no secret.
        tap.equal(files_hold(d.data, "map_key") == [], False)
        d.kill()
        tap.equal(files_hold(d.data, MARKER), [])
        tap.equal(MARKER in d.stderr(), False)
        d.restart()
        tap.equal(sign(d).json["signature"], expected("hello"))
        d.linli_ok("secret", "delete", "probe", "map_key")
        d.stop()
        tap.equal(files_hold(d.data, MARKER), [])
        d.restart()


@contextlib.contextmanager
def outside():
    """A signer, and two hosts that keep what they are asked."""
    with Outside(PATHS) as good, Outside(PATHS) as other:
        config = {"egress": {"test_addresses": {
            "good.test:80": good.address, "other.test:80": other.address}}}
        with signer(config=config) as (d, _):
            yield d, good, other


def fetch(d, path="/hello", **request):
    """What the plugin was answered."""
    got = d.call("probe", "/fetch",
                 dict(request, url="http://good.test" + path),
                 key=os.urandom(8).hex())
    tap.equal(got.status, 200, got)
    return got.json


def test_in_the_headers_of_a_fetch():
    with outside() as (d, good, other):
        tap.equal(d.call("probe", "/name", {}).json["text"],
                  "Bearer {{secret:map_key}}")
        headers = {"Authorization": "Bearer {{secret:map_key}}",
                   "X-Two": "{{secret:map_key}}/{{secret:other}}"}
        refused = fetch(d, headers=headers)
        tap.equal((refused["ok"], refused["error"]), (False, "secret/unset"))
        tap.contains([line["msg"] for line in d.log_lines()
                      if line["code"] == "secret/unset"][-1],
                     "linli secret set probe map_key --community demo")
        tap.equal(good.requests, [])
        put(d, "map_key", MARKER)
        put(d, "other", "2nd-" + MARKER)
        tap.equal(fetch(d, headers=headers)["json"], {"hello": 1})
        got = good.requests[-1].headers
        tap.equal((got["authorization"], got["x-two"]),
                  ("Bearer " + MARKER, MARKER + "/2nd-" + MARKER))
        # A redirect takes it along to the same origin, and to no other.
        tap.equal(fetch(d, "/there", headers=headers)["ok"], True)
        tap.equal(good.requests[-1].headers["authorization"],
                  "Bearer " + MARKER)
        tap.equal(fetch(d, "/away", headers=dict(
            headers, Accept="text/x-{{secret:map_key}}"))["ok"], True)
        tap.equal(MARKER in str(other.requests[-1].headers), False)
        # Undeclared, and badly written: the call that asks fails.
        for wrong, code in (("{{secret:nowhere}}", "secret/undeclared"),
                            ("{{secret:map_key", "secret/reference")):
            count = len(good.requests)
            answered = d.call("probe", "/fetch", {
                "url": "http://good.test/hello",
                "headers": {"X-A": wrong}}, key=os.urandom(8).hex())
            if answered.status == 200:
                tap.equal(answered.json["error"], code)
            else:
                tap.contains(last_error(d)["msg"], code)
            tap.equal(len(good.requests), count)
        # In a body or an address it is a text like any other.
        fetch(d, method="POST", body="{{secret:map_key}}")
        tap.equal(good.requests[-1].body, b"{{secret:map_key}}")
        tap.equal(files_hold(d.data, MARKER), [])
        d.kill()
        tap.equal(files_hold(d.data, MARKER), [])
        d.restart()
        tap.equal(fetch(d, headers=headers)["json"], {"hello": 1})
        tap.equal(good.requests[-1].headers["authorization"],
                  "Bearer " + MARKER)


def test_the_manifest_is_judged():
    with temporary_folder() as folder, Daemon() as d:
        for secrets in (["Bad"], ["a", "a"], "a", [1],
                        ["s%d" % i for i in range(33)]):
            bad = dict(manifest(), secrets=secrets)
            refused = d.enable_fails(
                plugin_folder(folder, bad, main__lua=LUA))
            tap.contains(refused.err, "/secrets")


if __name__ == "__main__":
    tap.main()
