"""tests/lib/histories.py: random histories, and the judge of them.

A history is a few clients that send transactions to one collection at the
same time: scripts for the plugin tests/plugins/histories. Each answer tells
all that its transaction read, and its place in the order of commits. The
judge replays all of them in that order against tests/lib/history_model.py:
they must have read just what the model reads (so the history is
serializable), and where one was answered before another was sent, its place
must be before the other's (so it is strictly so).

`History.judge` says what is wrong, `tell` in as few words as possible.
"""

import json
import random

import history_model
from history_model import INDEXES, Fail, Transaction, text_of

PLUGIN = "histories"
COLLECTIONS = 48
# The last is longer than one call may hold the lock of the space.
WAITS_MS = (0, 1, 2) * 50 + (230,)
# Endings that are no fault of the order: nothing of the call has happened.
NOTHING = {"runtime/conflict", "runtime/busy", "sandbox/crashed"}


def manifest():
    """The plugin's; a history has a collection of its own while it runs."""
    names = ["c%02d" % i for i in range(COLLECTIONS)]
    routes = [{"method": "POST", "path": "/run", "caller": ["resident"]},
              {"method": "POST", "path": "/look", "caller": ["resident"],
               "safe": True, "billed": False},
              {"method": "POST", "path": "/peek", "caller": ["resident"],
               "safe": True}]
    return {"id": PLUGIN, "version": "1.0.0", "abi": 1, "runtime": "lua",
            "main": "main.lua", "limits": {"wall_ms": 30000},
            "collections": {name: {"indexes": INDEXES} for name in names},
            "routes": routes, "events": {"publishes": ["histories.told"]},
            "problems": {"histories/no": {
                "status": 409, "title": {"en": "No", "zh-CN": "不行"}}}}


# -- scripts ------------------------------------------------------------------

class Author:
    """Writes random scripts over the keys of one history."""

    def __init__(self, rng, keys):
        self.rng = rng
        self.keys = keys

    def key(self):
        return self.rng.choice(self.keys)

    def value(self, field):
        return self.rng.choice({
            "a": (None, 0, 1, 1, -7, "x"), "b": (None, 0, 1, 2, True, "y"),
            "u": (None, None, None, 1, 2, "z")}[field])

    def doc(self, key=None):
        rng = self.rng
        doc = {"id": key or self.key(), "n": rng.randrange(10)}
        for field in "abu":
            value = self.value(field)
            if value is not None or rng.random() < 0.2:
                doc[field] = value
        if rng.random() < 0.5:
            doc["f"] = rng.randrange(100)
            doc["t"] = doc["f"] + rng.randrange(1, 51)
        return doc

    def range(self):
        """A range of an index, or of the whole collection."""
        rng = self.rng
        query = {}
        index = rng.choice((None, "by_a", "by_a", "by_b", "by_u", "by_time"))
        if index is not None:
            fields = {"by_time": ["a", "n", "n"]}.get(
                index, INDEXES[index]["fields"])
            values = [rng.randrange(100) if field == "n"
                      else self.value(field) for field in fields]
            fixed = rng.randrange(len(values) + 1)
            query = {"index": index}
            if fixed > 0:
                query["eq"] = values[:fixed]
            for bound in ("from", "to"):
                if fixed < len(values) and rng.random() < 0.4:
                    query[bound] = [
                        rng.randrange(100) if field == "n"
                        else self.value(field)
                        for field in fields[fixed:fixed + 1]]
        return query

    def query(self):
        """The same, from either end."""
        query = self.range()
        if self.rng.random() < 0.3:
            query["descending"] = True
        return query

    def limited(self):
        query = self.query()
        if self.rng.random() < 0.6:
            query["limit"] = self.rng.randrange(1, 4)
        return query

    def interval(self):
        begin = self.rng.randrange(120)
        return ["by_time", self.value("a"), begin,
                begin + self.rng.randrange(1, 60)]

    def reading(self):
        """One step that reads, with its further pages."""
        kind = self.rng.choice(("get", "get", "find", "list", "list", "count",
                                "over", "over1"))
        if kind == "get":
            return [["get", self.key()]]
        if kind == "find":
            index, fields = self.rng.choice(
                (("by_a", "a"), ("by_a", "ab"), ("by_b", "b"), ("by_u", "u")))
            return [["find", index] + [self.value(f) for f in fields]]
        if kind == "count":
            return [["count", self.range()]]
        if kind == "list":
            return [["list", self.limited()]] + [["more"]] * self.rng.choice(
                (0, 0, 1, 2))
        return [[kind] + self.interval()]

    def writing(self):
        """One step that writes."""
        kind = self.rng.choice(("insert", "put", "patch", "patch", "delete",
                                "add", "add", "sum"))
        if kind in ("insert", "put"):
            return [[kind, self.doc()]]
        if kind == "patch":
            changes = self.doc()
            key = changes.pop("id")
            for name in self.rng.sample("abu", 2):
                changes.pop(name, None)
            if "f" not in changes and self.rng.random() < 0.2:
                changes["f"] = changes["t"] = None
            return [["patch", key, changes]]
        if kind == "delete":
            return [["delete", self.key()]]
        if kind == "add":
            return [["add", self.key(), self.rng.randrange(1, 9)]]
        return [["sum", self.limited(), self.key()]]

    def refusing(self):
        if self.rng.random() < 0.5:
            return [["fail_if", self.key(), self.rng.random() < 0.3]]
        return [["fail_over", self.range(), self.rng.randrange(1, 4)]]

    def script(self, writes):
        """Steps and a status; 0 is an error of the plugin's."""
        rng = self.rng
        steps = []
        if writes and rng.random() < 0.15:
            steps.append(["tell", rng.randrange(9)])
        if not writes and rng.random() < 0.4:  # soon answered
            return {"steps": [["get", self.key()]
                              for _ in range(rng.randrange(1, 3))],
                    "status": 200}
        for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 5))):
            kind = rng.random()
            if writes and kind < 0.55:
                steps += self.writing()
            elif kind < 0.65:
                steps += self.refusing()
            else:
                steps += self.reading()
            if rng.random() < 0.2:
                steps.append(["wait", rng.choice(WAITS_MS)])
        status = rng.choice((200,) * 20 + (409, 409, 500, 0))
        return {"steps": steps, "status": status}


# -- a history ----------------------------------------------------------------

class Sent:
    """A transaction of a client, and what became of it."""

    def __init__(self, client, route, script):
        self.client, self.route, self.script = client, route, script
        self.sent = self.answered = None  # ns, of one clock
        self.answer = None                # status, headers, body
        self.epoch = 0    # how often linlid was killed before
        self.serial = None

    @property
    def outcome(self):
        """"returned", "failed", "error" or "nothing", and what it said."""
        status, headers, body = self.answer
        if not headers["content-type"].startswith("application/problem+json"):
            return "returned", json.loads(body)
        problem = json.loads(body)
        code = problem["code"]
        if code == "histories/no":
            return "failed", problem["detail"]
        if code == "plugin/error" and self.script["status"] == 0:
            return "error", None
        if code in NOTHING:
            return "nothing", code
        return "unexpected", "%d %s" % (status, body)

    @property
    def commits(self):
        """Whether it has a commit of its own."""
        return (self.route != "look" and self.outcome[0] == "returned"
                and self.answer[0] < 500)

    @property
    def told(self):
        """The events that must be there because of it."""
        return [(self.serial, step[1]) for step in self.script["steps"]
                if step[0] == "tell" and self.commits]

    @property
    def place(self):
        """Its place in the order: who only looked comes after the commit
        that it saw."""
        number = int(self.answer[1]["linli-commit"])
        return self.epoch, number, 0 if self.commits else 1

    def line(self):
        """It in one line."""
        steps = " ".join(text_of(step) for step in self.script["steps"])
        return "client %d %s %s -> %d" % (
            self.client, self.route, steps, self.script["status"])


class History:
    """What the clients of one history will send: clients is a list of lists
    of (route, script). The first of client 0 goes first, alone; the last of
    it last."""

    def __init__(self, seed, clients):
        self.seed = seed
        self.clients = clients
        self.sent = []

    @classmethod
    def random(cls, seed):
        """The history of a seed. One in eight has more documents than a list
        reads at once."""
        rng = random.Random(seed)
        wide = rng.random() < 0.125
        keys = ["%d:%d" % (seed, i)
                for i in range(14 if wide else rng.randrange(3, 7))]
        author = Author(rng, keys)
        filled = [key for key in keys if wide or rng.random() < 0.6]
        first = [["put", author.doc(key)] for key in filled]
        last = [["list", {"limit": 100}]] + [["delete", key] for key in keys]
        clients = []
        for _ in range(rng.choice((2, 2, 3, 3, 4))):
            client = []
            for _ in range(rng.randrange(1, 5)):
                route = rng.choice(("run",) * 7 + ("look",) * 3 + ("peek",))
                client.append((route, author.script(route == "run")))
            clients.append(client)
        clients.append([("run", {"steps": first, "status": 200}),
                        ("run", {"steps": last, "status": 200})])
        return cls(seed, clients)

    # -- the judge --

    def judge(self):
        """Fill self.wrong with what is wrong; True if nothing is."""
        self.wrong = []
        told = [t for t in self.sent if t.outcome[0] != "nothing"]
        for t in told:
            if t.outcome[0] == "unexpected":
                self.wrong = ["an answer that nobody expects: %s\n  %s"
                              % (t.outcome[1], t.line())]
                return False
        order = sorted(told, key=lambda t: t.place)
        self.replay(order)
        if not self.wrong:
            self.real_time(order)
        return not self.wrong

    def replay(self, order):
        """Each must have read what the model reads at its place."""
        docs, last = {}, None
        for t in order:
            if last is not None and t.commits and t.place == last.place:
                self.wrong.append("two commits have one number\n  %s\n  %s"
                                  % (t.line(), last.line()))
            model = Transaction(docs)
            problem = compare(t, model)
            if problem:
                self.wrong.append(problem)
                self.tell(order, t, docs)
                return
            if t.commits:
                docs, last = model.docs, t

    def real_time(self, order):
        """Who was answered before another was sent has the earlier place."""
        for i, early in enumerate(order):
            for late in order[i + 1:]:
                if late.answered < early.sent and late.place > early.place:
                    self.wrong.append(
                        "answered before the other was sent, and after it in "
                        "the order:\n  at %r: %s\n  at %r: %s" % (
                            late.place, late.line(),
                            early.place, early.line()))
                    return

    def tell(self, order, wrong, docs):
        """The state before the first that is wrong, and who was about."""
        about = [t for t in order if t is not wrong
                 and t.sent < wrong.answered and t.answered > wrong.sent]
        self.wrong.append("at %r: %s" % (wrong.place, wrong.line()))
        self.wrong.append("documents at this place: %s"
                          % text_of(list(docs.values())))
        for t in about:
            self.wrong.append("at the same time, at %r: %s\n    said %s" % (
                t.place, t.line(), text_of(t.outcome[1])))


def compare(t, model):
    """What differs between the answer and the model, or None."""
    kind, said = t.outcome
    try:
        model.follow(t.script)
        want = "error" if t.script["status"] == 0 else "returned"
    except Fail:
        want = "failed"
    if kind != want:
        return "it is to have %s, and has %s: %s" % (want, kind, text_of(said))
    if kind == "failed" and said != model.detail():
        return "failed after reading %s, not %s" % (said, model.detail())
    if kind != "returned":
        return None
    if t.answer[0] != t.script["status"]:
        return "it answered %d" % t.answer[0]
    for step, got, want in zip(t.script["steps"], said["read"], model.read):
        if text_of(got) != text_of(want):
            return "step %s read %s, not %s" % (
                text_of(step), text_of(got), text_of(want))
    # A cursor that leads to nothing is allowed, a missing one is not.
    for got, want in zip(said["more"], model.more):
        if want and not got:
            return "a list has no cursor, and is not at its end"
    return None


__all__ = ["History", "Sent", "manifest", "history_model"]
