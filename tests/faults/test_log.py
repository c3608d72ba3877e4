#!/usr/bin/env python3
# test-timeout-s: 600
"""tests/faults/test_log.py: a log of consent that somebody has changed.

One byte at many places of every table and file, leaves that are dropped,
swapped or put in, older databases, and a log that was rewritten as a whole:
each time `linli-audit` must say what is wrong, and where.
"""

import base64
import contextlib
import hashlib
import json
import os
import random
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, program, run, temporary_folder, wait_until  # noqa: E402

LEAVES = 700   # and the origin: two full tiles of 256, and one that grows
FLIPS = 80
if os.environ.get("LINLI_FAULTS") == "long":
    FLIPS = 1000


def audit(*words):
    """`linli-audit WORDS --json`: its output, or (code, where, detail)."""
    done = run([program("linli-audit"), *words, "--json"])
    if done.code == 0:
        return json.loads(done.out) if done.out.strip() else None
    error = json.loads(done.err)["error"]
    assert done.code == 1 or not error["code"].startswith("audit/"), done
    return error["code"], error.get("where", ""), error.get("detail", "")


@contextlib.contextmanager
def log(leaves=LEAVES):
    """A data directory whose log has so many leaves behind the origin."""
    tap.skip_unless(os.path.exists(program("linli-audit")),
                    "linli-audit is not built: no static libraries here")
    with temporary_folder() as folder:
        data = os.path.join(folder, "data")
        os.mkdir(data)
        write(data, leaves)
        yield data


def write(data, leaves, start=0):
    """So many leaves more, other ones than with another start."""
    done = run([program("bench/log_rates"), data, str(leaves),
                str(min(leaves, 50)), str(start)])
    tap.equal(done.code, 0, done.err)


def database(data):
    return os.path.join(data, "linli.db")


def sql(data, *statements):
    """Statements, each a text or (text, parameters); the rows of the last."""
    db = sqlite3.connect(database(data), isolation_level=None)
    rows = []
    for s in statements:
        rows = db.execute(*((s,) if isinstance(s, str) else s)).fetchall()
    db.close()
    return rows


@contextlib.contextmanager
def changed(data, *statements):
    """The database with a change, and afterwards as it was."""
    keep = database(data) + ".kept"
    shutil.copyfile(database(data), keep)
    sql(data, *statements)
    yield
    os.replace(keep, database(data))


def flipped(blob, at, bit):
    return blob[:at] + bytes([blob[at] ^ 1 << bit]) + blob[at + 1:]


def finds(got, code, where, what):
    """The answer is a finding of that code (or one of them) and place."""
    codes = (code,) if isinstance(code, str) else code
    assert isinstance(got, tuple), "%s was not found: %r" % (what, got)
    assert got[0] in codes, "%s: %r" % (what, got)
    if where is not None:
        assert where in got[1], "%s: %r, not at %s" % (what, got, where)


def test_what_is_whole_verifies():
    with log() as data:
        said = audit("verify", "--data", data)
        tap.equal((said["ok"], said["leaves"], said["signed"],
                   said["key_given"]), (True, LEAVES + 1, LEAVES + 1, True))
        key = audit("key", "--data", data)["key"]
        tap.equal(said["key"], key)
        before = sorted(os.listdir(data))
        export = os.path.join(data, "log.jsonl")
        tap.equal(audit("export", export, "--data", data)["exported"],
                  LEAVES + 1)
        said = audit("verify", export, "--key", key)
        tap.equal((said["leaves"], said["signed"]), (LEAVES + 1, LEAVES + 1))
        with open(export, "rb") as f:
            lines = f.read().splitlines()
        tap.equal(lines, [row[0] for row in sql(
            data, "SELECT leaf FROM log_leaf ORDER BY idx")])
        # A copy of the database alone, with and without the key.
        copy = os.path.join(data, "copy.db")
        shutil.copyfile(database(data), copy)
        tap.equal(audit("verify", copy, "--key", key)["ok"], True)
        tap.equal(audit("verify", copy)["key_given"], False)
        for name in ("log.jsonl", "log.jsonl.tiles", "log.jsonl.checkpoint",
                     "copy.db"):
            os.unlink(os.path.join(data, name))
        tap.equal(sorted(os.listdir(data)), before, "files left behind")


def test_a_byte_of_a_leaf():
    rng = random.Random(1)
    with log() as data:
        rows = sql(data, "SELECT idx, leaf FROM log_leaf ORDER BY idx")
        places = [0, 1, 255, 256, 511, 512, LEAVES] + [
            rng.randrange(LEAVES + 1) for _ in range(FLIPS)]
        for seq in places:
            leaf = rows[seq][1]
            bad = flipped(leaf, rng.randrange(len(leaf)), rng.randrange(8))
            with changed(data, ("UPDATE log_leaf SET leaf = ? WHERE idx = ?",
                                (bad, seq))):
                finds(audit("verify", "--data", data), "audit/leaf",
                      "seq %d" % seq, "a byte of leaf %d" % seq)


def test_a_byte_of_a_tile():
    rng = random.Random(2)
    with log() as data:
        rows = sql(data, "SELECT level, n, bytes FROM log_tile")
        for _ in range(FLIPS):
            level, n, tile = rng.choice(rows)
            at = rng.randrange(len(tile))
            with changed(data, (
                    "UPDATE log_tile SET bytes = ? WHERE level = ? AND n = ?",
                    (flipped(tile, at, rng.randrange(8)), level, n))):
                where = "seq %d" % (n * 256 + at // 32) if level == 0 \
                    else "level %d, n %d" % (level, n)
                finds(audit("verify", "--data", data), "audit/tile", where,
                      "a byte of tile %d/%d" % (level, n))


def test_a_byte_of_the_head():
    rng = random.Random(3)
    with log() as data:
        (root, note), = sql(data, "SELECT root, note FROM log_head")
        for at in range(len(root)):
            with changed(data, ("UPDATE log_head SET root = ?",
                                (flipped(root, at, at % 8),))):
                finds(audit("verify", "--data", data), "audit/head", None,
                      "a byte of the root")
        raw = note.encode()
        for _ in range(FLIPS // 3):
            at = rng.randrange(len(raw))
            bad = flipped(raw, at, rng.randrange(7))
            with changed(data, ("UPDATE log_head SET note = CAST(? AS TEXT)",
                                (bad,))):
                finds(audit("verify", "--data", data), "audit/checkpoint",
                      "log_head", "a byte of the note, %d" % at)
        for size in (LEAVES, LEAVES + 2, 0, -1, 1 << 40):
            with changed(data, ("UPDATE log_head SET size = ?", (size,))):
                finds(audit("verify", "--data", data), "audit/head", None,
                      "size %d" % size)
        head = os.path.join(data, "linli.head")
        with open(head, "rb") as f:
            text = f.read()
        for _ in range(FLIPS // 3):
            with open(head, "wb") as f:
                f.write(flipped(text, rng.randrange(len(text)),
                                rng.randrange(8)))
            finds(audit("verify", "--data", data), "audit/checkpoint",
                  "linli.head", "a byte of linli.head")
        with open(head, "wb") as f:
            f.write(text)
        tap.equal(audit("verify", "--data", data)["ok"], True)


def test_rows_that_are_gone_or_moved():
    def swap(a, b):
        return ["UPDATE log_leaf SET idx = %d WHERE idx = %d" % move
                for move in ((-1, a), (a, b), (b, -1))]

    with log() as data:
        for code, where, statements in (
            ("audit/missing", "seq 0", ["DELETE FROM log_leaf WHERE idx = 0"]),
            ("audit/missing", "seq 300",
             ["DELETE FROM log_leaf WHERE idx = 300"]),
            ("audit/missing", "seq 300",
             ["DELETE FROM log_leaf WHERE idx = 300",
              "UPDATE log_leaf SET idx = idx - 1 WHERE idx > 300"]),
            ("audit/missing", "seq %d" % LEAVES,
             ["DELETE FROM log_leaf WHERE idx = %d" % LEAVES]),
            ("audit/missing", "seq 690",
             ["DELETE FROM log_leaf WHERE idx >= 690"]),
            ("audit/missing", "seq 0", ["DELETE FROM log_leaf"]),
            ("audit/missing", "seq 9",
             ["UPDATE log_leaf SET idx = 1152921504606846976 WHERE idx = 9"]),
            ("audit/order", "seq 7", swap(7, 600)),
            ("audit/order", "seq 698", swap(698, 699)),
            ("audit/tile", "seq %d" % (LEAVES + 1),
             ["INSERT INTO log_leaf SELECT idx + 1, leaf FROM log_leaf "
              "WHERE idx = %d" % LEAVES]),
            ("audit/tile", "seq 256",
             ["DELETE FROM log_tile WHERE level = 0 AND n = 1"]),
            ("audit/tile", "level 1, n 0",
             ["DELETE FROM log_tile WHERE level = 1"]),
            ("audit/tile", "seq 512",
             ["UPDATE log_tile SET n = 9 WHERE level = 0 AND n = 2"]),
            ("audit/tile", None,
             ["INSERT INTO log_tile VALUES(3, 0, x'00')"]),
            ("audit/head", None, ["DELETE FROM log_head"]),
            ("audit/head", None, ["UPDATE log_head SET log = 1"]),
        ):
            with changed(data, *statements):
                finds(audit("verify", "--data", data), code, where,
                      statements[0])


def test_an_export():
    rng = random.Random(4)
    with log() as data:
        key = audit("key", "--data", data)["key"]
        export = os.path.join(data, "x")
        audit("export", export, "--data", data)
        with open(export, "rb") as f:
            whole = f.read()
        lines = whole.splitlines(keepends=True)

        def with_lines(change):
            text = b"".join(change(list(lines)))
            with open(export, "wb") as f:
                f.write(text)
            return audit("verify", export, "--key", key)

        for _ in range(2 * FLIPS):
            at = rng.randrange(len(whole))
            seq = whole[:at].count(b"\n")
            with open(export, "wb") as f:
                f.write(flipped(whole, at, rng.randrange(8)))
            finds(audit("verify", export, "--key", key),
                  ("audit/leaf", "audit/missing"), "seq %d" % seq,
                  "byte %d of an export" % at)
        finds(with_lines(lambda all: all[:40] + all[41:]), "audit/missing",
              "seq 40", "a dropped line")
        finds(with_lines(lambda all: all[:-1]), "audit/missing",
              "seq %d" % LEAVES, "the last line dropped")
        finds(with_lines(lambda all: all[1:]), "audit/missing", "seq 0",
              "the first line dropped")
        finds(with_lines(lambda all: all[:3] + [all[4], all[3]] + all[5:]),
              "audit/order", "seq 3", "swapped lines")
        finds(with_lines(lambda all: all[:3] + [all[3]] + all[3:]),
              ("audit/missing", "audit/leaf"), "seq 4", "a line twice")
        finds(with_lines(lambda all: all + [all[-1]]), "audit/tile",
              "seq %d" % (LEAVES + 1), "a line more")
        finds(with_lines(lambda all: all[:-1] + [all[-1][:-1]]), "audit/leaf",
              "seq %d" % LEAVES, "no newline at the end")
        finds(with_lines(lambda all: []), ("audit/missing", "audit/rollback"),
              "seq 0", "an empty file")
        tap.equal(with_lines(lambda all: all)["ok"], True)
        for name, code in (("x.tiles", "audit/tile"),
                           ("x.checkpoint", "audit/checkpoint")):
            path = os.path.join(data, name)
            with open(path, "rb") as f:
                text = f.read()
            for _ in range(FLIPS // 3):
                at = rng.randrange(len(text))
                with open(path, "wb") as f:
                    f.write(flipped(text, at, rng.randrange(8)))
                where = "seq %d" % (at // 32) if code == "audit/tile" \
                    else "x.checkpoint"
                finds(audit("verify", export, "--key", key), code, where,
                      "a byte of " + name)
            with open(path, "wb") as f:
                f.write(text)
        # Without the hashes it is still found, if not where.
        os.unlink(os.path.join(data, "x.tiles"))
        tap.equal(audit("verify", export, "--key", key)["ok"], True)
        finds(with_lines(lambda all: all[:40] + all[41:]), "audit/rollback",
              None, "a dropped line, without hashes")
        finds(with_lines(lambda all: all[:3] + [all[4], all[3]] + all[5:]),
              "audit/rewritten", None, "swapped lines, without hashes")
        with_lines(lambda all: all)
        os.unlink(os.path.join(data, "x.checkpoint"))
        finds(audit("verify", export), "audit/checkpoint", None,
              "no checkpoint")


def test_a_database_of_before():
    with log(300) as data:
        older = database(data) + ".older"
        shutil.copyfile(database(data), older)
        write(data, 10)
        saved = os.path.join(data, "saved")
        shutil.copyfile(os.path.join(data, "linli.head"), saved)
        newer = database(data) + ".newer"
        shutil.copyfile(database(data), newer)
        shutil.copyfile(older, database(data))
        got = audit("verify", "--data", data)
        finds(got, "audit/rollback", "seq 301", "an older database")
        assert "301 leaves" in got[2] and "311 were" in got[2], got
        # With an older linli.head beside it only others can tell.
        os.unlink(os.path.join(data, "linli.head"))
        tap.equal(audit("verify", "--data", data)["leaves"], 301)
        finds(audit("verify", "--data", data, "--checkpoint", saved),
              "audit/rollback", "seq 301", "against a checkpoint")
        # Other leaves after it: no beginning of what was witnessed.
        write(data, 40, start=5000)
        got = audit("verify", "--data", data, "--checkpoint", saved)
        finds(got, "audit/rewritten", "seq 0", "another log")
        shutil.copyfile(newer, database(data))
        shutil.copyfile(saved, os.path.join(data, "linli.head"))
        tap.equal(audit("verify", "--data", data, "--checkpoint",
                        saved)["ok"], True)


# -- who has the database and not the key --

def restored(data, folder):
    """`linli restore` of the database as it is: exit code, error."""
    there = os.path.join(folder, "there")
    shutil.rmtree(there, ignore_errors=True)
    os.mkdir(there)
    copy = os.path.join(folder, "copy.db")
    shutil.copyfile(database(data), copy)
    done = run([program("linli"), "restore", copy, "--data", there, "--key",
                os.path.join(data, "linli.key"), "--json"])
    if done.code != 0:
        tap.equal(os.path.exists(database(there)), False)
        return json.loads(done.err)["error"]
    said = audit("verify", "--data", there)
    tap.equal((said["leaves"], said["ok"]), (LEAVES + 1, True))
    return None


def test_a_copy_whose_log_was_changed_is_refused():
    """A restore looks at all of the log, not only at its edge (S23)."""
    with log() as data, temporary_folder() as folder:
        open(os.path.join(data, "linli.gone"), "ab").close()
        tap.equal(restored(data, folder), None)
        leaf, = sql(data, "SELECT leaf FROM log_leaf WHERE idx = 100")[0]
        tile, = sql(data, "SELECT bytes FROM log_tile WHERE level = 0 "
                          "AND n = 1")[0]
        above, = sql(data, "SELECT bytes FROM log_tile WHERE level = 1")[0]
        (root, note), = sql(data, "SELECT root, note FROM log_head")
        last = note.rstrip().rsplit(" ", 1)
        other = last[0] + " " + base64.b64encode(
            flipped(base64.b64decode(last[1]), 40, 0)).decode() + "\n"
        older = note.replace("\n%d\n" % (LEAVES + 1), "\n%d\n" % LEAVES)
        set_leaf = "UPDATE log_leaf SET leaf = ? WHERE idx = 100"
        for what, statement in (
            ("not of one tree", (set_leaf, (flipped(leaf, 30, 0),))),
            ("not of one tree", (
                "UPDATE log_tile SET bytes = ? WHERE level = 0 AND n = 1",
                (flipped(tile, 70, 3),))),
            ("root is not its head's", (
                "UPDATE log_tile SET bytes = ? WHERE level = 1",
                (flipped(above, 1, 1),))),
            ("is missing", "DELETE FROM log_leaf WHERE idx = 100"),
            ("is not there", "DELETE FROM log_tile WHERE level = 0 AND n = 1"),
            ("root is not its head's", ("UPDATE log_head SET root = ?",
                                        (flipped(root, 0, 0),))),
            ("not signed", ("UPDATE log_head SET note = ?", (other,))),
            ("not signed", ("UPDATE log_head SET note = ?", (older,))),
            ("is none", ("UPDATE log_head SET note = ?", ("x",))),
        ):
            with changed(data, statement):
                error = restored(data, folder)
                tap.equal((error or {}).get("code"), "store/corrupt", what)
                assert what in error["detail"], (what, error)
        # All rewritten together: only what was signed tells.
        def one(leaves):
            leaves[33] = leaves[33].replace(b'"parking"', b'"parkinh"')
        rewrite(data, one)
        error = restored(data, folder)
        assert "not those signed" in error["detail"], error


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root(hashes):
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return node(root(hashes[:k]), root(hashes[k:]))


def rewrite(data, change):
    """Changes leaves and makes all hashes and the root fit them."""
    leaves = [row[0] for row in sql(
        data, "SELECT leaf FROM log_leaf ORDER BY idx")]
    change(leaves)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    level, statements = 0, ["DELETE FROM log_leaf", "DELETE FROM log_tile"]
    statements += [("INSERT INTO log_leaf VALUES(?, ?)", row)
                   for row in enumerate(leaves)]
    row = hashes
    while row:
        statements += [
            ("INSERT INTO log_tile VALUES(?, ?, ?)",
             (level, n // 256, b"".join(row[n:n + 256])))
            for n in range(0, len(row), 256)]
        row = [root(row[n:n + 256]) for n in range(0, len(row) - 255, 256)]
        level += 1
    statements.append(("UPDATE log_head SET size = ?, root = ?",
                       (len(leaves), root(hashes))))
    sql(data, *statements)


def test_a_log_that_was_rewritten():
    """All of the database fits, but nobody could sign it."""
    def one(leaves):
        leaves[33] = leaves[33].replace(b'"parking"', b'"parkinh"')

    def cut(leaves):
        del leaves[400:]

    def grown(leaves):
        leaves.append(leaves[-1])

    with log() as data:
        keep = database(data) + ".kept"
        shutil.copyfile(database(data), keep)
        rewrite(data, one)
        finds(audit("verify", "--data", data), "audit/rewritten", "seq 0",
              "a leaf and all above it")
        shutil.copyfile(keep, database(data))
        rewrite(data, cut)
        finds(audit("verify", "--data", data), "audit/rollback", "seq 400",
              "a log that was cut")
        # What no checkpoint has seen can be forged: it is told as unsigned.
        shutil.copyfile(keep, database(data))
        rewrite(data, grown)
        said = audit("verify", "--data", data)
        tap.equal((said["leaves"], said["signed"]), (LEAVES + 2, LEAVES + 1))


def test_a_log_of_another_key():
    """A whole log by somebody else's key is theirs, whatever its name."""
    with log(20) as data, log(30) as other:
        key = audit("key", "--data", data)["key"]
        export = os.path.join(other, "x")
        audit("export", export, "--data", other)
        tap.equal(audit("verify", export)["key_given"], False)
        finds(audit("verify", export, "--key", key), "audit/checkpoint",
              "x.checkpoint", "another key")
        shutil.copyfile(database(other), database(data))
        shutil.copyfile(os.path.join(other, "linli.head"),
                        os.path.join(data, "linli.head"))
        finds(audit("verify", "--data", data), "audit/checkpoint", None,
              "another log beside our key")


def test_proofs_by_hand():
    """A proof is checked with SHA-256 alone."""
    with log() as data:
        for seq in (0, 1, 255, 256, 500, LEAVES):
            said = audit("prove", str(seq), "--data", data)
            hashes = [bytes.fromhex(h) for h in said["hashes"]]
            fn, sn = seq, said["size"] - 1
            value = leaf_hash(said["leaf"].encode())
            for other in hashes:
                if fn & 1 or fn == sn:
                    value = node(other, value)
                    while not fn & 1 and fn:
                        fn, sn = fn >> 1, sn >> 1
                else:
                    value = node(value, other)
                fn, sn = fn >> 1, sn >> 1
            tap.equal(sn, 0)
            tap.equal(base64.b64encode(value).decode(),
                      said["checkpoint"].splitlines()[2])
        text = run([program("linli-audit"), "prove", "5", "--data", data]).out
        tap.equal(text.splitlines()[0], "c2sp.org/tlog-proof@v1")
        tap.equal(text.splitlines()[2], "index 5")
        finds(audit("prove", str(LEAVES + 1), "--data", data),
              "audit/unproved", None, "no such leaf")


# -- replay --

TAG = "0123456789abcdef" * 2
GUARDIAN = "89abcdef" * 4
GRANT = "aa" * 16
NOW = 1772413200000
DAY = 86400000


def line_of(said):
    return json.dumps(said, separators=(",", ":"))


def leaf(kind, at=NOW, **members):
    """A line; a member that is None is left out."""
    order = ("community", "actor", "subject", "plugin", "purpose", "fields",
             "basis", "level", "grant", "version", "until", "uses", "result",
             "call", "notice", "digest", "data")
    members.setdefault("community", "maple")
    said = {"v": 1, "type": kind, "at": at}
    said.update((name, members[name]) for name in order
                if members.get(name) is not None)
    return line_of(said)


def give(**changes):
    return leaf("give", **{**{
        "actor": TAG, "subject": TAG, "plugin": "parking",
        "purpose": "service", "fields": ["plate"], "basis": "consent",
        "level": "general", "grant": GRANT, "version": 1,
        "until": NOW + 30 * DAY, "data": {"channel": "app"}}, **changes})


def access(at=NOW + 1, **changes):
    return leaf("access", at, **{**{
        "actor": "system", "subject": TAG, "plugin": "parking",
        "purpose": "service", "fields": ["plate"], "basis": "consent",
        "grant": GRANT, "result": "allow"}, **changes})


def basis(**changes):
    return leaf("basis", **{**{
        "actor": "operator:o", "plugin": "parking", "purpose": "delivery",
        "fields": ["phone_relay"], "basis": "contract",
        "result": "approved"}, **changes})


def by_contract(**changes):
    return access(**{**{"purpose": "delivery", "fields": ["phone_relay"],
                        "basis": "contract", "grant": None}, **changes})


def scope(field, purpose, by):
    return {"field": field, "purpose": purpose, "basis": by, "required": True,
            "actions": 1, "since": 1}


PLATE = scope("plate", "service", "consent")
RELAY = scope("phone_relay", "delivery", "contract")


def terms(version=1, scopes=(PLATE, RELAY), since=None, result="widen",
          **changes):
    return leaf("terms", actor="config", plugin="parking", version=version,
                result=result, data={**{
                    "since": since or version, "relation": "entrust",
                    "ceiling": "C3", "pia": True, "abroad": False,
                    "scopes": list(scopes)}, **changes})


def person(age="adult", capacity="full", state="active", tag=TAG):
    return leaf("person", actor="system", subject=tag, result=state,
                data={"age": age, "capacity": capacity})


def guardian(result="active", **changes):
    return leaf("guardian", actor="operator:o", subject=TAG, result=result,
                until=NOW + 300 * DAY, data={**{
                    "guardian": GUARDIAN, "kind": "parent", "powers": 3,
                    "ceiling": "C2", "from": NOW}, **changes})


def objects(result="on", **changes):
    return leaf("object", **{**{
        "actor": TAG, "subject": TAG, "plugin": "parking", "result": result,
        "data": {"objection": "block"}}, **changes})


WITHDRAW = leaf("withdraw", actor=TAG, subject=TAG, plugin="parking",
                purpose="service", fields=["plate"], grant=GRANT)


def duty(name, result):
    return leaf("duty", until=NOW - 1, result=result, data={"id": name})


def replay(lines):
    """What `replay` says of a signed log of these leaves behind the origin."""
    with temporary_folder() as folder:
        done = run([program("bench/log_rates"), folder, "-"],
                   stdin="".join(line + "\n" for line in lines))
        tap.equal(done.code, 0, done.err)
        export = os.path.join(folder, "x")
        audit("export", export, "--data", folder)
        said = audit("replay", export)
        tap.equal(audit("replay", "--data", folder), said)
        return said


def test_replay():
    tap.skip_unless(os.path.exists(program("linli-audit")),
                    "linli-audit is not built: no static libraries here")
    said = replay([terms(), basis(), give(uses=2), access(), access(),
                   by_contract(), WITHDRAW, duty("d1", "made"),
                   duty("d2", "made"), duty("d2", "done")])
    tap.equal((said["leaves"], said["accesses"], said["grants"],
               said["withdrawals"], said["duties_open"],
               said["duties_overdue"]), (11, 3, 1, 1, 1, 1))
    idle = give(data={"channel": "app", "idle_days": 3})
    for seq, why, lines in (
        (1, "no grant", [access()]),
        (3, "had ended", [give(), WITHDRAW, access()]),
        (2, "not of that time", [give(), access(NOW + 30 * DAY)]),
        (4, "used up", [give(uses=2), access(), access(), access()]),
        (2, "does not cover", [give(), access(fields=["phone"])]),
        (2, "another resident", [give(), access(subject="f" * 32)]),
        (2, "another resident", [give(), access(plugin="shop")]),
        (2, "another resident", [give(), access(purpose="delivery")]),
        (4, "terms that had changed", [terms(), give(), terms(2), access()]),
        (2, "expired unused", [idle, access(NOW + 3 * DAY)]),
        (1, "never ends", [give(until=None)]),
        (1, "no separate act", [give(fields=["heart_rate"])]),
        (1, "no separate act", [give(fields=["heart_rate", "spo2"],
                                     level="separate")]),
        (1, "was not approved", [by_contract()]),
        (3, "was not approved", [
            terms(scopes=(RELAY, scope("phone", "delivery", "contract"))),
            basis(), by_contract(fields=["phone"])]),
        (2, "was not approved", [basis(until=NOW), by_contract()]),
        (3, "was not approved", [basis(), basis(result="ended"),
                                 by_contract()]),
        (3, "had ended", [give(), leaf("shred", actor="system", subject=TAG,
                                       result="done"), access()]),
        (1, "never given", [WITHDRAW]),
        (2, "given before", [give(), give()]),
    ):
        bad_replay(seq, why, lines)


def bad_replay(seq, why, lines):
    """Terms are declared first, unless the lines begin with some."""
    ahead = [] if '"terms"' in lines[0] else [terms()]
    got = replay(ahead + lines)
    finds(got, "audit/replay", "seq %d" % (seq + len(ahead)), why)
    assert why in got[2], (why, got)


def test_replay_of_terms():
    """What was declared when: switched off, narrowed, of another basis."""
    tap.skip_unless(os.path.exists(program("linli-audit")),
                    "linli-audit is not built: no static libraries here")
    off, on = terms(result="off"), terms(result="on")
    narrow = terms(scopes=(RELAY,), result="narrow")
    said = replay([terms(), basis(), give(), off, on, access(), by_contract()])
    tap.equal(said["accesses"], 2)
    for seq, why, lines in (
        (4, "plugin_inactive", [terms(), give(), off, access()]),
        (4, "plugin_inactive", [terms(), basis(), off, by_contract()]),
        (4, "not_in_manifest_field", [terms(), give(), narrow, access()]),
        (4, "not_in_manifest_field", [
            terms(), basis(), terms(scopes=(PLATE,), result="narrow"),
            by_contract()]),
        (3, "not_in_manifest_purpose", [
            terms(scopes=(scope("plate", "delivery", "consent"),)), give(),
            access()]),
        (3, "level_too_low", [terms(relation="provide"), give(), access()]),
        (3, "pia_missing", [terms(relation="provide", pia=False),
                            give(level="separate"), access()]),
        (3, "region", [terms(abroad=True), give(), access()]),
        (3, "class_ceiling", [terms(ceiling="C1"), give(), access()]),
        (3, "another basis", [
            terms(scopes=(scope("plate", "service", "separate_consent"),)),
            give(level="separate"), access()]),
        (1, "none of the registry's", [
            terms(scopes=(scope("soul", "service", "consent"),))]),
    ):
        bad_replay(seq, why, lines)


def test_replay_of_people():
    """Who may give, refuse to have given, and withdraw; and who objects."""
    tap.skip_unless(os.path.exists(program("linli-audit")),
                    "linli-audit is not built: no static libraries here")
    child, parent = person("under14"), person(tag=GUARDIAN)
    by_parent = give(actor=GUARDIAN)
    by_staff = give(actor="staff:s",
                    data={"channel": "desk", "guardian": GUARDIAN})
    family = [child, parent, guardian()]
    taken = json.loads(WITHDRAW)
    by_other = line_of({**taken, "actor": GUARDIAN})
    said = replay([terms()] + family + [
        by_parent, access(), by_other, objects(), objects("off"),
        give(actor=GUARDIAN, grant="bb" * 16), access(grant="bb" * 16),
        person("under18"), access(grant="bb" * 16)])
    tap.equal((said["accesses"], said["withdrawals"]), (3, 1))
    tap.equal(replay([terms()] + family + [by_staff, access()])["grants"], 1)
    for seq, why, lines in (
        (2, "might not: guardian_required", [child, give()]),
        (2, "might not: guardian_required", [
            person(capacity="limited"), give()]),
        (2, "might not: guardian_required", [child, by_parent]),
        (3, "might not: guardian_required", [child, parent, by_staff]),
        (4, "might not: guardian_suspended", [
            child, parent, guardian("suspended"), by_parent]),
        (4, "might not: guardian_required", [
            child, parent, guardian("pending"), by_parent]),
        (4, "might not: guardian_required", [
            child, parent, guardian(powers=2), by_parent]),
        (4, "might not: guardian_required", [
            child, parent, guardian(ceiling="C0"), by_parent]),
        (4, "might not: guardian_required", [
            child, parent, guardian(**{"from": NOW + 1}), by_parent]),
        (4, "might not: guardian_required", [
            child, person("under18", tag=GUARDIAN), guardian(), by_parent]),
        (4, "might not: guardian_required", [
            person(), parent, guardian(), by_parent]),
        (6, "guardian_required", family + [
            by_parent, guardian("ended"), access()]),
        (6, "guardian_required", family + [
            by_parent, guardian(powers=2), access()]),
        (3, "guardian_required", [
            give(), person(capacity="none"), access()]),
        (3, "subject_frozen", [give(), person(state="frozen"), access()]),
        (3, "subject_deceased", [basis(), person(state="shredded"),
                                 by_contract()]),
        (2, "might not: subject_frozen", [person(state="frozen"), give()]),
        (2, "might not: guardian_required", [give(), by_other]),
        (2, "another resident gave", [
            give(), line_of({**taken, "subject": GUARDIAN})]),
        (3, "objection", [give(), objects(), access()]),
        (3, "objection", [give(), objects(plugin=None), access()]),
        (3, "objection", [basis(), objects(), by_contract()]),
        (1, "what is objected to", [objects(data={"objection": "rain"})]),
    ):
        bad_replay(seq, why, lines)


def test_a_live_host_is_sealed():
    """A linlid on a database of before serves, signs nothing and says so."""
    with log(300) as data:
        older = database(data) + ".older"
        shutil.copyfile(database(data), older)
        write(data, 10)
        shutil.copyfile(older, database(data))
        with open(os.path.join(data, "linli.head"), "rb") as f:
            head = f.read()
        with Daemon(data=data, config={"communities": [{"id": "demo"}]},
                    audited=False) as d:
            def raised():
                return d.http("GET", "/v1/c/demo/admin/alerts",
                              as_="operator:o").json["items"]
            wait_until(raised)
            alerts = raised()
            tap.equal([a["kind"] for a in alerts], ["linli.log_sealed"])
            tap.equal(alerts[0]["data"]["code"], "log/sealed")
            assert "301 leaves, linli.head 311" in \
                alerts[0]["data"]["message"], alerts
            with open(os.path.join(data, "linlid.log"),
                      encoding="utf-8") as f:
                assert "log/sealed" in f.read()
        with open(os.path.join(data, "linli.head"), "rb") as f:
            tap.equal(f.read(), head)
        finds(audit("verify", "--data", data), "audit/rollback", "seq 301",
              "after it has run")


if __name__ == "__main__":
    tap.main()
