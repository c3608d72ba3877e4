#!/usr/bin/env python3
"""tests/scenario/test_usage_export.py: usage records as other systems read
them, in every format, while others are recorded (spec/metering.md, 14).
"""

import csv
import io
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)

MANIFEST = dict(
    meters={"probe.note": {"kind": "count", "unit": "note",
                           "max_per_call": 10}},
    routes=[{"method": "POST", "path": "/notes", "caller": ["resident"]}])
LUA = """
local p = require("linli").plugin()
p:post("/notes", function(call)
    call:meter("probe.note", call.body.count)
    return 201, {}
end)
return p
"""
RESIDENT = "zhang-three"
FORMATS = {"cloudevents": "application/x-ndjson",
           "cloudevents-batch": "application/cloudevents-batch+json",
           "csv": "text/csv",
           "openmeter": "application/cloudevents-batch+json",
           "lago": "application/json"}


class Bench:
    """A linlid with a plugin that meters, in `demo` and in `other`."""

    def __enter__(self):
        self.folder = temporary_folder()
        self.path = self.folder.__enter__()
        self.plugin = plugin_folder(self.path, probe_manifest(**MANIFEST),
                                    main__lua=LUA)
        self.d = Daemon()
        self.d.__enter__()
        self.d.enable(self.plugin)
        self.d.enable(self.plugin, community="other")
        return self

    def __exit__(self, *what):
        try:
            return self.d.__exit__(*what)
        finally:
            self.folder.__exit__(*what)

    def note(self, count=1, community="demo", who="resident:" + RESIDENT):
        """A call with three records: itself, its CPU time and its notes."""
        answer = self.d.call("probe", "/notes", {"count": count}, as_=who,
                             community=community, key=os.urandom(8).hex())
        tap.equal(answer.status, 201, answer)

    def ask(self, community="demo", as_="operator:o", **query):
        """GET usage/export."""
        text = "&".join("%s=%s" % item for item in sorted(query.items()))
        return self.d.http("GET", "/v1/c/%s/admin/usage/export?%s" % (
            community, text), as_=as_, community=community)

    def pages(self, fmt, limit, community="demo", after=0):
        """The documents from `after` to the end, and where that is."""
        found = []
        while True:
            answer = self.ask(community, format=fmt, after=after, limit=limit)
            tap.equal((answer.status, answer.headers["content-type"]),
                      (200, FORMATS[fmt]), answer)
            following = int(answer.headers["linli-next-after"])
            tap.equal(following >= after, True, (after, following))
            found.append(answer.text)
            if answer.headers["linli-more"] == "false":
                return found, following
            tap.equal(following > after, True, "a page that goes somewhere")
            after = following


def events(texts):
    """Of the format cloudevents."""
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_formats_agree():
    with Bench() as b:
        for count in (1, 2, 3):
            b.note(count)
            b.note(count, community="other")
        found = events(b.pages("cloudevents", 4)[0])
        tap.equal(len(found), 9)
        notes = [e for e in found if e["type"] == "probe.note"]
        tap.equal([e["data"]["qty"] for e in notes], ["1", "2", "3"])
        tap.equal(len({e["id"] for e in found}), 9)
        tap.equal(len({e["id"].split("-")[0] for e in found}), 3)
        tap.equal([e["data"]["lsn"] for e in found],
                  sorted(e["data"]["lsn"] for e in found))
        sources = {e["source"] for e in found}
        tap.equal(len(sources), 1)
        source = sources.pop()
        tap.equal((source[:16], source[-5:]), ("urn:linli:linli/", ":demo"))
        tap.equal({(e["specversion"], e["subject"], e["data"]["plugin"])
                   for e in found}, {("1.0", "sub_0", "probe")})
        # No resident is in any of them, and other formats say the same.
        for fmt in FORMATS:
            whole = "".join(b.pages(fmt, 4)[0])
            tap.equal((RESIDENT in whole, "resident" in whole),
                      (False, False), fmt)
        for fmt in ("cloudevents-batch", "openmeter"):
            tap.equal([e for text in b.pages(fmt, 4)[0]
                       for e in json.loads(text)], found)
        rows = [row for text in b.pages("csv", 4)[0]
                for row in csv.DictReader(io.StringIO(text))]
        tap.equal([(r["id"], r["meter"], r["subscription"], r["time"],
                    r["qty"], r["source"], int(r["lsn"])) for r in rows],
                  [(e["id"], e["type"], e["subject"], e["time"],
                    e["data"]["qty"], e["source"], e["data"]["lsn"])
                   for e in found])
        lago = [e for text in b.pages("lago", 4)[0]
                for e in json.loads(text)["events"]]
        tap.equal([(e["transaction_id"], e["external_subscription_id"],
                    e["code"], e["properties"]["qty"]) for e in lago],
                  [(e["id"], e["subject"], e["type"].replace(".", "_"),
                    e["data"]["qty"]) for e in found])
        # What is counted elsewhere is as much, and another's.
        other = events(b.pages("cloudevents", 100, community="other")[0])
        tap.equal(len(other), 9)
        tap.equal({e["id"] for e in other} & {e["id"] for e in found}, set())
        tap.equal(other[0]["source"][-6:], ":other")


def test_cursor_is_stable_while_others_record():
    with Bench() as b:
        stop = threading.Event()
        made = []

        def work(number):
            while not stop.is_set():
                b.note(1, who="resident:w%d" % number)
                b.note(1, community="other", who="resident:w%d" % number)
                made.append(1)

        workers = [threading.Thread(target=work, args=(i,)) for i in range(3)]
        for worker in workers:
            worker.start()
        seen, after, rounds = [], 0, 0
        try:
            while len(made) < 120 or rounds < 10:
                texts, after = b.pages("cloudevents", 7, after=after)
                seen += events(texts)
                rounds += 1
        finally:
            stop.set()
            for worker in workers:
                worker.join()
        texts, after = b.pages("cloudevents", 7, after=after)
        seen += events(texts)
        # Read in pieces while it grew, and at once when it had: the same.
        tap.equal(seen, events(b.pages("cloudevents", 10000)[0]))
        tap.equal(sum(int(e["data"]["qty"]) for e in seen
                      if e["type"] == "probe.note"), len(made))
        b.d.kill()
        b.d.start()
        tap.equal(events(b.pages("cloudevents", 1000)[0]), seen)


def test_refusals():
    with Bench() as b:
        b.note()
        for query, code in ((dict(format="xml"), "request/invalid"),
                            (dict(limit=0), "request/invalid"),
                            (dict(limit=10001), "request/invalid"),
                            (dict(format="lago", limit=101),
                             "request/invalid"),
                            (dict(after=-1), "request/invalid"),
                            (dict(afer=1), "request/invalid"),
                            (dict(after=1000), "request/cursor")):
            answer = b.ask(**query)
            tap.equal((answer.status // 100, answer.code), (4, code), query)
        answer = b.ask(as_="resident:r1")
        tap.equal((answer.status, answer.code), (403, "auth/forbidden"))
        answer = b.ask(after=3)
        tap.equal((answer.status, answer.text, answer.headers["linli-more"],
                   answer.headers["linli-next-after"]),
                  (200, "", "false", "3"))


def test_of_a_plugin_that_is_sold():
    """Who has no subscription is refused; who has one is a number."""
    with Bench() as b:
        b.note()
        plan = {"name": "basic", "plugin": "probe",
                "plan": {"interval": "month", "anchor": "calendar",
                         "charges": [{"id": "notes", "kind": "unit",
                                      "meter": "probe.note",
                                      "unit_fen": "10"}]}}
        for fee in ("10", "20"):
            plan["plan"]["charges"][0]["unit_fen"] = fee
            answer = b.d.http("POST", "/v1/c/demo/admin/plans", plan,
                              as_="operator:o")
            tap.equal(answer.status, 201, answer)
        answer = b.d.http("POST", "/v1/c/demo/admin/subscriptions", {
            "plan": "basic", "payers": [{"kind": "resident",
                                         "id": RESIDENT}]},
            as_="operator:o", key="k1")
        tap.equal(answer.status, 201, answer)
        sub = answer.json["id"]
        b.note(4)
        found = [e for e in events(b.pages("cloudevents", 100)[0])
                 if e["type"] == "probe.note"]
        tap.equal([(e["subject"], e["data"]["qty"], e["data"].get("plan"),
                    e["data"].get("plan_version")) for e in found],
                  [("sub_0", "1", None, None), (sub, "4", "basic", 2)])
        rows = csv.DictReader(io.StringIO(b.pages("csv", 100)[0][0]))
        tap.equal([(r["subscription"], r["plan"], r["plan_version"])
                   for r in rows if r["meter"] == "probe.note"],
                  [("sub_0", "", ""), (sub, "basic", "2")])
        whole = "".join(b.pages("lago", 100)[0])
        tap.equal((RESIDENT in whole, sub in whole), (False, True))


def read(path):
    """A file's text."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_command():
    with Bench() as b:
        for count in (1, 2, 3):
            b.note(count)
        whole = {fmt: "".join(b.pages(fmt, 100)[0]) for fmt in FORMATS}
        tap.equal(b.d.linli_ok("usage", "export").out, whole["cloudevents"])
        for fmt in ("csv", "lago"):
            tap.equal(b.d.linli_ok("usage", "export", "--format", fmt)
                      .out.strip(), whole[fmt].strip())
        tap.equal(b.d.linli_ok("usage", "export", "--after", "9",
                               "--format", "lago").out, "")
        for words in (("--format", "xml"), ("--after", "x")):
            tap.equal(b.d.linli("usage", "export", *words).code, 2, words)


def test_command_goes_on():
    with Bench() as b:
        b.note(1)
        for fmt in FORMATS:
            out = os.path.join(b.path, fmt)
            words = ("usage", "export", "--format", fmt, "--out", out)
            said = b.d.linli_ok(*words, "--json").json
            tap.equal(said["bytes"], len(read(out)))
            tap.equal(json.loads(read(out + ".cursor")),
                      dict(said, format=fmt, community="demo"))
            before = read(out)
            b.d.linli_ok(*words)
            tap.equal(read(out), before, "nothing new")
            b.note(2)
            # It was killed between the records and the cursor: half a line.
            with open(out, "a", encoding="utf-8") as file:
                file.write('{"specversion":"1.0","id":"torn')
            b.d.linli_ok(*words)
            tap.equal(read(out).startswith(before), True)
            tap.equal("torn" in read(out), False)
            if fmt in ("cloudevents", "csv"):
                tap.equal(read(out), "".join(b.pages(fmt, 10000)[0]))
            else:
                docs = [json.loads(line) for line in read(out).splitlines()]
                docs = [d["events"] if fmt == "lago" else d for d in docs]
                wanted = json.loads(b.pages(fmt, 100)[0][0])
                tap.equal([e for d in docs for e in d],
                          wanted["events"] if fmt == "lago" else wanted)
        # What is not ours to go on with is left alone.
        other = os.path.join(b.path, "other")
        with open(other, "w", encoding="utf-8") as file:
            file.write("precious")
        tap.equal(b.d.linli("usage", "export", "--out", other).code, 2)
        tap.equal(read(other), "precious")
        csv_file = os.path.join(b.path, "csv")
        for words in (("--format", "lago"), ("--format", "csv",
                                             "--after", "3")):
            done = b.d.linli("usage", "export", "--out", csv_file, *words)
            tap.equal(done.code, 2, repr(done))
        with open(csv_file, "w", encoding="utf-8"):
            pass  # records that the cursor counts on are gone
        done = b.d.linli("usage", "export", "--out", csv_file,
                         "--format", "csv")
        tap.equal((done.code, read(csv_file)), (2, ""), repr(done))


if __name__ == "__main__":
    tap.main()
