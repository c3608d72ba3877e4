"""tests/scenario/test_pages_centre.py: the residents' centre in real Chromium.

The pages are linlid's; the API is tests/lib/consent_fake.py. As in
test_pages_sheet.py, LINLI_PICTURES=FOLDER keeps pictures.
"""
# test-timeout-s: 300

import pages_rules as rules
import tap
from consent_fake import TOKEN, ask, both, instant
from linli_test import main
from test_pages_sheet import OFFLINE, WAYS, keep, opened

CENTRE = "/v1/c/demo/centre"
THEN = 1795737600000
# Of people: they are the same on a page in any language.
NAMES = ["王阿姨", "li"]


def open_centre(fake, b, query="lang=zh-CN"):
    """The centre with a token in the fragment."""
    b.open("%s%s?%s#token=%s" % (fake.url, CENTRE, query, TOKEN))


def grant(fake, field, purpose, basis, number, **changes):
    """A row of the centre."""
    row = fake.grant_of(ask(field, purpose, basis), "g%d" % number, THEN)
    row.update(changes)
    return row


def fill(fake):
    """Two plugins, four grants of which one ended, reads, people."""
    care = {"plugin": "care", "plugin_name": both("照护", "Care")}
    fake.grants = [
        grant(fake, "plate", "service", "consent", 1, reads=12,
              last_read_at=instant(THEN + 86400000)),
        grant(fake, "phone_relay", "delivery", "contract", 2),
        grant(fake, "heart_rate", "safety_monitoring", "separate_consent", 3,
              by="guardian", **care),
        grant(fake, "address", "delivery", "statutory", 4, **care),
        grant(fake, "plate", "family_notice", "consent", 5,
              state="expired", **care)]
    fake.reads = [
        {"at": instant(THEN + i * 3600000), "plugin": g["plugin"],
         "plugin_name": g["plugin_name"], "fields": g["fields"],
         "purpose": g["purpose"], "purpose_text": g["purpose_text"]}
        for i, g in enumerate(fake.grants[:4] * 2)]
    fake.wards = [{"ward": "mama", "guardian": "r1", "kind": "agreed",
                   "status": "active"}]
    fake.guardians = [{"ward": "r1", "guardian": "li", "kind": "delegate",
                       "status": "pending"}]
    fake.requests = [
        {"id": "a1b2c3d4e5", "kind": "export", "state": "done",
         "at": instant(THEN)},
        {"id": "a1b2c3d4e6", "kind": "erase", "state": "open",
         "at": instant(THEN), "due_at": instant(THEN + 1296000000)}]


def test_every_way_to_read_it():
    heads = {"grants": {"zh-CN": "我的授权", "en": "My permissions"},
             "reads": {"zh-CN": "谁读过", "en": "Who read"},
             "more": {"zh-CN": "更多", "en": "More"}}
    with opened() as (fake, b):
        fill(fake)
        for lang, size, elder in WAYS:
            for tab, texts in heads.items():
                open_centre(fake, b, "lang=%s&size=%d&elder=%d&tab=%s"
                            % (lang, size, elder, tab))
                b.wait("h1", texts[lang])
                if tab == "grants":
                    b.click("summary")
                keep(b, "centre-%s-%s-%d-%d" % (tab, lang, size, elder))
                # One set of buttons in each language is walked by keyboard.
                rules.check(b, lang, size, elder, NAMES,
                            keys=(size, elder) in ((18, 0), (30, 1)))
                b.resize(320)
                tap.equal(rules.overflow(b), [], "%s %s %d" % (tab, lang,
                                                               size))
                b.resize(390)


def test_one_press_takes_it_back():
    with opened() as (fake, b):
        fill(fake)
        open_centre(fake, b)
        b.wait("h1", "我的授权")
        tap.contains(b.text("main"), "2 个服务现在可以用您的 4 项信息")
        tap.contains(b.text("main"), "一共 12 次")
        tap.contains(b.text("main"), "撤回以后：进出时要按铃")
        b.click("[aria-label='撤回 停车 的“车牌号”']")
        b.wait(".state", "已撤回")
        tap.equal([(m, p) for m, p, _, _, _ in fake.seen if m != "GET"],
                  [("DELETE", "consents/g1")])
        # And the way to give it again is as short.
        fake.asks = [ask("plate", "service", state="withdrawn")]
        b.click("button", "重新决定")
        b.wait("h1", "车牌号")
        b.click("#agree")
        b.wait(".state", "已同意")


def test_what_is_no_consent_is_shown_alike():
    with opened() as (fake, b):
        fill(fake)
        open_centre(fake, b)
        b.wait("h1", "我的授权")
        text = b.text("main")
        for part in ("转接电话", "所必需，不用另外同意", "住址",
                     "法律规定要用", "由监护人决定"):
            tap.contains(text, part)
        labels = b.run("return Array.from(document.querySelectorAll("
                       "'[aria-label^=撤回]'), e => e.ariaLabel);")
        tap.equal(labels, ["撤回 停车 的“车牌号”", "撤回 照护 的“心率”"])


def test_who_read():
    with opened() as (fake, b):
        fill(fake)
        open_centre(fake, b)
        b.click("section button", "看它读过什么")
        b.wait("h1", "停车 读过什么")
        tap.equal(len(b.find("main li")), 3)
        b.click("button", "看更早的")
        b.wait("main li:nth-child(4)")
        tap.equal(b.run("return document.activeElement.tagName;"), "LI")
        tap.equal(b.run("return document.querySelectorAll("
                        "'.actions > button:not([hidden])').length;"), 1)
        b.click("button", "看所有服务")
        b.wait("h1", "谁读过我的信息")


def test_nothing_there_yet():
    with opened() as (fake, b):
        for tab, text in (("grants", "还没有授权"), ("reads", "还没有人读过"),
                          ("more", "没有打开")):
            open_centre(fake, b, "lang=zh-CN&tab=" + tab)
            b.wait("main", text)
            rules.check(b, "zh-CN", 18, 0)


def test_one_switch_stops_everything():
    with opened() as (fake, b):
        open_centre(fake, b, "lang=zh-CN&tab=more")
        b.wait("[role=switch]", "没有打开")
        b.click("[role=switch]")
        b.wait("[role=switch][aria-checked=true]", "已打开")
        tap.equal(len(fake.objections), 1)
        keep(b, "blocked")
        b.click("[role=switch]")
        b.wait("[role=switch][aria-checked=false]", "没有打开")
        tap.equal(fake.objections, [])


def test_requests_and_one_that_cannot_be_undone():
    with opened() as (fake, b):
        open_centre(fake, b, "lang=zh-CN&tab=more")
        b.click("button", "删除我的信息")
        b.wait("[role=group]", "删除后不能恢复")
        keep(b, "erase")
        rules.check(b, "zh-CN", 18, 0)
        b.click("button", "不删除")
        tap.equal(fake.requests, [])
        b.click("button", "删除我的信息")
        b.click("button", "申请删除")
        b.wait("main", "已收到您的申请")
        b.click("button", "要一份我的信息")
        b.wait("main li:nth-child(2)")
        tap.equal([r["kind"] for r in fake.requests], ["export", "erase"])


def test_wards():
    with opened() as (fake, b):
        fill(fake)
        open_centre(fake, b, "lang=zh-CN&tab=more")
        b.click("button", "看 王阿姨 的授权")
        b.wait(".notice", "您正在替 王阿姨 做决定")
        b.click("[aria-label='撤回 停车 的“车牌号”']")
        b.wait(".state", "已撤回")
        last = [s for s in fake.seen if s[0] == "DELETE"][-1]
        tap.equal(last[2], {"for": ["mama"]})
        b.click("button", "回到我自己的授权")
        b.wait("h1", "我的授权")
        tap.equal("for" in fake.seen[-1][2], False)


def test_trouble_is_said_in_words():
    with opened(OFFLINE) as (fake, b):
        fill(fake)
        fake.trouble = [("GET", "requests", (503, "runtime/overloaded"))]
        open_centre(fake, b, "lang=zh-CN&tab=more")
        b.wait("[role=alert]", "现在打不开")
        b.wait("[role=switch]", "没有打开")
        rules.check(b, "zh-CN", 18, 0, NAMES)
        for tab, path in (("grants", "consents"), ("reads", "access-log")):
            fake.trouble = [("GET", path, (503, "runtime/overloaded"))]
            open_centre(fake, b, "lang=zh-CN&tab=" + tab)
            b.wait("[role=alert]", "现在太忙")
            b.click("button", "再试一次")
            b.wait(".tabs")
        fake.trouble = [("DELETE", "consents", (500, "runtime/internal"))]
        open_centre(fake, b)
        b.click("[aria-label='撤回 停车 的“车牌号”']")
        b.wait("[role=alert]", "没有改变")
        tap.equal(fake.grants[0]["state"], "live")


if __name__ == "__main__":
    main()
