#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/faults/test_quota.py: 1,600 calls against a hard limit of 1,000, and
linlid is killed in the middle, again and again (spec/metering.md, Q12).

Whoever has no answer sends the same once more, with the same key. However
often it is killed, no more than 1,000 are acknowledged, each of those is
counted once, and what is left when all have asked is passed to those who ask
then: 1,000 in all.
"""

import concurrent.futures
import http.client
import itertools
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import wait_until  # noqa: E402
from sold import hard, sold  # noqa: E402

CALLS, LIMIT, THREADS = 1600, 1000, 32
KILLS = (150, 300, 500, 750, 900)  # after so many acknowledgements
MANIFEST = dict(
    collections={"note": {}},
    routes=[{"method": "POST", "path": "/run", "caller": ["resident"]}])
LUA = """
local p = require("linli").plugin()
p:post("/run", function(call)
  call.db.note:insert { n = call.body.n }
  return 201, {}
end)
return p
"""


class Load:
    """1,600 calls of 32 threads; what each was told."""

    def __init__(self, s):
        self.s = s
        self.token = s.d.token("resident:wang", ttl_s=86400)
        self.lock = threading.Lock()
        self.acknowledged, self.refused = set(), set()
        self.wrong = []
        self.over = False

    def send(self, key):
        """True when it was told; False: linlid is away, or not ready."""
        connection = http.client.HTTPConnection(self.s.d.host,
                                                self.s.d.port, timeout=20)
        try:
            connection.request(
                "POST", "/v1/c/demo/probe/run", json.dumps({"n": 1}),
                {"Authorization": "Bearer " + self.token,
                 "Idempotency-Key": key, "Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        with self.lock:
            if answer.status == 201:
                self.acknowledged.add(key)
            elif answer.status == 402:
                self.refused.add(key)
            elif answer.status not in (409, 404, 423, 503):
                self.wrong.append((answer.status, body))
        return answer.status in (201, 402)

    def some(self, keys):
        """One thread's, one after the other, each until it is told."""
        for key in keys:
            while not self.over and not self.send(key):
                time.sleep(random.uniform(0.01, 0.05))

    def told(self):
        """How many were acknowledged by now."""
        with self.lock:
            return len(self.acknowledged)


def counted(s):
    """Units of linli.call in the file, after `linli reconcile`."""
    tap.equal(s.d.linli_ok("reconcile", "--json").json["ok"], True)
    return s.used("linli.call")


def test_killed_in_the_middle():
    with sold(LUA, **MANIFEST) as s:
        s.publish("basic", limits=[hard("linli.call", LIMIT)])
        s.subscribe("wang", "basic")
        load = Load(s)
        keys = ["call-%d" % n for n in range(CALLS)]
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            done = [pool.submit(load.some, keys[i::THREADS])
                    for i in range(THREADS)]
            try:
                for at in KILLS:
                    wait_until(lambda at=at: load.told() >= at, 60)
                    s.d.kill()
                    before = load.told()
                    s.d.start()
                    # All that was acknowledged is there, and not too much.
                    now = counted(s)
                    tap.equal(before <= now <= LIMIT, True, (before, now))
                for one in done:
                    one.result(120)
            finally:
                load.over = True
        tap.equal(load.wrong, [])
        tap.equal(len(load.acknowledged | load.refused), CALLS)
        # What was promised to calls that died is there for others.
        for n in itertools.count():
            key = "late-%d" % n
            tap.equal(load.send(key), True)
            if key in load.refused:
                break
        tap.equal(len(load.acknowledged), LIMIT)
        tap.equal(counted(s), LIMIT)


if __name__ == "__main__":
    tap.main()
