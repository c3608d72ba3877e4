#!/usr/bin/env python3
# test-timeout-s: 600
"""tests/faults/test_copies.py: backups that are made under load.

Each is the state of one commit, with all that was acknowledged before it was
asked for; restored, it serves that. One that was cut short by a kill has no
name.
"""

import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from ledger import Audit, Book, Past, config, settle  # noqa: E402
from linli_test import Daemon, program, run  # noqa: E402
from linli_test import temporary_folder  # noqa: E402

COPIES = 3
KILLS = 8


class Then(Book):
    """A Book as it was when a copy was asked for; what has been sent since
    may be in the copy or not."""

    def __init__(self, book):
        super().__init__(0)
        for name, past in book.pasts.items():
            mine = self.pasts[name] = Past()
            mine.known = list(past.known)
            mine.told = past.told.copy()
        self.now = book

    def end(self, broken=False):
        """When the load is over: what else was sent is open."""
        for name, past in self.now.pasts.items():
            mine = self.pasts[name]
            known = {e.id for e in mine.known}
            for entry in past.known + list(past.open.values()):
                if entry.id not in known:
                    mine.open[entry.id] = entry
            mine.count = past.count
            mine.issued = past.issued.copy()


def restore(copy, folder, key):
    """`linli restore` into a new directory; its Run."""
    return run([program("linli"), "restore", copy, "--data", folder,
                "--key", key, "--json"])


def serves(folder, then):
    """A linlid on what was restored answers as the first one did, and takes
    what came after the copy again."""
    for past in then.pasts.values():
        for entry in past.open.values():
            entry.answer = None  # it may come out otherwise now
    with Daemon(config=config("tally", "listener"), data=folder) as d:
        then.replay(d, 5)
        then.finish_open(d)
        settle(d, then)
        d.linli_ok("reconcile")
        d.stop()
        audit = Audit(folder)
        audit.check(then)
        audit.check_over()


def test_copies_under_load():
    book, copies = Book(), []
    with temporary_folder() as folder, \
            Daemon(config=config("tally", "listener")) as d:
        book.begin(d)
        for i in range(COPIES):
            time.sleep(0.5)
            then = Then(book)
            path = os.path.join(folder, "copy-%d.db" % i)
            start = time.monotonic()
            done = d.linli_ok("backup", path, "--json").json
            tap.comment("%d KiB in %.0f ms at commit %d" % (
                done["bytes"] // 1024, (time.monotonic() - start) * 1e3,
                done["commit"]))
            copies.append((path, done["commit"], then))
        book.end()
        key = os.path.join(d.data, "linli.key")
        for path, commit, then in copies:
            then.end()
            data = path + ".data"
            tap.equal(restore(path, data, key).json["commit"], commit)
            audit = Audit(data)
            tap.equal(audit.commit, commit, "commit of the copy")
            audit.check(then)
        settle(d, book)
        d.stop()
        Audit(d.data).check(book)
        serves(copies[-1][0] + ".data", copies[-1][2])


def test_a_kill_while_copying():
    book = Book()
    made = cut = 0
    with temporary_folder() as folder, \
            Daemon(config=config("tally", "listener")) as d:
        key = os.path.join(d.data, "linli.key")
        for i in range(KILLS):
            book.begin(d)
            time.sleep(0.3)
            path = os.path.join(folder, "copy.db")
            with subprocess.Popen(
                    [program("linli"), "backup", path, "--data", d.data],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL) as asking:
                time.sleep(random.uniform(0, 0.06))
                d.kill()
                asking.wait(30)
            book.end(broken=True)
            Audit(d.data).check(book)
            if os.path.exists(path):
                made += 1
                data = os.path.join(folder, "data-%d" % i)
                tap.equal(restore(path, data, key).code, 0)
                os.remove(path)
            d.restart()
            # What it was written to stands in the way, and is told so.
            if os.path.exists(path + ".new"):
                cut += 1
                tap.contains(d.linli("backup", path).err, path + ".new")
                os.remove(path + ".new")
            d.linli_ok("backup", path)
            os.remove(path)
        left = [n for n in os.listdir(folder) if not n.startswith("data-")]
        tap.equal(left, [], "left behind")
    tap.comment("of %d copies %d were whole, %d cut short" % (
        KILLS, made, cut))


if __name__ == "__main__":
    tap.main()
