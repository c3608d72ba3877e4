#!/usr/bin/env python3
"""tests/scenario/test_pricing_model.py: random plans against exact rationals.

test-timeout-s: 240

Thousands of cases go through `linli rate` and through tests/lib/price_model.py,
which was written without the engine; every number has to agree. Then the
engine is broken on purpose, one fault at a time, and has to be found out.
LINLI_SEED plays a seed again, LINLI_CASES so many.
"""

import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import price_dice  # noqa: E402
import price_model  # noqa: E402
import tap  # noqa: E402
from linli_test import program, run  # noqa: E402

SEED = int(os.environ.get("LINLI_SEED") or random.SystemRandom().randrange(
    10 ** 9))
CASES = int(os.environ.get("LINLI_CASES") or 4000)
BATCH = 500
FAULTY_SEED, FAULTY_CASES = 6, 700  # that find every fault below
BUILD_S = 150


def plain(answer):
    """An answer of the engine, lines as {key: fen}."""
    keys = [line["key"] for line in answer["lines"]]
    assert len(keys) == len(set(keys)), "a key twice: %r" % keys
    return dict(answer, lines={line["key"]: line["amount_fen"]
                               for line in answer["lines"]})


def wanted(one):
    """The model's answer, as the engine writes it."""
    answer = price_model.expected(one)
    if "alerts_at" in answer:
        answer["alerts_at"] = ["%g" % float(x) for x in answer["alerts_at"]]
    return answer


def difference(want, answer):
    """What is not as the model says, or None."""
    got = plain(answer)
    for member in ("discount_allocation_fen", "line_tax_fen"):
        if member not in got:  # the plan has none
            got[member] = {k: 0 for k in want.get(member, {})}
    return {k: (got.get(k), v) for k, v in want.items()
            if got.get(k) != v} or None


def answers(cases, rate=None):
    """What the engine says; None if it refuses or dies."""
    done = run([rate or program("linli"), "rate", "-"],
               stdin=json.dumps(cases), timeout_s=60)
    if done.code != 0:
        tap.comment(done.err)
        return None
    return json.loads(done.out)


def test_random_plans():
    """Every number of every case, to the fen."""
    tap.comment("LINLI_SEED=%d LINLI_CASES=%d" % (SEED, CASES))
    cases = price_dice.cases(SEED, CASES)
    for first in range(0, CASES, BATCH):
        batch = cases[first:first + BATCH]
        said = answers(batch)
        assert said is not None, "seed %d: refused" % SEED
        for i, one in enumerate(batch):
            wrong = difference(wanted(one), said[i])
            assert wrong is None, (
                "seed %d case %d: (got, want) %r\n%s"
                % (SEED, first + i, wrong, json.dumps(one)))


def test_random_overflows():
    """What the model finds too large is refused, and nothing else."""
    dice = random.Random(SEED)
    charge = {"id": "c", "kind": "unit", "meter": "m"}
    refused = 0
    for _ in range(40):
        price, quantity = dice.randrange(10 ** 13), dice.randrange(10 ** 7)
        if price > 9223372036854:
            price = 9223372036854
        one = {"plan": {"interval": "month", "anchor": "calendar",
                        "charges": [dict(charge, unit_fen=str(price))]},
               "input": {"quantities": {"m": str(quantity)}}}
        fits = price * quantity < 2 ** 63
        done = run([program("linli"), "rate", "-"], stdin=json.dumps(one))
        tap.equal(done.code == 0, fits, "%d x %d" % (price, quantity))
        if fits:
            tap.equal(json.loads(done.out)["total_fen"], price * quantity)
        else:
            tap.contains(done.err, "pricing/overflow")
            refused += 1
    assert 0 < refused < 40, refused


# -- a broken engine is found out -----------------------------------------------

MAXIMUM = ("    if (c->max_fen >= 0 && r->sum_fen > c->max_fen)\n"
           "        emit_fen(r, LL_PART_MAX, 0, c->max_fen - r->sum_fen);\n")

# (name, file, as it stands, as it would be wrong)
FAULTS = (
    ("rounding-half-down", "pricing_number",
     "else if (rest >= den - rest)", "else if (rest > den - rest)"),
    ("rounding-negative-up", "pricing_number",
     "else if (-rest >= den + rest)", "else if (-rest > den + rest)"),
    ("last-day-not-at-midnight", "pricing_calendar",
     "return day + (ll_local_midnight(local, day) != ms);",
     "return day + 1;"),
    ("start-day-not-billed", "pricing_calendar",
     "from = start > from ? start : from;",
     "from = start > from ? start + 1 : from;"),
    ("tier-bound-exclusive", "pricing_charge",
     "while (quantity > r->charge->tiers[i].up_to)",
     "while (quantity >= r->charge->tiers[i].up_to)"),
    ("days-of-utc", "pricing_calendar",
     "int64_t here = ms + local->changes[2 * (size_t)i + 1] * 1000;",
     "int64_t here = ms;"),
    ("drifting-anchor", "pricing_calendar",
     "return (struct ll_period){\n        months_after(base, n * months)",
     "for (; n > 0; n--)\n        base = ll_date_of(months_after(base, "
     "months));\n    return (struct ll_period){\n"
     "        months_after(base, n * months)"),
    ("remainder-to-the-later", "pricing_number",
     "(of_a == of_b && a < b)", "(of_a == of_b && a > b)"),
    ("package-not-begun", "pricing_charge",
     "quantity / size + (quantity % size > 0)", "quantity / size"),
    ("fixed-fee-of-free-amounts", "pricing_charge",
     "(ll_wide)count * c->fixed_fen",
     "(ll_wide)r->used->amount_count * c->fixed_fen"),
    ("minimum-not-prorated", "pricing_charge",
     "c->min_fen, r->used->days.billed, r->used->days.period, &least",
     "c->min_fen, 1, 1, &least"),
    ("maximum-before-discount", "pricing_charge",
     "    emit(r, discount, -(ll_wide)r->sum_fen * c->line_discount_bp, "
     "LL_BP);\n" + MAXIMUM,
     MAXIMUM + "    emit(r, discount, -(ll_wide)r->sum_fen * "
     "c->line_discount_bp, LL_BP);\n"),
    ("credit-over-balance", "pricing_invoice",
     "due < purse->credit_notes_fen ? due : purse->credit_notes_fen",
     "due"),
    ("inclusive-tax-of-gross", "pricing_invoice",
     "LL_BP, LL_BP + item->tax_bp, &item->net_fen",
     "LL_BP - item->tax_bp, LL_BP, &item->net_fen"),
    ("discounts-of-the-whole", "pricing_invoice",
     "*out = -invoice->discount_fen;", "*out = 0;"),
    ("change-day-is-the-old-plans", "pricing_case_steps",
     "c->period.to - day, c->period.to - c->period.from",
     "c->period.to - day - (day < c->period.to),\n"
     "        c->period.to - c->period.from"),
    ("one-more-than-the-limit", "entitlement",
     "all > e->max_micro)", "all - micro > e->max_micro)"),
    ("refunds-of-the-refund", "pricing_share",
     "ll_fen_add(&out->platform_fen, -from.platform_fen)",
     "ll_fen_add(&out->platform_fen, -from.platform_fen + 1)"),
)


def broken(folder):
    """Writes the faulty files below a folder; their names."""
    names = []
    for name, file, right, wrong in FAULTS:
        path = os.path.join(tap.source_folder(), "runtime", "domain",
                            file + ".c")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        tap.equal(text.count(right), 1, "places of the fault " + name)
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        with open(os.path.join(folder, name, "changed.c"), "w",
                  encoding="utf-8") as f:
            f.write(text.replace(right, wrong))
        names.append(name)
    return names


def test_faults_are_found():
    """Eighteen ways to be wrong, each in a linli of its own."""
    folder = os.path.join(tap.build_folder(), "mutants")
    names = broken(folder)
    built = subprocess.run(
        ["make", "-j2", "-C", tap.build_folder()]
        + ["mutants/%s/linli" % n for n in names],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=BUILD_S, check=False)
    tap.equal(built.returncode, 0, built.stdout[-2000:])
    cases = price_dice.cases(FAULTY_SEED, FAULTY_CASES)
    want = [wanted(one) for one in cases]
    said = answers(cases)
    assert said is not None
    for w, answer in zip(want, said):
        assert difference(w, answer) is None, "the engine as it is"
    missed = []
    for name in names:
        said = answers(cases, os.path.join(folder, name, "linli"))
        found = said is None or any(
            difference(w, answer) for w, answer in zip(want, said))
        if not found:
            missed.append(name)
    assert not missed, "faults that nothing found: " + ", ".join(missed)


if __name__ == "__main__":
    tap.main()
