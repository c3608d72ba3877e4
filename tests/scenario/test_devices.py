#!/usr/bin/env python3
# test-timeout-s: 120
"""tests/scenario/test_devices.py: spec/devices.md, live.

Signatures, nonces and bounds; the answer that a device gets whatever its
plugin does; and the event that is done later, once.
"""

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_device import KEY_HEX, Device, nonce  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

OTHER_KEY = "ff" * 16
MANIFEST = dict(
    collections={"entry": {"indexes": {"by_plate": {"fields": ["plate"]}}}},
    meters={"gates.entry": {"kind": "count", "unit": "entry",
                            "max_per_call": 1}},
    routes=[{"method": "POST", "path": "/gates/:gate/entry",
             "caller": ["device"], "bound": "gate", "safety": True,
             "fallback": {"status": 200, "body": {"action": "open"}}},
            {"method": "POST", "path": "/gates/:gate/tell",
             "caller": ["device"], "bound": "gate"},
            {"method": "GET", "path": "/gates/:gate/look",
             "caller": ["device"], "bound": "gate"},
            {"method": "GET", "path": "/gates/:gate/commands",
             "caller": ["device"], "bound": "gate",
             "feed": {"event": "gates.command", "where": {"gate": "gate"}}},
            {"method": "GET", "path": "/entries", "caller": ["staff"]}],
    events={"publishes": ["gates.command"]},
    problems={"gates/no": {"status": 409, "title": {"zh-CN": "不",
                                                    "en": "No"}}})
LUA = """
local p = require("linli").plugin()
local function entry(call)
    local mode = call.body.mode
    if (mode == "hang" or mode == "hang-fail") and not call.late then
        call.host.probe_wait(10000)
    elseif mode == "spin" and not call.late then
        while true do end
    elseif mode == "raise" and not call.late then
        error("broken")
    elseif mode == "refuse" then
        return 409, {action = "stop"}
    elseif mode == "fail" or (call.late and mode == "hang-fail") then
        call:fail("gates/no")
    end
    call.db.entry:insert{plate = call.body.plate, late = call.late,
        gate = call.caller.bound_to, device = call.caller.id,
        kind = call.caller.device_kind, now = call.now}
    call:meter("gates.entry", 1)
    return 201, {action = "raise"}
end
p:post("/gates/:gate/entry", entry)
p:post("/gates/:gate/tell", entry)
p:get("/gates/:gate/look", function(call)
    return 200, {device = call.caller.id, kind = call.caller.kind}
end)
p:get("/entries", function(call)
    local items = call.db.entry:list{limit = 100}
    return 200, {items = items}
end)
return p
"""


def device(device_id, **changes):
    """A device of the seed."""
    one = {"id": device_id, "community": "demo", "plugin": "gates",
           "kind": "gate", "key_hex": KEY_HEX, "bound_to": "north"}
    one.update(changes)
    return one


SEED = {"communities": [{"id": "demo"}, {"id": "palace"}],
        "devices": [device("g1"), device("g2", bound_to="south"),
                    device("g3", key_hex=OTHER_KEY),
                    device("loose"),
                    device("other", plugin="shop"),
                    device("p1", community="palace")]}
del SEED["devices"][3]["bound_to"]


def seed(d, what):
    """`linli seed`; its JSON."""
    path = os.path.join(d.folder, "seed.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(what, f)
    return d.linli_ok("seed", path, "--json").json


@contextlib.contextmanager
def gates(options=()):
    """A daemon with the plugin and its devices."""
    with temporary_folder() as folder:
        plugin = plugin_folder(folder, probe_manifest("gates", **MANIFEST),
                               main__lua=LUA)
        with Daemon(options=options,
                    config={"worker": {"drafts": True}}) as d:
            d.gates_folder = plugin
            seed(d, dict(SEED, plugins=[{"path": plugin,
                                         "community": "demo"}]))
            yield d


def all_entries(d):
    """What the plugin has stored; a plugin that crashed too often is asked
    again, until its breaker lets a call through."""
    def ask():
        answer = d.call("gates", "/entries", method="GET", as_="staff:s1")
        return answer if answer.code != "sandbox/breaker-open" else None
    answer = wait_until(ask, 20.0, 0.2)
    tap.equal(answer.status, 200, answer)
    return answer.json["items"]


def entries(d, plate):
    """The same of one plate."""
    return [e for e in all_entries(d) if e["plate"] == plate]


def metered(d):
    """Units of gates.entry."""
    usage = d.linli_ok("usage", "--json").json
    return sum(int(item["quantity"]) for item in usage["totals"]
               if item["meter"] == "gates.entry")


def refused(answer, status, code):
    """Fail unless the answer is that problem."""
    tap.equal((answer.status, answer.code), (status, code), answer)


def pending(d):
    """Events that are kept for later, in the database itself."""
    path = os.path.join(d.data, "linli.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(
            "SELECT count(*) FROM doc JOIN collection c "
            "ON c.id = doc.collection WHERE c.name = '~work'").fetchone()[0]


# -- who is believed -------------------------------------------------------

def test_a_signed_request_is_the_devices():
    with gates() as d:
        gate = Device(d, "g1")
        answer = gate.send("/gates/north/entry", {"plate": "A1"})
        tap.equal((answer.status, answer.json), (201, {"action": "raise"}))
        stored, = entries(d, "A1")
        tap.equal([stored[k] for k in ("late", "gate", "device", "kind")],
                  [False, "north", "g1", "gate"])
        # The query is signed too, and a body need not be there.
        answer = gate.send("/gates/north/look?a=b%20c", method="GET")
        tap.equal(answer.json, {"device": "g1", "kind": "device"})
        tap.equal(Device(d, "g3", OTHER_KEY).send(
            "/gates/north/look", method="GET").status, 200)


def test_a_signature_that_does_not_hold():
    with gates() as d:
        gate = Device(d, "g1")
        target = gate.base + "/gates/north/entry"
        body = json.dumps({"plate": "B1"}).encode()
        good = gate.header("POST", target, body)
        cases = [
            gate.header("PUT", target, body),
            gate.header("POST", target + "?a=b", body),
            gate.header("POST", target, body + b" "),
            Device(d, "g1", OTHER_KEY).header("POST", target, body),
            Device(d, "nobody").header("POST", target, body),
            Device(d, "p1").header("POST", target, body),  # not of here
            good.replace("sig=", "sig=0"), good[:-1], good[:-1] + "x",
            good.replace("ts=", "ts=x"), good.replace("nonce=", "n="),
            good.replace("device=g1", "device=g2").replace("g2", "g3"),
            "", "sig", ",,,", "device=,ts=1,nonce=a,sig=" + "0" * 64,
            good.replace("nonce=", "nonce=" + "x" * 65)]
        for header in cases:
            answer = d.http("POST", target, body,
                            headers={"Linli-Signature": header or "x"})
            refused(answer, 401, "auth/device")
        # A token does not make a device, nor a signature a resident.
        refused(d.call("gates", "/gates/north/entry", {"plate": "B1"},
                       key="k1"), 403, "auth/forbidden")
        refused(d.http("GET", "/v1/c/demo/gates/entries", headers={
            "Linli-Signature": gate.header("GET", gate.base + "/entries")}),
            403, "auth/forbidden")
        tap.equal(entries(d, "B1"), [])


def test_the_clock_of_a_device():
    with gates(["--clock=virtual"]) as d:
        # A second is cut off: the clock stands in its middle.
        d.linli_ok("clock", "set", "2030-01-01T00:00:00.500Z")
        now = 1893456000
        gate = Device(d, "g1")
        for off in (-301, 301, -86400, 10 ** 9):
            refused(gate.send("/gates/north/entry", {"plate": "C1"},
                              ts=now + off), 401, "auth/skewed")
        for off in (-300, 300, 0):
            tap.equal(gate.send("/gates/north/entry", {"plate": "C1"},
                                ts=now + off).status, 201, off)
        tap.equal(len(entries(d, "C1")), 3)


def test_a_nonce_counts_once():
    with gates() as d:
        gate, other = Device(d, "g1"), Device(d, "loose")
        once = nonce()
        send = {"ts": int(time.time()), "with_nonce": once}
        tap.equal(gate.send("/gates/north/entry", {"plate": "D1"},
                            **send).status, 201)
        for body in ({"plate": "D1"}, {"plate": "D2"}):
            refused(gate.send("/gates/north/entry", body, **send), 401,
                    "auth/replayed")
        # Another device has nonces of its own; "1" + "1x" is not "11" + "x".
        refused(other.send("/gates/north/entry", {"plate": "D1"}, **send),
                404, "request/not-found")
        d.kill()
        d.restart()
        gate = Device(d, "g1")
        refused(gate.send("/gates/north/entry", {"plate": "D1"}, **send),
                401, "auth/replayed")
        tap.equal(len(entries(d, "D1")), 1)
        # One that was refused before it was looked at is as good as new.
        again = {"ts": int(time.time()), "with_nonce": nonce()}
        refused(gate.send("/gates/south/entry", {"plate": "D3"}, **again),
                404, "request/not-found")
        tap.equal(gate.send("/gates/north/entry", {"plate": "D3"},
                            **again).status, 201)


def test_a_feed_is_read_once_with_a_nonce():
    with gates() as d:
        gate = Device(d, "g1")
        send = {"ts": int(time.time()), "with_nonce": nonce()}
        path = "/gates/north/commands"
        answer = gate.send(path, method="GET", **send)
        tap.equal((answer.status, answer.json["items"]), (200, []))
        refused(gate.send(path, method="GET", **send), 401, "auth/replayed")
        refused(gate.send("/gates/south/commands", method="GET"), 404,
                "request/not-found")
        began = time.monotonic()
        tap.equal(gate.send(path + "?wait=1", method="GET").status, 200)
        tap.equal(time.monotonic() - began >= 0.9, True)


def test_two_of_one_nonce_at_once():
    with gates() as d:
        gate = Device(d, "g1")
        send = {"ts": int(time.time()), "with_nonce": nonce()}
        answers = []

        def one():
            answers.append(gate.send("/gates/north/entry", {"plate": "E1"},
                                     **send).status)
        threads = [threading.Thread(target=one) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        tap.equal(sorted(answers), [201] + 7 * [401])
        tap.equal(len(entries(d, "E1")), 1)


def test_a_device_belongs_somewhere():
    with gates() as d:
        for who, path in (("g2", "/gates/north/entry"),
                          ("g1", "/gates/south/entry"),
                          ("loose", "/gates/north/entry"),
                          ("other", "/gates/north/entry")):
            refused(Device(d, who).send(path, {"plate": "F1"}), 404,
                    "request/not-found")
        tap.equal(Device(d, "g2").send("/gates/south/entry",
                                       {"plate": "F1"}).status, 201)


# -- answered in any case --------------------------------------------------

def falls_back(gate, body, most_s=1.0):
    """Sends an entry, which must get the fallback in time."""
    began = time.monotonic()
    answer = gate.send("/gates/north/entry", body)
    took = time.monotonic() - began
    tap.equal((answer.status, answer.json), (200, {"action": "open"}), answer)
    tap.equal(took <= most_s, True, "fallback after %.3f s" % took)


def done_once(d, plate):
    """The event is done, late, and only once."""
    wait_until(lambda: entries(d, plate), 20.0, 0.1)
    time.sleep(0.3)
    found = entries(d, plate)
    tap.equal([e["late"] for e in found], [True], plate)
    return found[0]


def test_a_plugin_that_does_not_answer():
    with gates() as d:
        gate = Device(d, "g1")
        before = int(time.time() * 1000)
        for plate, mode in (("H1", "hang"), ("H2", "spin"), ("H3", "raise")):
            falls_back(gate, {"plate": plate, "mode": mode})
        for plate in ("H1", "H2", "H3"):
            stored = done_once(d, plate)
            # It sees when it happened, not when it is done.
            tap.equal(0 <= stored["now"] - before < 5000, True, stored)
            tap.equal([stored[k] for k in ("gate", "device", "kind")],
                      ["north", "g1", "gate"])
        tap.equal(metered(d), 3)
        # What the plugin says itself is no failure, and is done with.
        answer = gate.send("/gates/north/entry",
                           {"plate": "H4", "mode": "refuse"})
        tap.equal((answer.status, answer.json), (409, {"action": "stop"}))
        # Said later, it is no failure either, and nobody is alarmed.
        refused(gate.send("/gates/north/entry",
                          {"plate": "H4", "mode": "fail"}), 409, "gates/no")
        falls_back(gate, {"plate": "H4", "mode": "hang-fail"})
        # Without a fallback there is none.
        refused(gate.send("/gates/north/tell", {"plate": "H5",
                                                "mode": "raise"}),
                500, "plugin/error")
        time.sleep(1.5)
        tap.equal(entries(d, "H4") + entries(d, "H5"), [])
        time.sleep(1.5)
        tap.equal(d.linli_ok("alerts", "--json").json["items"], [])
        tap.equal(pending(d), 0)


def test_a_body_that_is_wrong_is_refused():
    """A fallback is for what the plugin fails at, not for what is no event."""
    with gates() as d:
        gate = Device(d, "g1")
        target = gate.base + "/gates/north/entry"
        for body, status, code in ((b"{", 400, "request/json"),):
            answer = d.http("POST", target, body, headers={
                "Linli-Signature": gate.header("POST", target, body)})
            refused(answer, status, code)
        time.sleep(1.5)
        tap.equal(gate.send("/gates/north/entry",
                            {"plate": "I1"}).status, 201)


def test_a_crash():
    with gates() as d:
        gate = Device(d, "g1")
        tap.equal(gate.send("/gates/north/entry", {"plate": "J0"}).status,
                  201)
        stop = threading.Event()

        def killer():
            while not stop.wait(0.05):
                for pid in d.workers():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        thread = threading.Thread(target=killer)
        thread.start()
        hung = ["J1"]
        try:
            falls_back(gate, {"plate": "J1", "mode": "hang"})
            # Five crashes open the breaker: then it is answered at once.
            while d.plugins_json()["items"][0]["breaker"] != "open":
                tap.equal(len(hung) < 5, True, "it does not open")
                hung.append("J1" + "x" * len(hung))
                falls_back(gate, {"plate": hung[-1], "mode": "hang"})
            falls_back(gate, {"plate": "J2"}, 0.5)
        finally:
            stop.set()
            thread.join()
        for plate in hung + ["J2"]:
            done_once(d, plate)


def test_disabled():
    with gates() as d:
        gate = Device(d, "g1")
        d.linli_ok("plugin", "disable", "gates")
        falls_back(gate, {"plate": "K1"}, 0.5)
        refused(gate.send("/gates/north/tell", {"plate": "K1"}), 423,
                "plugin/disabled")
        d.stop()
        d.restart()
        gate = Device(d, "g1")
        falls_back(gate, {"plate": "K2"}, 0.5)
        time.sleep(1.5)
        d.enable(d.gates_folder)
        for plate in ("K1", "K2"):
            done_once(d, plate)


def test_a_crash_of_the_host():
    with gates() as d:
        gate = Device(d, "g1")
        falls_back(gate, {"plate": "L1", "mode": "hang"})
        d.kill()
        d.restart()
        done_once(d, "L1")
        d.kill()
        d.restart()
        time.sleep(1.5)
        tap.equal(len(entries(d, "L1")), 1)
        tap.equal(metered(d), 1)


def test_crashes_at_any_moment():
    """Each event that was answered is done, once; others at most once."""
    with gates() as d:
        answered, sent = set(), []

        def send(gate, plate):
            with contextlib.suppress(OSError, http.client.HTTPException):
                mode = "hang" if len(plate) % 2 else "now"
                answer = gate.send("/gates/north/entry",
                                   {"plate": plate, "mode": mode})
                if answer.status in (200, 201):
                    answered.add(plate)
        for lives in range(4):
            gate = Device(d, "g1")
            plates = ["N%d" % (lives * 100 + i) + "x" * (i % 2)
                      for i in range(16)]
            sent += plates
            threads = [threading.Thread(target=send, args=(gate, plate))
                       for plate in plates]
            for t in threads:
                t.start()
            time.sleep(0.4 * lives + 0.1)
            d.kill()
            for t in threads:
                t.join()
            d.restart()

        def done():
            stored = [e["plate"] for e in all_entries(d)]
            return {plate: stored.count(plate) for plate in sent}
        wait_until(lambda: answered <= {p for p, n in done().items() if n},
                   20.0, 0.3)
        time.sleep(1.5)
        counts = done()
        tap.comment("%d of %d answered, %d done" % (
            len(answered), len(sent), sum(counts.values())))
        tap.equal({p for p in answered if counts[p] != 1}, set())
        tap.equal({p for p in sent if counts[p] > 1}, set())
        tap.equal(metered(d), sum(counts.values()))


def test_nobody_waits_for_the_answer():
    """The device has gone before the answer: the event is done all the
    same."""
    with gates() as d:
        gate = Device(d, "g1")
        target = gate.base + "/gates/north/entry"
        body = json.dumps({"plate": "M1", "mode": "hang"}).encode()
        head = ("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: "
                "application/json\r\nContent-Length: %d\r\n"
                "Linli-Signature: %s\r\n\r\n"
                % (target, len(body), gate.header("POST", target, body)))
        with d.socket() as s:
            s.sendall(head.encode() + body)
            time.sleep(0.2)
        done_once(d, "M1")


tap.main()
