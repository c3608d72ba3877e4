"""tests/scenario/test_parking_plan.py: a car park that is sold: whoever has no
plan any more, or has used it up, still pays what is owed and leaves
(spec/metering.md, Q3)."""
# test-timeout-s: 120

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sold import SUSPENSE, Sold, hard, per_unit  # noqa: E402
from test_parking_pay import (CAR, WANG, expect, parking,  # noqa: E402
                              rfc3339)
import tap  # noqa: E402


def pays_and_leaves(park, day):
    """A stay of that day: it is quoted, paid, and the gate opens."""
    def at(clock):
        return "%s %s" % (day, clock)
    sid = park.enter(CAR, at("09:00"))["session_id"]
    park.at(at("10:40"))
    quote = park.quote(sid)
    expect(quote, due_fen=900)
    park.paid(park.ask_to_pay(sid, quote))
    expect(park.exit(CAR, at("10:45")), action="open", reason="left")
    expect(park.session(sid), state="left", paid_fen=900)
    return sid


def owes_and_pays(park, day):
    """A car that is gone; what it owes is paid afterwards."""
    def at(clock):
        return "%s %s" % (day, clock)
    sid = park.enter(CAR, at("11:00"))["session_id"]
    park.at(at("14:00"))
    park.device("camera-g2", "/gates/g2/replay", {"events": [
        {"event_id": "late-" + day, "kind": "exit", "plate": CAR,
         "captured_at": rfc3339(at("12:40"))}]}, "POST")
    park.pay(sid, at("15:00"))
    expect(park.session(sid), paid_fen=900)


def refused(park, code):
    """What is no safety route is refused to wang."""
    answer = park.ask("GET", "/sessions", as_=WANG)
    tap.equal((answer.status, answer.code), (402, code), answer)


def test_over_a_hard_cap_a_paid_car_leaves():
    with parking() as park:
        s = Sold(park.daemon, "parking")
        s.publish("basic", charges=[per_unit("linli.call", 100)])
        sub = s.subscribe("wang", "basic", cap_fen=100)
        tap.equal(park.ask("GET", "/sessions", as_=WANG).status, 200)
        refused(park, "plan/cap-reached")
        pays_and_leaves(park, "03-05")
        owes_and_pays(park, "03-06")
        refused(park, "plan/cap-reached")
        # Counted all the same: one that was let through, four to pay.
        tap.equal(s.used("linli.call", sub), 5)
        tap.equal(s.by_sub("linli.call")[SUSPENSE] > 0, True)


def test_over_a_hard_limit_too():
    with parking() as park:
        s = Sold(park.daemon, "parking")
        s.publish("basic", limits=[hard("linli.call", 1),
                                   hard("parking.gmv_fen", 1)])
        sub = s.subscribe("wang", "basic")
        tap.equal(park.ask("GET", "/sessions", as_=WANG).status, 200)
        refused(park, "plan/limit-reached")
        pays_and_leaves(park, "03-05")
        owes_and_pays(park, "03-06")
        refused(park, "plan/limit-reached")
        tap.equal(s.used("linli.call", sub), 5)


def test_with_an_ended_plan_too():
    with parking() as park:
        s = Sold(park.daemon, "parking")
        s.publish("basic")
        sub = s.subscribe("wang", "basic")
        s.act(sub, "cancel", now=True)
        refused(park, "plan/ended")
        pays_and_leaves(park, "03-05")
        owes_and_pays(park, "03-06")
        refused(park, "plan/ended")
        tap.equal(s.used("linli.call", sub), 0)
        tap.equal(s.used("parking.gmv_fen", SUSPENSE), 1800)


if __name__ == "__main__":
    tap.main()
