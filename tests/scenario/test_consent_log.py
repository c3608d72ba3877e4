#!/usr/bin/env python3
"""tests/scenario/test_consent_log.py: the log of consent over HTTP.

A checkpoint, tiles and proofs that anyone may ask for, checked here with
SHA-256 alone; and an operator's list of the leaves of their community.
"""

import base64
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, program, run, temporary_folder  # noqa: E402

LEAVES = 700


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


def climb(seq, size, value, hashes):
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    fn, sn = seq, size - 1
    for other in hashes:
        assert sn > 0
        if fn & 1 or fn == sn:
            value = node(other, value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node(value, other)
        fn, sn = fn >> 1, sn >> 1
    tap.equal(sn, 0)
    return value


def climb_grown(first, second, from_root, hashes):
    """Both roots that a consistency proof leads to (RFC 9162, 2.1.4.2)."""
    if first & first - 1 == 0:
        hashes = [from_root] + hashes
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = hashes[0]
    for other in hashes[1:]:
        assert sn > 0
        if fn & 1 or fn == sn:
            old, new = node(other, old), node(other, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node(new, other)
        fn, sn = fn >> 1, sn >> 1
    tap.equal(sn, 0)
    return old, new


class Served:
    """A linlid over a log that was written before."""

    def __init__(self, leaves=LEAVES):
        self.leaves = leaves

    def __enter__(self):
        self.folder = temporary_folder()
        data = os.path.join(self.folder.__enter__(), "data")
        os.mkdir(data)
        done = run([program("bench/log_rates"), data, str(self.leaves), "50"])
        tap.equal(done.code, 0, done.err)
        self.daemon = Daemon(data=data, config={
            "communities": [{"id": "maple"}, {"id": "oak"}]}, audited=False)
        self.d = self.daemon.__enter__()
        self.data = data
        return self

    def __exit__(self, *what):
        self.daemon.__exit__(*what)
        self.folder.__exit__(*what)

    def get(self, path, **more):
        return self.d.http("GET", path, **more)

    def note(self):
        answer = self.get("/v1/log/checkpoint")
        tap.equal(answer.status, 200)
        lines = answer.text.split("\n")
        return int(lines[1]), base64.b64decode(lines[2]), answer.text

    def lines(self):
        done = run([program("linli"), "audit", "export",
                    os.path.join(self.data, "x"), "--data", self.data])
        tap.equal(done.code, 0, done.err)
        with open(os.path.join(self.data, "x"), "rb") as f:
            return f.read().splitlines()


def test_checkpoint_and_tiles():
    with Served() as s:
        size, top, text = s.note()
        tap.equal(size, LEAVES + 1)
        lines = s.lines()
        hashes = [leaf_hash(line) for line in lines]
        tap.equal(root(hashes), top)
        with open(os.path.join(s.data, "x.checkpoint"),
                  encoding="utf-8") as f:
            tap.equal(f.read(), text)
        for n in range(2):
            for name in ("%03d" % n, str(n)):
                answer = s.get("/v1/log/tile/0/" + name)
                tap.equal(answer.status, 200)
                tap.equal(answer.body, b"".join(hashes[256 * n:256 * n + 256]))
        tap.equal(s.get("/v1/log/tile/0/002.p/%d" % (size - 512)).body,
                  b"".join(hashes[512:]))
        tap.equal(s.get("/v1/log/tile/0/002.p/1").body, hashes[512])
        tap.equal(s.get("/v1/log/tile/1/000.p/2").body,
                  root(hashes[:256]) + root(hashes[256:512]))
        for path in ("0/002", "0/003", "0/002.p/256", "0/002.p/0",
                     "0/002.p/255", "1/000", "9/000", "0/x", "0/", "0/-1",
                     "0/x001/2", "0/x000/x000/002.p/1/", "0/000.p/"):
            tap.equal(s.get("/v1/log/tile/" + path).status, 404, path)
        tap.equal(s.get("/v1/log/tile/0/x000/001").status, 200)
        tap.equal(s.d.http("POST", "/v1/log/checkpoint", body={}).status, 405)
        tap.equal(s.get("/v1/log/nothing").status, 404)


def test_proofs():
    with Served() as s:
        size, top, _ = s.note()
        lines = s.lines()
        hashes = [leaf_hash(line) for line in lines]
        for seq in (0, 1, 255, 256, 511, 512, 600, LEAVES):
            for at in (None, seq + 1, 513, 600):
                if at is not None and at <= seq:
                    continue
                path = "/v1/log/proof?seq=%d" % seq
                answer = s.get(path + ("" if at is None
                                       else "&size=%d" % at)).json
                tap.equal((answer["seq"], answer["size"]),
                          (seq, at or size))
                proof = [bytes.fromhex(h) for h in answer["hashes"]]
                tap.equal(climb(seq, at or size, hashes[seq], proof),
                          root(hashes[:at or size]))
        for first in (1, 2, 255, 256, 257, 512, 699, LEAVES + 1):
            for second in (None, 513, 700):
                if second is not None and second <= first:
                    continue
                answer = s.get("/v1/log/consistency?from=%d" % first + (
                    "" if second is None else "&to=%d" % second)).json
                proof = [bytes.fromhex(h) for h in answer["hashes"]]
                if first == answer["to"]:
                    tap.equal(proof, [])
                    continue
                tap.equal(climb_grown(first, answer["to"],
                                      root(hashes[:first]), proof),
                          (root(hashes[:first]),
                           root(hashes[:answer["to"]])))
        tap.equal(s.get("/v1/log/consistency?from=0").json["hashes"], [])
        for query in ("proof", "proof?seq=%d" % size, "proof?seq=-1",
                      "proof?seq=1&size=%d" % (size + 1), "proof?seq=5&size=5",
                      "proof?seq=1&x=1", "consistency", "consistency?from=x",
                      "consistency?from=9&to=8",
                      "consistency?from=0&to=%d" % (size + 1)):
            answer = s.get("/v1/log/" + query)
            tap.equal((answer.status, answer.code), (422, "request/invalid"),
                      query)


def test_leaves_of_a_community():
    with Served(60) as s:
        path = "/v1/c/maple/admin/audit"
        page = s.get(path + "?limit=50", as_="operator:o",
                     community="maple").json
        tap.equal([i["seq"] for i in page["items"]],
                  list(range(60, 10, -1)))
        lines = s.lines()
        for item in page["items"]:
            leaf = dict(item)
            seq, said = leaf.pop("seq"), leaf.pop("leaf_hash")
            tap.equal(json.loads(lines[seq]), leaf)
            tap.equal(said, leaf_hash(lines[seq]).hex())
        rest = s.get(path + "?limit=50&cursor=" + page["next_cursor"],
                     as_="operator:o", community="maple").json
        tap.equal([i["seq"] for i in rest["items"]], list(range(10, 0, -1)))
        tap.equal(rest["next_cursor"], None)
        for query, want in (
                ("type=access", 60), ("type=give", 0), ("plugin=parking", 60),
                ("plugin=park", 0), ("subject=" + "0" * 31 + "7", 1),
                ("subject=7", 0), ('plugin=%22', 0)):
            items = s.get(path + "?" + query, as_="operator:o",
                          community="maple").json["items"]
            tap.equal(len(items), want, query)
        tap.equal(s.get("/v1/c/oak/admin/audit", as_="operator:o",
                        community="oak").json["items"], [])
        tap.equal(s.get(path, as_="resident:r", community="maple").status, 403)
        tap.equal(s.get(path).status, 401)
        tap.equal(s.get(path + "?x=1", as_="operator:o",
                        community="maple").code, "request/invalid")


def test_a_log_that_has_not_begun():
    with Daemon() as d:
        answer = d.http("GET", "/v1/log/checkpoint")
        tap.equal(answer.text.split("\n")[1], "0")
        tap.equal(d.http("GET", "/v1/log/proof?seq=0").status, 422)
        tap.equal(d.http("GET", "/v1/log/tile/0/000.p/1").status, 404)
        tap.equal(d.http("GET", "/v1/log/consistency?from=0").json["hashes"],
                  [])


if __name__ == "__main__":
    tap.main()
