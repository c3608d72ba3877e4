"""tests/hostile/test_hostcalls.py: a native plugin asks of the host what no
binding would: arguments of wrong shapes, huge names, deep values, documents
that fill a frame, timers in the year 100 000 000, cursors of others, codes
with NULs, and a thousand of each host call. It asks in its worker's place.

linlid and the neighbour go on serving, and nothing is stored.

test-timeout-s: 120
test-alone: yes
"""

import os
import sqlite3

import tap
from arena import MIB, SLOW, Arena, both

if SLOW > 1:  # what a sanitizer holds back is no growth of linlid's
    os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=4:" + os.environ.get(
        "ASAN_OPTIONS", "")

BURST_MS = 8000
WALL_MS = 20000
HOST_CALLS_MAX = 1000  # of one run
OPS = range(3, 17)

BOX = {"indexes": {
    "by_a": {"fields": ["a"]},
    "span": {"fields": ["a"], "interval": {"from": "f", "to": "t",
                                           "longest_ms": 100}}}}
STORES = {
    "collections": {"box": BOX, "lid": BOX},
    "timers": ["later"],
    "events": {"publishes": ["hostile-c.told"]},
    "alerts": ["hostile-c.odd"],
    "meters": {"hostile-c.n": {"kind": "count", "unit": "n",
                               "max_per_call": 100000}}}

# What may be done of them: all that is asked is wrong.
NONE = ("shapes", "counts", "names", "members", "deep", "large", "times")
# On each of four lists its own cursor alone.
CURSORS = 4


def arena(user):
    """One worker; two linlids parse megabytes for it at the same time."""
    return Arena(user, patience=3, count_native=1)


class Asker:
    """The plugin, and how often it was called."""

    def __init__(self, d):
        self.d, self.calls = d, 0
        d.enable(d.native_folder(BURST_MS, WALL_MS, 32 * MIB, **STORES))

    def ask(self, route, name, status=200):
        """How many host calls of an attack were done."""
        self.calls += 1
        answer = self.d.call(
            "hostile-c", "/%s/%s" % (route, name), {},
            key=None if route == "run" else "k%d" % self.calls)
        tap.equal(answer.status, status, "%s/%s: %r" % (route, name, answer))
        return answer.json["result"]


def stored(d):
    """{what: how many} in the database, but what is Linli's own of a call."""
    d.stop()
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(d.data, "linli.db"),
                         uri=True)
    found = {}
    for name, count in db.execute(
            "SELECT c.name, count(*) FROM doc d JOIN collection c "
            "ON c.id = d.collection JOIN space s ON s.id = c.space "
            "WHERE s.plugin = 'hostile-c' GROUP BY c.name"):
        found[name] = count
    for what, count in (
            ("entry", "entry e JOIN ix i ON i.id = e.ix JOIN collection c "
                      "ON c.id = i.collection WHERE c.name IN ('box', 'lid')"),
            ("event", "event"), ("alert", "alert"),
            ("usage", "usage_bucket b JOIN usage_series s ON s.id = b.series "
                      "WHERE s.meter LIKE 'hostile-c.%'")):
        found[what] = db.execute("SELECT count(*) FROM " + count
                                 ).fetchone()[0]
    db.close()
    return {k: n for k, n in found.items()
            if n > 0 and k not in ("~idem", "~pid")}


@both
def test_wrong_arguments(user):
    """Nothing of them is done, on a route that may write and one that may
    not; their calls commit, and nothing is stored."""
    with arena(user) as d:
        asker = Asker(d)
        for route in ("run", "keep"):
            for name in NONE:
                tap.equal(asker.ask(route, "ask-" + name), 0,
                          "done of %s/%s" % (route, name))
        tap.equal(asker.ask("drop", "ask-patches", 500), 0)
        leave(d, {})


@both
def test_cursors_of_others(user):
    """A list takes its own cursor, as it was given."""
    with arena(user) as d:
        asker = Asker(d)
        tap.equal(asker.ask("drop", "ask-cursors", 500), CURSORS)
        leave(d, {})


@both
def test_codes_with_nuls(user):
    """A NUL ends neither a name nor a code. What was tried stays."""
    with arena(user) as d:
        asker = Asker(d)
        tap.equal(asker.ask("drop", "ask-codes", 500), 0)
        leave(d, {"~code": 5})


@both
def test_a_thousand_of_each(user):
    """As many as a call may make are answered, and none of the rest; its
    call fails, and nothing is stored."""
    with arena(user) as d:
        asker = Asker(d)
        for op in OPS:
            tap.equal(asker.ask("drop", "many-%d" % op, 500), HOST_CALLS_MAX,
                      "done of op %d" % op)
        leave(d, {})


def leave(d, want):
    """The arena's own checks, while linlid runs; then what it has stored."""
    d.check_neighbour()
    d.check_state()
    d.before = None
    tap.equal(stored(d), want, "what is stored")


if __name__ == "__main__":
    tap.main()
