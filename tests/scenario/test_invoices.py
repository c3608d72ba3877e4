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

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import browser  # noqa: E402
import tap  # noqa: E402
from linli_test import Daemon, plugin_folder, probe_manifest  # noqa: E402
from linli_test import temporary_folder  # noqa: E402

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


def publish(d, name="basic", charges=None, **plan):
    """A plan."""
    op(d, "POST", "/plans", {
        "name": name, "plugin": "probe",
        "title": {"zh-CN": "基础版", "en": "Basic"},
        "share": {"platform_bp": 1000},
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
        publish(d)
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
                                       "合计", "税额 (已含)")),
                            ("en", ("Invoice INV-000002", "To be paid",
                                    "Basic", "Amount due", "Price list",
                                    "all of it", "Who pays", "Total",
                                    "Tax (included)"))):
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


if __name__ == "__main__":
    tap.main()
