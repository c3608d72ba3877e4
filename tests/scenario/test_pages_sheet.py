"""tests/scenario/test_pages_sheet.py: the consent sheet in real Chromium.

The pages are linlid's; the API is tests/lib/consent_fake.py, which does what a
live one does not do on demand. LINLI_PICTURES=FOLDER keeps a picture of every
page that is measured.
"""
# test-timeout-s: 240

import contextlib
import os

import pages_rules as rules
import tap
from browser import Browser, needed, shared
from consent_fake import TOKEN, Fake, ask, both
from linli_test import Daemon, main

PHONE = "0571-8888 0000"
SHEET = "/v1/c/demo/consent/hello"
WAYS = [(lang, size, elder) for lang in ("zh-CN", "en") for size in (18, 30)
        for elder in (0, 1)]
OFFLINE = ["net::ERR", "Failed to load resource"]


@contextlib.contextmanager
def opened(expect=(), config=None, script=None):
    """(fake, browser) over a live linlid; `script` runs before the page's."""
    needed()
    config = config or {"consent": {"help_phone": PHONE}}
    with Daemon(config=config) as d, Fake(d.url) as fake:
        d.enable(d.source("examples/hello-lua"))
        with Browser(expect) if script else shared(expect) as b:
            if script:
                b.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)
            yield fake, b


def keep(b, name):
    """A picture to look at, if somebody wants one."""
    folder = os.environ.get("LINLI_PICTURES")
    if folder:
        b.picture(os.path.join(folder, name + ".png"))


def open_sheet(fake, b, query="lang=zh-CN", token=TOKEN):
    """The sheet with a token in the fragment."""
    b.open("%s%s?%s#token=%s" % (fake.url, SHEET, query, token))


def acts(fake):
    """What was changed: [(method, path, body)]."""
    return [(m, p, c) for m, p, _, c, _ in fake.seen if m != "GET"]


def test_every_way_to_read_it():
    with opened() as (fake, b):
        fake.asks = [
            ask("heart_rate", "safety_monitoring", "separate_consent",
                required=True, days=90,
                why=both("夜里心率异常时提醒您和值班的人。",
                         "To alert you and the person on duty when your heart "
                         "rate is unusual at night."),
                without=both("不会有夜间提醒，请照常自己量。",
                             "There is no alert at night; please measure it "
                             "yourself as before.")),
            ask("plate", "service"),
            ask("phone_relay", "delivery", "contract")]
        fake.head["vendor"] = "西湖泊车"
        for lang, size, elder in WAYS:
            open_sheet(fake, b, "lang=%s&size=%d&elder=%d"
                       % (lang, size, elder))
            b.wait("#agree")
            for width in (320, 1024, 390):
                b.resize(width)
                keep(b, "sheet-%s-%d-%d-%d" % (lang, size, elder, width))
                if width == 390:
                    rules.check(b, lang, size, elder, [fake.head["vendor"]],
                                keys=(size, elder) in ((18, 0), (30, 1)))
                else:
                    tap.equal(rules.overflow(b), [], "%s %d %d" % (
                        lang, size, width))


def test_yes_and_no_are_equal():
    with opened() as (fake, b):
        for lang, size, elder in WAYS:
            open_sheet(fake, b, "lang=%s&size=%d&elder=%d"
                       % (lang, size, elder))
            b.wait("#agree")
            for width in (320, 390, 1024):
                b.resize(width)
                one, other = b.run("""
                    return ["refuse", "agree"].map(id => {
                      const e = document.getElementById(id);
                      const r = e.getBoundingClientRect();
                      const s = getComputedStyle(e);
                      return [r.width, r.height, e.className, s.color,
                        s.backgroundColor, s.borderTopColor, s.borderTopWidth,
                        s.fontSize, s.fontWeight, s.boxShadow, s.opacity,
                        e.getAttribute("aria-pressed"), e.disabled];
                    });""")
                tap.equal(one, other, "%s %d %d" % (lang, size, width))
                tap.equal(b.run("return document.querySelectorAll('input,"
                                "select,[aria-checked],[checked]').length;"),
                          0)
        tap.equal(acts(fake), [])


def test_one_item_one_act():
    with opened() as (fake, b):
        fake.asks = [ask("plate", "service"),
                     ask("heart_rate", "safety_monitoring",
                         "separate_consent")]
        open_sheet(fake, b)
        b.wait("h1", "车牌号")
        tap.contains(b.text("main"), "第 1 项，共 2 项")
        tap.equal("心率" in b.text("main"), False)
        b.click("#agree")
        b.wait("h1", "心率")
        tap.contains(b.text("main"), "车牌号：已同意")
        tap.contains(b.text("main"), "敏感信息")
        b.click("#refuse")
        b.wait("h1", "您的决定")
        keep(b, "done")
        text = b.text("main")
        for part in ("已同意", "未同意", "凭证号 rc-g1", "没有交出任何信息",
                     "按一下就行"):
            tap.contains(text, part)
        base = {"plugin": "hello", "text_version": "v1"}
        tap.equal(acts(fake), [
            ("POST", "consents", dict(base, field="plate",
                                      purpose="service")),
            ("POST", "consents/refuse", dict(base, field="heart_rate",
                                             purpose="safety_monitoring"))])
        # Back takes one press, as yes did.
        b.click("button", "撤回")
        b.wait(".state", "已撤回")
        tap.equal(acts(fake)[-1], ("DELETE", "consents/g1", None))
        rules.check(b, "zh-CN", 18, 0)


def test_what_was_refused_is_not_asked_again():
    with opened() as (fake, b):
        fake.asks = [ask("plate", "service", state="refused", may_ask=False,
                         ask_again_at="2026-12-31T00:00:00.000Z")]
        open_sheet(fake, b)
        b.wait("h1", "您的决定")
        tap.contains(b.text("main"), "不能主动再问您")
        tap.equal(b.find("#agree"), [])
        b.click("button", "重新决定")
        b.click("#agree")
        b.wait(".state", "已同意")


def test_the_token_leaves_the_address():
    with opened() as (fake, b):
        open_sheet(fake, b, "lang=en&item=plate:service")
        b.wait("#agree")
        tap.equal(b.url, fake.url + SHEET + "?lang=en&item=plate:service")
        kept = b.run("return JSON.stringify([history.state, localStorage,"
                     "sessionStorage, document.cookie]);")
        tap.equal(kept, '[null,{},{},""]')
        tap.equal(TOKEN in b.run("return document.documentElement.outerHTML;"),
                  False)
        tap.equal([q for _, p, q, _, _ in fake.seen if p == "asks"],
                  [{"plugin": ["hello"], "item": ["plate:service"]}])
        # What goes on within the page goes on with it.
        b.click("#refuse")
        b.click("button", "See my permissions")
        b.wait("h1", "My permissions")
        b.run("history.back();")
        b.wait("h1", "Your decisions")
        tap.equal("token" in b.url, False)


def test_trouble_is_said_in_words():
    expect = OFFLINE
    with opened(expect) as (fake, b):
        for lang, texts in (
                ("zh-CN", ["不知道您是谁", "登录已过期", "没有找到",
                           "现在太忙", "没有连上", "没有完整送到"]),
                ("en", ["does not know who you are", "has expired",
                        "Not found", "very busy", "could not connect",
                        "did not arrive in full"])):
            query = "lang=" + lang
            b.open(fake.url + SHEET + "?" + query)
            b.wait("main", texts[0])
            rules.check(b, lang, 18, 0)
            open_sheet(fake, b, query, "old")
            b.wait("h1", texts[1])
            for what, text in (((404, "request/not-found"), texts[2]),
                               ((429, "rate/limited"), texts[3]),
                               ("silence", texts[4]), ("silence", texts[4])):
                # Chromium asks once more by itself if nothing came.
                fake.trouble = [("GET", "asks", what)] * (
                    4 if what == "silence" else 1)
                open_sheet(fake, b, query)
                b.wait("[role=alert]", text)
                rules.check(b, lang, 18, 0)
                fake.trouble = []
                b.click("main button")
                b.wait("#agree")
            fake.asks = [ask("plate", "service", why={})]
            open_sheet(fake, b, query)
            b.wait("[role=alert]", texts[5])
            tap.equal(b.find("#agree"), [])
            fake.asks = [ask("plate", "service")]


def test_an_act_without_an_answer_is_not_done_twice():
    with opened(OFFLINE) as (fake, b):
        # Chromium asks once more by itself if a connection just ends.
        fake.trouble = [("POST", "consents", "late silence")] * 4
        open_sheet(fake, b)
        b.click("#agree")
        b.wait("[role=alert]", "不会重复办理")
        fake.trouble = []
        b.click("[role=alert] button")
        b.wait(".state", "已同意")
        keys = [key for m, _, _, _, key in fake.seen if m == "POST"]
        tap.equal((len(keys) > 1, len(set(keys))), (True, 1))
        tap.equal(len(fake.grants), 1)
        # An answer that is no is told, and the choice stands there again.
        fake.asks = [ask("address", "delivery")]
        for code, text in (((403, "consent/forbidden"), "监护人"),
                           ((500, "runtime/internal"), "没有改变"),
                           ((401, "auth/expired"), "登录只在短时间")):
            fake.trouble = [("POST", "consents", code)]
            open_sheet(fake, b)
            b.click("#refuse")
            b.wait("[role=alert]", text)
            tap.equal(len(b.find("#agree")), code[0] != 401)
        fake.trouble = [("POST", "consents", (409, "consent/text-changed"))]
        open_sheet(fake, b)
        b.click("#agree")
        b.wait(".notice", "请看新的说明再决定")
        b.click("#agree")
        b.wait(".state", "已同意")


def test_guardians_see_for_whom():
    with opened() as (fake, b):
        open_sheet(fake, b, "lang=zh-CN&for=mama")
        b.wait("h1", "王阿姨")
        tap.contains(b.text("main"), "您正在替 王阿姨 做决定")
        b.click("#agree")
        b.wait(".state", "已同意")
        tap.equal({q["for"][0] for m, p, q, _, _ in fake.seen
                   if m == "POST"}, {"mama"})
        fake.head.update(may_decide=False, guardian_required=True)
        open_sheet(fake, b)
        b.wait(".notice", "要由监护人决定")
        tap.contains(b.text("main"), "车牌号")
        tap.equal(b.find("#agree"), [])


def test_another_organisation_is_named():
    with opened() as (fake, b):
        fake.head.update(relation="provide", recipient={
            "name": "康养医院", "address": "文一路 1 号", "contact": "95001"})
        open_sheet(fake, b)
        b.wait("main", "康养医院")
        tap.contains(b.text("main"), "文一路 1 号")


def test_the_text_grows():
    with opened() as (fake, b):
        open_sheet(fake, b, "lang=zh-CN&elder=1")
        b.wait("#agree")
        for _ in range(3):
            b.click("#larger")
        tap.contains(b.url, "size=30")
        tap.contains(b.url, "elder=1")
        rules.check(b, "zh-CN", 30, 1)
        for _ in range(9):
            b.click("#smaller")
        rules.check(b, "zh-CN", 18, 1)
        # The API knows of who is old, too.
        fake.head["elder"] = True
        open_sheet(fake, b, "lang=en")
        b.wait("html[data-elder='1']")
        rules.check(b, "en", 22, 1)
        tap.equal(len(b.find(".speak")), 1)


VOICE = """
window.spoken = [];
const quiet = {
  getVoices: () => [{lang: "zh-CN", name: "Xiaoxiao"}], cancel() {},
  addEventListener() {}, speak(text) { window.spoken.push(text); }};
Object.defineProperty(window, "speechSynthesis", {value: quiet});
window.SpeechSynthesisUtterance = class { constructor(text) {
  this.text = text; } };
"""


def test_read_aloud_says_what_is_written():
    with opened() as (fake, b):
        open_sheet(fake, b)
        b.wait("#agree")
        tap.equal(b.run("return document.querySelector('.speak').hidden;"),
                  True, "no voice, no button")
    with opened(script=VOICE) as (fake, b):
        open_sheet(fake, b)
        b.click(".speak")
        said = b.run("return window.spoken.map(t => [t.text, t.lang]);")
        shown = b.run("return Array.from(document.querySelectorAll("
                      "'main .say')).map(e => e.innerText).join('\\n');")
        tap.equal(said, [[shown, "zh-CN"]])
        for part in ("谁要用", "为什么", "不同意会怎样", "自动抬杆",
                     "想用您的"):
            tap.contains(shown, part)
        b.wait(".speak", "停止朗读")
        rules.check(b, "zh-CN", 18, 0)
        keep(b, "sheet-speak")


LISTEN = """
window.heard = [];
window.opener = {postMessage(what, to) { window.heard.push([what, to]); }};
"""


def test_the_way_back_to_the_app():
    app = "https://app.example"
    config = {"consent": {"app_origins": [app]}}
    with opened(config=config, script=LISTEN) as (fake, b):
        open_sheet(fake, b, "lang=zh-CN&return=%s/done" % app)
        b.click("#agree")
        b.wait(".state", "已同意")
        tap.equal(b.run("return document.querySelector('a.button[rel]').href;"
                        ), app + "/done")
        tap.equal(b.run("return window.heard;"), [
            [{"type": "linli.consent", "outcome": "granted", "grant": "g1"},
             to] for to in (app, fake.url)])
        open_sheet(fake, b, "lang=zh-CN&return=https://evil.example/")
        b.wait("h1", "您的决定")
        tap.equal(b.find("a.button[rel]"), [])
        tap.contains(b.text("main"), "可以关闭本页")


if __name__ == "__main__":
    main()
