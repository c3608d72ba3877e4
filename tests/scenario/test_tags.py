#!/usr/bin/env python3
"""tests/scenario/test_tags.py: ETag and If-Match, there and back."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)

MAIN = """
local p = require("linli").plugin()
p:post("/run", function(call)
  local tag = call.body and call.body.tag
  return 200, { told = call.if_match }, tag and { etag = tag }
end)
return p
"""


def post(daemon, body=None, **headers):
    """One call; the tag of its answer, and what the plugin was told."""
    headers = {name.replace("_", "-"): value
               for name, value in headers.items()}
    answer = daemon.http("POST", "/v1/c/demo/probe/run", body=body,
                         headers=headers, as_="resident:r1")
    return answer.status, answer.headers.get("etag"), answer.json.get("told")


def test_tags_and_conditions():
    with temporary_folder() as parent, Daemon() as d:
        d.enable(plugin_folder(parent, probe_manifest(), main__lua=MAIN))
        tap.equal(post(d), (200, None, None))
        tap.equal(post(d, {"tag": "7-a"}), (200, '"7-a"', None))
        tap.equal(post(d, {}), (200, None, None), "the tag was that call's")
        for sent, told in (('"7"', "7"), ("*", "*"), ('W/"7"', 'W/"7"'),
                           ('"a", "b"', '"a", "b"'), ("7", "7"),
                           ('""', '""'), ('"', '"')):
            tap.equal(post(d, if_match=sent), (200, None, told), sent)


def test_no_tag_ends_its_header():
    with temporary_folder() as parent, Daemon() as d:
        d.enable(plugin_folder(parent, probe_manifest(), main__lua=MAIN))
        for tag in ("", '7"', "a b", "a\r\nx: y", "\u00e9", "7" * 65):
            answer = d.http("POST", "/v1/c/demo/probe/run", body={"tag": tag},
                            as_="resident:r1")
            tap.equal((answer.status, answer.code), (500, "plugin/error"), tag)
            tap.equal("etag" in answer.headers or "x" in answer.headers,
                      False, tag)


if __name__ == "__main__":
    tap.main()
