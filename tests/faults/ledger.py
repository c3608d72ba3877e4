"""tests/faults/ledger.py: a ledger under load, and an audit of its file.

Clients make entries through tests/plugins/tally and write into a Book what
they were told. Whatever happens to linlid meanwhile, Audit then reads a copy
of the database, by its own knowledge of spec/metering.md and
runtime/store/schema.sql and through nothing of the runtime, and fails unless

- everything acknowledged is there once, with its usage, its timer or the
  timer's effect, its event, and its answer under the key;
- nothing is there in part: each entry has all of that, acknowledged or not;
- the sums are those of the entries, the records those of the buckets.
"""

import collections
import contextlib
import glob
import hashlib
import http.client
import json
import os
import random
import shutil
import sqlite3
import struct
import tempfile
import threading
import time

import tap
from linli_test import Daemon, wait_until

COMMUNITY = "demo"
CLIENTS = 10
SLOT_MS = 900000
RECORD = struct.Struct("<QQqqIIQ")
Record = collections.namedtuple(
    "Record", "call_high call_low at quantity series cpu_us event")
# What a client may be told that is no answer to its call: it asks again.
NOT_NOW = ("store/failed", "runtime/draining", "runtime/busy",
           "request/in-progress", "sandbox/crashed")


def config(*plugins, **more):
    """linlid's configuration: these plugins of tests/plugins."""
    return dict({"rate_limit": "off", "plugins": [
        {"path": Daemon.source("tests/plugins/" + p), "community": COMMUNITY}
        for p in plugins]}, **more)


class Entry:
    """One POST: what was sent, and what came back."""

    def __init__(self, client, number):
        self.id = "%s-%06d" % (client, number)
        self.key = "key-" + self.id
        self.amount = random.randint(1, 1000)
        self.after_ms = random.choice((0, 0, 50, 300, 1000, 3000))
        self.answer = None  # (status, body), once acknowledged

    @property
    def body(self):
        """The request's bytes."""
        return json.dumps({"id": self.id, "amount": self.amount,
                           "after_ms": self.after_ms}).encode()


class Client(threading.Thread):
    """One keep-alive connection that calls until it breaks or is told to
    stop; `wrong` says what an answer must not have been."""

    def __init__(self, daemon, name, past):
        super().__init__(name=name)
        self.resident = name
        if past.token is None:  # the key that signed it outlives linlid
            past.token = daemon.token("resident:" + name, ttl_s=86400)
        self.address = (daemon.host, daemon.port)
        self.past = past      # of this name, all rounds: Past
        self.wrong = []
        self.refusals = collections.Counter()
        self.ending = False
        self.broken = None    # what ended the connection
        self.connection = None

    def send(self, method, path, body=None, key=None):
        """(status, names of headers, body) of one call on the connection."""
        headers = {"Authorization": "Bearer " + self.past.token}
        if key is not None:
            headers["Idempotency-Key"] = key
            headers["Content-Type"] = "application/json"
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                *self.address, timeout=30)
        self.connection.request(
            method, "/v1/c/%s%s" % (COMMUNITY, path), body, headers)
        answer = self.connection.getresponse()
        names = {name.lower() for name, _ in answer.getheaders()}
        return answer.status, names, answer.read()

    def post(self, entry):
        """Sends an entry, for the first time or again."""
        self.past.open[entry.id] = entry
        status, headers, body = self.send(
            "POST", "/tally/entries", entry.body, entry.key)
        if status in (409, 503) and self.refused(status, body):
            return False
        if status != 201:
            self.wrong.append((entry.id, status, body))
        elif entry.answer not in (None, (status, body)):
            self.wrong.append((entry.id, "was", entry.answer, "is", body))
        elif entry.answer and "idempotency-replayed" not in headers:
            self.wrong.append((entry.id, "made anew", headers))
        entry.answer = (status, body)
        if self.past.open.pop(entry.id, None) is not None:
            self.past.known.append(entry)
        return True

    def refused(self, status, body):
        """Whether the body is a problem that asks to try again."""
        with contextlib.suppress(ValueError):
            code = json.loads(body).get("code")
            if code in NOT_NOW:
                self.refusals[code] += 1
                time.sleep(0.02)
                return True
        return False

    def read(self, plugin, path, counter):
        """A read that must see what this client was told of."""
        self.past.issued[counter] += 1
        status, _, body = self.send("GET", "/" + plugin + path)
        if status == 503 and self.refused(status, body):
            return
        if status != 200:
            self.wrong.append((path, status, body))
        self.past.told[counter] += 1

    def step(self):
        """One call, mostly a new entry."""
        dice = random.random()
        known = self.past.known
        if dice < 0.6 or not known:
            self.past.count += 1
            self.post(Entry(self.resident, self.past.count))
            return
        entry = known[-1] if dice < 0.65 else random.choice(known)
        if dice < 0.75:
            self.post(entry)
        elif dice < 0.85:
            self.read("tally", "/entries/" + entry.id, "entry")
        elif dice < 0.93:
            self.read("listener", "/glance/" + entry.id, "relaxed")
        else:
            self.read("listener", "/heard/" + entry.id, "strict")

    def run(self):
        try:
            for entry in list(self.past.open.values()):
                self.post(entry)
            while not self.ending and not self.wrong:
                self.step()
        except (OSError, http.client.HTTPException) as failure:
            self.broken = failure
        finally:
            if self.connection is not None:
                self.connection.close()


class Past:
    """What one client has ever sent and been told."""

    def __init__(self):
        self.token = None
        self.count = 0
        self.open = {}    # sent, and not acknowledged
        self.known = []   # acknowledged, in that order
        self.issued = collections.Counter()
        self.told = collections.Counter()


class Book:
    """All clients' pasts, over any number of lives of one linlid."""

    def __init__(self, clients=CLIENTS):
        self.pasts = {"c%d" % i: Past() for i in range(clients)}
        self.running = []
        self.refusals = collections.Counter()

    def begin(self, daemon):
        """Starts the clients."""
        self.running = [Client(daemon, name, past)
                        for name, past in self.pasts.items()]
        for client in self.running:
            client.start()

    def end(self, broken=False):
        """Waits for the clients; unless linlid was killed they must not have
        lost their connections. Fails for a wrong answer."""
        for client in self.running:
            client.ending = True
        for client in self.running:
            client.join(60)
            tap.equal(client.is_alive(), False, "a client hangs")
            tap.equal(client.wrong, [], "wrong answers")
            if not broken:
                tap.equal(client.broken, None, "a lost connection")
            self.refusals += client.refusals

    def finish_open(self, daemon):
        """Sends again whatever was never acknowledged."""
        for name, past in self.pasts.items():
            client = Client(daemon, name, past)
            for entry in list(past.open.values()):
                if not wait_until(lambda e=entry, c=client: c.post(e), 10.0):
                    raise AssertionError("refused for 10 s: " + entry.id)
            tap.equal(client.wrong, [], "wrong answers")
            if client.connection is not None:
                client.connection.close()

    def replay(self, daemon, each):
        """Sends known entries again, of each client the last ones and some
        others: their answers must be the same, byte for byte."""
        for name, past in self.pasts.items():
            client = Client(daemon, name, past)
            some = past.known[-each:] + random.sample(
                past.known, min(each, len(past.known)))
            for entry in some:
                client.post(entry)
            tap.equal(client.wrong, [], "wrong answers")
            if client.connection is not None:
                client.connection.close()

    @property
    def known(self):
        """Every acknowledged entry by its id."""
        return {e.id: e for p in self.pasts.values() for e in p.known}

    @property
    def sent(self):
        """Every entry ever sent, by its id."""
        return {**self.known,
                **{k: e for p in self.pasts.values()
                   for k, e in p.open.items()}}

    def issued(self, *counters):
        """How many reads were sent."""
        return sum(p.issued[c] for p in self.pasts.values() for c in counters)

    def told(self, *counters):
        """How many were answered."""
        return sum(p.told[c] for p in self.pasts.values() for c in counters)


@contextlib.contextmanager
def database(folder):
    """A connection to a copy of linli.db with its log, as it lies in a data
    directory that nobody uses: opening it changes nothing there."""
    copy = tempfile.mkdtemp(prefix="linli-test-")
    try:
        for path in glob.glob(os.path.join(folder, "linli.db*")):
            if not path.endswith("-shm"):
                shutil.copy(path, copy)
        db = sqlite3.connect(os.path.join(copy, "linli.db"))
        try:
            yield db
        finally:
            db.close()
    finally:
        shutil.rmtree(copy, ignore_errors=True)


class Audit:
    """What a database holds; `check` compares it with a Book."""

    def __init__(self, folder):
        with database(folder) as db:
            tap.equal(db.execute("PRAGMA integrity_check").fetchall(),
                      [("ok",)], "integrity")
            self.spaces = {i: p for i, p in db.execute(
                "SELECT id, plugin FROM space WHERE community = ?",
                (COMMUNITY,))}
            self.names = {i: (self.spaces.get(s), n) for i, s, n in db.execute(
                "SELECT id, space, name FROM collection")}
            self.documents = self.read_documents(db)
            self.events = {seq: json.loads(body[1:]) for seq, body
                           in db.execute("SELECT seq, body FROM event "
                                         "WHERE type = 'tally.entered'")}
            self.usage = self.read_usage(db)
            self.commit = db.execute("SELECT value FROM meta WHERE "
                                     "name = 'commit'").fetchone()[0]

    def read_documents(self, db):
        """{(plugin, collection): {id: document}}; sealed ones are None."""
        found = collections.defaultdict(dict)
        for coll, doc_id, body in db.execute(
                "SELECT collection, id, body FROM doc"):
            found[self.names[coll]][doc_id] = \
                json.loads(body[1:]) if body[:1] == b"\0" else None
        return found

    def read_usage(self, db):
        """{(plugin, meter): [Record]}; checks the chain, the LSNs and the
        buckets on the way: spec/metering.md, M14 to M19."""
        series = {i: (self.spaces[s], m) for i, s, m in db.execute(
            "SELECT id, space, meter FROM usage_series")}
        found, sums = collections.defaultdict(list), collections.Counter()
        before, last = bytes(32), 0
        for first, end, count, digest, content in db.execute(
                "SELECT first, last, count, hash, content FROM usage_segment "
                "ORDER BY first"):
            before = hashlib.sha256(before + content).digest()
            tap.equal((first, end - first + 1, len(content), digest),
                      (last + 1, count, count * RECORD.size, before),
                      "segment %d" % first)
            last = end
            for record in map(Record._make, RECORD.iter_unpack(content)):
                found[series[record.series]].append(record)
                slot = record.at // SLOT_MS * SLOT_MS
                sums[record.series, slot] += record.quantity
                sums[record.series, slot, "n"] += 1
        buckets = collections.Counter()
        for number, slot, quantity, count in db.execute(
                "SELECT series, slot, quantity, count FROM usage_bucket"):
            buckets[number, slot] += quantity
            buckets[number, slot, "n"] += count
        tap.equal(buckets, sums, "buckets and records")
        return found

    def check(self, book):
        """Fails unless the file says what the Book says, and all of it."""
        docs = self.documents
        entries = docs["tally", "entry"]
        for entry in book.known.values():
            if entry.id not in entries:
                raise AssertionError("acknowledged and lost: %s" % entry.id)
        sent = book.sent
        for entry_id, entry in entries.items():
            tap.equal(entry["amount"], sent[entry_id].amount, entry_id)
        tap.equal(sorted(docs["tally", "~meter"]),
                  sorted("tally.entry/" + i for i in entries), "event ids")
        tap.equal(len(docs["tally", "~idem"]), len(entries), "kept answers")
        self.check_sums(entries)
        self.check_usage(entries, book)
        self.check_timers(entries)
        self.check_events(entries)

    def sum(self, name):
        """(count, amount) of a sum."""
        found = self.documents["tally", "sum"].get(
            name, {"count": 0, "amount": 0})
        return found["count"], found["amount"]

    def check_sums(self, entries):
        """The plugin's own sums are those of its entries."""
        tap.equal(self.sum("entered"),
                  (len(entries), sum(e["amount"] for e in entries.values())),
                  "sum of the entries")

    def check_usage(self, entries, book):
        """Each commit is billed, and nothing else is."""
        events = [r.event for r in self.usage["tally", "tally.entry"]]
        named = [int.from_bytes(hashlib.sha256(i.encode()).digest()[:8],
                                "little") for i in entries]
        tap.equal(sorted(events), sorted(named), "records of tally.entry")
        calls = self.usage["tally", "linli.call"]
        tap.equal(len(calls), len(entries), "records of linli.call")
        tap.equal({(r.call_high, r.call_low) for r in calls},
                  {(r.call_high, r.call_low) for r
                   in self.usage["tally", "tally.entry"]}, "calls billed")
        tap.equal(len({(r.call_high, r.call_low) for r in calls}),
                  len(calls), "calls billed twice")
        reads = len(self.usage["listener", "linli.call"])
        least, most = book.told("strict"), book.issued("strict", "relaxed")
        if not least <= reads <= most:
            raise AssertionError("%d reads are billed; %d were answered, %d "
                                 "were asked" % (reads, least, most))

    def check_timers(self, entries):
        """A timer waits for each entry that is not settled, and no other."""
        waiting = sorted(self.documents["tally", "~work"])
        settled = [e for e in entries.values() if e["settled"] == 1]
        tap.equal(waiting, sorted(i for i, e in entries.items()
                                  if e["settled"] == 0), "timers that wait")
        tap.equal(len(settled) + len(waiting), len(entries), "settled twice")
        tap.equal(self.sum("settled"),
                  (len(settled), sum(e["amount"] for e in settled)),
                  "sum of the settled")

    def check_events(self, entries):
        """One event an entry; those up to the cursor are heard, once."""
        tap.equal(sorted(e["id"] for e in self.events.values()),
                  sorted(entries), "events")
        cursor = self.documents["listener", "~cursor"].get("events")
        upto = cursor["seq"] if cursor else 0
        heard = self.documents["listener", "heard"]
        tap.equal(sorted(heard), sorted(
            e["id"] for seq, e in self.events.items() if seq <= upto),
            "events up to the cursor %d" % upto)
        for found in heard.values():
            tap.equal((found["times"], found["amount"]),
                      (1, entries[found["id"]]["amount"]), found["id"])

    def check_over(self):
        """Nothing is left to be done."""
        tap.equal(self.documents["tally", "~work"], {}, "timers that wait")
        tap.equal(len(self.documents["listener", "heard"]),
                  len(self.documents["tally", "entry"]), "events heard")


def settle(daemon, book, timeout_s=60.0):
    """Waits until every timer has fired and every event was heard."""
    last = max((e for p in book.pasts.values() for e in p.known),
               key=lambda e: json.loads(e.answer[1])["place"], default=None)
    if last is None:
        return

    def over():
        sums = daemon.call("tally", "/sum", method="GET").json
        heard = daemon.call("listener", "/glance/" + last.id, method="GET",
                            as_="resident:observer").json
        book.pasts["c0"].issued["relaxed"] += 1
        settled = sums.get("settled", {"count": 0})
        return sums["entered"]["count"] == settled["count"] \
            and heard["times"] == 1
    if not wait_until(over, timeout_s, 0.1):
        raise AssertionError("not settled in %d s: %r" % (
            timeout_s, daemon.call("tally", "/sum", method="GET").json))


def restart(daemon, book):
    """Starts linlid again; the seconds from exec until a client had its
    first answer, that of a new entry which was durable by then."""
    name, past = next(iter(book.pasts.items()))
    start = time.monotonic()
    daemon.restart()
    client = Client(daemon, name, past)
    past.count += 1
    if not client.post(Entry(name, past.count)):
        raise AssertionError("refused: %r" % client.refusals)
    seconds = time.monotonic() - start
    tap.equal(client.wrong, [], "wrong answers")
    client.connection.close()
    return seconds
