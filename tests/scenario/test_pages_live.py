"""tests/scenario/test_pages_live.py: the pages over a live API, in Chromium.

A resident gives on the sheet, sees it in the centre, takes it back there, and
what was decided is what the arbiter says. Nothing here is an imitation.
"""
# test-timeout-s: 240

import contextlib
import json
import os
import urllib.parse

import tap
from browser import needed, shared
from linli_test import Daemon, main, plugin_folder, probe_manifest, \
    temporary_folder
from test_pages_sheet import OFFLINE

ME = "/v1/c/demo/me/"
WHY = {"zh-CN": "车到门口时认出您的车，自动抬杆。",
       "en": "To know your car at the gate and lift the barrier."}
WITHOUT = {"zh-CN": "进出时要按铃，由门岗抬杆。",
           "en": "You ring at the gate and the guard lifts the barrier."}
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/run", function(call)
  local plates, why = call.data:get { field = "plate", purpose = "entry" }
  return 200, { plates = plates, code = why and why.code }
end)
return p
"""
PEOPLE = {
    "communities": [{"id": "demo", "name": "示范小区"}],
    "households": [{"id": "h1", "community": "demo",
                    "fields": {"plate": ["浙A12345"]}}],
    "residents": [{"id": "r1", "community": "demo", "household": "h1"}]}


def use(field, purpose, basis, **more):
    """One declared use."""
    item = {"field": field, "purpose": purpose, "basis": basis,
            "required": False}
    if basis.endswith("consent"):
        item.update(why=WHY, without=WITHOUT)
    item.update(more)
    return item


@contextlib.contextmanager
def living(expect=()):
    """(daemon, browser): a plugin asks for three things."""
    needed()
    data = [use("plate", "entry", "consent", review="R-1", days=30),
            use("heart_rate", "safety_monitoring", "separate_consent"),
            use("phone_relay", "delivery", "contract")]
    manifest = probe_manifest("gate", name={"zh-CN": "门岗", "en": "Gate"},
                              relation="entrust", data=data)
    with temporary_folder() as parent, Daemon() as d:
        seed = os.path.join(parent, "seed.json")
        with open(seed, "w", encoding="utf-8") as f:
            json.dump(PEOPLE, f)
        d.linli_ok("seed", seed)
        d.enable(plugin_folder(parent, manifest, main__lua=LUA))
        with shared(expect) as b:
            yield d, b


def page(d, b, path, query, as_="resident:r1"):
    """A page of this resident."""
    b.open("%s/v1/c/demo/%s?%s#token=%s" % (
        d.url, path, query, urllib.parse.quote(d.token(as_))))


def verdict(d, field, as_="resident:r1"):
    """(state, reason) of a field now, as the arbiter decides."""
    items = d.http("GET", ME + "asks?plugin=gate&field=" + field,
                   as_=as_).json["items"]
    return items[0]["state"], items[0]["reason"]


def states(d, as_="resident:r1"):
    """{field: state} of the grants and bases of a resident."""
    items = d.http("GET", ME + "consents", as_=as_).json["items"]
    return {i["fields"][0]["id"]: i["state"] for i in items}


def test_give_see_it_take_it_back():
    with living() as (d, b):
        tap.equal(d.call("gate", "/run").json, {"code": "consent/required"})
        page(d, b, "consent/gate", "lang=zh-CN")
        b.wait("h1", "门岗 想用您的“车牌号码”")
        tap.contains(b.text("main"), "30 天")
        b.click("#agree")
        b.wait("h1", "心率")
        tap.contains(b.text("main"), "敏感信息")
        b.click("#refuse")
        b.wait("h1", "您的决定")
        tap.contains(b.text("main"), "凭证号")
        tap.equal(verdict(d, "plate"), ("granted", "allow"))
        tap.equal(verdict(d, "heart_rate")[0], "refused")
        tap.equal(d.call("gate", "/run").json, {"plates": ["浙A12345"]})
        b.click("button", "看我的授权")
        b.wait("h1", "我的授权")
        text = b.text("main")
        for part in ("门岗", "车牌号码", "一共 1 次", "撤回以后：进出时要按铃",
                     "中转电话", "不用另外同意"):
            tap.contains(text, part)
        b.click("[aria-label='撤回 门岗 的“车牌号码”']")
        b.wait(".state", "已撤回")
        tap.equal(states(d)["plate"], "withdrawn")
        tap.equal(verdict(d, "plate"), ("withdrawn", "revoked"))
        tap.equal(d.call("gate", "/run").json, {"code": "consent/withdrawn"})
        # Nobody else is touched, and nobody else sees it.
        tap.equal(verdict(d, "plate", "resident:r2")[0], "none")
        tap.equal("plate" in states(d, "resident:r2"), False)


def test_stop_everything():
    with living(OFFLINE) as (d, b):
        page(d, b, "consent/gate", "lang=en&item=plate:entry")
        b.click("#agree")
        b.wait(".state", "Agreed")
        page(d, b, "centre", "lang=en&tab=more")
        b.wait("[role=switch]", "Off")
        b.click("[role=switch]")
        b.wait("[role=switch][aria-checked=true]", "On")
        tap.equal(verdict(d, "plate")[1], "objection")
        page(d, b, "centre", "lang=en&tab=more")
        b.click("[role=switch][aria-checked=true]")
        b.wait("[role=switch][aria-checked=false]", "Off")
        tap.equal(verdict(d, "plate"), ("granted", "allow"))


def test_the_text_changes_under_the_reader():
    with living(OFFLINE) as (d, b):
        page(d, b, "consent/gate", "lang=en&item=plate:entry")
        b.wait("#agree")
        changed = dict(WITHOUT, en="You ring and wait.")
        manifest = probe_manifest(
            "gate", version="1.1.0", name={"zh-CN": "门岗", "en": "Gate"},
            relation="entrust", data=[use(
                "plate", "entry", "consent", review="R-1", without=changed)])
        with temporary_folder() as parent:
            d.enable(plugin_folder(parent, manifest, main__lua=LUA))
            b.click("#agree")
            b.wait(".notice", "updated just now")
            tap.contains(b.text("main"), "You ring and wait.")
            b.click("#agree")
            b.wait(".state", "Agreed")


def test_a_token_that_is_no_good():
    with living(OFFLINE) as (d, b):
        b.open(d.url + "/v1/c/demo/centre?lang=zh-CN#token=abc")
        b.wait("h1", "登录已过期")
        # A token of staff is nobody's here.
        page(d, b, "centre", "lang=zh-CN", "staff:s1")
        b.wait("h1", "没有办成")


if __name__ == "__main__":
    main()
