#!/usr/bin/env python3
# test-timeout-s: 180
"""tests/scenario/test_assist.py: spec/consent.md, section 5, live: staff act
for residents with a proof, and what the host itself tells them."""

import contextlib
import json
import os
import re
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

SEED = {
    "communities": [{"id": "demo", "zone": "Asia/Shanghai"},
                    {"id": "other", "zone": "Asia/Shanghai"}],
    "residents": [
        {"id": "wang", "community": "demo", "birth_date": "1953-05-17"},
        {"id": "li", "community": "demo", "birth_date": "1985-01-02",
         "locale": "en"},
        {"id": "kid", "community": "demo", "birth_date": "2016-02-29"},
        {"id": "away", "community": "other"}],
    "staff": [
        {"id": "s-zhao", "community": "demo", "resident": "li"},
        {"id": "s-qian", "community": "demo"},
        {"id": "wang", "community": "demo"}],
    "guardians": [
        {"ward": "kid", "guardian": "li", "kind": "parent", "accepted": True,
         "verified": True}]}
ROUTES = [{"method": "POST", "path": "/hello", "caller": ["resident"]}]
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/hello", function(call) return 200, {} end)
return p
"""
WHY = {"why": {"zh-CN": "快递员到楼下时给您打电话",
               "en": "The courier calls you at the door"},
       "without": {"zh-CN": "包裹放在快递柜",
                   "en": "The parcel goes to a locker"}}
DATA = [dict({"field": field, "purpose": purpose, "basis": basis,
              "required": False}, **WHY)
        for field, purpose, basis in (
            ("phone_relay", "delivery", "consent"),
            ("heart_rate", "safety_monitoring", "separate_consent"),
            ("spo2", "safety_monitoring", "separate_consent"))]


class Counter(Daemon):
    """A linlid with a counter, on 2030-02-01."""

    def begin(self, parent):
        """Sets the clock, seeds, and enables what asks for data."""
        self.linli_ok("clock", "set", "2030-02-01T00:00:00+08:00")
        path = os.path.join(self.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(SEED, f)
        self.linli_ok("seed", path)
        self.enable(plugin_folder(parent, probe_manifest(
            "probe", routes=ROUTES, data=DATA, relation="entrust"),
                                  main__lua=LUA))
        answer = self.http("GET", "/v1/c/demo/me/asks?plugin=probe",
                           as_="resident:wang")
        tap.equal(answer.status, 200, answer)
        self.version = answer.json["text_version"]

    def giving(self, **more):
        """The body of a consent, but for what shows it."""
        body = {"resident": "wang", "act": "give", "plugin": "probe",
                "field": "phone_relay", "purpose": "delivery",
                "text_version": self.version}
        body.update(more)
        return {k: v for k, v in body.items() if v is not None}

    def assist(self, body, proof=None, as_="s-zhao", key=None, path=""):
        """What the counter is answered."""
        if proof is not None:
            body = dict(body, proof=proof)
        return self.http("POST", "/v1/c/demo/staff/assist" + path, body,
                         as_="staff:" + as_, key=key)

    def paper(self, number, witness="s-qian"):
        """A form as a proof."""
        return {"kind": "paper", "number": number, "witness": witness}

    def messages(self, to):
        """What the simulator brought to somebody: (way, text)."""
        answer = self.http("GET", "/v1/dev/sim/messages?to=" + to, headers={
            "Authorization": "Bearer " + self.ready["admin_token"]})
        tap.equal(answer.status, 200, answer)
        return [(i["channel"], i["text"]) for i in answer.json["items"]]

    def code(self, body, as_="s-zhao"):
        """The code that the resident is sent for an act."""
        before = len(self.messages(body["resident"]))
        answer = self.assist(body, as_=as_, path="/code")
        tap.equal(answer.status, 202, answer)
        tap.equal(re.search(r"\d{6}\b", answer.text.replace(
            answer.json["expires_at"], "")), None)
        wait_until(lambda: len(self.messages(body["resident"])) > before)
        way, text = self.messages(body["resident"])[-1]
        tap.equal(way, "sms")
        return re.search(r"\b\d{6}\b", text).group()

    def consents(self, who="wang"):
        """Their centre."""
        answer = self.http("GET", "/v1/c/demo/me/consents",
                           as_="resident:" + who)
        tap.equal(answer.status, 200, answer)
        return [i for i in answer.json["items"] if i["id"]]

    def leaves(self):
        """The lines of the log; the daemon is stopped."""
        with sqlite3.connect(os.path.join(self.data, "linli.db")) as db:
            return [json.loads(x[0]) for x in db.execute(
                "SELECT leaf FROM log_leaf ORDER BY rowid")]


@contextlib.contextmanager
def counter():
    """A daemon that serves a counter."""
    with temporary_folder() as parent:
        with Counter(options=["--clock=virtual"]) as d:
            d.begin(parent)
            yield d


def is_problem(answer, status, code):
    """A problem."""
    tap.equal((answer.status, answer.code), (status, code), answer)


def test_paper():
    with counter() as d:
        answer = d.assist(d.giving(), d.paper("F-1"), key="k1")
        tap.equal(answer.status, 201, answer)
        tap.equal(answer.json["events"][0]["entity_id"], "staff:s-zhao")
        tap.equal(answer.json["events"][0]["channel"], "counter")
        # The same again is the same; the form is good for nothing else.
        again = d.assist(d.giving(), d.paper("F-1"), key="k1")
        tap.equal((again.status, again.json["id"]),
                  (201, answer.json["id"]), again)
        is_problem(d.assist(d.giving(), d.paper("F-1")), 409, "people/form")
        is_problem(d.assist(d.giving(resident="li"),
                            d.paper("F-1", "s-zhao"), as_="s-qian"), 409,
                   "people/form")
        grants = d.consents()
        tap.equal([(g["by"], g["state"]) for g in grants],
                  [("staff", "live")])
        # They are told, and take it back alone.
        wait_until(lambda: any("同意" in t for _, t in d.messages("wang")))
        gone = d.http("DELETE", "/v1/c/demo/me/consents/" + grants[0]["id"],
                      as_="resident:wang")
        tap.equal(gone.status, 200, gone)
        tap.equal(d.consents()[0]["state"], "withdrawn")
        log = d.http("GET", "/v1/c/demo/me/access-log", as_="resident:wang")
        tap.contains(log.text, "staff:s-zhao")
        d.stop()
        gives = [x for x in d.leaves() if x["type"] == "give"]
        tap.equal([x["actor"] for x in gives], ["staff:s-zhao"])
        tap.equal(len(gives[0]["digest"]), 64)
        d.start()
        # Used is used, also after a restart.
        is_problem(d.assist(d.giving(), d.paper("F-1")), 409, "people/form")


def test_a_form_needs_a_second_member_of_staff():
    with counter() as d:
        for witness in ("s-zhao", "nobody", "", "li"):
            is_problem(d.assist(d.giving(), d.paper("F-2", witness)), 403,
                       "people/proof")
        # An act that is refused leaves the form good.
        is_problem(d.assist(d.giving(text_version="0"), d.paper("F-2")), 409,
                   "consent/text-changed")
        tap.equal(d.assist(d.giving(), d.paper("F-2")).status, 201)


def test_code():
    with counter() as d:
        code = d.code(d.giving())
        wrong = "%06d" % ((int(code) + 1) % 1000000)
        is_problem(d.assist(d.giving(), {"kind": "code", "code": wrong}), 403,
                   "people/proof")
        # It is for this act, by this member of staff, and no other.
        is_problem(d.assist(d.giving(act="refuse"),
                            {"kind": "code", "code": code}), 403,
                   "people/proof")
        is_problem(d.assist(d.giving(), {"kind": "code", "code": code},
                            as_="s-qian"), 403, "people/proof")
        answer = d.assist(d.giving(), {"kind": "code", "code": code}, key="c1")
        tap.equal(answer.status, 201, answer)
        again = d.assist(d.giving(), {"kind": "code", "code": code}, key="c1")
        tap.equal((again.status, again.json["id"]), (201, answer.json["id"]))
        is_problem(d.assist(d.giving(), {"kind": "code", "code": code}), 403,
                   "people/proof")
        is_problem(d.assist(d.giving(), path="/code"), 429, "people/code-sent")
        d.linli_ok("clock", "advance", "2m")
        code = d.code(d.giving(act="refuse"))
        d.linli_ok("clock", "advance", "10m")
        is_problem(d.assist(d.giving(act="refuse"),
                            {"kind": "code", "code": code}), 403,
                   "people/proof")


def test_five_wrong_codes_lock():
    with counter() as d:
        code = d.code(d.giving())
        wrong = {"kind": "code", "code": "%06d" % ((int(code) + 1) % 1000000)}
        for _ in range(2):
            is_problem(d.assist(d.giving(), wrong), 403, "people/proof")
        # A new code gives no new tries.
        d.linli_ok("clock", "advance", "1m")
        code = d.code(d.giving())
        wrong = {"kind": "code", "code": "%06d" % ((int(code) + 1) % 1000000)}
        for _ in range(3):
            is_problem(d.assist(d.giving(), wrong), 403, "people/proof")
        right = {"kind": "code", "code": code}
        is_problem(d.assist(d.giving(), right), 429, "people/locked")
        d.stop()
        d.start()
        is_problem(d.assist(d.giving(), right), 429, "people/locked")
        is_problem(d.assist(d.giving(), path="/code"), 429, "people/locked")
        d.linli_ok("clock", "advance", "10m")
        is_problem(d.assist(d.giving(), right), 403, "people/proof")
        code = d.code(d.giving())
        tap.equal(d.assist(d.giving(), {"kind": "code", "code": code}).status,
                  201)


def test_what_is_sensitive_is_given_one_by_one():
    with counter() as d:
        both = d.giving(field=None, fields=["heart_rate", "spo2"],
                        purpose="safety_monitoring")
        is_problem(d.assist(both, d.paper("F-3")), 422, "consent/act")
        one = d.giving(field="spo2", purpose="safety_monitoring")
        tap.equal(d.assist(one, d.paper("F-3")).status, 201)
        is_problem(d.assist(dict(one, field="heart_rate"), d.paper("F-3")),
                   409, "people/form")


def test_every_act():
    with counter() as d:
        given = d.assist(d.giving(), d.paper("F-10")).json["id"]
        answer = d.assist({"resident": "wang", "act": "withdraw",
                           "grant": given}, d.paper("F-11"))
        tap.equal((answer.status, answer.json["id"]), (200, given), answer)
        tap.equal(d.assist(d.giving(act="refuse"), d.paper("F-12")).status, 200)
        tap.equal(d.assist({"resident": "wang", "act": "object", "plugin":
                            "probe", "objection": "profiling"},
                           d.paper("F-13")).status, 200)
        said = d.http("GET", "/v1/c/demo/me/objections", as_="resident:wang")
        tap.equal([i["objection"] for i in said.json["items"]], ["profiling"])
        answer = d.assist({"resident": "wang", "act": "request",
                           "kind": "correct", "note": "生日有误"},
                          d.paper("F-14"), key="r1")
        tap.equal((answer.status, answer.json["by"]), (201, "staff:s-zhao"),
                  answer)
        answer = d.assist({"resident": "wang", "act": "correct",
                           "field": "phone", "value": "13900002222"},
                          d.paper("F-15"))
        tap.equal((answer.status, answer.json["state"]), (200, "set"), answer)
        is_problem(d.assist({"resident": "wang", "act": "correct",
                             "field": "birth_date", "value": "1950-01-01"},
                            d.paper("F-16")), 409, "field/confirm")
        is_problem(d.assist({"resident": "wang", "act": "withdraw",
                             "grant": "0" * 32}, d.paper("F-17")), 404,
                   "request/not-found")
        d.stop()
        done = [x["type"] for x in d.leaves()
                if x.get("actor") == "staff:s-zhao"]
        tap.equal(done, ["give", "withdraw", "refuse", "object", "correct"])
        d.start()


def test_who_is_nobody():
    with counter() as d:
        nobody = d.assist(d.giving(resident="nobody"), d.paper("F-4"))
        is_problem(nobody, 404, "request/not-found")
        away = d.assist(d.giving(resident="away"), d.paper("F-4"))
        tap.equal((away.status, away.json["detail"]),
                  (404, nobody.json["detail"]))
        answer = d.http("POST", "/v1/c/demo/staff/assist", d.giving(),
                        as_="resident:wang")
        tap.equal(answer.status, 403, answer)
        # Themself, by the directory or under the same id; a ward of theirs.
        for who, as_ in (("li", "s-zhao"), ("wang", "wang"),
                         ("kid", "s-zhao"), ("wang", "s-unknown")):
            is_problem(d.assist(d.giving(resident=who), d.paper("F-4"),
                                as_=as_), 403, "people/assist")
            is_problem(d.assist(d.giving(resident=who), as_=as_, path="/code"),
                       403, "people/assist")
        # Nor does the counter decide where only a guardian may.
        is_problem(d.assist(d.giving(resident="kid"), d.paper("F-4", "s-zhao"),
                            as_="s-qian"), 403, "consent/forbidden")
        tap.equal(d.consents(), [])


def test_codes_are_kept_nowhere():
    with counter() as d:
        code = d.code(d.giving())
        tap.equal(d.assist(d.giving(), {"kind": "code", "code": code}).status,
                  201)
        d.stop()
        with sqlite3.connect(os.path.join(d.data, "linli.db")) as db:
            rows = [bytes(x[0]) for x in db.execute(
                "SELECT CAST(leaf AS BLOB) FROM log_leaf")]
            kept = [bytes(x[0]) for x in db.execute(
                "SELECT doc.body FROM doc JOIN collection ON collection.id ="
                " doc.collection WHERE collection.name IN"
                " ('~assist_code', '~assist_form', '~telling')")]
        with open(os.path.join(d.data, "linlid.log"), "rb") as f:
            rows += f.read().splitlines()
        tap.equal(len(kept) > 0, True)
        # Hashes and instants may have the same digits in them.
        bare = [re.sub(rb'[0-9a-f]{32,}|[0-9]{13}|"at":"[^"]*"', b"", r)
                for r in rows + kept]
        tap.equal([r for r in bare if code.encode() in r], [])
        d.start()


def test_corrections_are_answered():
    with counter() as d:
        me, admin = "/v1/c/demo/me/", "/v1/c/demo/admin/"
        answer = d.http("PUT", me + "fields/birth_date",
                        {"value": "1952-05-17"}, as_="resident:wang")
        is_problem(answer, 409, "field/confirm")
        ids = []
        for note in ("生日是 1952-05-17", "姓名有误"):
            answer = d.http("POST", me + "requests", {
                "kind": "correct", "note": note}, as_="resident:wang",
                            key=os.urandom(4).hex())
            tap.equal((answer.status, answer.json["state"]), (201, "open"))
            ids.append(answer.json["id"])
        listed = d.http("GET", admin + "requests", as_="operator:o").json
        tap.equal(sorted(i["id"] for i in listed["items"]), sorted(ids))
        answer = d.http("PUT", admin + "residents/wang/fields/birth_date",
                        {"value": "1952-05-17"}, as_="operator:o")
        tap.equal((answer.status, answer.json["changed"]), (200, True), answer)
        for at, outcome, reason in ((0, "done", "与身份证一致"),
                                    (1, "refused", "与身份证不符")):
            path = admin + "requests/%s/answer" % ids[at]
            body = {"outcome": outcome, "reason": reason}
            is_problem(d.http("POST", path, {"outcome": outcome},
                              as_="operator:o"), 422, "request/invalid")
            for _ in range(2):
                answer = d.http("POST", path, body, as_="operator:o")
                tap.equal((answer.status, answer.json["state"]),
                          (200, outcome), answer)
            is_problem(d.http("POST", path, dict(body, reason="x"),
                              as_="operator:o"), 409, "rights/answered")
            tap.equal(d.http("POST", path, body, as_="resident:wang").status,
                      403)
            seen = d.http("GET", me + "requests/" + ids[at],
                          as_="resident:wang").json
            tap.equal((seen["state"], seen["reason"]), (outcome, reason))
        wait_until(lambda: len(d.messages("wang")) == 2)
        is_problem(d.http("POST", admin + "requests/%s/answer" % ("0" * 32),
                          {"outcome": "done", "reason": "x"},
                          as_="operator:o"), 404, "request/not-found")
        d.stop()
        lines = [x for x in d.leaves() if x["type"] == "correct"]
        tap.equal([x["actor"] for x in lines if x["actor"] != "system"],
                  ["operator:o"])
        d.start()


def test_ages_are_told():
    with counter() as d:
        d.linli_ok("clock", "set", "2030-03-01T00:00:01+08:00")
        wait_until(lambda: d.messages("kid") and d.messages("li"))
        tap.contains(d.messages("kid")[0][1], "您今天年满 14 周岁")
        tap.contains(d.messages("li")[0][1], "Your ward kid turns 14 today")
        tap.equal(len(d.messages("kid")), 1)
        d.stop()
        d.start()
        tap.equal(len(d.messages("kid")), 1)


def test_what_nobody_takes_goes_on_after_a_restart():
    with counter() as d:
        admin = {"Authorization": "Bearer " + d.ready["admin_token"]}
        for way in ("push", "sms", "voice"):
            answer = d.http("PUT", "/v1/dev/sim/notify", {
                "channel": way, "status": "fail"}, headers=admin)
            tap.equal(answer.status, 200, answer)
        tap.equal(d.assist(d.giving(), d.paper("F-20")).status, 201)
        wait_until(lambda: d.messages("wang"))
        d.stop()
        d.start()
        admin = {"Authorization": "Bearer " + d.ready["admin_token"]}
        d.http("PUT", "/v1/dev/sim/notify", {
            "channel": "push", "status": "ok"}, headers=admin)
        before = len(d.messages("wang"))
        d.linli_ok("clock", "advance", "1h")
        wait_until(lambda: len(d.messages("wang")) > before)


if __name__ == "__main__":
    tap.main()
