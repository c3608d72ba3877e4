#!/usr/bin/env python3
"""tests/scenario/test_pricing.py: plans and cases through `linli rate`.

Every vector of spec/vectors/pricing.json, to the fen; what cannot be rated,
with its code, its place and its fix.
"""

import copy
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import program, run  # noqa: E402

VECTORS = os.path.join(tap.source_folder(), "spec", "vectors", "pricing.json")
MARCH = {"from": "2026-03-01T00:00:00+08:00", "to": "2026-04-01T00:00:00+08:00"}


def rate(document, *options):
    """The answer to a document; a refusal raises Refused."""
    done = run([program("linli"), "rate", "-", "--json"] + list(options),
               stdin=json.dumps(document))
    if done.code != 0:
        raise Refused(done.code, json.loads(done.err)["error"])
    return json.loads(done.out)


class Refused(Exception):
    """What `linli rate` refused: exit status and the error object."""

    def __init__(self, status, error):
        super().__init__(error["code"])
        self.status, self.error = status, error


def refused(document, code, where, detail=""):
    """The document is refused with this code, at this place, with a fix."""
    try:
        answer = rate(document)
    except Refused as no:
        tap.equal(no.error["code"], code, "code")
        tap.equal(no.error["where"], "stdin" + (": " + where if where else ""),
                  "where")
        tap.contains(no.error["detail"], detail, "detail")
        for member in ("title", "title_zh", "fix", "fix_zh"):
            assert no.error[member], member
        tap.equal(no.status, 2, "exit status")
        return no.error
    raise AssertionError("it was rated: %r" % answer)


def case(charge=None, given=None, **plan):
    """A case of one charge in March."""
    charges = [] if charge is None else [charge]
    return {"plan": dict({"tz": "Asia/Shanghai", "interval": "month",
                          "anchor": "calendar", "charges": charges}, **plan),
            "period": MARCH,
            "input": {"quantities": {}} if given is None else given}


def unit(**members):
    return dict({"id": "api", "kind": "unit", "meter": "api",
                 "unit_fen": "10"}, **members)


def graduated(*bounds):
    return {"id": "api", "kind": "graduated", "meter": "api",
            "tiers": [{"up_to": b, "unit_fen": "1", "flat_fen": 0}
                      for b in bounds]}


def lines(answer):
    return {line["key"]: line["amount_fen"] for line in answer["lines"]}


# -- vectors -----------------------------------------------------------------

def same(got, want):
    """What is compared: lines by their key."""
    if isinstance(want, list) and want and isinstance(want[0], dict):
        return (sorted((i["key"], i["amount_fen"]) for i in got)
                == sorted((i["key"], i["amount_fen"]) for i in want))
    return got == want


def test_vectors():
    """Each case, each member of what is expected of it."""
    with open(VECTORS, encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    assert len(cases) >= 32, len(cases)
    done = run([program("linli"), "rate", VECTORS, "--json"])
    tap.equal(done.code, 0, done.err)
    answers = json.loads(done.out)
    tap.equal(len(answers), len(cases), "answers")
    wrong = []
    for one, answer in zip(cases, answers):
        for member, want in one["expected"].items():
            if not same(answer.get(member), want):
                wrong.append("%s %s: got %r, want %r" % (
                    one["id"], member, answer.get(member), want))
    assert not wrong, "\n".join(wrong)


def test_a_case_alone_is_the_same():
    """One object, a list of it, and what `expected` says changes nothing."""
    with open(VECTORS, encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    for one in cases[:5]:
        bare = {k: v for k, v in one.items()
                if k in ("plan", "period", "input")}
        tap.equal(rate(one), rate(bare), one["id"])
        tap.equal([rate(one)], rate([bare]), one["id"])


# -- what is refused ---------------------------------------------------------

def test_overflow_is_refused():
    at = "/plan/charges/0"
    refused(case(unit(unit_fen="9223372036855")), "pricing/overflow",
            at + "/unit_fen")
    refused(case(unit(unit_fen="9000000000000"),
                 {"quantities": {"api": "9000000000000"}}),
            "pricing/overflow", at, "api")
    refused(case({"id": "p", "kind": "package", "meter": "api", "size": "1",
                  "package_fen": 2 ** 63 - 1}, {"quantities": {"api": "2"}}),
            "pricing/overflow", at)
    refused(case({"id": "c", "kind": "commit", "meter": "api",
                  "unit_fen": "9000000000000", "commit_qty": "0",
                  "overage_bp": 1000000},
                 {"quantities": {"api": "9000000000000"}}),
            "pricing/overflow", at)
    refused(case({"id": "f", "kind": "flat", "amount_fen": 2 ** 63 - 1,
                  "per": "seat"}, {"quantities": {"f": "9000000000000"}}),
            "pricing/overflow", at)
    two = case({"id": "a", "kind": "flat", "amount_fen": 2 ** 63 - 1})
    two["plan"]["charges"].append(
        {"id": "b", "kind": "flat", "amount_fen": 1})
    refused(two, "pricing/overflow", "/plan")
    taxed = case({"id": "a", "kind": "flat", "amount_fen": 2 ** 63 - 1},
                 tax={"mode": "exclusive", "rate_bp": 600})
    refused(taxed, "pricing/overflow", "/plan")
    refused(case(unit(), {"pooled": {"api": {
        "r1": "9000000000000", "r2": "9000000000000"}}}),
        "pricing/overflow", "/input/pooled/api/r2")
    # The largest that fits is exact.
    most = rate(case({"id": "a", "kind": "flat", "amount_fen": 2 ** 63 - 1}))
    tap.equal(most["total_fen"], 2 ** 63 - 1)


def test_tiers_are_refused():
    tiers = "/plan/charges/0/tiers"
    refused(case(graduated("100", "100", None)), "pricing/tiers",
            tiers + "/1", "tier 2")
    refused(case(graduated("100", "50", None)), "pricing/tiers", tiers + "/1")
    refused(case(graduated("0", None)), "pricing/tiers", tiers + "/0")
    refused(case(graduated(None, None)), "pricing/tiers", tiers + "/0")
    refused(case(graduated("100")), "pricing/tiers", tiers + "/0",
            "no price")
    refused(case(graduated()), "pricing/tiers", tiers)
    money = {"id": "p", "kind": "graduated_percentage", "meter": "pay",
             "tiers": [{"up_to_fen": 100, "rate_bp": 1, "flat_fen": 0},
                       {"up_to_fen": 90, "rate_bp": 1, "flat_fen": 0},
                       {"up_to_fen": None, "rate_bp": 1, "flat_fen": 0}]}
    refused(case(money), "pricing/tiers", tiers + "/1")


def test_meters_are_refused():
    charge = unit()
    del charge["meter"]
    refused(case(charge), "pricing/meter", "/plan/charges/0", "unit")
    refused(case(unit(), {"quantities": {"apy": "1"}}), "pricing/meter",
            "/input/quantities/apy", "apy")
    refused(case(unit(), {"amount_events": {"api": [1]}}), "pricing/meter",
            "/input/amount_events/api")
    both = case(unit())
    both["plan"]["charges"].append(
        {"id": "p", "kind": "percentage", "meter": "api", "rate_bp": 1})
    refused(both, "pricing/meter", "/plan/charges/1/meter")


def test_zones_and_words_are_refused():
    refused(case(unit(), tz="Asia/Shangai"), "pricing/zone", "/plan/tz",
            "Asia/Shangai")
    refused(case(unit(), tz="../../etc/passwd"), "pricing/zone", "/plan/tz")
    error = refused(case(unit(kind="gradual")), "pricing/unknown-word",
                    "/plan/charges/0/kind", "gradual")
    tap.contains(error["detail"], "graduated", "detail")
    error = refused(case(unit(unit_price="1")), "pricing/unknown-member",
                    "/plan/charges/0/unit_price", "unit_price")
    tap.contains(error["detail"], "unit_fen", "detail")
    refused(case(unit(tiers=[])), "pricing/unknown-member",
            "/plan/charges/0/tiers")
    refused(case(unit(), interval="week"), "pricing/unknown-word",
            "/plan/interval")
    refused(case(unit(), {"quantity": {}}), "pricing/unknown-member",
            "/input/quantity")
    refused(case(unit(), currency="USD"), "pricing/unknown-word",
            "/plan/currency")
    refused({"period": MARCH, "input": {}}, "pricing/missing", "", "plan")


def test_numbers_are_refused():
    at = "/input/quantities/api"
    for text, code in (("0.0000001", "precision"), ("-1", "negative"),
                       ("1e3", "number"), ("+1", "number"), ("", "number"),
                       ("01", "number"), (".5", "number"), ("1.", "number"),
                       ("9223372036854.775808", "overflow"), (1.5, "number"),
                       (-1, "negative"), (True, "number"), ("１", "number")):
        refused(case(unit(), {"quantities": {"api": text}}),
                "pricing/" + code, at)
    price = "/plan/charges/0/unit_fen"
    refused(case(unit(unit_fen="0.0000001")), "pricing/precision", price)
    refused(case(unit(unit_fen="-0.5")), "pricing/negative", price)
    refused(case({"id": "f", "kind": "flat", "amount_fen": "100"}),
            "pricing/type", "/plan/charges/0/amount_fen")
    refused(case({"id": "f", "kind": "flat", "amount_fen": -1}),
            "pricing/negative", "/plan/charges/0/amount_fen")
    refused(case(unit(line_discount_bp=10001)), "pricing/range",
            "/plan/charges/0/line_discount_bp")
    refused(case(unit(), {"quantities": {"api": "1"}, "void": {"api": "2"}}),
            "pricing/negative", "/input/void/api")
    event = {"id": "e", "meter": "api", "qty": "-1",
             "time": "2026-03-02T00:00:00Z"}
    refused(case(unit(), {"events": [event]}), "pricing/negative",
            "/input/events/0/qty")
    refused(case(unit(), {"events": [dict(event, qty="1", time="2026-03-02")]}),
            "pricing/instant", "/input/events/0/time")


def test_plans_are_refused():
    twice = case(unit())
    twice["plan"]["charges"].append(unit())
    refused(twice, "pricing/twice", "/plan/charges/1/id")
    refused(case(unit(tax_bp=600)), "pricing/tax", "/plan/charges/0/tax_bp")
    refused(case(unit(min_fen=2, max_fen=1)), "pricing/range",
            "/plan/charges/0/min_fen")
    refused(case(unit(), discounts=[{"id": "a"}]), "pricing/missing",
            "/plan/discounts/0")
    refused(case(unit(), discounts=[{"id": "a", "amount_fen": 1,
                                     "percent_bp": 1}]),
            "pricing/missing", "/plan/discounts/0")
    refused(case({"id": "p", "kind": "package", "meter": "m", "size": "0",
                  "package_fen": 1}), "pricing/range", "/plan/charges/0/size")
    refused(case(unit(), limits=[{"meter": "api", "kind": "hard", "max": "1",
                                  "alerts_bp": [10000, 8000]}]),
            "pricing/range", "/plan/limits/0/alerts_bp/1")


def test_periods_are_refused():
    late = case({"id": "f", "kind": "flat", "amount_fen": 100},
                {"quantities": {}, "start": "2026-03-05T00:00:00+08:00"})
    skewed = copy.deepcopy(late)
    skewed["period"]["from"] = "2026-03-01T00:00:00Z"
    refused(skewed, "pricing/period", "/period/from", "midnight")
    late["period"] = {"from": MARCH["to"], "to": MARCH["from"]}
    refused(late, "pricing/period", "/period/to")
    change = {"at": "2026-04-11T00:00:00+08:00", "charge": "f",
              "old_fen": 1, "new_fen": 2}
    refused(case({"id": "f", "kind": "flat", "amount_fen": 100},
                 {"change": change}), "pricing/period", "/input/change/at")
    refused(case({"id": "f", "kind": "flat", "amount_fen": 100},
                 {"change": dict(change, charge="g")}), "pricing/case",
            "/input/change/charge", "g")


def test_errors_for_people():
    """Code, both sentences, the place in the file, the fix."""
    done = run([program("linli"), "rate", "-"],
               stdin=json.dumps(case(graduated("5", "4", None))))
    tap.equal(done.code, 2, "exit status")
    tap.equal(done.out, "", "stdout")
    for part in ("error[pricing/tiers]: ", "阶梯",
                 "--> stdin: /plan/charges/0/tiers/1", "tier 2", "= fix: ",
                 "= 修正: ", "linli explain pricing/tiers"):
        tap.contains(done.err, part, "stderr")
    done = run([program("linli"), "rate", "-"], stdin="{")
    tap.contains(done.err, "error[request/json]", "stderr")
    done = run([program("linli"), "rate", "/no/such/file"])
    tap.contains(done.err, "error[cli/file]", "stderr")


# -- what the vectors do not have ----------------------------------------------

def test_prices_below_a_fen():
    """A call costs a hundredth of a fen; rounding is of the line."""
    one = unit(unit_fen="0.01")
    for quantity, fen in (("49", 0), ("50", 1), ("149", 1), ("150", 2),
                          ("1000000", 10000)):
        answer = rate(case(one, {"quantities": {"api": quantity}}))
        tap.equal(answer["total_fen"], fen, quantity)


def test_volume_cliff():
    charge = dict(graduated("10", None), kind="volume")
    charge["tiers"][0].update(unit_fen="100", flat_fen=50)
    charge["tiers"][1].update(unit_fen="50", flat_fen=7)
    for quantity, want in (
            ("0", {"api:t1:flat": 50}),
            ("10", {"api:t1:unit": 1000, "api:t1:flat": 50}),
            ("10.000001", {"api:t2:unit": 500, "api:t2:flat": 7})):
        answer = rate(case(charge, {"quantities": {"api": quantity}}))
        tap.equal(lines(answer), want, quantity)


def test_commit():
    charge = {"id": "cpu", "kind": "commit", "meter": "cpu",
              "commit_qty": "500", "unit_fen": "200", "true_up": True}
    answer = rate(case(charge, {"quantities": {"cpu": "300"}}))
    tap.equal(lines(answer), {"cpu:commit": 60000, "cpu:trueup": 40000})
    answer = rate(case(dict(charge, true_up=False),
                       {"quantities": {"cpu": "300"}}))
    tap.equal(lines(answer), {"cpu:commit": 60000})


def test_maximum_then_minimum():
    charge = unit(unit_fen="100", max_fen=500, line_discount_bp=1000)
    answer = rate(case(charge, {"quantities": {"api": "10"}}))
    tap.equal(lines(answer), {"api:usage": 1000, "api:discount": -100,
                              "api:max": -400})
    answer = rate(case(dict(charge, min_fen=300),
                       {"quantities": {"api": "1"}}))
    tap.equal(lines(answer), {"api:usage": 100, "api:discount": -10,
                              "api:min": 210})


def test_discounts_are_clamped():
    plan = case({"id": "f", "kind": "flat", "amount_fen": 100},
                discounts=[{"id": "A", "amount_fen": 80},
                           {"id": "B", "amount_fen": 80},
                           {"id": "C", "percent_bp": 5000}])
    answer = rate(plan)
    tap.equal(lines(answer), {"f:fee": 100, "discount:A": -80,
                              "discount:B": -20})
    tap.equal(answer["total_fen"], 0)
    tap.equal(answer["discount_allocation_fen"], {"f": 100})


def test_progressive_below_what_was_billed():
    charge = dict(graduated("10", None), kind="volume")
    charge["tiers"][0]["unit_fen"] = "100"
    charge["tiers"][1]["unit_fen"] = "10"
    answer = rate(case(charge, {"progressive": {
        "charge": "api", "billed_quantity": "10", "quantity": "11"}}))
    tap.equal(lines(answer), {"api:t1:unit": -1000, "api:t2:unit": 110})
    tap.equal((answer["total_fen"], answer["credit_balance_fen"],
               answer["due_fen"]), (-890, 890, 0))


def test_prepaid_admits_what_can_be_paid():
    """Rounded up for admission, tax and fees included: nothing stays due."""
    wallet = [{"id": "A", "priority": 1, "expires": None, "amount_fen": 100}]
    tries = {"attempts": {"api": {"workers": 4, "each": 5, "qty": "1"}},
             "wallet": wallet}
    answer = rate(case(unit(unit_fen="33.4"), tries, wallet_mode="credit_only"))
    tap.equal((answer["admitted"], answer["denied"], answer["due_fen"]),
              (2, 18, 0))
    answer = rate(case(unit(unit_fen="33.3"), tries, wallet_mode="credit_only",
                       tax={"mode": "exclusive", "rate_bp": 600}))
    tap.equal((answer["admitted"], answer["total_fen"], answer["due_fen"]),
              (2, 71, 0))


def test_days_of_zones():
    """Local days where clocks change: an hour more or less, no day twice."""
    fee = {"id": "f", "kind": "flat", "amount_fen": 3100}

    def share(tz, start, first, last):
        given = {"quantities": {}, "start": start}
        one = case(fee, given, tz=tz)
        one["period"] = {"from": first, "to": last}
        return rate(one)["total_fen"]

    # New York, March 2026: the 8th has 23 hours; 24 days from the 8th on.
    tap.equal(share("America/New_York", "2026-03-08T03:30:00-04:00",
                    "2026-03-01T00:00:00-05:00", "2026-04-01T00:00:00-04:00"),
              2400)
    # Sao Paulo, October 2017: the 15th began at 01:00.
    tap.equal(share("America/Sao_Paulo", "2017-10-15T01:00:00-02:00",
                    "2017-10-01T00:00:00-03:00", "2017-11-01T00:00:00-02:00"),
              1700)
    # Shanghai had summer time: May 1988 was at +09:00.
    tap.equal(share("Asia/Shanghai", "1988-05-31T23:59:59+09:00",
                    "1988-05-01T00:00:00+09:00", "1988-06-01T00:00:00+09:00"),
              100)


if __name__ == "__main__":
    tap.main()
