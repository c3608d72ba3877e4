#!/usr/bin/env python3
# test-timeout-s: 120
"""tests/faults/test_outside.py: a slow disk, and the world outside.

What a call asks for outside is asked for when the call is on disk: if the
machine stops before, the call never was, and nobody has heard of it.
"""

import contextlib
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from disk import Disk  # noqa: E402
from linli_test import (plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)
from outside import Outside, answer  # noqa: E402

HELD_S = 0.5
TURNS = 200000000  # a second's
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/ask", function(call)
    return call:await(linli.fetch{url = "http://good.test/x"}, "tell",
                      call.body)
end)
p:answer("tell", function(call, answer, state)
    for _ = 1, state.turns or 0 do end
    if state.fail then call:fail("probe/no") end
    return 200, {ok = answer.ok}
end)
return p
"""


@contextlib.contextmanager
def probe(served):
    """A daemon on a disk that obeys, and the server that it asks."""
    manifest = probe_manifest(
        egress=["http://good.test"], answers=["tell"],
        limits={"wall_ms": 20000, "burst_ms": 10000, "cpu_ms": 10000},
        problems={"probe/no": {"status": 409,
                               "title": {"zh-CN": "不行", "en": "No"}}},
        routes=[{"method": "POST", "path": "/ask", "caller": ["resident"]}])
    with Outside({"/x": served}) as there, \
            temporary_folder() as folder, \
            Disk(config={"egress": {"test_addresses": {
                "good.test:80": there.address}}}) as d:
        d.enable(plugin_folder(folder, manifest, main__lua=LUA))
        yield d, there


def test_nothing_goes_out_before_it_is_on_disk():
    with probe(answer(200, {})) as (d, there):
        tap.equal(d.call("probe", "/ask", {}, key="k1").status, 200)
        tap.equal(len(there.requests), 1)
        got = []
        d.fault("hold", 1)
        thread = threading.Thread(
            target=lambda: got.append(d.call("probe", "/ask", {},
                                             key="k2")))
        thread.start()
        time.sleep(HELD_S)
        asked = len(there.requests)
        d.heal()
        thread.join()
        tap.equal(asked, 1, "while the disk had not said so")
        tap.equal(got[0].status, 200, got[0])
        tap.equal(len(there.requests), 2)


def test_a_refusal_is_told_when_it_is_on_disk():
    got, body = [], {"fail": True, "turns": TURNS}
    with probe(answer(200, {})) as (d, _):
        def running():
            return d.http("GET", "/v1/c/demo/admin/jobs?kind=answer"
                          "&state=running", as_="operator:o").json["items"]
        thread = threading.Thread(target=lambda: got.append(
            d.call("probe", "/ask", body, key="k")))
        thread.start()
        wait_until(running)
        d.fault("hold", 1)
        wait_until(lambda: not running())
        time.sleep(HELD_S)
        told = len(got)
        d.heal()
        thread.join()
        tap.equal(told, 0, "while the disk had not said so")
        tap.equal((got[0].status, got[0].code), (409, "probe/no"))
        again = d.call("probe", "/ask", body, key="k")
        tap.equal((again.status, again.code), (409, "probe/no"))


if __name__ == "__main__":
    tap.main()
