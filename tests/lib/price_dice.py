"""tests/lib/price_dice.py: random plans, and what happened to them.

`cases(seed, count)` yields cases of the format of spec/vectors/pricing.json:
every kind, tiers, discounts, taxes, trials, anchors, zones with historic
offsets, proration, changes, late use. The same seed yields the same.
"""

import datetime
import random

import price_model as model

ZONES = ("Asia/Shanghai", "Asia/Shanghai", "America/New_York",
         "America/Sao_Paulo", "Pacific/Apia", "America/St_Johns",
         "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/London",
         "Africa/Cairo", "America/Havana", "UTC")
KINDS = ("flat", "unit", "graduated", "volume", "package", "percentage",
         "graduated_percentage", "commit")


def text(ms):
    """An instant as RFC 3339 in UTC."""
    when = datetime.datetime(1970, 1, 1, tzinfo=model.UTC) \
        + datetime.timedelta(milliseconds=ms)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (ms % 1000)


class Dice:
    """One generator of cases."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def chance(self, one_in):
        return self.r.randrange(one_in) == 0

    def decimal(self, most):
        """Decimal text with up to six decimals; round numbers often."""
        whole = self.r.choice((0, 1, 2, 5, self.r.randrange(most + 1)))
        places = self.r.choice((0, 0, 0, 1, 2, 4, 6))
        if places == 0:
            return str(whole)
        return "%d.%0*d" % (whole, places, self.r.randrange(10 ** places))

    def fen(self, most=100000):
        return self.r.choice((0, 1, 99, self.r.randrange(most),
                              self.r.randrange(most)))

    def bp(self):
        return self.r.choice((0, 1, 333, 600, 825, 1000, 2500, 5000, 10000,
                              self.r.randrange(10001)))

    # -- plans

    def bounds(self, count, whole):
        """Rising bounds, then None."""
        found = set()
        while len(found) < count - 1:
            n = self.r.choice((5, 10, 100, self.r.randrange(1, 1000)))
            found.add(n if whole or not self.chance(4) else n + 0.5)
        return [("%g" % n) if not whole else n for n in sorted(found)] + [None]

    def tiers(self, money):
        count = self.r.randrange(1, 5)
        if money:
            return [{"up_to_fen": b if b is None else b * 100,
                     "rate_bp": self.bp(), "flat_fen": self.fen(500)}
                    for b in self.bounds(count, True)]
        return [{"up_to": b, "unit_fen": self.decimal(300),
                 "flat_fen": self.r.choice((0, 0, self.fen(5000)))}
                for b in self.bounds(count, False)]

    def charge(self, name, taxed):
        kind = self.r.choice(KINDS)
        c = {"id": name, "kind": kind}
        if kind != "flat":
            c["meter"] = "m" + name
        if kind == "flat":
            c["amount_fen"] = self.fen()
            if self.chance(3):
                c["per"] = self.r.choice(("seat", "household"))
        elif kind == "unit":
            c["unit_fen"] = self.decimal(300)
        elif kind in ("graduated", "volume"):
            c["tiers"] = self.tiers(False)
        elif kind == "graduated_percentage":
            c["tiers"] = self.tiers(True)
        elif kind == "package":
            c["size"] = self.r.choice(("1", "20", "0.5", "7", "0.000001"))
            c["package_fen"] = self.fen(2000)
        elif kind == "percentage":
            c["rate_bp"] = self.bp()
            for member, value in (("fixed_fen", self.fen(100)),
                                  ("free_events", self.r.randrange(4)),
                                  ("free_amount_fen", self.fen(50000))):
                if self.chance(2):
                    c[member] = value
        else:
            c["unit_fen"] = self.decimal(300)
            c["commit_qty"] = self.decimal(300)
            if self.chance(2):
                c["overage_bp"] = self.r.choice((0, 5000, 15000, 20000))
            if self.chance(2):
                c["true_up"] = True
        self.common(c, taxed)
        return c

    def common(self, c, taxed):
        if self.chance(4) and c["kind"] != "flat":
            c["included"] = "10" if "percentage" in c["kind"] \
                else self.decimal(50)
        if self.chance(5):
            c["line_discount_bp"] = self.bp()
        if self.chance(5):
            c["max_fen"] = self.fen(20000)
        if self.chance(4):
            c["min_fen"] = min(self.fen(20000), c.get("max_fen", 10 ** 9))
        if taxed and self.chance(5):
            c["tax_bp"] = self.bp()

    def plan(self):
        mode = self.r.choice(("none", "inclusive", "exclusive"))
        plan = {"currency": "CNY", "tz": self.r.choice(ZONES),
                "interval": self.r.choice(("month", "month", "quarter",
                                           "year")),
                "anchor": self.r.choice(("calendar", "anniversary")),
                "tax": {"mode": mode}}
        if mode != "none":
            plan["tax"]["rate_bp"] = self.bp()
        if self.chance(4):
            plan["trial_days"] = self.r.randrange(40)
        plan["charges"] = [self.charge("c%d" % i, mode != "none")
                           for i in range(self.r.randrange(1, 5))]
        if self.chance(2):
            plan["discounts"] = [
                dict({"id": "d%d" % i},
                     **({"amount_fen": self.fen(20000)} if self.chance(2)
                        else {"percent_bp": self.bp()}))
                for i in range(self.r.randrange(1, 4))]
        return plan

    # -- what happened

    def quantity(self):
        """Bounds of tiers often, as they are where mistakes are."""
        return self.r.choice(("0", "5", "10", "20", "100", "100.000001",
                              self.decimal(2000), self.decimal(2000)))

    def money(self):
        return [self.fen(60000) for _ in range(self.r.randrange(6))]

    def period(self, plan):
        """A period of the plan, and its bounds in ms."""
        start = datetime.date(self.r.randrange(1916, 2032),
                              self.r.randrange(1, 13), 1) \
            + datetime.timedelta(self.r.choice((0, 27, 28, 29, 30,
                                                self.r.randrange(31))))
        first, last = model.periods(plan, start, 4)[self.r.randrange(4)]
        low = model.midnight(plan["tz"], first) * 1000
        high = model.midnight(plan["tz"], last) * 1000
        return low, high

    def inside(self, low, high, tz):
        """An instant of a period: at a midnight often."""
        at = self.r.randrange(low, high)
        if self.chance(2):
            at = model.midnight(tz, model.day_of(tz, at)) * 1000
        return max(low, at)

    def use(self, plan):
        given = {"quantities": {}}
        for c in plan["charges"]:
            if c["kind"] == "flat":
                if "per" in c and self.chance(2):
                    given["quantities"][c["id"]] = str(self.r.randrange(40))
            elif "percentage" in c["kind"]:
                given.setdefault("amount_events", {})[c["meter"]] = \
                    self.money()
            elif self.chance(5):
                given.setdefault("pooled", {})[c["meter"]] = {
                    "r%d" % i: self.quantity() for i in range(3)}
            else:
                given["quantities"][c["meter"]] = self.quantity()
        return given

    def events(self, plan, low, high):
        """Deliveries near the bounds; some twice, some changed."""
        meters = [c["meter"] for c in plan["charges"]
                  if c["kind"] not in ("flat", "percentage",
                                       "graduated_percentage")]
        found = []
        for i in range(self.r.randrange(12)):
            if not meters:
                break
            at = self.r.choice((low, high)) + self.r.choice(
                (-1, 0, 1, -86400000, 3600000, 86400000))
            found.append({"source": "s%d" % self.r.randrange(2),
                          "id": "e%d" % self.r.randrange(6),
                          "meter": self.r.choice(meters),
                          "qty": self.decimal(30), "time": text(at)})
            if self.chance(3):
                found.append(dict(found[-1]))
        return found

    def purse(self, given):
        if self.chance(2):
            given["credit_note_balance_fen"] = self.fen(30000)
        given["wallet"] = [
            {"id": "g%d" % i, "priority": self.r.randrange(3),
             "amount_fen": self.fen(30000),
             "expires": self.r.choice((None, "2100-01-01", "2100-02-01",
                                       "2099-12-31"))}
            for i in range(self.r.randrange(5))]

    def special(self, plan, low, high):
        """Something that speaks of one charge."""
        c, tz = self.r.choice(plan["charges"]), plan["tz"]
        at = text(self.inside(low, high, tz))
        what = self.r.randrange(6)
        if what == 0 and c["kind"] == "flat":
            return {"change": {"at": at, "charge": c["id"],
                               "old_quantity": self.r.randrange(40),
                               "new_quantity": self.r.randrange(40)}}
        if what in (0, 1):
            return {"change": {"at": at, "charge": c["id"],
                               "old_fen": self.fen(), "new_fen": self.fen()}}
        if what == 2:
            return {"terminate_refund": {"at": at, "charge": c["id"],
                                         "billed_fen": self.fen()}}
        whole = "percentage" in c["kind"] or c["kind"] == "flat"

        def quantity():
            return str(self.r.randrange(3000)) if whole else self.quantity()

        if what == 3:
            return {"progressive": {"charge": c["id"], "quantity": quantity(),
                                    "billed_quantity": quantity()}}
        if what == 4:
            known = ["2025-0%d" % i for i in range(1, 5)]
            return {"late": {
                "charge": c["id"], "current_quantity": quantity(),
                "billed": [{"period": p, "quantity": quantity()}
                           for p in known[:self.r.randrange(4)]],
                "now": [{"period": p, "quantity": quantity()}
                        for p in known[:self.r.randrange(4)]]}}
        return {"segments": [
            {"plan_charge": dict(self.charge(c["id"], False)),
             "quantity": str(self.r.randrange(1500))}
            for _ in range(self.r.randrange(1, 4))]}

    def share(self):
        terms = {"base_fen": self.fen(), "platform_bp": self.r.randrange(7000),
                 "channel_bp": self.r.randrange(3000)}
        if self.chance(2):
            return {"share": dict(terms, platform_fixed_fen=self.fen(50))}
        left, refunds = terms["base_fen"], []
        for _ in range(self.r.randrange(5)):
            refunds.append(self.r.randrange(left + 1))
            left -= refunds[-1]
        if self.chance(2):
            refunds.append(left)
        return {"share_refunds": dict(terms, refunds_fen=refunds)}

    def attempts(self, plan):
        """A plan with a limit or a balance, and calls against it."""
        c = {"id": "c", "kind": self.r.choice(("unit", "graduated", "volume",
                                               "package")),
             "meter": "m", "unit_fen": self.decimal(50),
             "tiers": self.tiers(False), "size": "3", "package_fen": 10}
        for member in {"unit": ("tiers", "size", "package_fen"),
                       "package": ("tiers", "unit_fen")}.get(
                           c["kind"], ("unit_fen", "size", "package_fen")):
            del c[member]
        plan["charges"] = [c]
        plan.pop("trial_days", None)
        if self.chance(2):
            plan["wallet_mode"] = "credit_only"
        plan["limits"] = [{"meter": "m", "kind": self.r.choice(("hard",
                                                                "soft")),
                           "max": str(self.r.randrange(1, 60)),
                           "alerts_bp": [5000, 8000, 10000]}]
        given = {"attempts": {"m": {"workers": self.r.randrange(1, 5),
                                    "each": self.r.randrange(20),
                                    "qty": self.r.choice(("1", "2", "0.5",
                                                          "1.3"))}}}
        self.purse(given)
        return given

    def listing(self, plan, low):
        del plan["charges"][1:]
        return {"start": text(low + self.r.randrange(10 ** 10)),
                "list_periods": self.r.randrange(1, 30)}

    def case(self):
        plan, what = self.plan(), self.r.randrange(12)
        low, high = self.period(plan)
        one = {"plan": plan, "period": {"from": text(low), "to": text(high)}}
        if what == 0:
            one["input"] = self.share()
        elif what == 1:
            one["input"], one["period"] = self.listing(plan, low), None
        elif what == 2:
            one["input"] = self.attempts(plan)
        elif what in (3, 4, 5):
            one["input"] = self.special(plan, low, high)
        else:
            one["input"] = given = self.use(plan)
            if self.chance(3):
                given["events"] = self.events(plan, low, high)
            if self.chance(2):
                given["start"] = text(self.inside(low, high, plan["tz"]))
            if self.chance(4):
                end = self.inside(low, high, plan["tz"])
                if end > model.instant(given.get("start", text(low - 1))):
                    given["end"] = text(end)
            if self.chance(3):
                self.purse(given)
            if self.chance(8):
                given["reverse_all"] = True
        return one


def cases(seed, count):
    """The cases of a seed."""
    dice = Dice(seed)
    return [dice.case() for _ in range(count)]
