#!/usr/bin/env python3
# test-timeout-s: 300
"""tests/scenario/test_invoices.py: invoices, live: from the preview to what
follows if nobody pays. spec/metering.md, section 11."""

import base64
import contextlib
import csv
import hashlib
import io
import itertools
import json
import os
import re
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import browser  # noqa: E402
import tap  # noqa: E402
from linli_test import Daemon, plugin_folder, probe_manifest  # noqa: E402
from linli_test import temporary_folder, wait_until  # noqa: E402

ADMIN = "/v1/c/demo/admin"
KEYS = itertools.count()
START = "2030-01-10T02:00:00Z"
LUA = """
local p = require('linli').plugin()
p:post('/use', function(call)
  for name, n in pairs(call.body.of) do
    call:meter('probe.' .. name, n, {at = call.body.at})
  end
  return 200, {}
end)
return p
"""
METERS = {"probe." + name: {"kind": "count", "unit": name,
                            "max_per_call": 10000000}
          for name in ("gb", "api", "pay")}
CHARGES = [
    {"id": "fee", "kind": "flat", "amount_fen": 3100},
    {"id": "api", "kind": "graduated", "meter": "probe.api",
     "tiers": [{"up_to": "1000", "unit_fen": "3"},
               {"up_to": None, "unit_fen": "0.5"}]},
    {"id": "gb", "kind": "volume", "meter": "probe.gb",
     "tiers": [{"up_to": "10", "unit_fen": "100"},
               {"up_to": None, "unit_fen": "50"}]},
    {"id": "pay", "kind": "percentage", "meter": "probe.pay", "rate_bp": 60,
     "fixed_fen": 10}]


# One charge has none; what is said may look like markup.
WORDS = {"fee": {"zh-CN": "月费", "en": "Monthly fee"},
         "api": {"zh-CN": "接口<b>&\"调用\"", "en": "Calls <b>&\"\"</b>"},
         "gb": {"zh-CN": "存储空间", "en": "Storage"}}


@contextlib.contextmanager
def shop(start=START, config=None):
    """A daemon that sells a plugin by the month; its clock is ours."""
    with temporary_folder() as parent, Daemon(
            options=["--clock=virtual"], config=config) as d:
        d.linli_ok("clock", "set", start)
        d.enable(plugin_folder(parent, probe_manifest(
            "probe", meters=METERS,
            routes=[{"method": "POST", "path": "/use",
                     "caller": ["resident"]}]), main__lua=LUA))
        yield d


def op(d, method, path, body=None, status=200, headers=None, key=None):
    """An operator's request, that has to end so; its Answer."""
    got = d.http(method, ADMIN + path, body, headers, "operator:o1", key=key)
    tap.equal(got.status, status, "%s %s: %s" % (method, path, got.text))
    return got


def publish(d, name="basic", charges=None, words=None, **plan):
    """A plan."""
    op(d, "POST", "/plans", {
        "name": name, "plugin": "probe",
        "title": {"zh-CN": "基础版", "en": "Basic"},
        "share": {"platform_bp": 1000},
        "words": words or {},
        "plan": dict({"interval": "month", "anchor": "calendar",
                      "tax": {"mode": "inclusive", "rate_bp": 600},
                      "charges": CHARGES if charges is None else charges},
                     **plan)}, 201)


def subscribe(d, who="r1", **more):
    """A subscription; its id."""
    return op(d, "POST", "/subscriptions", dict(
        {"plan": "basic", "payers": [{"kind": "resident", "id": who}]},
        **more), 201, key="key-" + who).json["id"]


def use(d, who="r1", at=None, **of):
    """Somebody uses so much."""
    body = {"of": of}
    if at is not None:
        body["at"] = at
    got = d.http("POST", "/v1/c/demo/probe/use", body, as_="resident:" + who,
                 key="use-%d" % next(KEYS))
    tap.equal(got.status, 200, got)


def advance(d, duration):
    """The clock goes on, and everything is done on the way."""
    d.linli_ok("clock", "advance", duration)


def agree(d):
    """Usage, invoices and the ledger say the same."""
    got = op(d, "GET", "/reconcile").json
    tap.equal(got["ok"], True, got)


def invoices(d, query=""):
    """All of them, the oldest first."""
    return op(d, "GET", "/invoices" + query).json["items"][::-1]


def show(d, invoice, suffix="", **headers):
    """One."""
    return op(d, "GET", "/invoices/%s%s" % (invoice, suffix), headers={
        k.replace("_", "-"): v for k, v in headers.items()})


def lines(body):
    """Its lines: amount by key."""
    return {line["key"]: line["amount_fen"] for line in body["lines"]}


def judge(body):
    """What has to hold of every invoice."""
    spent = [line for line in body["lines"] if line["part"] != "invoice"]
    tap.equal(sum(i["net_fen"] for i in body["items"]), body["net_fen"])
    tap.equal(sum(i["tax_fen"] for i in body["items"]), body["tax_fen"])
    tap.equal(sum(line["net_fen"] for line in spent), body["net_fen"])
    tap.equal(sum(line["tax_fen"] for line in spent), body["tax_fen"])
    tap.equal(body["net_fen"] + body["tax_fen"], body["total_fen"])
    tap.equal(sum(p["fen"] for p in body["payers"]), body["total_fen"])
    amounts = sum(line["amount_fen"] for line in body["lines"])
    tap.equal(amounts, body["net_fen"] if body["tax_mode"] == "exclusive"
              else body["total_fen"])
    tap.equal(len({line["key"] for line in body["lines"]}),
              len(body["lines"]), "keys")


def test_a_preview_is_the_invoice():
    with shop() as d:
        publish(d)
        sub = subscribe(d)
        use(d, api=1500, gb=10, pay=20000)
        use(d, pay=10000)
        first = op(d, "GET", "/subscriptions/%s/preview" % sub).json
        judge(first)
        want = {"api:t1:unit": 3000, "api:t2:unit": 250,
                "gb:t1:unit": 1000, "pay:pct": 180, "pay:fixed": 20}
        tap.equal(lines(first), want)
        advance(d, "22d")
        made = invoices(d)
        tap.equal([(i["state"], i["k"]) for i in made],
                  [("overdue", 0), ("draft", 1)])
        advance(d, "3d")
        made = invoices(d)
        tap.equal([(i["state"], i["number"]) for i in made],
                  [("overdue", "INV-000001"), ("final", "INV-000002")])
        body = show(d, made[0]["id"]).json["invoice"]
        judge(body)
        tap.equal(lines(body), {"fee:fee": 2200})  # 22 of 31 days
        whole = show(d, made[1]["id"]).json
        body = whole["invoice"]
        judge(body)
        tap.equal(lines(body), dict(want, **{"fee:fee": 3100}))
        tap.equal(whole["hash"], hashlib.sha256(json.dumps(
            body, ensure_ascii=False, separators=(",", ":")).encode(
            )).hexdigest())
        tap.equal([u["meter"] for u in body["uses"]],
                  ["linli.call", "linli.cpu_us", "probe.api", "probe.gb",
                   "probe.pay"])


def pictures(b, name):
    """A picture for people who want to look, if they have said where."""
    folder = os.environ.get("LINLI_PICTURES")
    if folder:
        os.makedirs(folder, exist_ok=True)
        b.picture(os.path.join(folder, "invoice-%s.png" % name))
        b.cdp("Emulation.setEmulatedMedia", media="print")
        b.resize(680, 960)
        b.picture(os.path.join(folder, "invoice-%s-print.png" % name))
        b.cdp("Emulation.setEmulatedMedia", media="")
        b.resize(390, 844)


def pdf_of(b, name):
    """The page as it prints, as PDF; its pages, and its text."""
    data = base64.b64decode(b.command("POST", "print", {
        "background": True, "page": {"width": 21.0, "height": 29.7}}))
    tap.equal(data[:5], b"%PDF-")
    folder = os.environ.get("LINLI_PICTURES")
    if folder:
        with open(os.path.join(folder, "invoice-%s.pdf" % name), "wb") as f:
            f.write(data)
    return len(re.findall(rb"/Type\s*/Page\b", data))


def yuan(fen):
    """As the page writes it."""
    return "%s¥%s.%02d" % ("−" if fen < 0 else "",
                           format(abs(fen) // 100, ","), abs(fen) % 100)


def from_csv(text):
    """The rows of a CSV, by their first two cells."""
    rows = list(csv.DictReader(io.StringIO(text)))
    return {(r["type"], r["key"]): r for r in rows}


def test_three_forms_agree():
    with shop() as d, browser.shared() as b:
        publish(d, words=WORDS)
        sub = subscribe(d, payers=[
            {"kind": "resident", "id": "r1", "bp": 6667},
            {"kind": "household", "id": "h1", "bp": 3333}])
        use(d, api=123457, gb=11, pay=20001)
        advance(d, "26d")
        invoice = invoices(d)[1]
        tap.equal(invoice["state"], "final")
        body = show(d, invoice["id"]).json["invoice"]
        judge(body)
        got = show(d, invoice["id"], ".csv")
        tap.contains(got.headers["content-type"], "text/csv")
        tap.equal(got.text, show(d, invoice["id"], accept="text/csv").text)
        rows = from_csv(got.text)
        total = rows["total", "INV-000002"]
        tap.equal([int(total[n]) for n in ("net_fen", "tax_fen",
                                           "total_fen")],
                  [body["net_fen"], body["tax_fen"], body["total_fen"]])
        for line in body["lines"]:
            row = rows["line", line["key"]]
            tap.equal(int(row["amount_fen"]), line["amount_fen"])
            tap.equal(int(row["tax_fen"]), line["tax_fen"])
        tap.equal(sum(int(r["total_fen"]) for (t, _), r in rows.items()
                      if t == "line"), body["total_fen"])
        address = d.url + ADMIN + "/invoices/" + invoice["id"] + ".html"
        for lang, words in (("zh-CN", ("账单 INV-000002", "待付款", "基础版",
                                       "应付金额", "价目表", "一旦超过", "分摊",
                                       "合计", "税额 (已含)",
                                       "月费 · 固定费用",
                                       "接口<b>&\"调用\" · 用量, 第 2 档",
                                       "存储空间 · 用量", "pay · 比例费",
                                       "存储空间 (总量定价)")),
                            ("en", ("Invoice INV-000002", "To be paid",
                                    "Basic", "Amount due", "Price list",
                                    "all of it", "Who pays", "Total",
                                    "Tax (included)", "Monthly fee: fee",
                                    "Calls <b>&\"\"</b>: use, tier 2",
                                    "Storage: use", "pay: percentage",
                                    "Storage (by volume"))):
            got = show(d, invoice["id"], ".html", accept_language=lang)
            tap.equal(got.headers["content-language"], lang)
            tap.contains(got.headers["content-security-policy"],
                         "default-src 'none'")
            tap.equal(got.text, show(
                d, invoice["id"], ".html?lang=" + lang).text)
            with open(os.path.join(d.data, "page.html"), "w",
                      encoding="utf-8") as f:
                f.write(got.text)
            b.open("file://" + os.path.join(d.data, "page.html"))
            seen = b.text("body")
            for word in words + (yuan(body["total_fen"]),
                                 yuan(body["tax_fen"]), "2030-01-01"):
                tap.contains(seen, word)
            tap.equal(b.text("#due"), yuan(body["total_fen"]))
            tap.equal(b.run("return document.documentElement.scrollWidth <= "
                            "window.innerWidth;"), True, "it fits a phone")
            tap.equal(b.run("const most = document.querySelector('.due')"
                            ".getBoundingClientRect().right + 1; return "
                            "[...document.querySelectorAll('table')].filter("
                            "e => e.getBoundingClientRect().right > most)"
                            ".length;"), 0, "tables beyond the margin")
            tap.equal(b.run("return Math.min(...[...document.querySelectorAll"
                            "('td,dd,p')].filter(e => !e.closest('.foot'))"
                            ".map(e => parseFloat(getComputedStyle(e)"
                            ".fontSize)));") >= 18, True, "big enough")
            pictures(b, lang)
            tap.equal(pdf_of(b, lang) <= 2, True, "pages")
        del address, sub
        # A short one is one page.
        got = show(d, invoices(d)[0]["id"], ".html?lang=zh")
        with open(os.path.join(d.data, "page.html"), "w",
                  encoding="utf-8") as f:
            f.write(got.text)
        b.open("file://" + os.path.join(d.data, "page.html"))
        pictures(b, "short")
        tap.equal(pdf_of(b, "short"), 1)
        preview = op(d, "GET", "/subscriptions/sub_16/preview.html?lang=zh")
        tap.contains(preview.text, "预览")


def test_lines_are_in_words():
    with shop() as d:
        publish(d, words=WORDS)
        sub = subscribe(d)
        use(d, api=10, pay=100)
        advance(d, "10d")
        again = {"api": {"zh-CN": "调用次数", "en": "Requests"},
                 "new": {"zh-CN": "新人优惠", "en": "Newcomers"}}
        publish(d, words=again,
                discounts=[{"id": "new", "percent_bp": 1000}])
        op(d, "POST", "/subscriptions/%s/upgrade" % sub, {
            "plan": "basic@2", "reason": "asked"})
        use(d, api=20)
        advance(d, "13d")
        draft = invoices(d)[-1]
        tap.equal(draft["state"], "draft")
        # Each version calls its lines as it says, and none that it has not.
        expected = {"basic@1": {i: WORDS[i] for i in ("fee", "api")},
                    "basic@2": again}
        tap.equal(show(d, draft["id"]).json["words"], expected)
        use(d, api=5)
        for text in (show(d, draft["id"], ".html?lang=en").text,
                     op(d, "GET", "/subscriptions/%s/preview.html?lang=en"
                        % sub).text):
            tap.contains(text, "Newcomers: discount on the invoice")
        got = show(d, draft["id"], ".html?lang=zh").text
        for word in ("新人优惠 · ", "调用次数 · 用量", "接口&lt;b&gt;&amp;"
                     "&quot;调用&quot; · 用量", ">pay · "):
            tap.contains(got, word)
        tap.equal("接口<b>" in got, False, "markup")
        advance(d, "4d")
        final = show(d, draft["id"]).json
        tap.equal((final["state"], final["words"]), ("final", expected))
        # They are not in what is frozen.
        tap.equal("调用次数" in json.dumps(final["invoice"],
                                          ensure_ascii=False), False)
        publish(d, words={"api": {"zh-CN": "别的", "en": "Other"}})
        d.stop()
        d.start()
        tap.equal(show(d, draft["id"]).json, final)
        agree(d)


def state(d, sub):
    """That of a subscription."""
    return op(d, "GET", "/subscriptions/" + sub).json["state"]


def pay(d, invoice, fen, ref):
    """Money comes in for an invoice."""
    return op(d, "POST", "/invoices/%s/payments" % invoice, {
        "channel": "bank", "ref": ref, "amount_fen": fen}, 201)


def test_dunning_and_what_ends_it():
    with shop() as d:
        publish(d)
        sub = subscribe(d)
        advance(d, "3d")  # final on 13 January, due on the 28th
        first = invoices(d)[0]
        tap.equal([first["state"], first["due"], first["due_fen"]],
                  ["final", "2030-01-28", 2200])
        advance(d, "15d")
        tap.equal(invoices(d)[0]["state"], "final")
        advance(d, "1d")
        got = invoices(d)[0]
        tap.equal([got["state"], got["dunning"]], ["overdue", "notify"])
        advance(d, "7d")
        tap.equal(invoices(d)[0]["dunning"], "restrict")
        publish(d, "plus")
        answer = d.http("POST", ADMIN + "/subscriptions/%s/upgrade" % sub,
                        {"plan": "plus", "reason": "more"},
                        as_="operator:o1")
        tap.equal(answer.code, "plan/restricted")
        tap.equal(state(d, sub), "active")
        advance(d, "7d")
        tap.equal([invoices(d)[0]["dunning"], state(d, sub)],
                  ["suspend", "suspended"])
        answer = d.http("POST", "/v1/c/demo/probe/use", {"of": {"api": 1}},
                        as_="resident:r1", key="x1")
        tap.equal([answer.status, answer.code], [402, "plan/suspended"])
        alerts = op(d, "GET", "/alerts?kind=linli.overdue").json["items"]
        tap.equal([a["data"]["step"] for a in alerts], ["notify"])
        d.stop()
        d.start()  # the same is known after a start
        tap.equal([invoices(d)[0]["dunning"], state(d, sub)],
                  ["suspend", "suspended"])
        pay(d, first["id"], 2000, "a")
        tap.equal([invoices(d)[0]["due_fen"], state(d, sub)],
                  [200, "suspended"])
        pay(d, first["id"], 200, "b")
        got = invoices(d)[0]
        tap.equal([got["state"], got["paid_fen"], state(d, sub)],
                  ["paid", 2200, "active"])
        what = [h["what"] for h in show(d, first["id"]).json["history"]]
        tap.equal(what, ["final", "notify", "restrict", "suspend", "paid"])


def test_what_goes_back_is_owed_again():
    with shop() as d:
        publish(d)
        sub = subscribe(d)
        advance(d, "3d")
        first = invoices(d)[0]
        paid = pay(d, first["id"], 2200, "a").json
        tap.equal(invoices(d)[0]["state"], "paid")
        op(d, "POST", "/invoices/%s/refunds" % first["id"], {
            "payment": paid["id"], "amount_fen": 2200, "ref": "back",
            "reason": "the bank took it"}, 201)
        got = invoices(d)[0]
        tap.equal([got["state"], got["due_fen"]], ["final", 2200])
        advance(d, "32d")
        tap.equal([invoices(d)[0]["dunning"], state(d, sub)],
                  ["suspend", "suspended"])
        pay(d, first["id"], 2200, "b")
        tap.equal([invoices(d)[0]["state"], state(d, sub)],
                  ["paid", "active"])
        agree(d)


def test_what_was_given_up_may_come_in():
    with shop() as d:
        publish(d)
        subscribe(d)
        advance(d, "3d")
        first = invoices(d)[0]
        op(d, "POST", "/invoices/%s/write-off" % first["id"],
           {"reason": "moved away"})
        d.stop()
        d.start()
        pay(d, first["id"], 1200, "a")
        got = invoices(d)[0]
        tap.equal([got["state"], got["paid_fen"]], ["written-off", 1200])
        agree(d)
        pay(d, first["id"], 1000, "b")
        tap.equal(invoices(d)[0]["state"], "paid")
        accounts = {i["account"]: i["balance_fen"] for i in op(
            d, "GET", "/ledger").json["items"]}
        tap.equal([accounts.get("receivable:sub_16", 0),
                   accounts.get("writeoff", 0)], [0, 0])
        agree(d)


def test_what_is_essential_goes_on():
    with shop(config={"billing": {"essential": ["probe"],
                                  "grace_hours": 1}}) as d:
        publish(d)
        sub = subscribe(d)
        advance(d, "1h")
        tap.equal(invoices(d)[0]["state"], "final")
        advance(d, "45d")
        tap.equal([invoices(d)[0]["dunning"], state(d, sub)],
                  ["notify", "active"])


def test_final_never_changes():
    with shop() as d:
        publish(d)
        sub = subscribe(d)
        use(d, api=1000)
        advance(d, "22d")
        draft = invoices(d)[1]
        tap.equal(draft["state"], "draft")
        path = "/invoices/%s/" % draft["id"]
        tap.equal(op(d, "POST", path + "finalize", {}, 409).code,
                  "invoice/grace")
        tap.equal(op(d, "POST", path + "credit",
                     {"all": True, "reason": "x"}, 409).code,
                  "invoice/closed")
        done = op(d, "POST", path + "finalize", {"reason": "moving out"}).json
        tap.equal([done["state"], done["number"]], ["final", "INV-000002"])
        tap.equal(done["history"][0]["reason"], "moving out")
        tap.equal(done["history"][0]["by"], "operator:o1")
        tap.equal(op(d, "POST", path + "finalize", {"reason": "x"}, 409).code,
                  "invoice/final")
        # Use that comes late stands on the next invoice, in its own period.
        use(d, at=1896076800000, api=500)  # 31 January, 08:00 UTC
        tap.equal(show(d, draft["id"]).json["invoice"], done["invoice"])
        shown = op(d, "GET", "/subscriptions/%s/preview" % sub).json
        late = [line for line in shown["lines"] if line.get("adjusts")]
        tap.equal([(line["key"], line["amount_fen"]) for line in late],
                  [("api:t2:unit@2030-01", 250)])
        advance(d, "31d")
        body = show(d, invoices(d)[2]["id"]).json["invoice"]
        judge(body)
        tap.equal(lines(body)["api:t2:unit@2030-01"], 250)
        # And never twice.
        advance(d, "31d")
        body = show(d, invoices(d)[3]["id"]).json["invoice"]
        tap.equal([k for k in lines(body) if "@" in k], [])
        agree(d)


def test_credit_notes_mirror_lines():
    with shop() as d:
        publish(d)
        subscribe(d)
        use(d, api=1000)
        advance(d, "26d")
        invoice = invoices(d)[1]
        path = "/invoices/%s/" % invoice["id"]
        before = show(d, invoice["id"]).json["invoice"]
        api = [n for n in before["lines"] if n["key"] == "api:t1:unit"][0]

        def credit(status=200, **body):
            return op(d, "POST", path + "credit",
                      dict({"reason": "a mistake"}, **body), status)
        tap.equal(credit(422, lines=["no"]).code, "invoice/line")
        tap.equal(credit(422).code, "request/invalid")
        tap.equal(credit(409, lines=[{"key": "api:t1:unit", "fen": 3001}]
                         ).code, "invoice/remainder")
        got = credit(lines=[{"key": "api:t1:unit", "fen": 1000}]).json
        tap.equal(got["due_fen"], before["total_fen"] - 1000)
        note = got["credit_notes"][0]["credit_note"]
        tap.equal([note["number"], note["total_fen"], note["tax_fen"]],
                  ["CN-000001", -1000, -round(api["tax_fen"] / 3)])
        tap.equal(credit(409, lines=[{"key": "api:t1:unit", "fen": 2001}]
                         ).code, "invoice/remainder")
        got = credit(all=True).json
        tap.equal([got["state"], got["due_fen"], got["credited_fen"]],
                  ["paid", 0, before["total_fen"]])
        notes = [n["credit_note"] for n in got["credit_notes"]]
        tap.equal([sum(n[k] for n in notes) for k in
                   ("net_fen", "tax_fen", "total_fen")],
                  [-before[k] for k in ("net_fen", "tax_fen", "total_fen")])
        tap.equal([n["number"] for n in notes], ["CN-000001", "CN-000002"])
        tap.equal(got["invoice"], before)
        tap.equal(credit(409, all=True).code, "invoice/closed")
        accounts = {i["account"]: i["balance_fen"] for i in op(
            d, "GET", "/ledger").json["items"]}
        tap.equal(sum(accounts.values()), 0)
        first = invoices(d)[0]
        tap.equal(accounts["receivable:sub_16"], first["total_fen"])
        gone = op(d, "POST", "/invoices/%s/write-off" % first["id"],
                  {"reason": "moved away"}).json
        tap.equal([gone["state"], gone["due_fen"]], ["written-off", 0])
        accounts = {i["account"]: i["balance_fen"] for i in op(
            d, "GET", "/ledger").json["items"]}
        tap.equal([accounts.get("receivable:sub_16", 0),
                   accounts["writeoff"]], [0, first["total_fen"]])
        agree(d)


def test_a_change_of_plan_and_the_end():
    with shop("2030-01-31T16:30:00Z") as d:  # 1 February, 00:30
        fee = [{"id": "fee", "kind": "flat", "amount_fen": 2800}]
        publish(d, charges=fee, tax={"mode": "none"})
        publish(d, "plus", tax={"mode": "none"}, charges=[
            dict(fee[0], amount_fen=5600),
            {"id": "api", "kind": "unit", "meter": "probe.api",
             "unit_fen": "1"}])
        sub = subscribe(d)
        advance(d, "14d")  # the 15th: 14 days are left
        op(d, "POST", "/subscriptions/%s/upgrade" % sub,
           {"plan": "plus", "reason": "more"})
        use(d, api=7)
        advance(d, "17d")
        body = show(d, invoices(d)[1]["id"]).json["invoice"]
        judge(body)
        tap.equal(lines(body), {"fee:credit": -1400, "fee:charge": 2800,
                                "api:usage#2": 7, "fee:fee": 5600})
        op(d, "POST", "/subscriptions/%s/cancel" % sub,
           {"reason": "moving", "now": True})
        last = invoices(d)[2]
        tap.equal(op(d, "POST", "/invoices/%s/finalize" % last["id"],
                     {"reason": "now"}, 409).code, "invoice/grace")
        advance(d, "4d")
        last = invoices(d)[2]
        body = show(d, last["id"]).json["invoice"]
        judge(body)
        # 4 March is owed, 27 of 31 days come back.
        tap.equal(lines(body), {"fee:credit": -round(5600 * 27 / 31)})
        tap.equal([last["state"], last["due_fen"]], ["paid", 0])
        advance(d, "70d")
        tap.equal(len(invoices(d)), 3)
        agree(d)


def test_lines_lead_to_records():
    with shop() as d:
        publish(d)
        subscribe(d)
        use(d, api=5)
        use(d, api=7)
        use(d, gb=1)
        advance(d, "26d")
        invoice = invoices(d)[1]["id"]
        got = op(d, "GET", "/invoices/%s/lines/api%%3At1%%3Aunit/records"
                 % invoice).json
        tap.equal([r["quantity"] for r in got["items"]], ["5", "7"])
        tap.equal(len({r["call_id"] for r in got["items"]}), 2)
        page = op(d, "GET", "/invoices/%s/lines/api:t1:unit/records?limit=1"
                  % invoice).json
        rest = op(d, "GET", "/invoices/%s/lines/api:t1:unit/records?cursor=%s"
                  % (invoice, page["next_cursor"])).json
        tap.equal([page["items"] + rest["items"], rest["next_cursor"]],
                  [got["items"], None])
        tap.equal(op(d, "GET", "/invoices/%s/lines/fee:fee/records"
                     % invoice).json["items"], [])
        op(d, "GET", "/invoices/%s/lines/no/records" % invoice, status=404)


def test_residents_see_what_they_pay():
    with shop() as d:
        publish(d)
        subscribe(d)
        subscribe(d, "r2")
        advance(d, "26d")

        def own(path, who="r1", status=200):
            got = d.http("GET", "/v1/c/demo/me/invoices" + path,
                         as_="resident:" + who)
            tap.equal(got.status, status, got)
            return got
        mine = own("").json["items"]
        tap.equal([i["subscription"] for i in mine], ["sub_16", "sub_16"])
        one = own("/" + mine[0]["id"]).json
        tap.equal(one["invoice"]["number"], mine[0]["number"])
        tap.equal("history" in one, False)
        tap.equal("r1" in json.dumps(one), False)
        tap.contains(own("/%s.html?lang=zh" % mine[0]["id"]).text, "应付金额")
        own("/" + mine[0]["id"], "r2", 404)
        own("/" + mine[0]["id"], "r3", 404)
        tap.equal(own("", "r3").json["items"], [])
        op(d, "GET", "/invoices/inv_99", status=404)
        tap.equal([i["id"] for i in invoices(d, "?subscription=sub_17")],
                  [i["id"] for i in own("", "r2").json["items"]][::-1])
        tap.equal(invoices(d, "?state=paid"), [])


def test_numbers_have_no_gaps_over_kills():
    with shop() as d:
        publish(d)
        for n in range(40):
            subscribe(d, "r%d" % n)
        for n in range(6):
            moved = threading.Thread(target=lambda: d.linli(
                "clock", "advance", "13d"))
            moved.start()
            time.sleep(0.02 * (n + 1))
            d.kill()
            moved.join()
            d.start()
        advance(d, "30d")
        got = op(d, "GET", "/invoices?limit=1000").json["items"]
        numbers = sorted(i["number"] for i in got if "number" in i)
        tap.equal(numbers, ["INV-%06d" % (i + 1)
                            for i in range(len(numbers))])
        tap.equal(len(numbers) >= 80, True, len(numbers))
        tap.equal(len({(i["subscription"], i["k"]) for i in got}), len(got))
        ks = {}
        for i in got:
            ks.setdefault(i["subscription"], []).append(i["k"])
        for sub, each in ks.items():
            tap.equal(sorted(each), list(range(len(each))), sub)
        d.stop()
        db = sqlite3.connect(os.path.join(d.data, "linli.db"))
        rows = db.execute("SELECT hash, body, total FROM invoice "
                          "WHERE number IS NOT NULL").fetchall()
        for digest, body, total in rows:
            tap.equal(hashlib.sha256(body).digest(), digest)
            tap.equal(json.loads(body)["total_fen"], total)
        posted = db.execute("SELECT count(*), count(DISTINCT ref) FROM "
                            "ledger_entry WHERE kind = 'invoice'").fetchone()
        tap.equal(posted, (len(numbers), len(numbers)))
        db.close()
        d.start()
        agree(d)


def test_what_was_missed_is_made():
    with shop() as d:
        publish(d)
        for n in range(3):
            subscribe(d, "r%d" % n)
        use(d, "r0", api=10)
        # As for a host that was down: nothing stops on the way.
        d.linli_ok("clock", "set", "2030-05-10T00:00:00Z")
        d.stop()
        d.start()
        wait_until(lambda: all(i["state"] != "draft" for i in invoices(d))
                   and len(invoices(d)) == 15, 20)
        got = invoices(d)
        tap.equal(sorted(i["number"] for i in got),
                  ["INV-%06d" % (n + 1) for n in range(15)])
        of = [show(d, i["id"]).json["invoice"] for i in got
              if i["subscription"] == "sub_16"]
        tap.equal([b["k"] for b in of], [0, 1, 2, 3, 4])
        tap.equal([lines(b).get("api:t1:unit") for b in of],
                  [None, 30, None, None, None])
        tap.equal([b["advance"]["from"] for b in of],
                  ["2030-0%d-01" % (n + 1) for n in range(5)])
        advance(d, "1h")
        tap.equal(len(invoices(d)), 15)
        agree(d)


def ran(d, *words):
    """What `linli invoice` prints."""
    return d.linli_ok("invoice", *words).out


def test_from_the_command_line():
    with shop() as d:
        publish(d)
        sub = subscribe(d)
        use(d, api=1000)
        tap.contains(ran(d, "preview", sub), "api:t1:unit")
        advance(d, "22d")
        draft = invoices(d)[1]["id"]
        tap.equal(d.linli("invoice", "finalize", draft).code, 1)
        tap.contains(ran(d, "finalize", draft, "--reason",
                                "moving"), "INV-000002: final, due 61.00")
        listed = ran(d, "list")
        tap.contains(listed, "INV-000001")
        tap.contains(listed, "61.00")
        tap.equal("INV-000002" in ran(d, "list", sub,
                                             "--state", "overdue"), False)
        rows = from_csv(ran(d, "show", draft, "--format",
                                   "csv"))
        tap.equal(rows["total", "INV-000002"]["total_fen"], "6100")
        tap.contains(ran(d, "show", draft, "--format", "html",
                                "--lang", "en"), "Amount due")
        tap.equal(d.linli("invoice", "credit", draft).code, 2)
        tap.contains(ran(d, "credit", draft, "api:t1:unit",
                                "--reason", "a mistake"), "due 31.00")
        tap.contains(ran(d, "write-off", draft, "--reason",
                                "gone"), "written-off")
        tap.contains(ran(d, "show", draft), "YUAN")
        got = json.loads(ran(d, "show", draft, "--json"))
        tap.equal(got["state"], "written-off")


if __name__ == "__main__":
    tap.main()
