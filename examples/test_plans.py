"""examples/test_plans.py: an operator's month, as its page has it: every
command of it, in a shell, and what comes of it.
"""

import csv
import io
import os
import re
import subprocess

import tap
from linli_test import Daemon, program, temporary_folder

COMMAND_S = 120
ADMIN = "/v1/c/demo/admin"


def blocks():
    """The commands of the page, block by block."""
    path = os.path.join(tap.source_folder(), "examples/plans/README.md")
    with open(path, encoding="utf-8") as f:
        return re.findall(r"```sh\n(.*?)```", f.read(), re.S)


def shell(block, folder):
    """Runs a block, with `linli` as the page means it; all that it prints."""
    done = subprocess.run(
        ["sh", "-eu", "-c", block], cwd=tap.source_folder(),
        env=dict(os.environ, PATH=folder + os.pathsep + os.environ["PATH"]),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=COMMAND_S, check=False)
    tap.equal(done.returncode, 0, "%s\n%s" % (block, done.stdout))
    return done.stdout


def rows(text):
    """The lines of a CSV that is printed."""
    return list(csv.DictReader(io.StringIO(text)))


def check_money(d):
    """Invoices and ledger, after all of it."""
    items = d.http("GET", ADMIN + "/invoices", as_="operator:o1").json["items"]
    tap.equal(sorted((i["subscription"], i["total_fen"], i["state"])
                     for i in items),
              [("sub_16", 543, "paid"), ("sub_16", 1010, "paid"),
               ("sub_17", 3286, "paid"), ("sub_17", 3350, "paid"),
               ("sub_18", 300, "paid")])
    tap.equal(sorted(i["number"] for i in items),
              ["INV-%06d" % n for n in range(1, 6)])
    items = d.http("GET", ADMIN + "/ledger", as_="operator:o1").json["items"]
    accounts = {i["account"]: i["balance_fen"] for i in items}
    tap.equal(sum(accounts.values()), 0)
    tap.equal((accounts["cash:wechat"], accounts["cash:bank"],
               accounts["wallet:sub_18"]), (543 + 3286 + 1010, 3350, 0))
    items = d.http("GET", ADMIN + "/settlements",
                   as_="operator:o1").json["items"]
    # Of 5.12 net: 20 % and 0.6 %; of 31.00: 15 % and 0.10.
    tap.equal({i["plugin"]: (i["paid_fen"], i["base_fen"], i["platform_fen"],
                             i["channel_fen"], i["vendor_fen"])
               for i in items if i["paid_fen"]},
              {"hello": (543, 512, 102, 3, 407),
               "parking": (3286, 3100, 475, 0, 2625)})


def test_the_page():
    with temporary_folder() as folder, Daemon(
            options=["--demo=on", "--clock=virtual"],
            plugins=os.path.join(tap.source_folder(), "plugins")) as d:
        own = os.path.join(folder, "linli")
        with open(own, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\nexec %s --data=%s "$@"\n' % (
                program("linli"), d.data))
        os.chmod(own, 0o755)
        said = [shell(block, folder) for block in blocks()]
        tap.equal(len(said), 7)
        for want in ("hello-plus@1", "household@1", "prepaid@1", "sub_18"):
            tap.contains(said[0], want)
        for want in ("plan/cap-reached", "plan/none"):
            tap.contains(said[2], want)
        preview = {r["key"]: r["amount_fen"]
                   for r in rows(said[4][said[4].index("type,key"):])}
        tap.equal(preview["calls:usage"], "20", "two beyond five")
        tap.contains(said[5], "lookups:t2:unit")
        tap.contains(said[6], "SET-000001")
        check_money(d)
        tap.equal(d.linli_ok("reconcile", "--json").json["ok"], True)
        used = {}
        for row in rows(d.linli_ok("usage", "export", "--format", "csv").out):
            if row["meter"] == "linli.call":
                used[row["plan"]] = used.get(row["plan"], 0) + 1
        tap.equal(used, {"prepaid": 3, "household": 6, "hello-plus": 7})


if __name__ == "__main__":
    tap.main()
