#!/usr/bin/env python3
# test-timeout-s: 300
"""tests/scenario/test_erasure.py: after an erasure nothing is left.

Unmistakable bytes are planted as documents, index keys, kept answers, timers,
jobs, events, alerts and names; a backup is made; the resident is erased; then
every file of the data directory and of a restored backup is searched for
them, plain, in base64, in hexadecimal digits and escaped. The same search
finds them while they are there.
"""

import base64
import contextlib
import hashlib
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, program, run,  # noqa: E402
                        temporary_folder, wait_until)

MEMO = "tests/plugins/memo"
DAY_MS = 86400000


def check(good, what="it does not hold"):
    """Fail unless it is so."""
    if not good:
        raise AssertionError(what)


def planted():
    """A text that stands nowhere else."""
    return "pl%032xnt王" % random.getrandbits(128)


def forms(text):
    """The bytes by which a text may lie in a file."""
    raw = text.encode("utf-8")
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(),
             json.dumps(text)[1:-1].encode(), raw[:34]}
    for shift in range(3):  # base64 at any place within another text
        whole = base64.b64encode(b"x" * shift + raw)
        found.add(whole[8:-8])
        found.add(whole[8:-8].replace(b"+", b"-").replace(b"/", b"_"))
    return found


def files_with(folder, *texts):
    """The names of files below a folder that hold any form of the texts."""
    wanted, found = set().union(*map(forms, texts)), []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with contextlib.suppress(FileNotFoundError):
                with open(path, "rb") as f:
                    content = f.read()
                if any(form in content for form in wanted):
                    found.append(os.path.relpath(path, folder))
    return sorted(found)


def seed(d, **residents):
    """Residents of demo with their names."""
    path = os.path.join(d.folder, "seed-%d.json" % time.monotonic_ns())
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"residents": [
            {"id": rid, "community": "demo", "name": name}
            for rid, name in residents.items()]}, f)
    d.linli_ok("seed", path)
    os.unlink(path)


def keep(d, resident, text, key, loose=""):
    """Plants a text in all places of the plugin; `loose` where the runtime
    does not know whom it is about."""
    answer = d.call("memo", "/notes", {"text": text, "loose": loose}, key=key,
                    as_="resident:" + resident)
    tap.equal(answer.status, 201, answer)


def texts_of(d, resident):
    """What the plugin gives back."""
    return d.call("memo", "/notes", None, "GET",
                  as_="resident:" + resident).json["texts"]


def ask(d, resident, kind="erase", key="k1", **more):
    """A request; its Answer."""
    return d.http("POST", "/v1/c/demo/me/requests", dict(more, kind=kind),
                  as_="resident:" + resident, key=key)


def state(d, resident, request):
    """A request as it is now."""
    return d.http("GET", "/v1/c/demo/me/requests/" + request,
                  as_="resident:" + resident).json


def erase(d, resident, key="k1"):
    """Asks, and waits until it is done."""
    answer = ask(d, resident, key=key)
    tap.equal(answer.status, 201, answer)
    request = answer.json["id"]
    check(wait_until(
        lambda: state(d, resident, request)["state"] == "done", 20),
        state(d, resident, request))
    return state(d, resident, request)


def restore(copy, folder, data):
    """`linli restore`; its Run."""
    return run([program("linli"), "restore", copy, "--data", folder,
                "--key", os.path.join(data, "linli.key")])


def gone(d, *texts):
    """Whether no file has any of it, soon: the log is emptied."""
    return wait_until(lambda: not files_with(d.data, *texts), 10)


def test_nothing_is_left():
    mine, name, other, loose = planted(), planted(), planted(), planted()
    with temporary_folder() as folder, \
            Daemon(options=["--record=" + folder + "/traces"]) as d:
        traces = os.path.join(folder, "traces")
        d.enable(d.source(MEMO))
        seed(d, r1=name, r2=other)
        keep(d, "r1", mine, "n1", loose)
        keep(d, "r2", other, "n2")
        check(wait_until(lambda: files_with(traces, mine), 5))
        before = os.path.join(folder, "before.db")
        d.linli_ok("backup", before)
        # The search finds what is there.
        for text in (mine, loose):  # names are always sealed
            check(files_with(d.data, text), text)
        full = os.path.join(folder, "full")
        tap.equal(restore(before, full, d.data).code, 0)
        check(files_with(full, mine), "a copy has it while it is there")
        done = erase(d, "r1")
        tap.equal(done["certificate"]["frozen"][0]["collection"], "invoice")
        tap.equal(done["certificate"]["frozen"][0]["law"],
                  "会计档案管理办法第十四条")
        check(gone(d, mine, name, loose),
              files_with(d.data, mine, name, loose))
        tap.equal(files_with(traces, mine), [])
        check(files_with(traces, other))
        check(files_with(d.data, other), "the neighbour's is there")
        tap.equal(texts_of(d, "r1"), [])
        tap.equal(texts_of(d, "r2"), [other])
        seen = [d.http("GET", "/v1/c/demo/admin/" + what,
                       as_="operator:o1").text
                for what in ("alerts", "jobs", "messages")]
        seen.append(d.http("GET", "/v1/c/demo/events?after=0",
                           as_="staff:s1").text)
        tap.equal([mine in text for text in seen], [False] * 4)
        check(other in seen[0], seen)
        # A copy from before yields nothing either. (What stood in a
        # collection without a subject was the plugin's to forget: a copy
        # from before it did has that still.)
        again = os.path.join(folder, "again")
        tap.equal(restore(before, again, d.data).code, 0)
        tap.equal(files_with(again, mine, name), [])
        with Daemon(data=again) as copy:
            copy.enable(copy.source(MEMO))
            tap.equal(texts_of(copy, "r1"), [])
            tap.equal(texts_of(copy, "r2"), [other])
        d.stop()
        tap.equal(files_with(d.data, mine, name, loose), [])


def test_the_access_log_shows_what_helpers_did():
    with Daemon() as d:
        d.enable(d.source(MEMO))
        seed(d, r1="n1", r2="n2")
        text = planted()
        log = "/v1/c/demo/me/access-log"
        answer = d.http("PUT", "/v1/c/demo/admin/residents/r1/fields/display_name",
                        {"value": text}, as_="operator:o1", key="p1")
        check(answer.status in (200, 204), answer)
        items = d.http("GET", log, as_="resident:r1").json["items"]
        mine = [i for i in items if i.get("actor") == "operator:o1"]
        tap.equal([[f["id"] for f in i["fields"]] for i in mine],
                  [["display_name"]])
        tap.equal(d.http("GET", log + "?plugin=memo",
                         as_="resident:r1").json["items"], [])
        theirs = d.http("GET", log, as_="resident:r2").json["items"]
        tap.equal([i for i in theirs if "actor" in i], [])
        erase(d, "r1")
        tap.equal(d.http("GET", log, as_="resident:r1").json["items"], [])
        check(gone(d, text), files_with(d.data, text))


PLATE = {"field": "plate", "purpose": "service"}


def agreed(d, text):
    """The keeper, and a resident who lets it read their plate; the receipt."""
    d.enable(d.source("tests/plugins/keeper"))
    path = os.path.join(d.folder, "seed.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"households": [
            {"id": "h1", "community": "demo", "plates": [text]}],
            "residents": [{"id": "r1", "community": "demo",
                           "household": "h1", "birth_date": "1953-05-17"}]}, f)
    d.linli_ok("seed", path)
    os.unlink(path)
    version = d.http("GET", "/v1/c/demo/me/asks?plugin=keeper",
                     as_="resident:r1").json["text_version"]
    answer = d.http("POST", "/v1/c/demo/me/consents",
                    dict(PLATE, plugin="keeper", text_version=version),
                    as_="resident:r1", key="g1")
    tap.equal(answer.status, 201, answer)
    return answer.json


def read_plate(d, key):
    """What the plugin is given, or why not."""
    pid = d.call("keeper", "/who", method="GET",
                 as_="resident:r1").json["id"]
    return d.call("keeper", "/read", dict(PLATE, resident=pid), key=key,
                  as_="resident:r1").json


def test_a_release_is_in_the_log_and_the_copy():
    with Daemon() as d:
        given = agreed(d, "沪A12345")
        found = read_plate(d, "a1")
        check("value" in found, found)
        items = d.http("GET", "/v1/c/demo/me/access-log?plugin=keeper",
                       as_="resident:r1").json["items"]
        reads = [i for i in items if i["what"] == "access"]
        tap.equal([[f["id"] for f in i["fields"]] for i in reads], [["plate"]])
        tap.equal(reads[0]["purpose"], "service")
        answer = d.http("GET", copy_of(d, "r1"), as_="resident:r1")
        tap.equal(answer.status, 200, answer)
        receipts = [i["receipt"] for i in answer.json["items"]
                    if i["kind"] == "receipt"]
        tap.equal([r["receipt_id"] for r in receipts], [given["receipt_id"]])
        tap.equal(receipts[0]["pii_principal_id"], given["pii_principal_id"])
        tap.equal([i["seq"] for i in answer.json["items"]
                   if i["kind"] == "read" and i["what"] == "access"],
                  [i["seq"] for i in reads])


def test_nothing_is_released_once_erasing_begins():
    with Daemon() as d:
        agreed(d, "沪A12345")
        d.enable(d.source(MEMO))
        for i in range(4):
            tap.equal(d.call("memo", "/bulk", {"text": "t", "count": 150},
                             key="b%d" % i, as_="resident:r1",
                             timeout_s=60).status, 201)
        check("value" in read_plate(d, "a1"))
        request, steps, n = ask(d, "r1").json["id"], [], 0
        while "done" not in steps and n < 1000:
            step, n = state(d, "r1", request)["step"], n + 1
            steps.append(step)
            found = read_plate(d, "e%d" % n)
            check("value" not in found
                  or step not in ("erasing", "cleaning", "done"), step)
        check("done" in steps, steps)


def test_an_operator_asks_for_who_cannot():
    text = planted()
    with Daemon() as d:
        d.enable(d.source(MEMO))
        keep(d, "r1", text, "n1")
        path = "/v1/c/demo/admin/requests"
        body = {"resident": "r1", "kind": "erase"}
        answer = d.http("POST", path, body, as_="operator:o1", key="k1")
        tap.equal(answer.status, 201, answer)
        for who in ("resident:r2", "staff:s1"):
            check(d.http("POST", path, body, as_=who, key="k2").status
                  in (403, 404))
        request = answer.json["id"]
        check(wait_until(lambda: d.http(
            "GET", path + "/" + request,
            as_="operator:o1").json["state"] == "done", 20))
        tap.equal(texts_of(d, "r1"), [])


def test_a_guardian_needs_the_power():
    with Daemon() as d:
        d.enable(d.source(MEMO))
        path = os.path.join(d.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"residents": [
                {"id": "li", "community": "demo", "birth_date": "1985-01-02"},
                {"id": "wu", "community": "demo", "birth_date": "1985-01-02"},
                {"id": "kid", "community": "demo",
                 "birth_date": "2020-02-28"}],
                "guardians": [
                    {"ward": "kid", "guardian": "li", "kind": "parent",
                     "accepted": True, "verified": True,
                     "powers": ["view", "erase"], "class_ceiling": "C3"},
                    {"ward": "kid", "guardian": "wu", "kind": "parent",
                     "accepted": True, "verified": True, "powers": ["view"],
                     "class_ceiling": "C3"}]}, f)
        d.linli_ok("seed", path)
        path = "/v1/c/demo/me/requests?for=kid"

        def asked(who):
            return d.http("POST", path, {"kind": "erase"}, key="k",
                          as_="resident:" + who)
        tap.equal((asked("wu").status, asked("wu").code),
                  (403, "consent/forbidden"))
        tap.equal(d.http("GET", path, as_="resident:wu").json["items"], [])
        tap.equal(asked("r9").status, 404)
        tap.equal(asked("li").status, 201)


def test_a_key_gives_the_same_request():
    with Daemon() as d:
        d.enable(d.source(MEMO))
        first = ask(d, "r1", key="a").json["id"]
        tap.equal(ask(d, "r1", key="a").json["id"], first)
        check(ask(d, "r1", key="b").json["id"] != first)
        check(ask(d, "r2", key="a").json["id"] != first)
        answer = d.http("POST", "/v1/c/demo/me/requests", {"kind": "erase"},
                        as_="resident:r1")
        tap.equal(answer.code, "request/idempotency-key", answer)
        tap.equal(ask(d, "r1", kind="forget").code, "request/invalid")
        tap.equal(ask(d, "r1", kind="correct").code, "request/invalid")


def test_who_asks_for_a_copy_is_not_erased():
    text = planted()
    with Daemon(options=["--clock=virtual"]) as d:
        d.enable(d.source(MEMO))
        keep(d, "r1", text, "n1")
        for kind in ("export", "correct"):
            tap.equal(ask(d, "r1", kind=kind, key=kind, note="n").status, 201)
        d.linli_ok("clock", "advance", "20d")
        tap.equal(texts_of(d, "r1"), [text])


def raw_public(vkey):
    """The 32 bytes of a public key that is written as a vkey."""
    return base64.b64decode(vkey.split("+", 2)[2])[1:]


def check_signed(body, what, folder):
    """Fail unless openssl finds the signature of an object good; and bad of
    one with another byte."""
    at = body.rindex(b',"signature":')
    signature = json.loads(body[at + len(b',"signature":'):-1])
    tap.equal((signature["alg"], signature["of"]), ("Ed25519", what))
    text = what.encode() + b"\n" + body[:at] + b"}"
    key, sig, msg = (os.path.join(folder, n) for n in ("key", "sig", "msg"))
    for content, path in (
            (bytes.fromhex("302a300506032b6570032100")
             + raw_public(signature["key"]), key),
            (bytes.fromhex(signature["value"]), sig)):
        with open(path, "wb") as f:
            f.write(content)
    for change, code in ((b"", 0), (b" ", 1)):
        with open(msg, "wb") as f:
            f.write(text + change)
        tap.equal(run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin",
                       "-keyform", "DER", "-inkey", key, "-in", msg,
                       "-sigfile", sig]).code, code)
    return signature["key"]


def test_who_asks_after_an_erasure_is_not_met():
    import sqlite3
    with Daemon() as d:
        d.enable(d.source(MEMO))
        keep(d, "r1", planted(), "n1")
        request = erase(d, "r1")["id"]
        tap.equal(state(d, "r1", request)["state"], "done")
        d.stop()
        with contextlib.closing(sqlite3.connect(
                "file:%s/linli.db?mode=ro" % d.data, uri=True)) as db:
            tap.equal(db.execute(
                "SELECT count(*) FROM doc d JOIN collection c "
                "ON c.id = d.collection WHERE c.name = '~person'"
            ).fetchone()[0], 0)


def test_a_certificate_shows_itself():
    with temporary_folder() as folder, Daemon() as d:
        d.enable(d.source(MEMO))
        keep(d, "r1", planted(), "n1")
        request = erase(d, "r1")["id"]
        path = "/v1/c/demo/me/requests/" + request
        check(wait_until(lambda: "proof" in state(d, "r1", request), 5))
        answer = d.http("GET", path, as_="resident:r1")
        done, at = answer.json, answer.body.index(b'"certificate":')
        whole = answer.body[at + len(b'"certificate":'):]
        end = whole.index(b"}}", whole.index(b',"signature":')) + 2
        check_signed(whole[:end], "linli.erasure.v1", folder)
        proof = done["proof"]
        leaf = json.loads(proof["leaf"])
        tap.equal((leaf["type"], leaf["data"]["request"], proof["seq"]),
                  ("shred", request, done["leaf"]))

        def sha(*parts):
            return hashlib.sha256(b"".join(parts)).digest()
        # RFC 9162, 2.1.3.2
        fn, sn = proof["seq"], proof["size"] - 1
        root = sha(b"\0", proof["leaf"].encode())
        for sibling in map(bytes.fromhex, proof["hashes"]):
            if fn & 1 or fn == sn:
                root = sha(b"\1", sibling, root)
                while not fn & 1 and fn:
                    fn, sn = fn >> 1, sn >> 1
            else:
                root = sha(b"\1", root, sibling)
            fn, sn = fn >> 1, sn >> 1
        lines = proof["checkpoint"].split("\n")
        tap.equal((int(lines[1]), base64.b64decode(lines[2])),
                  (proof["size"], root))


def test_days_to_forget_are_configured():
    with Daemon(options=["--clock=virtual"],
                config={"consent": {"redact_days": 2}}) as d:
        d.enable(d.source(MEMO))
        keep(d, "r1", planted(), "n1")
        d.call("memo", "/stubborn", {}, key="s1")
        request = ask(d, "r1").json["id"]
        d.linli_ok("clock", "advance", "47h")
        tap.equal(state(d, "r1", request)["state"], "open")
        d.linli_ok("clock", "advance", "2h")
        check(wait_until(
            lambda: state(d, "r1", request)["state"] == "done", 20))


def copy_of(d, resident, key="x"):
    """Asks for a copy and waits until it is done; the path of it."""
    request = ask(d, resident, kind="export", key=key).json["id"]
    check(wait_until(
        lambda: state(d, resident, request)["state"] == "done", 20))
    return "/v1/c/demo/me/requests/%s/export" % request


def test_a_copy_is_signed_and_names_no_other():
    mine, loose = planted(), planted()
    with temporary_folder() as folder, \
            Daemon(options=["--clock=virtual"]) as d:
        d.enable(d.source(MEMO))
        seed(d, r1=planted(), r2=planted())
        keep(d, "r1", mine, "n1", loose)
        keep(d, "r2", planted(), "n2", planted())
        answer = d.http(
            "PUT", "/v1/c/demo/admin/residents/r1/fields/display_name",
            {"value": mine}, as_="operator:o1", key="p1")
        check(answer.status in (200, 204), answer)
        path = copy_of(d, "r1")
        answer = d.http("GET", path, as_="resident:r1")
        tap.equal(answer.status, 200, answer)
        key = check_signed(answer.body, "linli.copy.v1", folder)
        origin = d.http("GET", "/v1/log/checkpoint").text.split("\n")[0]
        tap.equal(key.split("+")[0], origin)
        kinds = {}
        for item in answer.json["items"]:
            kinds.setdefault(item["kind"], []).append(item)
        # What the plugin gave, without others; who acted, without a name.
        tap.equal([i["answer"] for i in kinds["answer"]],
                  [{"loose": [loose], "helped_by": "staff",
                    "neighbour": "redacted"}])
        tap.equal([i["actor"] for i in kinds["read"] if "actor" in i],
                  ["operator"])
        check("o1" not in answer.text.replace("memo1", ""), answer.text)
        tap.equal(answer.json["missed"], [])
        # It is dropped by itself, and with the resident.
        d.linli_ok("clock", "advance", "9d")
        check(wait_until(lambda: copies(d) == 0, 5), copies(d))
        copy_of(d, "r1", "y")
        tap.equal(copies(d), 1)
        request = ask(d, "r1").json["id"]
        check(wait_until(
            lambda: state(d, "r1", request)["state"] == "done", 20))
        tap.equal(copies(d), 0)
        check(gone(d, loose), files_with(d.data, loose))


def copies(d):
    """How many answers of plugins are kept."""
    import sqlite3
    with contextlib.closing(sqlite3.connect(
            "file:%s/linli.db?mode=ro" % d.data, uri=True)) as db:
        return db.execute(
            "SELECT count(*) FROM doc d JOIN collection c "
            "ON c.id = d.collection WHERE c.name = '~copy'").fetchone()[0]


def test_a_plugin_that_gives_nothing():
    with Daemon(options=["--clock=virtual"]) as d:
        d.enable(d.source(MEMO))
        keep(d, "r1", planted(), "n1")
        d.call("memo", "/stubborn", {}, key="s1")
        request = ask(d, "r1", kind="export", key="x").json["id"]
        path = "/v1/c/demo/me/requests/%s/export" % request
        answer = d.http("GET", path, as_="resident:r1")
        tap.equal((answer.status, answer.code), (409, "request/not-done"))
        d.linli_ok("clock", "advance", "25h")
        answer = d.http("GET", path, as_="resident:r1")
        tap.equal((answer.status, answer.json["missed"]), (200, ["memo"]))
        kinds = [a["kind"] for a in d.http(
            "GET", "/v1/c/demo/admin/alerts",
            as_="operator:o1").json["items"]]
        check("linli.export_missed" in kinds, kinds)


def test_a_copy_has_what_is_kept():
    mine, other, name = planted(), planted(), planted()
    with Daemon(options=["--clock=virtual"]) as d:
        d.enable(d.source(MEMO))
        seed(d, r1=name)
        keep(d, "r1", mine, "n1")
        for i in range(2):
            tap.equal(d.call("memo", "/bulk", {"text": mine, "count": 150},
                             key="b%d" % i, timeout_s=60).status, 201)
        keep(d, "r2", other, "n2")
        path = copy_of(d, "r1")
        items, cursor = [], ""
        while cursor is not None:
            answer = d.http("GET", path + cursor, as_="resident:r1")
            tap.equal(answer.status, 200, answer)
            items += answer.json["items"]
            check(len(answer.body) < 4 << 20)
            after = answer.json["next"]
            cursor = None if after is None else "?cursor=" + after
        text = json.dumps(items, ensure_ascii=False)
        check(mine in text and name in text, text[:500])
        check(other not in text)
        notes = [i for i in items if i.get("plugin") == "memo"
                 and i.get("collection") == "note"]
        tap.equal(len(notes), 301)
        theirs = d.http("GET", path, as_="resident:r2")
        tap.equal(theirs.status, 404, theirs)
        d.linli_ok("clock", "advance", "8d")
        tap.equal(d.http("GET", path, as_="resident:r1").status, 404)


def test_a_neighbour_sees_nothing():
    with Daemon() as d:
        d.enable(d.source(MEMO))
        request = ask(d, "r1", kind="correct", note="n").json["id"]
        path = "/v1/c/demo/me/requests/"
        theirs = d.http("GET", path + request, as_="resident:r2")
        nobodys = d.http("GET", path + "0" * 32, as_="resident:r2")
        tap.equal((theirs.status, theirs.code),
                  (nobodys.status, nobodys.code))
        tap.equal(theirs.status, 404)
        mine = d.http("GET", "/v1/c/demo/me/requests", as_="resident:r1")
        tap.equal([r["id"] for r in mine.json["items"]], [request])
        tap.equal(d.http("GET", "/v1/c/demo/me/requests",
                         as_="resident:r2").json["items"], [])
        all_ = d.http("GET", "/v1/c/demo/admin/requests", as_="operator:o1")
        tap.equal([r["resident"] for r in all_.json["items"]], ["r1"])


def test_who_comes_back_is_somebody_new():
    with Daemon() as d:
        d.enable(d.source(MEMO))
        for round_ in range(3):
            text = planted()
            seed(d, r1=text)
            keep(d, "r1", text, "n%d" % round_)
            tap.equal(texts_of(d, "r1"), [text])
            erase(d, "r1", "e%d" % round_)
            check(gone(d, text), files_with(d.data, text))


def put_homes(d, residents, **plates):
    """Households with two values each, and who lives there; the subjects of
    each household's values."""
    path, found = os.path.join(d.folder, "homes.json"), {}
    for home, text in plates.items():
        before = field_subjects(d.data)
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"households": [
                {"id": home, "community": "demo", "plates": [text],
                 "fields": {"address": text, "door_code": text}}],
                "residents": [
                    {"id": rid, "community": "demo", **what}
                    for rid, what in residents.items()
                    if what["household"] == home]}, f)
        d.linli_ok("seed", path)
        found[home] = field_subjects(d.data) - before
    os.unlink(path)
    return found


def rows(data, text, *values):
    """What a query of a data directory's store gives."""
    import sqlite3
    with contextlib.closing(sqlite3.connect(
            "file:%s/linli.db?mode=ro" % data, uri=True)) as db:
        return db.execute(text, values).fetchall()


def field_subjects(data):
    """The subjects under which values are kept."""
    return {row[0] for row in rows(
        data, "SELECT d.subject FROM doc d JOIN collection c "
        "ON c.id = d.collection WHERE c.name = '~field'")}


def keys_of(data, subjects):
    """How many of the subjects have their key."""
    return sum(rows(
        data, "SELECT count(*) FROM subject_key WHERE subject = ? AND "
        "wrapped IS NOT NULL", s)[0][0] for s in subjects)


def home_values(d, resident):
    """What a resident is told of their household's fields."""
    answer = d.http("GET", "/v1/c/demo/me/fields", as_="resident:" + resident)
    tap.equal(answer.status, 200, answer)
    return {i["field"]: i.get("value") for i in answer.json["items"]
            if i["field"] in ("plate", "address", "door_code")}


def test_a_household_goes_with_its_last_member():
    mine, shared, left = "11111111", "22222222", "33333333"
    long_ago = "2020-03-01T00:00:00+08:00"
    with temporary_folder() as folder, Daemon() as d:
        d.enable(d.source(MEMO))
        # Of h1 somebody else has been, of h2 there is another, and h3 was
        # left by who is erased.
        subjects = put_homes(d, {
            "r1": {"household": "h1"},
            "gone": {"household": "h1", "household_to": long_ago},
            "r2": {"household": "h2"}, "r3": {"household": "h2"},
            "r4": {"household": "h3", "household_to": long_ago}},
            h1=mine, h2=shared, h3=left)
        tap.equal({h: len(s) for h, s in subjects.items()},
                  {"h1": 2, "h2": 2, "h3": 2})  # of classes C2 and C3
        tap.equal(home_values(d, "r1"), {
            "plate": [mine], "address": mine, "door_code": mine})
        full = home_values(d, "r3")
        check(shared in json.dumps(full), full)
        before = os.path.join(folder, "before.db")
        d.linli_ok("backup", before)
        keys = [erase(d, who, "e-" + who)["certificate"]["keys"]
                for who in ("r2", "r4", "r1")]
        tap.equal(keys[0], keys[1])
        tap.equal(keys[2], keys[0] + 3)
        again = os.path.join(folder, "again")
        tap.equal(restore(before, again, d.data).code, 0)
        tap.equal(field_subjects(d.data) & subjects["h1"], set())
        for data in (d.data, again):
            tap.equal([keys_of(data, subjects[h])
                       for h in ("h1", "h2", "h3")], [0, 2, 2])
            check(subjects["h2"] | subjects["h3"] <= field_subjects(data))
        with Daemon(data=again) as copy:
            for host in (d, copy):
                tap.equal(home_values(host, "r3"), full)
                # Who moves in finds nothing of who was there, and may have
                # a plate again.
                tap.equal(host.http(
                    "PUT", "/v1/c/demo/admin/residents/new",
                    {"household": "h1"}, as_="operator:o1").status, 200)
                check(mine not in json.dumps(home_values(host, "new")))
                tap.equal(host.http(
                    "PUT", "/v1/c/demo/admin/households/h1",
                    {"plates": [shared]}, as_="operator:o1").status, 200)
                check(shared in json.dumps(home_values(host, "new")))
        # The second of two finds nobody.
        more = erase(d, "r3", "e-r3")["certificate"]["keys"]
        tap.equal(more, keys[2])
        tap.equal([keys_of(d.data, subjects[h]) for h in ("h1", "h2", "h3")],
                  [0, 0, 2])


def test_many_documents():
    with Daemon() as d:
        d.enable(d.source(MEMO))
        text = planted()
        for i in range(4):
            tap.equal(d.call("memo", "/bulk", {"text": text, "count": 150},
                             key="b%d" % i, timeout_s=60).status, 201)
        done = erase(d, "r1")
        check(done["certificate"]["plugins"][0]["documents"] >= 600, done)
        check(gone(d, text), files_with(d.data, text))


def test_what_the_law_keeps_goes_on_its_day():
    text = planted()
    with Daemon(options=["--clock=virtual"]) as d:
        d.enable(d.source(MEMO))
        keep(d, "r1", text, "n1")
        done = erase(d, "r1")
        until = done["certificate"]["frozen"][0]["until"]
        tap.equal(until - done["certificate"]["erased_at"], 30 * DAY_MS)
        d.linli_ok("clock", "advance", "29d")
        tap.equal(frozen(d), 1)
        d.linli_ok("clock", "advance", "2d")
        check(wait_until(lambda: frozen(d) == 0, 5))


def frozen(d):
    """How many documents lie aside."""
    import sqlite3
    with contextlib.closing(sqlite3.connect(
            "file:%s/linli.db?mode=ro" % d.data, uri=True)) as db:
        return db.execute("SELECT count(*) FROM frozen").fetchone()[0]


def test_a_plugin_that_will_not_forget():
    text = planted()
    with Daemon(options=["--clock=virtual"]) as d:
        d.enable(d.source(MEMO))
        keep(d, "r1", text, "n1")
        d.call("memo", "/stubborn", {}, key="s1")
        request = ask(d, "r1").json["id"]
        d.linli_ok("clock", "advance", "1h")
        tap.equal(state(d, "r1", request)["state"], "open")
        d.linli_ok("clock", "advance", "16d")
        tap.equal(state(d, "r1", request)["state"], "done")
        kinds = [a["kind"] for a in d.http(
            "GET", "/v1/c/demo/admin/alerts",
            as_="operator:o1").json["items"]]
        check("linli.redact_missed" in kinds, kinds)
        [duty] = d.http("GET", "/v1/c/demo/admin/duties",
                        as_="operator:o1").json["items"]
        tap.equal((duty["kind"], duty["why"], duty["plugin"], duty["ref"],
                   duty["tag"]), ("DELETE", "redact", "memo", request, None))
        tap.equal(texts_of(d, "r1"), [])


def test_killed_at_any_moment():
    for round_ in range(4):
        text = planted()
        with Daemon() as d:
            d.enable(d.source(MEMO))
            seed(d, r1=text)
            home = put_homes(d, {"r1": {"household": "h1"}}, h1="1234")["h1"]
            tap.equal(keys_of(d.data, home), 2)
            for i in range(3):
                tap.equal(d.call("memo", "/bulk",
                                 {"text": text, "count": 150},
                                 key="b%d" % i, timeout_s=60).status, 201)
            keep(d, "r1", text, "n1")
            request = ask(d, "r1").json["id"]
            time.sleep(random.random() * 0.25)
            d.kill()
            d.restart()
            check(wait_until(lambda r=request: state(
                d, "r1", r).get("state") == "done", 90, 0.2),
                state(d, "r1", request))
            check(gone(d, text), files_with(d.data, text))
            tap.equal(keys_of(d.data, home), 0)


if __name__ == "__main__":
    tap.main()
