#!/usr/bin/env python3
"""tests/faults/test_start.py: what linlid refuses to open.

A database that is newer, another program's, damaged or of another key: one
message with the code and the fix, exit status 1, and not a byte of the
files has changed.
"""

import contextlib
import errno
import os
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from disk import preloaded, write_fault  # noqa: E402
from ledger import Audit, Book, Client, Entry, config  # noqa: E402
from linli_test import Daemon, failing_start, program, run  # noqa: E402
from linli_test import temporary_folder  # noqa: E402

FILES = ("linli.db", "linli.db-wal", "linli.gone", "linli.key")
AT_USER_VERSION = 60   # in the header of an SQLite file, big-endian
ENTRIES = 40


@contextlib.contextmanager
def data_directory(killed=False):
    """A data directory with some entries, and the book of them; with its log
    if linlid was killed."""
    book = Book(1)
    with Daemon(config=config("tally", "listener")) as d:
        client = Client(d, "c0", book.pasts["c0"])
        for _ in range(ENTRIES):
            client.past.count += 1
            client.post(Entry("c0", client.past.count))
        client.connection.close()
        if killed:
            d.kill()
        else:
            d.stop()
        yield d.data, book
        d.restart()
        book.replay(d, 5)


def contents(folder):
    """{name: bytes} of what must not change; also of what must not appear."""
    found = {}
    for name in sorted(os.listdir(folder)):
        if name.startswith("linli.") and not name.endswith("-shm"):
            with open(os.path.join(folder, name), "rb") as f:
                found[name] = f.read()
    return found


def refused(folder, code, *words, before=()):
    """linlid refuses the directory, and leaves it alone."""
    was = contents(folder)
    done = failing_start((), data=folder) if not before else run(
        list(before) + [program("linlid"), "--mode=development", "--data="
                        + folder, "--listen=127.0.0.1:0"])
    tap.equal((done.code, done.out), (1, ""), done.err)
    tap.contains(done.err, "error[%s]" % code, "stderr")
    tap.contains(done.err, "= fix: ", "stderr")
    for word in words:
        tap.contains(done.err, word, "stderr")
    now = contents(folder)
    tap.equal(sorted(now), sorted(was), "files after " + code)
    for name, content in was.items():
        tap.equal(now[name] == content, True, "%s unchanged" % name)


@contextlib.contextmanager
def changed(folder, name, change):
    """The file NAME with its bytes as change(bytes) has them, None for no
    such file; as before afterwards."""
    path = os.path.join(folder, name)
    before = None
    if os.path.exists(path):
        with open(path, "rb") as f:
            before = f.read()
    put(path, change(before))
    try:
        yield
    finally:
        put(path, before)


def put(path, content):
    """Makes the file hold this, or go."""
    if content is None:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        return
    with open(path, "wb") as f:
        f.write(content)


def newer(content):
    """The version in the header raised."""
    at = AT_USER_VERSION
    version = int.from_bytes(content[at:at + 4], "big") + 1
    return content[:at] + version.to_bytes(4, "big") + content[at + 4:]


def holes(content):
    """Zeroes over the middle page."""
    page = 4096
    at = len(content) // page // 2 * page
    return content[:at] + bytes(page) + content[at + page:]


def foreign(_):
    """What another program's file looks like."""
    with temporary_folder() as folder:
        path = os.path.join(folder, "other.db")
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE t(x)")
        db.commit()
        db.close()
        with open(path, "rb") as f:
            return f.read()


def test_damaged():
    with data_directory() as (folder, _):
        tap.equal(sorted(contents(folder)),
                  ["linli.db", "linli.gone", "linli.key"])
        version = int.from_bytes(
            contents(folder)["linli.db"][AT_USER_VERSION:][:4], "big")
        for change, code, words in (
                (newer, "store/newer", ["version is %d" % (version + 1),
                                        "knows %d" % version]),
                (foreign, "store/foreign", ["application id"]),
                (lambda _: b"", "store/corrupt", ["0 bytes"]),
                (lambda c: c[:99], "store/corrupt", ["99 bytes"]),
                (lambda c: b"#!/bin/sh\n" + bytes(4086), "store/foreign",
                 ["not an SQLite database"]),
                (lambda c: c[:4096], "store/corrupt", []),
                (lambda c: c[:len(c) // 2], "store/corrupt", []),
                (lambda c: c[:len(c) - 1], "store/corrupt", ["cut off"]),
                (holes, "store/corrupt", [])):
            with changed(folder, "linli.db", change):
                refused(folder, code, "linli.db", *words)
        with changed(folder, "linli.key", lambda _: None):
            refused(folder, "store/key", "linli.key", "missing")
        for key in (b"", b"x" * 31, b"x" * 33):
            with changed(folder, "linli.key", lambda _, k=key: k):
                refused(folder, "store/key", "linli.key", "32 bytes")
        with changed(folder, "linli.key", lambda k: k[:31]
                     + bytes([k[31] ^ 1])):
            refused(folder, "store/key")


def test_damaged_with_a_log():
    with data_directory(killed=True) as (folder, book):
        tap.equal(sorted(contents(folder)), sorted(FILES))
        for change, code in ((newer, "store/newer"),
                             (foreign, "store/foreign"),
                             (lambda c: c[:4096 * 2], "store/corrupt")):
            with changed(folder, "linli.db", change):
                refused(folder, code, "linli.db")
        with changed(folder, "linli.key", lambda k: bytes(32)):
            refused(folder, "store/key")
        # Commits without their database: not a new one beside them.
        with changed(folder, "linli.db", lambda _: None):
            refused(folder, "store/corrupt", "linli.db-wal")
        Audit(folder).check(book)


def test_newer_in_the_log():
    """The header of the file may be older than the log."""
    with data_directory() as (folder, _), temporary_folder() as aside:
        path = os.path.join(folder, "linli.db")
        db = sqlite3.connect(path)
        db.execute("PRAGMA wal_autocheckpoint = 0")
        known, = db.execute("PRAGMA user_version").fetchone()
        db.execute("PRAGMA user_version = %d" % (known + 1))
        shutil.copy(path, aside)
        shutil.copy(path + "-wal", aside)
        db.execute("PRAGMA user_version = %d" % known)
        db.close()
        shutil.copy(os.path.join(folder, "linli.key"), aside)
        tap.equal(newer(contents(aside)["linli.db"])
                  != contents(aside)["linli.db"], True)
        refused(aside, "store/newer")


def test_not_a_file():
    with temporary_folder() as folder:
        os.mkdir(os.path.join(folder, "linli.db"))
        done = failing_start((), data=folder)
        tap.equal(done.code, 1, done)
        tap.contains(done.err, "error[store/foreign]", "stderr")
        tap.equal(os.listdir(os.path.join(folder, "linli.db")), [])


def test_no_disk_at_the_start():
    """Where nothing can be written or opened, nothing is changed."""
    with data_directory(killed=True) as (folder, book), \
            temporary_folder() as aside:
        before = preloaded(aside)
        for operation, error, tail, word in (
                ("open", errno.EACCES, "*", "Permission denied"),
                ("open", errno.EIO, "*", "Input/output error"),
                ("open", errno.EMFILE, "-wal", "Too many open files"),
                ("read", errno.EIO, ".", ""),
                ("read", errno.EIO, "-wal", ""),
                ("write", errno.ENOSPC, "-shm", "No space left")):
            write_fault(aside, operation, error, 0, tail)
            refused(folder, "store/io", word, before=before)
        Audit(folder).check(book)


def test_no_disk_for_a_new_database():
    with temporary_folder() as aside:
        folder = os.path.join(aside, "data")
        before = preloaded(aside)
        for operation, skip, tail in (
                ("create", 0, ".new"), ("write", 0, ".new"),
                ("write", 3, ".new"), ("sync", 0, ".new"),
                ("open", 0, "*")):
            write_fault(aside, operation, errno.ENOSPC, skip, tail)
            done = run(before + [program("linlid"), "--mode=development",
                                 "--data=" + folder, "--listen=127.0.0.1:0"])
            tap.equal((done.code, done.out), (1, ""), done.err)
            tap.contains(done.err, "error[store/io]", "stderr")
            left = [n for n in os.listdir(folder) if n.startswith("linli.")]
            tap.equal(left, [], "left behind of " + operation)
        os.remove(os.path.join(aside, "fault"))
        with Daemon(config=config("tally", "listener"), data=folder) as d:
            tap.equal(d.call("tally", "/sum", method="GET").status, 200)


if __name__ == "__main__":
    tap.main()
