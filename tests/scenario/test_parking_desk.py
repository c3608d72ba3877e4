"""tests/scenario/test_parking_desk.py: parking behind a live linlid, as far
as people call it: tariffs, lists, cars without a plate, closing by hand."""

import concurrent.futures
import itertools

from linli_test import Daemon
import tap

TARIFF = {"free_minutes": 30, "lost_fee_fen": 5000,
          "first": {"minutes": 60, "fee_fen": 500},
          "next": {"minutes": 30, "fee_fen": 200},
          "cap": {"fee_fen": 3000, "window": "calendar_day"}}
CONFIG = {"lots": {"p1": {"name": "地下一层", "tariff": TARIFF}},
          "gates": {"g1": {"lot": "p1", "direction": "entry"},
                    "g2": {"lot": "p1", "direction": "exit"}}}
OPERATOR, STAFF = "operator:o1", "staff:s1"
WANG, LI = "resident:wang", "resident:li"
PARALLEL = 50

keys = ("key-%d" % i for i in itertools.count())


def parking():
    """A daemon; enable() below switches the plugin on."""
    return Daemon()


def enable(daemon):
    """Enable the plugin with one lot and two gates."""
    daemon.enable(daemon.source("plugins/parking"), config=CONFIG)


def ask(daemon, method, path, body=None, as_=OPERATOR, **more):
    """One Answer; a write gets a key of its own unless it has one."""
    if method != "GET":
        more.setdefault("key", next(keys))
    return daemon.call("parking", path, body, method, as_=as_, **more)


def ok(*arguments, **more):
    """The body of an answer that must be a success."""
    answer = ask(*arguments, **more)
    assert 200 <= answer.status < 300, answer
    return answer.json


def refused(status, code, *arguments, **more):
    """A request that must end with this problem."""
    answer = ask(*arguments, **more)
    tap.equal((answer.status, answer.code), (status, code), arguments[2])


def scan(daemon, way="entry", as_=WANG, **more):
    """A car without a plate goes through its gate."""
    gate = "g1" if way == "entry" else "g2"
    return ok(daemon, "POST", "/scan-" + way, {"gate": gate}, as_, **more)


def if_match(tag):
    """The header of a conditional request."""
    return {"If-Match": '"%s"' % tag}


def test_tariffs_are_stored_under_if_match():
    with parking() as d:
        enable(d)
        other = {"first": {"minutes": 60, "fee_fen": 100},
                 "next": {"minutes": 60, "fee_fen": 100}}
        first = ask(d, "PUT", "/tariffs/p1", other)
        tap.equal((first.status, first.headers["etag"]), (201, '"1"'))
        refused(428, "parking/if-match-missing", d, "PUT", "/tariffs/p1",
                other)
        refused(412, "parking/if-match-stale", d, "PUT", "/tariffs/p1", other,
                headers=if_match(7))
        second = ask(d, "PUT", "/tariffs/p1", TARIFF, headers=if_match(1))
        tap.equal((second.status, second.headers["etag"]), (200, '"2"'))
        got = ask(d, "GET", "/tariffs/p1")
        tap.equal(got.headers["etag"], '"2"', "etag of GET")
        tap.equal(got.json, {"lot": "p1", "version": 2, "tariff": TARIFF})
        tap.equal([i["version"] for i in ok(d, "GET", "/audit")["items"]],
                  [2, 1], "kept")


def test_two_operators_change_one_tariff():
    """Of fifty changes under one version one is made."""
    with parking() as d:
        enable(d)
        ok(d, "PUT", "/tariffs/p1", TARIFF)

        def change(fee_fen):
            body = dict(TARIFF, lost_fee_fen=fee_fen)
            return ask(d, "PUT", "/tariffs/p1", body,
                       headers=if_match(1)).status
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(change, range(PARALLEL)))
        tap.equal(sorted(statuses), [200] + [412] * (PARALLEL - 1))
        tap.equal(ok(d, "GET", "/tariffs/p1")["version"], 2, "version")


def test_lists():
    with parking() as d:
        enable(d)
        body = {"plates": ["沪A12345", "沪AD12345"], "reason": "业主"}
        tap.equal(ok(d, "GET", "/lists/allow"),
                  {"list": "allow", "version": 0, "plates": []})
        ok(d, "PUT", "/lists/allow", body)
        tap.equal(ok(d, "GET", "/lists/allow")["plates"], body["plates"])
        refused(404, "parking/list-unknown", d, "GET", "/lists/best")
        refused(422, "request/invalid", d, "PUT", "/lists/allow",
                {"plates": ["沪a12345"], "reason": "业主"})
        refused(422, "request/invalid", d, "PUT", "/lists/allow",
                {"plates": []})
        tap.equal(ask(d, "GET", "/lists/allow", as_=STAFF).status, 403)


def test_a_car_without_a_plate():
    with parking() as d:
        enable(d)
        entry = scan(d)
        tap.equal((entry["action"], entry["duplicate"]), ("open", False))
        assert entry["temp_plate"].startswith("临"), entry
        again = scan(d)
        tap.equal(again["session_id"], entry["session_id"], "scanned again")
        tap.equal(again["duplicate"], True, "duplicate")
        path = "/sessions/" + entry["session_id"]
        seen = ok(d, "GET", path, as_=WANG)
        tap.equal(seen["state"], "inside")
        assert "plate" not in seen, seen
        quote = ok(d, "POST", path + "/quote", {}, WANG, key=None)
        tap.equal((quote["due_fen"], quote["lines"]), (0, []), "quote")
        tap.equal(scan(d, "exit")["reason"], "left")
        tap.equal(ok(d, "GET", path, as_=OPERATOR)["state"], "left")
        refused(404, "parking/session-not-found", d, "POST", "/scan-exit",
                {"gate": "g2"}, WANG)


def test_others_learn_nothing():
    with parking() as d:
        enable(d)
        path = "/sessions/" + scan(d)["session_id"]
        refused(404, "parking/session-not-found", d, "GET", path, as_=LI)
        refused(404, "parking/session-not-found", d, "POST",
                path + "/quote", {}, LI, key=None)
        tap.equal(ok(d, "GET", "/sessions", as_=LI)["items"], [])
        tap.equal(len(ok(d, "GET", "/sessions", as_=WANG)["items"]), 1)
        refused(404, "parking/plate-unknown", d, "GET",
                "/arrears?plate=%E6%B2%AAA12345", as_=LI)


def test_fifty_scans_at_once_are_one_session():
    with parking() as d:
        enable(d)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            said = list(pool.map(lambda _: scan(d), range(PARALLEL)))
        tap.equal(len({s["session_id"] for s in said}), 1, "sessions")
        tap.equal(sum(not s["duplicate"] for s in said), 1, "new ones")
        tap.equal(len(ok(d, "GET", "/sessions")["items"]), 1, "listed")


def test_closing_by_hand_is_kept():
    with parking() as d:
        enable(d)
        path = "/sessions/" + scan(d)["session_id"]
        body = {"kind": "lost", "reason": "票丢了", "waive": True}
        refused(422, "request/invalid", d, "POST", path + "/close",
                {"kind": "lost"}, STAFF)
        key = next(keys)
        closed = ok(d, "POST", path + "/close", body, STAFF, key=key)
        tap.equal(closed["closed"]["fee_fen"], 5000, "fee_fen")
        tap.equal(closed["closed"]["collected_fen"], 0, "collected_fen")
        replayed = ask(d, "POST", path + "/close", body, STAFF, key=key)
        tap.equal(replayed.json, closed, "the same key")
        refused(409, "parking/session-ended", d, "POST", path + "/close",
                body, STAFF)
        ok(d, "POST", "/gates/g2/open", {"reason": "救护车"}, STAFF)
        kept = ok(d, "GET", "/audit")["items"]
        tap.equal([(i["action"], i["reason"], i["by"]["id"]) for i in kept],
                  [("open", "救护车", "s1"), ("close", "票丢了", "s1")])


def test_pages():
    with parking() as d:
        enable(d)
        people = ["resident:r%d" % i for i in range(7)]
        ids = [scan(d, as_=who)["session_id"] for who in people]
        seen, cursor = [], ""
        while cursor is not None:
            page = ok(d, "GET", "/sessions?state=inside&limit=3" + cursor)
            seen += [s["id"] for s in page["items"]]
            following = page.get("next_cursor")
            cursor = following and "&cursor=" + following
        tap.equal(sorted(seen), sorted(ids), "all, each once")
        refused(422, "parking/query-invalid", d, "GET", "/sessions?limit=0")


def test_nothing_is_lost_by_kill_9():
    with parking() as d:
        enable(d)
        entry = scan(d)
        d.kill()
        d.restart()
        enable(d)
        tap.equal(scan(d)["session_id"], entry["session_id"], "session")


def test_a_gate_of_no_lot_is_refused():
    with parking() as d:
        broken = dict(CONFIG, gates={"g1": {"lot": "p7"}})
        done = d.enable_fails(d.source("plugins/parking"), config=broken)
        tap.contains(done.err + done.out, "gates.g1", "the message")


if __name__ == "__main__":
    tap.main()
