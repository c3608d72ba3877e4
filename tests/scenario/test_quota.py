#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/scenario/test_quota.py: spec/metering.md, section 10, live: who is
admitted by which plan, what a limit and a cap let through, and what is counted
all the same."""

import concurrent.futures
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import wait_until  # noqa: E402
from sold import SUSPENSE, hard, per_unit, soft, sold  # noqa: E402

CALL = "linli.call"
PHONE = {"field": "phone_relay", "purpose": "delivery", "basis": "consent",
         "required": True,
         "why": {"zh-CN": "快递员给您打电话", "en": "The courier calls you"},
         "without": {"zh-CN": "放快递柜", "en": "It goes to a locker"}}
EVERYBODY = ["resident", "staff", "operator"]
MANIFEST = dict(
    meters={"probe.use": {"kind": "count", "unit": "use",
                          "max_per_call": 1000}},
    timers=["ring"],
    data=[PHONE],
    relation="entrust",
    problems={"probe/used": {"status": 409, "title": {"zh-CN": "冲突",
                                                      "en": "Used"}},
              "probe/no": {"status": 409, "title": {"zh-CN": "不行",
                                                    "en": "No"}}},
    routes=[{"method": "POST", "path": "/run", "caller": EVERYBODY},
            {"method": "POST", "path": "/safety", "caller": EVERYBODY,
             "safety": True},
            {"method": "POST", "path": "/private", "caller": ["resident"],
             "data": [{"field": "phone_relay", "purpose": "delivery"}]},
            {"method": "GET", "path": "/look", "caller": ["resident"],
             "billed": False}])
LUA = """
local p = require("linli").plugin()
local function run(call)
  local b = call.body
  if b.timer then call:timer{at = call.now, run = "ring"} end
  if b.meter and b.catch then
    local ok, why = pcall(call.meter, call, "probe.use", b.meter)
    return 200, {ok = ok, why = ok and "" or why:match("plan/[%w-]+")}
  elseif b.meter then
    local ok, word = pcall(call.meter, call, "probe.use", b.meter,
                           {event_id = b.event})
    if not ok and word:match("db/conflict") then call:fail("probe/used") end
    if not ok then error(word, 0) end
    return 200, {word = word}
  end
  if b.fail then call:fail("probe/no") end
  if b.error then error("as it was told") end
  return 200, {}
end
p:post("/run", run)
p:post("/safety", run)
p:post("/private", run)
p:get("/look", function() return 200, {} end)
p:timer("ring", function(call) call:meter("probe.use", 3) end)
return p
"""


def shop(**more):
    """The probe, sold."""
    return sold(LUA, **dict(MANIFEST, **more))


def refused(got, code):
    """It is 402 with the code; the problem's `plan`."""
    tap.equal((got.status, got.json.get("code")), (402, code), got)
    return got.json.get("plan")


def at_once(s, count, body=None, threads=32):
    """So many calls, on so many connections; [status]."""
    token = {"Authorization": "Bearer " + s.d.token("resident:wang")}
    keys = [s.key() for _ in range(count)]

    def some(mine):
        connection = s.d.connect()
        try:
            return [s.d.call(s.plugin, "/run", body or {}, as_=None, key=key,
                             headers=token, connection=connection).status
                    for key in mine]
        finally:
            connection.close()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        lists = list(pool.map(some, [keys[i::threads]
                                     for i in range(threads)]))
    return [status for part in lists for status in part]


def test_a_plugin_that_is_not_sold_is_free():
    with shop() as s:
        tap.equal(s.run().status, 200)
        tap.equal(s.by_sub(CALL), {"sub_0": 1})
        s.publish("basic")
        plan = refused(s.run(), "plan/none")
        tap.equal(plan, None)
        sub = s.subscribe("wang", "basic")
        tap.equal(s.run().status, 200)
        tap.equal(s.by_sub(CALL), {"sub_0": 1, sub: 1})


def test_sixteen_hundred_against_a_thousand():
    with shop() as s:
        s.publish("basic", limits=[hard(CALL, 1000)])
        sub = s.subscribe("wang", "basic")
        got = at_once(s, 1600)
        tap.equal((got.count(200), got.count(402)), (1000, 600), got)
        tap.equal(s.used(CALL, sub), 1000)
        # What it says, in both languages.
        answer = s.run(headers={"Accept-Language": "zh-CN"})
        plan = refused(answer, "plan/limit-reached")
        ends = plan.pop("period_ends")
        tap.equal(plan, {"subscription": sub, "plan": "basic@1",
                         "meter": CALL, "used": "1000", "reserved": "0",
                         "limit": "1000"})
        tap.equal(answer.json["detail"],
                  "linli.call: 本期限额 1000, 已用 1000; %s 起重新计算" % ends)
        tap.equal("升级套餐" in answer.json["fix"], True, answer.json)
        answer = s.run(headers={"Accept-Language": "en"})
        tap.equal(answer.json["title"],
                  "The plan allows no more in this period")
        # The routes that are not billed go on.
        tap.equal(s.d.call("probe", "/look", method="GET",
                           as_="resident:wang").status, 200)
        # A restart knows it.
        s.restart()
        refused(s.run(), "plan/limit-reached")
        tap.equal(s.used(CALL, sub), 1000)


def test_subscriptions_that_are_not_in_force():
    with shop(options=["--clock=virtual"]) as s:
        s.publish("basic")
        sub = s.subscribe("wang", "basic")
        s.act(sub, "pause")
        tap.equal(refused(s.run(), "plan/paused"),
                  {"subscription": sub, "state": "paused"})
        s.act(sub, "resume")
        tap.equal(s.run().status, 200)
        s.act(sub, "cancel", now=True)
        tap.equal(refused(s.run(), "plan/ended")["state"], "ended")
        got = s.run(headers={"Accept-Language": "zh"})
        tap.equal(got.json["title"], "该服务的订阅已终止")
        # What a safety route does is counted, and nobody's.
        tap.equal(s.run(path="/safety").status, 200)
        tap.equal(s.by_sub(CALL), {sub: 1, SUSPENSE: 1})
        page = s.admin("/usage?subscription=sub_1&meter=" + CALL)
        tap.equal([(i["subscription"], i["quantity"])
                   for i in page["items"]], [(SUSPENSE, "1")])
        tap.equal(page["totals"][0]["quantity"], "1")
        s.admin("/usage?subscription=16", status=422)


def test_who_is_never_refused():
    with shop() as s:
        s.publish("basic", limits=[hard(CALL, 1), hard("probe.use", 1)])
        for who in ("staff:li", "operator:o1"):
            tap.equal(s.run(as_=who).status, 200)
        tap.equal(s.run(path="/safety").status, 200)
        tap.equal(s.by_sub(CALL), {SUSPENSE: 3})
        sub = s.subscribe("community", "basic")
        for who in ("staff:li", "operator:o1"):
            tap.equal(s.run(as_=who).status, 200)
        tap.equal(s.used(CALL, sub), 2)
        refused(s.run(), "plan/limit-reached")
        # A safety route, and the timer that it sets.
        got = s.run({"meter": 5, "timer": True}, path="/safety")
        tap.equal(got.json, {"word": "recorded"})
        tap.equal(wait_until(lambda: s.used("probe.use", sub) == 8), True,
                  s.by_sub("probe.use"))
        tap.equal(s.used(CALL, sub), 3)


def test_a_household_has_one_for_all():
    with shop() as s:
        s.publish("family", limits=[hard(CALL, 3)])
        sub = s.subscribe("household:7", "family")
        home = {"household": "7"}

        def run(who, claims=None):
            token = s.d.token("resident:" + who, claims=claims)
            return s.run(as_=None, headers={
                "Authorization": "Bearer " + token})
        got = [run(w, home).status for w in ("wang", "li", "wang", "li")]
        tap.equal(got, [200, 200, 200, 402])
        refused(run("zhao"), "plan/none")
        tap.equal(s.by_sub(CALL), {sub: 3})
        # Their own comes first.
        own = s.subscribe("li", "family")
        tap.equal(run("li", home).status, 200)
        tap.equal(s.by_sub(CALL), {sub: 3, own: 1})


def test_a_meter_of_the_plugins_own():
    with shop() as s:
        s.publish("basic", limits=[hard("probe.use", 10)])
        sub = s.subscribe("wang", "basic")
        tap.equal(s.run({"meter": 7}).status, 200)
        plan = refused(s.run({"meter": 4}), "plan/limit-reached")
        tap.equal((plan["meter"], plan["used"], plan["limit"]),
                  ("probe.use", "7", "10"))
        # The plugin may catch it, and go on.
        got = s.run({"meter": 4, "catch": True})
        tap.equal(got.json, {"ok": False, "why": "plan/limit-reached"})
        tap.equal(s.run({"meter": 3}).status, 200)
        refused(s.run({"meter": 1}), "plan/limit-reached")
        tap.equal((s.used("probe.use", sub), s.used(CALL, sub)), (10, 3))
        got = at_once(s, 40, {"meter": 1})
        tap.equal(got.count(402), 40)


def test_what_fails_uses_nothing():
    with shop() as s:
        s.publish("basic", limits=[hard(CALL, 2)])
        sub = s.subscribe("wang", "basic")
        for _ in range(3):
            tap.equal(s.run({"fail": True}).status, 409)
            tap.equal(s.run({"error": True}).status, 500)
            tap.equal(s.run(path="/private").status, 403)
        tap.equal(s.used(CALL, sub), 0)
        tap.equal([s.run().status for _ in range(3)], [200, 200, 402])
        # What consent refuses comes before the quota.
        tap.equal(s.run(path="/private").status, 403)


def test_told_again():
    with shop() as s:
        s.publish("basic", limits=[hard("probe.use", 600)])
        sub = s.subscribe("wang", "basic")

        def tell(event, n=1):
            return s.run({"meter": n, "event": "e%d" % event})
        first = [tell(i).json for i in range(600)]
        tap.equal(first, [{"word": "recorded"}] * 600)
        tap.equal(s.used("probe.use", sub), 600)
        again = [tell(i).json for i in range(600)]
        tap.equal(again, [{"word": "duplicate"}] * 600)
        tap.equal(s.used("probe.use", sub), 600)
        got = tell(5, 2)
        tap.equal((got.status, got.json["code"]), (409, "probe/used"))
        refused(tell(600), "plan/limit-reached")
        tap.equal(s.used("probe.use", sub), 600)


def test_soft_limits_tell_once():
    with shop() as s:
        s.publish("basic", limits=[soft(CALL, 10, (80, 100))])
        sub = s.subscribe("wang", "basic")
        for _ in range(9):
            tap.equal(s.run().status, 200)
        told = s.alerts()
        tap.equal([a["threshold"] for a in told], ["8"])
        tap.equal((told[0]["subscription"], told[0]["plan"],
                   told[0]["meter"], told[0]["used"]),
                  (sub, "basic@1", CALL, "8"))
        s.restart()
        for _ in range(5):
            tap.equal(s.run().status, 200)
        tap.equal([a["threshold"] for a in s.alerts()], ["8", "10"])
        s.d.kill()
        s.d.start()
        tap.equal(s.run().status, 200)
        tap.equal(len(s.alerts()), 2)
        tap.equal(s.used(CALL, sub), 15)


def test_a_cap_in_money():
    with shop() as s:
        s.publish("basic", charges=[per_unit(CALL, "2.5")])
        sub = s.subscribe("wang", "basic", cap_fen=100)
        got = at_once(s, 100)
        tap.equal((got.count(200), got.count(402)), (40, 60))
        answer = s.run(headers={"Accept-Language": "zh-CN"})
        plan = refused(answer, "plan/cap-reached")
        tap.equal((plan["cost_fen"], plan["cap_fen"]), (100, 100), plan)
        tap.equal(answer.json["detail"].startswith(
            "本期费用 1.00 元, 上限 1.00 元"), True, answer.json)
        tap.equal(s.run(path="/safety").status, 200)
        s.restart()
        refused(s.run(), "plan/cap-reached")
        raised = s.d.http("POST", "/v1/c/demo/me/subscriptions/%s/cap" % sub,
                          {"fen": 106}, as_="resident:wang", key=s.key())
        tap.equal(raised.status, 200, raised)
        tap.equal([s.run().status for _ in range(2)], [200, 402])


def test_prepaid():
    """What was put in is what can be used, also while the last period is a
    draft that no account has, and over restarts."""
    with shop(options=["--clock=virtual"]) as s:
        s.d.linli_ok("clock", "set", "2030-03-30T00:00:00Z")
        s.publish("pre", charges=[per_unit(CALL, 100)],
                  wallet_mode="credit_only")
        sub = s.subscribe("wang", "pre")
        plan = refused(s.run(), "plan/cap-reached")
        tap.equal((plan["cost_fen"], plan["available_fen"]), (0, 0), plan)
        s.admin("/subscriptions/%s/wallet" % sub,
                {"amount_fen": 550, "ref": "t1"})
        tap.equal([s.run().status for _ in range(3)], [200] * 3)
        s.d.linli_ok("clock", "advance", "3d")  # of April; March is a draft
        s.restart()
        tap.equal([s.run().status for _ in range(3)], [200, 200, 402])
        got = s.run(headers={"Accept-Language": "zh-CN"})
        tap.equal(got.json["detail"].split(";")[0],
                  "已用 5.00 元, 预付余额 5.50 元", got.json)
        s.d.linli_ok("clock", "advance", "4d")  # it was final, and is paid
        plan = refused(s.run(), "plan/cap-reached")
        tap.equal((plan["cost_fen"], plan["available_fen"]), (200, 250), plan)
        s.admin("/subscriptions/%s/wallet" % sub,
                {"amount_fen": 50, "ref": "t2"})
        tap.equal([s.run().status for _ in range(2)], [200, 402])
        tap.equal(s.used(CALL, sub), 6)


def test_a_period_and_an_upgrade_begin_anew():
    with shop(options=["--clock=virtual"]) as s:
        s.d.linli_ok("clock", "set", "2030-03-30T00:00:00Z")
        s.publish("basic", limits=[hard(CALL, 2)])
        s.publish("more", limits=[hard(CALL, 3)])
        sub = s.subscribe("wang", "basic")
        tap.equal([s.run().status for _ in range(3)], [200, 200, 402])
        s.act(sub, "upgrade", plan="more")
        tap.equal([s.run().status for _ in range(4)], [200] * 3 + [402])
        s.d.linli_ok("clock", "advance", "3d")
        tap.equal([s.run().status for _ in range(4)], [200] * 3 + [402])
        tap.equal(s.by_version(CALL), {(sub, "basic@1"): 2,
                                       (sub, "more@1"): 6})


if __name__ == "__main__":
    tap.main()
