"""tests/scenario/test_parking_family.py: what parking knows of residents
(spec/parking.md, P46 and P47): "got home", and numbers of those who share."""

import contextlib
import json
import os
import sqlite3
import time

from linli_test import Daemon, wait_until
import tap

TARIFF = {"free_minutes": 30, "lost_fee_fen": 5000,
          "first": {"minutes": 60, "fee_fen": 500},
          "next": {"minutes": 30, "fee_fen": 200}}
CONFIG = {"lots": {"p1": {"name": "地下一层", "tariff": TARIFF}},
          "gates": {"g1": {"lot": "p1", "direction": "entry"},
                    "g2": {"lot": "p1", "direction": "exit"}},
          "passes": {"monthly": {"name": "月卡", "fee_fen": 30000,
                                 "months": 1, "plates_max": 2}}}
SEED = {"communities": [{"id": "demo", "name": "示范小区"}],
        "households": [{"id": "h1", "community": "demo",
                        "fields": {"plate": ["沪A12345"]}},
                       {"id": "h2", "community": "demo",
                        "fields": {"plate": ["沪B67890"]}}],
        "residents": [{"id": who, "community": "demo", "household": home}
                      for who, home in (("wang", "h1"), ("li", "h1"),
                                        ("zhou", "h2"))]}
NOTICE = {"field": "parking_trail", "purpose": "family_notice"}


class Park(Daemon):
    """A daemon with parking, and two households."""

    def __enter__(self):
        super().__enter__()
        path = os.path.join(self.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(SEED, f)
        self.linli_ok("seed", path)
        self.enable(self.source("plugins/parking"), config=CONFIG)
        return self

    def ask(self, method, path, body, who):
        """A write, that must succeed."""
        answer = self.call("parking", path, body, method=method,
                           key=os.urandom(8).hex(), as_="resident:" + who)
        assert answer.status // 100 == 2, answer
        return answer

    def me(self, method, path, body=None, who="wang"):
        """What a resident says to the host."""
        answer = self.http(method, "/v1/c/demo/me/" + path, body,
                           key=os.urandom(8).hex(), as_="resident:" + who)
        assert answer.status // 100 == 2, answer
        return answer.json

    def comes_home(self):
        """Wang's car comes in, and goes."""
        self.ask("POST", "/scan-entry", {"gate": "g1"}, "wang")
        self.ask("POST", "/scan-exit", {"gate": "g2"}, "wang")

    @staticmethod
    def pass_of(plate):
        """The body that buys a pass for a car."""
        return {"product_id": "monthly", "plates": [plate],
                "starts_on": time.strftime("%Y-%m-%d", time.gmtime(
                    time.time() + 2 * 86400)), "channel": "sim"}

    def seen(self, who):
        """The plates of the passes that somebody is shown unmasked."""
        answer = self.call("parking", "/passes", method="GET",
                           as_="resident:" + who)
        tap.equal(answer.status, 200, answer)
        return [p for item in answer.json["items"] for p in item["plates"]
                if "*" not in p]

    def refused(self, status, code, who, plate):
        """A pass that cannot be bought."""
        answer = self.call("parking", "/passes", self.pass_of(plate),
                           key=os.urandom(8).hex(), as_="resident:" + who)
        tap.equal((answer.status, answer.code[:len(code)]), (status, code),
                  answer)
        return answer

    def leaves(self, kind):
        """Those of a type in the log."""
        path = "file:%s?mode=ro" % os.path.join(self.data, "linli.db")
        with contextlib.closing(sqlite3.connect(path, uri=True)) as db:
            rows = db.execute("SELECT leaf FROM log_leaf ORDER BY idx")
            return [leaf for leaf in (json.loads(row[0]) for row in rows)
                    if leaf["type"] == kind]

    def heard(self, who):
        """Messages on somebody's phone."""
        answer = self.http("GET", "/v1/dev/sim/messages?to=" + who, headers={
            "Authorization": "Bearer " + self.ready["admin_token"]})
        tap.equal(answer.status, 200, answer)
        return [m["text"] for m in answer.json["items"]]


def test_plates_are_given_by_a_decision():
    """P45: those of the caller's household, as long as a decision says so;
    each time it is in the log."""
    with Park() as d:
        d.ask("POST", "/passes", d.pass_of("沪A12345"), "wang")
        tap.equal(d.seen("li"), ["沪A12345"], "of the same household")
        tap.equal(d.seen("zhou"), [], "of another one")
        d.refused(404, "parking/plate-unknown", "wang", "沪B67890")
        leaf = d.leaves("access")[-1]
        tap.equal((leaf["fields"], leaf["purpose"], leaf["basis"]),
                  (["plate"], "entry", "contract"))
        # Of a car that was scanned nothing is asked, and nothing is logged.
        scanned = d.ask("POST", "/scan-entry", {"gate": "g1"},
                        "wang").json["session_id"]
        before = len(d.leaves("access"))
        d.ask("POST", "/sessions/%s/quote" % scanned, {}, "wang")
        tap.equal(len(d.leaves("access")), before)
        d.me("POST", "objections", {"plugin": "parking",
                                    "objection": "block"}, "li")
        before = len(d.leaves("access"))
        tap.equal(d.seen("li"), [], "who objects")
        d.refused(403, "consent/denied", "li", "沪A12345")
        tap.equal(len(d.leaves("access")), before)
        tap.equal(d.seen("wang"), ["沪A12345"])


def test_plates_of_a_household_that_was_left():
    with Park() as d:
        d.ask("POST", "/passes", d.pass_of("沪A12345"), "li")
        tap.equal(d.seen("wang"), ["沪A12345"])
        answer = d.http("PUT", "/v1/c/demo/admin/residents/wang", {
            "household": "h1", "household_to": "2026-01-01T00:00:00+08:00"},
            key=os.urandom(8).hex(), as_="operator:op")
        tap.equal(answer.status, 200, answer)
        tap.equal(d.seen("wang"), [])
        d.refused(404, "parking/plate-unknown", "wang", "沪A12345")


def test_an_operator_ends_a_basis():
    """Then nobody's plates are given for it, whatever they say."""
    with Park() as d:
        d.ask("POST", "/passes", d.pass_of("沪A12345"), "wang")
        listed = d.http("GET", "/v1/c/demo/admin/bases", as_="operator:op")
        basis, = [b for b in listed.json["items"]
                  if (b["plugin"], b["purpose"]) == ("parking", "entry")]
        answer = d.http("DELETE", "/v1/c/demo/admin/bases/%s" % basis["id"],
                        key=os.urandom(8).hex(), as_="operator:op")
        tap.equal(answer.status // 100, 2, answer)
        tap.equal(d.seen("li"), [])
        answer = d.refused(403, "consent/", "wang", "沪A12345")
        tap.equal(answer.json["fields"], ["plate"])


def test_got_home():
    with Park() as d:
        d.ask("PUT", "/family", {"tell": True}, "wang")
        d.ask("PUT", "/family", {"hear": True}, "li")
        d.ask("PUT", "/family", {"hear": True}, "zhou")
        d.comes_home()
        time.sleep(1)
        tap.equal(d.heard("li"), [])
        text = d.me("GET", "asks?plugin=parking")["text_version"]
        d.me("POST", "consents", dict(NOTICE, plugin="parking",
                                      text_version=text))
        d.comes_home()
        wait_until(lambda: len(d.heard("li")) == 1, timeout_s=10)
        tap.contains(d.heard("li")[0], "平安到家")
        grant = [i for i in d.me("GET", "consents")["items"]
                 if i["withdrawable"] and i["state"] == "live"][0]["id"]
        d.me("DELETE", "consents/" + grant)
        d.comes_home()
        time.sleep(1)
        tap.equal(len(d.heard("li")), 1)
        # Another household, and who drives, hear nothing.
        tap.equal((d.heard("zhou"), d.heard("wang")), ([], []))


if __name__ == "__main__":
    tap.main()
