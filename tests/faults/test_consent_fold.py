#!/usr/bin/env python3
"""tests/faults/test_consent_fold.py: the log is what was said, whatever
happened in between.

The whole of log_leaf is folded by tests/lib/consent_fold.py and compared with
what the API lists: over a life with all kinds of acts, and over kills at any
moment of many acts at once.
"""
# test-timeout-s: 300

import contextlib
import http.client
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from consent_fold import fold  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)

ME = "/v1/c/demo/me/"
SEED = {
    "communities": [{"id": "demo"}],
    "residents": [{"id": "li", "community": "demo",
                   "fields": {"phone": "13800001111"}},
                  {"id": "kid", "community": "demo",
                   "birth_date": "2016-05-01"}],
    "guardians": [{"ward": "kid", "guardian": "li", "kind": "parent",
                   "accepted": True, "verified": True,
                   "class_ceiling": "C3"}],
}
ITEMS = [("phone", "delivery"), ("address", "delivery"),
         ("heart_rate", "safety_monitoring")]
ROUTES = [{"method": "POST", "path": "/use", "caller": ["resident"]}]
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/use", function(call)
    local v, why = call.data:get{resident = call.resident.id,
                                 field = "phone", purpose = "delivery"}
    return 200, {got = v ~= nil, why = tostring(why)}
end)
return p
"""
SOON_S = 10.0  # a kill's first answer, on a machine with others on it


def use(field, purpose, **more):
    """One declared use of a field."""
    item = {"field": field, "purpose": purpose, "required": False,
            "basis": "separate_consent" if purpose == "safety_monitoring"
            else "consent",
            "why": {"zh-CN": "快递员到楼下时给您打电话",
                    "en": "The courier calls you at the door"},
            "without": {"zh-CN": "包裹放在快递柜",
                        "en": "The parcel goes to a locker"}}
    if field in ("phone", "address", "plate"):
        item["review"] = "R-1"
    return dict(item, **more)


USUAL = [use(f, p) for f, p in ITEMS]


def folder_of(parent, data, **more):
    """The plugin's folder."""
    return plugin_folder(parent, probe_manifest(
        "probe", routes=ROUTES, data=data, relation="entrust", **more),
        main__lua=LUA)


@contextlib.contextmanager
def living():
    """A daemon with people and a plugin that asks."""
    with temporary_folder() as parent:
        with Daemon() as d:
            name = os.path.join(parent, "seed.json")
            with open(name, "w", encoding="utf-8") as f:
                json.dump(SEED, f)
            d.linli_ok("seed", name)
            d.enable(folder_of(parent, USUAL))
            yield d, parent


def text_of(d):
    """The text that acts cite."""
    return d.http("GET", ME + "asks?plugin=probe",
                  as_="resident:reader").json["text_version"]


def act(d, path, who, body, query="", key=None):
    """An act; its answer."""
    return d.http("POST", ME + path + query, dict(body, plugin="probe"),
                  as_="resident:" + who, key=key)


def give(d, who, item, query="", key=None, **more):
    """A consent, and its receipt."""
    answer = act(d, "consents", who, dict(
        {"field": item[0], "purpose": item[1], "text_version": text_of(d)},
        **more), query, key)
    tap.equal(answer.status, 201, answer)
    return answer.json


def withdraw(d, who, grant, query=""):
    """It ends."""
    answer = d.http("DELETE", ME + "consents/" + grant + query,
                    as_="resident:" + who)
    tap.equal(answer.status, 200, answer)
    return answer.json


def listed(d, who):
    """All grants of a resident, page after page."""
    items, after = [], ""
    while True:
        answer = d.http("GET", ME + "consents" + after, as_="resident:" + who)
        tap.equal(answer.status, 200, answer)
        items += [i for i in answer.json["items"] if i["level"]]
        if answer.json["next"] is None:
            return items
        after = "?cursor=" + answer.json["next"]


def compare(d, people):
    """fold(log) is what the API lists, of each of them."""
    found = fold(d.data)
    seen = set()
    for who in people:
        items = listed(d, who)
        now_ms = int(time.time() * 1000)
        got = {i["id"]: (i["state"], sorted(f["id"] for f in i["fields"]),
                         i["purpose"], i["reads"], i["by"]) for i in items}
        tap.equal(len(got), len(items), "listed once")
        tag = None
        for i in items:
            assert i["id"] in found.grants, "not in the log: " + i["id"]
            tag = found.grants[i["id"]].subject
        want = {g.id: (g.state(now_ms), sorted(g.fields), g.purpose, g.reads,
                       g.by) for g in found.of(tag)} if tag else {}
        tap.equal(got, want, who)
        seen |= set(got)
        said = d.http("GET", ME + "objections", as_="resident:" + who).json
        if tag:
            tap.equal({(o["plugin"], o["objection"]) for o in said["items"]},
                      found.objections.get(tag, set()), who)
        for i in d.http("GET", ME + "asks?plugin=probe",
                        as_="resident:" + who).json["items"]:
            key = (tag, "probe", i["purpose"], i["field"])
            if tag and i["state"] == "refused":
                assert key in found.refusals, key
            if key in found.refusals:
                tap.equal(i["may_ask"], False, key)
    tap.equal(seen, set(found.grants), "the log has grants of nobody")
    return found


def test_a_life():
    """Given, refused, withdrawn, replaced, over, objected, a guardian's, used
    once, again under other terms; across a stop and kills."""
    people = ["li", "kid", "wang", "zhao"]
    with living() as (d, parent):
        phone = give(d, "wang", ITEMS[0])
        give(d, "wang", ITEMS[0])  # takes its place
        withdraw(d, "wang", give(d, "wang", ITEMS[2])["id"])
        text = text_of(d)
        tap.equal(act(d, "consents/refuse", "zhao",
                      {"field": "address", "purpose": "delivery",
                       "text_version": text}).status, 200)
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                             time.gmtime(time.time() + 2))
        give(d, "zhao", ITEMS[0], expires_at=soon)
        kid = give(d, "li", ITEMS[2], "?for=kid")
        tap.equal(act(d, "objections", "zhao",
                      {"objection": "profiling"}).status, 200)
        compare(d, people)
        d.kill()
        d.restart()
        compare(d, people)
        withdraw(d, "li", kid["id"], "?for=kid")
        once = give(d, "li", ITEMS[0], once=True)
        for n in range(2):
            used = d.call("probe", "/use", {}, as_="resident:li",
                          key="use-%d" % n)
            tap.equal((used.status, used.json["got"]), (200, n == 0), used)
        time.sleep(2)  # what ends soon is over
        found = compare(d, people)
        tap.equal(found.grants[phone["id"]].end, "replaced")
        tap.equal(found.grants[once["id"]].reads, 1)
        tap.equal(set(found.guardians.values()) & {"active"}, {"active"})
        d.enable(folder_of(parent, USUAL + [use("plate", "delivery")],
                           version="1.0.1"))
        give(d, "zhao", ("plate", "delivery"))
        d.stop()
        d.restart()
        found = compare(d, people)
        tap.equal(found.terms["probe"], 2)
        d.kill()
        d.restart()
        compare(d, people)


class Actor(threading.Thread):
    """A resident who says one thing after another until nobody answers."""

    def __init__(self, d, who, seed, text):
        super().__init__()
        self.d, self.who, self.text = d, who, text
        self.dice, self.token = random.Random(seed), d.token("resident:" + who)
        self.given, self.ended, self.live = [], [], []
        self.trouble = None

    def send(self, method, path, body=None):
        """One request; None when there is nobody any more."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.d.http(method, ME + path, body, headers={
                "Authorization": "Bearer " + self.token})
        return None

    def step(self):
        """False at the end."""
        kind = self.dice.randrange(5)
        field, purpose = self.dice.choice(ITEMS)
        body = {"plugin": "probe", "field": field, "purpose": purpose,
                "text_version": self.text}
        if kind < 2:
            answer = self.send("POST", "consents", body)
            if answer is not None and answer.status == 201:
                self.given.append((answer.json["id"], answer.json["seq"]))
                self.live.append(answer.json["id"])
        elif kind == 2 and self.live:
            grant = self.live.pop(self.dice.randrange(len(self.live)))
            answer = self.send("DELETE", "consents/" + grant)
            if answer is not None and answer.status == 200 \
                    and answer.json["seq"] is not None:
                self.ended.append((grant, answer.json["seq"]))
        elif kind == 3:
            answer = self.send("POST", "consents/refuse", body)
        else:
            answer = self.send(self.dice.choice(["POST", "DELETE"]),
                               "objections", {"objection": "profiling"})
        if answer is None:
            return False
        if answer.status >= 500 and answer.status != 503:
            self.trouble = repr(answer)
        return answer.status < 500

    def run(self):
        while self.step():
            pass


def test_kills_at_any_moment():
    """What was acknowledged is there, nothing is there by half, and the first
    answer comes soon."""
    people = ["r-%d" % n for n in range(6)]
    dice = random.Random(5)
    given = ended = 0
    with living() as (d, _):
        for round_ in range(6):
            actors = [Actor(d, who, "%d %s" % (round_, who), text_of(d))
                      for who in people]
            for actor in actors:
                actor.start()
            time.sleep(dice.uniform(0.05, 1.2))
            d.kill()
            for actor in actors:
                actor.join()
                tap.equal(actor.trouble, None)
            began = time.monotonic()
            d.restart()
            tap.equal(d.http("GET", ME + "consents",
                             as_="resident:r-0").status, 200)
            took = time.monotonic() - began
            assert took < SOON_S, took
            found = compare(d, people)
            for actor in actors:
                given += len(actor.given)
                ended += len(actor.ended)
                for grant, seq in actor.given:
                    tap.equal(found.grants[grant].seq, seq)
                for grant, seq in actor.ended:
                    tap.equal((found.grants[grant].end,
                               found.grants[grant].end_seq),
                              ("withdrawn", seq))
        d.stop()
        for word in ("verify", "replay"):
            done = d.linli("audit", word)
            tap.equal(done.code, 0, done)
        assert given > 30 and ended > 3, (given, ended)
        print("# %d given, %d ended, all there" % (given, ended))


if __name__ == "__main__":
    tap.main()
