#!/usr/bin/env python3
# test-timeout-s: 600
"""tests/faults/test_disk.py: the disk is full, or refuses.

linlid stops by itself, exit status 1, and says why. Who waited is told so or
loses the connection; nobody is told of what is not on disk. When the disk is
well again a start has all that was acknowledged, and nothing twice. The disk
is tests/faults/io.c in linlid's process, and once, as root, a real small one.
"""

import ctypes
import errno
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from disk import Disk  # noqa: E402
from ledger import Audit, Book, Client, config, settle  # noqa: E402
from linli_device import KEY_HEX, Device  # noqa: E402
from linli_test import (STOP_S, Daemon, failing_start,  # noqa: E402
                        plugin_folder, probe_manifest, shop_in_c,
                        temporary_folder, wait_until)

TMPFS_BYTES = 128 << 20  # room for a log of full length
READS_SKIPPED = 16
NOTES = 100
GATES_LUA = """
local p = require("linli").plugin()
p:post("/in", function() return 204 end)
return p
"""
CLONE_NEWNS = 0x00020000
MS_PRIVATE_RECURSIVE = 1 << 18 | 1 << 14


def ended(daemon):
    """Waits until linlid has ended by itself: its exit status."""
    code = daemon.process.wait(timeout=STOP_S)
    daemon.process.stdout.close()
    daemon.process = None
    return code


def check_said(daemon, *words, logged=True):
    """Why it ended, on stderr and, if there is room for it, in the log."""
    lines = [line for line in daemon.log_lines() if line["level"] == "error"
             and line["code"] == "store/failed"] if logged else []
    tap.equal(len(lines), int(logged), "why it ended, in the log")
    for word in words:
        tap.contains(daemon.stderr(), word, "stderr")
        for line in lines:
            tap.contains(line["msg"], word, "the log's store/failed")
    tap.contains(daemon.stderr(), "store/io", "stderr")


def fails(daemon, book, make, words, logged=True):
    """Clients call, `make` makes the disk fail, linlid ends and says why."""
    book.begin(daemon)
    time.sleep(random.uniform(0.1, 0.4))
    make()
    start = time.monotonic()
    code = ended(daemon)
    seconds = time.monotonic() - start
    book.end(broken=True)
    tap.comment("ended after %.2f s; clients were told: %s" % (
        seconds, dict(book.refusals)))
    tap.equal(code, 1, "exit status")
    check_said(daemon, *words, logged=logged)


def recovers(daemon, book):
    """All that was acknowledged is there, once; what was not can be sent
    again, and then nothing is missing."""
    Audit(daemon.data).check(book)
    daemon.restart()
    book.replay(daemon, 5)
    book.finish_open(daemon)
    settle(daemon, book)
    daemon.stop()
    audit = Audit(daemon.data)
    audit.check(book)
    audit.check_over()
    tap.comment("%d entries" % len(book.known))


def case(operation, error, words, skip=0, tail="*"):
    """A whole case for one fault."""
    book = Book()
    with Disk() as d:
        fails(d, book, lambda: d.fault(operation, error, skip, tail), words)
        d.heal()
        recovers(d, book)


def test_no_space():
    case("write", errno.ENOSPC, ["database or disk is full (13)"])


def test_no_space_in_the_middle_of_a_batch():
    for _ in range(3):
        case("write", errno.ENOSPC, ["database or disk is full (13)"],
             skip=random.randint(1, 40), tail="-wal")


def test_a_write_fails():
    case("write", errno.EIO, ["disk I/O error", "Input/output error"],
         skip=random.randint(0, 20))


def test_a_sync_fails():
    case("sync", errno.EIO, ["disk I/O error", "Input/output error"],
         tail="-wal")


def test_a_sync_fails_for_space():
    case("sync", errno.ENOSPC, ["disk I/O error", "No space left"],
         skip=random.randint(0, 5), tail="-wal")


def test_the_file_alone_is_full():
    """Nothing can be folded into it; the log has everything, so calls go on,
    and so does a start."""
    book = Book()
    with Disk() as d:
        d.fault("write", errno.ENOSPC, tail=".")
        book.begin(d)
        time.sleep(2.0)
        book.end()
        tap.equal(book.refusals, {}, "refusals")
        time.sleep(2.5)  # idle: it tries to empty the log
        d.stop()
        Audit(d.data).check(book)
        d.restart()
        d.heal()
        book.replay(d, 5)
        settle(d, book)
        d.stop()
        Audit(d.data).check(book)


def test_the_file_alone_fails():
    book = Book()
    with Disk() as d:
        book.begin(d)
        time.sleep(0.5)
        book.end()
        d.fault("write", errno.EIO, tail=".")
        tap.equal(ended(d), 1, "exit status")  # once it empties the log
        check_said(d, "disk I/O error", "Input/output error")
        d.heal()
        recovers(d, book)


def test_reads_fail():
    """Callers are told that it is not their fault, nor the plugin's; what
    the plugin could not read it cannot take for absent."""
    book = Book()
    with Disk() as d:
        book.begin(d)
        time.sleep(0.5)
        d.fault("read", errno.EIO)
        time.sleep(1.5)
        dead = d.process.poll() is not None  # a write must read, too
        if dead:
            tap.equal(ended(d), 1, "exit status")
            check_said(d, "SQLite says: ")
        d.heal()
        time.sleep(0.0 if dead else 1.0)
        book.end(broken=dead)
        tap.comment("%s; clients were told: %s" % (
            "ended" if dead else "goes on", dict(book.refusals)))
        said = [line["msg"] for line in d.log_lines()
                if line["code"] == "store/unread"]
        if not dead:
            tap.contains(str(said), "SQLite says: ", "the log")
        if len(said) > 3:
            raise AssertionError("said too often: %r" % said)
        if not dead:
            book.finish_open(d)
            settle(d, book)
            d.stop()
        recovers(d, book)


def test_a_plugin_that_overlooks_a_failed_read():
    """What it does instead is not committed, nor answered, whichever one
    of the call's reads fails."""
    told = []
    with temporary_folder() as parent, Disk(config={}) as d:
        d.enable(shop_in_c(parent))

        def increment(key):
            return d.call("shop", "/counters/c/increment", {}, key=key)

        # So that the counter is not on the pages of what a call reads first.
        for n in range(NOTES):
            tap.equal(d.call("shop", "/notes/%d" % n, {"text": "x" * 900},
                             "PUT", key="note-%d" % n).status, 200)
        value = 0
        for skip in range(READS_SKIPPED):
            d.stop()
            d.restart()
            wait_until(lambda: d.call("shop", "/orders/count?sku=x", None,
                                      "GET").status != 404)
            d.fault("read", errno.EIO, skip=skip, times=1)
            answer = increment("skip-%d" % skip)
            d.heal()
            told.append(answer.status)
            if answer.status == 200:
                value += 1
                tap.equal(answer.json.get("value"), value, answer)
            else:
                tap.equal((answer.status, answer.code),
                          (503, "store/failed"), answer)
        tap.comment("answers by reads that went well: %s" % told)
        tap.equal({200, 503} - set(told), set(), "both happened")
        tap.equal(d.call("shop", "/orders/count?sku=unread", None,
                         "GET").json, {"count": 0})


def test_a_device_cannot_be_looked_up():
    """It is told to come again, not that its signature is wrong."""
    devices = [{"id": "d%04d" % n, "community": "demo", "plugin": "gates",
                "kind": "gate", "key_hex": KEY_HEX} for n in range(3000)]
    with temporary_folder() as folder:
        gates = plugin_folder(folder, probe_manifest("gates", routes=[
            {"method": "POST", "path": "/in", "caller": ["device"]}]),
            main__lua=GATES_LUA)
        with Disk(config={"rate_limit": "off", "plugins": [
                {"path": gates, "community": "demo"}]}) as d:
            path = os.path.join(folder, "seed.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump({"devices": devices}, f)
            d.linli_ok("seed", path)
            d.stop()
            d.restart()
            device = Device(d, "d1777")
            d.fault("read", errno.EIO)
            answer = device.send("/in", {})
            tap.equal((answer.status, answer.code), (503, "store/failed"))
            d.heal()
            tap.equal(device.send("/in", {}).status, 204)


def small_disk(folder):
    """A file system of TMPFS_BYTES in the folder, seen by this process and
    its children alone; gone with them. False where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    size = b"size=%d" % TMPFS_BYTES
    return libc.unshare(CLONE_NEWNS) == 0 \
        and libc.mount(None, b"/", None, MS_PRIVATE_RECURSIVE, None) == 0 \
        and libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, size) == 0


def test_a_real_full_disk():
    tap.skip_unless(os.geteuid() == 0, "only root may mount a small disk")
    book = Book()
    with temporary_folder() as folder:
        tap.skip_unless(small_disk(folder), "no file system can be mounted")
        ballast = os.path.join(folder, "ballast")

        def fill():
            with open(ballast, "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(bytes(1 << 16))
                except OSError:
                    pass

        with Daemon(config=config("tally", "listener"), allow_exit=True,
                    data=os.path.join(folder, "data")) as d:
            fails(d, book, fill, ["database or disk is full"], logged=False)
            fill()  # what linlid has given back at its end
            done = failing_start((), data=d.data)
            tap.equal(done.out, "", done.err)
            tap.contains(done.err, "error[", "stderr")
            tap.comment("a start says: " + done.err[done.err.index("error["):]
                        .split("\n")[0])
            os.remove(ballast)
            recovers(d, book)


if __name__ == "__main__":
    tap.main()
