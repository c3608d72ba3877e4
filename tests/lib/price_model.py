"""tests/lib/price_model.py: what a pricing case comes to, in exact rationals.

Written from spec/pricing.md and the conventions of spec/vectors/pricing.json,
not from the engine: fractions instead of 128 bits, zoneinfo instead of the
runtime's zones, one function a rule. `expected(case)` is the answer.
"""

import datetime
import functools
import math
import zoneinfo
from fractions import Fraction

BP = 10000
UTC = datetime.timezone.utc
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def rounded(x):
    """Half away from zero."""
    whole = math.floor(abs(x) + Fraction(1, 2))
    return whole if x >= 0 else -whole


def ceiling(x):
    """For admission."""
    return math.ceil(x)


# -- days ----------------------------------------------------------------------

def instant(text):
    """Seconds since 1970 of RFC 3339, as a fraction of milliseconds."""
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    gone = when - datetime.datetime(1970, 1, 1, tzinfo=UTC)
    return (gone.days * 86400 + gone.seconds) * 1000 \
        + gone.microseconds // 1000


EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def clock(tz, second):
    """What a clock shows."""
    when = EPOCH + datetime.timedelta(seconds=second)
    return when.astimezone(zoneinfo.ZoneInfo(tz))


def local_date(tz, second):
    """The date that a clock shows."""
    return clock(tz, second).date()


@functools.lru_cache(maxsize=None)
def midnight(tz, date):
    """The first second at which the clock shows this date or a later one."""
    utc = (date - datetime.date(1970, 1, 1)).days * 86400
    low, high = utc - 30 * 3600, utc + 30 * 3600
    offsets = {clock(tz, at).utcoffset()
               for at in range(low, high + 1, 6 * 3600)}
    if len(offsets) == 1:  # the clock is not set around it
        return utc - int(offsets.pop().total_seconds())
    while local_date(tz, low) < date:
        low += 60
    return next(second for second in range(low - 60, low + 1)
                if local_date(tz, second) >= date)


def day_of(tz, ms):
    """The date whose day holds the instant: the latest that has begun."""
    second = ms // 1000
    date = local_date(tz, second) - datetime.timedelta(days=1)
    while midnight(tz, date + datetime.timedelta(days=1)) * 1000 <= ms:
        date += datetime.timedelta(days=1)
    return date


def day_end(tz, ms):
    """The date before which it has ended."""
    date = day_of(tz, ms)
    if midnight(tz, date) * 1000 == ms:
        return date
    return date + datetime.timedelta(days=1)


def add_months(date, months):
    """The same day of another month, or that month's last."""
    n = date.year * 12 + date.month - 1 + months
    year, month = divmod(n, 12)
    for day in range(date.day, 0, -1):
        try:
            return datetime.date(year, month + 1, day)
        except ValueError:
            pass
    raise AssertionError


def periods(plan, start, count):
    """[(from, to)] of dates, the first holds the start."""
    step = MONTHS[plan["interval"]]
    if plan["anchor"] == "calendar":
        start = datetime.date(start.year, (start.month - 1) // step * step + 1,
                              1)
    return [(add_months(start, i * step), add_months(start, (i + 1) * step))
            for i in range(count)]


# -- charges -------------------------------------------------------------------

def tiers_of(charge):
    """[(low, high or None, tier, number)]."""
    low, found = Fraction(0), []
    for number, tier in enumerate(charge["tiers"], 1):
        bound = tier["up_to" if "up_to" in tier else "up_to_fen"]
        high = None if bound is None else Fraction(bound)
        found.append((low, high, tier, number))
        low = high
    return found


def base_lines(charge, q, amounts, share):
    """{key: exact amount} before what the charge itself adjusts."""
    c, kind, name = charge, charge["kind"], charge["id"]
    q = max(Fraction(0), q - Fraction(c.get("included", 0)))
    if kind == "flat":
        return {name + ":fee": c["amount_fen"] * q * share}
    if kind == "unit":
        return {name + ":usage": q * Fraction(c["unit_fen"])}
    if kind == "package":
        return {name + ":usage": math.ceil(q / Fraction(c["size"]))
                * Fraction(c["package_fen"])}
    if kind == "commit":
        price, least = Fraction(c["unit_fen"]), Fraction(c["commit_qty"])
        over = max(Fraction(0), q - least)
        lines = {name + ":commit": min(q, least) * price,
                 name + ":overage":
                 over * price * Fraction(c.get("overage_bp", BP), BP)}
        if c.get("true_up"):
            lines[name + ":trueup"] = max(Fraction(0), least - q) * price
        return lines
    if kind == "percentage":
        return percentage(c, amounts)
    if kind == "graduated_percentage":
        q = max(Fraction(0), sum(amounts) - Fraction(c.get("included", 0)))
    lines = {}
    for low, high, tier, n in tiers_of(c):
        above = q > low or n == 1
        inside = min(q, high) - low if high is not None else q - low
        last = high is None or q <= high
        if kind == "volume":
            if not (above and last):
                continue
            inside = q
        elif not above:
            continue
        key = "%s:t%d:" % (name, n)
        if kind == "graduated_percentage":
            lines[key + "pct"] = inside * Fraction(tier["rate_bp"], BP)
        else:
            lines[key + "unit"] = inside * Fraction(tier["unit_fen"])
        lines[key + "flat"] = Fraction(tier["flat_fen"])
    return lines


def percentage(c, amounts):
    """Free by number and by sum; the one that goes over pays for the rest."""
    events, money = c.get("free_events"), c.get("free_amount_fen")
    base, paying, sum_before = 0, 0, 0
    for i, fen in enumerate(amounts):
        free = 0
        if events is not None or money is not None:
            if events is None or i < events:
                free = fen if money is None \
                    else max(0, min(fen, money - sum_before))
        whole = free == fen and (events is None or i < events) \
            and (events is not None or money is not None) \
            and (money is None or sum_before + fen <= money)
        sum_before += fen
        base += fen - free
        paying += not whole
    base = max(Fraction(0), base - Fraction(c.get("included", 0)))
    return {c["id"] + ":pct": base * Fraction(c["rate_bp"], BP),
            c["id"] + ":fixed": Fraction(paying * c.get("fixed_fen", 0))}


def charge_lines(charge, q, amounts, share, to_fen=rounded):
    """{key: fen} of one charge, its own discount, maximum, minimum too."""
    name = charge["id"]
    lines = {k: to_fen(v)
             for k, v in base_lines(charge, q, amounts, share).items()}
    off = charge.get("line_discount_bp", 0)
    lines[name + ":discount"] = to_fen(-sum(lines.values())
                                       * Fraction(off, BP))
    if charge.get("max_fen") is not None:
        lines[name + ":max"] = min(0, charge["max_fen"] - sum(lines.values()))
    if charge.get("min_fen") is not None:
        least = rounded(charge["min_fen"] * share)
        lines[name + ":min"] = max(0, least - sum(lines.values()))
    return {k: v for k, v in lines.items() if v != 0}


# -- the invoice ----------------------------------------------------------------

def largest_remainder(total, weights):
    """Integer parts of a total; ties to the earlier."""
    exact = [Fraction(total * w, sum(weights)) for w in weights]
    parts = [math.floor(x) for x in exact]
    order = sorted(range(len(weights)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[:total - sum(parts)]:
        parts[i] += 1
    return parts


class Invoice:
    """Lines by key, and sums by charge in order of appearance."""

    def __init__(self, plan):
        self.plan, self.lines, self.sums, self.off = plan, {}, {}, {}
        self.tax_bp = {}

    def add(self, charge, lines, mark=""):
        name = charge["id"]
        self.sums[name] = self.sums.get(name, 0) + sum(lines.values())
        self.tax_bp.setdefault(name, charge.get(
            "tax_bp", self.plan.get("tax", {}).get("rate_bp", 0)))
        for key, fen in lines.items():
            if fen != 0:
                self.lines[key + mark] = fen

    def close(self):
        names = list(self.sums)
        self.off = {n: 0 for n in names}
        for d in self.plan.get("discounts", []):
            left = [self.sums[n] - self.off[n] for n in names]
            if sum(left) <= 0:
                continue
            fen = d.get("amount_fen")
            if fen is None:
                fen = rounded(Fraction(sum(left) * d["percent_bp"], BP))
            fen = min(fen, sum(left))
            parts = largest_remainder(fen, [max(0, x) for x in left])
            for n, part in zip(names, parts):
                self.off[n] += part
            if fen:
                self.lines["discount:" + d["id"]] = -fen
        mode = self.plan.get("tax", {}).get("mode", "none")
        self.tax, self.net = {}, {}
        for n in names:
            after, rate = self.sums[n] - self.off[n], Fraction(
                self.tax_bp[n], BP)
            if mode == "exclusive":
                self.net[n], self.tax[n] = after, rounded(after * rate)
            elif mode == "inclusive":
                self.net[n] = rounded(after / (1 + rate))
                self.tax[n] = after - self.net[n]
            else:
                self.net[n], self.tax[n] = after, 0
        self.total = sum(self.net.values()) + sum(self.tax.values())
        return self

    def answer(self, sign=1):
        shown = [n for n in self.sums if self.sums[n] != 0]
        return {"lines": {k: sign * v for k, v in self.lines.items()},
                "total_fen": sign * self.total,
                "net_fen": sign * sum(self.net.values()),
                "tax_fen": sign * sum(self.tax.values()),
                "line_tax_fen": {n: sign * self.tax[n] for n in shown},
                "discount_allocation_fen":
                {n: sign * self.off[n] for n in shown}}


# -- a case ----------------------------------------------------------------------

class Case:
    """One case, read."""

    def __init__(self, one):
        self.one, self.plan, self.given = one, one["plan"], one["input"]
        self.tz = self.plan.get("tz", "Asia/Shanghai")
        self.charges = {c["id"]: c for c in self.plan["charges"]}
        period = one.get("period")
        self.bounds = None if period is None else (
            instant(period["from"]), instant(period["to"]))
        self.share = self.days_share()
        self.used, self.amounts, self.extra = {}, {}, {}
        self.read_use()

    def dates(self):
        return tuple(day_of(self.tz, ms) for ms in self.bounds)

    def days_share(self):
        start, end = self.given.get("start"), self.given.get("end")
        if self.bounds is None or (start is None and end is None):
            return Fraction(1)
        first, last = self.dates()
        low, high = first, last
        if start is not None:
            low = max(low, day_of(self.tz, instant(start))
                      + datetime.timedelta(self.plan.get("trial_days", 0)))
        if end is not None:
            high = min(high, day_end(self.tz, instant(end)))
        return Fraction(max(0, (high - low).days), (last - first).days)

    def of_money(self, meter):
        kinds = {c["kind"] for c in self.charges.values()
                 if c.get("meter") == meter}
        return bool(kinds) and all(k.endswith("percentage") for k in kinds)

    def count(self, meter, quantity):
        if self.of_money(meter):
            self.amounts.setdefault(meter, []).append(int(Fraction(quantity)))
        else:
            self.used[meter] = self.used.get(meter, 0) + Fraction(quantity)

    def read_use(self):
        for meter, quantity in self.given.get("quantities", {}).items():
            self.count(meter, quantity)
        for meter, pool in self.given.get("pooled", {}).items():
            for quantity in pool.values():
                self.count(meter, quantity)
        for meter, money in self.given.get("amount_events", {}).items():
            self.amounts.setdefault(meter, []).extend(money)
        if "events" in self.given:
            self.read_events(self.given["events"])
        for meter, quantity in self.given.get("void", {}).items():
            self.used[meter] -= Fraction(quantity)

    def read_events(self, events):
        seen, self.extra = {}, {"accepted": 0, "duplicates": 0,
                                "conflicts": 0, "counted": []}
        for e in events:
            body = (e["meter"], Fraction(e["qty"]), instant(e["time"]))
            name = (e.get("source", ""), e["id"])
            if name in seen:
                self.extra["duplicates" if seen[name] == body
                           else "conflicts"] += 1
                continue
            seen[name] = body
            self.extra["accepted"] += 1
            if self.bounds and not (self.bounds[0] <= body[2]
                                    < self.bounds[1]):
                continue
            self.extra["counted"].append(e["id"])
            self.count(e["meter"], e["qty"])

    def quantity(self, charge):
        if charge["kind"] != "flat":
            return self.used.get(charge.get("meter"), Fraction(0))
        if "per" not in charge:
            return Fraction(1)
        for name in (charge.get("meter"), charge["id"], charge["per"]):
            if name in self.used:
                return self.used[name]
        return Fraction(1)

    def rate(self, invoice, done=(), to_fen=rounded):
        for c in self.charges.values():
            if c["id"] not in done:
                invoice.add(c, charge_lines(
                    c, self.quantity(c), self.amounts.get(c.get("meter"), []),
                    self.share, to_fen))

    def of(self, charge, quantity, share=None):
        """Lines of a charge by a quantity alone."""
        share = self.share if share is None else share
        if charge["kind"].endswith("percentage"):
            n = int(Fraction(quantity))
            return charge_lines(charge, 0, [n] if n else [], share)
        return charge_lines(charge, Fraction(quantity), [], share)


def minus(now, before):
    return {k: now.get(k, 0) - before.get(k, 0) for k in {**now, **before}}


def steps(case, invoice):
    """What the input says of single charges; their ids."""
    given, done = case.given, []
    if "change" in given:
        v = given["change"]
        c = case.charges[v["charge"]]
        first, last = case.dates()
        left = Fraction((last - day_of(case.tz, instant(v["at"]))).days,
                        (last - first).days)
        fees = [v.get(w + "_fen", c.get("amount_fen"))
                * Fraction(v.get(w + "_quantity", 1)) * left
                for w in ("old", "new")]
        invoice.add(c, {c["id"] + ":credit": -rounded(fees[0]),
                        c["id"] + ":charge": rounded(fees[1])})
        done.append(c["id"])
    if "terminate_refund" in given:
        v = given["terminate_refund"]
        c = case.charges[v["charge"]]
        first, last = case.dates()
        left = Fraction((last - day_end(case.tz, instant(v["at"]))).days,
                        (last - first).days)
        invoice.add(c, {c["id"] + ":credit": -rounded(v["billed_fen"] * left)})
        done.append(c["id"])
    if "progressive" in given:
        v = given["progressive"]
        c = case.charges[v["charge"]]
        invoice.add(c, minus(case.of(c, v["quantity"]),
                             case.of(c, v["billed_quantity"])))
        done.append(c["id"])
    if "late" in given:
        v = given["late"]
        c = case.charges[v["charge"]]
        was = {b["period"]: case.of(c, b["quantity"], Fraction(1))
               for b in v["billed"]}
        for now in v["now"]:
            invoice.add(c, minus(case.of(c, now["quantity"], Fraction(1)),
                                 was.get(now["period"], {})),
                        "@" + now["period"])
        invoice.add(c, case.of(c, v["current_quantity"]))
        done.append(c["id"])
    for number, v in enumerate(given.get("segments", []), 1):
        c = v["plan_charge"]
        invoice.add(c, case.of(c, v["quantity"]), "#%d" % number)
        done.append(c["id"])
    return done


def settle(given, total, zero_ms, tz):
    """due_fen and what reduces it."""
    due, answer = max(0, total), {}
    if "credit_note_balance_fen" in given:
        used = min(due, given["credit_note_balance_fen"])
        answer["credit_note_used_fen"] = used
        due -= used
    if "wallet" in given:
        far = datetime.date.max
        order = sorted(
            enumerate(given["wallet"]), key=lambda g: (
                g[1].get("priority", 0),
                datetime.date.fromisoformat(g[1]["expires"])
                if g[1].get("expires") else far, g[0]))
        answer["wallet_used"] = {}
        for _, grant in order:
            if grant.get("expires") and zero_ms is not None and midnight(
                    tz, datetime.date.fromisoformat(grant["expires"])
                    + datetime.timedelta(1)) * 1000 <= zero_ms:
                continue
            used = min(due, grant["amount_fen"])
            if used:
                answer["wallet_used"][grant["id"]] = used
            due -= used
    answer["due_fen"] = due
    if total < 0:
        answer["credit_balance_fen"] = -total
    return answer


def shares(given):
    """The parts of a base, and how refunds move them."""
    v = given.get("share") or given["share_refunds"]

    def parts(base):
        if base == 0:
            return 0, 0, 0
        platform = rounded(Fraction(base * v["platform_bp"], BP)) \
            + v.get("platform_fixed_fen", 0)
        channel = rounded(Fraction(base * v.get("channel_bp", 0), BP))
        return platform, channel, base - platform - channel

    base = v["base_fen"]
    rows = [parts(base)]
    for refund in v.get("refunds_fen", []):
        rows.append(tuple(b - a for a, b in zip(parts(base),
                                                parts(base - refund))))
        base -= refund
    names = ("platform_fen", "channel_fen", "vendor_fen")
    if "share" in given:
        answer = dict(zip(names, rows[0]))
    else:
        answer = {n: [r[i] for r in rows] for i, n in enumerate(names)}
    return dict(answer, lines={}, total_fen=base)


def admit(case):
    """Attempts, one by one; adds what passed to what is used."""
    given, plan = case.given, case.plan
    admitted, denied, alerts = 0, 0, []
    purse = sum(g["amount_fen"] for g in given.get("wallet", [])) \
        + given.get("credit_note_balance_fen", 0)
    for meter, tries in given["attempts"].items():
        limits = [v for v in plan.get("limits", []) if v["meter"] == meter]
        told = sorted(Fraction(v["max"]) * bp / BP for v in limits
                      for bp in v.get("alerts_bp", []))
        size = Fraction(tries.get("qty", 1))
        for _ in range(tries["workers"] * tries["each"]):
            used = case.used.get(meter, Fraction(0))
            ok = all(used + size <= Fraction(v["max"]) for v in limits
                     if v["kind"] == "hard")
            if ok and plan.get("wallet_mode") == "credit_only":
                case.used[meter] = used + size
                trial = Invoice(plan)
                case.rate(trial, to_fen=ceiling)
                ok = trial.close().total <= purse
                case.used[meter] = used
            admitted += ok
            denied += not ok
            if ok:
                case.used[meter] = used + size
                while told and told[0] <= used + size:
                    alerts.append(told.pop(0))
    return {"admitted": admitted, "denied": denied, "alerts_at": alerts}


def expected(one):
    """The answer to a case; lines as {key: fen}."""
    given = one["input"]
    if "share" in given or "share_refunds" in given:
        return shares(given)
    case = Case(one)
    if "list_periods" in given:
        start = day_of(case.tz, instant(given["start"]))
        return {"periods": [[a.isoformat(), b.isoformat()] for a, b in
                            periods(case.plan, start, given["list_periods"])]}
    extra = dict(case.extra)
    if "attempts" in given:
        extra.update(admit(case))
    if "downgrade_at_period_end" in given:
        v = given["downgrade_at_period_end"]
        case.charges[v["charge"]] = dict(case.charges[v["charge"]],
                                         amount_fen=v["new_fen"])
    invoice = Invoice(case.plan)
    done = steps(case, invoice)
    if not done or {"quantities", "events", "pooled",
                    "amount_events"} & set(given):
        case.rate(invoice, done)
    invoice.close()
    if given.get("reverse_all"):
        return dict(invoice.answer(-1), **extra)
    zero = case.bounds[0] if case.bounds else None
    return dict(invoice.answer(), **extra,
                **settle(given, invoice.total, zero, case.tz))
