"""tests/scenario/test_parking.py: the parking plugin behind a live linlid."""

from linli_test import Daemon
import tap

TARIFF = {"free_minutes": 30, "free_mode": "threshold",
          "first": {"minutes": 60, "fee_fen": 500},
          "next": {"minutes": 30, "fee_fen": 200},
          "cap": {"fee_fen": 3000, "window": "calendar_day"}}
CONFIG = {"lots": {"p1": {"name": "地下一层", "tariff": TARIFF}}}
OPERATOR = "operator:o1"


def parking():
    """A daemon; enable() below switches the plugin on."""
    return Daemon()


def enable(daemon, config=None):
    """Enable the plugin with one lot, p1."""
    daemon.enable(daemon.source("plugins/parking"),
                  config=CONFIG if config is None else config)


def stay(entered, left, **more):
    """A request body; times are local, without their zone."""
    body = {"entered_at": entered + "+08:00", "left_at": left + "+08:00",
            "plate_type": "blue"}
    body.update(more)
    return body


def simulate(daemon, body, lot="p1", as_=OPERATOR):
    """One Answer of the simulate route."""
    return daemon.call("parking", "/tariffs/%s/simulate" % lot, body,
                       as_=as_)


def quote(daemon, *times, **more):
    """A quote that must come, and must add up."""
    answer = simulate(daemon, stay(*times, **more))
    tap.equal(answer.status, 200, "status of %r" % answer)
    said = answer.json
    total = sum(line["fee_fen"] for line in said["lines"])
    tap.equal(said["due_fen"], total, "sum of the lines")
    tap.equal(said["gross_fen"] - said["discount_fen"], total, "total")
    tap.equal(said["paid_fen"], 0, "paid_fen")
    return said


def test_the_example():
    """9.00 with a threshold, 7.00 with deducted minutes."""
    with parking() as d:
        enable(d)
        times = ("2026-03-01T09:00:00", "2026-03-01T10:40:00")
        said = quote(d, *times)
        tap.equal(said["due_fen"], 900, "due_fen")
        tap.equal(said["minutes"], 100, "minutes")
        tap.equal(said["special"], False, "special")
        tap.equal(said["lines"][0], {
            "kind": "block", "from": "2026-03-01T09:00:00+08:00",
            "to": "2026-03-01T10:00:00+08:00", "fee_fen": 500,
            "day": "2026-03-01"}, "first line")
        deduct = dict(TARIFF, free_mode="deduct")
        tap.equal(quote(d, *times, tariff=deduct)["due_fen"], 700, "deduct")


def test_calendar():
    """Midnight, month, year and leap day, in the community's zone."""
    cases = (("2026-03-01T23:15:00", "2026-03-02T00:40:00", 700),
             ("2026-01-31T12:00:00", "2026-02-01T12:00:00", 6000),
             ("2026-12-31T12:00:00", "2027-01-01T12:00:00", 6000),
             ("2028-02-28T12:00:00", "2028-03-01T12:00:00", 9000),
             ("2026-02-28T12:00:00", "2026-03-01T12:00:00", 6000))
    with parking() as d:
        enable(d)
        for entered, left, due in cases:
            tap.equal(quote(d, entered, left)["due_fen"], due, entered)
        days = [line["day"] for line in quote(d, *cases[0][:2])["lines"]]
        tap.equal(days, ["2026-03-01", "2026-03-02"], "days of the lines")


def test_free_stay_has_an_empty_list():
    """No lines are [], never {}."""
    with parking() as d:
        enable(d)
        said = quote(d, "2026-03-01T09:00:00", "2026-03-01T09:30:00")
        tap.equal(said["lines"], [], "lines")
        tap.equal(said["due_fen"], 0, "due_fen")


def test_pass_coupons_and_special_plate():
    """The optional members of a request reach the tariff."""
    with parking() as d:
        enable(d)
        times = ("2026-03-01T09:00:00", "2026-03-01T12:10:00")
        until = "2026-03-01T12:00:00+08:00"
        tap.equal(quote(d, *times, pass_until=until)["due_fen"], 500, "pass")
        off = [{"kind": "money", "amount_fen": 100}]
        said = quote(d, *times, pass_until=until, coupons=off)
        tap.equal(said["due_fen"], 400, "coupon")
        rules = dict(TARIFF, special_plates=["警"])
        said = quote(d, *times, tariff=rules, plate="沪A1234警")
        tap.equal((said["due_fen"], said["special"]), (0, True), "special")


def test_a_year_in_minutes():
    """The longest lists stay within a response, the work within a burst."""
    rules = {"first": {"minutes": 1, "fee_fen": 1},
             "next": {"minutes": 1, "fee_fen": 1}}
    with parking() as d:
        enable(d)
        said = quote(d, "2026-03-01T00:00:00", "2027-03-01T00:00:00",
                     tariff=rules)
        tap.equal(said["due_fen"], 365 * 1440, "due_fen")
        tap.equal(len(said["lines"]), 365, "lines")
        said = quote(d, "2026-03-01T00:00:00", "2026-03-03T18:40:00",
                     tariff=rules)
        tap.equal(len(said["lines"]), 4000, "lines, unfolded")


def test_refusals():
    """What a request may get wrong, each with its own code."""
    good = stay("2026-03-01T09:00:00", "2026-03-01T10:40:00")
    cases = (
        (good, "p2", 404, "parking/lot-unknown"),
        (dict(good, left_at="2026-03-01T08:59:59+08:00"), "p1", 422,
         "parking/stay-invalid"),
        (dict(good, left_at="2036-03-01T09:00:00+08:00"), "p1", 422,
         "parking/stay-too-long"),
        ({"entered_at": good["entered_at"]}, "p1", 422, "request/invalid"),
        (dict(good, surprise=1), "p1", 422, "request/invalid"),
        (dict(good, tariff=dict(TARIFF, bands=[{}])), "p1", 422,
         "request/invalid"),
        (dict(good, tariff=dict(TARIFF, first={"minutes": 0, "fee_fen": 1})),
         "p1", 422, "request/invalid"),
        (dict(good, coupons=[{"kind": "time", "amount_fen": 1}]), "p1", 422,
         "request/invalid"),
    )
    with parking() as d:
        enable(d)
        for body, lot, status, code in cases:
            answer = simulate(d, body, lot)
            tap.equal((answer.status, answer.code), (status, code), body)
        for bad in ("2026-03-01 09:00:00", "2026-02-30T09:00:00+08:00",
                    "2026-03-01T09:00:00.000000"):
            answer = simulate(d, dict(good, entered_at=bad))
            tap.equal(answer.status, 422, bad)
            assert answer.code in ("parking/time-invalid",
                                   "request/invalid"), answer
        answer = simulate(d, good, as_="resident:r1")
        tap.equal(answer.status, 403, "a resident")


def test_configuration_is_judged_when_enabled():
    """A tariff that breaks its schema never runs."""
    broken = {"lots": {"p1": {"name": "x", "tariff": {"first": 1}}}}
    with parking() as d:
        folder = d.source("plugins/parking")
        done = d.enable_fails(folder, config=broken)
        tap.contains(done.err + done.out, "tariff", "the message")


if __name__ == "__main__":
    tap.main()
