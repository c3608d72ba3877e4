"""tests/lib/sold.py: a plugin that is sold, and what was counted of it.

    with sold(LUA, routes=[...]) as s:
        s.publish("basic", limits=[hard("linli.call", 10)])
        s.subscribe("wang", "basic")
        s.run(as_="resident:wang")
        s.used("linli.call")
"""

import collections
import contextlib
import csv
import io
import os
import sqlite3
from decimal import Decimal

import tap
from linli_test import Daemon, plugin_folder, probe_manifest, temporary_folder

ADMIN = "/v1/c/demo/admin"
OPERATOR = "operator:o1"
SUSPENSE = "sub_1"


def hard(meter, most, alerts=()):
    """A hard limit; alerts in percent."""
    return {"meter": meter, "kind": "hard", "max": str(most),
            "alerts_bp": [100 * percent for percent in alerts]}


def soft(meter, most, alerts=()):
    """A soft one."""
    return dict(hard(meter, most, alerts), kind="soft")


def per_unit(meter, fen):
    """A charge of so many fen for each."""
    return {"id": meter.replace(".", "-").replace("_", "-"), "kind": "unit",
            "meter": meter, "unit_fen": str(fen)}


class Sold:
    """A daemon with a plugin that plans are made of."""

    def __init__(self, daemon, plugin="probe"):
        self.d, self.plugin = daemon, plugin
        self.keys = 0

    def key(self):
        """A new Idempotency-Key."""
        self.keys += 1
        return "k%d" % self.keys

    def admin(self, path, body=None, status=None):
        """One act of the operator's; its JSON."""
        got = self.d.http("GET" if body is None else "POST", ADMIN + path,
                          body, as_=OPERATOR,
                          key=None if body is None else self.key())
        if got.status != status and got.status // 100 != 2:
            raise AssertionError("%s %r: %r" % (path, body, got))
        return got.json

    def publish(self, name, charges=(), limits=(), **more):
        """A version of a plan; "basic@1"."""
        plan = dict({"interval": "month", "anchor": "calendar",
                     "charges": list(charges) or [
                         {"id": "fee", "kind": "flat", "amount_fen": 1000}],
                     "limits": list(limits)}, **more)
        return self.admin("/plans", {"name": name, "plugin": self.plugin,
                                     "plan": plan})["id"]

    def subscribe(self, who, plan, **more):
        """`who`: a resident's id, "household:7", or "community"."""
        kind, _, ident = ("resident:" + who if ":" not in who and
                          who != "community" else who).partition(":")
        party = {"kind": kind}
        if ident:
            party["id"] = ident
        return self.admin("/subscriptions", dict(
            {"plan": plan, "payers": [party]}, **more))["id"]

    def act(self, sub, what, **more):
        """upgrade, pause, cancel …; what became of the subscription."""
        return self.admin("/subscriptions/%s/%s" % (sub, what),
                          dict({"reason": "asked for"}, **more))

    def run(self, body=None, as_="resident:wang", path="/run", **more):
        """A call of the plugin."""
        return self.d.call(self.plugin, path, {} if body is None else body,
                           as_=as_, key=self.key(), **more)

    def records(self):
        """[{meter, subscription, plan_version, time, qty…}], all of them."""
        rows, after = [], 0
        while True:
            got = self.d.http("GET", ADMIN + "/usage/export?format=csv&"
                              "limit=10000&after=%d" % after, as_=OPERATOR)
            tap.equal(got.status, 200, got)
            rows += csv.DictReader(io.StringIO(got.text))
            after = int(got.headers["linli-next-after"])
            if got.headers["linli-more"] == "false":
                return rows

    def used(self, meter, sub=None):
        """Its sum, of one subscription or of all."""
        return sum((Decimal(r["qty"]) for r in self.records()
                    if r["meter"] == meter and
                    sub in (None, r["subscription"])), Decimal(0))

    def by_sub(self, meter):
        """{subscription: sum}."""
        sums = collections.defaultdict(Decimal)
        for row in self.records():
            if row["meter"] == meter:
                sums[row["subscription"]] += Decimal(row["qty"])
        return dict(sums)

    def by_version(self, meter):
        """{(subscription, plan version): sum}, of the buckets in the file."""
        with contextlib.closing(sqlite3.connect(
                os.path.join(self.d.data, "linli.db"))) as db:
            rows = db.execute(
                "SELECT u.subscription, p.name || '@' || p.version, "
                "sum(b.quantity) FROM usage_series u JOIN usage_bucket b "
                "ON b.series = u.id LEFT JOIN plan_version p "
                "ON p.id = u.version WHERE u.meter = ? GROUP BY 1, 2",
                (meter,)).fetchall()
        return {("sub_%d" % sub, plan): micro // 1000000
                for sub, plan, micro in rows}

    def restart(self):
        """Ends and begins again, as an operator does it."""
        self.d.stop()
        self.d.start()

    def alerts(self):
        """Data of all alerts linli.quota, oldest first."""
        items = self.admin("/alerts?limit=100")["items"]
        return [i["data"] for i in sorted(items, key=lambda i: i["id"])
                if i["kind"] == "linli.quota"]


@contextlib.contextmanager
def sold(lua, config=None, options=(), **manifest):
    """A Sold, of a probe of these routes."""
    with temporary_folder() as parent, Daemon(
            config=dict({"rate_limit": "off"}, **(config or {})),
            options=list(options)) as d:
        d.enable(plugin_folder(parent, probe_manifest("probe", **manifest),
                               main__lua=lua))
        yield Sold(d)
