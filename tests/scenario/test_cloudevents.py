#!/usr/bin/env python3
"""tests/scenario/test_cloudevents.py: what is exported, read by the published
CloudEvents SDK (npm), which ./configure --install-deps fetches.
"""

import json
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, plugin_folder, probe_manifest  # noqa: E402
from linli_test import run, temporary_folder  # noqa: E402

MANIFEST = dict(
    meters={"probe.note": {"kind": "count", "unit": "note",
                           "max_per_call": 10}},
    routes=[{"method": "POST", "path": "/notes", "caller": ["resident"]}])
LUA = """
local p = require("linli").plugin()
p:post("/notes", function(call)
    call:meter("probe.note", call.body.count)
    return 201, {}
end)
return p
"""
CALLS = 5


def sdk():
    """The folder of the SDK, or the case is skipped."""
    path = os.path.join(tap.build_folder(), "cloudevents", "node_modules",
                        "cloudevents")
    tap.skip_unless(shutil.which("node") and os.path.isdir(path),
                    "no node or no CloudEvents SDK: "
                    "./configure --install-deps")
    return path


def accept(mode, path):
    """What the SDK makes of a file: a Run."""
    return run(["node", os.path.join(tap.source_folder(), "tests", "lib",
                                     "cloudevents", "accept.js"),
                sdk(), mode, path])


def with_time(event):
    """An event as the SDK prints it: it writes times of its own."""
    return dict(event, time=event["time"].replace("Z", "+00:00"))


def test_exports_are_accepted():
    sdk()
    with temporary_folder() as folder:
        plugin = plugin_folder(folder, probe_manifest(**MANIFEST),
                               main__lua=LUA)
        with Daemon() as d:
            d.enable(plugin)
            for i in range(CALLS):
                answer = d.call("probe", "/notes", {"count": i + 1},
                                key="k%d" % i)
                tap.equal(answer.status, 201, answer)
            path = os.path.join(folder, "lines")
            d.linli_ok("usage", "export", "--out", path)
            with open(path, encoding="utf-8") as file:
                sent = [json.loads(line) for line in file]
            tap.equal(len(sent), 3 * CALLS)
            done = accept("lines", path)
            tap.equal(done.code, 0, repr(done))
            tap.equal([with_time(e) for e in done.json],
                      [with_time(e) for e in sent])
            for fmt in ("cloudevents-batch", "openmeter"):
                path = os.path.join(folder, fmt)
                d.linli_ok("usage", "export", "--format", fmt, "--out", path)
                done = accept("batch", path)
                tap.equal(done.code, 0, repr(done))
                tap.equal([e["id"] for e in done.json],
                          [e["id"] for e in sent])


def test_sdk_refuses_what_is_none():
    sdk()
    good = {"specversion": "1.0", "id": "1", "source": "urn:linli:a:b",
            "type": "probe.note", "data": {"qty": "1"}}
    with temporary_folder() as folder:
        path = os.path.join(folder, "lines")
        for name in (None, "source", "type"):
            event = {k: v for k, v in good.items() if k != name}
            with open(path, "w", encoding="utf-8") as file:
                file.write(json.dumps(event) + "\n")
            done = accept("lines", path)
            tap.equal(done.code, 0 if name is None else 1, (name, repr(done)))


if __name__ == "__main__":
    tap.main()
