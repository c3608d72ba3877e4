"""tests/scenario/test_parking_gates.py: cameras and gates of the car park
over a live linlid: what a car at a gate is told (spec/parking.md)."""

import concurrent.futures
import contextlib
import datetime
import itertools
import json
import os
import signal
import time
import urllib.parse

from linli_device import KEY_HEX, Device
from linli_test import Daemon, wait_until
import tap

TARIFF = {"free_minutes": 30, "lost_fee_fen": 5000, "special_plates": ["警"],
          "first": {"minutes": 60, "fee_fen": 500},
          "next": {"minutes": 30, "fee_fen": 200},
          "cap": {"fee_fen": 3000, "window": "calendar_day"}}
CONFIG = {"lots": {"p1": {"name": "地下一层", "tariff": TARIFF}},
          "gates": {"g1": {"lot": "p1", "direction": "entry"},
                    "g2": {"lot": "p1", "direction": "exit"}}}
CAR, OTHER = "沪A12345", "沪B67890"
OPERATOR, STAFF, WANG, LI = ("operator:o1", "staff:s1", "resident:wang",
                             "resident:li")
SEED = {
    "communities": [{"id": "demo", "zone": "Asia/Shanghai"}],
    "households": [
        {"id": "h1", "community": "demo", "plates": [CAR]},
        {"id": "h2", "community": "demo", "plates": [OTHER]}],
    "residents": [
        {"id": "wang", "community": "demo", "household": "h1"},
        {"id": "li", "community": "demo", "household": "h2"}],
    "devices": [
        {"id": "camera-" + gate, "community": "demo", "plugin": "parking",
         "kind": "gate", "key_hex": KEY_HEX, "bound_to": gate}
        for gate in ("g1", "g2")]}
PARALLEL = 50

numbers = itertools.count(1)


def instant(text):
    """Seconds since 1970 of a time of 2030-03-04, or of a whole one."""
    return int(datetime.datetime.fromisoformat(rfc3339(text)).timestamp())


def rfc3339(text):
    """"09:00" or "09:00:30" of 2030-03-04 in Shanghai; whole times stay."""
    if "T" in text:
        return text
    return "2030-03-04T%s+08:00" % (text if len(text) > 5 else text + ":00")


class Park:
    """The plugin with its gates; the clock is ours."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.now = None
        self.devices = {gate: Device(daemon, "camera-" + gate,
                                     plugin="parking")
                        for gate in ("g1", "g2")}

    def at(self, text):
        """Moves the clock."""
        self.daemon.linli_ok("clock", "set", rfc3339(text))
        self.now = instant(text)

    def sent(self, gate, path, body=None, method="POST", by=None):
        """A signed request to a gate's route; an Answer."""
        return self.devices[by or gate].send("/gates/%s%s" % (gate, path),
                                             body, method, ts=self.now)

    def gate_ok(self, gate, path, body=None, method="POST"):
        """The same, a success; its body."""
        answer = self.sent(gate, path, body, method)
        assert 200 <= answer.status < 300, answer
        return answer.json

    def enter(self, plate, text):
        """A car at the entry, at that time."""
        self.at(text)
        return self.gate_ok("g1", "/events", event("entry", plate, text))

    def exit(self, plate, text):
        """A car at the exit, at that time."""
        self.at(text)
        return self.gate_ok("g2", "/events", event("exit", plate, text))

    def replay(self, gate, *events):
        """Events of the time without a network; the results."""
        return self.gate_ok(gate, "/replay",
                            {"events": list(events)})["results"]

    def commands(self, gate, after=0):
        """What the gate was told: a list of data."""
        page = self.gate_ok(gate, "/commands?after=%d&wait=0" % after,
                            method="GET")
        return [item["data"] for item in page["items"]]

    def opened(self, gate):
        """How often a gate was told to open."""
        return sum(c["command"] == "open" for c in self.commands(gate))

    def ask(self, method, path, body=None, as_=OPERATOR):
        """A person's request; an Answer."""
        key = None if method == "GET" else "key-%d" % next(numbers)
        return self.daemon.call("parking", path, body, method, as_=as_,
                                key=key)

    def ok(self, method, path, body=None, as_=OPERATOR):
        """The same, a success; its body."""
        answer = self.ask(method, path, body, as_)
        assert 200 <= answer.status < 300, answer
        return answer.json

    def session(self, session_id):
        """A session as the operator sees it."""
        return self.ok("GET", "/sessions/" + session_id)

    def sessions(self, state):
        """All of a state."""
        return self.ok("GET", "/sessions?limit=100&state=" + state)["items"]

    def arrears(self, plate, as_=OPERATOR):
        """What a plate owes: an Answer."""
        return self.ask("GET", "/arrears?plate="
                        + urllib.parse.quote(plate), as_=as_)

    def anomalies(self):
        """Their kinds, the latest first."""
        return [i["kind"] for i in self.ok("GET", "/anomalies")["items"]]

    def metered(self, meter):
        """What a meter has counted."""
        usage = self.daemon.linli_ok("usage", "--json").json
        return sum(int(item["quantity"]) for item in usage["totals"]
                   if item["meter"] == meter)


def event(kind, plate, text, **change):
    """What a camera sends; a new event_id unless told."""
    body = {"event_id": "e%d" % next(numbers), "kind": kind, "plate": plate,
            "plate_type": "blue", "confidence": 98.5,
            "captured_at": rfc3339(text)}
    body.update(change)
    return body


@contextlib.contextmanager
def parking():
    """A daemon at 09:00 with the plugin, its gates and two households."""
    with Daemon(options=["--clock=virtual"]) as d:
        path = os.path.join(d.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(SEED, f)
        d.linli_ok("seed", path)
        d.enable(d.source("plugins/parking"), config=CONFIG)
        park = Park(d)
        park.at("09:00")
        yield park


def expect(answer, **wanted):
    """Compares members of an answer."""
    for name, value in wanted.items():
        tap.equal(answer.get(name), value, "%s of %r" % (name, answer))


# -- at the gates ----------------------------------------------------------

def test_a_free_stay():
    with parking() as park:
        entry = park.enter(CAR, "09:00")
        expect(entry, action="open", reason="entered", due_fen=0,
               duplicate=False, display_text="欢迎光临")
        expect(park.exit(CAR, "09:30"), action="open", reason="left",
               session_id=entry["session_id"])
        expect(park.session(entry["session_id"]), state="left", fee_fen=0,
               left_at=rfc3339("09:30"))
        tap.equal([(c["command"], c["reason"]) for c in park.commands("g1")],
                  [("open", "entered")])
        tap.equal([(c["command"], c["reason"]) for c in park.commands("g2")],
                  [("open", "left")])
        tap.equal(park.metered("parking.session_closed"), 1)
        tap.equal(park.metered("parking.gate_event"), 2)


def test_a_sum_due_holds_until_staff_close():
    with parking() as park:
        entry = park.enter(CAR, "09:00")
        held = park.exit(CAR, "10:40")
        expect(held, action="hold", reason="payment_due", due_fen=900,
               display_text="请缴费 9.00 元")
        tap.equal(park.opened("g2"), 0)
        path = "/sessions/%s/close" % entry["session_id"]
        park.ok("POST", path, {"kind": "forced", "reason": "放行"}, STAFF)
        tap.equal(park.opened("g2"), 1)
        expect(park.session(entry["session_id"]), state="closed")
        tap.equal(park.metered("parking.session_closed"), 1)


def test_the_same_shot_and_a_second_car():
    with parking() as park:
        body = event("entry", CAR, "09:00")
        first = park.gate_ok("g1", "/events", body)
        for again in (park.gate_ok("g1", "/events", body),
                      park.enter(CAR, "09:02")):
            expect(again, action="open", duplicate=True,
                   session_id=first["session_id"])
        expect(park.enter(CAR, "09:02:01"), action="hold",
               reason="already_inside", duplicate=False,
               session_id=first["session_id"])
        tap.equal(park.anomalies(), ["already_inside"])
        tap.equal(park.opened("g1"), 1)


def test_fifty_shots_at_once_are_one_session():
    with parking() as park:
        def shot(_):
            return park.gate_ok("g1", "/events",
                                event("entry", CAR, "09:00"))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            said = list(pool.map(shot, range(PARALLEL)))
        tap.equal(len({s["session_id"] for s in said}), 1, "sessions")
        tap.equal(sum(not s["duplicate"] for s in said), 1, "new ones")
        tap.equal({s["action"] for s in said}, {"open"}, "actions")
        tap.equal(len(park.sessions("inside")), 1, "inside")
        tap.equal(park.opened("g1"), 1)
        tap.equal(park.metered("parking.gate_event"), PARALLEL)


def test_fifty_times_the_same_event():
    with parking() as park:
        body = event("entry", CAR, "09:00")
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            said = list(pool.map(
                lambda _: park.gate_ok("g1", "/events", body),
                range(PARALLEL)))
        tap.equal(len({s["session_id"] for s in said}), 1, "sessions")
        tap.equal(sum(not s["duplicate"] for s in said), 1, "new ones")
        tap.equal(park.metered("parking.gate_event"), 1)


def test_no_entry_and_a_corrected_plate():
    with parking() as park:
        entry = park.enter(CAR, "09:00")
        lost = park.exit("沪A12346", "10:40")
        expect(lost, action="hold", reason="no_entry", due_fen=5000)
        tap.equal(park.anomalies(), ["no_entry"])
        fixed = park.ok("POST", "/sessions/%s/correct-plate"
                        % lost["session_id"],
                        {"plate": CAR, "reason": "看错了"}, STAFF)
        expect(fixed, id=entry["session_id"], action="hold", due_fen=900)
        expect(park.session(lost["session_id"]), state="merged",
               merged_into=entry["session_id"])


def test_lists_and_special_plates():
    with parking() as park:
        for name, plate in (("deny", "沪C00001"), ("allow", CAR),
                            ("special", OTHER)):
            park.ok("PUT", "/lists/" + name,
                    {"plates": [plate], "reason": "名单"})
        expect(park.enter("沪C00001", "09:00"), action="deny",
               reason="denied")
        for plate in (CAR, OTHER, "沪A1234警"):
            park.enter(plate, "09:00")
        for plate, special in ((CAR, False), (OTHER, True),
                               ("沪A1234警", True)):
            expect(park.exit(plate, "18:00"), action="open", due_fen=0,
                   special=special)


def test_a_clock_that_is_off():
    with parking() as park:
        for plate, captured, entered in ((CAR, "08:55", "08:55"),
                                         (OTHER, "09:05:01", "09:00")):
            body = event("entry", plate, captured)
            said = park.gate_ok("g1", "/events", body)
            expect(park.session(said["session_id"]),
                   entered_at=rfc3339(entered))


def test_who_may_speak_for_a_gate():
    with parking() as park:
        body = event("entry", CAR, "09:00")
        tap.equal(park.sent("g1", "/events", body, by="g2").status, 404)
        tap.equal(park.sent("g2", "/commands", method="GET",
                            by="g1").status, 404)
        answer = park.sent("g2", "/events", body)
        tap.equal((answer.status, answer.code),
                  (422, "parking/gate-direction"))
        stranger = Device(park.daemon, "camera-g1", "ff" * 32,
                          plugin="parking")
        tap.equal(stranger.send("/gates/g1/events", body,
                                ts=park.now).status, 401)
        bad = dict(body, plate="沪a")
        tap.equal(park.sent("g1", "/events", bad).status, 422)
        tap.equal(park.sessions("inside"), [])


# -- without a network -----------------------------------------------------

def expect_one_debt(park):
    """The car left at 10:40 and owes 9.00 once; no gate was told."""
    session, = park.sessions("left")
    expect(session, entered_at=rfc3339("09:00"), left_at=rfc3339("10:40"))
    debt, = park.arrears(CAR).json["items"]
    expect(debt, session_id=session["id"], amount_fen=900, state="owed")
    tap.equal(park.sessions("inside") + park.sessions("no_entry"), [])
    tap.equal(park.commands("g1") + park.commands("g2"), [])
    tap.equal(park.metered("parking.session_closed"), 1)
    tap.equal(park.metered("parking.gate_event"), 2)


def test_replay_in_either_order_and_twice():
    for order in (("g1", "g2"), ("g2", "g1")):
        with parking() as park:
            park.at("14:00")
            batch = {"g1": event("entry", CAR, "09:00"),
                     "g2": event("exit", CAR, "10:40")}
            for gate in order + order:
                park.replay(gate, batch[gate])
            expect_one_debt(park)


def test_whose_arrears():
    with parking() as park:
        park.at("14:00")
        park.replay("g1", event("entry", CAR, "09:00"))
        park.replay("g2", event("exit", CAR, "10:40"))
        tap.equal(park.arrears(CAR, WANG).json["items"][0]["amount_fen"],
                  900)
        answer = park.arrears(CAR, LI)
        tap.equal((answer.status, answer.code),
                  (404, "parking/plate-unknown"))
        tap.equal(park.arrears(OTHER, LI).json["items"], [])


def stopped(park):
    """Stops the plugin's workers, so that no answer comes from them."""
    workers = park.daemon.workers()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    return workers


def test_the_gate_opens_whatever_the_plugin_does():
    """The fallback is the answer; the event is done later, as offline."""
    with parking() as park:
        park.ok("GET", "/sessions")  # a worker is there
        workers = stopped(park)
        began = time.monotonic()
        said = park.gate_ok("g1", "/events", event("entry", CAR, "09:00"))
        took = time.monotonic() - began
        expect(said, action="open", reason="fallback")
        assert took < 1.5, "%.3f s" % took
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        park.daemon.linli_ok("clock", "advance", "2s")
        wait_until(lambda: park.sessions("inside"), 20.0, 0.1)
        session, = park.sessions("inside")
        expect(session, entered_at=rfc3339("09:00"))
        tap.equal(park.commands("g1"), [])
        tap.equal(park.metered("parking.gate_event"), 1)


# -- time ------------------------------------------------------------------

def test_after_three_days_the_operator_is_told():
    with parking() as park:
        park.enter(CAR, "09:00")
        park.daemon.linli_ok("clock", "advance", "71h")
        tap.equal(park.anomalies(), [])
        park.daemon.linli_ok("clock", "advance", "1h")
        tap.equal(park.anomalies(), ["stale_session"])
        alerts = park.daemon.http("GET", "/v1/c/demo/admin/alerts"
                                  "?kind=parking.anomaly", as_=OPERATOR)
        item, = alerts.json["items"]
        expect(item["data"], kind="stale_session", plate_masked="沪A***45")


def test_a_session_is_kept_for_ninety_days_after_it_ended():
    with parking() as park:
        ended = park.enter(CAR, "09:00")["session_id"]
        park.exit(CAR, "09:10")
        open_ = park.enter(OTHER, "09:20")["session_id"]
        park.daemon.linli_ok("clock", "advance", "89d")
        park.session(ended)
        park.daemon.linli_ok("clock", "advance", "2d")
        tap.equal(park.ask("GET", "/sessions/" + ended).status, 404)
        expect(park.session(open_), state="inside")


# -- residents -------------------------------------------------------------

def test_households_see_their_own():
    with parking() as park:
        mine = park.enter(CAR, "09:00")["session_id"]
        theirs = park.enter(OTHER, "09:00")["session_id"]
        park.at("10:40")
        seen = park.ok("GET", "/sessions/" + mine, as_=WANG)
        expect(seen, state="inside", plate_masked="沪A***45", plate=None)
        quote = park.ok("POST", "/sessions/%s/quote" % mine, {}, WANG)
        expect(quote, due_fen=900, expires_at=rfc3339("10:45"))
        listed = park.ok("GET", "/sessions", as_=WANG)["items"]
        tap.equal([s["id"] for s in listed], [mine])
        for path in ("/sessions/" + theirs, "/sessions/0123"):
            answer = park.ask("GET", path, as_=WANG)
            tap.equal((answer.status, answer.code),
                      (404, "parking/session-not-found"))


def test_a_gate_waits_for_its_commands():
    """A command is there at once for a gate that waits for it."""
    with parking() as park:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(park.gate_ok, "g2",
                                  "/commands?after=0&wait=20", None, "GET")
            time.sleep(0.3)
            began = time.monotonic()
            park.ok("POST", "/gates/g2/open", {"reason": "救护车"}, STAFF)
            page = waiting.result(timeout=20)
        assert time.monotonic() - began < 5, "it was told late"
        expect(page["items"][0]["data"], command="open", reason="manual",
               gate="g2")
        tap.equal(park.commands("g1"), [])
        tap.equal(park.commands("g2", page["next_after"]), [])


if __name__ == "__main__":
    tap.main()
