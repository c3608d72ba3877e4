#!/usr/bin/env python3
"""tests/scenario/test_people.py: spec/consent.md, section 5, live: what is kept
of residents, who acts for whom, and the days on which that changes."""

import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, wait_until  # noqa: E402

SEED = {
    "communities": [{"id": "demo", "zone": "Asia/Shanghai"}],
    "households": [{"id": "h1", "community": "demo", "unit": "3-501",
                    "plates": ["沪A12345"],
                    "fields": {"address": "3幢501", "door_code": "1234#"}}],
    "residents": [
        {"id": "wang", "community": "demo", "household": "h1",
         "name": "王阿姨", "birth_date": "1953-05-17",
         "fields": {"phone": "13800001111", "heart_rate": 72}},
        {"id": "li", "community": "demo", "birth_date": "1985-01-02"},
        {"id": "kid", "community": "demo", "household": "h1",
         "birth_date": "2016-02-29", "fields": {"phone": "110"}},
        {"id": "far", "community": "demo"}],
    "guardians": [
        {"ward": "kid", "guardian": "li", "kind": "parent", "accepted": True,
         "verified": True, "class_ceiling": "C2"}]}


class People(Daemon):
    """A linlid with residents, on 2030-02-01."""

    def __init__(self, **more):
        super().__init__(options=["--clock=virtual"], **more)

    def seeded(self, seed=None, fails=False):
        """What `linli seed` says."""
        path = os.path.join(self.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(seed or SEED, f)
        if fails:
            done = self.linli("seed", path)
            tap.equal(done.code, 1, done)
            return done.err
        return self.linli_ok("seed", path, "--json").json

    def begin(self, at="2030-02-01T00:00:00+08:00"):
        """Sets the clock and seeds."""
        self.linli_ok("clock", "set", at)
        return self.seeded()

    def me(self, method, path, who, body=None):
        """A resident's own path."""
        return self.http(method, "/v1/c/demo/me/" + path, body,
                         as_="resident:" + who)

    def admin(self, method, path, body=None):
        """An operator's."""
        return self.http(method, "/v1/c/demo/admin/" + path, body,
                         as_="operator:o")

    def values(self, who, query=""):
        """{field: value} of those that are told."""
        answer = self.me("GET", "fields" + query, who)
        tap.equal(answer.status, 200, answer)
        return {f["field"]: f["value"] for f in answer.json["items"]
                if "value" in f}

    def leaves(self):
        """The lines of the log; the daemon is stopped."""
        with sqlite3.connect(os.path.join(self.data, "linli.db")) as db:
            return [x[0].decode() if isinstance(x[0], bytes) else x[0]
                    for x in db.execute(
                        "SELECT leaf FROM log_leaf ORDER BY rowid")]


# -- what is kept ----------------------------------------------------------

def test_seeded_values():
    with People() as d:
        tap.equal(d.begin()["documents"], 7)
        tap.equal(d.seeded()["documents"], 0)
        tap.equal(d.values("wang"), {
            "display_name": "王阿姨", "birth_date": "1953-05-17",
            "phone": "13800001111", "heart_rate": 72, "plate": ["沪A12345"],
            "address": "3幢501", "door_code": "1234#"})
        tap.equal(d.values("far"), {})
        profile = d.me("GET", "profile", "wang").json
        tap.equal((profile["age"], profile["capacity"], profile["by"],
                   profile["guardian_required"]),
                  ("adult", "full", "self", False))


def test_seeds_are_judged():
    with People() as d:
        for fields, place in (({"colour": 1}, "/residents/0/fields/colour"),
                              ({"phone": "x"}, "/residents/0/fields/phone"),
                              ({"plate": ["A1"]}, "/residents/0/fields/plate"),
                              ({"age_band": "x"},
                               "/residents/0/fields/age_band")):
            err = d.seeded({"communities": SEED["communities"],
                            "residents": [{"id": "a", "community": "demo",
                                           "fields": fields}]}, fails=True)
            tap.contains(err, place)


def test_corrections():
    with People() as d:
        d.begin()
        answer = d.me("PUT", "fields/phone", "wang", {"value": "13900002222"})
        tap.equal((answer.status, answer.json), (200, {
            "field": "phone", "state": "set", "changed": True}))
        tap.equal(d.values("wang")["phone"], "13900002222")
        tap.equal(d.me("PUT", "fields/phone", "wang",
                       {"value": "13900002222"}).json["changed"], False)
        for field, value, code in (
                ("phone", "no", "field/invalid"), ("phone_relay", "1", "field/derived"),
                ("colour", 1, "field/unknown"), ("id_card", "1", "field/invalid"),
                ("birth_date", "1960-01-01", "field/confirm"),
                ("address", "4幢", "field/confirm")):
            answer = d.me("PUT", "fields/" + field, "wang", {"value": value})
            tap.equal(answer.code, code, (field, answer))
        # The operator does; how old somebody is follows.
        answer = d.admin("PUT", "residents/kid/fields/birth_date",
                         {"value": "2000-01-01"})
        tap.equal(answer.status, 200, answer)
        tap.equal(d.me("GET", "profile", "kid").json["age"], "adult")
        tap.equal(d.admin("DELETE", "residents/wang/fields/phone").status, 200)
        tap.equal("phone" in d.values("wang"), False)
        tap.equal(d.admin("PUT", "residents/nobody/fields/phone",
                          {"value": "110"}).status, 404)
        # An operator sees which there are, and no value.
        told = d.admin("GET", "residents/wang")
        tap.equal("王阿姨" in told.text, False, told)
        d.stop()
        text = "\n".join(d.leaves())
        for word in ("13900002222", "wang", "2000-01-01"):
            tap.equal(word in text, False, word)
        d.start()


def test_a_household_is_left():
    with People() as d:
        d.begin()
        tap.equal(d.admin("PUT", "residents/wang", {
            "household": "h1",
            "household_to": "2030-03-01T00:00:00+08:00"}).status, 200)
        tap.equal(d.values("wang")["plate"], ["沪A12345"])
        d.linli_ok("clock", "advance", "29d")
        tap.equal("plate" in d.values("wang"), False)
        tap.equal(d.values("wang")["phone"], "13800001111")


# -- who acts for whom -----------------------------------------------------

def test_a_ward_is_nobody_to_others():
    with People() as d:
        d.begin()
        tap.equal(d.values("li", "?for=kid"),
                  {"birth_date": "2016-02-29", "phone": "110",
                   "plate": ["沪A12345"], "address": "3幢501"})
        strange = d.me("GET", "fields?for=kid", "wang")
        nobody = d.me("GET", "fields?for=ghost", "wang")
        tap.equal((strange.status, strange.json["detail"]),
                  (404, nobody.json["detail"]))
        wards = d.me("GET", "wards", "li").json["items"]
        tap.equal([(g["ward"], g["kind"], g["status"]) for g in wards],
                  [("kid", "parent", "active")])
        tap.equal(d.me("GET", "profile?for=kid", "li").json["by"], "guardian")


def test_asked_accepted_verified():
    with People() as d:
        d.begin()
        ask = {"guardian": "li", "kind": "agreed", "powers": ["view"]}
        answer = d.me("POST", "guardians", "wang", ask)
        tap.equal((answer.status, answer.json["status"]), (201, "pending"))
        where = "guardians/wang/li/agreed/"
        tap.equal(d.admin("POST", where + "verify", {"evidence": "公证 7"}).code,
                  "people/asked")
        tap.equal(d.me("POST", "wards/wang/agreed/accept", "far").status, 404)
        tap.equal(d.me("POST", "wards/wang/agreed/accept", "li").json["status"],
                  "accepted")
        tap.equal(d.me("GET", "fields?for=wang", "li").status, 404)
        tap.equal(d.admin("POST", where + "verify", {}).code, "request/invalid")
        tap.equal(d.admin("POST", where + "verify",
                          {"evidence": "公证 7"}).json["status"], "active")
        # 意定: nothing until the capacity is lost.
        tap.equal(d.me("GET", "fields?for=wang", "li").status, 404)
        tap.equal(d.admin("PUT", "residents/wang", {
            "household": "h1", "capacity": "none"}).status, 200)
        tap.equal(d.values("li", "?for=wang")["heart_rate"], 72)
        tap.equal(d.admin("POST", where + "suspend",
                          {"reason": "法院"}).json["status"], "suspended")
        tap.equal(d.me("GET", "fields?for=wang", "li").status, 404)
        tap.equal(d.admin("POST", where + "resume",
                          {"reason": "法院"}).json["status"], "active")
        tap.equal(d.me("POST", "wards/wang/agreed/end", "li").json["status"],
                  "ended")
        tap.equal(d.me("GET", "fields?for=wang", "li").status, 404)


def test_a_delegate_has_what_was_given():
    with People() as d:
        d.begin()
        ask = {"guardian": "li", "kind": "delegate", "powers": ["view"],
               "class_ceiling": "C2"}
        tap.equal(d.me("POST", "guardians", "wang", ask).status, 201)
        tap.equal(d.me("POST", "wards/wang/delegate/accept",
                       "li").json["status"], "active")
        told = d.values("li", "?for=wang")
        tap.equal(("phone" in told, "heart_rate" in told), (True, False))
        # No more than that, and not by their own word.
        tap.equal(d.me("PUT", "fields/phone?for=wang", "li",
                       {"value": "110"}).code, "consent/forbidden")
        tap.equal(d.me("POST", "guardians?for=wang", "li",
                       dict(ask, guardian="far")).code, "consent/forbidden")
        tap.equal(d.admin("PUT", "guardians/wang/li/delegate",
                          {"evidence": "x"}).code, "consent/forbidden")
        ask["powers"] = ["view", "correct"]
        tap.equal(d.me("POST", "guardians", "wang", ask).status, 201)
        tap.equal(d.me("PUT", "fields/phone?for=wang", "li",
                       {"value": "110"}).status, 200)
        tap.equal(d.me("POST", "guardians/li/delegate/end",
                       "wang").json["status"], "ended")
        tap.equal(d.me("GET", "fields?for=wang", "li").status, 404)
        # Somebody who is not there is asked like anybody.
        tap.equal(d.me("POST", "guardians", "wang",
                       dict(ask, guardian="ghost")).status, 201)


def test_what_no_guardianship_can_be():
    with People() as d:
        d.begin()
        for who, ask in (("wang", {"guardian": "wang", "kind": "delegate"}),
                         ("wang", {"guardian": "kid", "kind": "delegate"}),
                         ("wang", {"guardian": "li", "kind": "parent"}),
                         ("wang", {"guardian": "li", "kind": "court"}),
                         ("kid", {"guardian": "wang", "kind": "delegate"})):
            answer = d.me("POST", "guardians", who, ask)
            tap.equal((answer.status, answer.code), (422, "people/guardian"),
                      (who, ask))
        tap.equal(d.me("POST", "guardians/li/parent/end", "kid").code,
                  "consent/forbidden")


# -- ages ------------------------------------------------------------------

def turned(d):
    """[(age, day)] of the operator's alerts, in order."""
    items = d.linli_ok("alerts", "--json").json["items"]
    return sorted((a["at"], a["data"]["age"]) for a in items
                  if a["kind"] == "linli.age")


def test_ages_are_days_of_the_community():
    with People() as d:
        d.begin()
        tap.equal(d.me("GET", "profile", "kid").json["age"], "under_14")
        # Born on 29 February: 14 on 1 March of 2030, at midnight in Shanghai.
        d.linli_ok("clock", "set", "2030-02-28T23:59:59+08:00")
        tap.equal(d.me("GET", "profile", "kid").json["guardian_required"], True)
        tap.equal(turned(d), [])
        d.linli_ok("clock", "advance", "1s")
        tap.equal(d.me("GET", "profile", "kid").json["guardian_required"],
                  False)
        tap.equal(turned(d), [("2030-02-28T16:00:00.000Z", 14)])
        # A parent still sees until 18, and nobody does after that.
        tap.equal(d.me("GET", "fields?for=kid", "li").status, 200)
        d.stop()
        d.start()
        tap.equal(len(turned(d)), 1)
        d.linli_ok("clock", "set", "2034-03-01T08:00:00+08:00")
        # `clock set` does not wait for what is due to be durable.
        wait_until(lambda: len(turned(d)) == 2)
        tap.equal([age for _, age in turned(d)], [14, 18])
        tap.equal(d.me("GET", "fields?for=kid", "li").status, 404)
        d.stop()
        tags = [x for x in d.leaves() if '"type":"person"' in x
                and '"actor":"system"' in x]
        tap.equal(len(tags) >= 2, True, d.leaves())
        d.start()


def test_a_leaf_says_the_age_of_the_day():
    """Also where fewer leap days than usual lie between."""
    with People() as d:
        d.linli_ok("clock", "set", "2031-03-04T12:00:00+08:00")
        d.seeded({"communities": SEED["communities"], "residents": [
            {"id": "kid", "community": "demo", "birth_date": "2017-03-05"}]})
        d.linli_ok("clock", "advance", "24h")
        wait_until(lambda: turned(d))
        d.stop()
        ages = [json.loads(x)["data"]["age"] for x in d.leaves()
                if '"type":"person"' in x]
        tap.equal((ages[-2], ages[-1]), ("under14", "under18"))
        d.start()


if __name__ == "__main__":
    tap.main()
