"""tests/scenario/test_parking_pay.py: the car park is paid, over a live linlid
with its payment simulator (spec/parking.md, P24 to P40)."""
# test-timeout-s: 240

import contextlib
import datetime
import itertools
import json
import os
import signal
import urllib.parse

from linli_device import KEY_HEX, Device
from linli_test import Daemon, wait_until
import tap

TARIFF = {"free_minutes": 30, "lost_fee_fen": 5000,
          "first": {"minutes": 60, "fee_fen": 500},
          "next": {"minutes": 30, "fee_fen": 200},
          "cap": {"fee_fen": 3000, "window": "calendar_day"}}
CONFIG = {
    "lots": {"p1": {"name": "地下一层", "tariff": TARIFF, "capacity": 10}},
    "gates": {"g1": {"lot": "p1", "direction": "entry"},
              "g2": {"lot": "p1", "direction": "exit"}},
    "passes": {"monthly": {"name": "月卡", "fee_fen": 30000, "months": 1,
                           "plates_max": 2}},
    "spaces": {"A01": {"lot": "p1", "plates": ["沪A12345"]}},
    "shares": {"owner_share_bp": 7000}}
CAR, OTHER, SECOND = "沪A12345", "沪B67890", "沪A99999"
OPERATOR, CAFE, WANG, LI = ("operator:o1", "staff:cafe", "resident:wang",
                            "resident:li")
SEED = {
    "communities": [{"id": "demo", "zone": "Asia/Shanghai"}],
    "households": [
        {"id": "h1", "community": "demo", "plates": [CAR, SECOND]},
        {"id": "h2", "community": "demo", "plates": [OTHER]}],
    "residents": [
        {"id": "wang", "community": "demo", "household": "h1"},
        {"id": "li", "community": "demo", "household": "h2"}],
    "devices": [
        {"id": name, "community": "demo", "plugin": "parking",
         "kind": kind, "key_hex": KEY_HEX, "bound_to": where}
        for name, kind, where in (("camera-g1", "gate", "g1"),
                                  ("camera-g2", "gate", "g2"),
                                  ("lock-a01", "lock", "A01"),
                                  ("sign-p1", "sign", "p1"))]}

numbers = itertools.count(1)


def rfc3339(text):
    """"09:00" of 2030-03-04 in Shanghai, "04-01 09:00" of that year."""
    day, _, clock = text.rpartition(" ")
    return "2030-%sT%s+08:00" % (day or "03-04",
                                 clock if len(clock) > 5 else clock + ":00")


class Park:
    """The plugin with its devices; the clock is ours."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.now = None

    def at(self, text):
        """Moves the clock, and does all that falls due on the way."""
        then = int(datetime.datetime.fromisoformat(
            rfc3339(text)).timestamp())
        if self.now is None:
            self.daemon.linli_ok("clock", "set", rfc3339(text))
        else:
            self.advance(then - self.now)
        self.now = then

    def advance(self, seconds):
        """By so much; none waits for what is due by now."""
        self.daemon.linli_ok("clock", "advance", "%ds" % seconds)
        self.now += seconds

    def device(self, name, path, body=None, method="GET"):
        """A signed request of a device, a success; its body."""
        answer = Device(self.daemon, name, plugin="parking").send(
            path, body, method, ts=self.now)
        assert 200 <= answer.status < 300, answer
        return answer.json

    def told(self, name, path):
        """The data of a feed's events."""
        page = self.device(name, path + "?after=0&wait=0")
        return [item["data"] for item in page["items"]]

    def seen(self, kind, plate, text):
        """A car at the entry or the exit, at that time."""
        self.at(text)
        gate = {"entry": "g1", "exit": "g2"}[kind]
        return self.device("camera-" + gate, "/gates/%s/events" % gate, {
            "event_id": "e%d" % next(numbers), "kind": kind, "plate": plate,
            "captured_at": rfc3339(text)}, "POST")

    def enter(self, plate, text):
        """A car at the entry."""
        return self.seen("entry", plate, text)

    def exit(self, plate, text):
        """A car at the exit."""
        return self.seen("exit", plate, text)

    def ask(self, method, path, body=None, as_=WANG):
        """A person's request; an Answer."""
        key = None if method == "GET" else "key-%d" % next(numbers)
        return self.daemon.call("parking", path, body, method, as_=as_,
                                key=key)

    def ok(self, method, path, body=None, as_=WANG):
        """The same, a success; its body."""
        answer = self.ask(method, path, body, as_)
        assert 200 <= answer.status < 300, answer
        return answer.json

    def refused(self, code, method, path, body=None, as_=WANG):
        """The same, with that problem."""
        tap.equal(self.ask(method, path, body, as_).code, code, path)

    def quote(self, session_id, as_=WANG, **body):
        """What leaving now costs."""
        return self.ok("POST", "/sessions/%s/quote" % session_id, body, as_)

    def ask_to_pay(self, session_id, quote, as_=WANG):
        """A payment of a quote, pending."""
        return self.ok("POST", "/sessions/%s/payments" % session_id,
                       {"quote_id": quote["quote_id"], "channel": "wechat"},
                       as_)

    def paid(self, asked, *options):
        """The provider's notice."""
        self.daemon.linli_ok("trigger", "payment.paid", asked["payment_id"],
                             *options)
        self.advance(0)

    def pay(self, session_id, text, as_=WANG):
        """Quotes and pays a stay."""
        self.at(text)
        self.paid(self.ask_to_pay(session_id, self.quote(session_id, as_),
                                  as_))

    def objects(self, who, method="POST"):
        """A resident lets parking not near them; DELETE: again."""
        answer = self.daemon.http(
            method, "/v1/c/demo/me/objections", {
                "plugin": "parking", "objection": "block"},
            key="objection-%d" % next(numbers), as_=who)
        tap.equal(answer.status, 200, answer)

    def session(self, session_id):
        """A session as the operator sees it."""
        return self.ok("GET", "/sessions/" + session_id, as_=OPERATOR)

    def metered(self, meter):
        """What a meter has counted."""
        usage = self.daemon.linli_ok("usage", "--json").json
        return sum(int(item["quantity"]) for item in usage["totals"]
                   if item["meter"] == meter)

    def messages(self, to):
        """What the notify simulator has brought to a resident."""
        page = self.daemon.http(
            "GET", "/v1/dev/sim/messages?to=" + to, headers={
                "Authorization": "Bearer " + self.daemon.ready["admin_token"]}).json
        return [(m["at"][:16], m["text"]) for m in page["items"]
                if m["accepted"]]


@contextlib.contextmanager
def parking(**options):
    """A daemon at 09:00 with the plugin and two households."""
    with Daemon(options=["--clock=virtual"], **options) as d:
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


# -- stays -----------------------------------------------------------------

def test_pays_dawdles_and_pays_again():
    with parking() as park:
        sid = park.enter(CAR, "09:00")["session_id"]
        park.at("10:40")
        quote = park.quote(sid)
        expect(quote, due_fen=900, expires_at=rfc3339("10:45"))
        asked = park.ask_to_pay(sid, quote)
        expect(asked, amount_fen=900, session_id=sid)
        assert asked["pay_params"], asked
        expect(park.session(sid), state="inside")
        park.paid(asked, "--times", "5")
        expect(park.session(sid), state="paid", paid_fen=900,
               leave_before=rfc3339("10:55"))
        park.at("10:55:01")
        expect(park.session(sid), state="inside")
        expect(park.exit(CAR, "11:10"), action="hold", due_fen=200)
        park.pay(sid, "11:12")
        tap.equal([(c["command"], c["reason"])
                   for c in park.told("camera-g2", "/gates/g2/commands")],
                  [("open", "paid")])
        expect(park.exit(CAR, "11:27"), action="open", reason="left")
        expect(park.session(sid), state="left", paid_fen=1100)
        tap.equal(park.metered("parking.gmv_fen"), 1100)


def test_wrong_amount_pays_nothing_and_a_late_notice_neither():
    with parking() as park:
        sid = park.enter(CAR, "09:00")["session_id"]
        park.at("10:40")
        asked = park.ask_to_pay(sid, park.quote(sid))
        park.daemon.linli("trigger", "payment.paid", asked["payment_id"],
                          "--amount", "1")
        expect(park.session(sid), state="inside", paid_fen=0)
        late = park.ask_to_pay(sid, park.quote(sid))
        park.at("10:45")
        park.daemon.linli("trigger", "payment.paid", late["payment_id"])
        expect(park.session(sid), state="inside", paid_fen=0)


def test_coupons_and_who_may_pay():
    with parking() as park:
        ids = park.ok("POST", "/coupons/issue", {
            "kind": "time", "minutes": 60, "reason": "消费满百"},
            OPERATOR)["coupon_ids"]
        sid = park.enter(CAR, "09:00")["session_id"]
        park.at("10:40")
        quote = park.quote(sid, coupon_ids=ids)
        expect(quote, due_fen=500)
        park.refused("parking/session-not-found", "POST",
                     "/sessions/%s/payments" % sid,
                     {"quote_id": quote["quote_id"]}, LI)
        park.ask_to_pay(sid, quote)
        park.refused("parking/coupon-used", "POST",
                     "/sessions/%s/quote" % sid, {"coupon_ids": ids})
        park.at("10:45")
        quote = park.quote(sid, coupon_ids=ids)
        park.paid(park.ask_to_pay(sid, quote))
        expect(park.exit(CAR, "10:50"), action="open")
        park.refused("parking/not-a-merchant", "POST", "/coupons/issue", {
            "kind": "time", "minutes": 60, "reason": "x"}, CAFE)


def test_arrears_are_paid():
    with parking() as park:
        sid = park.enter(CAR, "09:00")["session_id"]
        park.at("14:00")
        park.device("camera-g2", "/gates/g2/replay", {"events": [
            {"event_id": "x1", "kind": "exit", "plate": CAR,
             "captured_at": rfc3339("10:40")}]}, "POST")
        park.pay(sid, "15:00")
        debt, = park.ok("GET", "/arrears?plate=" + urllib.parse.quote(CAR))[
            "items"]
        expect(debt, state="paid", amount_fen=900)


def test_a_debt_is_what_the_stay_cost():
    """Asked for at 10:00, accepted after an exit at 10:40 was told."""
    with parking() as park:
        sid = park.enter(CAR, "09:00")["session_id"]
        park.at("10:00")
        asked = park.ask_to_pay(sid, park.quote(sid))
        park.at("10:04")
        park.device("camera-g2", "/gates/g2/replay", {"events": [
            {"event_id": "x1", "kind": "exit", "plate": CAR,
             "captured_at": rfc3339("10:40")}]}, "POST")
        park.paid(asked)
        where = "/arrears?plate=" + urllib.parse.quote(CAR)
        debt, = park.ok("GET", where)["items"]
        expect(debt, state="owed", amount_fen=400)
        park.pay(sid, "11:00")
        debt, = park.ok("GET", where)["items"]
        expect(debt, state="paid")
        tap.equal(park.metered("parking.gmv_fen"), 900)


def test_a_coupon_counts_once_and_buys_no_grace():
    with parking() as park:
        coupon, = park.ok("POST", "/coupons/issue", {
            "kind": "money", "amount_fen": 300, "reason": "消费满百"},
            OPERATOR)["coupon_ids"]
        sid = park.enter(CAR, "09:00")["session_id"]
        where = "/sessions/%s/payments" % sid
        park.at("09:29")
        quote = park.quote(sid, coupon_ids=[coupon])
        park.refused("parking/nothing-due", "POST", where,
                     {"quote_id": quote["quote_id"]})
        park.at("10:40")
        quote = park.quote(sid, coupon_ids=[coupon])
        expect(quote, due_fen=600)
        made_up = quote["quote_id"].replace(".600.", ".300.") + "." + coupon
        park.refused("parking/coupon-used", "POST", where,
                     {"quote_id": made_up})


def test_a_paid_car_goes_though_the_plugin_hangs():
    """The gate is answered by the fallback; the stay ends when the plugin is
    back, as paid."""
    with parking() as park:
        sid = park.enter(CAR, "09:00")["session_id"]
        park.pay(sid, "10:40")
        for pid in park.daemon.workers():
            os.kill(pid, signal.SIGSTOP)
        expect(park.exit(CAR, "10:45"), action="open", reason="fallback")
        for pid in park.daemon.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        park.advance(2)
        wait_until(lambda: park.session(sid)["state"] == "left", 20.0, 0.1)
        expect(park.session(sid), left_at=rfc3339("10:45"), paid_fen=900)
        tap.equal(park.ok("GET", "/arrears?plate="
                          + urllib.parse.quote(CAR))["items"], [])


# -- passes ----------------------------------------------------------------

def test_a_pass_ends_mid_stay_and_its_reminders_go_once():
    with parking() as park:
        bought = park.ok("POST", "/passes", {
            "product_id": "monthly", "plates": [CAR, SECOND],
            "starts_on": "2030-03-04"})
        expect(bought, state="unpaid", ends_on="2030-04-04",
               amount_fen=30000)
        park.paid(bought)
        first = park.enter(CAR, "09:10")["session_id"]
        second = park.enter(SECOND, "09:20")["session_id"]
        expect(park.session(first), pass_id=bought["id"])
        expect(park.session(second), pass_id=None)
        expect(park.exit(CAR, "11:00"), action="open", due_fen=0)
        expect(park.exit(SECOND, "11:00"), action="hold", due_fen=900)
        park.at("03-28 08:59")
        tap.equal(park.messages("wang"), [])
        park.at("03-28 09:00")
        park.daemon.stop()
        park.daemon.restart()
        park.at("04-03 12:00")
        tap.equal([at for at, _ in park.messages("wang")],
                  ["2030-03-28T01:00", "2030-04-03T01:00"])
        park.enter(CAR, "04-03 22:00")
        expect(park.exit(CAR, "04-04 01:10"), action="hold", due_fen=700)
        tap.equal(park.metered("parking.pass_month"), 2)


def test_a_pass_begins_mid_stay():
    with parking() as park:
        park.paid(park.ok("POST", "/passes", {
            "product_id": "monthly", "plates": [CAR],
            "starts_on": "2030-03-05"}))
        sid = park.enter(CAR, "22:00")["session_id"]
        park.at("23:40")
        expect(park.quote(sid), due_fen=900)
        park.at("03-05 00:00:01")
        expect(park.quote(sid), due_fen=0)
        expect(park.exit(CAR, "03-07 09:00"), action="open", due_fen=0)
        park.refused("parking/time-invalid", "POST", "/passes", {
            "product_id": "monthly", "plates": [CAR],
            "starts_on": "9999-12-31"})


# -- shared spaces ---------------------------------------------------------

def test_a_shared_space_is_booked_and_overstayed():
    with parking() as park:
        share = park.ok("POST", "/shares", {
            "space_id": "A01", "from": rfc3339("10:00"),
            "to": rfc3339("20:00"), "price_fen_per_hour": 333,
            "audience": "residents"})
        where = "/shares/%s/bookings" % share["id"]
        window = {"from": rfc3339("10:00"), "to": rfc3339("12:00"),
                  "plate": OTHER}
        lapsed = park.ok("POST", where, window, LI)
        park.refused("parking/space-taken", "POST", where, window, LI)
        park.at("09:06")
        expect(park.ok("GET", "/bookings/" + lapsed["id"], as_=LI),
               state="expired")
        booking = park.ok("POST", where, window, LI)
        expect(booking, amount_fen=666, pay_by=rfc3339("09:12"))
        park.paid(booking)
        path = "/bookings/" + booking["id"]
        park.refused("parking/share-booked", "DELETE",
                     "/shares/" + share["id"])
        park.at("10:00")
        expect(park.ok("POST", path + "/arrive", {}, LI), state="parking")
        tap.equal([c["command"] for c in
                   park.told("lock-a01", "/spaces/A01/commands")], ["open"])
        park.at("12:00:01")
        left = park.ok("POST", path + "/leave", {}, LI)
        expect(left, state="overdue_unpaid", base_fen=666, overdue_fen=666,
               owner_fen=932, operator_fen=400)
        later = dict(window, **{"from": rfc3339("15:00"),
                                "to": rfc3339("16:00")})
        park.refused("parking/overdue-unpaid", "POST", where, later, LI)
        park.paid(park.ok("POST", path + "/payments", {}, LI))
        expect(park.ok("GET", path, as_=LI), state="overdue_paid")
        park.ok("POST", where, later, LI)
        settled, = park.ok("GET", "/settlements")["items"]
        expect(settled, owner_fen=932, operator_fen=400)
        tap.equal(len(park.messages("li")), 1, "told of the end")
        tap.equal(park.metered("parking.share_booking"), 1)


def test_sharers_telephone_by_relays():
    """P47: each gets a number for the other, while the space is shared."""
    with parking() as park:
        share = park.ok("POST", "/shares", {
            "space_id": "A01", "from": rfc3339("10:00"),
            "to": rfc3339("20:00"), "price_fen_per_hour": 333,
            "audience": "residents"})
        where = "/shares/%s/bookings" % share["id"]
        booking = park.ok("POST", where, {
            "from": rfc3339("10:00"), "to": rfc3339("12:00"),
            "plate": OTHER}, LI)
        path = "/bookings/" + booking["id"]

        def relays():
            """What the owner and the driver see of each other."""
            owner = park.ok("GET", path)
            driver = park.ok("GET", path, as_=LI)
            expect(owner, plate=None, plate_masked="沪B***90",
                   owner_relay=None, open_code=None)
            expect(driver, driver_relay=None)
            return owner.get("driver_relay"), driver.get("owner_relay")

        tap.equal(relays(), (None, None), "before it is paid")
        park.paid(booking)
        of_driver, of_owner = relays()
        for number in (of_driver, of_owner):
            assert number.startswith("95013") and len(number) == 13, number
        tap.equal(of_driver == of_owner, False)
        tap.equal(relays(), (of_driver, of_owner), "the same each time")
        # Nobody else: not the operator, nor one who has no part in it.
        expect(park.ok("GET", path, as_=OPERATOR), driver_relay=None,
               owner_relay=None)
        park.refused("parking/booking-unknown", "GET", path,
                     as_="resident:zhou")
        park.objects(LI)
        tap.equal(relays(), (None, of_owner), "the driver objects")
        park.objects(LI, "DELETE")
        tap.equal(relays(), (of_driver, of_owner))
        park.objects(WANG)
        tap.equal(relays(), (of_driver, None), "the owner objects")
        park.objects(WANG, "DELETE")
        park.at("10:00")
        park.ok("POST", path + "/arrive", {}, LI)
        tap.equal(relays(), (of_driver, of_owner), "while it parks")
        park.at("11:00")
        park.ok("POST", path + "/leave", {}, LI)
        tap.equal(relays(), (None, None), "after")


def test_a_cancelled_booking_goes_back():
    with parking() as park:
        share = park.ok("POST", "/shares", {
            "space_id": "A01", "from": rfc3339("10:00"),
            "to": rfc3339("20:00"), "price_fen_per_hour": 500,
            "audience": "residents"})
        booking = park.ok("POST", "/shares/%s/bookings" % share["id"], {
            "from": rfc3339("10:00"), "to": rfc3339("12:00"),
            "plate": OTHER}, LI)
        park.paid(booking)
        expect(park.ok("POST", "/bookings/%s/cancel" % booking["id"], {},
                       LI), state="cancelled", refunded_fen=1000)
        tap.equal(park.ask("DELETE", "/shares/" + share["id"]).status, 204)


def test_a_booking_pays_for_the_stay_that_it_is_for():
    with parking() as park:
        share = park.ok("POST", "/shares", {
            "space_id": "A01", "from": rfc3339("10:00"),
            "to": rfc3339("20:00"), "price_fen_per_hour": 500,
            "audience": "residents"})
        where = "/shares/%s/bookings" % share["id"]
        window = {"from": rfc3339("10:00"), "to": rfc3339("12:00"),
                  "plate": OTHER}
        booking = park.ok("POST", where, window, LI)
        park.paid(booking)
        park.enter(OTHER, "09:50")
        park.ok("POST", "/bookings/%s/cancel" % booking["id"], {}, LI)
        again = park.ok("POST", where, window, LI)
        park.paid(again)
        expect(park.exit(OTHER, "11:30"), action="hold", due_fen=900)
        park.ok("POST", "/gates/g2/open", {"reason": "试"}, OPERATOR)
        sid, = [s["id"] for s in park.ok(
            "GET", "/sessions?state=inside", as_=LI)["items"]]
        park.pay(sid, "11:31", LI)
        expect(park.exit(OTHER, "11:32"), action="open")
        park.enter(OTHER, "11:40")
        park.at("12:00")
        expect(park.ok("GET", "/bookings/" + again["id"], as_=LI),
               state="parking")
        tap.equal(len(park.messages("li")), 1, "told of the end")
        expect(park.exit(OTHER, "12:00:01"), action="open", due_fen=0)
        expect(park.ok("GET", "/bookings/" + again["id"], as_=LI),
               state="overdue_unpaid", overdue_fen=1000)


def test_a_visitor_overstays():
    """Nobody the community's directory knows: the operator is told."""
    with parking() as park:
        share = park.ok("POST", "/shares", {
            "space_id": "A01", "from": rfc3339("10:00"),
            "to": rfc3339("20:00"), "price_fen_per_hour": 500,
            "audience": "public"})
        guest = "resident:guest"
        booking = park.ok("POST", "/shares/%s/bookings" % share["id"], {
            "from": rfc3339("10:00"), "to": rfc3339("12:00"),
            "plate": "沪G00001"}, guest)
        park.paid(booking)
        park.at("10:00")
        path = "/bookings/" + booking["id"]
        park.ok("POST", path + "/arrive", {}, guest)
        park.at("12:30")
        tap.equal([a["kind"] for a in park.ok(
            "GET", "/anomalies", as_=OPERATOR)["items"]], ["share_overstay"])
        park.refused("parking/overdue-unpaid", "POST",
                     "/shares/%s/bookings" % share["id"], {
                         "from": rfc3339("15:00"), "to": rfc3339("16:00"),
                         "plate": "沪G00001"}, guest)
        expect(park.ok("POST", path + "/leave", {}, guest),
               state="overdue_unpaid", overdue_fen=1000)


# -- signs -----------------------------------------------------------------

def test_signs_are_told_of_free_spaces():
    with parking() as park:
        park.enter(CAR, "09:00:01")
        park.enter(OTHER, "09:00:02")
        park.at("09:00:10")
        tap.equal([e["free"] for e in
                   park.told("sign-p1", "/lots/p1/board")], [8])


if __name__ == "__main__":
    tap.main()
