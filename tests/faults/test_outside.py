#!/usr/bin/env python3
# test-timeout-s: 120
"""tests/faults/test_outside.py: a slow disk, and the world outside.

What a call asks for outside is asked for when the call is on disk: if the
machine stops before, the call never was, and nobody has heard of it.
"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from disk import Disk  # noqa: E402
from linli_test import (plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)
from outside import Outside, answer  # noqa: E402

HELD_S = 0.5
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/ask", function(call)
    return call:await(linli.fetch{url = "http://good.test/x"}, "tell")
end)
p:answer("tell", function(call, answer)
    return 200, {ok = answer.ok}
end)
return p
"""


def test_nothing_goes_out_before_it_is_on_disk():
    manifest = probe_manifest(
        egress=["http://good.test"], answers=["tell"],
        routes=[{"method": "POST", "path": "/ask", "caller": ["resident"]}])
    with Outside({"/x": answer(200, {})}) as there, \
            temporary_folder() as folder, \
            Disk(config={"egress": {"test_addresses": {
                "good.test:80": there.address}}}) as d:
        d.enable(plugin_folder(folder, manifest, main__lua=LUA))
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


if __name__ == "__main__":
    tap.main()
