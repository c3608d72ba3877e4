#!/usr/bin/env python3
# test-timeout-s: 300
"""tests/scenario/test_pages_bills.py: bills and plans, over a live linlid in
real Chromium (spec/metering.md, 16).

Nothing here is an imitation: what is read on the page was sold, used, counted
and billed. LINLI_PICTURES=FOLDER keeps pictures.
"""

import contextlib
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import pages_rules as rules  # noqa: E402
import tap  # noqa: E402
from browser import needed, shared  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)
from test_invoices import LUA, advance, op, use  # noqa: E402
from test_pages_sheet import WAYS, keep  # noqa: E402

ME = "/v1/c/demo/me/"
NAMES = ["INV"]


def both(zh, en):
    """A text in the two languages."""
    return {"zh-CN": zh, "en": en}


METERS = {"probe." + name: {"kind": "count", "unit": name, "title": title,
                            "max_per_call": 10000000}
          for name, title in (("gb", both("存照片", "Photos kept")),
                              ("api", both("开门", "Doors opened")),
                              ("pay", both("代收的费用", "Fees collected")))}
PLAN = {
    "name": "basic", "plugin": "probe", "title": both("家庭版", "Family"),
    "words": {"fee": both("月费", "Monthly fee"),
              "friend": both("老住户优惠", "Long-time residents")},
    "plan": {
        "interval": "month", "anchor": "calendar",
        "tax": {"mode": "inclusive", "rate_bp": 600},
        "discounts": [{"id": "friend", "percent_bp": 500}],
        "limits": [{"meter": "probe.api", "kind": "hard", "max": "100000"}],
        "charges": [
            {"id": "fee", "kind": "flat", "amount_fen": 3100,
             "timing": "arrears"},
            {"id": "api", "kind": "graduated", "meter": "probe.api",
             "tiers": [{"up_to": "1000", "unit_fen": "3"},
                       {"up_to": None, "unit_fen": "0.5"}]},
            {"id": "gb", "kind": "volume", "meter": "probe.gb",
             "tiers": [{"up_to": "10", "unit_fen": "100"},
                       {"up_to": None, "unit_fen": "50"}]},
            {"id": "pay", "kind": "percentage", "meter": "probe.pay",
             "rate_bp": 60, "fixed_fen": 10},
            {"id": "calls", "kind": "unit", "meter": "linli.call",
             "unit_fen": "0.25"}]}}


@contextlib.contextmanager
def living():
    """(daemon, browser, subscription): r1 has a plan in its second month."""
    needed()
    with temporary_folder() as parent, Daemon(
            options=["--clock=virtual"],
            config={"consent": {"help_phone": "0571 8888 0000"}}) as d:
        d.linli_ok("clock", "set", "2030-01-10T02:00:00Z")
        d.enable(plugin_folder(parent, probe_manifest(
            "probe", name=both("门禁", "Doors"), meters=METERS,
            routes=[{"method": "POST", "path": "/use",
                     "caller": ["resident"]}]), main__lua=LUA))
        op(d, "POST", "/plans", PLAN, 201)
        sub = op(d, "POST", "/subscriptions", {
            "plan": "basic", "cap_fen": 10000,
            "payers": [{"kind": "resident", "id": "r1", "bp": 6000},
                       {"kind": "community", "bp": 4000}]},
            201, key="one").json["id"]
        use(d, api=1500, gb=10, pay=20000)
        advance(d, "26d")
        use(d, api=40, gb=11)
        advance(d, "24h")
        use(d, api=2)
        with shared() as b:
            yield d, b, sub


def page(d, b, query, as_="resident:r1", path="bills"):
    """A page of this resident."""
    b.open("%s/v1/c/demo/%s?%s#token=%s" % (
        d.url, path, query, urllib.parse.quote(d.token(as_))))


def ask_cap(d, sub, fen):
    """The operator wants another cap."""
    op(d, "POST", "/subscriptions/%s/cap" % sub,
       {"fen": fen, "reason": "more doors"})


def open_all(b):
    """Everything that is shown on a press."""
    b.run("document.querySelectorAll('details').forEach(e => e.open = true)")


def test_every_way_to_read_it():
    with living() as (d, b, sub):
        ask_cap(d, sub, 20000)
        for lang, size, elder in WAYS:
            page(d, b, "lang=%s&size=%d&elder=%d" % (lang, size, elder))
            b.wait("h2", "家庭版" if lang == "zh-CN" else "Family")
            open_all(b)
            b.click("button", "看明细" if lang == "zh-CN" else
                    "See what it is made of")
            b.wait("section:last-of-type ul ul li")
            b.run("window.scrollTo(0, 0)")
            keep(b, "bills-%s-%d-%d" % (lang, size, elder))
            rules.check(b, lang, size, elder, NAMES,
                        keys=(size, elder) in ((18, 0), (30, 1)))
            b.resize(320)
            tap.equal(rules.overflow(b), [], "%s %d" % (lang, size))
            keep(b, "bills-narrow-%s-%d-%d" % (lang, size, elder))
            b.resize(390)


def test_why_it_costs_that():
    with living() as (d, b, sub):
        so_far = d.http("GET", ME + "subscriptions/%s/preview" % sub,
                        as_="resident:r1").json
        tap.equal(so_far["total_fen"] > 0, True)
        page(d, b, "lang=zh-CN")
        b.wait("h2", "家庭版")
        open_all(b)
        text = b.text("main")
        for part in ("服务：门禁", "正在使用", "您本人（百分之60）", "月费",
                     "第 1 档：42 乘 0.03 元", "11 乘 0.50 元",
                     "由服务方自己计数，平台没有核实", "由平台计数",
                     "总量到 10：全部按单价 1.00 元",
                     "用 10 共 10.00 元，用 11 共 5.50 元",
                     "金额的百分之0.6", "每期最多 100.00 元", "老住户优惠",
                     "物业在 2030年1月10日", "以前的账单"):
            tap.contains(text, part)
        yuan = "%d.%02d 元" % divmod(so_far["total_fen"], 100)
        tap.contains(b.text(".total"), yuan)
        tap.contains(text, "其中您付 %d.%02d 元" % divmod(
            so_far["payers"][0]["fen"], 100))
        # What a line is made of.
        b.click("[aria-label='看每天的用量：开门']")
        b.wait(".days li", "2月5日：40（1 条记录）")
        tap.contains(b.text("main"), "2月6日：2（1 条记录）")
        # And the bill there was, out of what is frozen.
        bill, = d.http("GET", ME + "invoices", as_="resident:r1").json["items"]
        tap.contains(text, "%d.%02d 元" % divmod(bill["total_fen"], 100))
        b.click("button", "看明细")
        b.wait("section:last-of-type ul ul li", "月费")


def test_yes_and_no_to_a_cap_are_equal():
    with living() as (d, b, sub):
        for which, fen in (("first", 10000), ("last", 20000)):
            ask_cap(d, sub, 20000)
            page(d, b, "lang=zh-CN")
            b.wait(".choice button", "同意")
            tap.contains(b.text("main"), "物业申请把上限提高到每期 200.00 元")
            looks = b.run("""
                return Array.from(document.querySelectorAll('.choice button'),
                  e => { const s = getComputedStyle(e),
                           r = e.getBoundingClientRect();
                         return [r.width, r.height, s.color, s.fontSize,
                           s.fontWeight, s.backgroundColor, s.borderColor]
                           .join(' '); });""")
            tap.equal((len(looks), len(set(looks))), (2, 1), looks)
            b.click(".choice button:%s-child" % which)
            b.wait("[role=status]", "上限已按您的决定设好")
            mine, = d.http("GET", ME + "subscriptions",
                           as_="resident:r1").json["items"]
            tap.equal((mine["cap_fen"], mine["cap_asked"]), (fen, None))
            tap.contains(b.text("main"), "您在 2030年2月6日")
        # And without being asked, in one press.
        b.click("summary", "改上限")
        b.click("button", "改为最多 100.00 元")
        b.wait("main", "每期最多 100.00 元")


def test_whose_it_is():
    """Who neither pays nor uses it sees nothing of it."""
    with living() as (d, b, sub):
        path = ME + "subscriptions/%s/" % sub
        for what in ("plan", "preview", "days?meter=probe.api&from=2030-02-01"
                     "&to=2030-03-01"):
            tap.equal(d.http("GET", path + what, as_="resident:r1").status,
                      200, what)
            tap.equal(d.http("GET", path + what, as_="resident:r2").status,
                      404, what)
            tap.equal(d.http("GET", path + what, as_="operator:o1").status,
                      403, what)
        days = d.http("GET", path + "days?meter=probe.api&from=2030-01-01"
                      "&to=2030-03-01", as_="resident:r1").json["items"]
        tap.equal(days, [
            {"day": "2030-01-10", "quantity": "1500", "records": 1},
            {"day": "2030-02-05", "quantity": "40", "records": 1},
            {"day": "2030-02-06", "quantity": "2", "records": 1}])
        for bad in ("meter=probe.api", "meter=&from=2030-01-01&to=2030-01-02",
                    "meter=x&from=2030-01-01&to=2032-01-01",
                    "meter=x&from=2030-01-02&to=2030-01-01"):
            tap.equal(d.http("GET", path + "days?" + bad,
                             as_="resident:r1").code, "request/invalid", bad)
        page(d, b, "lang=en", as_="resident:r2")
        b.wait("main", "You have no plan at the moment.")
        tap.equal("Family" in b.text("main"), False)
        rules.check(b, "en", 18, 0)


def test_without_a_token_it_shows_nothing():
    with living() as (d, b, _):
        b.open("%s/v1/c/demo/bills?lang=zh-CN" % d.url)
        b.wait("h1", "请从应用里打开")
        page(d, b, "lang=zh-CN", path="centre")
        b.click("button", "看账单与套餐")
        b.wait("h1", "账单与套餐")
        tap.contains(b.run("return location.pathname + location.hash;"),
                     "/v1/c/demo/bills")


if __name__ == "__main__":
    tap.main()
