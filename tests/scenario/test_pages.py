"""tests/scenario/test_pages.py: the pages for residents, as linlid sends them.

Without a browser: headers, languages, what is filled in, what an address can
and cannot do. test_pages_sheet.py and the others of that name use them.
"""

import json
import re

import tap
from linli_test import Daemon, main, plugin_folder, probe_manifest, \
    temporary_folder

SHEET = "/v1/c/demo/consent/hello"
CENTRE = "/v1/c/demo/centre"
HELLO = "examples/hello-lua"
WHY = "车到门口时认出您的车 to know your car at the gate"


def get(d, path, language=None):
    """A page, as a browser asks for it: without any token."""
    headers = {"Accept-Language": language} if language else {}
    return d.http("GET", path, headers=headers)


def policy(answer):
    """Content-Security-Policy as {directive: value}."""
    return dict(part.strip().split(" ", 1) for part in
                answer.headers["content-security-policy"].split(";"))


def test_headers_allow_nothing_from_elsewhere():
    with Daemon() as d:
        d.enable(d.source(HELLO))
        files = re.findall(r'(?:href|src)="(/v1/pages/[^"]+)"',
                           get(d, CENTRE).text)
        tap.equal(sorted(files), ["/v1/pages/main.js", "/v1/pages/style.css"])
        for path in [SHEET, CENTRE, SHEET + "x"] + files:
            answer = get(d, path)
            rules = policy(answer)
            tap.equal(rules.pop("default-src"), "'none'", path)
            tap.equal(rules.pop("frame-ancestors"), "'none'", path)
            tap.equal({k: v for k, v in rules.items() if v != "'none'"},
                      {"script-src": "'self'", "style-src": "'self'",
                       "connect-src": "'self'"}, path)
            tap.equal(answer.headers["x-content-type-options"], "nosniff")
            tap.equal(answer.headers["referrer-policy"], "no-referrer")
        tap.equal(get(d, SHEET).headers["cache-control"], "no-store")
        style = get(d, "/v1/pages/style.css")
        tap.equal(style.headers["cache-control"], "no-cache")
        again = d.http("GET", "/v1/pages/style.css",
                       headers={"If-None-Match": style.headers["etag"]})
        tap.equal((again.status, again.body), (304, b""))


def test_only_what_is_named_may_hold_a_page_or_get_it_back():
    app = "https://app.example:8443"
    config = {"consent": {"frame_ancestors": ["self", app],
                          "app_origins": [app],
                          "help_phone": "0571-8888 0000"}}
    with Daemon(config=config) as d:
        d.enable(d.source(HELLO))
        page = get(d, SHEET)
        tap.equal(policy(page)["frame-ancestors"], "'self' " + app)
        tap.contains(page.text, 'href="tel:0571-88880000"')
        tap.contains(page.text, 'data-origins="%s "' % app)
        for back, allowed in (
                (app, True), (app + "/done?a=1", True), ("/app/done", True),
                ("//evil.example", False), ("/\\evil.example", False),
                # Browsers leave these bytes out, and read "//" then.
                ("/%09/evil.example", False), ("/%0a/evil.example", False),
                ("/%0d/evil.example", False), ("/%20", False),
                (app + ".evil.example", False), (app + "@evil.example", False),
                (app + "0/", False), ("javascript:alert(1)", False),
                ("https://app.example/done", False)):
            text = get(d, SHEET + "?return=" + back.replace("?", "%3F")
                       .replace("\\", "%5C")).text
            tap.equal("data-back=" in text, allowed, back)
    with Daemon() as d:
        text = get(d, CENTRE + "?return=https://app.example/").text
        tap.equal("data-back=" in text, False)
        tap.equal("tel:" in text, False)


def test_a_manifest_is_text():
    hostile = '</script><img src=x onerror=alert(1)>"\'&{{main}}'
    with temporary_folder() as folder, Daemon() as d:
        d.enable(plugin_folder(
            folder, probe_manifest(
                "hello", name={"zh-CN": hostile, "en": hostile},
                data=[{"field": "plate", "purpose": "entry",
                       "basis": "consent", "required": False,
                       "why": {"zh-CN": hostile + WHY, "en": hostile + WHY},
                       "without": {"zh-CN": WHY, "en": WHY}}]),
            main__lua="local linli = require('linli')\n"
            "local plugin = linli.plugin()\n"
            "plugin:post('/run', function() return 200, {} end)\n"
            "return plugin\n"))
        for language in ("zh-CN", "en"):
            text = get(d, SHEET, language).text
            tap.equal("<img" in text, False)
            tap.equal("onerror=alert(1)>" in text, False)
            tap.contains(text, "&lt;/script&gt;&lt;img src=x "
                         "onerror=alert(1)&gt;&quot;&#39;&amp;{{main}}")
            # And what it asks for stands there, for who has no script.
            tap.contains(text, "&amp;{{main}}%s</dd>" % WHY)
            tap.contains(text, ">%s</dd>" % WHY)
            tap.contains(text, "<h2>" + {"zh-CN": "车牌号码",
                                         "en": "Number plate"}[language])


def test_an_address_is_no_markup():
    with Daemon() as d:
        d.enable(d.source(HELLO))
        for query in ("?lang=%22%3E%3Cb%3E", "?size=%22%3E%3Cb%3E",
                      "?elder=%22%3E%3Cb%3E", "?return=/%22%3E%3Cb%3E",
                      "?item=%22%3E%3Cb%3E", "?%22%3E%3Cb%3E=1", "?size=%zz",
                      "?&&=&lang"):
            answer = get(d, SHEET + query)
            tap.equal(answer.status, 200, query)
            tap.equal("<b>" in answer.text, False, query)


def test_languages_and_sizes():
    with Daemon() as d:
        d.enable(d.source(HELLO))
        for path, language, lang in (
                (SHEET, None, "zh-CN"), (SHEET, "en", "en"),
                (SHEET, "zh-TW", "zh-CN"), (SHEET + "?lang=en", "zh", "en"),
                (SHEET + "?lang=zh-CN", "en", "zh-CN")):
            answer = get(d, path, language)
            tap.contains(answer.text, '<html lang="%s"' % lang)
            tap.equal(answer.headers["content-language"], lang)
        for query, size, elder in (
                ("", 18, 0), ("?elder=1", 22, 1), ("?size=30", 30, 0),
                ("?size=25&elder=1", 27, 1), ("?size=1", 18, 0),
                ("?size=900", 40, 0), ("?elder=yes", 18, 0)):
            tap.contains(get(d, SHEET + query).text,
                         'data-size="%d" data-elder="%d"' % (size, elder))


def test_without_a_script_it_says_what_to_do():
    with Daemon() as d:
        d.enable(d.source(HELLO))
        for lang, name, what in (("zh-CN", "你好", "社区窗口"),
                                 ("en", "Hello", "service desk")):
            text = get(d, SHEET, lang).text
            shown = re.sub(r"<script.*?</script>", "", text, flags=re.S)
            tap.contains(shown, "<h1>" + ("%s 想用" if lang == "zh-CN"
                                          else "%s asks") % name)
            tap.contains(shown, what)
            tap.contains(shown, "size=20&amp;lang=" + lang)


def test_what_is_not_there():
    with Daemon() as d:
        d.enable(d.source(HELLO))
        for path in ("/v1/c/demo/consent/nothing", "/v1/c/other/consent/hello",
                     "/v1/c/other/centre"):
            answer = get(d, path, "en")
            tap.equal(answer.status, 404, path)
            tap.contains(answer.text, "There is no such page")
        for name in ("page.html", "words.json", "../api.js", "", "none.js"):
            tap.equal(get(d, "/v1/pages/" + name).code, "request/not-found",
                      name)
        answer = d.http("POST", CENTRE, as_="resident:r1", key="k1")
        tap.equal(answer.code, "request/method")
        tap.equal(answer.headers["allow"], "GET")


def test_words_are_the_same_in_both_languages():
    with open(Daemon.source("runtime/server/pages/words.json"),
              encoding="utf-8") as f:
        words = json.load(f)
    zh, en = words["zh-CN"], words["en"]
    tap.equal(list(zh), list(en))
    for name, text in zh.items():
        places = re.findall(r"\{(\w+)\}", text)
        tap.equal(sorted(places), sorted(re.findall(r"\{(\w+)\}", en[name])),
                  name)
        tap.equal(re.findall(r"[A-Za-z]+", re.sub(r"\{\w+\}", "", text)), [],
                  name)
        tap.equal(re.findall("[\u3000-\u9fff\uff00-\uffef]", en[name]), [],
                  name)


if __name__ == "__main__":
    main()
