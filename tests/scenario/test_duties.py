#!/usr/bin/env python3
# test-timeout-s: 180
"""tests/scenario/test_duties.py: spec/consent.md, sections 7 and 8, live: a
plugin is told that a consent has ended, and what must be done is not lost.
"""

import contextlib
import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        program, run, temporary_folder, wait_until)

ME = "/v1/c/demo/me/"
ADMIN = "/v1/c/demo/admin/"
ROUTES = [{"method": "POST", "path": "/hello", "caller": ["resident"]},
          {"method": "POST", "path": "/stubborn", "caller": ["resident"]},
          {"method": "GET", "path": "/told", "caller": ["resident"]}]
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/hello", function(call) return 200, {pid = call.resident.id} end)
p:post("/stubborn", function(call)
  call.db.told:put { id = "stubborn" }
  return 200, {}
end)
p:get("/told", function(call)
  return 200, { items = linli.array((call.db.told:list { limit = 100 })) }
end)
%s
return p
"""
HANDLER = """
p:compliance("resident.consent_revoked", function(call, input)
  if call.db.told:get("stubborn") then error("it will not") end
  call.db.told:insert { input = input, pid = input.resident }
end)
"""


def check(good, what="it does not hold"):
    """Fail unless it is so."""
    if not good:
        raise AssertionError(what)


def use(field, purpose):
    """One declared use of a field under consent."""
    return {"field": field, "purpose": purpose, "basis": "consent",
            "required": False,
            "why": {"zh-CN": "快递员到楼下时给您打电话",
                    "en": "The courier calls you at the door"},
            "without": {"zh-CN": "包裹放在快递柜",
                        "en": "The parcel goes to a locker"}}


@contextlib.contextmanager
def asking(handles=True, options=("--clock=virtual",)):
    """A daemon whose plugin asks for a telephone number."""
    more = {"compliance": ["resident.consent_revoked"]} if handles else {}
    manifest = probe_manifest("probe", routes=ROUTES, relation="entrust",
                              data=[use("phone_relay", "delivery")],
                              collections={"told": {}}, **more)
    with temporary_folder() as parent:
        folder = plugin_folder(parent, manifest,
                               main__lua=LUA % (HANDLER if handles else ""))
        with Daemon(options=list(options)) as d:
            d.enable(folder)
            yield d


def hello(d, resident="r-lin"):
    """The plugin meets a resident; their pid."""
    return d.call("probe", "/hello", {}, key="h" + resident,
                  as_="resident:" + resident).json["pid"]


def give(d, resident="r-lin", **more):
    """A consent; its id."""
    who = "resident:" + resident
    version = d.http("GET", ME + "asks?plugin=probe",
                     as_=who).json["text_version"]
    answer = d.http("POST", ME + "consents", dict(
        {"plugin": "probe", "field": "phone_relay", "purpose": "delivery",
         "text_version": version}, **more), as_=who)
    tap.equal(answer.status, 201, answer)
    return [i["id"] for i in d.http(
        "GET", ME + "consents", as_=who).json["items"]
        if i["state"] == "live" and i["withdrawable"]][0]


def withdraw(d, grant, resident="r-lin"):
    """Takes it back."""
    answer = d.http("DELETE", ME + "consents/" + grant,
                    as_="resident:" + resident)
    tap.equal(answer.status, 200, answer)


def told(d):
    """What the plugin was told."""
    answer = d.call("probe", "/told", None, "GET", as_="resident:r-other")
    tap.equal(answer.status, 200, answer)
    return [i["input"] for i in answer.json["items"] if "input" in i]


def duties(d, query=""):
    """What must be done."""
    answer = d.http("GET", ADMIN + "duties" + query, as_="operator:o1")
    tap.equal(answer.status, 200, answer)
    return answer.json["items"]


def alerts(d, kind):
    """Those of a kind."""
    return d.http("GET", ADMIN + "alerts?kind=" + kind,
                  as_="operator:o1").json["items"]


def stubborn(d):
    """From now on the plugin fails when it is told."""
    tap.equal(d.call("probe", "/stubborn", {}, key="s").status, 200)


def may_read(d, resident="r-lin"):
    """Whether the plugin may have the telephone number, and why not."""
    return d.http("GET", ME + "explain?plugin=probe&field=phone_relay"
                  "&purpose=delivery", as_="resident:" + resident).json


def test_a_withdrawal_is_told():
    with asking() as d:
        pid = hello(d)
        grant = give(d)
        withdraw(d, grant)
        check(wait_until(lambda: len(told(d)) == 1, 10), told(d))
        said = told(d)[0]
        tap.equal({k: said[k] for k in ("fields", "grant", "purpose",
                                        "reason", "resident")},
                  {"fields": ["phone_relay"], "grant": grant,
                   "purpose": "delivery", "reason": "withdrawn",
                   "resident": pid})
        withdraw(d, grant)  # again is nothing
        d.linli_ok("clock", "advance", "20d")
        tap.equal(len(told(d)), 1)
        tap.equal(duties(d), [])


def test_an_expiry_is_told():
    with asking() as d:
        hello(d)
        give(d, expires_at=(datetime.datetime.now(datetime.timezone.utc) +
                            datetime.timedelta(days=40)).strftime(
                                "%Y-%m-%dT%H:%M:%SZ"))
        d.linli_ok("clock", "advance", "50d")
        check(wait_until(lambda: len(told(d)) == 1, 10), told(d))
        tap.equal(told(d)[0]["reason"], "expired")


def test_who_declares_nothing_is_told_nothing():
    with asking(handles=False) as d:
        hello(d)
        withdraw(d, give(d))
        d.linli_ok("clock", "advance", "20d")
        tap.equal((told(d), duties(d)), ([], []))


def test_a_kill_loses_nothing():
    with asking(options=()) as d:
        for i in range(6):
            resident = "r-%d" % i
            hello(d, resident)
            withdraw(d, give(d, resident), resident)
            d.kill()
            d.restart()
        check(wait_until(lambda: len(told(d)) == 6, 30), told(d))
        time.sleep(1.5)  # it is looked at again after a second
        tap.equal(len({t["grant"] for t in told(d)}), 6)
        tap.equal(len(told(d)), 6)


def test_without_an_answer_there_is_a_duty():
    with asking() as d:
        hello(d)
        stubborn(d)
        withdraw(d, give(d))
        d.linli_ok("clock", "advance", "8d")
        tap.equal(len(alerts(d, "linli.revoked_missed")), 1)
        items = duties(d)
        tap.equal([(i["kind"], i["why"], i["plugin"], i["state"])
                   for i in items],
                  [("DELETE", "consent_revoked", "probe", "open")])
        check(items[0]["tag"], "the log's name of whom it is about")
        tap.equal(duties(d, "?state=overdue"), [])
        tap.equal(told(d), [])


def test_an_overdue_duty_is_told_once_and_stops_the_plugin():
    with asking() as d:
        hello(d)
        stubborn(d)
        withdraw(d, give(d))
        d.linli_ok("clock", "advance", "30d")
        [duty] = duties(d, "?state=overdue")
        tap.equal(duty["suspends"], True)
        tap.equal(len(alerts(d, "linli.duty_overdue")), 1)
        give(d)
        check("拒绝这样使用" in str(may_read(d)), may_read(d))
        d.kill()
        d.restart()
        d.linli_ok("clock", "advance", "30d")
        tap.equal(len(alerts(d, "linli.duty_overdue")), 1)
        tap.equal(duties(d, "?state=overdue")[0]["id"], duty["id"])
        path = ADMIN + "duties/%s/done" % duty["id"]
        tap.equal(d.http("POST", path, {}, as_="operator:o1").code,
                  "request/invalid")
        tap.equal(d.http("POST", path, {"reason": "x"},
                         as_="resident:r-lin").status, 403)
        done = d.http("POST", path, {"reason": "deleted by hand, mail of 3 May"},
                      as_="operator:o1")
        tap.equal((done.status, done.json["state"], done.json["done_by"]),
                  (200, "done", "operator:o1"), done)
        again = d.http("POST", path, {"reason": "other"}, as_="operator:o2")
        tap.equal(again.json["evidence"], "deleted by hand, mail of 3 May")
        tap.equal(duties(d, "?state=overdue"), [])
        tap.equal([a["state"] for a in alerts(d, "linli.duty_overdue")],
                  ["closed"])
        check("拒绝这样使用" not in str(may_read(d)), may_read(d))
        d.stop()
        replayed = run([program("linli"), "audit", "replay", "--data", d.data])
        tap.equal(replayed.code, 0, replayed)


SEED = {"communities": [{"id": "demo"}], "residents": [
    {"id": "li", "community": "demo", "birth_date": "1985-01-02"},
    {"id": "kid", "community": "demo", "birth_date": "2016-02-29"},
    {"id": "other", "community": "demo", "birth_date": "2016-02-29"}],
    "guardians": [{"ward": who, "guardian": "li", "kind": "parent",
                   "accepted": True, "verified": True, "class_ceiling": "C2"}
                  for who in ("kid", "other")]}


def test_what_a_guardian_gave_is_to_be_confirmed():
    with asking() as d:
        d.linli_ok("clock", "set", "2030-02-01T00:00:00+08:00")
        path = os.path.join(d.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(SEED, f)
        d.linli_ok("seed", path)
        version = d.http("GET", ME + "asks?plugin=probe&for=kid",
                         as_="resident:li").json["text_version"]
        answer = d.http("POST", ME + "consents?for=kid", {
            "plugin": "probe", "field": "phone_relay", "purpose": "delivery",
            "text_version": version}, as_="resident:li")
        tap.equal(answer.status, 201, answer)
        tap.equal(duties(d), [])
        d.linli_ok("clock", "set", "2030-03-02T00:00:00+08:00")
        [duty] = duties(d)  # nothing was given for the other
        tap.equal((duty["kind"], duty["why"], duty["plugin"], duty["state"]),
                  ("RECONFIRM", "age", None, "open"))
        check(duty["due"].startswith("2030-03-3"), duty)


def test_nobody_else_sees_them():
    with asking() as d:
        for who in ("resident:r-lin", "staff:s1"):
            tap.equal(d.http("GET", ADMIN + "duties", as_=who).status, 403)
        missing = d.http("POST", ADMIN + "duties/%s/done" % ("0" * 32),
                         {"reason": "r"}, as_="operator:o1")
        tap.equal((missing.status, missing.code), (404, "request/not-found"))
        tap.equal(d.http("GET", ADMIN + "duties?state=odd",
                         as_="operator:o1").code, "request/invalid")


if __name__ == "__main__":
    tap.main()
