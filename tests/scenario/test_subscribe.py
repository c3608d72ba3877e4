#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/scenario/test_subscribe.py: plans and subscriptions, live.

spec/metering.md, sections 8 and 9: what an operator publishes and whom they
subscribe, what a resident decides of it, what a kill and an erasure leave.
"""

import contextlib
import http.client
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, wait_until  # noqa: E402
from test_erasure import erase, files_with, planted, restore  # noqa: E402

ORDERS = "examples/orders-lua"
ADMIN = "/v1/c/demo/admin"
VIRTUAL = ["--clock=virtual"]
START = "2030-01-10T02:00:00Z"


def body(name="basic", fee=3000, **plan):
    """What an operator publishes of the little shop."""
    return {"name": name, "plugin": "orders",
            "title": {"zh-CN": "基础版", "en": "Basic"},
            "share": {"platform_bp": 1000},
            "plan": dict({"interval": "month", "anchor": "calendar",
                          "charges": [{"id": "fee", "kind": "flat",
                                       "amount_fen": fee},
                                      {"id": "calls", "kind": "unit",
                                       "meter": "linli.call",
                                       "unit_fen": "0.5"}]}, **plan)}


def op(d, method, path, what=None, key=None):
    """An operator's request."""
    return d.http(method, ADMIN + path, what, as_="operator:o1", key=key)


def publish(d, **plan):
    """A plan that has to be taken; its JSON."""
    answer = op(d, "POST", "/plans", body(**plan))
    tap.equal(answer.status in (200, 201), True, answer)
    return answer.json


def subscribe(d, key="k1", **changes):
    """A subscription of r1, unless it is said otherwise; its Answer."""
    offer = dict({"plan": "basic",
                  "payers": [{"kind": "resident", "id": "r1"}]}, **changes)
    return op(d, "POST", "/subscriptions", offer, key)


def do(d, sub, what, **more):
    """An act on a subscription, by an operator."""
    return op(d, "POST", "/subscriptions/%s/%s" % (sub, what),
              dict({"reason": "asked for"}, **more))


def mine(d, who="r1", household=None):
    """What a resident sees of theirs."""
    claims = {"household": household} if household else None
    answer = d.http("GET", "/v1/c/demo/me/subscriptions", headers={
        "Authorization": "Bearer " + d.token("resident:" + who,
                                             claims=claims)})
    tap.equal(answer.status, 200, answer)
    return answer.json["items"]


def messages(d, to="r1"):
    """What the host itself told somebody."""
    answer = d.http("GET", "/v1/dev/sim/messages?to=" + to, headers={
        "Authorization": "Bearer " + d.ready["admin_token"]})
    return [i["text"] for i in answer.json["items"]]


def own(d, sub, what, who="r1", household=None, **more):
    """An act on a subscription, by a resident."""
    claims = {"household": household} if household else None
    return d.http("POST", "/v1/c/demo/me/subscriptions/%s/%s" % (sub, what),
                  more, headers={"Authorization": "Bearer " + d.token(
                      "resident:" + who, claims=claims)})


def test_versions_never_change():
    with Daemon() as d:
        d.enable(d.source(ORDERS))
        first = op(d, "POST", "/plans", body())
        tap.equal((first.status, first.json["id"]), (201, "basic@1"))
        again = op(d, "POST", "/plans", body())
        tap.equal((again.status, again.json["id"]), (200, "basic@1"))
        tap.equal(publish(d, fee=3500)["id"], "basic@2")
        one = op(d, "GET", "/plans/basic@1").json
        tap.equal(one["published"]["plan"]["charges"][0]["amount_fen"], 3000)
        tap.equal(one["published"], body())
        tap.equal(op(d, "GET", "/plans/basic").json["version"], 2)
        tap.equal(op(d, "GET", "/plans/basic%402").json["version"], 2)
        for missing in ("basic@3", "none", "basic@x"):
            tap.equal(op(d, "GET", "/plans/" + missing).status, 404)
        items = op(d, "GET", "/plans").json["items"]
        tap.equal([i["id"] for i in items], ["basic@1", "basic@2"])
        tap.equal(op(d, "GET", "/plans?plugin=other").json["items"], [])
        page = op(d, "GET", "/plans?limit=1").json
        tap.equal(len(page["items"]), 1)
        page = op(d, "GET", "/plans?limit=1&cursor="
                  + page["next_cursor"]).json
        tap.equal([page["items"][0]["id"], page["next_cursor"]],
                  ["basic@2", None])
        closed = op(d, "POST", "/plans/basic/close", {"reason": "old"})
        tap.equal((closed.status, closed.json["closed"]), (200, True))
        tap.equal(subscribe(d).code, "plan/closed")
        tap.equal(op(d, "POST", "/plans/none/close", {"reason": "x"}).status,
                  404)


def test_what_cannot_be_sold():
    with Daemon() as d:
        d.enable(d.source(ORDERS))

        def refused(what, code, place):
            answer = op(d, "POST", "/plans", what)
            tap.equal((answer.status // 100, answer.code), (4, code), answer)
            tap.contains(answer.json["detail"], place)
        unit = {"id": "x", "kind": "unit", "meter": "orders.no",
                "unit_fen": "1"}
        refused(body(charges=[unit]), "pricing/meter", "/plan/charges/0/meter")
        refused(body(charges=[dict(unit, meter="linli.call",
                                   unit_fen="99999999999999")]),
                "pricing/overflow", "/plan/charges/0/unit_fen")
        refused(body(charges=[{
            "id": "x", "kind": "graduated", "meter": "linli.call",
            "tiers": [{"up_to": "10", "unit_fen": "1"},
                      {"up_to": "5", "unit_fen": "1"},
                      {"up_to": None, "unit_fen": "1"}]}]),
            "pricing/tiers", "/plan/charges/0/tiers/1")
        refused(body(tz="Asia/Atlantis"), "pricing/zone", "/plan/tz")
        refused(dict(body(), plugin="nobody"), "plan/plugin", "/plugin")
        refused(dict(body(), name="Basic"), "plan/invalid", "/name")
        refused({"name": "x", "plugin": "orders"}, "pricing/missing", "plan")
        fee = {"zh-CN": "月费", "en": "Monthly fee"}
        refused(dict(body(), words={"no": fee}), "plan/invalid", "/words/no")
        refused(dict(body(), words={"fee": {"en": "Fee"}}), "pricing/missing",
                "/words/fee")
        refused(dict(body(), words={"fee": dict(fee, en="")}), "pricing/type",
                "/words/fee")
        refused(dict(body(), words=[]), "pricing/type", "/words")
        tap.equal(op(d, "GET", "/plans").json["items"], [])
        answer = op(d, "POST", "/plans", dict(body("said"),
                                              words={"fee": fee}))
        tap.equal((answer.status, answer.json["published"]["words"]),
                  (201, {"fee": fee}), answer)
        # Each meter that Linli counts, and the plugin's own.
        meters = ["linli.call", "linli.cpu_us", "linli.notification",
                  "linli.egress_bytes", "linli.storage_byte_days",
                  "orders.gmv_fen"]
        publish(d, charges=[dict(unit, id=m, meter=m) for m in meters])
        answer = d.http("POST", ADMIN + "/plans", body(),
                        as_="resident:r1")
        tap.equal(answer.status, 403)


def test_one_key_makes_one():
    with Daemon() as d:
        d.enable(d.source(ORDERS))
        publish(d)
        tap.equal(subscribe(d, key=None).code, "request/idempotency-key")
        first = subscribe(d)
        tap.equal((first.status, first.json["id"]), (201, "sub_16"), first)
        again = subscribe(d)
        tap.equal((again.status, again.json["id"]), (200, "sub_16"))
        tap.equal(subscribe(d, seats=2).code, "request/key-reused")
        answer = subscribe(d, key="k2")
        tap.equal((answer.status, answer.code), (409, "plan/subscribed"))
        sub = first.json
        tap.equal([sub["plan"], sub["state"], sub["seats"], sub["zone"]],
                  ["basic@1", "active", "1", "Asia/Shanghai"])
        tap.equal(sub["payers"], [{"kind": "resident", "id": "r1",
                                   "bp": 10000}])
        tap.equal(sub["beneficiaries"], [{"kind": "resident", "id": "r1"}])

        def refused(code, place, **changes):
            answer = subscribe(d, key="k3", **changes)
            tap.equal(answer.code, code, answer)
            tap.contains(answer.json["detail"], place)
        two = [{"kind": "resident", "id": "r2", "bp": 5000},
               {"kind": "household", "id": "h1", "bp": 4999}]
        refused("plan/parties", "/payers", payers=two)
        refused("plan/parties", "/payers/0", payers=[{"kind": "cat"}])
        refused("plan/unknown", "/plan", plan="gold")
        refused("request/invalid", "/seats", seats=0,
                payers=[{"kind": "operator"}])
        refused("request/invalid", "/start", start="2001-01-01T00:00:00Z",
                payers=[{"kind": "operator"}])
        two[1]["bp"] = 5000
        tap.equal(subscribe(d, key="k4", payers=two, seats="2.5",
                            cap_fen=9000).json["seats"], "2.5")
        listed = op(d, "GET", "/subscriptions").json["items"]
        tap.equal([s["id"] for s in listed], ["sub_16", "sub_17"])
        for query, ids in (("resident=r2", ["sub_17"]),
                           ("household=h1", ["sub_17"]),
                           ("state=ended", []), ("plugin=orders",
                                                 ["sub_16", "sub_17"])):
            found = op(d, "GET", "/subscriptions?" + query).json["items"]
            tap.equal([s["id"] for s in found], ids, query)
        tap.equal(op(d, "GET", "/subscriptions?state=odd").status, 422)
        tap.equal(op(d, "GET", "/subscriptions/sub_99").status, 404)


def test_a_life_over_months():
    with Daemon(options=VIRTUAL) as d:
        d.linli_ok("clock", "set", START)
        d.enable(d.source(ORDERS))
        publish(d, trial_days=5)
        publish(d, name="plus", fee=9000)
        sub = subscribe(d).json
        tap.equal([sub["state"], sub["paid_from"], sub["period"]],
                  ["trial", "2030-01-15",
                   {"from": "2030-01-01", "to": "2030-02-01"}])
        d.linli_ok("clock", "advance", "6d")
        up = do(d, "sub_16", "upgrade", plan="plus").json
        tap.equal([up["state"], up["plan"]], ["active", "plus@1"])
        down = do(d, "sub_16", "downgrade", plan="basic").json
        tap.equal([v["plan"] for v in down["versions"]],
                  ["basic@1", "plus@1", "basic@1"])
        tap.equal(down["versions"][2]["from"], "2030-01-31T16:00:00.000Z")
        tap.equal(down["plan"], "plus@1")
        tap.equal(do(d, "sub_16", "pause").json["state"], "paused")
        d.linli_ok("clock", "advance", "1d")
        tap.equal(do(d, "sub_16", "resume").json["state"], "active")
        d.linli_ok("clock", "set", "2030-02-01T00:00:00Z")
        tap.equal(mine(d)[0]["plan"], "basic@1")
        ends = do(d, "sub_16", "cancel").json
        tap.equal([ends["state"], ends["end"]],
                  ["active", "2030-02-28T16:00:00.000Z"])
        tap.equal(do(d, "sub_16", "downgrade", plan="plus").code, "plan/over")
        tap.equal(do(d, "sub_16", "upgrade", plan="gold").code,
                  "plan/unknown")
        tap.equal(op(d, "POST", "/subscriptions/sub_16/pause", {}).code,
                  "request/invalid")
        d.linli_ok("clock", "set", "2030-03-01T00:00:00Z")
        tap.equal(mine(d)[0]["state"], "ended")
        tap.equal(do(d, "sub_16", "pause").code, "plan/over")
        deeds = op(d, "GET", "/subscriptions/sub_16").json["deeds"]
        tap.equal([i["what"] for i in deeds],
                  ["start", "upgrade", "downgrade", "pause", "resume",
                   "cancel-at-end"])
        tap.equal(deeds[1]["by"], "operator:o1")
        tap.equal(deeds[1]["with"]["reason"], "asked for")
        # What is over leaves room for another.
        tap.equal(subscribe(d, key="k2").status, 201)
        now = do(d, "sub_17", "cancel", now=True).json
        tap.equal([now["state"], now["end"] is None], ["ended", False])


def test_the_payer_decides():
    with Daemon() as d:
        d.enable(d.source(ORDERS))
        publish(d)
        subscribe(d, payers=[{"kind": "resident", "id": "r1", "bp": 6000},
                             {"kind": "household", "id": "h1", "bp": 4000}],
                  beneficiaries=[{"kind": "resident", "id": "r1"},
                                 {"kind": "resident", "id": "r3"}])
        tap.equal(do(d, "sub_16", "cap", fen=5000).json["cap_fen"], 5000)
        asked = do(d, "sub_16", "cap", fen=8000).json
        tap.equal([asked["cap_fen"], asked["cap_asked"]],
                  [5000, {"fen": 8000}])
        tap.equal(mine(d)[0]["cap_asked"], {"fen": 8000})
        wait_until(lambda: messages(d), 10)
        tap.equal(["费用上限" in text for text in messages(d)], [True])
        tap.equal([mine(d)[0]["pays"], mine(d, "r3")[0]["pays"]],
                  [True, False])
        tap.equal(mine(d)[0]["payers"],
                  [{"kind": "resident", "you": True, "bp": 6000},
                   {"kind": "household", "you": False, "bp": 4000}])
        tap.equal(mine(d, "r9"), [])
        # Who uses it does not decide, who has nothing to do with it finds
        # nothing, and one who pays, also as a member of a household, does.
        tap.equal(own(d, "sub_16", "cap", "r3", fen=1).code, "plan/payer")
        tap.equal(own(d, "sub_16", "cap", "r9", fen=1).status, 404)
        tap.equal(own(d, "sub_16", "cap", "r2", "h2", fen=1).status, 404)
        done = own(d, "sub_16", "cap", "r2", "h1", approve=True)
        tap.equal([done.json["cap_fen"], done.json["cap_asked"]],
                  [8000, None], done)
        tap.equal(own(d, "sub_16", "cap", fen=700).json["cap_fen"], 700)
        tap.equal(own(d, "sub_16", "cap", fen=-1).code, "request/invalid")
        tap.equal(own(d, "sub_16", "cap").code, "request/invalid")
        tap.equal(do(d, "sub_16", "cap", fen=None).json["cap_fen"], 700)
        tap.equal(own(d, "sub_16", "cap", approve=True).json["cap_fen"], None)
        # Who pays alone may end it.
        tap.equal(own(d, "sub_16", "cancel").code, "plan/payer")
        subscribe(d, key="k2", payers=[{"kind": "resident", "id": "r5"}])
        tap.equal(own(d, "sub_17", "cancel", "r5", now=True).code,
                  "request/invalid")
        ended = own(d, "sub_17", "cancel", "r5")
        tap.equal(ended.json["end"] is None, False, ended)
        deeds = op(d, "GET", "/subscriptions/sub_17").json["deeds"]
        tap.equal([(i["what"], i["by"]) for i in deeds],
                  [("start", "operator:o1"), ("cancel-at-end", "payer:1")])
        # Nobody else pays: the operator's word is the payer's.
        subscribe(d, key="k3", payers=[{"kind": "operator"}])
        do(d, "sub_18", "cap", fen=100)
        tap.equal(do(d, "sub_18", "cap", fen=200).json["cap_fen"], 200)
        tap.equal(op(d, "GET", "/subscriptions/sub_18")
                  .json["beneficiaries"], [{"kind": "community"}])


def test_an_acknowledged_act_outlives_a_kill():
    with Daemon(audited=False) as d:
        d.enable(d.source(ORDERS))
        publish(d)
        publish(d, name="plus")
        for i in range(20):
            tap.equal(subscribe(d, key="k%d" % i, payers=[
                {"kind": "resident", "id": "r%d" % i}]).status, 201)
            last = do(d, "sub_%d" % (16 + i), "upgrade", plan="plus")
            tap.equal(last.status, 200)
        d.kill()
        d.start()
        items = op(d, "GET", "/subscriptions").json["items"]
        tap.equal([(s["payers"][0]["id"], s["plan"]) for s in items],
                  [("r%d" % i, "plus@1") for i in range(20)])
        tap.equal(items[19], last.json)
        tap.equal(subscribe(d, key="k7", payers=[
            {"kind": "resident", "id": "r7"}]).json["id"], "sub_23")
        tap.equal([p["id"] for p in op(d, "GET", "/plans").json["items"]],
                  ["basic@1", "plus@1"])


def test_killed_while_it_is_busy():
    """Four operators subscribe and move people until linlid is killed: what
    was acknowledged is there, and nothing is half there."""
    with Daemon(audited=False) as d:
        d.enable(d.source(ORDERS))
        publish(d)
        publish(d, name="plus")
        acked = {}

        def work(n, turn):
            with contextlib.suppress(OSError, http.client.HTTPException):
                for i in range(1000):
                    key = "k%d.%d.%d" % (turn, n, i)
                    made = subscribe(d, key=key, payers=[
                        {"kind": "resident", "id": "r" + key}])
                    acked[key] = "basic@1"
                    if do(d, made.json["id"], "upgrade",
                          plan="plus").status == 200:
                        acked[key] = "plus@1"

        for turn in range(3):
            threads = [threading.Thread(target=work, args=(n, turn))
                       for n in range(4)]
            before = len(acked)
            for t in threads:
                t.start()
            wait_until(lambda: len(acked) > before + 20 + 17 * turn, 10)
            d.kill()
            for t in threads:
                t.join()
            d.start()
            found, cursor = {}, ""
            while cursor is not None:
                page = op(d, "GET", "/subscriptions?limit=1000" + cursor).json
                for sub in page["items"]:
                    found[sub["payers"][0]["id"][1:]] = sub["plan"]
                cursor = page["next_cursor"] and \
                    "&cursor=" + page["next_cursor"]
            for key, plan in acked.items():
                tap.equal(found.get(key) in (plan, "plus@1"), True,
                          (key, plan, found.get(key)))
        tap.equal(len(acked) > 60, True)


def test_an_erased_payer_is_in_no_file():
    """Their id is a planted text: no file has it, before either."""
    who, other = planted()[:34], planted()[:34]
    with Daemon() as d:
        d.enable(d.source(ORDERS))
        publish(d)
        tap.equal(subscribe(d, payers=[
            {"kind": "resident", "id": who, "bp": 3000},
            {"kind": "resident", "id": other, "bp": 7000}]).status, 201)
        subscribe(d, key="k2", payers=[{"kind": "operator"}],
                  beneficiaries=[{"kind": "household", "id": "h1"}])
        own(d, "sub_16", "cap", who, fen=700)
        tap.equal(files_with(d.data, who, other), [])
        copy, again = (os.path.join(d.folder, n) for n in ("copy", "again"))
        d.linli_ok("backup", copy)
        erase(d, who)
        wait_until(lambda: not files_with(d.data, who), 10)
        tap.equal(files_with(d.data, who), [])
        sub = op(d, "GET", "/subscriptions/sub_16").json
        tap.equal(sub["payers"], [
            {"kind": "resident", "id": None, "bp": 3000},
            {"kind": "resident", "id": other, "bp": 7000}])
        tap.equal([sub["state"], sub["end"] is None], ["active", False])
        tap.equal(sub["deeds"][-1]["what"], "forget")
        tap.equal(sub["cap_fen"], 700)
        erase(d, other, key="k2")
        tap.equal(op(d, "GET", "/subscriptions/sub_16").json["state"],
                  "ended")
        tap.equal(op(d, "GET", "/subscriptions/sub_17").json["state"],
                  "active")
        # A copy from before knows neither of them, and charges nobody.
        tap.equal(restore(copy, again, d.data).code, 0)
        with Daemon(data=again) as old:
            old.enable(old.source(ORDERS))
            sub = op(old, "GET", "/subscriptions/sub_16").json
            tap.equal([sub["state"], [p["id"] for p in sub["payers"]]],
                      ["ended", [None, None]])
            tap.equal(sub["deeds"][-1]["by"], "system")
        tap.equal(files_with(again, who, other), [])
        d.stop()
        tap.equal(files_with(d.data, who, other), [])


def test_an_uninstall_ends_them():
    with Daemon() as d:
        d.enable(d.source(ORDERS))
        publish(d)
        subscribe(d)
        subscribe(d, key="k2", payers=[{"kind": "operator"}])
        answer = op(d, "POST", "/plugins/orders/uninstall",
                    {"reason": "not needed"}, "u1")
        tap.equal(answer.status, 202, answer)
        wait_until(lambda: op(d, "GET", "/uninstalls").json["items"][0]
                   ["state"] == "done", 20)
        items = op(d, "GET", "/subscriptions").json["items"]
        tap.equal([i["state"] for i in items], ["ended", "ended"])
        deed = op(d, "GET", "/subscriptions/sub_16").json["deeds"][-1]
        tap.equal([deed["what"], deed["by"], deed["with"]["reason"]],
                  ["cancel", "operator:o1", "not needed"])
        tap.equal(op(d, "GET", "/plans/basic").json["closed"], True)


def test_a_copy_has_them():
    with Daemon() as d:
        d.enable(d.source(ORDERS))
        publish(d)
        subscribe(d, payers=[{"kind": "resident", "id": "r1", "bp": 4000},
                             {"kind": "resident", "id": "r2", "bp": 6000}])
        answer = d.http("POST", "/v1/c/demo/me/requests", {"kind": "export"},
                        as_="resident:r1", key="k1")
        tap.equal(answer.status, 201, answer)
        path = "/v1/c/demo/me/requests/%s/export" % answer.json["id"]
        wait_until(lambda: d.http("GET", path,
                                  as_="resident:r1").status == 200, 10)
        copy = d.http("GET", path, as_="resident:r1")
        found = [i["subscription"] for i in copy.json["items"]
                 if i["kind"] == "subscription"]
        tap.equal([i["id"] for i in found], ["sub_16"], copy)
        tap.equal(found[0]["payers"],
                  [{"kind": "resident", "you": True, "bp": 4000},
                   {"kind": "resident", "you": False, "bp": 6000}])


def test_by_command():
    """All of it with linli: a person's lines, and JSON for scripts."""
    with Daemon() as d:
        d.enable(d.source(ORDERS))
        path = os.path.join(d.folder, "plan.json")
        for name in ("basic", "plus"):
            with open(path, "w", encoding="utf-8") as f:
                json.dump(body(name=name), f)
            tap.contains(d.linli_ok("plan", "publish", path).out,
                         name + "@1")
        tap.contains(d.linli_ok("plan", "list").out, "基础版")
        tap.equal(json.loads(d.linli_ok("plan", "show", "plus@1").out),
                  body(name="plus"))
        words = ["subscribe", "start", "basic", "--payers",
                 "resident:r1=6000,household:h1=4000", "--users",
                 "resident:r1,household:h2", "--seats", "2", "--cap", "5000",
                 "--key", "k1"]
        row = d.linli_ok(*words).out
        for word in ("sub_16", "basic@1", "active", "5000",
                     "resident:r1=6000,household:h1=4000"):
            tap.contains(row, word)
        tap.equal(d.linli_ok(*words).out, row)
        made_up = d.linli_ok("subscribe", "start", "basic", "--payers",
                             "operator")
        tap.contains(made_up.err, "Idempotency-Key: ")
        why = ["--reason", "asked for"]
        tap.contains(d.linli_ok("subscribe", "upgrade", "sub_16", "plus",
                                *why).out, "plus@1")
        d.linli_ok("subscribe", "downgrade", "sub_16", "basic", *why)
        tap.contains(d.linli_ok("subscribe", "pause", "sub_16", *why).out,
                     "paused")
        d.linli_ok("subscribe", "resume", "sub_16", *why)
        d.linli_ok("subscribe", "cap", "sub_16", "9000", *why)
        one = d.linli_ok("subscribe", "show", "sub_16", "--json").json
        tap.equal([one["cap_fen"], one["cap_asked"]["fen"]], [5000, 9000])
        d.linli_ok("subscribe", "cap", "sub_16", "none", *why)
        d.linli_ok("subscribe", "cancel", "sub_17", "--now", *why)
        found = d.linli_ok("subscribe", "list", "--state", "ended",
                           "--json").json
        tap.equal([i["id"] for i in found["items"]], ["sub_17"])
        shown = d.linli_ok("subscribe", "show", "sub_16").out
        for word in ("upgrade", "downgrade", "pause", "resume", "ask-cap",
                     "operator:linli", "asked for"):
            tap.contains(shown, word)
        refused = d.linli("subscribe", "pause", "sub_16")
        tap.equal(refused.code, 2)
        tap.contains(refused.err, "--reason")
        refused = d.linli("subscribe", "start", "gold", "--payers",
                          "resident:r9")
        tap.equal(refused.code, 1)
        tap.contains(refused.err, "plan/unknown")
        tap.equal(d.linli("subscribe", "start", "basic", "--payers",
                          "resident:r9=x").code, 2)
        tap.contains(d.linli_ok("plan", "close", "basic", *why).out,
                     "closed")


if __name__ == "__main__":
    tap.main()
