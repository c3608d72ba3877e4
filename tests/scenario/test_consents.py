#!/usr/bin/env python3
# test-timeout-s: 180
"""tests/scenario/test_consents.py: spec/consent.md, section 3, live.

A plugin asks, a resident gives, refuses, withdraws and objects over HTTP, and
finds all of it again after a restart.
"""

import base64
import contextlib
import datetime
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        program, run, temporary_folder)

ROUTES = [{"method": "POST", "path": "/hello", "caller": ["resident"]}]
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/hello", function(call) return 200, {pid = call.resident.id} end)
return p
"""
ME = "/v1/c/demo/me/"


def holds(condition, what=""):
    """A condition that has no better words."""
    if not condition:
        raise AssertionError(what)


def use(field, purpose, basis="consent", **more):
    """One declared use of a field."""
    item = {"field": field, "purpose": purpose, "basis": basis,
            "required": False}
    if basis in ("consent", "separate_consent"):
        item["why"] = {"zh-CN": "快递员到楼下时给您打电话",
                       "en": "The courier calls you at the door"}
        item["without"] = {"zh-CN": "包裹放在快递柜",
                           "en": "The parcel goes to a locker"}
    item.update(more)
    return item


PHONE = use("phone_relay", "delivery")
ADDRESS = use("address", "delivery", review="R-1")
HEART = use("heart_rate", "safety_monitoring", "separate_consent")
SPO2 = use("spo2", "safety_monitoring", "separate_consent")
PLATE = use("plate", "service", "contract", review="R-1")
USUAL = [PHONE, ADDRESS, HEART, SPO2, PLATE]


def manifest(data, **more):
    """A plugin that declares these uses."""
    return probe_manifest("probe", routes=ROUTES, data=data,
                          relation="entrust", **more)


def folder_of(parent, data, **more):
    """Its folder, written anew."""
    return plugin_folder(parent, manifest(data, **more), main__lua=LUA)


@contextlib.contextmanager
def asking(data=None, **more):
    """A daemon whose plugin asks for data."""
    with temporary_folder() as parent:
        with Daemon(**more) as d:
            d.enable(folder_of(parent, USUAL if data is None else data))
            yield d, parent


def asks(d, who="resident:r-lin", query=""):
    """What it asks a resident for."""
    answer = d.http("GET", ME + "asks?plugin=probe" + query, as_=who)
    tap.equal(answer.status, 200, answer)
    return answer.json


def item(d, field, who="resident:r-lin"):
    """One of them, by its field."""
    return [i for i in asks(d, who)["items"] if i["field"] == field][0]


def act(d, path, body, who="resident:r-lin", key=None, query=""):
    """An act that cites the text of now, unless it says another."""
    body = dict(body)
    body.setdefault("plugin", "probe")
    body.setdefault("text_version", asks(d, "resident:r-other")["text_version"])
    headers = {} if key is None else {"Idempotency-Key": key}
    return d.http("POST", ME + path + query, body, headers=headers, as_=who)


def give(d, body=None, **more):
    """A consent to phone for delivery; its receipt."""
    answer = act(d, "consents",
                 body or {"field": "phone_relay", "purpose": "delivery"}, **more)
    tap.equal(answer.status, 201, answer)
    return answer.json


def consents(d, who="resident:r-lin"):
    """What the centre shows of a resident."""
    answer = d.http("GET", ME + "consents", as_=who)
    tap.equal(answer.status, 200, answer)
    return [i for i in answer.json["items"] if i["id"]]


def refused(answer, code, status, *words):
    """A problem that says what is wrong and has the lines that fix it."""
    tap.equal((answer.status, answer.code), (status, code), answer)
    for word in words:
        tap.contains(answer.text, word)


def test_given_and_withdrawn():
    """What is given is listed, until it is withdrawn; both are kept."""
    with asking() as (d, _):
        tap.equal(item(d, "phone_relay")["state"], "none")
        receipt = give(d)
        tap.equal(receipt["plugin"], "probe")
        tap.equal([f["id"] for f in receipt["pii_types"]], ["phone_relay"])
        holds(receipt["seq"] >= 0)
        again = d.http("GET", ME + "consents/%s/receipt" % receipt["id"],
                       as_="resident:r-lin")
        tap.equal(again.json["seq"], receipt["seq"])
        tap.equal(item(d, "phone_relay")["state"], "granted")
        tap.equal(item(d, "phone_relay")["grant"], receipt["id"])
        tap.equal([(c["id"], c["state"], c["by"]) for c in consents(d)],
                  [(receipt["id"], "live", "self")])
        gone = d.http("DELETE", ME + "consents/" + receipt["id"],
                      as_="resident:r-lin")
        tap.equal(gone.status, 200, gone)
        holds(gone.json["seq"] > receipt["seq"])
        tap.equal(item(d, "phone_relay")["state"], "withdrawn")
        twice = d.http("DELETE", ME + "consents/" + receipt["id"],
                       as_="resident:r-lin")
        tap.equal((twice.status, twice.json), (200, gone.json))
        d.stop()
        d.restart()
        tap.equal([c["state"] for c in consents(d)], ["withdrawn"])
        kept = d.http("GET", ME + "consents/%s/receipt" % receipt["id"],
                      as_="resident:r-lin").json
        tap.equal(kept["seq"], receipt["seq"])
        tap.equal(kept["events"][1]["seq"], gone.json["seq"])
        tap.equal(item(d, "phone_relay")["state"], "withdrawn")


def climb(log):
    """The root that the proof of a receipt leads to (RFC 9162, 2.1.3.2)."""
    def sha(*parts):
        return hashlib.sha256(b"".join(parts)).digest()

    value = sha(b"\0", log["leaf"].encode())
    tap.equal(value.hex(), log["leaf_hash"])
    at, last = log["seq"], log["size"] - 1
    for step in map(bytes.fromhex, log["proof"]):
        if at & 1 or at == last:
            value = sha(b"\1", step, value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = sha(b"\1", value, step)
        at, last = at >> 1, last >> 1
    tap.equal(last, 0)
    return value


def receipt_of(d, grant, who="resident:r-lin"):
    """The receipt as it is told later."""
    answer = d.http("GET", ME + "consents/%s/receipt" % grant, as_=who)
    tap.equal(answer.status, 200, answer)
    return answer.json


def check_receipt(receipt):
    """It shows by itself where it stands in a log that somebody signed."""
    log = receipt["log"]
    tap.equal(log["seq"], receipt["seq"])
    leaf = json.loads(log["leaf"])
    tap.equal((leaf["type"], leaf["grant"], leaf["subject"]),
              ("give", receipt["id"], receipt["pii_principal_tag"]))
    _, size, root, empty, signature = log["checkpoint"].split("\n")[:5]
    tap.equal((int(size), empty), (log["size"], ""))
    tap.equal(base64.b64decode(root), climb(log))
    holds(signature.startswith("\u2014 "), signature)


def test_receipts_show_themselves():
    """A receipt has its leaf, a proof and a signed checkpoint; and the pid by
    which the plugin knows them."""
    with asking() as (d, _):
        receipts = []
        for n in range(40):
            who = "resident:r-%d" % n
            receipts.append((who, give(d, who=who)))
            check_receipt(receipts[-1][1])
        for who, receipt in receipts[::7]:
            check_receipt(receipt_of(d, receipt["id"], who))
            hello = d.call("probe", "/hello", {}, as_=who,
                           key=os.urandom(8).hex())
            tap.equal(hello.json["pid"], receipt["pii_principal_id"])
        who, receipt = receipts[0]
        gone = d.http("DELETE", ME + "consents/" + receipt["id"], as_=who)
        tap.equal(gone.status, 200, gone)
        check_receipt(receipt_of(d, receipt["id"], who))


def test_receipts_are_checked_offline():
    """One changed character in each part is seen, and which part it was."""
    with asking() as (d, _), temporary_folder() as folder:
        for n in range(9):
            receipt = give(d, who="resident:r-%d" % n)
        key = run([program("linli"), "audit", "key", "--data", d.data,
                   "--json"]).json["key"]
        path = os.path.join(folder, "receipt.json")

        def verify(said, of=key):
            with open(path, "w", encoding="utf-8") as f:
                json.dump(said, f)
            done = run([program("linli"), "audit", "verify-receipt", path,
                        "--key", of, "--json"])
            return "ok" if done.code == 0 else \
                (done.code, json.loads(done.err)["error"]["code"])

        def turned(text, at=0):
            other = "1" if text[at] != "1" else "2"
            return text[:at] + other + text[at + 1:]

        tap.equal(verify(receipt), "ok")
        log = receipt["log"]
        note = log["checkpoint"]
        for code, change in (
            ("leaf", {"leaf": turned(log["leaf"], log["leaf"].index("demo"))}),
            ("leaf", {"leaf_hash": turned(log["leaf_hash"])}),
            ("leaf", {"proof": [turned(log["proof"][0])] + log["proof"][1:]}),
            ("leaf", {"proof": log["proof"][1:]}),
            ("leaf", {"seq": log["seq"] - 1}),
            ("checkpoint", {"size": log["size"] + 1}),
            ("checkpoint", {"checkpoint": turned(note)}),
            ("checkpoint", {"checkpoint": turned(note, len(note) - 20)}),
            ("unproved", {"checkpoint": None, "proof": None, "size": None}),
        ):
            tap.equal(verify({**receipt, "log": {**log, **change}}),
                      (1, "audit/" + code), change)
        event = receipt["events"][0]
        for change in ([{name: turned(receipt[name])} for name in (
                "id", "record_id", "receipt_id", "pii_principal_tag", "plugin",
                "purpose", "level", "retention_until")] + [
                {"seq": receipt["seq"] + 1}, {"terms_version": 9},
                {"pii_types": []},
                {"events": [{**event, "event_time": turned(
                    event["event_time"])}]}]):
            tap.equal(verify({**receipt, **change}), (1, "audit/receipt"),
                      change)


def test_a_crash_leaves_no_receipt_without_its_place():
    """Where an act stands is known after a kill at once after its answer."""
    with asking() as (d, _):
        for n in range(4):
            who = "resident:r-%d" % n
            kept = give(d, who=who)
            gone = give(d, {"field": "address", "purpose": "delivery"}, who=who)
            ended = d.http("DELETE", ME + "consents/" + gone["id"], as_=who)
            d.kill()
            d.restart()
            again = receipt_of(d, kept["id"], who)
            check_receipt(again)
            tap.equal(again["seq"], kept["seq"])
            tap.equal(receipt_of(d, gone["id"], who)["events"][1]["seq"],
                      ended.json["seq"])


def test_not_an_act():
    """What is no act is refused, with the lines that fix it."""
    with asking() as (d, _):
        for body, *words in (
                ({"fields": ["heart_rate", "spo2"],
                  "purpose": "safety_monitoring"},
                 "one by one", "one request for each"),
                ({"field": "phone_relay", "purpose": "delivery",
                  "expires_at": None}, "without an end", "expires_at"),
                ({"field": "phone_relay", "purpose": "delivery",
                  "expires_at": "2999-01-01T00:00:00Z"}, "365 days"),
                ({"field": "phone_relay", "purpose": "delivery", "once": 1},
                 "neither true nor false"),
                ({"field": "phone_relay", "purpose": "marketing"}, "does not ask"),
                ({"field": "id_card", "purpose": "delivery"}, "does not ask"),
                ({"field": "shoe_size", "purpose": "delivery"},
                 "no such field"),
                ({"field": "phone_relay", "purpose": "fun"}, "no such purpose"),
                ({"field": "plate", "purpose": "service"}, "does not ask"),
                ({"field": "phone_relay", "purpose": "delivery",
                  "text_version": ""}, "cites no text"),
                ({"purpose": "delivery"}, "which item"),
                ({"field": "phone_relay", "purpose": "delivery",
                  "plugin": "nobody"}, "asks for nothing")):
            refused(act(d, "consents", body), "consent/act", 422, *words)
        refused(act(d, "consents", {"field": "phone_relay", "purpose": "delivery",
                                    "text_version": "0" * 64}),
                "consent/text-changed", 409)
        tap.equal(consents(d), [])
        both = give(d, {"fields": ["phone_relay", "address"],
                        "purpose": "delivery"})
        tap.equal(both["level"], "general")
        heart = give(d, {"field": "heart_rate",
                         "purpose": "safety_monitoring"})
        tap.equal(heart["level"], "separate")


def test_what_is_refused_and_how_to_fix_it():
    """A consent without an end, a bundle, a field that is not declared and a
    purpose that says nothing: of a resident and of a manifest."""
    with asking() as (d, parent):
        for body, fix in (
                ({"field": "phone_relay", "purpose": "delivery",
                  "expires_at": None}, "within 365 days"),
                ({"fields": ["heart_rate", "spo2"],
                  "purpose": "safety_monitoring"}, "one request for each"),
                ({"field": "id_card", "purpose": "delivery"}, "GET .../me/asks"),
                ({"field": "phone_relay", "purpose": "experience"},
                 "one of the items")):
            answer = act(d, "consents", body)
            refused(answer, "consent/act", 422)
            tap.contains(answer.text, fix)
        tap.equal(consents(d), [])
        vague = {"zh-CN": "提升用户体验", "en": "To improve the experience"}
        for data, word in ((use("phone_relay", "delivery", days=4000), "days"),
                           (use(["heart_rate", "spo2"], "safety_monitoring"),
                            "/data/0/field"),
                           (use("shoe_size", "delivery"), "/data/0/field"),
                           (use("phone_relay", "delivery", why=vague),
                            "says nothing")):
            done = d.enable_fails(folder_of(parent, [data], version="9.0.0"))
            tap.contains(done.err, "manifest/")
            tap.contains(done.err, word)


def test_the_same_as_nobody():
    """Of a neighbour and of another community the answers are byte for byte
    those of what does not exist."""
    with asking() as (d, _):
        mine, nobody = give(d)["id"], "0" * 32

        def bytes_of(method, path, body, name):
            answer = d.http(method, ME + path, body, as_="resident:r-other")
            told = dict(answer.json)
            told.pop("trace_id")
            return answer.status, json.dumps(told).replace(name, "NAME")

        for method, path, body in (
                ("GET", "consents/%s/receipt", None),
                ("DELETE", "consents/%s", None)):
            there = bytes_of(method, path % mine, body, mine)
            tap.equal(there[0], 404)
            tap.equal(there, bytes_of(method, path % nobody, body, nobody))
        text = asks(d)["text_version"]
        what = {"plugin": "probe", "field": "phone_relay",
                "purpose": "delivery", "text_version": text}
        for method, path, body in (
                ("GET", "consents?for=%s", None),
                ("POST", "consents?for=%s", what),
                ("POST", "consents/refuse?for=%s", what),
                ("DELETE", "consents/" + mine + "?for=%s", None),
                ("GET", "consents/" + mine + "/receipt?for=%s", None),
                ("GET", "asks?plugin=probe&for=%s", None),
                ("GET", "explain?plugin=probe&field=phone_relay"
                 "&purpose=delivery&for=%s", None),
                ("GET", "objections?for=%s", None),
                ("POST", "objections?for=%s", {"objection": "block"}),
                ("DELETE", "objections?for=%s", {"objection": "block"})):
            there = bytes_of(method, path % "r-lin", body, "r-lin")
            tap.equal(there[0], 404, path)
            tap.equal(there, bytes_of(method, path % "r-non", body, "r-non"))
        for path in ("consents", "consents/%s/receipt" % mine,
                     "asks?plugin=probe", "objections"):
            told = []
            for community in ("other", "never"):
                answer = d.http("GET", "/v1/c/%s/me/%s" % (community, path),
                                as_="resident:r-lin")
                said = dict(answer.json)
                said.pop("trace_id")
                told.append((answer.status, json.dumps(said).replace(
                    "/c/" + community, "/c/X")))
            tap.equal(told[0], told[1], path)
        tap.equal([c["state"] for c in consents(d)], ["live"])


def test_every_grant_ends():
    """A consent that says nothing ends with the manifest's days, or those of
    the dictionary; at most a year."""
    days = use("phone_relay", "delivery", days=7)
    with asking([days, ADDRESS]) as (d, _):
        now = datetime.datetime.now(datetime.timezone.utc)
        for body, most in (({"field": "phone_relay", "purpose": "delivery"}, 7),
                           ({"field": "address", "purpose": "delivery"},
                            365)):
            until = give(d, body)["retention_until"].replace("Z", "+00:00")
            left = datetime.datetime.fromisoformat(until) - now
            holds(left.total_seconds() > 0, until)
            holds(left <= datetime.timedelta(days=most, minutes=1), until)


def test_once():
    """A consent for one use says so."""
    with asking([use("phone_relay", "delivery", once=True)]) as (d, _):
        tap.equal(item(d, "phone_relay")["once"], True)
        tap.equal(give(d)["uses_left"], 1)


def test_same_key():
    """The same key gives once; for something else it is refused."""
    with asking() as (d, _):
        first = give(d, key="k-1")
        tap.equal(give(d, key="k-1")["id"], first["id"])
        tap.equal(len(consents(d)), 1)
        refused(act(d, "consents", {"field": "address",
                                    "purpose": "delivery"}, key="k-1"),
                "request/idempotency-key", 400)


def test_refused():
    """Who refused is not asked again for a while, and may give all the same.
    """
    with asking() as (d, _):
        answer = act(d, "consents/refuse",
                     {"field": "phone_relay", "purpose": "delivery"})
        tap.equal(answer.status, 200, answer)
        asked = item(d, "phone_relay")
        tap.equal((asked["state"], asked["may_ask"]), ("refused", False))
        tap.equal(item(d, "address")["may_ask"], True)
        d.stop()
        d.restart()
        tap.equal(item(d, "phone_relay")["may_ask"], False)
        give(d)
        tap.equal(item(d, "phone_relay")["state"], "granted")


def test_objected():
    """An objection is stronger than a consent, until it is taken back."""
    with asking() as (d, _):
        give(d)
        body = {"objection": "block", "plugin": "probe"}
        answer = d.http("POST", ME + "objections", body, as_="resident:r-lin")
        tap.equal(answer.status, 200, answer)
        tap.equal(item(d, "phone_relay")["reason"], "objection")
        said = d.http("GET", ME + "explain?plugin=probe&field=phone_relay"
                      "&purpose=delivery", as_="resident:r-lin")
        tap.equal(said.status, 200, said)
        answer = d.http("DELETE", ME + "objections", body,
                        as_="resident:r-lin")
        tap.equal(answer.status, 200, answer)
        tap.equal(item(d, "phone_relay")["state"], "granted")
        refused(d.http("POST", ME + "objections", {"objection": "rain"},
                       as_="resident:r-lin"), "consent/act", 422, "block")


def test_nobody_elses():
    """Another's consent is what is not there; so is a stranger's ward."""
    with asking() as (d, _):
        receipt = give(d)
        nothing = d.http("GET", ME + "consents/%s/receipt" % ("0" * 32),
                         as_="resident:r-other")
        for path in (ME + "consents/%s/receipt" % receipt["id"],
                     ME + "consents?for=r-lin", ME + "consents?for=r-nobody",
                     ME + "asks?plugin=probe&for=r-lin"):
            answer = d.http("GET", path, as_="resident:r-other")
            tap.equal((answer.status, answer.code, answer.json.get("detail")),
                      (404, nothing.code, nothing.json.get("detail")), path)
        answer = d.http("DELETE", ME + "consents/" + receipt["id"],
                        as_="resident:r-other")
        tap.equal(answer.status, 404)
        tap.equal([c["state"] for c in consents(d)], ["live"])
        answer = d.http("GET", ME + "consents", as_="staff:s-1")
        tap.equal(answer.status, 403)
        tap.equal(d.http("GET", ME + "consents").status, 401)


def test_versions():
    """TEXT and NARROW keep consents; what WIDEN brings is asked for."""
    with asking([PHONE, ADDRESS]) as (d, parent):
        give(d)
        give(d, {"field": "address", "purpose": "delivery"})
        text = asks(d)["text_version"]

        def diff(data):
            path = folder_of(parent, data, version="1.0.1")
            answer = d.http("GET", "/v1/c/demo/admin/plugins/probe/data-diff"
                            "?path=" + path, as_="operator:o-1")
            tap.equal(answer.status, 200, answer)
            return path, answer.json["change"]

        other = use("phone_relay", "delivery",
                    why={"zh-CN": "快递员找不到门牌时联系您",
                         "en": "The courier asks for the way"})
        path, change = diff([other, ADDRESS])
        tap.equal(change, "text")
        d.enable(path)
        holds(asks(d)["text_version"] != text)
        tap.equal(item(d, "phone_relay")["state"], "granted")
        path, change = diff([other])
        tap.equal(change, "narrow")
        d.enable(path)
        tap.equal(item(d, "phone_relay")["state"], "granted")
        path, change = diff([other, ADDRESS])
        tap.equal(change, "widen")
        d.enable(path)
        tap.equal(item(d, "phone_relay")["state"], "granted")
        tap.equal(item(d, "address")["reason"], "policy_changed")
        give(d, {"field": "address", "purpose": "delivery"})
        tap.equal(item(d, "address")["state"], "granted")


def test_operators_see_counts():
    """An operator sees how many, approves and ends bases, and sees nobody."""
    with asking() as (d, _):
        give(d)
        give(d, who="resident:r-wang")
        admin = "/v1/c/demo/admin/"
        answer = d.http("GET", admin + "consents", as_="operator:o-1")
        tap.equal(answer.json["items"][0]["live"], 2)
        holds("r-lin" not in answer.text and "r-wang" not in answer.text)
        bases = d.http("GET", admin + "bases", as_="operator:o-1").json
        tap.equal([(b["basis"], b["fields"], b["until"])
                   for b in bases["items"]], [("contract", ["plate"], None)])
        shown = d.http("GET", ME + "consents", as_="resident:r-lin").json
        tap.equal([(i["basis"], i["withdrawable"]) for i in shown["items"]
                   if not i["id"]], [("contract", False)])
        basis = bases["items"][0]
        tap.contains(basis["approved_by"], "operator:")
        answer = d.http("DELETE", admin + "bases/" + basis["id"],
                        as_="operator:o-1")
        tap.equal(answer.status, 200, answer)
        holds(answer.json["until"])
        d.stop()
        d.restart()
        bases = d.http("GET", admin + "bases", as_="operator:o-1").json
        holds(bases["items"][0]["until"])
        tap.equal(bases["items"][0]["id"], basis["id"])
        answer = d.http("DELETE", admin + "bases/" + basis["id"],
                        as_="operator:o-1")
        tap.equal((answer.status, answer.json["until"]),
                  (200, bases["items"][0]["until"]))
        counts = d.http("GET", admin + "consents", as_="operator:o-1")
        tap.equal([counts.json["items"][0][s]
                   for s in ("live", "withdrawn", "replaced")], [2, 0, 0])
        withdrawn = give(d)  # in place of the first
        d.http("DELETE", ME + "consents/" + withdrawn["id"],
               as_="resident:r-lin")
        counts = d.http("GET", admin + "consents", as_="operator:o-1")
        tap.equal([counts.json["items"][0][s]
                   for s in ("live", "withdrawn", "replaced")], [1, 1, 1])


def test_approved_by():
    """The operator who enabled over HTTP approves, whoever it is; the
    configuration otherwise."""
    with temporary_folder() as parent:
        path = folder_of(parent, USUAL)
        with Daemon() as d:
            answer = d.http("POST", "/v1/c/demo/admin/plugins", {"path": path},
                            as_="operator:o-7")
            tap.equal(answer.status, 201, answer)
            bases = d.http("GET", "/v1/c/demo/admin/bases",
                           as_="operator:o-1").json["items"]
            tap.equal([b["approved_by"] for b in bases], ["operator:o-7"])
            d.stop()
            d.restart()
            again = d.http("GET", "/v1/c/demo/admin/bases",
                           as_="operator:o-1").json["items"]
            tap.equal(again, bases)


def test_pages_of_a_list():
    """A long list comes page by page, each grant once; a cursor of somebody
    else's is none."""
    with asking() as (d, _):
        ids = [give(d)["id"] for _ in range(7)]
        seen, query, pages = [], "", 0
        while True:
            answer = d.http("GET", ME + "consents?limit=3" + query,
                            as_="resident:r-lin")
            tap.equal(answer.status, 200, answer)
            seen += [i["id"] for i in answer.json["items"] if i["id"]]
            pages += 1
            if answer.json["next"] is None:
                break
            query = "&cursor=" + answer.json["next"]
        tap.equal((seen, pages), (ids[::-1], 3))
        other = give(d, who="resident:r-wang")["id"]
        for cursor in (other, "0" * 32, "x"):
            refused(d.http("GET", ME + "consents?cursor=" + cursor,
                           as_="resident:r-lin"), "request/cursor", 400)
        refused(d.http("GET", ME + "consents?limit=0", as_="resident:r-lin"),
                "request/invalid", 422)


def test_pid_generations():
    """The last withdrawal gives the pid up, unless it says it goes on."""
    with asking([PHONE, ADDRESS]) as (d, _):
        def pid():
            return d.call("probe", "/hello", {}, as_="resident:r-lin",
                          key=os.urandom(8).hex()).json["pid"]

        def withdraw(receipt, query=""):
            answer = d.http("DELETE", ME + "consents/" + receipt["id"] + query,
                            as_="resident:r-lin")
            tap.equal(answer.status, 200, answer)

        first = pid()
        phone = give(d)
        address = give(d, {"field": "address", "purpose": "delivery"})
        withdraw(phone)
        tap.equal(pid(), first)  # it still has something
        withdraw(address)
        second = pid()
        holds(second != first)
        tap.equal(pid(), second)
        withdraw(give(d), "?continuity=true")
        tap.equal(pid(), second)
        d.stop()
        d.restart()
        tap.equal(pid(), second)
    with asking() as (d, _):  # something rests on contract
        first = pid()
        withdraw(give(d))
        tap.equal(pid(), first)


def test_seeded():
    """A seed gives when its plugins serve; again it gives nothing; what is no
    act is refused at its place."""
    with temporary_folder() as parent:
        path = folder_of(parent, USUAL)
        seed = {"communities": [{"id": "demo"}],
                "residents": [{"id": "r-lin", "community": "demo"}],
                "plugins": [{"path": path, "community": "demo"}],
                "consents": [{"resident": "r-lin", "plugin": "probe",
                              "field": "phone_relay", "purpose": "delivery"},
                             {"resident": "r-lin", "plugin": "probe",
                              "field": "spo2",
                              "purpose": "safety_monitoring"}]}
        name = os.path.join(parent, "seed.json")

        def write():
            with open(name, "w", encoding="utf-8") as f:
                json.dump(seed, f)

        with Daemon() as d:
            write()
            d.linli_ok("seed", name)
            tap.equal(sorted(c["fields"][0]["id"] for c in consents(d)),
                      ["phone_relay", "spo2"])
            d.linli_ok("seed", name)
            tap.equal([c["state"] for c in consents(d)], ["live", "live"])
            seed["consents"][1]["purpose"] = "marketing"
            write()
            done = d.linli("seed", name)
            tap.equal(done.code, 1)
            tap.contains(done.err, "consent/act")
            tap.contains(done.err, "/consents/1")


if __name__ == "__main__":
    tap.main()
